"""Outlines of cells as a zip of ImageJ regions of interest."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from roifile import ImagejRoi
from skimage.measure import find_contours

from ...errors import SaveError
from ...labels import Labels, boxes_in
from .staging import new_target
from .tracked import TrackedMovie

# Whole coordinates above are stored as if they were negative.
LARGEST_SIDE = 60_000
LEAST_DIGITS = 4


def is_rois(path: Path) -> bool:
    """Tell whether a file is a zip whose first member is a region of ImageJ."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".roi") for name in archive.namelist()[:1])
    except zipfile.BadZipFile:
        return False


def write_rois(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the outline of every cell in every frame into a new zip.

    ``T0001-C0012`` is the cell with label 12 in the first frame; its further pieces, if
    it has some, end in ``-2``, ``-3``, ... Holes are filled.

    Parameters
    ----------
    tracked
        What to write.
    target
        The file, ``NAME.zip``; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the file exists, frames are too large for the format, or the disk fails.
    """
    if max(tracked.frame_shape) > LARGEST_SIDE:
        raise SaveError(
            f"{target.name}: expected frames of at most {LARGEST_SIDE} px a side, all "
            f"that ImageJ regions can hold, found {max(tracked.frame_shape)}. Save the "
            f"labels as TIFF."
        )
    count = len(tracked)
    digits = max(LEAST_DIGITS, len(str(count)))
    with (
        new_target(target) as draft,
        zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for frame in range(count):
            moment = f"T{frame + 1:0{digits}d}"
            place = _place(tracked, frame)
            for cell, outline in outlines(tracked.read(frame)):
                name = f"{moment}-C{cell}"
                roi = ImagejRoi.frompoints(outline, name=name, **place)
                archive.writestr(f"{name}.roi", roi.tobytes())
            if progress is not None:
                progress(frame + 1, count)


def outlines(labels: Labels) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Trace the cells of a frame, each connected piece for itself.

    The outline runs between the centres of the pixels inside and those outside, so
    that a program that fills it paints exactly the pixels of the piece, holes filled.
    Pixels that touch at a corner belong together.

    Parameters
    ----------
    labels
        Labels, (Y, X); 0 is background.

    Yields
    ------
    tuple
        Label with at least four digits and, from the second piece on, the number of
        the piece; and the corners, (N, 2), x before y, in px, where the first pixel
        reaches from 0, 0 to 1, 1 as in ImageJ.
    """
    for cell, box in boxes_in(labels).items():
        mask = np.pad(labels[box] == cell, 1)
        # Half a pixel: contours count from the centre of the first pixel, not its edge.
        corner = [side.start - 0.5 for side in box]
        label = f"{cell:0{LEAST_DIGITS}d}"
        for piece, contour in enumerate(_outer_contours(mask), 1):
            name = label if piece == 1 else f"{label}-{piece}"
            yield name, (contour + corner)[:, ::-1].astype(np.float32)


def _outer_contours(mask: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
    """Corners, (N, 2), y before x, of each piece of a mask that touches no border."""
    for contour in find_contours(mask, 0.5, fully_connected="high"):
        y, x = contour.T
        # Around a hole it runs the other way.
        if y[1:] @ x[:-1] <= x[1:] @ y[:-1]:
            continue
        steps = contour[1:] - contour[:-1]
        following = np.concatenate((steps[1:], steps[:1]))
        turns = steps[:, 0] * following[:, 1] != steps[:, 1] * following[:, 0]
        yield contour[1:][turns]


def _place(tracked: TrackedMovie, frame: int) -> dict[str, int]:
    """Say where ImageJ shows a region: by slice, or by frame where there is more.

    A stack of frames alone knows slices only; in one with channels or z slices the
    number of the slice would be another.
    """
    movie = tracked.movie
    plain = movie is None or movie.size("C") * movie.size("Z") == 1
    return {"position": frame} if plain else {"t": frame}
