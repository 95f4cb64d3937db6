"""What is learned from: only what the user looked at."""

from dataclasses import replace

import numpy as np
import pytest
from tests.gui.movies import dish, project_of, write_dish

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.masks import Redraw
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.errors import BadInputError
from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.teaching.corrections import check_enough, corrections_of
from napari_semiconv.teaching.examples import Examples
from napari_semiconv.teaching.lesson import (
    LEAST_TRACKS,
    lesson_of,
    read_folders,
    read_lesson,
    write_lesson,
)

SIZE = 11.3  # px across of a square of 10 x 10


def labels():
    """The dish's four cells, numbered by reading."""
    found = np.zeros((6, 64, 64), np.int32)
    for t, frame in enumerate(dish(6)):
        top = 4 + t
        for number, (y, x) in enumerate(
            [(top, 4), (top, 36), (top + 32, 4), (top + 32, 36)], 1
        ):
            found[t, y : y + 10, x : x + 10] = number
        assert ((found[t] > 0) == (frame > 0)).all()
    return found


@pytest.fixture
def project(tmp_path):
    movie = open_movie(write_dish(tmp_path / "dish.tif", 6))
    with project_of(tmp_path / "dish.semiconv", movie, labels()) as made:
        yield made


def confirm(project, label, first=None, last=None):
    project.do(Confirm(label, first, last))


def test_nothing_is_learned_from_what_nobody_looked_at(project):
    found = corrections_of(project)
    assert (found.frames, found.cells, found.size) == ([], 0, None)
    with pytest.raises(BadInputError, match=r"dish\.semiconv: .* found none\."):
        check_enough([found])


def test_a_confirmed_cell_is_known_and_what_is_around_it(project):
    confirm(project, 1, 2, 2)
    found = corrections_of(project)
    (known,) = found.frames
    assert (known.frame, known.whole, found.tracks) == (2, False, [1])
    truth = known.truth({1}, SIZE)
    assert (truth[6:16, 4:14] == 1).all()
    assert (truth[6:16, 14:19] == 0).all()
    assert truth[8, 21] == -1
    assert set(np.unique(truth)) == {-1, 0, 1}
    # Other cells are not known to be background, nor to be cells.
    assert (truth[38:48, 4:14] == -1).all()


def test_a_redrawn_cell_counts_as_it_was_drawn(project):
    drawn = np.zeros((64, 64), bool)
    drawn[6:20, 4:16] = True
    project.do(Redraw(2, 1, Region.where(drawn)))
    (known,) = corrections_of(project).frames
    assert ((known.cells == 1) == drawn).all()


def test_cells_taken_away_and_marked_places_are_background(project):
    project.do(DeleteCell(1, 2))
    project.do(MarkEmpty(3, 60, 60))
    found = corrections_of(project)
    assert [known.frame for known in found.frames] == [1, 3]
    gone, marked = (known.truth(set(), SIZE) for known in found.frames)
    assert ((gone == 0) == (labels()[1] == 2)).all()
    assert marked[60, 60] == 0
    assert marked[30, 30] == -1
    with pytest.raises(BadInputError, match="only places without a cell"):
        check_enough([found])


def test_a_frame_whose_cells_are_all_confirmed_is_known_as_a_whole(project):
    for label in (1, 2, 3, 4):
        confirm(project, label, 0, 0)
    (known,) = corrections_of(project).frames
    assert known.whole
    truth = known.truth({1, 2, 3, 4}, SIZE)
    assert (truth == labels()[0]).all()


def test_what_is_held_out_gives_nothing_away_of_itself(project):
    for label in (1, 2, 3, 4):
        confirm(project, label, 0, 0)
    (known,) = corrections_of(project).frames
    truth = known.truth({1, 3, 4}, SIZE)
    cell = labels()[0] == 2
    assert (truth[cell] == -1).all()
    assert (truth[3, 36:46] == -1).all(), "its outline would be told by what is beside"
    assert (truth[30, :] == 0).all()


def test_all_masks_are_trusted_when_asked_for(project):
    found = corrections_of(project, "all", [5, 1])
    assert [known.frame for known in found.frames] == [1, 5]
    assert found.cells == 8
    assert all(known.whole for known in found.frames)
    with pytest.raises(BadInputError, match="frames from 0 to 5, found 6"):
        corrections_of(project, "all", [6])


def test_only_a_confirmed_parent_is_learned(tmp_path):
    found = labels()
    found[2:][found[2:] == 1] = 0
    found[:2][(found[:2] == 2) | (found[:2] == 3)] = 0
    lineage = lineage_of_labels(enumerate(found))
    for label in (2, 3):
        lineage.put(replace(lineage.tracks[label], parent=1))
    movie = open_movie(write_dish(tmp_path / "born.tif", 6))
    cells = TrackedMovie("born", found.shape, found.__getitem__, lineage)
    with Project.create(tmp_path / "born.semiconv", movie, cells) as project:
        # Not its first frame: whose daughter it is was not looked at.
        confirm(project, 2, 3, 4)
        assert corrections_of(project).tracks == [2]
        assert corrections_of(project).parents == {}
        assert corrections_of(project, "all").parents == {2: 1, 3: 1}


def test_of_very_many_frames_some_are_taken(project, monkeypatch):
    monkeypatch.setattr("napari_semiconv.teaching.corrections.MOST_FRAMES", 3)
    frames = [known.frame for known in corrections_of(project, "all").frames]
    assert frames == [0, 2, 5]


