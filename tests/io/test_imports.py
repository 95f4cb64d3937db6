import numpy as np
import pytest
from tests.old_results import write_old_result as result
from tests.tracked_worlds import (
    PARENTS,
    UNITS,
    WORLDS,
    assert_same_masks,
    lively,
    tracked_of,
)
from tests.worlds import one_division

from napari_semiconv.errors import BadInputError
from napari_semiconv.io.cells.ctc.tracked import write_ctc
from napari_semiconv.io.cells.formats import read
from napari_semiconv.io.cells.geff.write import write_geff
from napari_semiconv.io.cells.ome_zarr import write_ome_zarr
from napari_semiconv.io.cells.rois import write_rois
from napari_semiconv.io.cells.tables import write_csv
from napari_semiconv.io.cells.tiff import write_tiff
from napari_semiconv.io.cells.trackmate import write_trackmate


def test_a_challenge_folder(tmp_path):
    write_ctc(tracked_of(one_division, {2: 1, 3: 1}), tmp_path / "x")
    assert_same_masks(read(tmp_path / "x"), one_division)


@pytest.mark.parametrize(
    ("write", "name", "place"),
    [
        (write_ome_zarr, "x.ome.zarr", "."),
        (write_geff, "x.geff", "."),
        (write_geff, "x.geff", "../x_labels.zarr"),
    ],
)
def test_zarr_of_labels_or_of_a_graph(tmp_path, write, name, place):
    tracked = tracked_of(lively, PARENTS, **UNITS)
    write(tracked, tmp_path / name)
    found = read((tmp_path / name / place).resolve())
    assert_same_masks(found, lively)
    assert found.lineage == tracked.lineage
    assert (found.pixel_size, found.frame_interval) == ((0.5, 0.25), 90)


def test_a_tiff_of_labels(tmp_path):
    write_tiff(tracked_of(lively, PARENTS), tmp_path / "x.tif")
    found = read(str(tmp_path / "x.tif"))
    assert_same_masks(found, lively)
    assert found.lineage == tracked_of(lively, PARENTS).lineage


@pytest.mark.parametrize("name", WORLDS)
def test_a_result(tmp_path, name):
    world, parents = WORLDS[name]
    found = read(result(tmp_path / "x.semiconv", world, parents))
    assert_same_masks(found, world)
    assert found.lineage == tracked_of(world, parents).lineage
    assert found.pixel_size == UNITS["pixel_size"]
    assert found.frame_interval == UNITS["frame_interval"]


def test_a_result_of_a_run_that_was_stopped(tmp_path):
    found = read(result(tmp_path / "x", lively, PARENTS, done=4))
    assert_same_masks(found, np.concatenate([lively[:4], np.zeros_like(lively[4:])]))
    assert len(found.lineage.tracks) == 4


def test_a_result_of_a_run_that_broke_off_before_its_tracks_were_written(tmp_path):
    folder = result(tmp_path / "x", lively, PARENTS, finish=False)
    text = (folder / "tracks.json").read_text()
    (folder / "tracks.json").write_text(text.replace('"label": 9', '"label": 8'))
    assert 9 in read(folder).lineage.tracks


def test_a_finished_result_whose_tracks_do_not_fit(tmp_path):
    folder = result(tmp_path / "x", lively, PARENTS)
    text = (folder / "tracks.json").read_text()
    (folder / "tracks.json").write_text(text.replace('"label": 9', '"label": 8'))
    with pytest.raises(BadInputError, match="expected cell 8 in the frames"):
        read(folder)


def test_a_project_is_told_from_a_result(tmp_path):
    (tmp_path / "project.json").write_text("{}")
    with pytest.raises(BadInputError, match="is a project"):
        read(tmp_path)


def test_nothing_that_can_be_read(tmp_path):
    with pytest.raises(BadInputError, match="found none of them"):
        read(tmp_path)
    with pytest.raises(BadInputError, match="No such file"):
        read(tmp_path / "none")
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(BadInputError, match="found none of them"):
        read(tmp_path / "x.txt")


def test_exports_that_hold_too_little_are_named(tmp_path):
    write_rois(tracked_of(lively), tmp_path / "x.zip")
    write_trackmate(tracked_of(lively), tmp_path / "x.xml")
    with pytest.raises(BadInputError, match="found the format 'TrackMate'"):
        read(tmp_path / "x.xml")
    with pytest.raises(BadInputError, match="found the format 'ImageJ regions'"):
        read(tmp_path / "x.zip")
    write_csv(tracked_of(lively), tmp_path / "tables")
    with pytest.raises(BadInputError, match="found the format 'Tables'"):
        read(tmp_path / "tables" / "cells.csv")
