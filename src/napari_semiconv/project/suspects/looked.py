"""What of the suspects the user has looked at, kept in the journal of the project."""

from dataclasses import dataclass
from typing import Literal

from ...edits.history import History

# The suspect was right as it is and is confirmed, is being mended, or was passed by.
How = Literal["right", "mended", "passed"]
Key = tuple[int, int]  # frame, label
NOTE = "review"
# Probabilities nearer than this are those of the same suspect, unchanged.
SAME = 0.01


@dataclass(frozen=True)
class Answer:
    """That the user looked at a suspect.

    Parameters
    ----------
    how
        What came of it.
    kind
        The kind of suspect it was.
    chance
        Its probability of being wrong.
    """

    how: How
    kind: str
    chance: float

    def holds(self, kind: str | None, chance: float, *, confirmed: bool) -> bool:
        """Tell whether nothing has changed since.

        Parameters
        ----------
        kind
            What is suspect there now; None when nothing is.
        chance
            How likely it is to be wrong.
        confirmed
            Whether the cell is confirmed.
        """
        if kind is None:
            return True
        if self.how == "passed":
            return kind == self.kind and abs(chance - self.chance) < SAME
        # What was mended and is there again was undone, and so is what was confirmed,
        # unless only the link between cells confirmed before was asked for.
        return self.how == "right" and kind == self.kind and confirmed


class Looked:
    """Suspects that the user looked at, as the journal of a project tells.

    Parameters
    ----------
    history
        Where it is noted.
    writable
        Whether it can be noted; it is remembered until the project is closed otherwise.
    """

    def __init__(self, history: History, *, writable: bool) -> None:
        self._history = history
        self._writable = writable
        self.answers: dict[Key, Answer] = {}
        for entry in history.journal.entries:
            if entry.head["do"] == "note" and entry.head["kind"] == NOTE:
                what = entry.head["what"]
                answer = Answer(what["how"], what["suspect"], what["chance"])
                self.answers[what["frame"], what["label"]] = answer

    def note(self, key: Key, answer: Answer) -> None:
        """Note that the user looked at a suspect.

        Raises
        ------
        SaveError
            When it could not be written.
        """
        if self._writable:
            facts = {"how": answer.how, "suspect": answer.kind, "chance": answer.chance}
            self._history.note(NOTE, {"frame": key[0], "label": key[1], **facts})
        self.answers[key] = answer
