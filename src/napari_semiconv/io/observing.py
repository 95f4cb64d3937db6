"""Make a lineage of label images: which frames each label truly has pixels in."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from ..labels import Labels, labels_in
from ..tracking.lineage import Lineage, Track


def lineage_of_labels(
    read: Callable[[int], Labels],
    frames: Iterable[int],
    parents: Mapping[int, int] | None = None,
) -> Lineage:
    """Look through frames and note where each label has pixels.

    Parameters
    ----------
    read
        Gives the labels, (Y, X), of a frame.
    frames
        The frames to look at, ascending; in all others are no cells.
    parents
        Parent of each label that has one; none when not given.

    Returns
    -------
    Lineage
        One track a label, with gaps where it has no pixels for a while.
    """
    seen: dict[int, list[int]] = defaultdict(list)
    for frame in frames:
        for label in labels_in(read(frame)):
            seen[label].append(frame)
    known = parents or {}
    return Lineage(
        Track.of(label, there, known.get(label, 0)) for label, there in seen.items()
    )
