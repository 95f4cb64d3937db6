"""Every kind of suspect is found where it is, and nothing where all is well."""

import shutil

import numpy as np
import pytest
from tests.project.suspects.dishes import FRAMES, Dish, divided

from napari_semiconv.edits.base import Group
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import UnmarkDivision
from napari_semiconv.edits.links import Link, Swap, Unlink
from napari_semiconv.edits.masks import Erase, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, DeleteTrack
from napari_semiconv.edits.results import AdoptScores
from napari_semiconv.errors import EditError
from napari_semiconv.project.project import Project
from napari_semiconv.project.solving import TITLE
from napari_semiconv.project.suspects.suspects import Suspects
from napari_semiconv.project.suspects.why import why
from napari_semiconv.tracking.evidence import SCORES


def found(project):
    suspects = Suspects(project)
    steps = [*suspects.steps()]
    assert steps[-1] == (project.document.shape[0],) * 2
    return suspects


def followed(project):
    """Suspects that hear of every edit."""
    suspects = found(project)
    project.changed.connect(suspects.update)
    return suspects


def seen(suspects):
    return {(s.kind, s.frame, s.labels[:1]) for s in suspects.queue}


def rows(suspects):
    return [
        (s.kind, s.frame, s.last, s.labels, round(s.chance, 5), round(s.cost, 5))
        for s in suspects.queue
    ]


def test_nothing_is_suspect_where_all_is_well(tmp_path):
    with Dish().project(tmp_path / "p") as project:
        suspects = found(project)
        assert len(suspects.queue) == 0
        assert suspects.queue.total == suspects.queue.looked_at == 0
        assert suspects.queue.errors_left == 0


def test_where_no_cell_is_known_yet_none_has_vanished_or_appeared(tmp_path):
    dish = Dish()
    for label in range(1, 6):
        dish.without(label, 0, 1, 5, 6, 7, 8)
    with dish.project(tmp_path / "p") as project:
        assert seen(found(project)) == set()
    # Cells are gone where others are seen later.
    dish.put(9, (8,), (100, 100))
    with dish.project(tmp_path / "q") as project:
        assert ("vanishes", 4, (2,)) in seen(found(project))


