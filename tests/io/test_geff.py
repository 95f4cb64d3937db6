import json
import shutil
from pathlib import Path

import geff
import numpy as np
import pytest
import zarr
from geff.core_io._base_read import read_to_memory
from geff.validate.data import ValidationConfig
from geff.validate.segmentation import (
    axes_match_seg_dims,
    has_seg_ids_at_time_points,
    has_valid_seg_id,
)
from tests.tracked_worlds import (
    PARENTS,
    UNITS,
    WORLDS,
    assert_same_masks,
    lively,
    tracked_of,
)
from tests.worlds import draw, one_division

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.geff.arrays import is_geff
from napari_semiconv.io.cells.geff.read import read_geff
from napari_semiconv.io.cells.geff.write import labels_beside, write_geff
from napari_semiconv.io.cells.ome_zarr import read_ome_zarr
from napari_semiconv.io.cells.tiff import write_tiff
from napari_semiconv.tracking.lineage import Track

OURS = "napari-semiconv"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    write_geff(tracked_of(lively, PARENTS, **UNITS), folder / "c.geff")
    return folder


@pytest.fixture
def folder(tmp_path, good):
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    return tmp_path / "c.geff"


@pytest.mark.parametrize(
    ("name", "factor"), [*((name, 1) for name in WORLDS), ("lively", 70_000)]
)
def test_a_trip_there_and_back(tmp_path, name, factor):
    world, parents = WORLDS[name]
    parents = {factor * k: factor * v for k, v in parents.items()}
    tracked = tracked_of(world * factor, parents, **UNITS)
    write_geff(tracked, tmp_path / "Zellen 細胞.geff")
    found = read_geff(tmp_path / "Zellen 細胞.geff")
    assert found.lineage == tracked.lineage
    assert found.name == tracked.name
    assert found.pixel_size == UNITS["pixel_size"]
    assert found.frame_interval == UNITS["frame_interval"]
    assert_same_masks(found, world * factor)


@pytest.mark.parametrize("name", ["lively", "empty"])
def test_the_rules_of_the_library_hold(tmp_path, name):
    world, parents = WORLDS[name]
    write_geff(tracked_of(world, parents, **UNITS), tmp_path / "c.geff")
    geff.validate_structure(tmp_path / "c.geff")
    rules = ValidationConfig(graph=True, lineage=True, tracklet=True)
    found = read_to_memory(tmp_path / "c.geff", data_validation=rules)
    meta = found["metadata"]
    assert meta.track_node_props == {"tracklet": "tracklet_id", "lineage": "lineage_id"}
    assert meta.display_hints.display_horizontal == "x"
    assert meta.display_hints.display_vertical == "y"
    assert meta.display_hints.display_time == "t"
    (related,) = meta.related_objects
    labels = zarr.open_array(tmp_path / "c.geff" / related.path, mode="r")[:]
    assert (related.type, related.node_prop) == ("labels", "seg_id")
    np.testing.assert_array_equal(labels, world)
    props = {name: prop["values"] for name, prop in found["node_props"].items()}
    assert has_valid_seg_id(found, "seg_id") == (True, [])
    assert axes_match_seg_dims(found, labels)[0]
    cells = props["t"].tolist(), props["seg_id"].tolist()
    assert has_seg_ids_at_time_points(labels, *cells, meta) == (True, [])
    for t, y, x, label, area in zip(
        *(props[name] for name in ("t", "y", "x", "seg_id", "area")), strict=True
    ):
        there = np.argwhere(world[t] == label)
        np.testing.assert_allclose([y, x], there.mean(0))
        assert area == len(there)


def test_axes_in_pixels_say_how_large_these_are(folder):
    axes = geff.GeffMetadata.read(folder).axes
    found = [(a.name, a.type, a.unit, a.scale, a.scaled_unit) for a in axes]
    assert found == [
        ("t", "time", "frame", 90, "second"),
        ("y", "space", "pixel", 0.5, "micrometer"),
        ("x", "space", "pixel", 0.25, "micrometer"),
    ]
    properties = geff.GeffMetadata.read(folder).node_props_metadata
    assert all(value.description for value in properties.values())


