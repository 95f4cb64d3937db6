"""A movie of two still cells, as a plain zarr array, (T, Y, X)."""

import numpy as np
import pytest
import zarr

from napari_semiconv.compute.messages import MovieChoice, Segment
from napari_semiconv.settings import SegmentSettings

FRAMES = 4
LONG = 12


def write_cells(path, frames):
    movie = np.zeros((frames, 16, 16), np.uint8)
    movie[:, 2:6, 2:6] = 9
    movie[:, 9:13, 8:14] = 9
    array = zarr.create_array(
        store=path, shape=movie.shape, chunks=(1, 16, 16), dtype=movie.dtype
    )
    array[:] = movie
    return MovieChoice(path=path, name=path.stem, axes="TYX")


@pytest.fixture
def choice(tmp_path):
    return write_cells(tmp_path / "two-cells.zarr", FRAMES)


@pytest.fixture
def long_choice(tmp_path):
    return write_cells(tmp_path / "long.zarr", LONG)


def segment(choice, output, **changes):
    request = {"ticket": 7, "movie": choice, "settings": SegmentSettings()}
    return Segment(**request | {"output": output} | changes)
