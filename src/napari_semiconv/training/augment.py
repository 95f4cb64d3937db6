"""Augmentation: one spatial transform for a clip, light that changes with time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .settings import TrainSettings

Floats = NDArray[np.float64]
DRIFT = 1.0  # px per frame, of movies
LEAST_BLUR = 0.3  # px
STILL_DRIFT = 3.0  # px per frame, of stills made into movies


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
        stretch = np.exp(rng.uniform(-0.35, 0.35) + rng.uniform(-0.12, 0.12, 2))
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
            # Cubic B-splines between the nodes, as in Payer et al.
            fine = crop / nodes
            source += ndimage.zoom(coarse, (1, fine, fine), order=3)
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


def drifts(count: int, rng: np.random.Generator, *, still: bool) -> Floats:
    """Shift of each frame of a clip, (T, 2), px: a steady drift and a jiggle."""
    size = STILL_DRIFT if still else DRIFT
    steady = rng.normal(0, size, 2)
    return steady * np.arange(count)[:, None] + rng.normal(0, size / 2, (count, 2))


def change_light(
    images: NDArray[np.float32],
    levels: Sequence[tuple[float, float]],
    rng: np.random.Generator,
    most_blur: float = 1.5,
) -> NDArray[np.float32]:
    """Bring a clip to the normalised range and vary contrast, sharpness and noise.

    Parameters
    ----------
    images
        Frames, (T, Y, X), raw grey levels.
    levels
        Median and range of grey levels of each whole frame.
    rng
        Source of chance.
    most_blur
        Standard deviation of the strongest blur, px.

    Returns
    -------
    NDArray
        (T, Y, X), range about 1.
    """
    middle = np.array([m for m, _ in levels], np.float32)[:, None, None]
    width = np.array([max(w, 1e-6) for _, w in levels], np.float32)[:, None, None]
    lit = (images - middle) / width
    if rng.random() < 0.5:
        power = np.exp(rng.uniform(-0.5, 0.5))
        lit = np.sign(lit) * np.abs(lit) ** power
    if rng.random() < 0.08:
        lit = -lit
    if rng.random() < 0.3:
        blur = rng.uniform(min(LEAST_BLUR, most_blur), most_blur)
        lit = ndimage.gaussian_filter(lit, (0, blur, blur))
    lit = lit * np.exp(rng.normal(0, 0.25)) + rng.normal(0, 0.05)
    lit = lit * np.exp(rng.normal(0, 0.05, (len(lit), 1, 1)))
    if rng.random() < 0.3:
        ramp = (
            rng.normal(0, 0.15, (3, 1, 1))
            * np.indices(lit.shape[1:])[[0, 1, 0]]
            / lit.shape[1]
        )
        lit = lit + ramp[0] + ramp[1]
    return _with_noise(lit, rng).astype(np.float32)


def _with_noise(
    lit: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    if rng.random() < 0.25:
        return lit
    # Up to noise as strong as the whole range: dim movies show cells barely above it.
    strength = np.exp(rng.uniform(np.log(0.01), np.log(0.6)))
    noise = rng.standard_normal(lit.shape, np.float32)
    if rng.random() < 0.5:
        # Rescaled camera noise is correlated; keep its strength after the blur.
        noise = ndimage.gaussian_filter(noise, (0, 0.7, 0.7))
        noise /= noise.std() + 1e-6
    if rng.random() < 0.5:
        noise = noise * np.sqrt(np.abs(lit) + 0.1)
    return lit + np.float32(strength) * noise
