import errno
import json

import numpy as np
import pytest
import zarr
from tests.worlds import gap, one_division

from napari_semiconv import __version__
from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.mask_array import LABELS
from napari_semiconv.project.runs.store import INFO, TRACKS, RunStore
from napari_semiconv.safe import checked, write_checked_json
from napari_semiconv.tracking.lineage import Lineage

SETTINGS = {"engine": "votes", "cell_size": 12.5}
MODEL = {"name": "default", "hash": "abc"}


def movie_of(world):
    return movie_from_array(
        world, "TYX", name="Zellen 細胞 µ", pixel_size=(0.5, 0.5), frame_interval=60.0
    )


def lineage_of(world):
    lineage = Lineage()
    for t, frame in enumerate(world):
        for label in np.unique(frame[frame > 0]).tolist():
            lineage.observe(t, label, 1 if label > 2 else 0)
    return lineage


def recorded(folder):
    """Values of the record of a run, without their check sum."""
    return checked(json.loads((folder / INFO).read_text(encoding="utf-8")))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "Zellen 細胞.semiconv"


def create(folder, world=one_division, **more):
    return RunStore.create(folder, movie_of(world), SETTINGS, MODEL, **more)


def write(folder, world=one_division):
    store = create(folder, world)
    for t, frame in enumerate(world):
        store.write_frame(t, frame)
    store.write_lineage(lineage_of(world))
    store.finish()
    return store


@pytest.mark.parametrize("world", [one_division, gap], ids=["division", "gap"])
def test_what_was_written_is_opened(folder, world):
    write(folder, world)
    result = RunStore.open(folder)
    np.testing.assert_array_equal(result.labels[:], world)
    assert result.labels.chunks == (1, *world.shape[1:])
    assert result.labels.dtype == np.int32
    assert result.labels.metadata.zarr_format == 3
    assert result.lineage == lineage_of(world)
    assert result.done == tuple(range(len(world)))


def test_the_record_says_what_it_was_made_from(folder):
    info = write(folder).info
    assert info == RunStore.open(folder).info
    assert info.movie.name == "Zellen 細胞 µ"
    assert info.movie.shape == one_division.shape
    assert (info.movie.pixel_size, info.movie.frame_interval) == ((0.5, 0.5), 60)
    assert (info.settings, info.model) == (SETTINGS, MODEL)
    assert (info.package, info.state) == (__version__, "finished")


def test_a_run_can_be_opened_while_it_goes_on(folder):
    store = create(folder)
    store.write_frame(0, one_division[0])
    result = RunStore.open(folder)
    assert (result.done, result.info.state) == ((0,), "running")
    store.write_frame(1, one_division[1])
    np.testing.assert_array_equal(result.labels[1], one_division[1])
    assert not result.labels[3].any()


def test_frames_without_cells_are_done_too(folder):
    store = create(folder)
    store.write_frame(2, np.zeros_like(one_division[2]))
    assert RunStore.open(folder).done == (2,)


def test_a_run_that_was_stopped_is_cancelled(folder):
    store = create(folder)
    store.write_frame(0, one_division[0])
    store.finish()
    assert RunStore.open(folder).info.state == "cancelled"


def test_a_part_of_the_movie_can_be_finished(folder):
    store = create(folder, frames=range(1, 3))
    for t in range(1, 3):
        store.write_frame(t, one_division[t])
    store.finish()
    info = RunStore.open(folder).info
    assert (info.state, info.frames) == ("finished", (1, 2))


def test_a_folder_with_files_is_not_written_into(folder):
    write(folder)
    with pytest.raises(SaveError, match="expected a new or empty folder"):
        create(folder)
    assert RunStore.open(folder).info.state == "finished"


def test_labels_of_another_size_are_refused(folder):
    store = create(folder)
    with pytest.raises(SaveError, match="for frame 1"):
        store.write_frame(1, one_division[1, :2])
    assert RunStore.open(folder).done == ()


def test_a_full_disk_leaves_what_was_there(folder, monkeypatch):
    store = create(folder)
    store.write_frame(0, one_division[0])
    store.write_lineage(lineage_of(one_division))

    def full_disk(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full_disk)
        with pytest.raises(SaveError, match="disk is full"):
            store.write_frame(0, one_division[3])
        with pytest.raises(SaveError, match="disk is full"):
            store.write_lineage(Lineage())
    result = RunStore.open(folder)
    np.testing.assert_array_equal(result.labels[0], one_division[0])
    assert result.lineage == lineage_of(one_division)
    left = [p.name for p in folder.rglob("*") if p.name.endswith((".part", ".partial"))]
    assert left == []


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(BadInputError, match=r"expected a run with run\.json"):
        RunStore.open(tmp_path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"version": 2}, "found napari-semiconv run version 2. If a newer release"),
        ({"format": "other"}, "found other version 1"),
        ({"state": "lost"}, "damaged in state"),
        ({"movie": None}, "damaged in movie"),
    ],
)
def test_foreign_newer_and_damaged_records_are_refused(folder, change, found):
    write(folder)
    record = recorded(folder)
    write_checked_json(folder / INFO, record | change)
    with pytest.raises(BadInputError, match=found):
        RunStore.open(folder)


def test_a_record_of_the_first_releases_is_read(folder):
    """It was called a result then, and could be opened by itself."""
    known = write(folder).info
    record = recorded(folder)
    record["format"] = "napari-semiconv result"
    (folder / INFO).unlink()
    (folder / "result.json").write_text(json.dumps(record), encoding="utf-8")
    found = RunStore.open(folder)
    assert found.info.model_copy(update={"format": known.format}) == known
    np.testing.assert_array_equal(found.labels[:], one_division)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [(INFO, '"cell_size": 12.5', '"cell_size": 12.7'),
     (TRACKS, '"parent": 1', '"parent": 0'),
     (f"{LABELS}/zarr.json", '"fill_value": 0', '"fill_value": 2')],
    ids=["record", "tracks", "masks"],
)  # fmt: skip
def test_other_values_than_those_that_were_written_are_refused(
    folder, name, before, after
):
    write(folder)
    text = (folder / name).read_text("utf-8")
    assert before in text
    (folder / name).write_text(text.replace(before, after), "utf-8")
    with pytest.raises(BadInputError, match="damaged"):
        RunStore.open(folder)


def test_a_run_of_a_release_without_check_sums_is_read(folder):
    known = write(folder).info
    for name in (INFO, TRACKS):
        text = json.dumps(checked(json.loads((folder / name).read_text("utf-8"))))
        assert "check" not in text
        (folder / name).write_text(text, "utf-8")
    assert RunStore.open(folder).info == known


@pytest.mark.parametrize("text", ["{", "[]", '{"tracks": [{"label": 1}]}', "{}"])
def test_damaged_tracks_are_refused(folder, text):
    write(folder)
    (folder / TRACKS).write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"tracks\.json"):
        RunStore.open(folder)


def test_damaged_labels_are_refused(folder):
    write(folder)
    (folder / LABELS / "zarr.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInputError, match=r"labels\.zarr"):
        RunStore.open(folder)
    (folder / LABELS / "zarr.json").unlink()
    with pytest.raises(BadInputError, match=r"labels\.zarr"):
        RunStore.open(folder)


def test_labels_can_be_opened_by_any_zarr_program(folder):
    write(folder)
    array = zarr.open_array(folder / LABELS, mode="r")
    assert array.metadata.dimension_names == ("t", "y", "x")
