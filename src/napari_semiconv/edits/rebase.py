"""Undo or redo a step on which others went on: what they changed since stays."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..labels import labels_in
from ..tracking.intervals import (
    Intervals,
    difference,
    intersection,
    intervals_of,
    union,
)
from ..tracking.lineage import Track
from .base import check
from .change import Change, Patch
from .document import Document
from .draft import Draft
from .region import Box


def rebased(changes: Iterable[Change], document: Document) -> Change:
    """Fit changes, worked out on an earlier state, to the document as it is now.

    Pixels, names and tracks that are still as the change expects them become what it
    says; what others changed since stays as they left it.

    Parameters
    ----------
    changes
        Made one after the other.
    document
        As it is now; not changed.

    Returns
    -------
    Change
        All of them as one.

    Raises
    ------
    EditError
        When the tracks would contradict one another then.
    """
    draft = Draft(document)
    labels, frames = set[int](), set[int]()
    for change in changes:
        frames |= change.frames
        for patch in change.patches:
            _paint(draft, patch)
        for frame, number, before, after in change.names.tolist():
            draft.rename_number(frame, number, before, after)
        for old, new in change.tracks:
            labels.add(_merge(draft, old, new))
        draft.reserve(max(change.numbers) - 1)
        for place in change.added | change.removed:
            draft.mark(place, absent=place in change.added)
    _follow_pixels(draft, labels, frames)
    _part_contradictions(draft)
    check(draft)
    return draft.change()


def _paint(draft: Draft, patch: Patch) -> None:
    box = Box(patch.y, patch.x, *patch.before.shape)
    now = draft.numbers(patch.frame, box)
    free = (patch.before != patch.after) & (now == patch.before)
    draft.set_numbers(patch.frame, box, np.where(free, patch.after, now))


def _merge(draft: Draft, before: Track | None, after: Track | None) -> int:
    """Do to a track as it is now what was done between two others; give its label."""
    known = after if before is None else before
    assert known is not None
    now, label = draft.find(known.label), known.label
    if now == before and after is not None:
        draft.put(after)
    elif now is not None and after is not None:
        draft.put(_three_way(now, before, after))
    # A track that is to go, goes with its last pixel.
    return label


def _three_way(now: Track, before: Track | None, after: Track) -> Track:
    old = before if before is not None else replace(after, confirmed=(), parent=0)
    lost = difference(old.confirmed, after.confirmed)
    sure = union(
        difference(now.confirmed, lost), difference(after.confirmed, old.confirmed)
    )
    now = replace(now, confirmed=sure)
    if now.parent == old.parent and now.parent_confirmed == old.parent_confirmed:
        sure_of_parent = after.parent_confirmed
        now = replace(now, parent=after.parent, parent_confirmed=sure_of_parent)
    return now


def _follow_pixels(draft: Draft, labels: set[int], frames: set[int]) -> None:
    """Give tracks the frames in which their labels have pixels now."""
    there: dict[int, list[int]] = {}
    for frame in sorted(frames):
        labels |= {*labels_in(draft.document.labels(frame))}
        for label in labels_in(draft.labels(frame)):
            there.setdefault(label, []).append(frame)
    looked_at = intervals_of(frames)
    for label in sorted(labels | there.keys()):
        track = draft.find(label)
        outside: Intervals = (
            difference(track.intervals, looked_at) if track is not None else ()
        )
        intervals = union(outside, intervals_of(there.get(label, ())))
        if track is None and intervals:
            draft.reserve(label)
            draft.put(Track(label, intervals))
        elif track is not None and not intervals:
            draft.drop(label)
        elif track is not None:
            _reshape(draft, track, intervals)


def _reshape(draft: Draft, track: Track, intervals: Intervals) -> None:
    if intervals != track.intervals:
        draft.reshape(track.label, intervals)
        track = draft.track(track.label)
    sure = intersection(track.confirmed, intervals)
    if sure != track.confirmed:
        draft.put(replace(track, confirmed=sure))


def _part_contradictions(draft: Draft) -> None:
    """Part daughters from a mother that is gone, or has pixels beside them."""
    for track in draft.touched:
        for label in (track.label, *draft.daughters(track.label)):
            daughter = draft.find(label)
            if daughter is None or not daughter.parent:
                continue
            mother = draft.find(daughter.parent)
            if mother is None or mother.end >= daughter.begin:
                draft.set_parent(label, 0)
