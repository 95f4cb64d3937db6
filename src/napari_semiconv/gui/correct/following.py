"""A cell that was followed into the next frames, to look at before it is taken over."""

from typing import TYPE_CHECKING

from ...errors import counted
from ...workflows.following import FollowedCell
from .place import Place
from .tools import Tool

if TYPE_CHECKING:
    from .corrector import Corrector


class Following(Tool):
    """Shows where a cell goes, until Enter takes it over or Esc puts it away.

    Parameters
    ----------
    corrector
        Makes the edit.
    followed
        What was found.
    """

    name = "follow"
    prompt = "Follow: look at the outlines, then press Enter to take them over."

    def __init__(self, corrector: "Corrector", followed: FollowedCell) -> None:
        super().__init__(corrector)
        self.followed = followed
        self.preview = {mask.frame: mask.region for mask in followed.masks}

    def say(self) -> str:
        """Tell how far the cell was followed."""
        frames = counted(len(self.preview), "frame")
        return (
            f"Cell {self.followed.label} was followed through {frames}, to frame "
            f"{max(self.preview)}: step on to look, Enter takes it over."
        )

    def click(self, point: Place) -> bool:
        """Go on looking: a click means nothing here."""
        return False

    def accept(self) -> bool:
        """Take all of it over."""
        return self.accept_until(max(self.preview))

    def accept_until(self, frame: int) -> bool:
        """Take it over up to a frame, which is one step to undo."""
        self.corrector.bench.session.accept(self.followed.until(frame))
        return True
