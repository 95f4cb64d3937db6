"""The one door: do, undo and redo edits, each in the journal before it is made."""

import getpass
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..errors import EditError
from .base import Edit, plan
from .change import Change
from .codec import decode, encode
from .document import Document
from .journal import Entry, Journal
from .rebase import rebased
from .steps import Step, group_of, is_mixed, is_run, take_long, words_of

# An entry, and whether what it changed is taken back.
Part = tuple[Entry, bool]


class History:
    """Does, undoes and redoes edits of a document.

    Parameters
    ----------
    document
        What is edited.
    journal
        Where every edit is written. Its entries after ``applied`` are made again.
    applied
        Number of the last entry that the document has in it already.
    """

    def __init__(self, document: Document, journal: Journal, applied: int = 0) -> None:
        self.document = document
        self.journal = journal
        # One edit after the other, whichever thread makes them.
        self.writing = threading.RLock()
        self._done: list[Step] = []
        self._undone: list[Step] = []
        # Groups whose steps are no longer in the order of the journal: others went on
        # after them, such as a run while the user corrected its first frames.
        self._loose: set[int] = set()
        self._last_group = 0
        # The last entry that undid each group, and what entries undid or redid.
        self._undid: dict[int, Entry] = {}
        self._turns: dict[int, Step] = {}
        self._who = _who()
        for entry in journal.entries:
            self._note(entry)
            if entry.number > applied:
                for change in self._decoded(self._parts_of(entry)):
                    document.apply(change)

    @property
    def undoable(self) -> str | None:
        """What would be undone next, in words; None when nothing."""
        return words_of(self._done[-1]) if self._done else None

    @property
    def undoable_group(self) -> int | None:
        """Number of the group that would be undone next; None when nothing."""
        return group_of(self._done[-1][0]) if self._done else None

    @property
    def redoable(self) -> str | None:
        """What would be redone next, in words; None when nothing."""
        return words_of(self._undone[-1]) if self._undone else None

    def takes_long(self, way: str) -> bool:
        """Whether to undo or redo the next step takes longer than a moment.

        Parameters
        ----------
        way
            ``undo`` or ``redo``.
        """
        return take_long((self._done if way == "undo" else self._undone)[-1:])

    @property
    def restorable(self) -> set[int]:
        """Numbers of the entries that can be undone or redone."""
        done, undone = self.standing
        # A run that is interleaved with others, or may be when it goes on, is undone
        # with all that came since.
        steps = (*self._done, *self._undone)
        runs = [s[0].number for s in steps if is_mixed(s) or is_run(s)]
        since = range(min(runs), self.journal.last + 1) if runs else ()
        return done | undone | {*since}

    @property
    def spare(self) -> int:
        """Bytes of the journal that `compact` would free."""
        kept = self.restorable
        return sum(e.size for e in self.journal.entries if e.number not in kept)

    @property
    def standing(self) -> tuple[set[int], set[int]]:
        """Numbers of the entries that can be undone, and of those to be redone."""
        done, undone = (
            {entry.number for step in steps for entry in step}
            for steps in (self._done, self._undone)
        )
        return done, undone

    def do(self, edit: Edit, group: int | None = None) -> Change:
        """Make an edit: checked in full, then journalled, then applied.

        Parameters
        ----------
        edit
            What to do.
        group
            Number that edits share which are undone together; see `new_group`.

        Returns
        -------
        Change
            What it changed; false when nothing.

        Raises
        ------
        EditError
            When it cannot be done as things are; nothing was changed.
        SaveError
            When it could not be written; nothing was changed.
        """
        with self.writing:
            change = plan(edit, self.document)
            if change:
                group = self.new_group() if group is None else group
                head = {
                    "do": "edit",
                    "kind": edit.kind,
                    "group": group,
                    "what": edit.describe(),
                }
                step = self._step_of(group)
                if step is not None and (step is not self._done[-1] or self._undone):
                    head["joins"] = True
                self._note(self.journal.append(self._signed(head), encode(change)))
                self.document.apply(change)
        return change

    def undo(self) -> list[Change]:
        """Take the last edit, or group of edits, back; return what changed.

        Raises
        ------
        EditError
            When there is none.
        """
        with self.writing:
            if not self._done:
                raise EditError("There is nothing to undo.")
            return self._turn("undo", self._done[-1])

    def redo(self) -> list[Change]:
        """Make the edit, or group, that was undone last again; return what changed.

        Raises
        ------
        EditError
            When there is none.
        """
        with self.writing:
            if not self._undone:
                raise EditError("There is nothing to redo.")
            return self._turn("redo", self._undone[-1])

    @property
    def timeline(self) -> tuple[list[Step], int]:
        """All steps that can be undone or redone, first to last; how many are done."""
        done = [*self._done]
        return done + self._undone[::-1], len(done)

    def way_to(self, number: int) -> list[Step]:
        """List the steps to undo, the latest first, or to redo, to go to a step.

        Parameters
        ----------
        number
            Of an entry of the step; 0 is how it was before the first one.

        Raises
        ------
        EditError
            When it can neither be undone nor redone.
        """
        steps, done = self.timeline
        holding = (n for n in range(len(steps), 0, -1) if _has(steps[n - 1], number))
        place = next(holding, None) if number else 0
        if place is None:
            raise EditError(
                f"Step {number}: expected one that can be undone or redone, found none "
                f"of that number. Choose another one of the history."
            )
        return steps[done:place] if place > done else steps[place:done][::-1]

    def note(self, kind: str, what: dict[str, Any]) -> None:
        """Write into the journal what changes nothing but should be known."""
        with self.writing:
            head = {"do": "note", "kind": kind, "what": what}
            self._note(self.journal.append(self._signed(head)))

    def new_group(self) -> int:
        """Give a number that no group of edits has, nor will get."""
        with self.writing:
            self._last_group = max(self._last_group, self.journal.last) + 1
            return self._last_group

    @property
    def edited(self) -> bool:
        """Whether any edit was ever made."""
        return any(entry.head["do"] == "edit" for entry in self.journal.entries)

    def compact(self) -> None:
        """Make the journal small; all that can be undone or redone stays so."""
        with self.writing:
            self.journal.compact(self.restorable)
            entries = self.journal.entries
            for step in (*self._done, *self._undone, *self._turns.values()):
                step[:] = [entries[entry.number - 1] for entry in step]
            for group, entry in self._undid.items():
                self._undid[group] = entries[entry.number - 1]

    def _turn(self, way: str, step: Step) -> list[Change]:
        group = group_of(step[0])
        head = {"do": way, "kind": step[-1].head["kind"], "group": group}
        if is_mixed(step):
            # All steps after it are undone: it is undone, and redone, with all that was
            # done and undone since it began.
            last = self._undid[group].number if way == "redo" else self.journal.last + 1
            head |= {"first": step[0].number, "last": last}
        if group in self._loose and "first" not in head:
            # Redone as it was undone, which may be less than what was done.
            undid = self._parts_of(self._undid[group]) if way == "redo" else None
            parts = self._parts(head, step) if undid is None else _inverse(undid)
            change = self._fitted([*self._decoded(parts)])
            self._check([change])
            self._note(self.journal.append(self._signed(head), encode(change)))
            self.document.apply(change)
            return [change]
        parts = self._parts(head, step)
        # Read before it is journalled: a damaged entry must not be turned in part.
        self._check(self._decoded(parts))
        self._note(self.journal.append(self._signed(head)))
        done = []
        for change in self._decoded(parts):
            self.document.apply(change)
            done.append(change.without_pixels())
        return done

    def _check(self, changes: Iterable[Change]) -> None:
        """Make sure that what changes, and what is to be changed, can be read."""
        for change in changes:
            for patch in change.patches:
                self.document.masks.read(patch.frame)

    def _fitted(self, changes: list[Change]) -> Change:
        """Fit changes to what others made of the document; it may be nothing."""
        try:
            return rebased(changes, self.document)
        except EditError:
            number = self.document.next_number
            return Change(numbers=(number, number))

    def _parts_of(self, entry: Entry) -> list[Part]:
        """List the entries whose changes an entry made."""
        head = entry.head
        if head["do"] == "edit" or entry.size:
            return [(entry, False)]
        if head["do"] in ("undo", "redo"):
            return self._parts(head, self._turns[entry.number])
        return []

    def _parts(self, head: dict[str, Any], step: Step) -> list[Part]:
        """List the entries whose changes undoing or redoing a step makes."""
        since = step
        if "first" in head:
            since = _net(self.journal.entries[head["first"] - 1 : head["last"] - 1])
        parts = [part for entry in since for part in self._parts_of(entry)]
        return parts if head["do"] == "redo" else _inverse(parts)

    def _decoded(self, parts: Iterable[Part]) -> Iterator[Change]:
        """Read changes one after the other: all pixels of a run may be too many."""
        for entry, inverse in parts:
            change = decode(self.journal.body(entry), self.document.shape)
            yield change.inverse() if inverse else change

    def _note(self, entry: Entry) -> None:
        """Keep the stacks of what can be undone and redone."""
        way = entry.head["do"]
        given = entry.head["what"].get("group", 0) if way == "note" else group_of(entry)
        self._last_group = max(self._last_group, int(given))
        if way == "edit" and entry.head.get("joins"):
            self._join(entry)
        elif way == "edit":
            self._undone.clear()
            if self._done and group_of(self._done[-1][0]) == group_of(entry):
                self._done[-1].append(entry)
            else:
                self._done.append([entry])
        elif way in ("undo", "redo"):
            stacks = self._done, self._undone
            source, target = stacks if way == "undo" else stacks[::-1]
            target.append(source.pop())
            self._turns[entry.number] = [*target[-1]]
            if way == "undo":
                self._undid[group_of(entry)] = entry

    def _step_of(self, group: int) -> Step | None:
        """Find the step that can be undone and has a group."""
        return next((s for s in reversed(self._done) if group_of(s[0]) == group), None)

    def _join(self, entry: Entry) -> None:
        """Add an entry to an earlier step; later ones, and undone ones, stay."""
        step = self._step_of(group_of(entry))
        if step is None:
            self._done.append([entry])
            return
        place = next(n for n, known in enumerate(self._done) if known is step)
        overtaken = (*self._done[place:], *self._undone)
        self._loose |= {group_of(known[0]) for known in overtaken}
        step.append(entry)

    def _signed(self, head: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {**head, "at": now, "by": self._who}


def _has(step: Step, number: int) -> bool:
    # Most steps are told apart by their ends.
    inside = step[0].number <= number <= step[-1].number
    return inside and any(entry.number == number for entry in step)


def _inverse(parts: list[Part]) -> list[Part]:
    return [(entry, not inverse) for entry, inverse in reversed(parts)]


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


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
