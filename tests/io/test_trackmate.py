import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from skimage.draw import polygon2mask
from tests.tracked_worlds import PARENTS, UNITS, WORLDS, lively, tracked_of
from tests.worlds import draw, one_division

from napari_semiconv.errors import SaveError
from napari_semiconv.io.cells.trackmate import write_trackmate
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Track


@pytest.fixture
def path(tmp_path):
    write_trackmate(tracked_of(lively, PARENTS, **UNITS), tmp_path / "c.xml")
    return tmp_path / "c.xml"


def root_of(path):
    return ElementTree.parse(path).getroot()


def spots_of(path):
    """Every spot: label, frame, y, x and radius, in the units of the model."""
    keys = ("CELL_LABEL", "FRAME", "POSITION_Y", "POSITION_X", "RADIUS")
    return {
        spot.get("ID"): (
            int(spot.get(keys[0])),
            *(float(spot.get(k)) for k in keys[1:]),
        )
        for spot in root_of(path).iter("Spot")
    }


def links_of(path):
    """Label and frame of both ends of each link."""
    spots = spots_of(path)
    ends = ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")
    return {
        tuple(spots[edge.get(end)][:2] for end in ends)
        for edge in root_of(path).iter("Edge")
    }


@pytest.mark.parametrize("factor", [1, 70_000])
@pytest.mark.parametrize("name", WORLDS)
def test_spots_and_links_are_those_of_the_tracks(tmp_path, name, factor):
    world, parents = WORLDS[name]
    parents = {factor * k: factor * v for k, v in parents.items()}
    tracked = tracked_of(world * factor, parents, **UNITS)
    write_trackmate(tracked, tmp_path / "Zellen 細胞.xml")
    spots = spots_of(tmp_path / "Zellen 細胞.xml")
    height, width = UNITS["pixel_size"]
    for label, frame, y, x, radius in spots.values():
        there = np.argwhere(world[int(frame)] * factor == label)
        centre = (y / height, x / width)
        np.testing.assert_allclose(centre, there.mean(0), atol=1e-6)
        area = math.pi * radius**2 / (height * width)
        assert area == pytest.approx(len(there))
    links = set()
    tracks = tracked.lineage.tracks
    for label, track in tracks.items():
        cells = [(label, t) for a, b in track.intervals for t in range(a, b + 1)]
        if track.parent in tracks:
            cells.insert(0, (track.parent, tracks[track.parent].end))
        links |= set(pairwise(cells))
    assert len(spots) == sum(
        b - a + 1 for track in tracks.values() for a, b in track.intervals
    )
    assert links_of(tmp_path / "Zellen 細胞.xml") == links


def test_unknown_units_are_pixels_and_frames(tmp_path):
    write_trackmate(tracked_of(lively), tmp_path / "c.xml")
    model = root_of(tmp_path / "c.xml").find("Model")
    assert model.attrib == {"spatialunits": "pixel", "timeunits": "frame"}


def test_places_are_in_the_units_of_the_model(path):
    root = root_of(path)
    assert root.find("Model").attrib == {"spatialunits": "µm", "timeunits": "sec"}
    # Cell 2 in frame 4: rows 0 and 1, columns 0 and 1.
    (spot,) = [
        s
        for s in root.iter("Spot")
        if (s.get("name"), s.get("FRAME")) == ("Cell 2", "4")
    ]
    place = {key: float(spot.get(f"POSITION_{key}")) for key in "XYZT"}
    assert place == {"X": 0.125, "Y": 0.25, "Z": 0, "T": 360}
    assert float(spot.get("AREA")) == 4 * 0.5 * 0.25
    assert float(spot.get("RADIUS")) == pytest.approx(math.sqrt(0.5 / math.pi))


