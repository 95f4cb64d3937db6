"""Make a new file or folder beside its place, and move it there when it is whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import SaveError
from ...safe import draft_of, saving


@contextmanager
def new_target(target: Path) -> Iterator[Path]:
    """Give a free name beside ``target`` to write to; it is renamed at the end.

    Left by an error, the ``with`` block leaves nothing. Names are looked at as they
    are: a link that leads elsewhere is something that lies there, and is never followed
    to be written to.

    Parameters
    ----------
    target
        File or folder to make; there may be nothing of that name.

    Raises
    ------
    SaveError
        When there is something already, or the disk is full or fails.
    """
    check_free(target)
    draft = draft_of(target)
    try:
        with saving(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            # What a run that was killed has left.
            _remove(draft)
            yield draft
            check_free(target)
            draft.rename(target)
    except BaseException:
        with suppress(OSError):
            _remove(draft)
        raise


def check_free(target: Path) -> None:
    """Refuse a name that is taken.

    Raises
    ------
    SaveError
        When a file, folder or link of that name is there.
    """
    if os.path.lexists(target):
        raise SaveError(
            f"{target}: expected a name that is free, found something there. Choose "
            f"another name."
        )


def _remove(draft: Path) -> None:
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft)
    else:
        draft.unlink(missing_ok=True)
