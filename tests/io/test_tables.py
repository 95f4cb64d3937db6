import csv

import numpy as np
import pytest
from skimage import measure as skimage_measure
from skimage.filters import gaussian
from tests.tracked_worlds import PARENTS, UNITS, lively, tracked_of
from tests.worlds import draw, one_division

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.io.cells.measuring import measure
from napari_semiconv.io.cells.tables import write_csv
from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Track


def rows(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def written(tmp_path, tracked):
    write_csv(tracked, tmp_path / "tables")
    return rows(tmp_path / "tables" / "cells.csv"), rows(
        tmp_path / "tables" / "tracks.csv"
    )


def one_cell(*frames, **facts):
    """A movie of one cell, drawn frame by frame."""
    return tracked_of(np.array(frames), **facts)


def test_columns_name_their_units(tmp_path):
    cells, tracks = written(tmp_path, tracked_of(lively, PARENTS, **UNITS))
    assert ",".join(cells[0]) == (
        "frame,time_s,label,parent,lineage,generation,centroid_y_px,centroid_x_px,"
        "centroid_y_um,centroid_x_um,area_px,area_um2,major_axis_um,minor_axis_um,"
        "orientation_deg,speed_um_per_min,direction_deg,confirmed"
    )
    assert ",".join(tracks[0]) == (
        "label,parent,lineage,generation,first_frame,last_frame,frames,daughters,"
        "division_time_frames,division_time_h,mean_area_px,mean_area_um2,"
        "mean_speed_um_per_min,displacement_um,confirmed_frames,parent_confirmed"
    )


def test_without_units_there_are_px_and_frames_alone(tmp_path):
    cells, tracks = written(tmp_path, tracked_of(lively, PARENTS))
    assert ",".join(cells[0]) == (
        "frame,label,parent,lineage,generation,centroid_y_px,centroid_x_px,area_px,"
        "major_axis_px,minor_axis_px,orientation_deg,speed_px_per_frame,direction_deg,"
        "confirmed"
    )
    assert "division_time_h" not in tracks[0]


@pytest.mark.parametrize("facts", [{}, UNITS])
def test_every_cell_of_every_frame_has_its_line(tmp_path, facts):
    cells, tracks = written(tmp_path, tracked_of(lively, PARENTS, **facts))
    found = [(int(c["frame"]), int(c["label"])) for c in cells]
    assert found == [
        (t, label)
        for t, frame in enumerate(lively)
        for label in np.unique(frame[frame > 0]).tolist()
    ]
    for cell in cells:
        mask = lively[int(cell["frame"])] == int(cell["label"])
        y, x = np.nonzero(mask)
        assert int(cell["area_px"]) == len(y)
        centre = float(cell["centroid_y_px"]), float(cell["centroid_x_px"])
        assert centre == pytest.approx((y.mean(), x.mean()), abs=1e-5)
        if facts:
            assert float(cell["area_um2"]) == pytest.approx(len(y) * 0.5 * 0.25)
            assert float(cell["centroid_y_um"]) == pytest.approx(y.mean() * 0.5)
            assert float(cell["centroid_x_um"]) == pytest.approx(x.mean() * 0.25)
            assert float(cell["time_s"]) == 90 * int(cell["frame"])
    lineage = tracked_of(lively, PARENTS).lineage
    assert {
        int(t["label"]): (int(t["first_frame"]), int(t["last_frame"]), int(t["parent"]))
        for t in tracks
    } == {t.label: (t.begin, t.end, t.parent) for t in lineage.tracks.values()}


def test_speed_is_over_the_time_passed_also_over_a_gap(tmp_path):
    world = draw("1....  .1...  .....  ...1.")
    tracked = tracked_of(world, pixel_size=(9.0, 2.0), frame_interval=30.0)
    cells, _ = written(tmp_path, tracked)
    # 2 um in half a minute; then 4 um in a minute.
    assert [c["speed_um_per_min"] for c in cells] == ["", "4", "4"]
    write_csv(tracked_of(world), tmp_path / "px")
    cells = rows(tmp_path / "px" / "cells.csv")
    assert [c["speed_px_per_frame"] for c in cells] == ["", "1", "1"]


@pytest.mark.parametrize(
    ("cell", "angle"),
    [("111...  1.....", 0), ("1..  1..", 90), ("1..  .1.", -45), (".1.  1..", 45)],
)
def test_orientation_is_as_seen_on_screen(tmp_path, cell, angle):
    upper, lower = cell.split()
    frame = np.array([list(upper), list(lower)]) == "1"
    if angle == 0:
        frame[1] = False
    cells, _ = written(tmp_path, one_cell(frame))
    assert float(cells[0]["orientation_deg"]) == pytest.approx(angle)


def test_axes_are_those_of_the_ellipse(tmp_path):
    y, x = np.mgrid[:41, :81]
    ellipse = ((y - 20) / 10) ** 2 + ((x - 40) / 30) ** 2 <= 1
    cells, _ = written(tmp_path, one_cell(ellipse, pixel_size=(1.0, 0.5)))
    assert float(cells[0]["major_axis_um"]) == pytest.approx(30, rel=0.02)
    assert float(cells[0]["minor_axis_um"]) == pytest.approx(20, rel=0.02)
    assert float(cells[0]["orientation_deg"]) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("pixel_size", [None, (0.5, 0.2)])
def test_measures_are_those_of_scikit_image(random, pixel_size):
    noise = gaussian(random.random((60, 70)), 2)
    labels = (
        skimage_measure.label(noise > np.quantile(noise, 0.6)).astype(np.int32) * 1000
    )
    grey = random.random(labels.shape)
    found = measure(labels, pixel_size, [grey, None])
    names = ("label", "num_pixels", "centroid", "axis_major_length")
    more = ("axis_minor_length", "orientation", "intensity_mean")
    known = skimage_measure.regionprops_table(
        labels, grey, properties=(*names, *more), spacing=pixel_size or (1, 1)
    )
    assert len(found.labels) > 10
    np.testing.assert_array_equal(found.labels, known["label"])
    np.testing.assert_array_equal(found.pixels, known["num_pixels"])
    centroids = np.stack([known["centroid-0"], known["centroid-1"]], 1)
    np.testing.assert_allclose(found.centroids * (pixel_size or 1), centroids)
    axes = np.stack([known["axis_major_length"], known["axis_minor_length"]], 1)
    np.testing.assert_allclose(found.axes, axes, atol=1e-6)
    # Theirs is measured from y towards x, as an angle of half a turn.
    turned = np.radians(found.orientations) + np.pi / 2 - known["orientation"]
    long = axes[:, 0] > axes[:, 1] + 1e-6
    np.testing.assert_allclose(np.sin(turned[long]), 0, atol=1e-6)
    np.testing.assert_allclose(found.intensities[:, 0], known["intensity_mean"])
    assert np.isnan(found.intensities[:, 1]).all()


@pytest.fixture
def family():
    """1 divides in frame 2 into 2 and 3; 2 divides in frame 5 into 4 and 5; 6 alone."""
    spans = {1: (0, 1, 0), 2: (2, 4, 1), 3: (2, 6, 1), 4: (5, 6, 2), 5: (5, 6, 2)}
    world = np.zeros((7, 6, 1), np.int32)
    for label, (begin, end, _) in spans.items():
        world[begin : end + 1, label - 1] = label
    world[:, 5] = 6
    return tracked_of(world, {k: v[2] for k, v in spans.items()}, frame_interval=1800.0)


def test_generations_and_division_times(tmp_path, family):
    cells, tracks = written(tmp_path, family)
    found = {int(t["label"]): t for t in tracks}
    assert [found[k]["generation"] for k in range(1, 7)] == [*"011220"]
    assert [found[k]["lineage"] for k in range(1, 7)] == [*"111116"]
    assert [found[k]["daughters"] for k in range(1, 7)] == [*"220000"]
    # The birth of 1 and the divisions of the others were not seen.
    times = [found[k]["division_time_frames"] for k in range(1, 7)]
    assert times == ["", "3", "", "", "", ""]
    assert found[2]["division_time_h"] == "1.5"
    assert {c["generation"] for c in cells if c["label"] == "4"} == {"2"}


def test_what_the_user_confirmed_is_told(tmp_path, family):
    family.lineage.put(Track(2, ((2, 4),), 1, ((3, 4),), parent_confirmed=True))
    cells, tracks = written(tmp_path, family)
    assert [c["confirmed"] for c in cells if c["label"] == "2"] == ["0", "1", "1"]
    (track,) = [t for t in tracks if t["label"] == "2"]
    assert (track["confirmed_frames"], track["parent_confirmed"]) == ("2", "1")


def with_movie(pixels, axes="TCYX"):
    movie = movie_from_array(pixels, axes)
    return tracked_of(one_division, {2: 1, 3: 1}, movie=movie)


def test_intensities_of_every_channel(tmp_path):
    pixels = np.zeros((4, 2, 5, 8), np.float32)
    pixels[:, 0], pixels[:, 1] = one_division * 10, 0.5
    pixels[0, 0, 1, 2] = 22
    cells, _ = written(tmp_path, with_movie(pixels))
    assert [c["mean_intensity_channel_0"] for c in cells] == [
        "11", "10", "20", "30", "20", "30",
    ]  # fmt: skip
    assert {c["mean_intensity_channel_1"] for c in cells} == {"0.5"}


class HalfGone:
    """Frame 1 of channel 0 cannot be read."""

    axes, shape, dtype = "TCYX", (4, 2, 5, 8), np.dtype(np.uint8)

    def plane(self, position):
        if (position["T"], position["C"]) == (1, 0):
            raise OSError("damaged")
        return np.full((5, 8), 7, np.uint8)


def test_an_intensity_that_cannot_be_read_is_left_empty(tmp_path):
    movie = movie_from_array(np.zeros((4, 2, 5, 8)), "TCYX")
    object.__setattr__(movie, "source", HalfGone())
    cells, _ = written(tmp_path, tracked_of(one_division, movie=movie))
    assert [c["mean_intensity_channel_0"] for c in cells] == [
        "7", "", "7", "7", "7", "7",
    ]  # fmt: skip
    assert {c["mean_intensity_channel_1"] for c in cells} == {"7"}


def test_another_movie_is_refused(tmp_path):
    tracked = with_movie(np.zeros((4, 5, 9)), "TYX")
    with pytest.raises(BadInputError, match="the movie of these cells"):
        write_csv(tracked, tmp_path / "tables")
    assert list(tmp_path.iterdir()) == []


def test_labels_of_any_size_cost_no_memory(tmp_path):
    world = one_division * 700_000_000
    cells, _ = written(tmp_path, tracked_of(world))
    assert cells[-1]["label"] == "2100000000"
    assert cells[-1]["area_px"] == "6"


def test_no_cell_at_all(tmp_path):
    cells, tracks = written(tmp_path, tracked_of(np.zeros((2, 3, 4)), **UNITS))
    assert (cells, tracks) == ([], [])
    head = (tmp_path / "tables" / "cells.csv").read_text().splitlines()
    assert len(head) == 1
    assert head[0].startswith("frame,time_s,label")


def test_a_label_without_a_track_is_named(tmp_path):
    labels = one_division
    lineage = lineage_of_labels(enumerate(labels * (labels < 3)))
    tracked = TrackedMovie("x", labels.shape, lambda t: labels[t], lineage)
    with pytest.raises(BadInputError, match="none for label 3 in frame 2"):
        write_csv(tracked, tmp_path / "tables")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused(tmp_path):
    with pytest.raises(SaveError):
        write_csv(tracked_of(lively), tmp_path)