def test_unknown_units_stay_unknown(tmp_path):
    write_geff(tracked_of(lively), tmp_path / "c.geff")
    found = read_geff(tmp_path / "c.geff")
    assert (found.pixel_size, found.frame_interval) == (None, None)


def test_links_skip_frames_and_a_tracklet_may_hold_several_tracks(tmp_path):
    world = draw("11.  ...  .11  .2.")
    write_geff(tracked_of(world, {2: 1}), tmp_path / "c.geff")
    found = read_to_memory(tmp_path / "c.geff")
    props = {
        name: prop["values"].tolist() for name, prop in found["node_props"].items()
    }
    assert found["edge_ids"].tolist() == [[0, 1], [1, 2]]
    assert props["t"] == [0, 2, 3]
    assert props["track"] == [1, 1, 2]
    assert props["tracklet_id"] == [1, 1, 1]
    assert read_geff(tmp_path / "c.geff").lineage.tracks[2].parent == 1


def test_what_was_confirmed_is_kept(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(1, ((0, 0), (2, 2)), 0, ((0, 0),), True))
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 3), (5, 5)), True))
    write_geff(tracked, tmp_path / "c.geff")
    assert read_geff(tmp_path / "c.geff").lineage == tracked.lineage


def test_the_labels_are_an_image_of_their_own(folder):
    found = read_ome_zarr(labels_beside(folder))
    assert found.lineage == tracked_of(lively, PARENTS).lineage


@pytest.mark.parametrize("taken", ["c.geff", "c_labels.zarr"])
def test_a_name_that_is_taken_is_refused(tmp_path, taken):
    (tmp_path / taken).mkdir()
    with pytest.raises(SaveError, match=taken):
        write_geff(tracked_of(lively), tmp_path / "c.geff")
    assert [p.name for p in tmp_path.iterdir()] == [taken]


def test_a_frame_that_cannot_be_read_leaves_nothing(tmp_path):
    def read(frame):
        raise BadInputError("damaged")

    tracked = tracked_of(lively)
    object.__setattr__(tracked, "read", read)
    with pytest.raises(BadInputError):
        write_geff(tracked, tmp_path / "c.geff")
    assert list(tmp_path.iterdir()) == []


