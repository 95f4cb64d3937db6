"""Draw what training does to its clips: ``python -m benchmarks.augmentations``.

A row for each change of light, on a simulated clip of each kind; cells are
outlined, and panels shown from their 0.5th to 99.8th percentile, as the network
normalises frames.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from napari_semiconv.synthetic import CELL_KINDS, SyntheticSettings, simulate
from napari_semiconv.training.clips import Clips
from napari_semiconv.training.light import CHANGES, Change, Sight, dim
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.simulated import simulated_recording

OUTPUT = Path(__file__).parents[1] / "docs" / "images" / "augmentation.png"
SIDE = 0.95  # inches of a panel
CELL = 24.0  # px
Panel = tuple[NDArray[np.float32], NDArray[np.int32]]


def main() -> None:
    """Draw all changes into one picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args()
    changes = [change for _, change in CHANGES if change.__name__ != "expose"]
    rows: list[tuple[str, Change | None]] = [("as it is", None)]
    rows += [(change.__name__.replace("_", " "), change) for change in (*changes, dim)]
    clips = [plain_clip(kind, options.seed) for kind in CELL_KINDS]
    panels = [
        (
            title,
            [changed(clip, change, options.seed + i) for i, clip in enumerate(clips)],
        )
        for title, change in rows
    ]
    panels.append(("all together", [drawn(kind, options.seed) for kind in CELL_KINDS]))
    draw(panels, options.output)


def plain_clip(kind: str, seed: int) -> Panel:
    """Frames of a simulated movie in their own range, (T, Y, X), and labels."""
    movie = simulate(
        SyntheticSettings(
            kind=kind,
            frames=3,
            height=128,
            width=128,
            cells=14,
            diameter=CELL,
            signal=15,
        ),
        seed,
    )
    images = movie.images.astype(np.float32)
    low, middle, high = np.percentile(images, [0.5, 50, 99.8])
    return (images - middle) / (high - low), movie.labels


def changed(clip: Panel, change: Change | None, seed: int) -> Panel:
    """Change the light of a clip; its last frame, (Y, X), and labels."""
    images, labels = clip
    if change is not None:
        sight = Sight(labels, CELL, 1.5)
        images = change(images, sight, np.random.default_rng(seed))
    return images[-1], labels[-1]


def drawn(kind: str, seed: int) -> Panel:
    """Draw a clip as training sees it; its last frame and labels."""
    settings = TrainSettings(seed=seed)
    movie = simulate(SyntheticSettings(kind=kind, frames=4, diameter=CELL), seed)
    recording = simulated_recording(movie, kind, 1.33 * CELL)
    clip = Clips([recording], settings, 2).draw(seed)
    return clip.images[-1, 0], clip.labels[-1].astype(np.int32)


def draw(rows: Sequence[tuple[str, list[Panel]]], path: Path) -> None:
    """Draw panels in rows with their titles."""
    wide, high = len(rows[0][1]), len(rows)
    figure = Figure(figsize=(SIDE * wide + 1, SIDE * high))
    FigureCanvasAgg(figure)
    axes = figure.subplots(high, wide)
    for line, (title, panels) in zip(axes, rows, strict=True):
        for place, (image, labels) in zip(line, panels, strict=True):
            low, top = np.percentile(image, [0.5, 99.8])
            place.imshow(image, cmap="gray", vmin=low, vmax=top)
            place.contour(labels > 0, [0.5], colors="#ffcc00", linewidths=0.4)
            place.set(xticks=[], yticks=[])
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=7)
    figure.subplots_adjust(0.2, 0, 1, 1, 0.02, 0.02)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=64)


if __name__ == "__main__":
    main()
