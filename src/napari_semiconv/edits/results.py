"""Edits that adopt what a network or a solver found. What is confirmed stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import EditError
from ..labels import areas_in, areas_of, labels_in, overlap, relabelled
from .base import Edit
from .change import Labels
from .draft import Draft
from .region import Box
from .regrouping import regroup

# A found cell is one the user confirmed, or took away, from this share of either mask.
SAME_CELL = 0.5


@dataclass(frozen=True, eq=False)
class AdoptFrame(Edit):
    """Adopt the cells that the network found in a frame.

    Confirmed cells keep their pixels. What was found where the user confirmed a cell,
    took one away or marked that there is none is left out. All other cells of the frame
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

    kind: ClassVar[str] = "adopt frame"
    frame: int
    labels: Labels
    names: Mapping[int, int] = field(default_factory=dict)
    parents: Mapping[int, int] = field(default_factory=dict)
    run: int = 0

    def describe(self) -> dict[str, Any]:
        """Say which frame is adopted."""
        return {"frame": self.frame, "run": self.run}

    def make(self, draft: Draft) -> None:
        """Paint what was found around what is confirmed."""
        draft.check_frame(self.frame)
        _check_shape(self.labels, draft)
        before = draft.labels(self.frame)
        confirmed = [
            label
            for label in labels_in(before)
            if draft.track(label).is_confirmed(self.frame)
        ]
        kept = np.where(np.isin(before, confirmed), before, 0)
        out = self._out(draft, kept)
        names = {
            label: 0 if label in out else self._name(draft, label, confirmed)
            for label in labels_in(self.labels)
        }
        after = np.where(kept > 0, kept, relabelled(self.labels, names))
        draft.paint(self.frame, Box(0, 0, *before.shape), after)
        for label in labels_in(after):
            self._free_daughters(draft, label)
            self._set_parent(draft, label)

    def _name(self, draft: Draft, label: int, confirmed: list[int]) -> int:
        name = self.names.get(label, 0)
        # A label that a confirmed cell has elsewhere in this frame is taken.
        return draft.new_label() if not name or name in confirmed else name

    def _out(self, draft: Draft, kept: Labels) -> set[int]:
        """Labels there that are not adopted."""
        out = set(same_cells(self.labels, kept))
        hidden = draft.hidden(self.frame)
        if hidden.any():
            out |= _covered(self.labels, hidden)
        return out | {int(self.labels[y, x]) for _, y, x in draft.absences(self.frame)}

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
    both = overlap(found, known)
    ones, others = both.pairs.T
    least = np.minimum(areas_of(found, ones), areas_of(known, others))
    order = np.argsort(both.shared, kind="stable")
    return {
        int(ones[i]): int(others[i])
        for i in order
        if both.shared[i] >= SAME_CELL * least[i]
    }


def _covered(found: Labels, mask: NDArray[np.bool_]) -> set[int]:
    """Labels that have half of their pixels or more in a mask."""
    labels, inside = areas_in(found[mask])
    covered = inside >= SAME_CELL * areas_of(found, labels)
    return set(labels[covered].tolist())


@dataclass(frozen=True, eq=False)
class AdoptTracks(Edit):
    """Adopt which cells a solver made one track. No pixel is written.

    A parent goes along with the first cell of its daughter, and daughters with the last
    cell of their mother. What the user confirmed, a link or a parent, is not undone.

    Parameters
    ----------
    labels
        By frame: new label of each old one that changes, all different.
    parents
        Parent, or 0 for none, of labels as they are then; others go along as above.
    """

    kind: ClassVar[str] = "adopt tracks"
    labels: Mapping[int, Mapping[int, int]]
    parents: Mapping[int, int] = field(default_factory=dict)

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
        before = {n: track for n in touched if (track := draft.find(n)) is not None}
        children = {d for n in before for d in draft.daughters(n)} - touched
        after = regroup(before, [draft.track(d) for d in children], self.labels)
        for frame, names in self.labels.items():
            draft.rename([frame], names)
        for label in before.keys() - after.keys():
            draft.drop(label)
        for label, track in sorted(after.items()):
            draft.reserve(label)
            draft.put(track)
        for label, parent in self.parents.items():
            track = draft.track(label)
            if track.parent != parent and not track.parent_confirmed:
                draft.set_parent(label, parent)

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


# Frames, (N,), and scores, (N, score names), of cells of a track.
CellScores = tuple[NDArray[np.int64], NDArray[np.floating]]


@dataclass(frozen=True, eq=False)
class AdoptScores(Edit):
    """Adopt how sure network and solver are of each cell. Nothing else changes.

    Parameters
    ----------
    scores
        By track: frames of its cells, (N,), and their scores, (N, score names). Those
        of other cells stay.
    """

    kind: ClassVar[str] = "adopt scores"
    scores: Mapping[int, CellScores]

    def describe(self) -> dict[str, Any]:
        """Say of how many tracks."""
        return {"tracks": len(self.scores)}

    def make(self, draft: Draft) -> None:
        """Give the tracks their scores."""
        for label, (frames, values) in self.scores.items():
            track = draft.track(label)
            shape = track.end - track.begin + 1, values.shape[1]
            table = np.full(shape, np.nan, np.float32)
            if track.scores:
                table[:] = np.frombuffer(track.scores, np.float32).reshape(shape)
            table[frames - track.begin] = values
            scores = table.tobytes()
            if track.scores != scores:
                draft.put(replace(track, scores=scores))


def _check_shape(labels: NDArray[Any], draft: Draft) -> None:
    shape = draft.document.shape[1:]
    if labels.shape != shape:
        raise EditError(
            f"Expected labels of shape {shape}, as the frames of the movie, found "
            f"{labels.shape}. Segment this movie anew."
        )