def test_tracks_that_are_not_those_of_the_pixels_are_refused(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(2, ((2, 5),), 1))
    with pytest.raises(BadInputError, match=r"Frame 2: .* found cell 2 in the tracks"):
        write_geff(tracked, tmp_path / "c.geff")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_begins_with_a_tilde_does_not_lead_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write_geff(tracked_of(lively), Path("~.geff"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["~.geff", "~_labels.zarr"]
    assert_same_masks(read_geff(Path("~.geff")), lively)


def foreign(path, world, links=(), labels="../seg", **changes):
    """A GEFF of another program; nodes in the order of frames and labels."""
    cells = [(t, int(v)) for t, f in enumerate(world) for v in np.unique(f) if v]
    columns = dict(zip(("time", "label"), zip(*cells, strict=True), strict=True))
    group = zarr.create_group(path, zarr_format=2, overwrite=True)
    facts = {
        "geff_version": "1.1",
        "directed": True,
        "axes": [
            {"name": "time", "type": "time", "scale": 1.5, "scaled_unit": "minute"},
            {"name": "y", "type": "space", "scale": 500.0, "scaled_unit": "nanometer"},
            {"name": "x", "type": "space", "scale": 250.0, "scaled_unit": "nanometer"},
        ],
        "related_objects": [
            {"type": "image", "path": "../raw"},
            {"type": "labels", "path": labels, "label_prop": "label"},
        ],
        "node_props_metadata": {},
        "edge_props_metadata": {},
    }
    group.attrs["geff"] = facts | changes
    group["nodes/ids"] = 100 + np.arange(len(cells))
    group["edges/ids"] = 100 + np.array(links, np.int64).reshape(-1, 2)
    for name, values in columns.items():
        group[f"nodes/props/{name}/values"] = np.array(values)
    seg = zarr.create_array(
        path.parent / "seg", shape=world.shape, dtype="uint16", overwrite=True
    )
    seg[:] = world
    return path


# As a program writes that numbers the cells of each frame from 1.
counted = draw(
    "1..  12.  1.2",
    "...  ...  .3.",
)
COUNTED = [(0, 1), (1, 3), (1, 4)]
TRACKS = draw(
    "1..  12.  3.2",
    "...  ...  .4.",
)
LINKS = [(0, 1), (1, 4), (1, 5), (2, 3)]


def test_labels_that_do_not_tell_the_tracks(tmp_path):
    found = read_geff(foreign(tmp_path / "x.geff", counted, COUNTED))
    assert found.pixel_size == pytest.approx(UNITS["pixel_size"])
    assert found.frame_interval == pytest.approx(90)
    tracks = {k: (t.intervals, t.parent) for k, t in found.lineage.tracks.items()}
    assert tracks == {
        1: (((0, 1),), 0),
        2: (((1, 1),), 0),
        3: (((2, 2),), 1),
        4: (((2, 2),), 1),
        5: (((2, 2),), 0),
    }
    assert_same_masks(found, draw("1..  12.  3.4", "...  ...  .5."))


def test_labels_that_tell_the_tracks_are_kept(tmp_path):
    found = read_geff(foreign(tmp_path / "x.geff", TRACKS, LINKS))
    assert_same_masks(found, TRACKS)
    assert found.lineage == tracked_of(TRACKS, {3: 1, 4: 1}).lineage


def test_links_that_were_written_backwards_or_without_direction(tmp_path):
    links = [(later, earlier) for earlier, later in COUNTED]
    path = foreign(tmp_path / "x.geff", counted, links, directed=False)
    assert read_geff(path).lineage.tracks[3].parent == 1


def test_pixels_of_no_cell_are_background(tmp_path):
    path = foreign(tmp_path / "x.geff", TRACKS, LINKS)
    array = zarr.open_array(tmp_path / "seg", mode="r+")
    array[0, 1] = 9
    array[2] = array[2] + 5 * (array[2] == 0)
    found = read_geff(path)
    assert_same_masks(found, TRACKS)


def test_labels_of_a_tiff(tmp_path):
    write_tiff(tracked_of(TRACKS), tmp_path / "seg.tif")
    path = foreign(tmp_path / "x.geff", TRACKS, LINKS, labels="../seg.tif")
    shutil.rmtree(tmp_path / "seg")
    assert_same_masks(read_geff(path), TRACKS)


def test_a_folder_that_holds_a_geff(folder):
    assert_same_masks(read_geff(folder.parent), lively)
    assert is_geff(folder.parent)
    shutil.copytree(folder, folder.parent / "d.geff")
    with pytest.raises(BadInputError, match=r"found 2 \(c.geff, d.geff\)"):
        read_geff(folder.parent)


def test_what_is_no_geff(tmp_path):
    assert not is_geff(tmp_path / "none")
    assert not is_geff(tmp_path)
    with pytest.raises(BadInputError, match="expected a GEFF"):
        read_geff(tmp_path)
    with pytest.raises(BadInputError, match="cannot be read as GEFF"):
        read_geff(tmp_path / "none")


def facts(change):
    """Change what a GEFF says of itself."""

    def apply(path):
        value = json.loads((path / ".zattrs").read_text())
        change(value["geff"])
        (path / ".zattrs").write_text(json.dumps(value))

    return apply


def array(name, change):
    """Change an array."""

    def apply(path):
        group = zarr.open_group(path, mode="r+")
        values = group[name][...]
        del group[name]
        group[name] = change(values)

    return apply


def header(name, **changes):
    """Change the header of an array alone."""

    def apply(path):
        file = path / name / ".zarray"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return apply


def put(place, value):
    def change(values):
        values[place] = values[value] if isinstance(value, slice) else value
        return values

    return change


def missing(path):
    group = zarr.open_group(path, mode="r+")
    group["nodes/props/seg_id/missing"] = np.arange(13) == 3


def related(**changes):
    return facts(lambda f: f["related_objects"][0].update(changes))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (array("nodes/ids", put(3, 4)), "node 4 is there 2 times"),
        (array("edges/ids", put((0, 1), 99)), "a link leads to node 99"),
        (array("edges/ids", put((0, 1), 0)), "node 1 to node 0, both of frame 0"),
        (array("edges/ids", put(0, (0, 4))), "a cell, found two of node 4: node 0 and"),
        (array("edges/ids", put([0, 1], slice(1))), "expected each link once"),
        (array("edges/ids", lambda v: v[:, :1]), "expected any x 2 numbers"),
        (array("edges/ids", lambda v: v.astype(float)), "of type float64"),
        (array("nodes/ids", lambda v: np.arange(241)), "241 cells in 240 pixels"),
        (array("nodes/props/t/values", put(0, -1)), "whole numbers from 0 .* found -1"),
        (array("nodes/props/t/values", put(0, 77)), "the 6 frames .* one in frame 77"),
        (array("nodes/props/t/values", lambda v: v + 0.5), "found 0.5"),
        (array("nodes/props/t/values", lambda v: v * np.nan), "found nan"),
        (array("nodes/props/t/values", lambda v: v[1:]), "expected 13 numbers"),
        (array("nodes/props/seg_id/values", put(0, 7)), "label 7 of node 0 in frame 0"),
        (array("nodes/props/seg_id/values", put(0, 3)), "nodes 0 and 1 with the label"),
        (array("nodes/props/seg_id/values", put(0, 0)), "labels from 1, found 0"),
        (array("nodes/props/seg_id/values", lambda v: v * 1.0), "of type float64"),
        (
            header("nodes/ids", shape=[10**12]),
            "at most 4194304 numbers in nodes.ids",
        ),
        (header("nodes/ids", chunks=[10**12]), "expected chunks of at most"),
        (header("nodes/ids", shape=[8192], chunks=[1]), "too many chunks"),
        (header("nodes/ids", dtype="x"), "is damaged"),
        (missing, "'seg_id' is missing for some of its cells"),
        (lambda path: shutil.rmtree(path / "edges"), "it has no edges/ids"),
        (facts(lambda f: f.pop("related_objects")), "expected labels that it refers"),
        (related(type="image"), "expected labels that it refers to, found none"),
        (related(path="/etc"), "path of its labels is not relative"),
        (related(path=7), "path of its labels is not relative"),
        (related(path="../nothing"), "at ../nothing, found nothing there"),
        (related(path="https://x.org/y"), "found nothing there"),
        (related(node_prop="number"), "it has no nodes/props/number/values"),
        (related(node_prop="../../x"), "is no GEFF that can be read"),
        (facts(lambda f: f.update(axes=[3])), "no list of named values"),
        (facts(lambda f: f.update(related_objects={})), "expected labels"),
        (facts(lambda f: f["axes"][0].update(name="q")), "it has no nodes/props/q"),
        (facts(lambda f: f["extra"].update({OURS: {"version": 2}})), "found 2"),
        (facts(lambda f: f["extra"].update({OURS: "x"})), "no set of named values"),
    ],
)
def test_rules_of_the_format(folder, damage, sentence):
    damage(folder)
    with pytest.raises(BadInputError, match=sentence):
        read_geff(folder)


