"""The lineage of a project is solved anew; what its user said stays."""

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import worlds
from tests.edits.worlds import SHAPE as SMALL
from tests.edits.worlds import by_chance, family_pixels, faults, shown, state

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.links import Link, Relabel, Swap, Unlink
from napari_semiconv.edits.removing import DeleteTrack
from napari_semiconv.errors import BadInputError, EditError, SaveError
from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.facts import RunFacts
from napari_semiconv.project.fixed import fixed_links
from napari_semiconv.project.project import Project
from napari_semiconv.project.solving import solve_steps
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.tracking.evidence import SCORES

LINK = SCORES.index("link")


def project_of(folder, pixels, parents=None):
    """A project of label images, (T, Y, X)."""
    lineage = lineage_of_labels(enumerate(pixels), parents)
    movie = movie_from_array(np.zeros(pixels.shape, np.uint8), "TYX")
    found = TrackedMovie("drawn", pixels.shape, lambda t: pixels[t], lineage)
    return Project.create(folder, movie, found)


def solve(project, within=None, **link):
    """Solve it; return what `solve_steps` returns."""
    steps = solve_steps(project, SegmentSettings(link=LinkSettings(**link)), within)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture
def make(tmp_path):
    """Make projects; each is sound when the test is over."""
    made = []

    def one(*world, parents=None):
        pixels = world[0] if len(world) == 1 else np.stack(world)
        made.append(project_of(tmp_path / str(len(made)), pixels, parents))
        return made[-1]

    yield one
    for project in made:
        assert faults(project.document) == []
        project.close()


def still(*numbers, frames=4):
    """Cells side by side that stay where they are."""
    row = "." + ".".join(str(n) * 3 for n in numbers) + "."
    rest = "." * len(row)
    return worlds.enlarge(
        worlds.draw(*("  ".join([line] * frames) for line in (rest, row, row, rest)))
    )


def exchanged(pixels, one, other, frames):
    """The same with two labels exchanged in some frames."""
    spoilt = pixels.copy()
    for t in frames:
        spoilt[t][pixels[t] == one] = other
        spoilt[t][pixels[t] == other] = one
    return spoilt


def parents(project):
    return {n: t.parent for n, t in project.lineage.tracks.items() if t.parent}


# What was spoilt is mended


def test_labels_exchanged_for_a_frame_are_put_right(make):
    project = make(exchanged(still(1, 2), 1, 2, [2]))
    solve(project)
    assert np.array_equal(shown(project.document), still(1, 2))


def test_tracks_that_were_parted_are_one_again(make):
    pixels = still(1, 2)
    pixels[2:][pixels[2:] == 1] = 7
    project = make(pixels)
    solve(project)
    assert {n: t.frames for n, t in project.lineage.tracks.items()} in (
        {1: [0, 1, 2, 3], 2: [0, 1, 2, 3]},
        {7: [0, 1, 2, 3], 2: [0, 1, 2, 3]},
    )


def test_a_division_that_was_not_seen_is_found(make):
    project = make(worlds.enlarge(worlds.one_division))
    assert parents(project) == {}
    solve(project)
    assert parents(project) == {2: 1, 3: 1}


def test_a_division_that_is_none_is_taken_back(make):
    pixels = still(1, 2)
    pixels[2:][pixels[2:] == 1] = 3
    pixels[2:][pixels[2:] == 2] = 4
    project = make(pixels, parents={3: 1, 4: 1})
    solve(project)
    assert parents(project) == {}
    assert len(project.lineage.tracks) == 2


def test_masks_are_not_changed(make):
    project = make(worlds.enlarge(worlds.touching))
    before = shown(project.document) > 0
    numbers = [project.document.masks.read(t).copy() for t in range(3)]
    solve(project)
    assert np.array_equal(shown(project.document) > 0, before)
    for t in range(3):
        assert np.array_equal(project.document.masks.read(t), numbers[t])


# One step


def test_it_is_one_step_that_undo_takes_back_exactly(make):
    project = make(exchanged(still(1, 2, 3), 1, 3, [1, 3]))
    before = state(project.document)
    solve(project)
    after = state(project.document)
    assert after != before
    project.undo()
    assert state(project.document) == before
    with pytest.raises(EditError, match="nothing to undo"):
        project.undo()
    project.redo()
    assert state(project.document) == after


def test_it_is_there_when_the_project_is_opened_again(make):
    project = make(exchanged(still(1, 2), 1, 2, [1]))
    solve(project)
    after = state(project.document)
    project.close()
    with Project.open(project.folder) as again:
        assert state(again.document) == after


def test_solved_again_nothing_changes(make):
    project = make(exchanged(still(1, 2, 3), 1, 3, [1, 3]))
    solve(project)
    after, entries = state(project.document), project.history.journal.last
    solve(project)
    assert state(project.document) == after
    assert project.history.journal.last == entries


def test_closed_early_it_leaves_all_as_it_was(make):
    project = make(exchanged(still(1, 2), 1, 2, [1]))
    before, entries = state(project.document), project.history.journal.last
    steps = solve_steps(project)
    assert [next(steps) for _ in range(4)] == [(n, 4) for n in range(1, 5)]
    steps.close()
    assert state(project.document) == before
    assert project.history.journal.last == entries


