import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_semiconv.errors import BadInputError, UnreadableFrameError
from napari_semiconv.io.movies.opener import open_movie

MOVIE = np.arange(6 * 20 * 24, dtype=np.uint16).reshape(6, 20, 24)
OME = {
    "PhysicalSizeX": 0.5,
    "PhysicalSizeXUnit": "mm",
    "PhysicalSizeY": 250,
    "PhysicalSizeYUnit": "nm",
    "TimeIncrement": 2,
    "TimeIncrementUnit": "min",
}


def write_pages(path, frames, **options):
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            writer.write(frame, metadata=None, contiguous=False, **options)


def write_frames_apart(path, frames):
    """Pages of the usual layout, whose pixels can be damaged one by one."""
    write_pages(path, frames, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        return [(p.dataoffsets[0], p.databytecounts[0]) for p in tif.pages]


def count_open_files():
    """How many files this process holds open; 0 where the system does not say."""
    files = Path("/proc/self/fd")
    return len([*files.iterdir()]) if files.is_dir() else 0


def assert_frames(movie, expected):
    assert len(movie) == len(expected)
    for t, frame in enumerate(expected):
        np.testing.assert_array_equal(movie.frame(t), frame)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", [{"ome": True}, {"imagej": True}, {"bigtiff": True}])
def test_stacks_with_named_axes(tmp_path, kind, compression):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(
        path, MOVIE, metadata={"axes": "TYX"}, compression=compression, **kind
    )
    movie = open_movie(path)
    assert (movie.name, movie.axes, movie.notes) == ("cells", "TYX", ())
    assert movie.dtype == np.uint16
    assert movie.dtype.isnative
    assert_frames(movie, MOVIE)


@pytest.mark.parametrize(
    "options",
    [{"metadata": None}, {}, {"truncate": True}, {"compression": "zlib"}],
    ids=str,
)
def test_unnamed_axes_are_taken_as_frames_and_said(tmp_path, options):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, photometric="minisblack", **options)
    movie = open_movie(path)
    assert movie.axes == "TYX"
    assert "has no name in cells.tif and is taken as frames" in movie.notes[0]
    assert_frames(movie, MOVIE)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_five_axes(tmp_path, compression):
    data = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.uint16).reshape(2, 3, 4, 5, 6)
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, data, metadata={"axes": "TZCYX"}, compression=compression)
    movie = open_movie(path).with_choices(channel=3, z=2)
    assert (movie.name, movie.axes) == ("cells", "TZCYX")
    assert_frames(movie, data[:, 2, 3])


def test_slices_without_frames_are_kept_and_questioned(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "ZYX"})
    movie = open_movie(path)
    assert (movie.axes, len(movie)) == ("ZYX", 1)
    assert "if these are 6 frames, set the axes to TYX" in movie.notes[0]
    assert_frames(movie.with_choices(axes="TYX"), MOVIE)


def test_many_imagej_channels_are_frames(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, np.concatenate([MOVIE, MOVIE]), imagej=True)
    movie = open_movie(path)
    assert (movie.axes, len(movie)) == ("TYX", 12)
    assert movie.notes


def test_ome_units_become_um_and_s(tmp_path):
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX", **OME})
    movie = open_movie(path)
    assert movie.pixel_size == (0.25, 500)
    assert movie.frame_interval == 120


def test_times_of_planes_give_the_interval(tmp_path):
    path = tmp_path / "cells.ome.tif"
    taken = {"DeltaT": [0.0, 500, 1000, 1500, 2600, 3100], "DeltaTUnit": ["ms"] * 6}
    tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX", "Plane": taken})
    assert open_movie(path).frame_interval == 0.5


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m", "µm"])
def test_imagej_units_become_um_and_s(tmp_path, unit):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(
        path,
        MOVIE,
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "TYX", "unit": unit.replace("µ", "\\u00B5"), "finterval": 30},
    )
    movie = open_movie(path)
    assert movie.pixel_size == (0.5, 0.25)
    assert movie.frame_interval == 30


