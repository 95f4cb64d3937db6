"""Masks and tracks of a project in the formats of the field, whole or in part."""

import numpy as np
import pytest
from tests.edits.drawn import scores_of
from tests.edits.worlds import shown, state
from tests.tracked_worlds import PARENTS, lively, tracked_of

from napari_semiconv.errors import BadSettingsError, SaveError
from napari_semiconv.io.cells.formats import read, writable
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.invariants import faults_of_frame, faults_of_lineage
from napari_semiconv.tracking.lineage import Lineage, Track
from napari_semiconv.workflows.exporting import export, part_of
from napari_semiconv.workflows.progress import StoppedError, finish


def masks_of(tracked):
    return np.stack([tracked.read(t) for t in range(len(tracked))])


def parents_of(tracked):
    return {n: t.parent for n, t in tracked.lineage.tracks.items() if t.parent}


def check_sound(tracked):
    assert [*faults_of_lineage(tracked.lineage, len(tracked))] == []
    for t in range(len(tracked)):
        assert [*faults_of_frame(tracked.lineage, t, tracked.read(t))] == []


@pytest.mark.parametrize("form", writable(), ids=lambda form: form.name)
def test_every_format_is_written_and_the_project_stays(family, tmp_path, form):
    before = state(family.document)
    seen, target = [], tmp_path / f"cells{form.suffix}"
    assert finish(export(family, form.name, target), seen.append) == target
    assert target.exists()
    assert state(family.document) == before
    told = [(step.done, step.total) for step in seen if step.total]
    assert told[-1] == (6, 6)
    assert all(step.stage == "writing" for step in seen)
    notes = [step.note for step in seen if step.note]
    assert [note for note in notes if "left out" not in note] == form.lost(
        family.tracked()
    )


@pytest.mark.parametrize("name", ["tiff", "geff"])
def test_what_was_written_is_what_the_project_shows(family, tmp_path, name):
    target = tmp_path / f"cells{'.tif' if name == 'tiff' else '.geff'}"
    finish(export(family, name, target))
    found = read(target)
    assert np.array_equal(masks_of(found), shown(family.document))
    assert parents_of(found) == parents_of(family.tracked()) == {2: 1, 3: 1}


def test_a_part_is_written_alone_and_counted_from_0(family, tmp_path):
    finish(export(family, "tiff", tmp_path / "part.tif", frames=range(2, 5)))
    found = read(tmp_path / "part.tif")
    assert np.array_equal(masks_of(found), shown(family.document)[2:5])
    assert parents_of(found) == {2: 1, 3: 1}


def test_nothing_is_overwritten(family, tmp_path):
    (tmp_path / "x.tif").write_bytes(b"mine")
    with pytest.raises(SaveError):
        finish(export(family, "tiff", tmp_path / "x.tif"))
    assert (tmp_path / "x.tif").read_bytes() == b"mine"


def test_an_unknown_format_is_told(family, tmp_path):
    with pytest.raises(BadSettingsError, match="expected one of ctc"):
        finish(export(family, "docx", tmp_path / "x"))


@pytest.mark.parametrize("form", writable(), ids=lambda form: form.name)
def test_stopped_nothing_is_written(family, tmp_path, form):
    seen, place = [], tmp_path / "here"
    place.mkdir()
    target = place / f"cells{form.suffix}"
    steps = export(family, form.name, target, stop=lambda: True)
    with pytest.raises(StoppedError):
        finish(steps, seen.append)
    assert [*place.iterdir()] == []


def test_the_tables_lack_what_is_measured_when_the_movie_is_not_there(family, tmp_path):
    seen = []
    # It was in memory, and whoever opens the project later has it no more.
    with Project.open(family.folder, write=False) as project:
        finish(export(project, "csv", tmp_path / "tables"), seen.append)
    assert "What is measured of its pixels is left out" in seen[0].note


# Parts


def test_a_part_has_the_tracks_of_its_frames():
    part = part_of(tracked_of(lively, PARENTS), range(2, 4))
    assert part.shape == (2, *lively.shape[1:])
    assert np.array_equal(masks_of(part), lively[2:4])
    assert {n: t.frames for n, t in part.lineage.tracks.items()} == {
        1: [0],
        2: [1],
        4: [1],
    }
    assert parents_of(part) == PARENTS
    check_sound(part)


def test_daughters_whose_mother_is_before_the_part_have_no_parent():
    part = part_of(tracked_of(lively, PARENTS), range(3, 6))
    assert parents_of(part) == {}
    assert part.lineage.tracks[3].frames == [1, 2]
    check_sound(part)


@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize("length", [1, 3, 6])
def test_every_part_is_sound_and_shows_its_frames(first, length):
    frames = range(first, min(first + length, len(lively)))
    part = part_of(tracked_of(lively, PARENTS), frames)
    assert np.array_equal(masks_of(part), lively[frames.start : frames.stop])
    check_sound(part)


def test_all_frames_are_all_tracks():
    whole = tracked_of(lively, PARENTS)
    assert part_of(whole, range(len(lively))).lineage == whole.lineage


def test_scores_and_confirmations_go_along():
    plain = tracked_of(lively, PARENTS)
    tracks = [
        Track(t.label, t.intervals, t.parent, t.intervals, True, scores_of(t.label, t))
        for t in plain.lineage.tracks.values()
    ]
    lineage = Lineage(tracks, ("sure", "half"))
    whole = TrackedMovie("x", plain.shape, plain.read, lineage)
    part = part_of(whole, range(2, 6))
    assert part.lineage.score_names == ("sure", "half")
    # Cell 3 is seen in frames 0, 1, 4 and 5; of the part it has the last two.
    assert part.lineage.tracks[3].frames == [2, 3]
    assert part.lineage.scores(3).tolist() == [[304, 152], [305, 152.5]]
    assert part.lineage.tracks[3].is_confirmed(2)
    assert not part.lineage.tracks[3].is_confirmed(0)
    check_sound(part)


def test_units_go_along_and_the_whole_stays():
    whole = tracked_of(lively, PARENTS, pixel_size=(0.5, 0.25), frame_interval=9.0)
    before = dict(whole.lineage.tracks)
    part = part_of(whole, range(1, 5))
    assert (part.name, part.pixel_size, part.frame_interval) == (
        whole.name,
        (0.5, 0.25),
        9.0,
    )
    assert whole.lineage.tracks == before
