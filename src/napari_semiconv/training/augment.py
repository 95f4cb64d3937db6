"""Augmentation in space: one transform for a clip, and how it drifts."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .settings import TrainSettings

Floats = NDArray[np.float64]
DRIFT = 1.0  # px per frame, of movies
STILL_DRIFT = 3.0  # px per frame, of stills made into movies
JUMPS = 0.08  # share of the clips in which the stage jumps once
JUMP = 8.0  # px
SCALE = 1.6  # cells are shown between 1 / SCALE and SCALE of their usual size


@dataclass(frozen=True)
class Warp:
    """Where each pixel of a clip comes from.

    Parameters
    ----------
    source
        Position in the recording of each pixel of the crop, (2, Y, X), px.
    """

    source: Floats

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        centre: Floats,
        shape: tuple[int, ...],
        settings: TrainSettings,
        finer: float,
    ) -> "Warp":
        """Draw rotation, flip, scale and elastic deformation.

        Parameters
        ----------
        rng
            Source of chance.
        centre
            Middle of the crop, (2,), px of the recording.
        shape
            Height and width of the recording, px.
        settings
            Height and width of the crop, and how strongly it is deformed.
        finer
            Pixels of the recording in a pixel of the crop.
        """
        crop = settings.crop
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        stretch = SCALE ** rng.uniform(-1, 1) * np.exp(rng.uniform(-0.12, 0.12, 2))
        flip = np.diag([1.0, rng.choice([-1.0, 1.0])])
        matrix = turn @ flip @ np.diag(finer * stretch)
        # The centre stays so far inside that the crop shows mostly the recording.
        margin = 0.4 * crop * finer
        inside = [
            np.clip(c, min(margin, n / 2), max(n - margin, n / 2))
            for c, n in zip(centre, shape, strict=True)
        ]
        grid = np.indices((crop, crop)).reshape(2, -1) - (crop - 1) / 2
        source = (matrix @ grid).reshape(2, crop, crop) + np.reshape(inside, (2, 1, 1))
        if rng.random() < settings.elastic_share:
            nodes = settings.elastic_nodes
            coarse = rng.normal(0, settings.elastic, (2, nodes, nodes))
            spline = _spline(nodes, crop)
            source += spline @ coarse @ spline.T
        return cls(source)

    def apply(
        self, image: NDArray[np.float32], labels: NDArray[np.int32], drift: Floats
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Cut the crop out of one frame.

        Parameters
        ----------
        image
            Frame, (Y, X).
        labels
            Labels, (Y, X).
        drift
            Shift of this frame, (2,), px.

        Returns
        -------
        tuple
            Image and labels of the crop, (Y, X); labels are -1 outside the frame.
        """
        place = self.source + drift[:, None, None]
        seen = ndimage.map_coordinates(image, place, order=1, mode="reflect")
        nearest = np.rint(place).astype(int)  # labels are never mixed
        rows, columns = nearest
        inside = (
            (rows >= 0)
            & (rows < labels.shape[0])
            & (columns >= 0)
            & (columns < labels.shape[1])
        )
        found = np.full(rows.shape, -1, np.int32)
        found[inside] = labels[rows[inside], columns[inside]]
        return seen, found


@lru_cache
def _spline(nodes: int, size: int) -> Floats:
    """Matrix of cubic B-splines between nodes, as in Payer et al., (size, nodes)."""
    # The transform is separable and linear: that of unit vectors is all of it.
    zoomed: Floats = ndimage.zoom(np.eye(nodes), (size / nodes, 1), order=3)
    return zoomed


def drifts(count: int, rng: np.random.Generator, *, still: bool) -> Floats:
    """Shift of each frame of a clip, (T, 2), px: drift, jiggle, now and then a jump."""
    size = STILL_DRIFT if still else DRIFT
    steady = rng.normal(0, size, 2)
    shift = steady * np.arange(count)[:, None] + rng.normal(0, size / 2, (count, 2))
    if count > 1 and rng.random() < JUMPS:
        shift[rng.integers(1, count) :] += rng.normal(0, JUMP, 2)
    return shift
