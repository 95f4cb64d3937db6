import json

import numpy as np
import pytest
import yaozarrs
import zarr
from tests.tracked_worlds import (
    PARENTS,
    UNITS,
    WORLDS,
    assert_same_masks,
    lively,
    tracked_of,
)
from tests.worlds import one_division

from napari_semiconv.errors import BadInputError, SaveError, UnreadableFrameError
from napari_semiconv.io.cells.ome_zarr import read_ome_zarr, write_ome_zarr
from napari_semiconv.io.cells.own_tracks import OWN, own_facts, read_own_facts
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Lineage, Track

GREY = (np.arange(lively.size).reshape(lively.shape) % 251).astype(">u2")


def movie_of(pixels=GREY, axes="TYX", **facts):
    return movie_from_array(pixels, axes, "movie", **UNITS, **facts)


def written(path, world=lively, parents=PARENTS, **facts):
    tracked = tracked_of(world, parents, **UNITS, **facts)
    write_ome_zarr(tracked, path)
    return tracked


def edit(file, change):
    """Change the JSON of a group or array."""
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


@pytest.fixture
def image(tmp_path):
    """An image with labels, and the file that describes these."""
    written(tmp_path / "c.ome.zarr", movie=movie_of())
    return tmp_path / "c.ome.zarr"


@pytest.fixture
def alone(tmp_path):
    written(tmp_path / "c.zarr")
    return tmp_path / "c.zarr"


@pytest.mark.parametrize("with_movie", [True, False])
@pytest.mark.parametrize("factor", [1, 70_000])
@pytest.mark.parametrize("name", WORLDS)
def test_a_trip_there_and_back(tmp_path, name, factor, with_movie):
    world, parents = WORLDS[name]
    parents = {factor * k: factor * v for k, v in parents.items()}
    movie = movie_of(np.zeros(world.shape, np.uint8)) if with_movie else None
    path = tmp_path / "Zellen 細胞.ome.zarr"
    tracked = written(path, world * factor, parents, movie=movie)
    found = read_ome_zarr(path)
    assert found.lineage == tracked.lineage
    assert found.name == tracked.name
    assert found.pixel_size == UNITS["pixel_size"]
    assert found.frame_interval == UNITS["frame_interval"]
    assert_same_masks(found, world * factor)


def test_what_was_confirmed_is_kept(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(1, ((0, 0), (2, 2)), 0, ((0, 0),), True))
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 3), (5, 5)), True))
    write_ome_zarr(tracked, tmp_path / "c.zarr")
    assert read_ome_zarr(tmp_path / "c.zarr").lineage == tracked.lineage


@pytest.mark.parametrize("with_movie", [True, False])
def test_others_find_an_image_that_keeps_the_rules(tmp_path, with_movie):
    path = tmp_path / "c.ome.zarr"
    written(path, movie=movie_of() if with_movie else None)
    yaozarrs.validate_zarr_store(path)
    labels = path / "labels" / "cells" if with_movie else path
    yaozarrs.validate_zarr_store(labels)
    ome = zarr.open_group(labels, mode="r").attrs["ome"]
    assert ome["version"] == "0.5"
    assert "image-label" in ome
    scales = ome["multiscales"][0]
    assert [axis["name"] for axis in scales["axes"]] == ["t", "y", "x"]
    assert [a["unit"] for a in scales["axes"]] == ["second", "micrometer", "micrometer"]
    (level,) = scales["datasets"]
    step = {"type": "scale", "scale": [90.0, 0.5, 0.25]}
    assert level["coordinateTransformations"] == [step]
    array = zarr.open_array(labels / "0", mode="r")
    assert array.chunks == (1, *lively.shape[1:])
    assert array.metadata.dimension_names == ("t", "y", "x")


