"""Cells, tracks and frames as columns: against scikit-image, pandas-free."""

import numpy as np
import pytest
from skimage.measure import regionprops
from tests.tracked_worlds import PARENTS, UNITS, lively, tracked_of
from tests.worlds import draw

from napari_semiconv.io.cells.cell_columns import cell_table
from napari_semiconv.io.cells.columns import Units
from napari_semiconv.io.cells.measuring import channels_of, measured_frame
from napari_semiconv.io.cells.track_columns import frame_table, track_table
from napari_semiconv.movie import movie_from_array
from napari_semiconv.tracking.lineage import Lineage, Track


def tables_of(tracked):
    movies = channels_of(tracked)
    found = {t: measured_frame(tracked, movies, t) for t in range(len(tracked))}
    units = Units(tracked.pixel_size, tracked.frame_interval)
    cells = cell_table(found, tracked.lineage, units, len(movies), tracked.name)
    tracks = track_table(cells, tracked.lineage, units)
    return cells, tracks, frame_table(cells, tracks, len(tracked), units)


def random_world(random, frames=6, size=40):
    """Squares that wander, vanish and come back, (T, Y, X), and a noisy movie of it."""
    labels = np.zeros((frames, size, size), np.int32)
    for label in random.choice(500, 8, replace=False) + 1:
        for frame in range(frames):
            if random.random() < 0.8:
                y, x = random.integers(0, size - 6, 2)
                free = labels[frame, y : y + 6, x : x + 5] == 0
                labels[frame, y : y + 6, x : x + 5][free] = label
    return labels, random.random((frames, 2, size, size)) * 100


@pytest.mark.parametrize("facts", [{}, UNITS])
def test_cells_are_as_scikit_image_measures_them(random, facts):
    labels, pixels = random_world(random)
    movie = movie_from_array(pixels, "TCYX")
    cells, _, _ = tables_of(tracked_of(labels, movie=movie, **facts))
    row = 0
    for frame, image in enumerate(labels):
        dark = [np.median(p[image == 0]) for p in pixels[frame]]
        for one in regionprops(image):
            assert (cells["frame"][row], cells["label"][row]) == (frame, one.label)
            assert cells["area_px"][row] == one.num_pixels
            if facts:
                assert cells["area_um2"][row] == pytest.approx(one.num_pixels * 0.125)
            for channel in range(2):
                grey = pixels[frame, channel][image == one.label] - dark[channel]
                end = f"above_background_channel_{channel}"
                assert cells[f"mean_{end}"][row] == pytest.approx(grey.mean())
                assert cells[f"sum_{end}"][row] == pytest.approx(grey.sum())
            row += 1
    assert row == len(cells)


def test_tracks_and_frames_hold_the_means_of_their_cells(random):
    labels, pixels = random_world(random)
    movie = movie_from_array(pixels, "TCYX")
    cells, tracks, frames = tables_of(tracked_of(labels, movie=movie, **UNITS))
    names = ("area_um2", "speed_um_per_min", "above_background_channel_1")
    for table, key, keys in (
        (tracks, "label", tracks["label"]),
        (frames, "frame", frames["frame"]),
    ):
        for place, value in enumerate(keys.tolist()):
            mine = cells[key] == value
            for name in names:
                source = f"mean_{name}" if name.startswith("above") else name
                known = cells[source][mine]
                known = known[~np.isnan(known)]
                found = table[f"mean_{name}"][place]
                if len(known):
                    assert found == pytest.approx(known.mean())
                else:
                    assert np.isnan(found)
    np.testing.assert_array_equal(
        frames["cells"], [len(np.unique(image)) - 1 for image in labels]
    )


def test_displacement_is_straight_and_direction_as_on_screen():
    world = draw(
        "1...  .1..  ....  ....", "....  ....  1...  ....", "....  ....  ....  1..."
    )
    cells, tracks, _ = tables_of(
        tracked_of(world, pixel_size=(3.0, 4.0), frame_interval=60.0)
    )
    # Right by 4 um; then down by 3 and left by 4; then down by 3 um.
    assert cells["direction_deg"][1] == 0
    assert cells["direction_deg"][2] == pytest.approx(
        np.degrees(np.arctan2(-3.0, -4.0))
    )
    assert cells["direction_deg"][3] == -90
    np.testing.assert_allclose(cells["speed_um_per_min"][1:], [4, 5, 3])
    np.testing.assert_allclose(tracks["displacement_um"], [6])
    assert np.isnan(cells["direction_deg"][0])


def test_a_cell_that_stays_has_no_direction():
    cells, _, _ = tables_of(tracked_of(draw("1..  1..")))
    assert np.isnan(cells["direction_deg"]).all()
    assert cells["speed_px_per_frame"][1] == 0


def test_divisions_are_counted_where_the_first_daughter_is_seen():
    _, _, frames = tables_of(tracked_of(lively, PARENTS))
    assert frames["divisions"].tolist() == [0, 0, 0, 1, 0, 0]
    # One daughter alone is no division.
    _, _, frames = tables_of(tracked_of(lively, {2: 1}))
    assert not frames["divisions"].any()


def test_certainties_are_those_of_the_lineage():
    world = draw("1.2  1.2  ..2")
    tracked = tracked_of(world)
    scores = np.array([[0.5, 0.25], [0.75, np.nan]], np.float32)
    lineage = Lineage(
        [Track(1, ((0, 1),), scores=scores.tobytes()), Track(2, ((0, 2),))],
        ("link", "sure"),
    )
    object.__setattr__(tracked, "lineage", lineage)
    cells, tracks, _ = tables_of(tracked)
    of_1 = cells["label"] == 1
    np.testing.assert_array_equal(cells["certainty"][of_1], [0.25, np.nan])
    np.testing.assert_array_equal(cells["link_certainty"][of_1], [0.5, 0.75])
    assert np.isnan(cells["certainty"][~of_1]).all()
    np.testing.assert_array_equal(tracks["mean_certainty"], [0.25, np.nan])


def test_confirmed_cells_are_told():
    tracked = tracked_of(draw("1.2  1.2  1.2  ..2  1.2"))
    track = tracked.lineage.tracks[1]
    tracked.lineage.put(Track(1, track.intervals, confirmed=((1, 2), (4, 4))))
    cells, _, _ = tables_of(tracked)
    of_1 = cells["label"] == 1
    assert cells["confirmed"][of_1].tolist() == [0, 1, 1, 1]
    assert not cells["confirmed"][~of_1].any()


def test_an_empty_movie_has_tables_without_rows():
    cells, tracks, frames = tables_of(tracked_of(np.zeros((3, 4, 5)), **UNITS))
    assert (len(cells), len(tracks), len(frames)) == (0, 0, 3)
    assert frames["cells"].tolist() == [0, 0, 0]
    assert np.isnan(frames["mean_area_um2"]).all()
