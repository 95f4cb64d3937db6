"""Frames of a run are adopted; what the user confirmed leads."""

import numpy as np
import pytest
from tests.edits.worlds import SHAPE, family_pixels, faults, shown

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.divisions import MarkDivision
from napari_semiconv.edits.links import Relabel
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.edits.results import AdoptFrame
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.adopt import Adopter
from napari_semiconv.project.history_text import as_csv, as_json, as_lines, rows
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.run import adopted_frames

PARENTS = {3: {2: 1, 3: 1}}


@pytest.fixture
def project(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with Project.create(tmp_path / "p", movie) as project:
        yield project
        assert faults(project.document) == []


def adopt_all(project, run=1, pixels=None, frames=range(6), adopter=None):
    pixels = family_pixels() if pixels is None else pixels
    adopter = adopter or Adopter(project, run, project.history.new_group())
    for t in frames:
        adopter.adopt(t, pixels[t], PARENTS.get(t, {}))
    return adopter


def parents(project):
    return {n: t.parent for n, t in project.lineage.tracks.items() if t.parent}


def block(y=12, x=3, size=6):
    return Region(y, x, np.ones((size, size), bool))


def test_a_first_run_keeps_its_labels(project):
    adopt_all(project)
    assert np.array_equal(shown(project.document), family_pixels())
    assert parents(project) == {2: 1, 3: 1}


def test_a_run_is_undone_at_once(project):
    adopt_all(project)
    project.undo()
    assert not shown(project.document).any()
    assert not project.lineage.tracks
    project.redo()
    assert np.array_equal(shown(project.document), family_pixels())


def test_a_second_run_goes_by_the_labels_of_the_first(project):
    adopt_all(project)
    pixels = family_pixels()
    renumbered = np.array([0, 15, 14, 13, 12, 11])[pixels].astype(np.int32)
    adopter = Adopter(project, 2, project.history.new_group())
    for t in range(6):
        adopter.adopt(t, renumbered[t], {14: 15, 13: 15} if t == 3 else {})
    assert np.array_equal(shown(project.document), pixels)
    assert parents(project) == {2: 1, 3: 1}


def test_frames_computed_again_fit_what_is_before_and_after(project):
    adopt_all(project)
    pixels = family_pixels()
    renumbered = np.where(pixels > 0, pixels + 20, 0)
    adopter = Adopter(project, 2, project.history.new_group())
    for t in (2, 3, 4):
        adopter.adopt(t, renumbered[t], {22: 21, 23: 21} if t == 3 else {})
    adopter.close()
    assert np.array_equal(shown(project.document), pixels)
    assert parents(project) == {2: 1, 3: 1}


def test_tracks_found_otherwise_join_what_follows(project):
    """The first run exchanged two cells in frame 3; the second knows better."""
    pixels = family_pixels()
    wrong = pixels.copy()
    wrong[3:] = np.array([0, 1, 4, 3, 2, 5])[pixels[3:]]
    adopter = Adopter(project, 1, project.history.new_group())
    for t in range(6):
        adopter.adopt(t, wrong[t], {})
    again = Adopter(project, 2, project.history.new_group())
    for t in (1, 2, 3):
        again.adopt(t, pixels[t] * 10, {})
    again.close()
    found = shown(project.document)
    assert np.array_equal(found == 4, pixels == 4)


def test_a_cell_that_goes_on_after_all_has_no_daughters(project):
    adopt_all(project)
    whole = family_pixels()
    whole[3:][whole[3:] == 2] = 1
    whole[whole == 3] = 0
    adopt_all(project, run=2, pixels=whole)
    assert parents(project) == {}
    assert project.lineage.tracks[1].frames == list(range(6))


def test_a_division_that_the_user_confirmed_stays(project):
    adopt_all(project)
    project.do(MarkDivision(1, (2, 3), 3))
    whole = family_pixels()
    whole[3:][(whole[3:] == 2) | (whole[3:] == 3)] = 1
    adopt_all(project, run=2, pixels=whole)
    assert project.lineage.tracks[1].end == 2


def test_a_confirmed_cell_keeps_pixels_and_label_and_its_track_follows(project):
    adopt_all(project)
    project.do(Paint(0, 4, block(13, 4, 3), over=False))
    project.do(Confirm(4))
    kept = shown(project.document) == 4
    adopt_all(project, run=2)
    assert np.array_equal(shown(project.document) == 4, kept)


def test_a_track_goes_on_under_the_label_that_was_confirmed_on_its_way(project):
    pixels = family_pixels()
    mask = Region.where(pixels[3] == 4)
    project.do(Paint(3, 77, mask))
    adopt_all(project, pixels=pixels)
    found = shown(project.document)
    assert np.array_equal(found == 77, pixels == 4)
    assert project.lineage.tracks[77].frames == [0, 1, 3, 4, 5]


def test_a_cell_that_the_user_took_away_does_not_come_back(project):
    adopt_all(project)
    project.do(DeleteCell(4, 5))
    adopt_all(project, run=2)
    assert not (shown(project.document)[4, 14:20, 22:28]).any()
    assert (shown(project.document)[5, 14:20, 22:28]).all()


def test_no_cell_comes_where_the_user_said_there_is_none(project):
    project.do(MarkEmpty(5, 16, 25))
    adopt_all(project)
    assert project.lineage.tracks[5].frames == [4]


def test_a_resumed_run_learns_its_labels_from_the_frames_before(project):
    pixels = family_pixels()
    project.do(Paint(0, 40, block(0, 25, 4)))
    first = adopt_all(project, frames=range(3))
    project.do(Relabel(max(project.lineage.cells(1)), 90))
    before = shown(project.document)
    second = Adopter(project, 1, 99)
    second.recall(1, pixels[1])
    second.recall(2, pixels[2])
    adopt_all(project, frames=range(3, 6), adopter=second)
    assert first is not second
    after = shown(project.document)
    assert np.array_equal(after[:3], before[:3])
    assert np.array_equal(after == 90, pixels == 4)
    assert len(parents(project)) == 2


def test_the_history_lists_what_was_done(project):
    adopt_all(project, frames=range(2))
    project.do(Paint(3, 8, block()))
    project.undo()
    project.do(Paint(3, 9, block()))
    listed = [(row["do"], row["kind"], row["state"]) for row in rows(project.history)]
    assert listed == [
        ("edit", "adopt frame", "done"),
        ("edit", "adopt frame", "done"),
        ("edit", "paint", "dropped"),
        ("undo", "paint", ""),
        ("edit", "paint", "done"),
    ]
    lines = list(as_lines(project.history))
    assert "paint: frame 3, label 8" in lines[2]
    assert lines[2].endswith("[dropped]")
    assert '"frame": 1' in as_json(project.history)
    assert as_csv(project.history).splitlines()[0].startswith("number,at,by,do,words")


def test_two_cells_found_in_a_confirmed_one_do_not_share_its_label_later(project):
    pixels = family_pixels()
    project.do(Paint(3, 50, Region(2, 2, np.ones((6, 9), bool))))
    adopt_all(project, pixels=pixels)
    found = shown(project.document)
    assert (found[3, 2:8, 2:11] == 50).all()
    for t in (4, 5):
        left, right = found[t, 4, 3], found[t, 4, 8]
        assert left != right
        assert 50 in (left, right)


def test_frames_adopted_under_an_earlier_kind_are_known(project, monkeypatch):
    monkeypatch.setattr(AdoptFrame, "kind", "take over frame")
    adopt_all(project, frames=range(3))
    monkeypatch.undo()
    assert adopted_frames(project, 1) == {0, 1, 2}
    kinds = {row["kind"] for row in rows(project.history) if row["do"] == "edit"}
    assert "take over frame" not in kinds
    project.undo()
    assert adopted_frames(project, 1) == set()
