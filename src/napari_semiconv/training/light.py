"""How a clip is lit and seen: contrast, halos, dirt, dimness, noise.

All works on clips, (T, Y, X), whose grey levels are 0 at the median of the whole frame
and whose range in the whole frame is 1, and leaves labels as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grey = NDArray[np.float32]
Labels = NDArray[np.int32]
LEAST_BLUR = 0.3  # px
DIM = 0.3  # share of the clips with noise
EXTREME = 8.0  # ranges; no camera shows more, and powers of it stay finite


@dataclass(frozen=True)
class Sight:
    """What a change of light may look at.

    Parameters
    ----------
    labels
        Labels of the clip, (T, Y, X); 0 background, -1 not annotated.
    cell_size
        Diameter of a usual cell, px.
    blur
        Standard deviation of the strongest blur, px.
    """

    labels: Labels
    cell_size: float
    blur: float


Change = Callable[[Grey, Sight, np.random.Generator], Grey]


def change_light(
    images: Grey,
    levels: Sequence[tuple[float, float]],
    sight: Sight,
    rng: np.random.Generator,
) -> Grey:
    """Bring a clip to the normalised range and vary how it is seen.

    Parameters
    ----------
    images
        Frames, (T, Y, X), raw grey levels.
    levels
        Median and range of grey levels of each whole frame.
    sight
        Labels of the clip and the size of its cells.
    rng
        Source of chance.

    Returns
    -------
    NDArray
        (T, Y, X), range about 1.
    """
    middle = np.array([m for m, _ in levels], np.float32)[:, None, None]
    width = np.array([max(w, 1e-6) for _, w in levels], np.float32)[:, None, None]
    lit: Grey = np.clip((images - middle) / width, -EXTREME, EXTREME)
    for share, change in CHANGES:
        if rng.random() < share:
            lit = change(lit, sight, rng).astype(np.float32, copy=False)
    return lit


def bend_contrast(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Raise the grey levels above the darkest to a power of 0.25 to 3 (gamma)."""
    del sight
    low, high = np.percentile(lit[:, ::2, ::2], [0.5, 99.8])
    span = max(float(high - low), 0.3)
    power = np.exp(rng.uniform(np.log(0.25), np.log(3.0)))
    bent: Grey = np.clip((lit - low) / span, 0, 2) ** np.float32(power)
    # The median of the frame stays 0.
    bent -= np.float32(np.clip(-low / span, 0, 2) ** power)
    return np.float32(span) * bent


