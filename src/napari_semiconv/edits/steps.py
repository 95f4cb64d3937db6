"""Steps of the history as a user calls them: what, when, by whom, and where."""

from dataclasses import dataclass
from typing import Any

from .base import current_kind
from .records import Entry

# Entries that are one to the user: they are undone together.
Step = list[Entry]
# Entries, or pieces of 64 KiB, that are undone before a person notices: each is a frame
# to read, decode and write.
FEW = 8
# What begins with such an entry is a run of the network, its tracks included.
RUN_KIND, RUN = "adopt frame", "find and follow cells"

# What edits call the frame and the cells that they are about.
_FRAMES = ("frame", "frame_after", "first")
# Kinds that end with what the number that follows is of.
_WITH_NOUN = ("delete cell", "delete track")
_CELLS = ("label", "labels", "one", "other", "mother", "before", "after")


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What a list of steps shows of one.

    Parameters
    ----------
    number
        Of the entry in the journal that it began with.
    words
        What was done, as the user calls it.
    at
        When it began: date and time in UTC, ISO 8601.
    by
        Who did it.
    frame
        Index of the frame, or of the first one; None when it is about none.
    label
        Label of the cell, or of the first one; None when it is about none.
    """

    number: int
    words: str
    at: str
    by: str
    frame: int | None
    label: int | None


def group_of(entry: Entry) -> int:
    """Give the number that the entries of a step share."""
    return int(entry.head["group"])


def is_run(step: Step) -> bool:
    """Tell whether it is a run of the network."""
    return current_kind(step[0].head["kind"]) == RUN_KIND


def is_mixed(step: Step) -> bool:
    """Tell whether others did something while the step went on."""
    return any(entry.head.get("joins") for entry in step)


def take_long(steps: list[Step]) -> bool:
    """Tell whether to undo, or redo, steps takes longer than a moment."""
    work = sum(1 + (entry.size >> 16) for step in steps for entry in step)
    return work > FEW or any(is_mixed(step) for step in steps)


def words_of(step: Step) -> str:
    """Name a step as a user calls it: a run, a group, or an edit of a cell."""
    if is_run(step):
        return RUN
    what = step[-1].head["what"]
    if what.get("title"):
        return str(what["title"])
    words, cells = current_kind(step[-1].head["kind"]), _cells(what)
    if len(cells) == 1:
        words += f" {cells[0]}" if words in _WITH_NOUN else f" cell {cells[0]}"
    elif cells:
        words += f" cells {', '.join(map(str, cells[:-1]))} and {cells[-1]}"
    frame, last = _frame(what), what.get("last")
    if frame is None:
        return words
    if isinstance(last, int) and last > frame:
        return f"{words}, frames {frame} to {last}"
    return f"{words}, frame {frame}"


def facts_of(step: Step) -> StepFacts:
    """Say what a step is."""
    first, what = step[0], step[-1].head["what"]
    parts = [] if is_run(step) else [what, *what.get("edits", ())]
    frames = (_frame(part) for part in parts)
    return StepFacts(
        first.number,
        words_of(step),
        first.head.get("at", ""),
        first.head.get("by", ""),
        next((frame for frame in frames if frame is not None), None),
        next((label for part in parts for label in _cells(part)), None),
    )


def _frame(what: dict[str, Any]) -> int | None:
    """Find the frame that an edit is about, or the first of them."""
    found = (what.get(name) for name in _FRAMES)
    return next((value for value in found if isinstance(value, int)), None)


def _cells(what: dict[str, Any]) -> list[int]:
    """Find the cells that an edit is about."""
    found = (what.get(name) for name in _CELLS)
    lists = (value if isinstance(value, list) else [value] for value in found)
    return [n for some in lists for n in some if isinstance(n, int) and n]
