"""Annotated movies and stills as training material, with what is not annotated marked.

Follows the sparse-truth rules of Payer et al.: where only some cells have outlines, the
markers of the others serve as masks, and background counts only where it is certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import regionprops
from skimage.transform import resize

from ..errors import BadInputError
from ..io.cells.ctc.folder import MaskFiles, find_truth
from ..io.movies.opener import open_movie
from ..network.frames import finite

Labels = NDArray[np.int32]
Image = NDArray[np.float32]
UNKNOWN = -1
WHOLE = 0.85  # share of outlined pixels that whole tracked masks cover
REACH = 0.75  # of a long cell's length: how far a cell may reach beyond its marker


@dataclass
class Recording:
    """A movie or still with its truth, with cells no larger than needed.

    Parameters
    ----------
    name
        Folder it was read from.
    images
        Frames, each (Y, X).
    labels
        Track labels of each frame, (Y, X); 0 background, -1 not annotated.
    outlined
        Whether each frame holds true outlines, not only markers.
    table
        Label, first frame, last frame and parent of each track, (N, 4).
    cell_size
        Diameter of a usual cell, px.
    """

    name: str
    images: list[Image]
    labels: list[Labels]
    outlined: list[bool]
    table: NDArray[np.int64]
    cell_size: float

    def parents(self) -> dict[int, int]:
        """Parent of each track that has one."""
        return {int(row[0]): int(row[3]) for row in self.table if row[3]}


def read_recordings(
    folders: Sequence[Path], held_out: float, size: float
) -> tuple[list[Recording], list[Recording]]:
    """Read annotated folders and set the held-out part of each aside.

    Parameters
    ----------
    folders
        Cell Tracking Challenge folders (with ``01`` and ``01_GT``), or folders with
        ``images`` and ``labels`` of the same file names.
    held_out
        Share of the frames at the end of a movie, and of the stills, set aside.
    size
        Diameter to which larger cells are rescaled, px; smaller ones stay as they are.

    Returns
    -------
    tuple
        Recordings to train on, and held out.

    Raises
    ------
    BadInputError
        When a folder is of neither kind, or holds no outline of a cell.
    """
    train: list[Recording] = []
    held: list[Recording] = []
    for folder in folders:
        if not folder.is_dir():
            raise BadInputError(
                f"{folder}: expected a folder of annotated movies or stills, found "
                f"none. Check the path."
            )
        if (folder / "labels").is_dir():
            stills = _read_stills(folder, size)
            every = round(1 / held_out) if held_out else 0
            for place, still in enumerate(stills, 1):
                if still is not None:
                    (held if every and place % every == 0 else train).append(still)
            continue
        movies = sorted(p for p in folder.glob("[0-9][0-9]_GT") if p.is_dir())
        if not movies:
            raise BadInputError(
                f"{folder}: expected sub-folders 01 and 01_GT, or images and labels, "
                f"found neither. Arrange the annotated movie in one of these ways."
            )
        for truth in movies:
            whole, gold = _read_movie(truth.with_name(truth.name[:2]), size)
            aside = held_out_frames(gold, held_out)
            train += _runs(whole, [t not in aside for t in range(len(whole.images))])
            held += _runs(whole, [t in aside for t in range(len(whole.images))])
    return train, held


def held_out_frames(outlined: Sequence[bool], share: float) -> set[int]:
    """Choose the frames of a movie that are never trained on.

    The last frames of the movie; where none of these has outlines, the last of the
    outlined frames as well, so that outlines too can be scored on unseen frames.

    Parameters
    ----------
    outlined
        Whether each frame holds true outlines.
    share
        Share to set aside.

    Returns
    -------
    set
        Indices of frames.
    """
    count = len(outlined)
    aside = set(range(count - round(share * count), count))
    known = [t for t, has in enumerate(outlined) if has]
    if aside and not aside.intersection(known):
        kept = known[: len(known) - round(share * len(known))]
        aside |= set(range(kept[-1] + 1, known[-1] + 1)) if kept else set()
    return aside


def _runs(whole: Recording, chosen: Sequence[bool]) -> list[Recording]:
    edges = np.flatnonzero(np.diff([False, *chosen, False]))
    return [part_of(whole, a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def part_of(whole: Recording, begin: int, end: int) -> Recording:
    """Cut frames ``begin`` to ``end`` (exclusive) out of a recording."""
    return Recording(
        whole.name,
        whole.images[begin:end],
        whole.labels[begin:end],
        whole.outlined[begin:end],
        whole.table,
        whole.cell_size,
    )


def _read_stills(folder: Path, size: float) -> list[Recording | None]:
    """Read the stills in order of name; None stands for one without cells."""
    stills: list[Recording | None] = []
    for path in sorted((folder / "labels").iterdir()):
        labels = _single(path).astype(np.int32)
        areas = np.bincount(labels.ravel())[1:]
        if not areas.any():
            stills.append(None)
            continue
        image = finite(_single(folder / "images" / path.name))
        if image.shape != labels.shape:
            raise BadInputError(
                f"{path}: expected labels of the size of the image of that name, "
                f"{image.shape}, found {labels.shape}. Put the right pair there."
            )
        diameter = _diameter(areas[areas > 0])
        factor = min(size / diameter, 1.0)
        still = Recording(
            folder.name,
            [rescale(image, factor)],
            [rescale_labels(labels, factor)],
            [True],
            np.zeros((0, 4), np.int64),
            factor * diameter,
        )
        stills.append(still)
    return stills


def _single(path: Path) -> NDArray[Any]:
    """Read a still, (Y, X); a stack is refused, not cut to its first frame."""
    movie = open_movie(path)
    if len(movie) > 1:
        raise BadInputError(
            f"{path}: expected a single image, found {len(movie)} frames. Arrange "
            f"movies as Cell Tracking Challenge folders, 01 and 01_GT."
        )
    return movie.frame(0)


def _read_movie(images: Path, size: float) -> tuple[Recording, list[bool]]:
    """Read a movie, and which of its frames have gold outlines."""
    movie, truth = open_movie(images), find_truth(images)
    if truth.tracks is None or not truth.outlines:
        raise BadInputError(
            f"{images}: expected its truth in {images.name}_GT/TRA, and outlines of "
            f"cells in {images.name}_GT/SEG, found one missing. Outline the cells of "
            f"a few frames first."
        )
    cells = [
        cell
        for t in list(truth.outlines)[::4]
        for cell in regionprops(truth.outlines[t].astype(np.int32))
    ]
    diameter = _diameter(np.array([cell.area for cell in cells]))
    factor = min(size / diameter, 1.0)
    reach = REACH * float(np.percentile([cell.axis_major_length for cell in cells], 90))
    whole = all(
        are_outlines(truth.tracks.labels(t), o) for t, o in truth.outlines.items()
    )
    silver = None if whole else _silver(images)
    merger = Merger(reach, first=int(truth.tracks.table[:, 0].max(initial=0)) + 1)
    frames, labels = [], []
    for t in range(len(movie)):
        merged = truth.tracks.labels(t).astype(np.int32)
        if not whole and t not in truth.outlines and silver and t in silver:
            merged = merger.merge(merged, silver[t], unsure=True)
        elif not whole:
            merged = merger.merge(merged, truth.outlines.get(t))
        frames.append(rescale(finite(movie.frame(t)), factor))
        labels.append(rescale_labels(merged, factor))
    gold = [whole or t in truth.outlines for t in range(len(movie))]
    outlined = [has or bool(silver and t in silver) for t, has in enumerate(gold)]
    recording = Recording(
        images.parent.name,
        frames,
        labels,
        outlined,
        truth.tracks.table,
        factor * diameter,
    )
    return recording, gold


def _silver(images: Path) -> MaskFiles | None:
    """Outlines made by computers, for frames without others; None without any."""
    folder = images.with_name(f"{images.name}_ST") / "SEG"
    return find_truth(images, silver=True).outlines if folder.is_dir() else None


def are_outlines(markers: NDArray[Any], outline: NDArray[Any]) -> bool:
    """Whether tracked masks cover the outlined cells, (Y, X): they are outlines."""
    cells = outline > 0
    return not cells.any() or float((markers[cells] > 0).mean()) > WHOLE


class Merger:
    """Joins tracked markers and outlines, frame by frame, into one label image.

    Each outline takes the track it overlaps most; an outline without a track keeps one
    number of its own from frame to frame; markers without an outline stay as masks.
    Pixels that could belong to a cell known only by its marker become -1.

    Parameters
    ----------
    reach
        How far a cell may reach beyond its marker, px.
    first
        First number that no track has.
    """

    def __init__(self, reach: float, first: int) -> None:
        self._reach, self._first, self._fresh = reach, first, first
        self._before: Labels | None = None

    def merge(
        self, markers: Labels, outline: NDArray[Any] | None, *, unsure: bool = False
    ) -> Labels:
        """Join the truth of the next frame.

        Parameters
        ----------
        markers
            Track labels, (Y, X); whole masks or small markers.
        outline
            Outlines with labels of their own, (Y, X); None when the frame has none.
        unsure
            Whether the outlines were made by computers: a cell that these did not
            outline counts as not annotated, marker and all.

        Returns
        -------
        Labels
            Track labels, (Y, X); 0 background, -1 not annotated.
        """
        merged, bare = markers.copy(), markers > 0
        self._before, before = None, self._before
        if outline is not None:
            painted = self._tracks_of(outline, markers, before)
            self._before = painted
            known = np.isin(markers, np.unique(painted[painted > 0])) & (markers > 0)
            bare &= ~known & (outline == 0)
            # What a marker covers beyond the outline of its cell belongs to nobody.
            merged = np.where(outline > 0, painted, np.where(known, UNKNOWN, markers))
        if bare.any():
            near = ndimage.distance_transform_edt(~bare) <= self._reach
            merged[near & (merged == 0)] = UNKNOWN
            if unsure:
                merged[bare] = UNKNOWN
        return merged

    def _tracks_of(
        self, outline: NDArray[Any], markers: Labels, before: Labels | None
    ) -> Labels:
        """Paint each outline with its track, or with a number of its own."""
        lookup = np.zeros(int(outline.max()) + 1, np.int32)
        taken: set[int] = set()
        for label, track in _by_overlap(outline, markers):
            if not lookup[label] and track not in taken:
                lookup[label] = track
                taken.add(track)
        if before is not None:
            for label, track in _by_overlap(outline, before):
                if not lookup[label] and track >= self._first and track not in taken:
                    lookup[label] = track
                    taken.add(track)
        new = [n for n in np.unique(outline[outline > 0]) if not lookup[n]]
        lookup[new] = np.arange(self._fresh, self._fresh + len(new))
        self._fresh += len(new)
        painted: Labels = lookup[outline]
        return painted


def _by_overlap(one: NDArray[Any], other: Labels) -> list[tuple[int, int]]:
    """Pairs of labels that share pixels, the largest overlap first."""
    both = (one > 0) & (other > 0)
    pairs, count = np.unique(
        np.stack([one[both], other[both]]).astype(np.int64), axis=1, return_counts=True
    )
    order = np.argsort(-count, kind="stable")
    return [(int(a), int(b)) for a, b in pairs[:, order].T]


def rescale(image: Image, factor: float) -> Image:
    """Rescale an image, (Y, X), by a factor, averaging where it shrinks."""
    if factor == 1:
        return image
    shape = [max(1, round(n * factor)) for n in image.shape]
    small: Image = resize(
        image, shape, order=1, anti_aliasing=factor < 1, preserve_range=True
    ).astype(np.float32)
    return small


def rescale_labels(labels: Labels, factor: float) -> Labels:
    """Rescale a label image, (Y, X), by a factor, without mixing labels."""
    shape = [max(1, round(n * factor)) for n in labels.shape]
    rows, columns = (
        np.minimum(((np.arange(m) + 0.5) * n / m).astype(int), n - 1)
        for m, n in zip(shape, labels.shape, strict=True)
    )
    return labels[np.ix_(rows, columns)]


def _diameter(areas: NDArray[np.int64]) -> float:
    return float(np.sqrt(4 * np.median(areas) / np.pi))
