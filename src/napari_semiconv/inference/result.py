"""What a run yields."""

from collections.abc import Callable
from dataclasses import dataclass

from ..labels import Labels
from ..tracking.evidence import Evidence
from ..tracking.lineage import Lineage
from .run_state import RunState


@dataclass(frozen=True)
class FrameResult:
    """One finished frame.

    Parameters
    ----------
    frame
        Index in the movie.
    done
        Frames finished so far.
    total
        Frames to do.
    labels
        Track labels at the resolution of the movie, (Y, X).
    lineage
        All tracks so far; the same object every time.
    cell_size
        Diameter of a usual cell that was worked with, px.
    unreadable
        Why the frame was skipped; None when it was read.
    final
        Whether the labels never change. The published procedures decide parents and
        deletions when all frames are seen: they yield every frame once to be looked
        at, then every frame again, final.
    state
        Gives all that is needed to go on after this frame; to be called before the
        next frame is asked for. None with the published procedures, which need all
        frames.
    evidence
        Predictions of the network for the cells, by label; None with the published
        procedures.
    note
        What the user should know of how it was computed; empty when nothing. Said
        once, when the frame is first yielded.
    """

    frame: int
    done: int
    total: int
    labels: Labels
    lineage: Lineage
    cell_size: float
    unreadable: str | None = None
    final: bool = True
    state: Callable[[], RunState] | None = None
    evidence: Evidence | None = None
    note: str = ""
