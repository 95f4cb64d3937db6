import numpy as np
import pytest
import zarr

from napari_semiconv.errors import BadInputError, UnreadableFrameError
from napari_semiconv.io.movies.opener import open_movie

DATA = np.arange(3 * 2 * 4 * 5 * 6, dtype=np.uint16).reshape(3, 2, 4, 5, 6)
AXES = [
    {"name": "t", "type": "time", "unit": "minute"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "nanometer"},
]


def multiscales(axes=AXES, scale=(0.5, 1, 2, 0.25, 500), **more):
    scales = [{"type": "scale", "scale": list(scale)}]
    level = {"path": "0", "coordinateTransformations": scales}
    return {"axes": axes, "datasets": [level], **more}


def write(path, version="0.5", data=DATA, **options):
    form = 3 if version == "0.5" else 2
    group = zarr.create_group(path, zarr_format=form)
    chunks = (1,) * (data.ndim - 2) + data.shape[-2:]
    array = group.create_array("0", shape=data.shape, chunks=chunks, dtype=data.dtype)
    array[:] = data
    scales = multiscales(**options)
    if version == "0.5":
        group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    else:
        group.attrs["multiscales"] = [{"version": "0.4", **scales}]
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_images_of_both_versions(tmp_path, version):
    movie = open_movie(write(tmp_path / "cells.ome.zarr", version))
    assert (movie.name, movie.axes, movie.notes) == ("cells", "TCZYX", ())
    assert movie.pixel_size == (0.25, 0.5)
    assert movie.frame_interval == 30
    chosen = movie.with_choices(channel=1, z=2)
    np.testing.assert_array_equal(chosen.frame(2), DATA[2, 1, 2])


def test_scales_of_image_and_level_multiply(tmp_path):
    whole = [{"type": "scale", "scale": [60, 1, 1, 1, 1]}]
    path = write(tmp_path / "cells.zarr", coordinateTransformations=whole)
    assert open_movie(path).frame_interval == 30 * 60


def test_a_scale_without_unit_is_told(tmp_path):
    axes = [{key: axis[key] for key in ("name", "type")} for axis in AXES]
    movie = open_movie(write(tmp_path / "cells.zarr", axes=axes))
    assert movie.pixel_size == (0.25, 500)
    assert movie.frame_interval == 0.5
    assert sum("gives no unit" in note for note in movie.notes) == 3
    plain = write(tmp_path / "plain.zarr", axes=axes, scale=(1, 1, 1, 1, 1))
    assert open_movie(plain).pixel_size is None


def test_axes_in_another_order(tmp_path):
    axes = [AXES[3], AXES[4], AXES[0]]
    data = DATA[:, 0, 0].transpose(1, 2, 0)
    path = write(tmp_path / "cells.zarr", data=data, axes=axes, scale=(1, 1, 1))
    movie = open_movie(path)
    assert movie.axes == "TYX"
    np.testing.assert_array_equal(movie.frame(1), DATA[1, 0, 0])


def test_slices_without_frames_are_questioned(tmp_path):
    data = DATA[0, 0]
    path = write(tmp_path / "c.zarr", data=data, axes=AXES[2:], scale=(1, 1, 1))
    movie = open_movie(path)
    assert movie.axes == "ZYX"
    assert "if these are 4 frames" in movie.notes[-1]


def test_the_first_of_several_images_is_opened(tmp_path):
    group = zarr.create_group(tmp_path / "all.zarr", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    write(tmp_path / "all.zarr" / "0", "0.4")
    movie = open_movie(tmp_path / "all.zarr")
    assert len(movie) == 3
    assert "the first one is opened" in movie.notes[0]


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((5, 6), "YX"),
        ((9, 5, 6), "TYX"),
        ((9, 2, 5, 6), "TCYX"),
        ((9, 8, 5, 6), "TZYX"),
        ((2, 3, 4, 5, 6), "TCZYX"),
        ((9, 5, 6, 3), "TCYX"),
        ((1, 1), "YX"),
    ],
)
@pytest.mark.parametrize("form", [2, 3])
def test_plain_arrays_are_guessed_and_told(tmp_path, shape, axes, form):
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=shape, dtype="uint8", zarr_format=form
    )
    data = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
    array[:] = data
    movie = open_movie(tmp_path / "a.zarr")
    assert movie.axes == axes
    assert bool(movie.notes) == (len(shape) > 2)
    frame = movie.with_choices(z=0).frame(len(movie) - 1)
    if axes == "TYX":
        np.testing.assert_array_equal(frame, data[-1])
    assert frame.shape == movie.frame_shape


@pytest.mark.parametrize("names", [("frame", "y", "x"), ("time", "Y", "X")])
def test_dimension_names_are_used(tmp_path, names):
    zarr.create_array(
        tmp_path / "a.zarr", shape=(3, 5, 6), dtype="uint8", dimension_names=names
    )
    movie = open_movie(tmp_path / "a.zarr")
    assert (movie.axes, movie.notes) == ("TYX", ())


def test_dimension_names_of_other_meaning_are_guessed(tmp_path):
    zarr.create_array(
        tmp_path / "a.zarr",
        shape=(3, 5, 6),
        dtype="uint8",
        dimension_names=("position", "y", "x"),
    )
    movie = open_movie(tmp_path / "a.zarr")
    assert movie.axes == "TYX"
    assert movie.notes


def test_a_group_that_is_no_image(tmp_path):
    zarr.create_group(tmp_path / "a.zarr").create_group("tables")
    with pytest.raises(BadInputError, match="a group that is neither"):
        open_movie(tmp_path / "a.zarr")


def test_a_plate_is_refused(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr")
    group.attrs["ome"] = {"version": "0.5", "plate": {}}
    with pytest.raises(BadInputError, match="plate or well"):
        open_movie(tmp_path / "a.zarr")


def test_wrong_axis_count(tmp_path):
    path = write(tmp_path / "a.zarr", axes=AXES[1:], scale=(1, 1, 1, 1))
    with pytest.raises(BadInputError, match="each of its 5 axes"):
        open_movie(path)
    zarr.create_array(tmp_path / "one.zarr", shape=(7,), dtype="uint8")
    with pytest.raises(BadInputError, match="height and width"):
        open_movie(tmp_path / "one.zarr")


@pytest.mark.parametrize("broken", ["{", '{"zarr_format": 3}', ""])
def test_damaged_metadata(tmp_path, broken):
    path = write(tmp_path / "a.zarr")
    (path / "zarr.json").write_text(broken, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"a.zarr .*"):
        open_movie(path)


def test_missing_metadata_keys(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr")
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": AXES}]}
    with pytest.raises(BadInputError, match="cannot be read as zarr"):
        open_movie(tmp_path / "a.zarr")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_damaged_chunk_is_one_unreadable_frame(tmp_path, version):
    path = write(tmp_path / "a.zarr", version)
    chunks = sorted(p for p in (path / "0").rglob("*") if p.is_file())
    name = "c/1/0/0/0/0" if version == "0.5" else "1.0.0.0.0"
    (damaged,) = [p for p in chunks if p.relative_to(path / "0").as_posix() == name]
    damaged.write_bytes(damaged.read_bytes()[:5])
    movie = open_movie(path)
    with pytest.raises(UnreadableFrameError, match="chunk") as caught:
        movie.frame(1)
    assert caught.value.frame == 1
    np.testing.assert_array_equal(movie.frame(2), DATA[2, 0].max(0))
