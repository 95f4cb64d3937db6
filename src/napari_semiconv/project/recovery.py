"""Open what a project holds, and mend what a crash left half-done."""

from functools import partial
from pathlib import Path

from ..edits.document import Document
from ..edits.history import History
from ..edits.journal import Journal
from ..edits.records import LOST
from ..errors import BadInputError, SaveError, listed
from .locking import Lock
from .mask_array import LABELS
from .snapshot import LINEAGE, Snapshot, read_snapshot, write_snapshot
from .soundness import check_lineage, check_snapshot
from .store import ZarrMasks
from .written import Written

JOURNAL = "journal.bin"


class _MasksNewerError(BadInputError):
    """Masks on the disk may be newer than all of the journal that can be read."""


def open_history(
    folder: Path, *, write: bool
) -> tuple[History, Lock | None, tuple[str, ...]]:
    """Open masks, tracks and journal of a project, and make the latest edits again.

    Parameters
    ----------
    folder
        The project folder.
    write
        Whether it is to be changed; then files are mended.

    Returns
    -------
    tuple
        Document and edits; the lock, or None when nothing may be changed; sentences for
        the user.

    Raises
    ------
    BadInputError
        When files are missing or damaged.
    """
    notes: list[str] = []
    lock = Lock.taken(folder, notes) if write else None
    try:
        return _opened(folder, notes, writable=lock is not None), lock, tuple(notes)
    except _MasksNewerError:
        assert lock is not None
        lock.free()
        notes = []
        return _opened(folder, notes, writable=False), None, tuple(notes)
    except BaseException:
        if lock is not None:
            lock.free()
        raise


def _opened(folder: Path, notes: list[str], *, writable: bool) -> History:
    written = Written(folder)
    snapshot = read_snapshot(folder / LINEAGE)
    journal = Journal(folder / JOURNAL, writable=writable)
    try:
        return _history(folder, written, snapshot, journal, notes)
    except BaseException:
        journal.close()
        raise


def _history(
    folder: Path,
    written: Written,
    snapshot: Snapshot,
    journal: Journal,
    notes: list[str],
) -> History:
    masks = ZarrMasks(
        folder / LABELS,
        writable=journal.writable,
        before_write=partial(written.note, journal),
    )
    check_snapshot(folder / LINEAGE, snapshot, masks.shape)
    _tell_lost(journal, snapshot.applied, notes)
    if journal.last < snapshot.applied and journal.writable:
        # What was done is known no more: nothing before it can be taken back.
        missing = snapshot.applied - journal.last
        journal.append({"do": LOST, "what": {"entries": missing}})
    document = Document(
        masks,
        snapshot.lineage,
        snapshot.names,
        snapshot.absences,
        snapshot.next_number,
    )
    found, applied = journal.last, min(snapshot.applied, journal.last)
    history = History(document, journal, applied)
    if journal.last > applied:
        check_lineage(folder / JOURNAL, history.document.lineage, masks.shape)
    cut = found - journal.last
    if cut:
        notes.append(
            f"{folder.name}: the disk did not keep the end of the journal: "
            f"{_times(cut, 'entry', 'entries')} cut off. All edits before that are "
            f"there."
        )
    if written.is_newer_than(max(journal.last, snapshot.applied), cut=bool(cut)):
        newer = (
            f"{folder.name} was opened to be read only: its journal can be read up to "
            f"entry {journal.last}, and its masks may be newer than that. Restore it "
            f"from a copy, or export the cells, look through them and import them."
        )
        if journal.writable:
            raise _MasksNewerError(newer)
        notes.append(newer)
    if journal.writable:
        _bring_up_to_date(history, masks, written, snapshot.applied, notes)
    return history


def _bring_up_to_date(
    history: History, masks: ZarrMasks, written: Written, applied: int, notes: list[str]
) -> None:
    """Write what was made again, so that the next opening need not do so."""
    journal, folder = history.journal, history.journal.path.parent
    journal.cut()
    # What is only noted, such as what was looked at, is no edit.
    later = sum(entry.head["do"] != "note" for entry in journal.entries[applied:])
    if later:
        notes.append(
            f"{folder.name} was not closed the last time; "
            f"{_times(later, 'edit')} made again from the journal, none is lost."
        )
    try:
        if later or journal.last < applied or not written.is_known:
            written.note(journal)
            masks.flush()
            write_snapshot(folder / LINEAGE, history.document, journal.last)
    except SaveError as error:
        if journal.last < applied:
            # The next entry would be taken for one that the tracks have in them.
            raise
        # The journal has it all: the project can be looked at and edited.
        notes.append(str(error))


def _tell_lost(journal: Journal, applied: int, notes: list[str]) -> None:
    """Say what is damaged in the journal."""
    name, last = journal.path.parent.name, journal.last
    # Those that stand for what was missing before were told of then.
    known = (e for e in journal.entries[:applied] if "what" not in e.head)
    lost = [entry.number for entry in known if entry.lost]
    if lost:
        which = "entry" if len(lost) == 1 else "entries"
        notes.append(
            f"{name}: {which} {listed(lost)} of the journal cannot be read. Masks and "
            f"tracks are whole, but no edit up to there can be undone."
        )
    if last < applied:
        missing = "entry" if applied - last == 1 else f"{applied - last} entries"
        notes.append(
            f"{name}: the journal lacks its last {missing}. Masks and tracks are "
            f"whole, but no edit up to there can be undone."
        )
    elif journal.torn:
        done = "was cut off" if journal.writable else "is left out"
        notes.append(
            f"{name}: the last entry of the journal was written in part, "
            f"{journal.torn} bytes, and {done}. All edits before it are there."
        )


def _times(count: int, one: str, many: str = "") -> str:
    return f"{count} {one} was" if count == 1 else f"{count} {many or one + 's'} were"