def invert(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Exchange bright and dark."""
    del sight, rng
    return -lit


def add_halos(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Put rims around cells, bright ones around dark cells: halos of phase contrast."""
    cells = sight.labels > 0
    beside = (sight.labels == 0) & (ndimage.uniform_filter(cells * 1.0, (0, 9, 9)) > 0)
    if not cells.any() or not beside.any():
        return lit
    contrast = float(lit[cells].mean() - lit[beside].mean())
    reach = sight.cell_size * rng.uniform(0.06, 0.25)
    rim = ndimage.gaussian_filter(cells.astype(np.float32), (0, reach, reach))
    strength = -np.sign(contrast) * rng.uniform(0.3, 2.0) * (abs(contrast) + 0.15)
    rim[cells] = 0
    ringed: Grey = lit + np.float32(strength) * rim
    return ringed


def add_debris(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Put dirt on the background: small sharp pieces, some bright, that lie still."""
    count = int(rng.integers(2, 16))
    sizes = sight.cell_size * rng.uniform(0.04, 0.2, count)
    glow = rng.choice([-1, 1, 1], count) * rng.uniform(0.2, 1.2, count)
    return lit + _blobs(lit.shape, _outside(sight, count, rng), sizes, glow, rng, 0.1)


def add_ghosts(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Put blobs far out of focus on the background, as large as cells and larger."""
    count = int(rng.integers(1, 6))
    sizes = sight.cell_size * rng.uniform(0.35, 0.9, count)
    sign = rng.choice([-1.0, 1.0])
    glow = sign * rng.uniform(0.1, 0.5, count)
    return lit + _blobs(lit.shape, _outside(sight, count, rng), sizes, glow, rng, 0.4)


def blur(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Take the clip out of focus."""
    width = rng.uniform(min(LEAST_BLUR, sight.blur), sight.blur)
    soft: Grey = ndimage.gaussian_filter(lit, (0, width, width))
    return soft


def flicker(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Vary strength and zero of the light, and a little from frame to frame."""
    del sight
    each = np.exp(rng.normal(0, 0.05, (len(lit), 1, 1)) + rng.normal(0, 0.25))
    return lit * each.astype(np.float32) + np.float32(rng.normal(0, 0.05))


def bleach(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Let the light fade from frame to frame."""
    del sight
    fading = np.exp(-rng.uniform(0.1, 0.4) * np.arange(len(lit))).astype(np.float32)
    faded: Grey = lit * fading[:, None, None]
    return faded


def shade(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Light the view unevenly: a curved surface on and under the cells."""
    del sight
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in lit.shape[1:])
    y = y[:, None]
    a, b, c, d, e = rng.normal(0, 1, 5).astype(np.float32)
    surface: Grey = a * y + b * x + c * y * y + d * x * x + e * x * y
    surface = surface / max(float(np.abs(surface).max()), 1e-6)
    times, plus = np.float32(rng.uniform(0, 0.6)), np.float32(rng.uniform(0, 0.3))
    uneven: Grey = lit * (1 + times * surface) + plus * surface
    return uneven


def expose(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Take the picture, with noise; of some clips in dim light."""
    return (dim if rng.random() < DIM else add_noise)(lit, sight, rng)


def add_noise(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Add noise up to as strong as the whole range: some cells are barely above it."""
    del sight
    strength = np.exp(rng.uniform(np.log(0.01), np.log(0.5)))
    return lit + np.float32(strength) * _grain(lit, 1.0, rng)


def dim(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Show cells in a small part of the range, a few grey levels above the noise.

    The rest of the range belongs to bright specks, in the clip or elsewhere in the
    frame. Noise and the steps of the camera come after dimming, and are not dimmed.
    """
    depth = np.exp(rng.uniform(np.log(0.03), np.log(0.5)))
    noise = depth * np.exp(rng.uniform(np.log(0.02), np.log(0.3)))
    dimmed = np.float32(depth) * lit
    if rng.random() < 0.6:
        dimmed = add_specks(dimmed, sight, rng)
    dimmed = dimmed + np.float32(noise) * _grain(lit, depth, rng)
    if rng.random() < 0.4:
        step = np.float32(depth / rng.uniform(4, 20))
        dimmed = np.round(dimmed / step) * step
    return dimmed


def add_specks(lit: Grey, sight: Sight, rng: np.random.Generator) -> Grey:
    """Put specks that outshine all cells anywhere, so that they set the range."""
    count = int(rng.integers(1, 9))
    sizes = rng.uniform(0.5, 0.09 * sight.cell_size, count)
    glow = rng.uniform(0.4, 1.5, count)
    places = rng.uniform(0, 1, (count, 2)) * lit.shape[1:]
    return lit + _blobs(lit.shape, places, sizes, glow, rng, 0.5)


# In the order in which light passes: sample, optics, lamp, camera.
CHANGES: tuple[tuple[float, Change], ...] = (
    (0.12, add_halos),
    (0.15, add_debris),
    (0.12, add_ghosts),
    (0.4, bend_contrast),
    (0.08, invert),
    (0.3, blur),
    (1.0, flicker),
    (0.1, bleach),
    (0.3, shade),
    (0.8, expose),
    (0.08, add_specks),
)


def _grain(lit: Grey, usual: float, rng: np.random.Generator) -> Grey:
    """Noise of unit spread, or stronger where light of the usual strength falls."""
    noise = rng.standard_normal(lit.shape, np.float32)
    if rng.random() < 0.5:
        # Rescaled camera noise is correlated; keep its strength after the blur.
        noise = ndimage.gaussian_filter(noise, (0, 0.7, 0.7))
        noise /= noise.std() + 1e-6
    if rng.random() < 0.5:
        noise = noise * np.sqrt(np.abs(lit) / np.float32(usual) + np.float32(0.1))
    return noise


def _outside(sight: Sight, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Places on the background away from cells, (N, 2), px; fewer where is no room."""
    free = ndimage.binary_erosion((sight.labels <= 0).all(0), iterations=3)
    there = np.flatnonzero(free.ravel())
    if not len(there):
        return np.zeros((0, 2))
    chosen = rng.choice(there, count)
    return np.stack(np.unravel_index(chosen, free.shape), 1).astype(float)


def _blobs(
    shape: tuple[int, ...],
    places: NDArray[np.float64],
    sizes: NDArray[np.float64],
    glow: NDArray[np.float64],
    rng: np.random.Generator,
    wander: float,
) -> Grey:
    """Uneven round blobs of given standard deviations, px, wandering, (T, Y, X)."""
    canvas = np.zeros(shape, np.float32)
    for place, size, light in zip(places, sizes, glow, strict=False):
        angle, oblong = rng.uniform(0, np.pi), rng.uniform(1, 1.25)
        steps = rng.normal(0, wander, (shape[0], 2)).cumsum(0)
        reach = int(np.ceil(3 * size * oblong))
        for t, (y, x) in enumerate(place + steps):
            rows = slice(max(0, int(y) - reach), max(0, int(y) + reach + 1))
            columns = slice(max(0, int(x) - reach), max(0, int(x) + reach + 1))
            part = canvas[t, rows, columns]
            if not part.size:
                continue
            dy = (np.arange(part.shape[0]) + rows.start - y)[:, None]
            dx = np.arange(part.shape[1]) + columns.start - x
            along = np.cos(angle) * dx + np.sin(angle) * dy
            across = np.cos(angle) * dy - np.sin(angle) * dx
            far = ((along / oblong) ** 2 + (across * oblong) ** 2) / (2 * size**2)
            part += np.float32(light) * np.exp(-far, dtype=np.float32)
    return canvas