def test_the_image_is_the_chosen_channel(tmp_path):
    pixels = np.stack([GREY, GREY + 1], 1)
    movie = movie_of(pixels, "TCYX", channel=1)
    written(tmp_path / "c.ome.zarr", movie=movie)
    found = open_movie(tmp_path / "c.ome.zarr")
    assert (found.axes, found.pixel_size) == ("TYX", UNITS["pixel_size"])
    assert found.frame_interval == UNITS["frame_interval"]
    np.testing.assert_array_equal([found.frame(t) for t in range(len(found))], GREY + 1)


def test_a_frame_of_the_movie_that_cannot_be_read_stays_black(tmp_path):
    class Damaged:
        shape, dtype = GREY.shape, GREY.dtype

        def __getitem__(self, index):
            if index[0] == 2:
                raise OSError("damaged")
            return GREY[index]

    written(tmp_path / "c.ome.zarr", movie=movie_of(Damaged()))
    image = open_movie(tmp_path / "c.ome.zarr")
    found = [image.frame(t) for t in range(len(image))]
    assert not found[2].any()
    np.testing.assert_array_equal(found[3], GREY[3])


def test_the_movie_of_other_cells_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="expected the movie of these cells"):
        written(tmp_path / "c.zarr", movie=movie_of(GREY[:, 1:]))
    assert list(tmp_path.iterdir()) == []


def test_unknown_units_stay_unknown(tmp_path):
    write_ome_zarr(tracked_of(lively), tmp_path / "c.zarr")
    found = read_ome_zarr(tmp_path / "c.zarr")
    assert (found.pixel_size, found.frame_interval) == (None, None)
    yaozarrs.validate_zarr_store(tmp_path / "c.zarr")


def test_a_name_that_is_taken_is_refused(image):
    with pytest.raises(SaveError, match=r"c\.ome\.zarr"):
        written(image)


@pytest.mark.parametrize("place", ["", "labels", "labels/cells"])
def test_labels_are_found_from_each_folder(image, place):
    assert_same_masks(read_ome_zarr(image / place), lively)


def test_ours_are_taken_where_there_are_several(image):
    labels = image / "labels"
    zarr.create_group(labels / "others")
    edit(labels / "zarr.json", lambda v: set_labels(v, ["others", "cells"]))
    assert_same_masks(read_ome_zarr(image), lively)


def set_labels(value, names):
    value["attributes"]["ome"]["labels"] = names


def foreign(path, version, world=lively, axes="TYX"):
    """Labels of another program, inside an image."""
    group = zarr.create_group(path, zarr_format=2 if version == "0.4" else 3)
    for each in (group, group.create_group("labels/nuclei")):
        names = {"dimension_names": tuple(axes.lower())} if version == "0.5" else {}
        array = each.create_array("s0", shape=world.shape, dtype=world.dtype, **names)
        array[:] = world
        kinds = {"T": "time", "C": "channel"}
        named = [{"name": a.lower(), "type": kinds.get(a, "space")} for a in axes]
        named[-1]["unit"] = named[-2]["unit"] = "nanometer"
        step = [1.0] * (world.ndim - 2) + [500.0, 250.0]
        steps = [{"type": "scale", "scale": step}]
        level = {"path": "s0", "coordinateTransformations": steps}
        facts = {"multiscales": [{"axes": named, "datasets": [level]}]}
        each.attrs.update(facts if version == "0.4" else {"ome": facts})
    facts = {"labels": ["nuclei"]}
    group["labels"].attrs.update(facts if version == "0.4" else {"ome": facts})
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64"])
def test_labels_of_other_programs(tmp_path, version, dtype):
    path = foreign(tmp_path / "image.zarr", version, lively.astype(dtype))
    found = read_ome_zarr(path)
    assert_same_masks(found, lively)
    assert found.lineage == tracked_of(lively).lineage
    assert found.pixel_size == pytest.approx(UNITS["pixel_size"])
    assert (found.name, found.frame_interval) == ("image", None)


def test_axes_of_length_one_say_nothing(tmp_path):
    path = foreign(tmp_path / "i.zarr", "0.4", lively[:, None, None], "TCZYX")
    assert_same_masks(read_ome_zarr(path), lively)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("chunks", [(1, 5, 8), (4, 2, 3), (6, 5, 8), (5, 5, 1)])
