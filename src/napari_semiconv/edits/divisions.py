"""Edits of families: mark a division, unmark it.

The last cell of the mother and the first ones of the daughters are confirmed, and with
them what the user stated.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..errors import EditError
from .base import Edit
from .draft import Draft
from .links import confirm_end, confirm_link, cut


@dataclass(frozen=True, eq=False)
class MarkDivision(Edit):
    """Say that a cell divides.

    Parameters
    ----------
    mother
        The track that divides.
    daughters
        Tracks that begin by it. Name the mother too when her track goes on as one of
        them; it is parted then.
    frame
        First frame of the daughters; a daughter that was there before is parted.
    """

    kind: ClassVar[str] = "mark division"
    mother: int
    daughters: tuple[int, ...]
    frame: int

    def make(self, draft: Draft) -> None:
        """Part what goes on through the division, and set the parents."""
        mother = draft.track(self.mother)
        if mother.begin >= self.frame:
            raise EditError(
                f"Cell {self.mother} begins in frame {mother.begin}: expected it "
                f"before the division in frame {self.frame}. Choose a later frame."
            )
        family = self._family(draft)
        if len(family) < 2:
            raise EditError(
                f"Expected two daughters of cell {self.mother} in frame {self.frame} "
                f"or later, found {len(family)}. Choose both daughters, or split the "
                f"mask first."
            )
        for daughter in draft.daughters(self.mother):
            draft.set_parent(daughter, 0)
        for daughter in family:
            draft.set_parent(daughter, self.mother, confirmed=True)
            confirm_link(draft, daughter, 0)
        confirm_end(draft, self.mother)

    def _family(self, draft: Draft) -> set[int]:
        family = set()
        for label in dict.fromkeys((*self.daughters, self.mother)):
            track = draft.track(label)
            if track.end < self.frame:
                if label != self.mother:
                    raise EditError(
                        f"Cell {label} ends in frame {track.end}: expected a daughter "
                        f"in frame {self.frame} or later. Choose another one."
                    )
                continue
            parted = track.begin < self.frame
            family.add(cut(draft, label, self.frame) if parted else label)
        return family


@dataclass(frozen=True, eq=False)
class UnmarkDivision(Edit):
    """Say that a cell does not divide.

    Parameters
    ----------
    mother
        The track whose daughters have no parent then.
    """

    kind: ClassVar[str] = "unmark division"
    mother: int

    def make(self, draft: Draft) -> None:
        """Take the parents away, for good."""
        draft.track(self.mother)
        daughters = draft.daughters(self.mother)
        if not daughters:
            raise EditError(
                f"Cell {self.mother} has no daughters: expected a cell that divides. "
                f"Choose another one."
            )
        for daughter in daughters:
            draft.set_parent(daughter, 0, confirmed=True)
            confirm_link(draft, daughter, 0)
        confirm_end(draft, self.mother)
