"""The published end of a run: what becomes of the tracks once all frames are seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from ....labels import Integers, Labels
from ....settings import PayerSettings
from .chain import Shelf

# Least IoU of a parent with the copies of its newborn (Payer et al. 2018, 2019).
PARENT_IOU = 0.01
# 2019: a track of at most so many frames may be a false split.
LONGEST_SPLIT = 10
# A track vanishes under another that covers this share of its last mask.
COVERED = 0.5

Spans = dict[int, tuple[int, int]]
Parents = dict[int, int]


@dataclass
class FinalTracks:
    """Tracks of a movie and what the end of the run makes of them.

    Parameters
    ----------
    spans
        First and last frame of each track, without gaps.
    parents
        Parent of each track that has one.
    merged
        Track that each falsely split one belongs to.
    cuts
        Frames from which a track that lived on after a division goes by new labels.
    dropped
        Labels that are taken away.
    """

    spans: Spans
    parents: Parents = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    cuts: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)

    def name(self, frame: int, label: int) -> int:
        """Label in the end of what was ``label`` in a frame; 0 when dropped."""
        name = owner = self.merged.get(label, label)
        for begin, rest in self.cuts.get(owner, ()):
            if frame >= begin:
                name = rest
        return 0 if name in self.dropped else name

    def paint(self, frame: int, labels: Labels) -> Labels:
        """Give the cells of a frame, (Y, X), their labels of the end."""
        lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
        for label in np.unique(labels[labels > 0]).tolist():
            lookup[label] = self.name(frame, label)
        return lookup[labels]

    def parent(self, label: int) -> int:
        """Label of the parent, 0 when there is none or it was dropped."""
        parent = self.parents.get(label, 0)
        return 0 if parent in self.dropped else parent


def without_border(labels: Labels, border: tuple[int, int]) -> Labels:
    """Take away cells that lie wholly in the ignore border (5.1.8).

    Parameters
    ----------
    labels
        (Y, X).
    border
        Height of the strip at top and bottom and width of those at the sides, px.

    Returns
    -------
    Labels
        (Y, X).
    """
    top, side = border
    if not top and not side:
        return labels
    height, width = labels.shape
    inner = np.unique(labels[top : height - top, side : width - side])
    return np.where(np.isin(labels, inner), labels, 0)


def find_parents(shelf: Shelf, spans: Spans, settings: PayerSettings) -> Parents:
    """Find the parent of each track that was born after the first frame (5.1).

    The first mask is dilated and copied over the frames before; the parent is the
    track there that has the largest IoU with the copies, if above 0.01. Nothing asks
    for two daughters, likely sizes or times, as published.

    Parameters
    ----------
    shelf
        Labels of all frames.
    spans
        First and last frame of each track.
    settings
        Dilation and number of frames.
    """
    births: dict[int, list[int]] = {}
    for label, (begin, _) in spans.items():
        if begin > 0:
            births.setdefault(begin, []).append(label)
    parents = {}
    for begin, labels in births.items():
        past = range(max(0, begin - settings.parent_frames), begin)
        before = np.stack([shelf[t] for t in past])
        sizes = np.bincount(before.ravel()).astype(np.int64)
        newborn = shelf[begin]
        boxes = ndimage.find_objects(newborn)
        for label in labels:
            reach = settings.parent_dilation
            mask = _grown(newborn, boxes[label - 1], label, reach)
            if parent := _likeliest(before, sizes, mask):
                parents[label] = parent
    return parents


def _grown(
    labels: Labels, box: tuple[slice, ...], label: int, reach: int
) -> tuple[tuple[slice, ...], Labels]:
    """Where a dilated mask lies, and the mask there, 0 or 1."""
    wide = tuple(
        slice(max(0, part.start - reach), min(size, part.stop + reach))
        for part, size in zip(box, labels.shape, strict=True)
    )
    mask = labels[wide] == label
    if reach:
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        mask = ndimage.binary_dilation(mask, y**2 + x**2 <= reach**2)
    return wide, mask


def _likeliest(
    before: Labels, sizes: Integers, grown: tuple[tuple[slice, ...], Labels]
) -> int:
    """Label of the largest IoU with copies of a mask in all frames, or 0."""
    place, mask = grown
    under = before[:, *place][:, mask]
    overlap = np.bincount(under.ravel(), minlength=len(sizes))
    iou = overlap / (under.size + sizes - overlap)
    iou[0] = 0
    best = int(iou.argmax())
    return best if iou[best] > PARENT_IOU else 0


def repair_splits(shelf: Shelf, tracks: FinalTracks) -> None:
    """Merge tracks that were split off another by mistake (Payer et al. 2019, 5.2.7).

    Such a track is short, was born from the other or in the first frame, and vanishes
    under the other's mask.

    Parameters
    ----------
    shelf
        Labels of all frames.
    tracks
        Tracks and parents, before parents are cut; changed in place.
    """
    for label in sorted(tracks.spans, key=lambda label: tracks.spans[label][1]):
        begin, end = tracks.spans[label]
        if end + 1 >= len(shelf) or end - begin >= LONGEST_SPLIT:
            continue
        over = _covering(shelf[end] == label, shelf[end + 1])
        over = tracks.merged.get(over, over)
        if over and (begin == 0 or over == tracks.parents.get(label)):
            _merge(tracks, label, over)


def _covering(mask: Labels, after: Labels) -> int:
    counts = np.bincount(after[mask])
    counts[0] = 0
    best = int(counts.argmax())
    return best if counts[best] >= COVERED * np.count_nonzero(mask) else 0


def _merge(tracks: FinalTracks, label: int, other: int) -> None:
    for one, owner in [*tracks.merged.items(), (label, label)]:
        if owner == label:
            tracks.merged[one] = other
    (begin, _), (first, last) = tracks.spans.pop(label), tracks.spans[other]
    tracks.spans[other] = min(begin, first), last
    inherited = tracks.parents.pop(label, 0)
    if begin < first:
        tracks.parents[other] = inherited
    tracks.parents = {
        child: other if parent == label else parent
        for child, parent in tracks.parents.items()
        if parent
    }


def cut_parents(tracks: FinalTracks) -> None:
    """End each parent before its first child is born; what lives on is a child too.

    Parameters
    ----------
    tracks
        Tracks and parents; changed in place.
    """
    fresh = max([*tracks.spans, *tracks.merged], default=0) + 1
    children: dict[int, list[tuple[int, int]]] = {}
    for child, parent in tracks.parents.items():
        children.setdefault(parent, []).append((tracks.spans[child][0], child))
    for parent, born in children.items():
        current = parent
        for birth, child in sorted(born):
            begin, end = tracks.spans[current]
            if begin == birth:
                # A twin: the rest of the parent was cut off in this frame already.
                tracks.parents[child] = tracks.parents[current]
                continue
            tracks.parents[child] = current
            if birth <= end:
                tracks.cuts.setdefault(parent, []).append((birth, fresh))
                tracks.spans[current] = begin, birth - 1
                tracks.spans[fresh] = birth, end
                tracks.parents[fresh] = current
                current, fresh = fresh, fresh + 1


def drop_short(tracks: FinalTracks, shortest: int) -> None:
    """Drop tracks of fewer frames that have no parent (5.2.8)."""
    for label, (begin, end) in tracks.spans.items():
        if end - begin + 1 < shortest and not tracks.parents.get(label):
            tracks.dropped.add(label)


def drop_broken(tracks: FinalTracks, lost: Iterable[tuple[int, int]]) -> None:
    """Drop tracks that have gaps since some cells were too small to be enlarged.

    The published program went on to list such tracks in the table; here they are gone
    from there as well.

    Parameters
    ----------
    tracks
        Tracks as they will be; changed in place.
    lost
        Frame and earlier label of each cell that lost all its pixels.
    """
    missing: dict[int, set[int]] = {}
    for frame, label in lost:
        missing.setdefault(tracks.name(frame, label), set()).add(frame)
    for label, gone in missing.items():
        begin, end = tracks.spans.get(label, (0, -1))
        left = [t for t in range(begin, end + 1) if t not in gone]
        if left and left[-1] - left[0] + 1 > len(left):
            tracks.dropped.add(label)
