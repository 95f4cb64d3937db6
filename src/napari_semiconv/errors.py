"""What can go wrong, said in one sentence that names the way on."""

import errno
from collections.abc import Iterable

NO_SPACE = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, as in ``1 cell`` or ``2 cells``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(labels: Iterable[int]) -> str:
    """Write labels as people do, as in ``3, 4 and 5``."""
    *most, last = map(str, labels)
    return f"{', '.join(most)} and {last}" if most else last


def reason_of(error: OSError) -> str:
    """Say what is wrong with a file or disk in a few words, without its path."""
    if error.errno in NO_SPACE:
        return "the disk is full"
    if error.errno in _NO_RIGHT:
        return "writing or reading there is not allowed"
    return error.strerror or str(error) or type(error).__name__


class SemiconvError(Exception):
    """Base of all errors whose text is meant for the user."""


class BadInputError(SemiconvError):
    """A movie, image, label or result file cannot be used as it is."""


class UnreadableFrameError(BadInputError):
    """One frame of an otherwise good movie cannot be read.

    Parameters
    ----------
    message
        The sentence for the user.
    frame
        Index of the frame, from 0.
    """

    def __init__(self, message: str, frame: int) -> None:
        super().__init__(message)
        self.frame = frame


class BadModelError(SemiconvError):
    """A model folder is missing, incomplete or altered."""


class BadSettingsError(SemiconvError):
    """A setting has a value that cannot work."""


class DeviceError(SemiconvError):
    """The chosen computing device is missing or out of memory."""


class SaveError(SemiconvError):
    """A result could not be written; what was there before is untouched."""


class NonFiniteLossError(SemiconvError):
    """Training met a loss that is not a number; the last good checkpoint is kept."""


class EditError(SemiconvError):
    """An edit cannot be done as things are; nothing was changed."""


class ComputeError(SemiconvError):
    """The computing process stopped; frames that were finished stay."""
