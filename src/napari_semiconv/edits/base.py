"""What every edit is: a value that says what it does to a draft."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from ..errors import EditError, listed
from ..tracking.invariants import faults_of_track
from .change import Change
from .document import Document
from .draft import Draft
from .region import Region

# Stored journals may hold these kinds under an earlier name.
EARLIER_KINDS = {
    "take over frame": "adopt frame",
    "take over tracks": "adopt tracks",
    "take over scores": "adopt scores",
    "solve again": "resegment",
}


def current_kind(stored: str) -> str:
    """Give the name that a kind of edit in a journal has now."""
    return EARLIER_KINDS.get(stored, stored)


@dataclass(frozen=True, eq=False)
class Edit(ABC):
    """One thing that a user does to masks or tracks."""

    kind: ClassVar[str]

    @abstractmethod
    def make(self, draft: Draft) -> None:
        """Do it to a draft.

        Raises
        ------
        EditError
            When it cannot be done as things are.
        """

    def describe(self) -> dict[str, Any]:
        """Say what is done, as JSON values, for the history."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, eq=False)
class Group(Edit):
    """Several edits that are one to the user.

    Parameters
    ----------
    edits
        Done one after the other; all of them or none.
    title
        What the user calls it.
    """

    kind = "group"
    edits: tuple[Edit, ...]
    title: str = ""

    def make(self, draft: Draft) -> None:
        """Do all of them."""
        for edit in self.edits:
            edit.make(draft)

    def describe(self) -> dict[str, Any]:
        """Say what is done, as JSON values, for the history."""
        parts = [{"kind": edit.kind, **edit.describe()} for edit in self.edits]
        return {"title": self.title, "edits": parts}


def plan(edit: Edit, document: Document) -> Change:
    """Work out what an edit changes, and make sure that all invariants hold after it.

    Parameters
    ----------
    edit
        What is to be done.
    document
        As it is now; not changed.

    Raises
    ------
    EditError
        When it cannot be done as things are.
    """
    draft = Draft(document)
    edit.make(draft)
    check(draft)
    return draft.change()


def check(draft: Draft) -> None:
    """Make sure that the tracks that were changed, and their families, are sound.

    Raises
    ------
    EditError
        When one is not.
    """
    frames = draft.document.shape[0]
    scores = len(draft.document.lineage.score_names)
    for track in draft.touched:
        daughters = [draft.track(label) for label in draft.daughters(track.label)]
        late = [d for d in daughters if d.begin <= track.end]
        if late:
            names = listed(d.label for d in daughters)
            raise EditError(
                f"Cell {track.label} divides: its daughters {names} begin in frame "
                f"{min(d.begin for d in daughters)}, so it cannot have pixels in frame "
                f"{track.end}. Change a daughter instead, or unmark the division."
            )
        for fault in faults_of_track(track, draft.find, frames, scores):
            raise EditError(f"{fault} Nothing was changed.")


def _plain(value: Any) -> Any:
    if isinstance(value, Region):
        return {"y": value.y, "x": value.x, "pixels": value.area}
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return value