def test_a_lesson_holds_tracks_out_and_shows_frames_beside(project):
    for label in (1, 2, 3, 4):
        confirm(project, label, 2, 3)
    found = corrections_of(project)
    lesson = lesson_of([found], cell_size=24)
    assert lesson.facts == {"cells": 8, "tracks": 4, "frames": 2, "held_out": 1}
    assert lesson.cell_size == pytest.approx(SIZE, abs=0.1)
    (recording,) = lesson.recordings
    assert recording.outlined == [False, True, True, False]
    taught = {n for frame in recording.labels for n in np.unique(frame)} - {-1, 0}
    *checks, untouched = lesson.checks
    held = {n for check in checks for n in np.unique(check.truth)} - {-1, 0}
    assert (len(taught), len(held)) == (3, 1)
    assert not taught & held
    assert (untouched.truth == -1).all()
    assert untouched.name == "dish.semiconv, frame 0"


def test_the_same_tracks_are_held_out_again(project):
    for label in (1, 2, 3, 4):
        confirm(project, label)
    found = corrections_of(project)

    def held(seed):
        checks = lesson_of([found], 24, seed).checks
        return {int(n) for c in checks for n in np.unique(c.truth) if n > 0}

    assert held(3) == held(3)
    assert len({frozenset(held(seed)) for seed in range(8)}) > 1


def test_of_few_cells_none_is_held_out_and_that_is_said(project):
    confirm(project, 1)
    lesson = lesson_of([corrections_of(project)], 24)
    assert lesson.facts["held_out"] == 0
    assert lesson.checks == []
    assert any(f"Fewer than {LEAST_TRACKS}" in note for note in lesson.notes)


def test_a_slip_of_the_brush_is_named(project):
    for label in (1, 2, 3, 4):
        confirm(project, label, 0, 0)
    speck = np.zeros((64, 64), bool)
    speck[60, 60] = True
    project.do(Redraw(0, 4, Region.where(speck)))
    notes = lesson_of([corrections_of(project)], 24).notes
    assert any("cell 4 in frame 0 is 1 px across" in note for note in notes)


def test_large_cells_are_shrunk_to_what_the_network_sees(project):
    confirm(project, 1)
    examples = Examples(corrections_of(project), size=5.65)
    (recording,) = examples.recordings(set())
    assert recording.images[0].shape == (32, 32)
    assert recording.cell_size == pytest.approx(5.65, abs=0.1)


def test_a_lesson_is_written_and_read(project, tmp_path):
    for label in (1, 2, 3, 4):
        confirm(project, label, 2, 3)
    lesson = lesson_of([corrections_of(project)], 24)
    write_lesson(tmp_path / "lesson.npz", lesson)
    again = read_lesson(tmp_path / "lesson.npz")
    assert (again.facts, again.notes) == (lesson.facts, lesson.notes)
    assert again.cell_size == lesson.cell_size
    for one, other in zip(lesson.recordings, again.recordings, strict=True):
        assert (one.name, one.outlined, one.cell_size) == (
            other.name,
            other.outlined,
            other.cell_size,
        )
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.labels, other.labels)
    for one, other in zip(lesson.checks, again.checks, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.truth, other.truth)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04]"])
def test_a_damaged_lesson_is_refused(tmp_path, content):
    (tmp_path / "lesson.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="expected examples to learn from"):
        read_lesson(tmp_path / "lesson.npz")


def test_projects_are_read_like_annotated_folders(project):
    for label in (1, 2, 3, 4):
        confirm(project, label)
    project.save()
    train_on, held = read_folders([project.folder], 0.25, 32)
    assert {recording.name for recording in train_on} == {"dish.semiconv"}
    assert len(held) == 6
    nothing, none = read_folders([project.folder], 0.0, 32)
    assert none == []
    assert {int(n) for r in nothing for f in r.labels for n in np.unique(f)} == {
        0,
        1,
        2,
        3,
        4,
    }


def test_daughters_that_the_user_marked_are_learned(project):
    confirm(project, 1, 0, 1)
    for t in range(2, 6):
        project.do(DeleteCell(t, 1))
    for label in (2, 3):
        for t in range(2):
            project.do(DeleteCell(t, label))
        confirm(project, label)
    project.do(MarkDivision(1, (2, 3), 2))
    assert corrections_of(project).parents == {2: 1, 3: 1}


def test_what_two_projects_of_a_movie_say_differently_is_named(project, tmp_path):
    other_folder = tmp_path / "again.semiconv"
    with project_of(other_folder, project.movie(), labels()) as other:
        for one in (project, other):
            one.do(Confirm(1, 0, 0))
            one.do(Confirm(2, 0, 0))
        found = [corrections_of(one) for one in (project, other)]
        assert len(lesson_of(found, 24).notes) == 1  # too few to check
        drawn = np.zeros((64, 64), bool)
        drawn[4:14, 8:28] = True
        other.do(Redraw(0, 1, Region.where(drawn)))
        other.do(DeleteCell(0, 2))
        notes = lesson_of([corrections_of(one) for one in (project, other)], 24).notes
    assert notes[:-1] == (
        "Frame 0: cell 1 of dish.semiconv and cell 1 of again.semiconv are the same "
        "place, outlined in different ways. Both are learned from; correct one of "
        "them.",
        "Frame 0: cell 2 of dish.semiconv lies where again.semiconv says that none is. "
        "Both are learned from; correct one of them.",
    )
