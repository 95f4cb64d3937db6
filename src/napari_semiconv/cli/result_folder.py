"""The output folder of `segment`: nothing in it but an earlier result is replaced."""

import re
from glob import escape
from pathlib import Path

from ..errors import SaveError
from ..io.cells.formats import PROJECT, RECORD
from ..safe import saving

# What a result folder may hold; anything else is somebody else's.
OURS = re.compile(
    rf"mask\d+\.tif|res_track\.txt|labels\.tif|labels_tracks\.csv|{re.escape(RECORD)}"
)

# Name inside a project of the result that its export replaced.
REPLACED = "replaced"


def refuse_foreign(folder: Path, *, overwrite: bool) -> None:
    """Refuse an output folder that holds anything but an earlier result of ours.

    Raises
    ------
    SaveError
        When it does, or when it is an earlier result that may not be replaced.
    """
    if folder.exists() and not folder.is_dir():
        raise SaveError(
            f"Output folder {folder}: expected a folder, found a file. Choose another "
            f"name."
        )
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    # Another program's result can have the same file names, but not our record.
    foreign = [n for n in found if RECORD not in found or not OURS.fullmatch(n)]
    if foreign:
        raise SaveError(
            f"Output folder {folder}: expected it to be empty or to hold an earlier "
            f"result of this program, found '{foreign[0]}'. Choose another folder."
        )
    if found and not overwrite:
        raise SaveError(
            f"Output folder {folder}: expected none or an empty one, found an earlier "
            f"result. Choose another folder, or replace it with --overwrite."
        )


def publish(draft: Path, folder: Path, *, overwrite: bool) -> None:
    """Let a complete folder take the place of an earlier result.

    Parameters
    ----------
    draft
        The complete folder, inside the project that it was exported from; the earlier
        result is left beside it, and goes when the project does.
    folder
        Its place.
    overwrite
        Whether an earlier result may be replaced.

    Raises
    ------
    SaveError
        When files cannot be moved, or the folder got others meanwhile.
    """
    # Long since it was first looked at, somebody may have put something there.
    refuse_foreign(folder, overwrite=overwrite)
    old = draft.with_name(REPLACED)
    with saving(folder):
        if not folder.exists():
            draft.rename(folder)
            return
        folder.rename(old)
        try:
            draft.rename(folder)
        except OSError:
            old.rename(folder)
            raise


def restore(folder: Path) -> bool:
    """Put an earlier result back that a run was killed while it replaced.

    Returns
    -------
    bool
        Whether there was one.

    Raises
    ------
    SaveError
        When it cannot be moved.
    """
    if folder.exists():
        return False
    for old in sorted(folder.parent.glob(f"{escape(folder.name)}*/{REPLACED}")):
        if (old / RECORD).is_file() and (old.parent / PROJECT).is_file():
            with saving(folder):
                old.rename(folder)
            return True
    return False