def test_pixels_of_no_unit_have_no_size(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(
        path, MOVIE, imagej=True, resolution=(72, 72), metadata={"axes": "TYX"}
    )
    movie = open_movie(path)
    assert movie.pixel_size is None
    assert movie.frame_interval is None


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_colours_become_channels(tmp_path, planar, compression):
    shape = (4, 20, 24, 3) if planar == "contig" else (4, 3, 20, 24)
    data = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
    path = tmp_path / "cells.tif"
    tifffile.imwrite(
        path, data, photometric="rgb", planarconfig=planar, compression=compression
    )
    movie = open_movie(path)
    assert (movie.axes, len(movie), movie.size("C")) == ("TCYX", 4, 3)
    assert any("3 colour samples" in note for note in movie.notes)
    green = data[..., 1] if planar == "contig" else data[:, 1]
    assert_frames(movie.with_choices(channel=1), green)


def test_a_single_image_and_a_single_pixel(tmp_path):
    for shape in [(20, 24), (1, 1), (1, 7)]:
        path = tmp_path / "cell.tif"
        image = np.full(shape, 7, np.uint8)
        tifffile.imwrite(path, image)
        movie = open_movie(path)
        assert len(movie) == 1
        assert movie.frame_shape == shape
        np.testing.assert_array_equal(movie.frame(0), image)


def test_frames_of_one_pixel(tmp_path):
    path = tmp_path / "cell.tif"
    tifffile.imwrite(
        path, np.arange(9, dtype=np.uint16).reshape(9, 1, 1), metadata={"axes": "TYX"}
    )
    movie = open_movie(path)
    assert [int(movie.frame(t)[0, 0]) for t in range(len(movie))] == [*range(9)]


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_no_file_stays_open_and_nothing_warns(tmp_path, compression):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX"}, compression=compression)
    before = count_open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        movie = open_movie(path)
        movie.frame(3)
    assert count_open_files() == before
    path.rename(tmp_path / "elsewhere.tif")
    with pytest.raises(UnreadableFrameError, match="gone"):
        movie.frame(4)


def test_planes_are_read_one_at_a_time(tmp_path, monkeypatch):
    path = tmp_path / "cells.tif"
    write_pages(path, MOVIE, compression="zlib")
    read = []
    whole = tifffile.TiffPage.asarray

    def asarray(page, **options):
        read.append(page.index)
        return whole(page, **options)

    monkeypatch.setattr(tifffile.TiffPage, "asarray", asarray)
    movie = open_movie(path)
    assert read == []
    movie.frame(4)
    assert len(read) == 1


def test_one_damaged_frame_in_the_middle_is_named(tmp_path):
    path = tmp_path / "cells.tif"
    offset, length = write_frames_apart(path, MOVIE)[2]
    data = bytearray(path.read_bytes())
    data[offset : offset + length] = b"\xff" * length
    path.write_bytes(data)
    movie = open_movie(path)
    with pytest.raises(UnreadableFrameError, match=r"frame 2 .* cells\.tif") as caught:
        movie.frame(2)
    assert caught.value.frame == 2
    np.testing.assert_array_equal(movie.frame(3), MOVIE[3])


@pytest.mark.parametrize("share", [0.02, 0.4])
@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"metadata": None}, {"imagej": True}, {"ome": True}],
    ids=str,
)
def test_truncated_files_are_refused(tmp_path, options, share):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, photometric="minisblack", **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(BadInputError, match=r"cells.tif .*Copy it again"):
        open_movie(path)


def test_a_cut_last_page_is_told(tmp_path):
    path = tmp_path / "cells.tif"
    offset, length = write_frames_apart(path, MOVIE)[5]
    path.write_bytes(path.read_bytes()[: offset + length // 2])
    movie = open_movie(path)
    assert any("1 of its 6 planes" in note for note in movie.notes)
    np.testing.assert_array_equal(movie.frame(4), MOVIE[4])
    with pytest.raises(UnreadableFrameError):
        movie.frame(5)


def test_a_cut_stack_with_one_page_reads_what_is_there(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, photometric="minisblack", truncate=True)
    path.write_bytes(path.read_bytes()[: -MOVIE[0].nbytes - 5])
    movie = open_movie(path)
    assert any("2 of its 6 planes" in note for note in movie.notes)
    np.testing.assert_array_equal(movie.frame(3), MOVIE[3])
    with pytest.raises(UnreadableFrameError) as caught:
        movie.frame(4)
    assert caught.value.frame == 4


def test_a_truncated_single_image_is_refused(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE[0])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadInputError, match="cut short"):
        open_movie(path)


def test_pages_of_mixed_size_are_refused(tmp_path):
    path = tmp_path / "cells.tif"
    write_pages(path, [MOVIE[0], MOVIE[1], MOVIE[2, :10]])
    with pytest.raises(BadInputError, match="20 x 24 and 10 x 24 px"):
        open_movie(path)


def test_too_many_axes_are_refused(tmp_path):
    path = tmp_path / "cells.tif"
    data = np.zeros((2, 2, 2, 2, 5, 6), np.uint8)
    tifffile.imwrite(path, data, photometric="minisblack")
    with pytest.raises(BadInputError, match="at most the axes"):
        open_movie(path)


def test_complex_pixels_are_refused(tmp_path):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE.astype(np.complex64), metadata={"axes": "TYX"})
    with pytest.raises(BadInputError, match="complex64"):
        open_movie(path)


def test_a_compression_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX"}, compression="zlib")
    monkeypatch.setattr(tifffile.TIFF, "DECOMPRESSORS", {})
    with pytest.raises(BadInputError, match="with ADOBE_DEFLATE, which needs the pack"):
        open_movie(path)


def test_several_ome_images_open_the_first(tmp_path):
    path = tmp_path / "cells.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(MOVIE, metadata={"axes": "TYX"})
        writer.write(MOVIE[:2, :8], metadata={"axes": "TYX"})
    movie = open_movie(path)
    assert len(movie) == 6
    assert "holds 2 images" in movie.notes[0]


def test_unicode_names(tmp_path):
    path = tmp_path / "Zellen 細胞 µ.tif"
    tifffile.imwrite(path, MOVIE, metadata={"axes": "TYX"})
    movie = open_movie(str(path))
    assert movie.name == "Zellen 細胞 µ"
    assert_frames(movie, MOVIE)
