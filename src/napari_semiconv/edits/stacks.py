"""What can be undone and redone, as the entries of the journal tell."""

from collections.abc import Iterable
from typing import Any

from ..errors import BadInputError
from .journal import Journal
from .records import Entry
from .steps import Step, group_of, is_mixed

# An entry, and whether what it changed is taken back.
Part = tuple[Entry, bool]


class Stacks:
    """Steps that are done and undone; made anew from the journal at any time.

    Parameters
    ----------
    journal
        Where entries are looked up that a step was mixed with.
    entries
        Those that are noted already.
    """

    def __init__(self, journal: Journal, entries: Iterable[Entry] = ()) -> None:
        self._journal = journal
        self.done: list[Step] = []
        self.undone: list[Step] = []
        # Groups whose steps are no longer in the order of the journal: others went on
        # after them, such as a run while the user corrected its first frames.
        self.loose: set[int] = set()
        self.last_group = 0
        # The last entry that undid each group, and what entries undid or redid.
        self.undid: dict[int, Entry] = {}
        self._turns: dict[int, Step] = {}
        for entry in entries:
            self.note(entry)

    def note(self, entry: Entry) -> None:
        """Take in the next entry."""
        if entry.lost:
            self._forget()
            return
        way = entry.head["do"]
        given = entry.head["what"].get("group", 0) if way == "note" else group_of(entry)
        self.last_group = max(self.last_group, int(given))
        if way == "edit" and entry.head.get("joins"):
            self._join(entry)
        elif way == "edit":
            self.undone.clear()
            if self.done and group_of(self.done[-1][0]) == group_of(entry):
                self.done[-1].append(entry)
            else:
                self.done.append([entry])
        elif way in ("undo", "redo"):
            self._turn(entry)

    def step_of(self, group: int) -> Step | None:
        """Find the step that can be undone and has a group."""
        return next((s for s in reversed(self.done) if group_of(s[0]) == group), None)

    def parts_of(self, entry: Entry) -> list[Part]:
        """List the entries whose changes an entry made.

        Raises
        ------
        BadInputError
            When nobody can know, since entries were lost.
        """
        head = entry.head
        if head["do"] == "edit" or entry.size:
            return [(entry, False)]
        if head["do"] in ("undo", "redo") and entry.number in self._turns:
            return self.parts(head, self._turns[entry.number])
        if head["do"] == "note":
            return []
        raise BadInputError(
            f"Entry {entry.number} of the journal cannot be made again: expected the "
            f"edits it is about, found them lost. Restore the project from a copy."
        )

    def parts(self, head: dict[str, Any], step: Step) -> list[Part]:
        """List the entries whose changes undoing or redoing a step makes."""
        since = step
        if "first" in head:
            since = _net(self._journal.entries[head["first"] - 1 : head["last"] - 1])
        parts = [part for entry in since for part in self.parts_of(entry)]
        return parts if head["do"] == "redo" else inverse(parts)

    def head_of(self, way: str, step: Step) -> dict[str, Any]:
        """Say what undoing, or redoing, a step is."""
        group = group_of(step[0])
        head = {"do": way, "kind": step[-1].head["kind"], "group": group}
        if is_mixed(step):
            # All steps after it are undone: it is undone, and redone, with all that was
            # done and undone since it began.
            last = self.undid[group].number if way == "redo" else self._journal.last + 1
            head |= {"first": step[0].number, "last": last}
        return head

    def _turn(self, entry: Entry) -> None:
        stacks = self.done, self.undone
        source, target = stacks if entry.head["do"] == "undo" else stacks[::-1]
        if not source or group_of(source[-1][0]) != group_of(entry):
            # What it turned was lost, so that what lay below cannot be turned either.
            self._forget()
            return
        target.append(source.pop())
        self._turns[entry.number] = [*target[-1]]
        if entry.head["do"] == "undo":
            self.undid[group_of(entry)] = entry

    def _forget(self) -> None:
        """Begin anew: what is before something unknown can be taken back no more."""
        self.done.clear()
        self.undone.clear()

    def _join(self, entry: Entry) -> None:
        """Add an entry to an earlier step; later ones, and undone ones, stay."""
        step = self.step_of(group_of(entry))
        if step is None:
            self.done.append([entry])
            return
        place = next(n for n, known in enumerate(self.done) if known is step)
        overtaken = (*self.done[place:], *self.undone)
        self.loose |= {group_of(known[0]) for known in overtaken}
        step.append(entry)


def inverse(parts: list[Part]) -> list[Part]:
    """Take parts back, the last one first."""
    return [(entry, not back) for entry, back in reversed(parts)]


def _net(entries: Iterable[Entry]) -> list[Entry]:
    """Leave out what was undone and redone: of what lies between, nothing is left."""
    kept: list[Entry] = []
    for entry in entries:
        if entry.head["do"] == "redo" and "first" in entry.head:
            undone = next(
                n
                for n, known in reversed([*enumerate(kept)])
                if known.head["do"] == "undo" and group_of(known) == group_of(entry)
            )
            del kept[undone:]
        else:
            kept.append(entry)
    return kept
