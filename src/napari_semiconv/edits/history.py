"""The one door: do, undo and redo edits, each in the journal before it is made."""

import getpass
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..errors import BadInputError, EditError
from .base import Edit, plan
from .change import Change
from .codec import decode, encode
from .document import Document
from .journal import Journal
from .rebase import rebased
from .records import Entry
from .stacks import Part, Stacks, inverse
from .steps import Step, group_of, is_mixed, is_run, take_long, words_of


class History:
    """Does, undoes and redoes edits of a document.

    An edit is done from the moment that it is in the journal. What interrupts before it
    is in the document (Ctrl+C, want of memory) leaves that behind: it catches up at
    once, or before anything else is done.

    Parameters
    ----------
    document
        What is edited.
    journal
        Where every edit is written. Its entries after ``applied`` are made again, as
        far as they can be read; what cannot, and what follows, it forgets.
    applied
        Number of the last entry that the document has in it already.
    """

    def __init__(self, document: Document, journal: Journal, applied: int = 0) -> None:
        self.document = document
        self.journal = journal
        # One edit after the other, whichever thread makes them.
        self.writing = threading.RLock()
        self._stacks = Stacks(journal)
        # The last entry that document and stacks have in them.
        self._applied = min(applied, journal.last)
        self._unheard: list[Change] = []
        self._last_group = 0
        self._who = _who()
        self._open()

    @property
    def undoable(self) -> str | None:
        """What would be undone next, in words; None when nothing."""
        done = self._stacks.done
        return words_of(done[-1]) if done else None

    @property
    def undoable_group(self) -> int | None:
        """Number of the group that would be undone next; None when nothing."""
        done = self._stacks.done
        return group_of(done[-1][0]) if done else None

    @property
    def redoable(self) -> str | None:
        """What would be redone next, in words; None when nothing."""
        undone = self._stacks.undone
        return words_of(undone[-1]) if undone else None

    def takes_long(self, way: str) -> bool:
        """Whether to undo or redo the next step takes longer than a moment.

        Parameters
        ----------
        way
            ``undo`` or ``redo``.
        """
        stacks = self._stacks
        return take_long((stacks.done if way == "undo" else stacks.undone)[-1:])

    @property
    def restorable(self) -> set[int]:
        """Numbers of the entries that can be undone or redone."""
        done, undone = self.standing
        # A run that is interleaved with others, or may be when it goes on, is undone
        # with all that came since.
        steps = (*self._stacks.done, *self._stacks.undone)
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
            for steps in (self._stacks.done, self._stacks.undone)
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
            self.catch_up()
            change = plan(edit, self.document)
            if change:
                group = self.new_group() if group is None else group
                head = {
                    "do": "edit",
                    "kind": edit.kind,
                    "group": group,
                    "what": edit.describe(),
                }
                stacks = self._stacks
                step = stacks.step_of(group)
                if step is not None and (step is not stacks.done[-1] or stacks.undone):
                    head["joins"] = True
                self._make(head, encode(change), [change])
        return change

    def undo(self) -> list[Change]:
        """Take the last edit, or group of edits, back; return what changed.

        Raises
        ------
        EditError
            When there is none.
        """
        with self.writing:
            self.catch_up()
            steps = self._stacks.done
            if not steps:
                raise EditError("There is nothing to undo.")
            return self._turn("undo", steps[-1])

    def redo(self) -> list[Change]:
        """Make the edit, or group, that was undone last again; return what changed.

        Raises
        ------
        EditError
            When there is none.
        """
        with self.writing:
            self.catch_up()
            steps = self._stacks.undone
            if not steps:
                raise EditError("There is nothing to redo.")
            return self._turn("redo", steps[-1])

    @property
    def timeline(self) -> tuple[list[Step], int]:
        """All steps that can be undone or redone, first to last; how many are done."""
        done = [*self._stacks.done]
        return done + self._stacks.undone[::-1], len(done)

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
            self.catch_up()
            self._make({"do": "note", "kind": kind, "what": what})

    def new_group(self) -> int:
        """Give a number that no group of edits has, nor will get."""
        with self.writing:
            known = max(self._last_group, self._stacks.last_group, self.journal.last)
            self._last_group = known + 1
            return self._last_group

    @property
    def edited(self) -> bool:
        """Whether any edit was ever made."""
        return any(entry.head["do"] == "edit" for entry in self.journal.entries)

    def compact(self) -> None:
        """Make the journal small; all that can be undone or redone stays so."""
        with self.writing:
            self.catch_up()
            self.journal.compact(self.restorable)
            self._stacks = Stacks(self.journal, self.journal.entries)

    def catch_up(self) -> None:
        """Bring document and stacks to the state that the journal tells."""
        with self.writing:
            if self._applied != self.journal.last:
                self._replay()

    def take_unheard(self) -> list[Change]:
        """Give what was caught up with since the last call: nobody was told of it."""
        with self.writing:
            changes, self._unheard = self._unheard, []
        return changes

    def _open(self) -> None:
        """Make the entries that the document has not in it, as far as they can be."""
        try:
            self._replay(self._is_readable)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise BadInputError(
                f"{self.journal.path}: expected the edits of a project, found "
                f"something else ({type(error).__name__}). Restore that file from a "
                f"copy."
            ) from error
        self._unheard.clear()

    def _replay(self, usable: Callable[[Entry, Stacks], bool] | None = None) -> None:
        """Make entries, which may be made in part already.

        Each holds what its pixels and tracks became, so it does not matter how far it
        was made. Without ``usable`` all of them are; else the journal
        forgets those from the first one on that is not.
        """
        stacks = Stacks(self.journal)
        for entry in self.journal.entries:
            stacks.note(entry)
            if entry.number <= self._applied:
                continue
            if usable is not None and not usable(entry, stacks):
                self.journal.forget_after(entry.number - 1)
                stacks = Stacks(self.journal, self.journal.entries)
                break
            for change in self._decoded(stacks.parts_of(entry)):
                self.document.apply_again(change)
                self._unheard.append(change.without_pixels())
        self._stacks = stacks
        self._applied = self.journal.last

    def _is_readable(self, entry: Entry, stacks: Stacks) -> bool:
        try:
            parts = stacks.parts_of(entry)
        except BadInputError:
            return False
        return all(self.journal.is_sound(part) for part, _ in parts)

    def _make(
        self,
        head: dict[str, Any],
        body: bytes = b"",
        changes: Iterable[Change] = (),
    ) -> list[Change]:
        """Write an entry into the journal, and make what it says."""
        done = []
        try:
            entry = self.journal.append(self._signed(head), body)
            self._stacks.note(entry)
            for change in changes:
                self.document.apply(change)
                done.append(change.without_pixels())
            self._applied = entry.number
        except BaseException:
            self.catch_up()
            raise
        return done

    def _turn(self, way: str, step: Step) -> list[Change]:
        stacks = self._stacks
        head = stacks.head_of(way, step)
        group = head["group"]
        if group in stacks.loose and "first" not in head:
            # Redone as it was undone, which may be less than what was done.
            undid = stacks.parts_of(stacks.undid[group]) if way == "redo" else None
            parts = stacks.parts(head, step) if undid is None else inverse(undid)
            change = self._fitted([*self._decoded(parts)])
            self._check([change])
            self._make(head, encode(change), [change])
            return [change]
        parts = stacks.parts(head, step)
        # Read before it is journalled: a damaged entry must not be turned in part.
        self._check(self._decoded(parts))
        return self._make(head, b"", self._decoded(parts))

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

    def _decoded(self, parts: Iterable[Part]) -> Iterator[Change]:
        """Read changes one after the other: all pixels of a run may be too many."""
        for entry, back in parts:
            change = decode(self.journal.body(entry), self.document.shape)
            yield change.inverse() if back else change

    def _signed(self, head: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {**head, "at": now, "by": self._who}


def _has(step: Step, number: int) -> bool:
    # Most steps are told apart by their ends.
    inside = step[0].number <= number <= step[-1].number
    return inside and any(entry.number == number for entry in step)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
