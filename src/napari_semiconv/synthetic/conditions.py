"""What a simulated movie shows and how well it can be seen."""

from typing import Any, Literal

import numpy as np

from ..settings import Settings, setting

CellKind = Literal[
    "nuclei", "elongated", "phase", "dic", "rods", "budding", "membranes"
]
CELL_KINDS: tuple[CellKind, ...] = (
    "nuclei", "elongated", "phase", "dic", "rods", "budding", "membranes",
)  # fmt: skip

# Smallest and largest usual diameter, px, and least and most share of the view covered.
_RANGES: dict[CellKind, tuple[tuple[float, float], tuple[float, float]]] = {
    "nuclei": ((14, 60), (0.08, 0.5)),
    "elongated": ((24, 60), (0.05, 0.2)),
    "phase": ((10, 32), (0.08, 0.6)),
    "dic": ((36, 90), (0.4, 0.85)),
    "rods": ((10, 24), (0.04, 0.3)),
    "budding": ((14, 40), (0.1, 0.55)),
    "membranes": ((20, 60), (0.4, 0.9)),
}


class SyntheticSettings(Settings):
    """What a simulated movie shows and how well it can be seen."""

    kind: CellKind = setting("nuclei", "Kind", "Cells and microscope to imitate.")
    frames: int = setting(10, "Frames", "Length of the movie.", "frames", ge=1)
    height: int = setting(256, "Height", "Height of a frame.", "px", ge=16)
    width: int = setting(256, "Width", "Width of a frame.", "px", ge=16)
    cells: int = setting(25, "Cells", "Cells in view at the start, about.", ge=0)
    diameter: float = setting(30.0, "Diameter", "Of a usual cell.", "px", ge=6)
    speed: float = setting(
        0.15, "Speed", "Way of a cell from frame to frame.", "cells", ge=0, le=1
    )
    persistence: float = setting(
        0.6, "Persistence", "How much of its direction a cell keeps.", ge=0, lt=1
    )
    cycle: float = setting(
        30.0, "Cell cycle", "Time from division to division.", "frames", ge=4
    )
    elongation: float = setting(
        1.2, "Elongation", "Usual length over width of a cell.", ge=1, le=4
    )
    roughness: float = setting(
        0.25, "Roughness", "How far outlines depart from ellipses.", ge=0, le=0.6
    )
    texture: float = setting(
        0.5, "Texture", "Strength of the grain inside cells.", ge=0, le=1
    )
    spread: float = setting(
        3.0, "Brightness spread", "Brightest over darkest cell.", ge=1, le=20
    )
    signal: float = setting(
        8.0, "Signal to noise", "Contrast of a usual cell over the noise.", gt=0
    )
    blur: float = setting(1.2, "Blur", "Width of the point spread.", "px", ge=0)
    focus_drift: float = setting(
        0.0, "Focus drift", "How far the blur wanders over the movie.", "px", ge=0
    )
    shading: float = setting(
        0.2, "Shading", "Unevenness of the illumination.", ge=0, le=0.8
    )
    debris: int = setting(
        3, "Debris", "Specks in view that lie still and are no cells.", ge=0
    )
    polarity: float = setting(
        1.0,
        "Polarity",
        "Phase contrast: 1 is dark bodies in bright halos, -1 the reverse.",
        ge=-1,
        le=1,
    )
    relief: float = setting(
        0.8,
        "Relief",
        "Interference contrast: 1 is lit from one side, 0 only outlines.",
        ge=0,
        le=1,
    )


def random_settings(
    seed: int, kind: CellKind | None = None, frames: int = 10, side: int = 256
) -> SyntheticSettings:
    """Draw settings of a plausible movie, so that training meets many conditions.

    Parameters
    ----------
    seed
        The same seed gives the same settings.
    kind
        Cells to imitate; any when None.
    frames
        Length of the movie, frames.
    side
        Height and width of a frame, px.
    """
    rng = np.random.default_rng(seed)
    kind = kind or CELL_KINDS[int(rng.integers(len(CELL_KINDS)))]
    (low, high), cover = _RANGES[kind]
    diameter = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    share = rng.uniform(*cover)
    return SyntheticSettings(
        kind=kind,
        frames=frames,
        height=side,
        width=side,
        diameter=diameter,
        cells=max(2, round(share * side**2 / (np.pi / 4 * diameter**2))),
        **_cell_habits(rng, kind),
        **_optics(rng, kind),
    )


def _cell_habits(rng: np.random.Generator, kind: CellKind) -> dict[str, Any]:
    slowest = 0.3 if kind in ("dic", "rods", "budding") else 1.0
    return {
        "speed": float(rng.choice([0.03, 0.08, 0.15, 0.3]) * rng.uniform(0.6, 1.5))
        * slowest,
        "persistence": float(rng.uniform(0.2, 0.9)),
        "cycle": float(rng.uniform(12, 60)),
        "elongation": float(rng.uniform(1, 2.6 if kind == "phase" else 1.5)),
        "roughness": float(rng.uniform(0.05, 0.4)) * (0.3 if kind == "budding" else 1),
    }


def _optics(rng: np.random.Generator, kind: CellKind) -> dict[str, Any]:
    noisiest = 1.5 if kind in ("nuclei", "elongated", "membranes") else 3.0
    return {
        "texture": float(rng.uniform(0.1, 1.0)),
        "spread": float(rng.uniform(1.2, 8)),
        "signal": float(np.exp(rng.uniform(np.log(noisiest), np.log(25)))),
        "blur": float(rng.uniform(0.6, 2.0)),
        "focus_drift": float(rng.choice([0.0, 0.0, 1.0])),
        "shading": float(rng.uniform(0, 0.5)),
        "debris": int(rng.integers(0, 12)),
        "polarity": float(rng.choice([1.0, 0.8, -0.4, -1.0])),
        "relief": float(rng.choice([1.0, 0.8, 0.5, 0.2, 0.0])),
    }
