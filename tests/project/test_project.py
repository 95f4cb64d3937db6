"""The project folder: made, opened, closed, moved, locked, damaged, full."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import SHAPE, family_lineage, family_pixels, faults, state

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.links import Swap
from napari_semiconv.edits.masks import Erase, Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteTrack
from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project


@pytest.fixture
def movie(tmp_path):
    images = np.random.default_rng(3).integers(0, 99, SHAPE, np.uint16)
    path = tmp_path / "films" / "wörms 1.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    return open_movie(path)


@pytest.fixture
def found():
    pixels = family_pixels()
    return TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())


@pytest.fixture
def folder(tmp_path, movie, found):
    path = tmp_path / "a project.semiconv"
    Project.create(path, movie, found).close()
    return path


def square(y=1, x=20, size=4):
    return Region(y, x, np.ones((size, size), bool))


def edit_a_little(project):
    project.do(Paint(1, 7, square()))
    project.do(Swap(4, 5, 4))
    project.do(DeleteTrack(2, 4))
    project.do(Confirm(3))
    project.undo()


def test_a_new_project_has_what_was_found(folder):
    with Project.open(folder) as project:
        assert np.array_equal(project.document.labels(4), family_pixels()[4])
        assert project.lineage.tracks == family_lineage().tracks
        assert (project.notes, project.read_only) == ((), False)
        assert list(project.faults()) == []


def test_a_project_without_cells(tmp_path, movie):
    with Project.create(tmp_path / "p", movie) as project:
        assert not project.document.labels(0).any()
        project.do(Paint(0, 1, square()))
    with Project.open(tmp_path / "p") as project:
        assert project.lineage.cells(0) == [1]


def test_everything_is_there_after_reopening_and_undo_goes_on(folder):
    with Project.open(folder) as project:
        begin = state(project.document)
        edit_a_little(project)
        end = state(project.document)
    with Project.open(folder) as project:
        assert state(project.document) == end
        assert project.notes == ()
        assert project.history.redoable == "confirm cell 3"
        for _ in range(3):
            project.undo()
        assert state(project.document) == begin
        assert faults(project.document) == []


def test_edits_that_never_reached_the_files_are_made_again_and_told(folder):
    project = Project.open(folder)
    edit_a_little(project)
    end = state(project.document)
    # As after a crash: nothing is saved, the lock is freed by the system.
    project._lock.free()
    project.history.journal.close()
    with Project.open(folder) as again:
        assert state(again.document) == end
        assert again.notes == (
            "a project.semiconv was not closed the last time; 5 edits were made again "
            "from the journal, none is lost.",
        )
    with Project.open(folder) as again:
        assert again.notes == ()


@pytest.mark.parametrize("lost", [1, 7, 30])
def test_a_torn_last_entry_is_cut_off_and_told(folder, lost):
    project = Project.open(folder)
    project.do(Paint(1, 7, square()))
    before = state(project.document)
    project.do(Erase(1, square()))
    project._lock.free()
    project.history.journal.close()
    journal = folder / "journal.bin"
    os.truncate(journal, journal.stat().st_size - lost)
    with Project.open(folder) as again:
        assert state(again.document) == before
        assert "was written in part" in again.notes[0]
        again.do(Erase(1, square()))
    with Project.open(folder) as again:
        assert (again.notes, again.lineage.tracks.get(7)) == ((), None)


def test_entries_that_the_disk_did_not_keep_are_cut_off_and_told(folder):
    project = Project.open(folder)
    project.do(Paint(1, 7, square()))
    before = state(project.document)
    entry = project.history.journal.last
    project.do(Erase(1, square()))
    place = project.history.journal.entries[entry].offset
    project._lock.free()
    project.history.journal.close()
    data = bytearray((folder / "journal.bin").read_bytes())
    data[place + 3] ^= 255
    (folder / "journal.bin").write_bytes(data)
    with Project.open(folder) as again:
        assert state(again.document) == before
        assert "1 entry was cut off" in again.notes[0]


def test_a_second_window_opens_to_read_only(folder):
    code = (
        "import sys; from napari_semiconv.project.project import Project;"
        "p = Project.open(sys.argv[1]); print(p.read_only, *p.notes)"
    )
    with Project.open(folder) as project:
        project.do(Paint(1, 7, square()))
        with Project.open(folder) as second:
            assert second.read_only
            assert f"open elsewhere (process {os.getpid()} on" in second.notes[0]
            assert second.lineage.cells(1) == [1, 4, 7]
            with pytest.raises(SaveError, match="read only"):
                second.do(Paint(1, 8, square(8)))
            assert second.lineage.cells(1) == [1, 4, 7]
        run = [sys.executable, "-c", code, str(folder)]
        told = subprocess.run(run, capture_output=True, text=True, check=True)
        assert told.stdout.startswith("True a project.semiconv is open elsewhere")
    with Project.open(folder) as third:
        assert not third.read_only


def test_a_second_window_does_not_touch_a_half_written_entry(folder):
    with Project.open(folder) as project:
        project.do(Paint(1, 7, square()))
        with (folder / "journal.bin").open("ab") as stream:
            stream.write(b"SCJ1 and then the power")
        size = (folder / "journal.bin").stat().st_size
        Project.open(folder).close()
        assert (folder / "journal.bin").stat().st_size == size


def test_the_movie_is_found_beside_a_moved_project(folder, movie, tmp_path):
    new = tmp_path / "elsewhere"
    new.mkdir()
    shutil.move(folder, new / "p.semiconv")
    shutil.move(movie.path.parent, new / "films")
    with Project.open(new / "p.semiconv") as project:
        path = project.movie().path
        assert path == new / "films" / "wörms 1.tif"
    facts = json.loads((new / "p.semiconv" / "project.json").read_text("utf-8"))
    assert facts["movie"]["path"] == str(path)


def test_a_movie_that_is_gone_is_asked_for(folder, movie):
    movie.path.unlink()
    with Project.open(folder) as project:
        project.do(Paint(1, 7, square()))
        with pytest.raises(BadInputError, match="neither there nor beside"):
            project.movie()


def test_the_user_may_name_a_movie_that_was_moved_far_away(folder, movie, tmp_path):
    far = tmp_path / "x" / "y" / "z" / "other name.tif"
    far.parent.mkdir(parents=True)
    shutil.move(movie.path, far)
    with Project.open(folder, movie=open_movie(far)) as project:
        assert project.movie().path == far


def test_another_movie_is_refused(folder, movie, tmp_path):
    images = np.zeros(SHAPE, np.uint16)
    tifffile.imwrite(movie.path, images, imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(BadInputError, match="is not the movie of this project"):
        Project.open(folder, movie=open_movie(movie.path))
    with (
        Project.open(folder) as project,
        pytest.raises(BadInputError, match="is not the movie of this project"),
    ):
        project.movie()


def test_masks_of_another_size_are_refused(tmp_path, movie, found):
    from dataclasses import replace

    wrong = replace(found, shape=(6, 24, 31))
    with pytest.raises(BadInputError, match=r"expected masks of shape \(6, 24, 32\)"):
        Project.create(tmp_path / "p", movie, wrong)
    assert not (tmp_path / "p").exists()


def test_masks_that_do_not_agree_with_the_tracks_are_refused(tmp_path, movie, found):
    found.lineage.drop(5)
    with pytest.raises(BadInputError, match="label 5 has pixels, but its track"):
        Project.create(tmp_path / "p", movie, found)
    assert not list(tmp_path.glob("p*"))


def test_a_folder_with_files_is_left_alone(tmp_path, movie):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "thesis.txt").write_text("all of it")
    with pytest.raises(SaveError, match="new or empty folder"):
        Project.create(tmp_path / "p", movie)
    assert (tmp_path / "p" / "thesis.txt").read_text() == "all of it"


DAMAGES = {
    "no folder": (lambda f: shutil.rmtree(f), "expected a project with project.json"),
    "no facts": (lambda f: (f / "project.json").unlink(), "with project.json"),
    "facts cut off": (lambda f: cut(f / "project.json"), "with project.json"),
    "other facts": (
        lambda f: (f / "project.json").write_text('{"format": "geff"}'),
        "expected 'napari-semiconv project'",
    ),
    "another fact": (
        lambda f: other_fact(f / "project.json"),
        "expected the facts of a project, found values that",
    ),
    "a list": (
        lambda f: (f / "project.json").write_text("[1]"),
        "none that can be read",
    ),
    "newer": (lambda f: change(f, version=99), "version 1 or older, found version 99"),
    "facts missing": (lambda f: change(f, movie=None), "found movie that cannot"),
    "no tracks": (lambda f: (f / "lineage.npz").unlink(), "the tracks of a project"),
    "tracks cut off": (lambda f: cut(f / "lineage.npz"), "the tracks of a project"),
    "tracks are text": (
        lambda f: (f / "lineage.npz").write_text("1 2"),
        "the tracks of a project",
    ),
    "no masks": (lambda f: shutil.rmtree(f / "labels.zarr"), "missing or damaged"),
    "masks described wrongly": (
        lambda f: (f / "labels.zarr" / "zarr.json").write_text("{}"),
        "missing or damaged",
    ),
    "a journal of another kind": (
        lambda f: (f / "journal.bin").write_bytes(b"PK" * 40),
        "expected the journal of a project",
    ),
}


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def other_fact(path):
    """As a bit does that flips: the check sum stays as it was."""
    text = path.read_text("utf-8")
    changed = text.replace('"channel": 0', '"channel": 1')
    assert changed != text
    path.write_text(changed, "utf-8")


def change(folder, **values):
    """Have other facts, as a release writes them that knows of no check sums."""
    facts = json.loads((folder / "project.json").read_text("utf-8")) | values
    del facts["check"]
    (folder / "project.json").write_text(json.dumps(facts), "utf-8")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_project_is_told_in_one_sentence(folder, damage):
    spoil, words = DAMAGES[damage]
    spoil(folder)
    with pytest.raises(BadInputError) as caught:
        Project.open(folder)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_frame_is_named_and_the_others_stay(folder):
    chunk = folder / "labels.zarr" / "c" / "3" / "0" / "0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 255
    chunk.write_bytes(data)
    with Project.open(folder) as project:
        assert project.document.labels(2).any()
        with pytest.raises(BadInputError, match="masks of frame 3 are damaged"):
            project.document.labels(3)
        assert len(list(project.faults())) == 1


def test_labels_and_tracks_that_differ_are_found(folder):
    with Project.open(folder) as project:
        project.document.lineage.drop(5)
        assert list(project.faults()) == [
            "Frame 4: label 5 has pixels, but its track is not there.",
            "Frame 5: label 5 has pixels, but its track is not there.",
        ]


def test_a_journal_that_was_lost_is_told(folder):
    with Project.open(folder) as project:
        edit_a_little(project)
        end = state(project.document)
    (folder / "journal.bin").unlink()
    with Project.open(folder) as project:
        assert state(project.document) == end
        assert "lacks its last 5 entries" in project.notes[0]
        project.do(Paint(2, 7, square()))
    with Project.open(folder) as project:
        assert project.lineage.cells(2) == [1, 7]
        assert project.notes == ()


def test_compaction_keeps_what_can_be_undone(folder):
    with Project.open(folder) as project:
        for i in range(10):
            project.do(Paint(1, 7, square(i)))
            project.undo()
        project.do(Paint(1, 8, square()))
        kept = state(project.document)
        before = (folder / "journal.bin").stat().st_size
        project.save()
        project.history.compact()
        assert (folder / "journal.bin").stat().st_size < before
        assert len(project.history.journal.entries) == 21
        project.undo()
        project.redo()
        assert state(project.document) == kept
    with Project.open(folder) as project:
        assert state(project.document) == kept
        project.undo()


def test_closing_clears_a_journal_that_is_mostly_dropped(folder, monkeypatch):
    monkeypatch.setattr("napari_semiconv.project.project.SPARE_BYTES", 100)
    journal = folder / "journal.bin"
    with Project.open(folder) as project:
        random = np.random.default_rng(0)
        for _ in range(10):
            project.do(Paint(1, 7, Region(0, 0, random.random((24, 32)) < 0.5)))
            project.undo()
        project.do(Paint(1, 8, square()))
        before = journal.stat().st_size
        kept = state(project.document)
    assert journal.stat().st_size < before
    with Project.open(folder) as project:
        assert state(project.document) == kept
        size = journal.stat().st_size
        project.undo()
    # Nothing can be cleared now: the undone edit may be wanted again.
    assert journal.stat().st_size > size


def test_a_project_of_an_older_release_is_brought_up_to_date(folder, monkeypatch):
    def rename(value):
        film = value.pop("film")
        return value | {"movie": film}

    facts = json.loads((folder / "project.json").read_text("utf-8"))
    change(folder, film=facts["movie"], movie=None)
    monkeypatch.setattr("napari_semiconv.project.facts.VERSION", 2)
    monkeypatch.setattr("napari_semiconv.project.facts.MIGRATIONS", {1: rename})
    with Project.open(folder) as project:
        assert project.info.version == 2
        assert project.info.movie.name == "wörms 1"
        project.movie()


def test_saving_happens_by_itself_after_many_edits(folder, monkeypatch):
    monkeypatch.setattr("napari_semiconv.project.project.ENTRIES_BETWEEN", 3)
    project = Project.open(folder)
    for i in range(4):
        project.do(Paint(1, 7 + i, square(0, 4 * i + 12)))
    project._lock.free()
    project.history.journal.close()
    with Project.open(folder) as again:
        assert "1 edit was made again" in again.notes[0]


def test_a_folder_that_may_not_be_written_to_opens_to_read_only(folder, monkeypatch):
    # As root every folder may be written to, so the system's answer is played.
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with Project.open(folder) as project:
        assert project.read_only
        assert "may not be written to" in project.notes[0]
        assert project.lineage.cells(1) == [1, 4]


def test_a_full_disk_stops_the_edit_and_loses_nothing(folder, monkeypatch):
    with Project.open(folder) as project:
        project.do(Paint(1, 7, square()))
        before = state(project.document)
        file = project.history.journal._file
        project.history.journal._file = Full(file)
        with pytest.raises(SaveError, match="the disk is full"):
            project.do(Paint(1, 8, square(8)))
        project.history.journal._file = file
        assert state(project.document) == before
        project.do(Paint(1, 9, square(8)))
        after = state(project.document)
    with Project.open(folder) as project:
        assert state(project.document) == after
        assert project.notes == ()


def test_a_frame_that_cannot_leave_memory_does_not_stop_an_edit(folder, monkeypatch):
    monkeypatch.setattr("napari_semiconv.project.store.KEPT_BYTES", 1)

    def refuse(masks, frame):
        raise SaveError("no room")

    with Project.open(folder) as project:
        for frame in range(3):
            project.do(Paint(frame, 7, square()))
        with monkeypatch.context() as patch:
            patch.setattr("napari_semiconv.project.store.ZarrMasks._save", refuse)
            for frame in range(3, 6):
                project.do(Paint(frame, 7, square()))
            with pytest.raises(SaveError, match="no room"):
                project.save()
        assert faults(project.document) == []
        after = state(project.document)
    with Project.open(folder) as project:
        assert state(project.document) == after
        assert project.notes == ()


def test_a_project_opens_though_nothing_can_be_saved(folder, monkeypatch):
    project = Project.open(folder)
    edit_a_little(project)
    end = state(project.document)
    project._lock.free()
    project.history.journal.close()

    def refuse(*_):
        raise SaveError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("napari_semiconv.project.recovery.write_snapshot", refuse)
        patch.setattr("napari_semiconv.project.locking.write_json_safely", refuse)
        again = Project.open(folder)
    with again:
        assert state(again.document) == end
        assert again.notes[-1] == "no room"


def test_an_undo_of_a_damaged_frame_changes_nothing(folder):
    with Project.open(folder) as project:
        project.do(Paint(1, 7, square()))
        project.do(Paint(2, 7, square()))
    chunk = folder / "labels.zarr" / "c" / "2" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-3])
    with Project.open(folder) as project:
        last = project.history.journal.last
        with pytest.raises(BadInputError, match="masks of frame 2 are damaged"):
            project.undo()
        assert project.history.journal.last == last
        assert project.lineage.cells(2) == [1, 7]


class Full:
    """A file on a disk with room for ten bytes more."""

    def __init__(self, file):
        self._file = file
        self._room = 10

    def write(self, data):
        if not self._room:
            raise OSError(28, "No space left on device")
        part = data[: self._room]
        self._room -= len(part)
        return self._file.write(part)

    def __getattr__(self, name):
        return getattr(self._file, name)