def test_cells_in_frames_without_any_pixels(tmp_path):
    path = foreign(tmp_path / "x.geff", TRACKS, LINKS)
    zarr.open_array(tmp_path / "seg", mode="r+")[1] = 0
    with pytest.raises(BadInputError, match="the label 1 of node 101 in frame 1"):
        read_geff(path)


def test_facts_of_ours_that_others_dropped(folder):
    shutil.rmtree(folder / "nodes/props/track")
    shutil.rmtree(folder / "nodes/props/confirmed")
    assert read_geff(folder).lineage == tracked_of(lively, PARENTS).lineage
    facts(lambda f: f.pop("extra"))(folder)
    assert read_geff(folder).name == "c"


def test_frames_are_read_when_asked_for(tmp_path):
    write_geff(tracked_of(one_division, {2: 1, 3: 1}), tmp_path / "c.geff")
    found = read_geff(tmp_path / "c.geff")
    chunk = tmp_path / "c_labels.zarr/0/c/1/0/0"
    chunk.write_bytes(b"x")
    np.testing.assert_array_equal(found.read(0), one_division[0])
    with pytest.raises(BadInputError, match="frame 1"):
        found.read(1)
    with pytest.raises(BadInputError, match="frame 1"):
        read_geff(tmp_path / "c.geff")