# What the user said


def test_confirmed_links_stay_against_better_ones(make):
    project = make(still(1, 2))
    project.do(Swap(1, 2, 2))
    before = shown(project.document).copy()
    solve(project)
    assert np.array_equal(shown(project.document), before)


def test_a_link_over_a_long_gap_stays(make):
    pixels = np.concatenate([still(1, frames=6), still(1, frames=1)])
    pixels[1:6] = 0
    pixels[6][pixels[6] > 0] = 2
    project = make(pixels)
    project.do(Link(1, 0, 2, 6))
    solve(project)
    assert project.lineage.tracks[1].frames == [0, 6]


def test_an_unlink_stays(make):
    project = make(still(1, 2))
    project.do(Unlink(1, 2))
    solve(project)
    assert len(project.lineage.tracks) == 3
    assert project.lineage.tracks[1].frames == [0, 1]


def test_a_division_that_the_user_marked_stays(make):
    project = make(still(1, 2, 3))
    project.do(MarkDivision(2, (1, 3), 2))
    before = parents(project)
    assert set(before.values()) == {2}
    solve(project)
    assert parents(project) == before


def test_a_division_of_which_one_daughter_is_confirmed_stays_whole(make):
    pixels = worlds.enlarge(worlds.one_division)
    for daughter in (2, 3):
        project = make(pixels, parents={2: 1, 3: 1})
        project.do(Confirm(daughter))
        solve(project)
        assert parents(project) == {2: 1, 3: 1}


def test_a_movie_confirmed_as_a_whole_stays_as_it_is(make):
    pixels = exchanged(still(1, 2), 1, 2, [2])
    project = make(pixels)
    project.do(Confirm())
    tracks = {n: replace(t, scores=b"") for n, t in project.lineage.tracks.items()}
    solve(project)
    assert np.array_equal(shown(project.document), pixels)
    found = project.lineage.tracks.items()
    assert {n: replace(t, scores=b"") for n, t in found} == tracks


def test_contradictions_are_told_and_nothing_changes(make, monkeypatch):
    project = make(still(1, 2))
    before = state(project.document)
    told = fixed_links(project.lineage)
    both = frozenset({((0, 1), (1, 1)), ((0, 1), (1, 2))})
    monkeypatch.setattr(
        "napari_semiconv.project.solving.fixed_links",
        lambda *_: replace(told, links=both),
    )
    with pytest.raises(BadInputError, match="cell in frame 0, found two"):
        solve(project)
    assert state(project.document) == before


def test_a_project_without_cells_is_refused(make):
    project = make(np.zeros((3, 8, 8), np.int32))
    with pytest.raises(BadInputError, match="expected cells to be linked, found none"):
        solve(project)


# Only some frames


def cells_by_track(project, frames):
    """Cells of some frames that are one track, whatever its label."""
    groups = {}
    for label, track in project.lineage.tracks.items():
        groups[label] = frozenset(
            int(np.flatnonzero(project.document.labels(t) == label)[0]) + (t << 32)
            for t in track.frames
            if t in frames
        )
    return set(groups.values()) - {frozenset()}


def test_frames_that_were_not_asked_for_stay_as_they_were(make):
    spoilt = exchanged(still(1, 2, 3, frames=8), 1, 2, [1, 6])
    project = make(spoilt)
    before = [cells_by_track(project, range(3)), cells_by_track(project, range(6, 8))]
    solve(project, within=range(3, 6))
    assert cells_by_track(project, range(3)) == before[0]
    assert cells_by_track(project, range(6, 8)) == before[1]
    solve(project)
    assert len(cells_by_track(project, range(8))) == 3


def test_links_into_and_out_of_the_frames_asked_for_are_decided(make):
    spoilt = exchanged(still(1, 2, frames=6), 1, 2, [3, 4, 5])
    for within in (range(3, 4), range(2, 3), range(2, 4)):
        project = make(spoilt)
        solve(project, within=within)
        assert len(cells_by_track(project, range(6))) == 2
        assert np.array_equal(shown(project.document), still(1, 2, frames=6))
    project = make(spoilt)
    solve(project, within=range(1))
    assert np.array_equal(shown(project.document), spoilt)


def test_families_outside_stay_and_none_are_made(make):
    pixels = worlds.enlarge(worlds.one_division)
    project = make(pixels)
    solve(project, within=range(1))
    assert parents(project) == {}
    wrong = make(still(1, 2, 3), parents=None)
    pixels = still(1, 2, 3)
    pixels[2:][pixels[2:] == 1] = 4
    pixels[2:][pixels[2:] == 3] = 5
    wrong = make(pixels, parents={4: 1, 5: 1})
    solve(wrong, within=range(1))
    assert parents(wrong) == {4: 1, 5: 1}


def test_scores_outside_stay(make):
    project = make(still(1, 2, frames=6))
    solve(project)
    before = {n: project.lineage.scores(n) for n in (1, 2)}
    assert (before[1][1:, LINK] < 1).all()
    solve(project, within=range(3, 4))
    for label, scores in before.items():
        now = project.lineage.scores(label)
        for t in (0, 1, 2, 5):
            np.testing.assert_array_equal(now[t], scores[t])


