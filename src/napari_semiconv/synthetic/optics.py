"""The simulated microscope and camera: from what is there to grey values."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .conditions import SyntheticSettings
from .drawing import Canvas, Image

# Side of the repeating texture tile that all cells of a movie cut their grain from, px.
TILE = 256


class Optics:
    """What stays the same in all frames of a movie, and the taking of a picture.

    Parameters
    ----------
    settings
        What the movie shows.
    rng
        Source of chance.
    """

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self._settings = settings
        self._rng = rng
        self._focus = 0.0
        self._light = rng.uniform(0, 2 * np.pi)
        self._flatness = rng.uniform(2, 7)
        self.tile = _texture(rng, settings.diameter)
        self._shade = _uneven_light(rng, settings)
        self._specks = _specks(rng, settings)

    def expose(self, paint: Canvas) -> NDArray[np.uint16]:
        """Take the picture of a frame, (Y, X)."""
        settings, rng = self._settings, self._rng
        if settings.kind == "phase":
            light, contrast = self._phase_contrast(paint), 0.3
        elif settings.kind in ("rods", "budding"):
            light, contrast = self._flat_in_halo(paint), 0.3
        elif settings.kind == "membranes":
            light, contrast = self._membranes(paint), 0.4
        elif settings.kind == "dic":
            light, contrast = self._relief(paint), 0.15
        else:
            light, contrast = self._fluorescence(paint), 0.5
        self._focus = 0.9 * self._focus + 0.4 * rng.normal(0, settings.focus_drift)
        light = ndimage.gaussian_filter(light, settings.blur + abs(self._focus))
        light = paint.crop(light) + contrast * self._specks
        light = np.maximum(light * self._shade, 0)
        # Half of the noise comes from the photons, half from the camera.
        noise = contrast / settings.signal / 2**0.5
        seen = rng.poisson(light / noise**2) * noise**2
        seen = seen + noise * rng.standard_normal(light.shape, np.float32)
        grey: NDArray[np.uint16] = np.clip(seen * 6000 + 500, 0, 65535).astype(
            np.uint16
        )
        return grey

    def _fluorescence(self, paint: Canvas) -> Image:
        """Glowing cells on a dark ground."""
        settings = self._settings
        inside = np.clip((1 - paint.level) * 4, 0, 1) ** 0.7
        grain = np.clip(1 + 0.35 * settings.texture * paint.grain, 0.25, 2.5)
        # Dark spots, as nucleoli are.
        grain *= 1 - 0.7 * settings.texture * np.clip(-1.2 - paint.grain, 0, 1)
        glow = inside * grain * (1 + 0.8 * paint.round) * paint.brightness
        if settings.kind == "elongated":
            glow *= 0.45 + 0.9 * np.exp(-3 * paint.level**2)
        light: Image = 0.15 + 0.5 * glow
        return light

    def _phase_contrast(self, paint: Canvas) -> Image:
        """Dark bodies within bright halos; rounded cells shine."""
        settings = self._settings
        thick = np.sqrt(np.clip(1 - paint.level**2, 0, 1))
        upright = np.maximum(paint.height, paint.round)
        body = thick * (0.6 + 0.9 * upright + 0.2 * settings.texture * paint.grain)
        halo = ndimage.gaussian_filter(body, settings.diameter / 5)
        lens = np.clip(upright - 0.3, 0, 1) * np.clip(1 - 1.4 * paint.level, 0, 1)
        light: Image = 1 - settings.polarity * (0.55 * body - 0.75 * halo) + 2 * lens
        return np.maximum(light, 0.05)

    def _flat_in_halo(self, paint: Canvas) -> Image:
        """Evenly dark or bright bodies, in a wide halo that fills gaps between them."""
        settings = self._settings
        body = np.clip((1 - paint.level) * 3, 0, 1)
        if settings.kind == "budding":
            # The wall is seen apart from what it holds.
            body *= 1 - 0.6 * np.clip((0.75 - paint.level) * 3, 0, 1)
        body *= 1 + 0.15 * settings.texture * paint.grain
        reach = settings.diameter * (0.25 + 0.04 * self._flatness)
        halo = ndimage.gaussian_filter(body, reach) * (paint.owner == 0)
        light: Image = 1 - settings.polarity * (0.6 * body - 0.9 * halo)
        return np.maximum(light, 0.05)

    def _membranes(self, paint: Canvas) -> Image:
        """Glowing rims around dark cells, as membranes that are stained."""
        settings = self._settings
        rim = np.exp(-(((paint.level - 0.93) / 0.12) ** 2)) * (paint.owner > 0)
        inside = 0.15 * (paint.owner > 0) * (1 + 0.5 * settings.texture * paint.grain)
        glow = (rim + np.clip(inside, 0, 1)) * paint.brightness**0.5
        light: Image = 0.15 + 0.5 * glow
        return light

    def _relief(self, paint: Canvas) -> Image:
        """Interference contrast: slopes lit aslant, or outlines alone."""
        settings = self._settings
        thick = (1 - np.clip(paint.level, 0, 1) ** self._flatness) ** 0.5
        grain = 0.12 * settings.texture * paint.grain * (paint.owner > 0)
        path = thick * (0.6 + 0.8 * paint.round + grain) + grain * paint.level
        path = ndimage.gaussian_filter(path, 1.0) * np.float32(settings.diameter / 10)
        down, right = np.gradient(path)
        slope = np.sin(self._light) * down + np.cos(self._light) * right
        edge = -1.5 * ndimage.laplace(ndimage.gaussian_filter(path, 1.0))
        light = settings.relief * slope + (1 - settings.relief) * edge
        grey: Image = 1 + 0.25 * np.tanh(1.5 * light)
        return grey


def _texture(rng: np.random.Generator, diameter: float) -> Image:
    """Grain in three sizes, of unit spread, with a few bright vesicles, (Y, X)."""
    noise = rng.standard_normal((TILE, TILE), np.float32)
    coarse = diameter / 8
    grain = ndimage.gaussian_filter(noise, coarse, mode="wrap") * coarse
    grain += ndimage.gaussian_filter(noise, coarse / 3, mode="wrap") * coarse / 5
    grain /= grain.std()
    vesicles = (rng.random((TILE, TILE)) < 0.1 / diameter).astype(np.float32)
    dot = ndimage.gaussian_filter(vesicles, max(diameter / 50, 0.7), mode="wrap")
    tile: Image = grain + rng.uniform(0, 4) * dot / max(float(dot.max()), 1e-6)
    return tile


def _uneven_light(rng: np.random.Generator, settings: SyntheticSettings) -> Image:
    y = np.linspace(-1, 1, settings.height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, settings.width, dtype=np.float32)
    a, b, c = rng.normal(0, 0.5, 3).astype(np.float32)
    shade = a * y + b * x + c * (y**2 + x**2)
    lit: Image = 1 + settings.shading * shade / max(float(np.abs(shade).max()), 1e-6)
    return lit


def _specks(rng: np.random.Generator, settings: SyntheticSettings) -> Image:
    """Dirt that lies still, far smaller than a cell, (Y, X)."""
    specks = np.zeros((settings.height, settings.width), np.float32)
    y = rng.integers(0, settings.height, settings.debris)
    x = rng.integers(0, settings.width, settings.debris)
    glow = rng.normal(0, 0.6, settings.debris)
    dark_too = settings.kind in ("phase", "dic")
    specks[y, x] = glow if dark_too else np.abs(glow)
    size = settings.diameter / 16 + 0.5
    blurred: Image = ndimage.gaussian_filter(specks, size) * (2 * np.pi * size**2)
    return blurred
