"""The edit that takes over cells of a frame that were solved again by a correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import EditError
from ..labels import labels_in, relabelled
from .base import Edit
from .change import Labels
from .draft import Draft
from .region import Box


@dataclass(frozen=True, eq=False)
class SolveAgain(Edit):
    """Take over a window of a frame in which a correction was worked in.

    The cells that the user spoke of are confirmed. Confirmed cells that the user did
    not speak of keep their pixels, or nothing is changed.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        First row and column of the window.
    labels
        Cells of the window, (height, width): those of the frame by their labels,
        others become new cells.
    spoken
        Labels, as in ``labels``, of the cells that the user spoke of.
    absences
        Row and column of places that the user said have no cell.
    freed
        Labels of confirmed cells that the user spoke of and that may be gone.
    """

    kind: ClassVar[str] = "solve again"
    frame: int
    y: int
    x: int
    labels: Labels
    spoken: tuple[int, ...] = ()
    absences: Sequence[tuple[int, int]] = ()
    freed: tuple[int, ...] = ()

    def describe(self) -> dict[str, Any]:
        """Say where and how many cells are solved again."""
        return {
            "frame": self.frame,
            "y": self.y,
            "x": self.x,
            "cells": len(labels_in(self.labels)),
            "absences": [list(map(int, place)) for place in self.absences],
        }

    def make(self, draft: Draft) -> None:
        """Paint them, confirm those spoken of and mark places without a cell."""
        draft.check_frame(self.frame)
        box = Box(self.y, self.x, *self.labels.shape)
        if box.within(draft.document.shape[1:]) != box:
            raise EditError(
                f"Cells solved again in frame {self.frame}: expected a window within "
                f"the frame, found one that reaches out. Solve again."
            )
        known = labels_in(draft.labels(self.frame))
        names = {
            label: label if label in known else draft.new_label()
            for label in labels_in(self.labels)
        }
        after = relabelled(self.labels, names)
        spoken = [names[label] for label in self.spoken if label in names]
        self._check_confirmed(draft, box, after, {*spoken, *self.freed})
        draft.paint(self.frame, box, after)
        for label in spoken:
            draft.confirm(label, ((self.frame, self.frame),))
        self._mark(draft, box, after)

    def _check_confirmed(
        self, draft: Draft, box: Box, after: Labels, spoken: set[int]
    ) -> None:
        before = draft.labels(self.frame, box)
        changed = before != after
        for label in labels_in(np.stack([before[changed], after[changed]])):
            track = draft.find(label)
            if track is None or label in spoken or not track.is_confirmed(self.frame):
                continue
            raise EditError(
                f"Cell {label} is confirmed in frame {self.frame}: expected its pixels "
                f"to stay, found some that change. Solve again, or take its "
                f"confirmation back."
            )

    def _mark(self, draft: Draft, box: Box, after: Labels) -> None:
        for place in draft.absences(self.frame):
            y, x = place[1] - box.y, place[2] - box.x
            inside = 0 <= y < box.height and 0 <= x < box.width
            if inside and after[y, x]:
                draft.mark(place, absent=False)
        for y, x in self.absences:
            if draft.labels(self.frame)[y, x]:
                raise EditError(
                    f"The place (y {y}, x {x}) in frame {self.frame} is said to have "
                    f"no cell: expected none there, found one. Solve again."
                )
            draft.mark((self.frame, int(y), int(x)), absent=True)