# Scores


def test_scores_arrive_under_their_names(make):
    project = make(worlds.enlarge(worlds.one_division))
    project.do(Confirm(1, 0, 1))
    solve(project)
    assert project.lineage.score_names == SCORES
    scores = {n: project.lineage.scores(n) for n in (1, 2, 3)}
    assert np.isnan(scores[1][0, LINK])
    assert scores[1][1, LINK] == 1.0
    assert 0 < scores[2][0, LINK] == scores[3][0, LINK] < 1
    assert np.isnan(scores[2][:, SCORES.index("sure")]).all()


# Labels


def test_a_track_with_the_largest_label_costs_no_table(make):
    project = make(exchanged(still(1, 2), 1, 2, [2]))
    project.do(Relabel(1, 2**31 - 1))
    solve(project)
    assert len(project.lineage.tracks) == 2


# Trouble


def test_a_failing_disk_leaves_the_project_as_it_was(make, monkeypatch):
    project = make(exchanged(still(1, 2), 1, 2, [2]))
    before = state(project.document)

    def fail(*_):
        raise SaveError("journal.bin could not be written: the disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(project.history.journal, "append", fail)
        with pytest.raises(SaveError, match="the disk is full"):
            solve(project)
    assert state(project.document) == before
    solve(project)
    assert np.array_equal(shown(project.document), still(1, 2))


def test_a_damaged_frame_is_told(make):
    project = make(exchanged(still(1, 2), 1, 2, [2]))
    project.close()
    chunk = project.folder / "labels.zarr" / "c" / "3" / "0" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:-3])
    with Project.open(project.folder) as again:
        tracks = dict(again.lineage.tracks)
        with pytest.raises(BadInputError, match="frame 3"):
            solve(again)
        assert dict(again.lineage.tracks) == tracks
    chunk.write_bytes(whole)


def test_a_project_to_read_only_is_not_changed(make):
    project = make(exchanged(still(1, 2), 1, 2, [2]))
    with Project.open(project.folder) as second:
        before = state(second.document)
        with pytest.raises(SaveError):
            solve(second)
        assert state(second.document) == before


# Anything a user may do


def sure_facts(document):
    """What is confirmed, by first pixel of each cell instead of labels."""
    place = {
        (t, label): int(np.flatnonzero(document.labels(t) == label)[0])
        for t in range(document.shape[0])
        for label in document.lineage.cells(t)
    }
    links, cells, born = set(), set(), {}
    for label, track in document.lineage.tracks.items():
        for t in track.frames:
            if track.is_confirmed(t):
                cells.add((t, place[t, label]))
        for one, other in pairwise(track.frames):
            if track.is_confirmed(one) and track.is_confirmed(other):
                links.add((one, place[one, label], other, place[other, label]))
        if track.parent_confirmed:
            mother = document.lineage.tracks.get(track.parent)
            born[track.begin, place[track.begin, label]] = mother and (
                mother.end,
                place[mother.end, mother.label],
            )
    return links, cells, born


def keeps(now, before):
    """Whether all that was confirmed is so still.

    Two confirmed cells that nobody linked may be linked: their masks were confirmed.
    """
    return now[0] >= before[0] and now[1:] == before[1:]


@settings(
    deadline=None,
    max_examples=15,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False), st.booleans())
def test_whatever_was_edited_what_is_confirmed_stays(random, whole):
    with tempfile.TemporaryDirectory() as folder:
        project = project_of(Path(folder) / "p", family_pixels(), {2: 1, 3: 1})
        with project:
            for _ in range(random.randint(0, 8)):
                try:
                    project.do(by_chance(random, project.document))
                except EditError:
                    continue
            if not project.lineage.tracks:
                return
            before = state(project.document)
            sure = sure_facts(project.document)
            first = random.randrange(SMALL[0])
            within = None if whole else range(first, random.randint(first + 1, 6))
            solve(project, within=within)
            assert faults(project.document) == []
            assert keeps(sure_facts(project.document), sure)
            assert all(len(d) < 3 for d in project.lineage.daughters().values()) or (
                not whole
            )
            after = state(project.document)
            if after != before:
                project.undo()
                assert state(project.document) == before


def test_settings_of_another_release_are_told_in_one_sentence():
    facts = RunFacts(
        folder="runs/0001",
        frames=(0, 1),
        first=0,
        group=1,
        settings={"engine": "of tomorrow"},
    )
    with pytest.raises(BadInputError, match=r"^runs/0001: .*engine.*Run the network"):
        facts.chosen()


@pytest.mark.parametrize("within", [None, range(2, 4)])
def test_a_track_that_goes_while_tracks_are_decided_stays_gone(tmp_path, within):
    with project_of(tmp_path / "p", family_pixels(), {2: 1, 3: 1}) as project:
        steps = solve_steps(project, within=within)
        next(steps)
        project.do(DeleteTrack(3))
        for _ in steps:
            pass
        assert 3 not in project.lineage.tracks
        assert faults(project.document) == []
