"""Read the words of a command: numbers, frames, slices."""

import argparse

from ..errors import BadSettingsError, counted


def frame_span(text: str) -> slice:
    """Read ``A:B``, frames A to B - 1; either may be left out."""
    begin, colon, end = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"expected A:B such as 0:50, found '{text}'")
    try:
        return slice(*(int(part) if part else None for part in (begin, end)))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers in A:B such as 0:50, found '{text}'"
        ) from None


def chosen_frames(count: int, span: slice | None) -> range:
    """Give the frames of a movie that were asked for, all when none were.

    Raises
    ------
    BadSettingsError
        When there is none.
    """
    frames = range(count)[span or slice(None)]
    if span is not None and not frames:
        begin, end = span.start or 0, count if span.stop is None else span.stop
        raise BadSettingsError(
            f"Frames {begin}:{end}: expected at least one of the movie's "
            f"{counted(count, 'frame')}, found none. Frames are counted from 0."
        )
    return frames


def frame_list(text: str) -> list[int]:
    """Read ``10,25,40``, frames counted from 0."""
    return [index(part) for part in text.split(",")]


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, found '{text}'")
    return value


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(
            f"expected a number from 0 to 1, found '{text}'"
        )
    return value


def index(text: str) -> int:
    """Read a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 0, found '{text}'"
        )
    return int(text)


def count(text: str) -> int:
    """Read a whole number from 1."""
    if index(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1, found '{text}'"
        )
    return int(text)


def pixel(text: str) -> tuple[int, int]:
    """Read ``Y,X``, a pixel counted from 0."""
    y, comma, x = text.partition(",")
    if not (comma and y.isdecimal() and x.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"expected Y,X such as 120,64, counted from 0, found '{text}'"
        )
    return int(y), int(x)


def z_choice(text: str) -> int | str:
    """Read a slice number or ``max``."""
    return text if text == "max" else index(text)