KINDS = {
    "appears": (Dish().without(4, 0, 1, 2), 3, 4, "appears inside the field"),
    "vanishes": (Dish().without(4, 6, 7, 8), 5, 4, "not seen after frame 5"),
    "gap": (Dish().without(4, 4), 5, 4, "missing in 1 frame before, since frame 3"),
    "area jump": (Dish().sized(4, 4, 12), 4, 4, "1.4 times as large as in frame 3"),
    "merged": (Dish().put(4, range(FRAMES), (110, 160), 18), 0, 4, "may be two"),
    "tiny": (Dish().put(4, range(FRAMES), (110, 160), 4), 0, 4, "times smaller than a"),
    "short": (Dish().without(4, *range(1, 9)), 0, 4, "seen in 1 frame only"),
    "unsure cell": (Dish().unsure("sure", 4, 4), 4, 4, "10 % sure of cell 4"),
    "unsure link": (Dish().unsure("link", 4, 4), 4, 4, "same as in frame 3"),
    "jump": (Dish().put(4, range(5, 9), (150, 200)), 5, 4, "unlike those around it"),
    "division": (
        divided(((70, 48), (150, 48)), 10), 4, 3, "divides into 6 and 7, which may",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_at_its_place_and_told_in_words(kind, tmp_path):
    dish, frame, label, words = KINDS[kind]
    with dish.project(tmp_path / "p") as project:
        suspects = found(project)
        assert (kind, frame, (label,)) in seen(suspects)
        (one,) = [s for s in suspects.queue if (s.kind, s.frame) == (kind, frame)]
        assert words in why(project, one)
        y, x, _ = dish.cells[frame, label]
        assert (one.y, one.x) == (y, x)
        assert 0 < one.chance < 1
        assert one.cost >= 1


def test_what_the_solver_left_out_is_suspect_until_that_is_undone(tmp_path):
    with Dish().project(tmp_path / "p") as project:
        suspects = followed(project)
        project.do(Group((DeleteCell(3, 2),), TITLE))
        (one,) = [s for s in suspects.queue if s.kind == "left out"]
        assert (one.frame, one.labels) == (3, ())
        assert (one.y, one.x) == (40, 172)
        assert "left out" in why(project, one)
        assert suspects.confirming(one) is None
        project.undo()
        assert not len(suspects.queue)
        # A cell that the user took away is no question.
        project.do(DeleteCell(3, 2))
        assert not [s for s in suspects.queue if s.kind == "left out"]


def test_a_doubt_that_lasts_is_one_suspect(tmp_path):
    with KINDS["merged"][0].project(tmp_path / "p") as project:
        (one,) = found(project).queue
        assert (one.frame, one.last) == (0, FRAMES - 1)


def test_what_spoils_more_comes_first(tmp_path):
    dish = Dish().without(4, 0).without(2, *range(7))
    with dish.project(tmp_path / "p") as project:
        first, second = (s for s in found(project).queue if s.kind == "appears")
        assert (first.labels, second.labels) == ((4,), (2,))
        assert first.cost > second.cost


def scores_of(random, track):
    frames = np.array(track.frames)
    return frames, random.uniform(0.5, 1, (len(frames), len(SCORES)))


def random_edit(random, project):
    tracks = project.lineage.tracks
    label = int(random.choice(list(tracks)))
    frame = int(random.choice(tracks[label].frames))
    other = int(random.choice(list(tracks)))
    box = np.ones((random.integers(3, 25), random.integers(3, 25)), bool)
    y, x = int(random.integers(0, 170)), int(random.integers(0, 270))
    return [
        DeleteCell(frame, label),
        DeleteTrack(label, frame),
        Unlink(label, frame),
        Swap(label, other, frame),
        Link(label, frame, other, tracks[other].begin),
        Paint(frame, label, Region(y, x, box)),
        Erase(frame, Region(y, x, box)),
        Confirm(label, frame, frame),
        Confirm(label),
        UnmarkDivision(label),
        AdoptScores({label: scores_of(random, tracks[label])}),
    ][random.integers(11)]


@pytest.mark.parametrize("seed", range(6))
def test_after_any_edits_all_is_as_measured_anew(seed, tmp_path):
    random = np.random.default_rng(seed)
    dish = divided().without(2, 3).unsure("sure", 5, 2).unsure("link", 1, 4)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        edits = 0
        while edits < 25:
            step = random.random()
            try:
                if step < 0.7:
                    project.do(random_edit(random, project))
                elif step < 0.9:
                    project.undo()
                else:
                    project.redo()
            except EditError:
                continue
            edits += 1
            assert rows(suspects) == rows(found(project))


def test_the_frames_that_an_edit_does_not_touch_are_not_measured(tmp_path, monkeypatch):
    dish = Dish().without(4, 6, 7, 8)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        measured, places = [], suspects._measure.places
        monkeypatch.setattr(
            suspects._measure,
            "places",
            lambda frame: (measured.append(frame), places(frame))[1],
        )
        project.do(Paint(4, 1, Region(5, 5, np.ones((6, 6), bool))))
        assert measured == [3, 4, 5]
        del measured[:]
        project.do(Confirm(1))
        assert measured == []


def test_what_is_confirmed_is_not_asked_again(tmp_path):
    dish = Dish().unsure("sure", 4, 4)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        (one,) = suspects.queue
        project.do(suspects.confirming(one))
        assert project.lineage.tracks[4].confirmed == ((4, 4),)
        assert not len(suspects.queue)


def test_a_link_between_confirmed_cells_is_asked_until_it_is_confirmed(tmp_path):
    dish = Dish().unsure("link", 4, 4)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        project.do(Confirm(4, 3, 3))
        project.do(Confirm(4, 4, 4))
        (one,) = suspects.queue
        assert one.kind == "unsure link"
        # Both cells are confirmed already: that it was right is all there is to note.
        assert not project.do(suspects.confirming(one))
        suspects.mark(one, "right")
        assert suspects.queue.open_after(-1) is None
        project.undo()
        assert suspects.queue.open_after(-1) == 0


def test_a_track_confirmed_as_one_has_confirmed_links(tmp_path):
    dish = Dish().unsure("link", 4, 4).without(4, 7, 8)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        before = rows(suspects)
        assert {row[0] for row in before} >= {"unsure link", "vanishes"}
        project.do(Confirm(4))
        assert rows(suspects) == []
        project.undo()
        assert rows(suspects) == before


@pytest.mark.parametrize("kind", ["appears", "vanishes", "gap", "division", "merged"])
def test_right_answers_every_kind(kind, tmp_path):
    with KINDS[kind][0].project(tmp_path / "p") as project:
        suspects = followed(project)
        (one,) = [s for s in suspects.queue if s.kind == kind]
        suspects.mark(one, "right")
        project.do(suspects.confirming(one))
        assert one.key not in {s.key for s in suspects.queue}


def test_what_was_looked_at_is_counted_and_known_when_reopened(tmp_path):
    dish = Dish().without(4, 0, 1, 2).unsure("sure", 1, 4).unsure("sure", 2, 4)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        queue = suspects.queue
        total, left = queue.total, queue.errors_left
        assert total >= 3
        suspects.mark(queue[0], "passed")
        assert (suspects.queue.looked_at, suspects.queue.total) == (1, total)
        assert suspects.queue[0].looked_at
        assert suspects.queue.errors_left < left
        second = suspects.queue[1]
        suspects.mark(second, "right")
        project.do(suspects.confirming(second))
        assert (suspects.queue.looked_at, suspects.queue.total) == (2, total)
        before = rows(suspects)
    with Project.open(tmp_path / "p") as project:
        again = followed(project)
        assert rows(again) == before
        assert (again.queue.looked_at, again.queue.total) == (2, total)
        assert again.queue.looked.sum() == 1
        # What was confirmed comes back when that is undone.
        project.undo()
        assert (again.queue.looked_at, again.queue.total) == (1, total)


def test_what_was_looked_at_is_no_edit_to_be_made_again(tmp_path):
    project = Dish().without(4, 0, 1, 2).project(tmp_path / "p")
    suspects = found(project)
    suspects.mark(suspects.queue[0], "passed")
    # Not closed: only what is in the journal is there the next time.
    project.history.journal.sync()
    copied = shutil.copytree(tmp_path / "p", tmp_path / "q")
    project.close()
    with Project.open(copied) as again:
        assert not [note for note in again.notes if "made again" in note]
        assert found(again).queue.looked_at == 1


def test_what_was_passed_by_is_open_again_when_it_changes(tmp_path):
    dish = Dish().without(4, 0, 1, 2)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        (one,) = suspects.queue
        suspects.mark(one, "passed")
        assert suspects.queue.looked_at == 1
        # Now it begins beside one that ends just before.
        project.do(Paint(2, 9, Region(100, 160, np.ones((18, 18), bool))))
        assert not suspects.queue[suspects.queue.row_of(one.key)].looked_at
        project.undo()
        assert suspects.queue.looked_at == 1


def test_going_through_the_queue(tmp_path):
    dish = Dish().without(4, 0, 1, 2).unsure("sure", 1, 4).unsure("sure", 2, 4)
    with dish.project(tmp_path / "p") as project:
        suspects = followed(project)
        queue = suspects.queue
        count = len(queue)
        assert queue.open_after(-1) == 0
        assert queue.open_after(count - 1) == 0
        assert queue.open_after(0, before=True) == count - 1
        assert queue.open_after(-1, kind="gap") is None
        suspects.mark(queue[1], "passed")
        assert suspects.queue.open_after(0) == 2
        for row in range(count):
            if row != 1:
                suspects.mark(suspects.queue[row], "passed")
        assert suspects.queue.open_after(0) is None
        assert suspects.queue.by_label() == {}


def test_likely_suspects_are_marked_by_label_and_by_frame(tmp_path):
    dish = Dish().unsure("sure", 1, 4).put(4, range(FRAMES), (110, 160), 3)
    dish.sized(2, 4, 11)
    with dish.project(tmp_path / "p") as project:
        queue = found(project).queue
        # Cell 2 is suspect too, but hardly.
        assert {s.labels[0] for s in queue} == {1, 2, 4}
        assert queue.by_label() == {1: [4], 4: [0]}
        assert queue.labels_in(4) == [1, 4]
        assert queue.labels_in(5) == [4]


def test_a_project_to_be_read_only_remembers_until_it_is_closed(tmp_path):
    Dish().without(4, 0, 1, 2).project(tmp_path / "p").close()
    with Project.open(tmp_path / "p", write=False) as project:
        suspects = found(project)
        suspects.mark(suspects.queue[0], "passed")
        assert suspects.queue.looked_at == 1
