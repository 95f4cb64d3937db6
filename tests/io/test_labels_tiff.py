import csv
import errno

import numpy as np
import pytest
import tifffile
from tests.worlds import one_division

from napari_semiconv.errors import SaveError
from napari_semiconv.io.cells import labels_tiff
from napari_semiconv.io.cells.labels_tiff import LabelsTiffWriter
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Lineage

UNITS = {"pixel_size": (0.5, 0.25), "frame_interval": 90.0}


def movie_of(world, **facts):
    return movie_from_array(world, "TYX", name="Zellen 細胞 µ", **facts)


def write(path, world, **facts):
    lineage = Lineage()
    with LabelsTiffWriter(path, movie_of(world, **facts)) as writer:
        for t, frame in enumerate(world):
            for label in np.unique(frame[frame > 0]).tolist():
                lineage.observe(t, label, 1 if label > 1 else 0)
            writer.write(t, frame, lineage)
    return path


def test_labels_of_16_bits_open_in_imagej(tmp_path):
    path = write(tmp_path / "cells.tif", one_division, **UNITS)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_imagej
        assert (tif.series[0].axes, tif.series[0].shape) == ("TYX", one_division.shape)
        assert tif.series[0].dtype == np.uint16
    np.testing.assert_array_equal(tifffile.imread(path), one_division)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "cells.tif", "cells_tracks.csv",
    ]  # fmt: skip


def test_labels_above_16_bits_become_ome(tmp_path):
    world = one_division.copy()
    world[2:] *= 40_000
    path = write(tmp_path / "cells.tif", world, **UNITS)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome
        assert (tif.series[0].axes, tif.series[0].dtype) == ("TYX", np.uint32)
    np.testing.assert_array_equal(tifffile.imread(path), world)


@pytest.mark.parametrize("factor", [1, 70_000])
def test_axes_and_units_come_back(tmp_path, factor):
    path = write(tmp_path / "cells.tif", one_division * factor, **UNITS)
    movie = open_movie(path)
    assert (movie.axes, movie.notes) == ("TYX", ())
    assert movie.pixel_size == pytest.approx(UNITS["pixel_size"])
    assert movie.frame_interval == pytest.approx(90)
    np.testing.assert_array_equal(movie.frame(3), one_division[3] * factor)


def test_unknown_units_stay_unknown(tmp_path):
    movie = open_movie(write(tmp_path / "cells.tif", one_division))
    assert (movie.pixel_size, movie.frame_interval) == (None, None)


def test_one_frame(tmp_path):
    movie = open_movie(write(tmp_path / "cells.tif", one_division[:1]))
    assert len(movie) == 1
    np.testing.assert_array_equal(movie.frame(0), one_division[0])


@pytest.mark.parametrize("factor", [1, 70_000])
def test_fewer_frames_than_foreseen_are_a_whole_file(tmp_path, factor):
    world = one_division * factor
    with LabelsTiffWriter(tmp_path / "cells.tif", movie_of(world), 1000) as writer:
        for t in range(2):
            writer.write(t, world[t], Lineage())
    movie = open_movie(tmp_path / "cells.tif")
    assert (movie.axes, len(movie)) == ("TYX", 2)


def test_a_large_stack_is_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr(labels_tiff, "MOST_CLASSIC_BYTES", 10)
    path = write(tmp_path / "cells.tif", one_division, **UNITS)
    with tifffile.TiffFile(path) as tif:
        assert tif.is_bigtiff
        assert tif.series[0].axes == "TYX"
    assert open_movie(path).frame_interval == 90


def test_tracks_beside_the_labels(tmp_path):
    write(tmp_path / "cells.tif", one_division)
    with (tmp_path / "cells_tracks.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert ",".join(table[0]) == "label,first_frame,last_frame,frames,parent"
    assert [*table[0].values()] == ["1", "0", "1", "2", "0"]
    assert [row["parent"] for row in table] == ["0", "1", "1"]


def test_left_by_an_error_an_earlier_file_is_kept(tmp_path):
    path = write(tmp_path / "cells.tif", one_division)
    before = path.read_bytes()
    movie = movie_of(one_division)
    with LabelsTiffWriter(path, movie) as writer:
        writer.write(0, one_division[3], Lineage())
        writer.__exit__(ZeroDivisionError, None, None)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full_disk(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    movie = movie_of(one_division)
    path = tmp_path / "cells.tif"
    writer = LabelsTiffWriter(path, movie)
    writer.write(0, one_division[0], Lineage())
    monkeypatch.setattr(tifffile.TiffWriter, "write", full_disk)
    with pytest.raises(SaveError, match="disk is full"):
        writer.write(1, one_division[1], Lineage())
    assert list(tmp_path.iterdir()) == []


def test_without_a_frame_nothing_is_left(tmp_path):
    with LabelsTiffWriter(tmp_path / "cells.tif", movie_of(one_division)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_frames_of_another_size_are_refused(tmp_path):
    writer = LabelsTiffWriter(tmp_path / "cells.tif", movie_of(one_division))
    with pytest.raises(SaveError, match="for frame 0"):
        writer.write(0, one_division[0, :2], Lineage())
    writer.discard()
    assert list(tmp_path.iterdir()) == []
