"""Cells that the solver left out of all tracks, as the journal of a project tells."""

from dataclasses import dataclass

from ...edits.codec import decode
from ...edits.removing import DeleteCell
from ..project import Project
from ..solving import TITLE


@dataclass(frozen=True)
class LeftOut:
    """A cell that the solver left out, and that is still hidden.

    Parameters
    ----------
    frame
        Its frame.
    number
        Its stored number, which no visible cell of the frame has.
    y, x
        Where it lies, px.
    """

    frame: int
    number: int
    y: float
    x: float


class LeftOuts:
    """Finds what the solver left out of a project.

    Parameters
    ----------
    project
        The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        # Frame and stored number of what each entry hid; entries never change.
        self._hidden: dict[int, list[tuple[int, int]]] = {}

    def now(self) -> list[LeftOut]:
        """List what is left out as things are."""
        history, document = self._project.history, self._project.document
        with history.writing:
            done, _ = history.standing
            entries = [*history.journal.entries]
        found = []
        for entry in entries:
            if entry.number not in done or entry.head["what"].get("title") != TITLE:
                continue
            for frame, number in self._of(entry.number):
                if document.names(frame).label(number) >= 0:
                    continue
                document.centroids(frame)  # it is known afterwards
                cells = document.known_centroids[frame]
                place = cells.labels.searchsorted(number)
                if place < len(cells.labels) and cells.labels[place] == number:
                    y, x = float(cells.y[place]), float(cells.x[place])
                    found.append(LeftOut(frame, number, y, x))
        return found

    def _of(self, number: int) -> list[tuple[int, int]]:
        if number not in self._hidden:
            journal = self._project.history.journal
            entry = journal.entries[number - 1]
            parts = entry.head["what"]["edits"]
            deletes = any(part["kind"] == DeleteCell.kind for part in parts)
            shape = self._project.document.shape
            body = journal.body(entry) if deletes else b""
            rows = decode(body, shape).names.tolist() if deletes else []
            self._hidden[number] = [(t, n) for t, n, _, after in rows if after < 0]
        return self._hidden[number]
