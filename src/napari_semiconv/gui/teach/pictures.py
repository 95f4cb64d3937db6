"""Pictures of what a model found before and after it was taught, read from its folder.

The file may come from anywhere: what is too large or does not fit is not shown.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError, BadModelError
from ...guard import read_arrays
from ...teaching.record import PICTURES

# Bytes of the file once unpacked, and pictures in it, that are read at the most.
LARGEST, MOST = 1 << 28, 12
# Least height and width of what is shown, and room around the cells held out, px.
LEAST, MARGIN = 64, 16
# Share of the darkest and brightest pixels that need not be told apart.
CLIPPED = 0.002
PARTS = ("image", "truth", "before", "after", "name")


@dataclass(frozen=True, eq=False)
class CheckPicture:
    """What two models found around cells that neither learned from.

    Parameters
    ----------
    name
        Which frame it is.
    image
        Brightness, (Y, X).
    truth
        Labels as the user outlined them, (Y, X); -1 where nothing is known.
    before, after
        Labels that the model found before and after it was taught, (Y, X).
    """

    name: str
    image: NDArray[np.uint8]
    truth: NDArray[np.int32]
    before: NDArray[np.int32]
    after: NDArray[np.int32]

    @property
    def corrected(self) -> bool:
        """Whether the user outlined cells here; if not, it is only to be looked at."""
        return bool((self.truth > 0).any())

    def caption(self) -> str:
        """Say what is seen."""
        if not self.corrected:
            return f"{self.name}: nobody corrected it. Before | now."
        return f"{self.name}: cells it did not learn from. Before | now."


def read_pictures(folder: Path) -> tuple[CheckPicture, ...]:
    """Read the pictures of a model folder; none when it has none.

    Raises
    ------
    BadModelError
        When the file is damaged, or holds something else.
    """
    path = folder / PICTURES
    if not path.exists():
        return ()
    try:
        file = read_arrays(path, LARGEST)
        # A list of names, of which some might be given twice, is not trusted.
        count = sum(f"image{n}" in file for n in range(MOST))
        return tuple(
            _picture({part: file[f"{part}{n}"] for part in PARTS}) for n in range(count)
        )
    except (BadInputError, ValueError, LookupError, TypeError) as error:
        raise BadModelError(
            f"Its pictures cannot be shown: the file is damaged "
            f"({type(error).__name__}). The model is not affected."
        ) from error


def _picture(parts: dict[str, NDArray[np.generic]]) -> CheckPicture:
    image, labels = parts["image"], [parts[name] for name in PARTS[1:4]]
    fits = image.ndim == 2 and min(image.shape) > 0 and image.dtype.kind in "fiub"
    if not fits or any(
        part.shape != image.shape or part.dtype.kind not in "iu" for part in labels
    ):
        raise ValueError("no images")
    rows, columns = _window(labels[0])
    cut = [np.asarray(part[rows, columns], np.int32) for part in labels]
    name = str(parts["name"])[:80]
    return CheckPicture(name, _bright(image[rows, columns]), *cut)


def _window(truth: NDArray[np.generic]) -> tuple[slice, slice]:
    """Rows and columns around the cells that are outlined; all where none is."""
    marked = np.asarray(truth) > 0
    if not marked.any():
        return slice(None), slice(None)
    found = []
    for axis in (1, 0):
        places = np.flatnonzero(marked.any(axis))
        first, last = int(places[0]) - MARGIN, int(places[-1]) + 1 + MARGIN
        missing = max(0, LEAST - (last - first))
        first, last = first - missing // 2, last + (missing + 1) // 2
        found.append(slice(max(0, first), last))
    return found[0], found[1]


def _bright(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    values = np.nan_to_num(np.asarray(image, np.float64))
    low, high = np.quantile(values, (CLIPPED, 1 - CLIPPED))
    scaled = (values - low) / max(high - low, 1e-12)
    bright: NDArray[np.uint8] = (255 * np.clip(scaled, 0, 1)).astype(np.uint8)
    return bright


def outline(labels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Lines around the cells of labels, (Y, X), that are shown at another size."""
    shown = sampled(labels, shape)
    shown = np.where(shown > 0, shown, 0)
    padded = np.pad(shown, 1)
    middle = padded[1:-1, 1:-1]
    edge = np.zeros(shape, bool)
    for other in (
        padded[:-2, 1:-1],
        padded[2:, 1:-1],
        padded[1:-1, :-2],
        padded[1:-1, 2:],
    ):
        edge |= other != middle
    return edge & (middle > 0)


def sampled(pixels: NDArray[np.int32], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Take the nearest pixels, for a picture of a height and width."""
    sizes = zip(shape, pixels.shape, strict=True)
    rows, columns = (np.arange(new) * old // new for new, old in sizes)
    return pixels[np.ix_(rows, columns)]
