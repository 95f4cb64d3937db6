import csv

import numpy as np
import pytest
import tifffile
from tests.tracked_worlds import (
    PARENTS,
    UNITS,
    WORLDS,
    assert_same_masks,
    lively,
    tracked_of,
)

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells import tiff
from napari_semiconv.io.cells.tiff import read_tracked_tiff, write_tiff


@pytest.mark.parametrize("factor", [1, 70_000])
@pytest.mark.parametrize("name", WORLDS)
def test_a_trip_there_and_back(tmp_path, name, factor):
    world, parents = WORLDS[name]
    parents = {factor * k: factor * v for k, v in parents.items()}
    tracked = tracked_of(world * factor, parents, **UNITS)
    write_tiff(tracked, tmp_path / "cells.tif")
    found = read_tracked_tiff(tmp_path / "cells.tif")
    assert found.lineage == tracked.lineage
    assert found.pixel_size == pytest.approx(UNITS["pixel_size"])
    assert found.frame_interval == pytest.approx(90)
    assert_same_masks(found, world * factor)


@pytest.mark.parametrize("factor", [1, 70_000])
def test_16_bits_for_imagej_else_32_as_ome(tmp_path, factor):
    write_tiff(tracked_of(lively * factor, **UNITS), tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as tif:
        series = tif.series[0]
        assert (tif.is_imagej, tif.is_ome) == (factor == 1, factor > 1)
        assert series.axes == "TYX"
        assert series.dtype == (np.uint16 if factor == 1 else np.uint32)


def test_unknown_units_stay_unknown(tmp_path):
    write_tiff(tracked_of(lively), tmp_path / "cells.tif")
    found = read_tracked_tiff(tmp_path / "cells.tif")
    assert (found.pixel_size, found.frame_interval) == (None, None)


def test_one_frame(tmp_path):
    write_tiff(tracked_of(lively[:1], **UNITS), tmp_path / "cells.tif")
    assert_same_masks(read_tracked_tiff(tmp_path / "cells.tif"), lively[:1])


def test_a_large_stack_is_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "MOST_CLASSIC_BYTES", 10)
    write_tiff(tracked_of(lively, **UNITS), tmp_path / "cells.tif")
    with tifffile.TiffFile(tmp_path / "cells.tif") as tif:
        assert tif.is_bigtiff
        assert tif.series[0].axes == "TYX"
    assert read_tracked_tiff(tmp_path / "cells.tif").frame_interval == 90


def test_tracks_beside_the_labels(tmp_path):
    write_tiff(tracked_of(lively, PARENTS), tmp_path / "cells.tif")
    with (tmp_path / "cells_tracks.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert ",".join(table[0]) == "label,first_frame,last_frame,frames,parent"
    assert [*table[0].values()] == ["1", "0", "2", "2", "0"]
    assert [row["parent"] for row in table] == ["0", "1", "0", "1", "0"]


def test_a_label_that_is_no_track_is_refused(tmp_path):
    tracked = tracked_of(lively)
    tracked.lineage.drop(9)
    with pytest.raises(BadInputError, match="found 9 in frame 5, which is none"):
        write_tiff(tracked, tmp_path / "cells.tif")
    assert list(tmp_path.iterdir()) == []


def test_without_a_table_tracks_have_no_parents(tmp_path):
    write_tiff(tracked_of(lively, PARENTS), tmp_path / "cells.tif")
    (tmp_path / "cells_tracks.csv").unlink()
    found = read_tracked_tiff(tmp_path / "cells.tif")
    assert found.lineage == tracked_of(lively).lineage


@pytest.mark.parametrize("taken", ["cells.tif", "cells_tracks.csv"])
def test_a_name_that_is_taken_is_refused(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(SaveError, match=taken):
        write_tiff(tracked_of(lively), tmp_path / "cells.tif")
    assert [p.name for p in tmp_path.iterdir()] == [taken]


def test_a_frame_that_cannot_be_read_leaves_nothing(tmp_path):
    def read(frame):
        raise BadInputError("damaged")

    tracked = tracked_of(lively)
    object.__setattr__(tracked, "read", read)
    with pytest.raises(BadInputError):
        write_tiff(tracked, tmp_path / "cells.tif")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(tmp_path):
    told = []
    target = tmp_path / "cells.tif"
    write_tiff(tracked_of(lively), target, lambda *step: told.append(step))
    assert told[-1] == (6, 6)
    assert len(told) == 6


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("4,3,5,3,1", "4,3,5,3,7"), "parent 7 does not exist"),
        (("4,3,5,3,1", "4,3,5,3,3"), "its parent 3 has pixels until frame 5"),
        (("4,3,5,3,1", "4,3,5,2,1"), "cell 4 should be in 2 of the frames"),
        (("4,3,5,3,1\n", ""), "cell 4 is in the masks but not in the table"),
        (("4,3,5,3,1", "4,3,5,3,1\n8,3,5,3,1"), "cell 8 is in the table"),
        (("4,3,5,3,1", "4,3,5,3,1\n4,3,5,3,1"), "found 4 again in line 6"),
        (("4,3,5,3,1", "4,3,5,3"), "whole numbers from 0 in line 5, found ''"),
        (("4,3,5,3,1", "four,3,5,3,1"), "found 'four'"),
        (("parent", "mother"), "none named parent"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, change, sentence):
    write_tiff(tracked_of(lively, PARENTS), tmp_path / "cells.tif")
    table = tmp_path / "cells_tracks.csv"
    text = table.read_text()
    assert change[0] in text
    table.write_text(text.replace(*change))
    with pytest.raises(BadInputError, match=sentence):
        read_tracked_tiff(tmp_path / "cells.tif")


@pytest.mark.parametrize(
    ("pixels", "axes", "sentence"),
    [
        (np.zeros((3, 4, 5), np.float32), "TYX", "whole numbers, found pixels of type"),
        (np.zeros((3, 4, 5), np.uint16), "ZYX", "found 3 z slices"),
        (np.zeros((3, 2, 4, 5), np.uint16), "TCYX", "found 2 channels"),
        (np.full((3, 4, 5), -3, np.int16), "TYX", "found -3"),
    ],
)
def test_files_that_are_no_labels(tmp_path, pixels, axes, sentence):
    path = tmp_path / "x.ome.tif"
    tifffile.imwrite(path, pixels, metadata={"axes": axes}, ome=True)
    with pytest.raises(BadInputError, match=sentence):
        read_tracked_tiff(path)
