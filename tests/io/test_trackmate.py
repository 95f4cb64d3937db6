import math
import random
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from skimage.draw import polygon2mask
from tests.io.fuzzing import BYTE_SPOILERS, swap_number
from tests.tracked_worlds import PARENTS, UNITS, WORLDS, lively, tracked_of
from tests.worlds import draw, one_division

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.trackmate import write_trackmate
from napari_semiconv.io.cells.trackmate_read import read_trackmate
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Track


@pytest.fixture
def path(tmp_path):
    write_trackmate(tracked_of(lively, PARENTS, **UNITS), tmp_path / "c.xml")
    return tmp_path / "c.xml"


def root_of(path):
    return ElementTree.parse(path).getroot()


@pytest.mark.parametrize("factor", [1, 70_000])
@pytest.mark.parametrize("name", WORLDS)
def test_a_trip_there_and_back(tmp_path, name, factor):
    world, parents = WORLDS[name]
    parents = {factor * k: factor * v for k, v in parents.items()}
    tracked = tracked_of(world * factor, parents, **UNITS)
    write_trackmate(tracked, tmp_path / "Zellen 細胞.xml")
    found = read_trackmate(tmp_path / "Zellen 細胞.xml")
    assert found.lineage == tracked.lineage
    assert found.name == tracked.name
    assert found.shape == tracked.shape
    assert found.pixel_size == UNITS["pixel_size"]
    assert found.frame_interval == UNITS["frame_interval"]
    assert len(found.frames) == len(found.labels)
    for t, label, centre, radius in zip(
        found.frames, found.labels, found.centres, found.radii, strict=True
    ):
        there = np.argwhere(world[t] * factor == label)
        np.testing.assert_allclose(centre, there.mean(0), atol=1e-6)
        assert radius == pytest.approx(math.sqrt(len(there) / math.pi))


def test_unknown_units_are_pixels_and_frames(tmp_path):
    write_trackmate(tracked_of(lively), tmp_path / "c.xml")
    found = read_trackmate(tmp_path / "c.xml")
    assert (found.pixel_size, found.frame_interval) == (None, None)
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
    assert read_trackmate(tmp_path / "c.xml").name == expected


def test_a_name_that_is_taken_is_refused(path):
    with pytest.raises(SaveError, match=r"c\.xml"):
        write_trackmate(tracked_of(lively), path)


def test_confirmations_are_lost(tmp_path):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 3),), True))
    write_trackmate(tracked, tmp_path / "c.xml")
    found = read_trackmate(tmp_path / "c.xml")
    assert found.lineage == tracked_of(lively, PARENTS).lineage


FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<TrackMate version="7.0.0">
  <Log>anything</Log>
  <Model spatialunits="micron" timeunits="min">
    <AllSpots nspots="7">
      <SpotsInFrame frame="0">{spot0}</SpotsInFrame>
    </AllSpots>
    <AllTracks>
      <Track name="Track_0" TRACK_ID="0" NUMBER_SPOTS="4">
        <Edge SPOT_SOURCE_ID="10" SPOT_TARGET_ID="11" LINK_COST="0.3" />
        <Edge SPOT_SOURCE_ID="12" SPOT_TARGET_ID="11" />
        <Edge SPOT_SOURCE_ID="11" SPOT_TARGET_ID="13" />{edge}
      </Track>
      <Track name="Track_3" TRACK_ID="3">
        <Edge SPOT_SOURCE_ID="14" SPOT_TARGET_ID="15" />
      </Track>
    </AllTracks>
    <FilteredTracks><TrackID TRACK_ID="0" /></FilteredTracks>
  </Model>
  <Settings>
    <ImageData filename="movie.tif" folder="" width="512" height="256"
      nframes="20" pixelwidth="0.5" pixelheight="0.5" timeinterval="2.0" />
  </Settings>
