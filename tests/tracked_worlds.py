"""Drawn worlds as tracked movies, for tests of formats."""

import numpy as np
from tests.worlds import draw, gap, one_division

from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels

UNITS = {"pixel_size": (0.5, 0.25), "frame_interval": 90.0}

# Cell 1 vanishes for a frame and divides; 3 vanishes for two; 9 lies in two pieces.
lively = draw(
    "........  ........  ........  .22..44.  22....44  22....44",
    "..11....  ........  ..111...  .22..44.  22....44  22....44",
    "..11....  ........  ..111...  ........  ........  ........",
    "3.......  3.......  ........  ........  .3......  .3....99",
    "3.......  3.......  ........  ........  .3......  .39.....",
)
PARENTS = {2: 1, 4: 1}


def tracked_of(world, parents=None, name="Zellen 細胞 µ", **facts):
    """Give a drawn world, (T, Y, X), as what exports take."""
    labels = np.asarray(world, np.int32)
    lineage = lineage_of_labels(enumerate(labels), parents)
    return TrackedMovie(name, labels.shape, lambda t: labels[t], lineage, **facts)


def assert_same_masks(found, world):
    """Compare all frames of a tracked movie with a drawn world."""
    assert found.shape == world.shape
    for t, frame in enumerate(world):
        read = found.read(t)
        assert read.dtype == np.int32
        np.testing.assert_array_equal(read, frame)


WORLDS = {
    "division": (one_division, {2: 1, 3: 1}),
    "gap": (gap, {}),
    "lively": (lively, PARENTS),
    "one frame": (one_division[:1], {}),
    "empty": (np.zeros((3, 4, 5), np.int32), {}),
}