def test_a_plain_array_in_any_chunks(tmp_path, chunks, version):
    array = zarr.create_array(
        tmp_path / "c.zarr", shape=lively.shape, dtype="uint16", chunks=chunks,
        zarr_format=version,
    )  # fmt: skip
    array[:] = lively
    found = read_ome_zarr(tmp_path / "c.zarr")
    assert found.lineage == tracked_of(lively).lineage
    assert_same_masks(found, lively)


def test_labels_that_fill_what_was_never_written(tmp_path):
    zarr.create_array(
        tmp_path / "c.zarr", shape=(3, 4, 5), dtype="uint8", chunks=(1, 4, 5),
        fill_value=7,
    )  # fmt: skip
    found = read_ome_zarr(tmp_path / "c.zarr")
    assert_same_masks(found, np.full((3, 4, 5), 7))
    assert found.lineage.tracks[7].intervals == ((0, 2),)


def test_a_million_frames_of_nothing_cost_nothing(tmp_path):
    array = zarr.create_array(
        tmp_path / "c.zarr", shape=(10**6, 4, 5), dtype="uint8", chunks=(1, 4, 5)
    )
    array[999_999] = 3
    found = read_ome_zarr(tmp_path / "c.zarr")
    assert found.lineage.tracks[3].intervals == ((999_999, 999_999),)


def own(change):
    def in_attributes(value):
        change(value["attributes"][OWN])

    return in_attributes


def tracks(name, value):
    return own(lambda facts: facts["tracks"].update({name: value}))


def change(name, place, value):
    return own(lambda facts: facts["tracks"][name].__setitem__(place, value))


# Labels 1, 2, 3, 4, 9 with 2, 1, 2, 1, 1 runs.
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (change("label", 0, 8), "expected cell 1 in the frames of its track"),
        (change("frames", 1, 1), "expected cell 1 in the frames"),
        (change("parent", 0, 99), "its parent 99 does not exist"),
        (change("parent", 0, 2), "its? parent"),
        (tracks("confirmed", [1, 1, 1]), "in which it has no pixels"),
        (tracks("confirmed", [8, 1, 1]), "are damaged"),
        (tracks("confirmed", [1, 1]), "are damaged"),
        (tracks("parent_confirmed", [8]), "are damaged"),
        (tracks("frames", 3), "are damaged"),
        (tracks("frames", ["a", "b"]), "are damaged"),
        (tracks("runs", [2, 1, 2, 1]), "are damaged"),
        (change("runs", 1, 2), "are damaged"),
        (change("label", 0, None), "are damaged"),
        (change("label", 0, 2), "are damaged"),
        (own(lambda facts: facts.update(version=2)), "version 1 .* found 2"),
        (own(lambda facts: facts.pop("tracks")), "are damaged"),
        (lambda value: value["attributes"].update({OWN: [1]}), "are damaged"),
    ],
)
def test_tracks_that_do_not_fit(alone, damage, sentence):
    edit(alone / "zarr.json", damage)
    with pytest.raises(BadInputError, match=sentence):
        read_ome_zarr(alone)


def test_a_frame_that_was_lost(alone):
    (alone / "0/c/3/0/0").unlink()
    with pytest.raises(BadInputError, match="expected cell 2 in the frames"):
        read_ome_zarr(alone)


def test_a_frame_that_is_damaged(alone):
    (alone / "0/c/3/0/0").write_bytes(b"nonsense")
    with pytest.raises(UnreadableFrameError, match="frame 3: its labels cannot be"):
        read_ome_zarr(alone)


