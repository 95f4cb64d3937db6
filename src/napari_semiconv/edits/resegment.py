"""The edit that adopts cells of a frame found anew around a constraint."""

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
class Resegment(Edit):
    """Adopt the cells of a window that were found anew around a constraint.

    The cells that the constraint is about are confirmed. Confirmed cells that it is not
    about keep their pixels, or nothing is changed.

    Parameters
    ----------
    frame
        Index of the frame.
    y, x
        First row and column of the window.
    labels
        Cells of the window, (height, width): those of the frame by their labels,
        others become new cells.
    constrained
        Labels, as in ``labels``, of the cells that the constraint is about.
    absences
        Row and column of places that have no cell, as the user stated.
    freed
        Labels of confirmed cells that the constraint is about and that may be gone.
    title
        What the user calls it.
    """

    kind: ClassVar[str] = "resegment"
    frame: int
    y: int
    x: int
    labels: Labels
    constrained: tuple[int, ...] = ()
    absences: Sequence[tuple[int, int]] = ()
    freed: tuple[int, ...] = ()
    title: str = ""

    def describe(self) -> dict[str, Any]:
        """Say where and how many cells were found."""
        return {
            **({"title": self.title} if self.title else {}),
            "frame": self.frame,
            "y": self.y,
            "x": self.x,
            "cells": len(labels_in(self.labels)),
            "absences": [list(map(int, place)) for place in self.absences],
        }

    def make(self, draft: Draft) -> None:
        """Paint them, confirm the constrained ones and mark places without a cell."""
        draft.check_frame(self.frame)
        box = Box(self.y, self.x, *self.labels.shape)
        if box.within(draft.document.shape[1:]) != box:
            raise EditError(
                f"Resegmented cells in frame {self.frame}: expected a window "
                f"within the frame, found one that reaches out. Correct the "
                f"cells again."
            )
        known = labels_in(draft.labels(self.frame))
        names = {
            label: label if label in known else draft.new_label()
            for label in labels_in(self.labels)
        }
        after = relabelled(self.labels, names)
        constrained = [names[label] for label in self.constrained if label in names]
        self._check_confirmed(draft, box, after, {*constrained, *self.freed})
        draft.paint(self.frame, box, after)
        for label in constrained:
            draft.confirm(label, ((self.frame, self.frame),))
        self._mark(draft, box, after)

    def _check_confirmed(
        self, draft: Draft, box: Box, after: Labels, constrained: set[int]
    ) -> None:
        before = draft.labels(self.frame, box)
        changed = before != after
        for label in labels_in(np.stack([before[changed], after[changed]])):
            track = draft.find(label)
            if track is None or label in constrained:
                continue
            if not track.is_confirmed(self.frame):
                continue
            raise EditError(
                f"Cell {label} is confirmed in frame {self.frame}: expected its pixels "
                f"to stay, found some that change. Correct the cells again, or take "
                f"its confirmation back."
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
                    f"The place (y {y}, x {x}) in frame {self.frame} is marked as "
                    f"empty: expected no cell there, found one. Correct the "
                    f"cells again."
                )
            draft.mark((self.frame, int(y), int(x)), absent=True)
