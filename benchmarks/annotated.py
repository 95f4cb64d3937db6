"""Real movies and stills with their truth, and which of their frames are held out."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2gray

from napari_semiconv.errors import BadSettingsError
from napari_semiconv.io.cells.ctc.folder import Truth
from napari_semiconv.training.truth import held_out_frames as training_holds_out

ROOT = Path(__file__).resolve().parents[1]
# Never trained on: this share of the frames at the end of a movie, and of the stills.
HELD_OUT = 0.2
EVERY = 5


@dataclass(frozen=True)
class Video:
    """A Cell Tracking Challenge sequence: images and truth.

    Parameters
    ----------
    name
        Name of the data set, and of the sequence where there are several.
    images
        Folder of the frames.
    truth
        Folder of the truth, with ``TRA`` and ``SEG``.
    """

    name: str
    images: Path
    truth: Path

    @property
    def silver(self) -> Path:
        """Folder of the silver truth; it need not exist."""
        return self.truth.with_name(self.truth.name.replace("_GT", "_ST"))


@dataclass(frozen=True)
class Stills:
    """Single images with outlines of all cells.

    Parameters
    ----------
    name
        Name of the data set.
    images, labels
        Folders with files of the same names.
    """

    name: str
    images: Path
    labels: Path

    def files(self) -> list[str]:
        """Name the files, in order."""
        return sorted(path.name for path in self.labels.glob("*.tif"))

    def held_out(self) -> list[str]:
        """Name the files that are never trained on."""
        return self.files()[EVERY - 1 :: EVERY]


def held_out_frames(count: int) -> range:
    """Frames of a movie that are never trained on."""
    return range(count - round(HELD_OUT * count), count)


def held_out_outlines(truth: Truth, count: int) -> range:
    """Outlined frames before the end of a movie that are never trained on."""
    outlined = [t in truth.outlines for t in range(count)]
    aside = training_holds_out(outlined, HELD_OUT) - set(held_out_frames(count))
    return range(min(aside), max(aside) + 1) if aside else range(0)


def as_grey(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Turn a colour still, (Y, X, C), into grey levels, (Y, X); grey ones stay."""
    return np.asarray(rgb2gray(image)) if image.ndim == 3 else image


def data_folder() -> Path:
    """Where the real data lie, if they are here."""
    return Path(os.environ.get("SEMICONV_DATA", ROOT.parent / "shared" / "data"))


def find_annotated(folder: Path, wanted: str | None) -> list[Video | Stills]:
    """Find movies and stills with their truth.

    Parameters
    ----------
    folder
        Where the data sets lie, one folder each.
    wanted
        Names with commas, or beginnings of names; all if None.

    Raises
    ------
    BadSettingsError
        When one of the names is not there.
    """
    found = [item for place in sorted(folder.glob("*/")) for item in _in(place)]
    if wanted is None:
        return found
    chosen: list[Video | Stills] = []
    for name in wanted.split(","):
        matching = [item for item in found if item.name.startswith(name)]
        if not matching:
            known = ", ".join(item.name for item in found) or "nothing"
            raise BadSettingsError(f"Video '{name}': expected one of {known}.")
        chosen += matching
    return chosen


def _in(place: Path) -> Iterator[Video | Stills]:
    if (place / "labels").is_dir():
        yield Stills(place.name, place / "images", place / "labels")
    truths = sorted(place.glob("[0-9][0-9]_GT"))
    for truth in truths:
        sequence = truth.name[:2]
        name = place.name if len(truths) == 1 else f"{place.name}/{sequence}"
        yield Video(name, place / sequence, truth)