@pytest.mark.parametrize(
    ("place", "change", "sentence"),
    [
        ("labels", lambda v: set_labels(v, ["a", "b"]), "found 2 .a, b.. Choose"),
        ("labels", lambda v: set_labels(v, []), "image with labels, found none"),
        ("labels", lambda v: set_labels(v, ["../../x"]), "labels lie outside"),
        ("labels", lambda v: set_labels(v, ["/etc"]), "labels lie outside"),
        ("labels", lambda v: set_labels(v, [7]), "no list of names"),
        ("labels", lambda v: set_labels(v, "cells"), "no list of names"),
        ("labels", lambda v: v["attributes"].update(ome=3), "no named values"),
        (
            "labels/cells",
            lambda v: v["attributes"].pop("ome"),
            "group that is neither",
        ),
        ("labels/cells/0", lambda v: v.update(shape=[9**9, 5, 8]), "at most 1000000"),
        ("labels/cells/0", lambda v: v.update(shape=[6, 9**6, 9**6]), "planes of at"),
        ("labels/cells/0", lambda v: v.update(data_type="float32"), "found pixels of"),
        ("labels/cells/0", lambda v: v.update(data_type="x"), "cannot be read as zarr"),
    ],
)
def test_rules_of_the_format(image, place, change, sentence):
    edit(image / place / "zarr.json", change)
    with pytest.raises(BadInputError, match=sentence):
        read_ome_zarr(image)


def test_an_image_without_labels(image):
    edit(image / "labels/zarr.json", lambda v: v.update(attributes={}))
    assert_same_masks(read_ome_zarr(image), lively)
    (image / "labels/zarr.json").unlink()
    (image / "labels/cells/zarr.json").unlink()
    assert read_ome_zarr(image).shape == lively.shape


def test_neither_image_nor_labels(tmp_path):
    zarr.create_group(tmp_path / "g.zarr")
    with pytest.raises(BadInputError, match="image with labels, found none"):
        read_ome_zarr(tmp_path / "g.zarr")
    with pytest.raises(BadInputError, match="cannot be read as zarr"):
        read_ome_zarr(tmp_path / "nothing.zarr")


@pytest.mark.parametrize(
    ("world", "axes", "sentence"),
    [
        (lively[:, None].repeat(2, 1), "TCYX", "found 2 channels"),
        (lively, "ZYX", "found 6 z slices"),
        (lively - 1, "TYX", "found -1"),
        (lively + np.int64(2**31), "TYX", "expected labels from 0 to 2147483647"),
        (lively.astype(float), "TYX", "found pixels of type float64"),
    ],
)
def test_pixels_that_are_no_labels(tmp_path, world, axes, sentence):
    path = foreign(tmp_path / "i.zarr", "0.4", world, axes)
    with pytest.raises(BadInputError, match=sentence):
        read_ome_zarr(path)


def test_a_plane_in_too_many_chunks(tmp_path):
    zarr.create_array(
        tmp_path / "c.zarr", shape=(1, 100, 100), dtype="uint8", chunks=(1, 1, 1)
    )
    with pytest.raises(BadInputError, match="at most 4096 chunks, found 10000"):
        read_ome_zarr(tmp_path / "c.zarr")


def test_frames_are_read_when_asked_for(tmp_path):
    tracked = written(tmp_path / "c.zarr", one_division, {2: 1, 3: 1})
    found = read_ome_zarr(tmp_path / "c.zarr")
    (tmp_path / "c.zarr/0/c/1/0/0").write_bytes(b"x")
    np.testing.assert_array_equal(found.read(0), tracked.read(0))
    with pytest.raises(UnreadableFrameError):
        found.read(1)


def test_many_tracks_are_told_in_what_can_be_read(tmp_path):
    lineage = Lineage(Track(k, ((k % 1000, k % 1000),)) for k in range(1, 3001))
    told = json.loads(json.dumps(own_facts("x", lineage)))
    assert len(json.dumps(told)) < 32 * 3000
    assert sum(json.dumps(told).count(mark) for mark in "[{:") < 30
    assert read_own_facts(told, tmp_path) == ("x", lineage)


def test_more_tracks_than_can_be_read_again_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_semiconv.io.cells.own_tracks.MOST_TEXT", 2**16 + 100)
    with pytest.raises(SaveError, match=r"found 5\. Save them as"):
        written(tmp_path / "c.zarr")
    assert list(tmp_path.iterdir()) == []
