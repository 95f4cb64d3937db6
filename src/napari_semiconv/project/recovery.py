"""Open what a project holds, and mend what a crash left half-done."""

from pathlib import Path

from ..edits.document import Document
from ..edits.history import History
from ..edits.journal import Journal
from ..errors import SaveError
from .mask_array import LABELS
from .snapshot import LINEAGE, Snapshot, read_snapshot, write_snapshot
from .soundness import check_lineage, check_snapshot
from .store import ZarrMasks

JOURNAL = "journal.bin"


def open_history(folder: Path, notes: list[str], *, writable: bool) -> History:
    """Open masks, tracks and journal of a project, and make the latest edits again.

    Parameters
    ----------
    folder
        The project folder.
    notes
        Sentences for the user are added to it.
    writable
        Whether the files may be mended.

    Raises
    ------
    BadInputError
        When they are missing or damaged.
    """
    snapshot = read_snapshot(folder / LINEAGE)
    journal = Journal(folder / JOURNAL, writable=writable)
    try:
        masks = ZarrMasks(folder / LABELS, writable=writable, before_write=journal.sync)
        check_snapshot(folder / LINEAGE, snapshot, masks.shape)
        applied = _mend(journal, snapshot, notes, writable=writable)
        document = Document(
            masks,
            snapshot.lineage,
            snapshot.names,
            snapshot.absences,
            snapshot.next_number,
        )
        # What is only noted, such as what was looked at, is no edit.
        later = sum(e.head["do"] != "note" for e in journal.entries[applied:])
        history = History(document, journal, applied)
        if later:
            check_lineage(folder / JOURNAL, history.document.lineage, masks.shape)
        if later and writable:
            notes.append(
                f"{folder.name} was not closed the last time; "
                f"{_times(later, 'edit')} made again from the journal, none is lost."
            )
        if writable and (later or applied != snapshot.applied):
            _save(folder, history, masks, notes)
    except BaseException:
        journal.close()
        raise
    return history


def _save(folder: Path, history: History, masks: ZarrMasks, notes: list[str]) -> None:
    journal = history.journal
    try:
        journal.sync()
        masks.flush()
        write_snapshot(folder / LINEAGE, history.document, journal.last)
    except SaveError as error:
        # The journal has it all: the project can be looked at and edited.
        notes.append(str(error))


def _mend(
    journal: Journal, snapshot: Snapshot, notes: list[str], *, writable: bool
) -> int:
    """Cut off what is damaged at the end; return the entries that are applied."""
    name = journal.path.parent.name
    if journal.torn and writable:
        notes.append(
            f"{name}: the last entry of the journal was written in part, "
            f"{journal.torn} bytes, and was cut off. All edits before it are there."
        )
    for entry in journal.entries[snapshot.applied :]:
        if not journal.is_sound(entry):
            gone = journal.last - entry.number + 1
            notes.append(
                f"{name}: the disk did not keep the end of the journal: "
                f"{_times(gone, 'entry', 'entries')} cut off. All edits before that "
                f"are there."
            )
            if writable:
                journal.cut_after(entry.number - 1)
            else:
                del journal.entries[entry.number - 1 :]
            break
    if journal.last < snapshot.applied:
        notes.append(
            f"{name}: the journal lacks its last {snapshot.applied - journal.last} "
            f"entries. Masks and tracks are whole, but those edits cannot be undone."
        )
    return min(snapshot.applied, journal.last)


def _times(count: int, one: str, many: str = "") -> str:
    return f"{count} {one} was" if count == 1 else f"{count} {many or one + 's'} were"
