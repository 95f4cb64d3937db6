"""What the axes of a file mean: read from it where it says so, guessed with a note."""

from collections.abc import Sequence

from ...errors import BadInputError
from ...guard import sizes

KNOWN = "TCZYX"
# ImageJ shows at most this many channels; more are frames saved without axes.
MOST_IMAGEJ_CHANNELS = 7
MOST_GUESSED_CHANNELS = 4


def understand(
    name: str, axes: str, shape: Sequence[int], taken: str = ""
) -> tuple[str, list[str]]:
    """Turn the axis letters of a file into those of a movie.

    Parameters
    ----------
    name
        What the user calls the file.
    axes
        Letters the file gives, in memory order; S is colour samples, others than
        T, C, Z, Y, X are unlabelled.
    shape
        Length of each axis.
    taken
        Letters that are used already: T for one file of a numbered series.

    Returns
    -------
    tuple
        One letter for each axis, a dot for an axis of length 1 that says nothing, and
        sentences on what was guessed.

    Raises
    ------
    BadInputError
        When there are too few or too many axes.
    """
    notes: list[str] = []
    if not set("YX") <= set(axes):
        raise BadInputError(
            f"{name}: expected an image with height and width, found "
            f"{len(axes)} axes of size {sizes(shape)}. Choose an image or movie."
        )
    found = [
        "." if _says_nothing(a, n, taken) else a
        for a, n in zip(axes, shape, strict=True)
    ]
    if "S" in found:
        found = _samples_as_channels(name, found, shape, notes)
    for place, axis in enumerate(found):
        if axis not in f"{KNOWN}.":
            found[place] = _guess(name, found, place, shape, taken)
            notes.append(
                f"The axis of length {shape[place]} has no name in {name} and is taken "
                f"as {_MEANING[found[place]]}."
            )
    clash = sorted(set(found) & set(taken)) or sorted(
        {a for a in found if a != "." and found.count(a) > 1}
    )
    if clash:
        raise BadInputError(
            f"{name}: expected each axis once, found {''.join(clash)} twice in axes "
            f"'{taken}{axes}' of size {sizes(shape)}. Save it as T, C, Z, Y, X."
        )
    return "".join(found), notes


def check_slices(name: str, axes: str, shape: Sequence[int]) -> list[str]:
    """Ask the user to look when a file has z slices but no frames."""
    count = shape[axes.index("Z")] if "Z" in axes else 1
    frames = shape[axes.index("T")] if "T" in axes else 1
    if count == 1 or frames > 1:
        return []
    return [
        f"{name} says it has {count} z slices and a single frame; if these are "
        f"{count} frames, set the axes to {axes.replace('T', '').replace('Z', 'T')}."
    ]


def _says_nothing(axis: str, length: int, taken: str) -> bool:
    return length == 1 and (axis not in KNOWN or axis in taken)


def _samples_as_channels(
    name: str, found: list[str], shape: Sequence[int], notes: list[str]
) -> list[str]:
    samples = shape[found.index("S")]
    if "C" in found:
        channels = shape[found.index("C")]
        if channels > 1:
            raise BadInputError(
                f"{name}: expected channels or colours, found {channels} channels of "
                f"{samples} colour samples each. Save the channels without colours."
            )
        found = ["." if axis == "C" else axis for axis in found]
    notes.append(
        f"The {samples} colour samples of {name} are taken as channels; choose the one "
        f"that shows the cells."
    )
    return ["C" if axis == "S" else axis for axis in found]


_MEANING = {"T": "frames", "C": "channels", "Z": "z slices"}


def _guess(
    name: str, found: list[str], place: int, shape: Sequence[int], taken: str
) -> str:
    free = [axis for axis in "TZC" if axis not in found and axis not in taken]
    # Few of something, and another unnamed axis before it: channels of a movie.
    few = shape[place] <= MOST_GUESSED_CHANNELS
    if "C" in free and few and "T" not in free:
        return "C"
    if not free:
        raise BadInputError(
            f"{name}: expected at most the axes T, C, Z, Y, X, found {len(shape)} axes "
            f"of size {sizes(shape)}. Save one movie of fewer axes."
        )
    return free[0]


def unlabelled(shape: Sequence[int]) -> str:
    """Axis letters for an array that names none: Y, X last, or colour samples last."""
    rest = len(shape) - 2
    if rest > 0 and shape[-1] in (3, 4) and min(shape[-3:-1]) > shape[-1]:
        return "Q" * (rest - 1) + "YXS"
    return "Q" * rest + "YX"[max(0, -rest) :]