def test_the_outline_is_that_of_the_pixels(tmp_path):
    world = draw(
        "..111....22.",
        ".11111...22.",
        ".1111.......",
        "...11.....2.",
    )
    write_trackmate(tracked_of(world, **UNITS), tmp_path / "c.xml")
    for spot in root_of(tmp_path / "c.xml").iter("Spot"):
        assert not spot.text[0].isspace()
        corners = np.array(spot.text.split(), float).reshape(-1, 2)
        assert len(corners) == int(spot.get("ROI_N_POINTS"))
        centre = [float(spot.get(f"POSITION_{key}")) for key in "XY"]
        x, y = ((corners + centre) / (0.25, 0.5)).T
        # Of cell 2 the larger piece is left.
        expected = world[0] == int(spot.get("CELL_LABEL"))
        expected[3, 10] = False
        painted = polygon2mask(world[0].shape, np.stack([y, x], 1))
        np.testing.assert_array_equal(painted, expected)


def test_every_feature_is_declared(path):
    root = root_of(path)
    for kind, elements in (("Spot", "Spot"), ("Edge", "Edge"), ("Track", "Track")):
        declared = {f.get("feature"): f for f in root.find(f".//{kind}Features")}
        used = {key for e in root.iter(elements) for key in e.attrib}
        assert used - {"ID", "name", "ROI_N_POINTS"} == set(declared)
        for feature in declared.values():
            assert set(feature.attrib) == {
                "feature", "name", "shortname", "dimension", "isint",
            }  # fmt: skip
    for spot in root.iter("Spot"):
        values = {k: v for k, v in spot.attrib.items() if k != "name"}
        assert all(math.isfinite(float(value)) for value in values.values())


def test_a_track_is_a_whole_tree_and_every_one_is_visible(path):
    root = root_of(path)
    (track,) = [t for t in root.iter("Track") if len(t) > 4]
    labels = {s.get("ID"): s.get("CELL_LABEL") for s in root.iter("Spot")}
    ends = {labels[e.get(key)] for e in track for key in e.attrib if "SPOT" in key}
    assert ends == {"1", "2", "4"}
    ids = [t.get("TRACK_ID") for t in root.iter("Track")]
    assert [t.get("TRACK_ID") for t in root.iter("TrackID")] == ids
    # Cell 9 lives in one frame and has no link, so no track.
    assert len(ids) == 2
    assert int(root.find(".//AllSpots").get("nspots")) == len(labels) == 13


def test_what_trackmate_needs_to_open_the_file(path):
    settings = root_of(path).find("Settings")
    assert [child.tag for child in settings] == [
        "ImageData", "BasicSettings", "DetectorSettings", "InitialSpotFilter",
        "SpotFilterCollection", "TrackerSettings", "TrackFilterCollection",
        "AnalyzerCollection",
    ]  # fmt: skip
    image = settings.find("ImageData").attrib
    assert (image["pixelwidth"], image["pixelheight"]) == ("0.25", "0.5")
    assert (image["nframes"], image["nslices"], image["timeinterval"]) == (
        "6", "1", "90.0",
    )  # fmt: skip


def test_the_movie_is_named(tmp_path):
    movie = movie_from_array(lively, "TYX", path=tmp_path / "my movie.tif")
    write_trackmate(tracked_of(lively, movie=movie), tmp_path / "c.xml")
    image = root_of(tmp_path / "c.xml").find(".//ImageData")
    assert image.get("filename") == "my movie.tif"
    assert image.get("folder") == str(tmp_path)


@pytest.mark.parametrize("name", ["<a & \"b\" 'c'>", "tab\there\n", "\0\x1b\udc80"])
def test_names_that_xml_cannot_hold(tmp_path, name):
    write_trackmate(tracked_of(one_division, name=name), tmp_path / "c.xml")
    expected = re.sub("[\0\x1b\udc80]", "?", name)
    image = root_of(tmp_path / "c.xml").find(".//ImageData")
    assert image.get("filename") == expected


def test_a_name_that_is_taken_is_refused(path):
    with pytest.raises(SaveError, match=r"c\.xml"):
        write_trackmate(tracked_of(lively), path)


def test_confirmations_are_lost(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 3),), True))
    write_trackmate(tracked, tmp_path / "c.xml")
    write_trackmate(tracked_of(lively, PARENTS), tmp_path / "plain.xml")
    assert (tmp_path / "c.xml").read_bytes() == (tmp_path / "plain.xml").read_bytes()
