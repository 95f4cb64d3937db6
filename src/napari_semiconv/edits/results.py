"""Edits that take over what a network or a solver found. What is confirmed stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import EditError
from ..tracking.lineage import Track
from ..tracking.runs import runs_of
from .base import Edit
from .change import Labels
from .draft import Draft
from .region import Box

# A found cell is one the user confirmed, or took away, from this share of either mask.
SAME_CELL = 0.5


@dataclass(frozen=True, eq=False)
class TakeFrame(Edit):
    """Take over the cells that the network found in a frame.

    Confirmed cells keep their pixels. What was found where the user confirmed a cell,
    took one away or said that there is none is left out. All other cells of the frame
    are replaced.

    Parameters
    ----------
    frame
        Index of the frame.
    labels
        What was found, (Y, X).
    names
        Label here of each label there; others get new ones.
    parents
        Parent of a label here, for cells that begin in this frame.
    run
        Number of the run it comes from.
    """

    kind: ClassVar[str] = "take over frame"
    frame: int
    labels: Labels
    names: Mapping[int, int] = field(default_factory=dict)
    parents: Mapping[int, int] = field(default_factory=dict)
    run: int = 0

    def describe(self) -> dict[str, Any]:
        """Say which frame is taken over."""
        return {"frame": self.frame, "run": self.run}

    def make(self, draft: Draft) -> None:
        """Paint what was found around what is confirmed."""
        draft.check_frame(self.frame)
        _check_shape(self.labels, draft)
        before = draft.labels(self.frame)
        confirmed = [
            label
            for label in np.unique(before[before > 0]).tolist()
            if draft.track(label).is_confirmed(self.frame)
        ]
        kept = np.where(np.isin(before, confirmed), before, 0)
        found = np.where(np.isin(self.labels, self._out(draft, kept)), 0, self.labels)
        present = np.unique(found[found > 0])
        table = np.zeros(int(found.max(initial=0)) + 1, np.int32)
        for label in present.tolist():
            name = self.names.get(label, 0)
            # A label that a confirmed cell has elsewhere in this frame is taken.
            taken = not name or name in confirmed
            table[label] = draft.new_label() if taken else name
        after = np.where(kept > 0, kept, table[found]).astype(np.int32)
        draft.paint(self.frame, Box(0, 0, *before.shape), after)
        for label in np.unique(after[after > 0]).tolist():
            self._free_daughters(draft, label)
            self._set_parent(draft, label)

    def _out(self, draft: Draft, kept: Labels) -> list[int]:
        """Labels there that are not taken over."""
        out = set(same_cells(self.labels, kept))
        hidden = draft.hidden(self.frame)
        if hidden.any():
            out |= set(same_cells(self.labels, hidden.astype(np.int32)))
        for _, y, x in draft.absences(self.frame):
            out.add(int(self.labels[y, x]))
        return sorted(out - {0})

    def _free_daughters(self, draft: Draft, label: int) -> None:
        """Part a cell that goes on from daughters, unless the user gave it them."""
        for daughter in draft.daughters(label):
            track = draft.track(daughter)
            if track.begin <= self.frame and not track.parent_confirmed:
                draft.set_parent(daughter, 0)

    def _set_parent(self, draft: Draft, label: int) -> None:
        track = draft.track(label)
        parent = self.parents.get(label, 0)
        if track.begin != self.frame or track.parent_confirmed or not parent:
            return
        mother = draft.find(parent)
        # A mother that the user confirmed in a later frame does not divide here.
        if mother is not None and mother.end < self.frame:
            draft.set_parent(label, parent)


def same_cells(found: Labels, known: Labels) -> dict[int, int]:
    """Tell which cells of one label image are cells of another.

    Parameters
    ----------
    found, known
        Labels, (Y, X).

    Returns
    -------
    dict
        Known label of each found one that shares half of either mask with it; of
        several the one with the largest overlap.
    """
    both = (found > 0) & (known > 0)
    if not both.any():
        return {}
    pairs, overlaps = np.unique(
        np.stack([found[both], known[both]]), axis=1, return_counts=True
    )
    areas = [np.bincount(image[image > 0].ravel()) for image in (found, known)]
    least = np.minimum(areas[0][pairs[0]], areas[1][pairs[1]])
    order = np.argsort(overlaps, kind="stable")
    return {
        int(pairs[0, i]): int(pairs[1, i])
        for i in order
        if overlaps[i] >= SAME_CELL * least[i]
    }


@dataclass(frozen=True, eq=False)
class TakeTracks(Edit):
    """Take over which cells a solver made one track. No pixel is written.

    Parameters
    ----------
    labels
        By frame: new label of each old one that changes, all different.
    parents
        Parent of each new label that has one; None leaves all parents as they are.
    """

    kind: ClassVar[str] = "take over tracks"
    labels: Mapping[int, Mapping[int, int]]
    parents: Mapping[int, int] | None = None

    def describe(self) -> dict[str, Any]:
        """Say how much is relabelled."""
        return {
            "frames": len(self.labels),
            "cells": sum(len(names) for names in self.labels.values()),
        }

    def make(self, draft: Draft) -> None:
        """Relabel the cells and put the tracks together anew."""
        touched: set[int] = set()
        for frame, names in self.labels.items():
            draft.check_frame(frame)
            self._check(draft, frame, names)
            touched |= {*names, *names.values()}
        before = {label: draft.find(label) for label in touched}
        frames = self._frames(before)
        for frame, names in self.labels.items():
            draft.rename([frame], names)
        for label in sorted(touched):
            draft.reserve(label)
            self._put(draft, label, before, frames[label])
        self._set_parents(draft)

    def _check(self, draft: Draft, frame: int, names: Mapping[int, int]) -> None:
        new = set(names.values())
        missing = [n for n in names if (t := draft.find(n)) is None or not t.has(frame)]
        taken = [
            n
            for n in new - names.keys()
            if (t := draft.find(n)) is not None and t.has(frame)
        ]
        if missing or taken or len(new) < len(names):
            raise EditError(
                f"Frame {frame}: expected a new label of its own for cells that are "
                f"there, found {len(missing)} that are not and "
                f"{len(taken) + len(names) - len(new)} labels used twice. Solve again."
            )

    def _frames(self, before: Mapping[int, Track | None]) -> dict[int, set[int]]:
        """Frames of each label afterwards."""
        frames = {
            label: set(track.frames) if track is not None else set()
            for label, track in before.items()
        }
        for frame, names in self.labels.items():
            for old in names:
                frames[old].discard(frame)
        for frame, names in self.labels.items():
            for new in names.values():
                frames[new].add(frame)
        return frames

    def _put(
        self,
        draft: Draft,
        label: int,
        before: Mapping[int, Track | None],
        frames: set[int],
    ) -> None:
        if not frames:
            if draft.find(label) is not None:
                draft.drop(label)
            return
        old = before[label]
        confirmed = runs_of(
            frame
            for frame in frames
            if _was_confirmed(before, self.labels.get(frame, {}), label, frame)
        )
        parent, sure = (old.parent, old.parent_confirmed) if old else (0, False)
        draft.put(Track(label, runs_of(frames), parent, confirmed, sure))

    def _set_parents(self, draft: Draft) -> None:
        for track in list(draft.tracks()) if self.parents is not None else ():
            parent = (self.parents or {}).get(track.label, 0)
            if track.parent != parent and not track.parent_confirmed:
                draft.set_parent(track.label, parent)


def _was_confirmed(
    before: Mapping[int, Track | None], names: Mapping[int, int], label: int, frame: int
) -> bool:
    old = next((n for n, new in names.items() if new == label), label)
    track = before.get(old)
    return track is not None and track.is_confirmed(frame)


def _check_shape(labels: NDArray[Any], draft: Draft) -> None:
    shape = draft.document.shape[1:]
    if labels.shape != shape:
        raise EditError(
            f"Expected labels of shape {shape}, as the frames of the movie, found "
            f"{labels.shape}. Segment this movie anew."
        )