</TrackMate>
"""
TIMES = {10: 0, 11: 2, 12: 3, 13: 4, 14: 0, 15: 1, 16: 7}
SPOTS = [
    f'<Spot ID="{number}" name="ID{number}" QUALITY="3.5" POSITION_X="{number}.5" '
    f'POSITION_Y="4.0" POSITION_Z="0.0" POSITION_T="{2 * t}.0" FRAME="{t}" '
    f'RADIUS="2.5" VISIBILITY="1" MEAN_INTENSITY_CH1="33.1" />'
    for number, t in TIMES.items()
]


def foreign(path, spots=SPOTS, edge="", change=("", "")):
    text = FOREIGN.format(spot0="\n".join(spots), edge=edge)
    assert change[0] in text
    path.write_text(text.replace(*change), "utf-8")
    return path


def test_a_file_of_trackmate(tmp_path):
    found = read_trackmate(foreign(tmp_path / "x.xml"))
    tracks = {k: (t.intervals, t.parent) for k, t in found.lineage.tracks.items()}
    # Hidden tracks are left out; links are taken as they lie in time.
    assert tracks == {
        1: (((0, 0), (2, 2)), 0),
        2: (((3, 3),), 1),
        3: (((4, 4),), 1),
        4: (((7, 7),), 0),
    }
    assert found.shape == (20, 256, 512)
    assert found.pixel_size == (0.5, 0.5)
    assert found.frame_interval == 120
    assert found.name == "movie.tif"
    np.testing.assert_allclose(found.centres[0], [8, 21])
    np.testing.assert_allclose(found.radii, 5)


def test_without_a_filter_all_tracks_are_visible(tmp_path):
    hidden = '<FilteredTracks><TrackID TRACK_ID="0" /></FilteredTracks>'
    path = foreign(tmp_path / "x.xml", change=(hidden, ""))
    assert len(read_trackmate(path).lineage.tracks) == 5


@pytest.mark.parametrize(
    "edge", ["", '<Edge SPOT_SOURCE_ID="12" SPOT_TARGET_ID="13" />']
)
def test_cells_that_merge(tmp_path, edge):
    path = foreign(tmp_path / "x.xml", edge=edge)
    if not edge:
        read_trackmate(path)
        return
    with pytest.raises(BadInputError, match="two of spot 13: spot 11 and spot 12"):
        read_trackmate(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('ID="16"', 'ID="15"'), "found spot 15 again"),
        (('TARGET_ID="13"', 'TARGET_ID="99"'), "one to spot 99, which is not there"),
        (('TARGET_ID="13"', 'TARGET_ID="11"'), "spot 11 to spot 11, both of frame 2"),
        (('SOURCE_ID="12"', 'SOURCE_ID="10"'), "the one from spot 10 to spot 11 again"),
        (('SPOT_SOURCE_ID="12"', ""), "SPOT_SOURCE_ID is None"),
        (('FRAME="3"', 'FRAME="-3"'), "FRAME is -3, not a whole number"),
        (('FRAME="3"', 'FRAME="2.5"'), "FRAME is 2.5, not a whole number"),
        (('FRAME="3"', 'FRAME="9999999999"'), "FRAME is 9999999999"),
        (('FRAME="3"', 'FRAME="' + "9" * 5000 + '"'), "FRAME is 9999"),
        (('POSITION_X="12.5"', 'POSITION_X="NaN"'), "POSITION_X is NaN"),
        (('POSITION_X="12.5"', 'POSITION_X="twelve"'), "could not convert"),
        (('POSITION_X="12.5"', ""), "POSITION_X is None"),
        (('TRACK_ID="3"', 'TRACK_ID="x"'), "cannot be read as TrackMate XML"),
        (("<TrackMate", "<KML"), "mismatched tag|XML of 'KML'"),
        (("</TrackMate>", ""), "cannot be read as TrackMate XML"),
        (("AllSpots", "SomeSpots"), "no list of spots"),
        (("anything", "any\x01thing"), "not well-formed"),
        (("anything", "&nothing;"), "undefined entity"),
        (("UTF-8", "x-klingon"), "cannot be read as TrackMate XML"),
        (("<Log>", "<a>" * 60), "nested too deeply"),
        (("<Log>", f'<Log x="{"y" * 5_000_000}">'), "an element is too long"),
    ],
)
def test_rules_of_the_format(tmp_path, change, sentence):
    path = foreign(tmp_path / "x.xml", change=change)
    with pytest.raises(BadInputError, match=sentence):
        read_trackmate(path)


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE TrackMate [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE TrackMate [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE TrackMate SYSTEM "http://127.0.0.1/x.dtd">',
        "<!DOCTYPE TrackMate>",
    ],
)
def test_entities_and_other_files_are_refused(tmp_path, declared):
    path = foreign(
        tmp_path / "x.xml", change=("<TrackMate v", f"{declared}<TrackMate v")
    )
    with pytest.raises(BadInputError, match="no document type, found one"):
        read_trackmate(path)


def test_what_makes_no_sense_of_the_movie_is_unknown(tmp_path):
    for change in (("pixelwidth=", "a="), ('"0.5" pixelh', '"-1" pixelh')):
        found = read_trackmate(foreign(tmp_path / "x.xml", change=change))
        assert found.centres[0].tolist() == [8, 10.5]
    found = read_trackmate(foreign(tmp_path / "x.xml", change=("micron", "ell")))
    assert found.pixel_size is None


def test_not_a_file(tmp_path):
    with pytest.raises(BadInputError, match="is no file"):
        read_trackmate(tmp_path)
    (tmp_path / "x.xml").write_bytes(b"")
    with pytest.raises(BadInputError, match="no element found"):
        read_trackmate(tmp_path / "x.xml")
    with (tmp_path / "y.xml").open("wb") as stream:
        stream.truncate(2**31)
    with pytest.raises(BadInputError, match="at most 1024 MiB, found 2048"):
        read_trackmate(tmp_path / "y.xml")


def test_damaged_files(tmp_path):
    """Whatever a file holds, the answer is spots or a sentence."""
    write_trackmate(tracked_of(lively, PARENTS, **UNITS), tmp_path / "c.xml")
    good = (tmp_path / "c.xml").read_bytes()
    rng = random.Random(0)
    sentences = []
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.choice((1, 3))):
            rng.choice(BYTE_SPOILERS)(data, rng.randrange(len(data) + 1), rng)
        if rng.random() < 0.5:
            data = swap_number(good.decode(), rng).encode()
        (tmp_path / "x.xml").write_bytes(data)
        try:
            read_trackmate(tmp_path / "x.xml")
        except BadInputError as error:
            sentences.append(str(error))
    assert len(sentences) > 100
    assert all(text.endswith(".") and len(text) < 400 for text in sentences)
