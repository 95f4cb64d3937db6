"""The output folder of `segment`: nothing in it but an earlier result is replaced."""

import re
import shutil
from pathlib import Path

from ..errors import SaveError
from ..io.cells.formats import RECORD
from ..safe import new_draft_folder, saving

# What a result folder may hold; anything else is somebody else's.
OURS = re.compile(
    rf"mask\d+\.tif|res_track\.txt|labels\.tif|labels_tracks\.csv|{re.escape(RECORD)}"
)


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

    Raises
    ------
    SaveError
        When files cannot be moved, or the folder got others meanwhile.
    """
    # Long since it was first looked at, somebody may have put something there.
    refuse_foreign(folder, overwrite=overwrite)
    with saving(folder):
        if not folder.exists():
            draft.rename(folder)
            return
        old = new_draft_folder(folder)
        for path in [*folder.iterdir()]:
            path.rename(old / path.name)
        for path in [*draft.iterdir()]:
            path.rename(folder / path.name)
        draft.rmdir()
        shutil.rmtree(old)
