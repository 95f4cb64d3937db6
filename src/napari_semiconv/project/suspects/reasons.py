"""Why a place is suspect: what is measured of it, and which kind of suspect that makes.

Every reason is 0 where nothing is strange and grows with strangeness, so that what it
adds to the odds of an error can be shown to the user as it is.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal[
    "appears",
    "vanishes",
    "merged",
    "gap",
    "jump",
    "unsure link",
    "division",
    "area jump",
    "tiny",
    "short",
    "unsure cell",
    "left out",
]
About = Literal["cell", "past", "birth", "end", "division", "frame"]


@dataclass(frozen=True)
class Reason:
    """One thing that is measured of a cell in a frame.

    Parameters
    ----------
    name
        What it is.
    kind
        The kind of suspect it makes.
    about
        What it doubts: the cell itself, or its link to the frame before, that it begins
        or ends there, or divides, all of which stay open where a cell is confirmed; or
        nothing but the frame.
    """

    name: str
    kind: Kind
    about: About


REASONS = (
    Reason("appears inside", "appears", "birth"),
    Reason("appears near one that ended", "appears", "birth"),
    Reason("neighbour lost as much", "appears", "birth"),
    Reason("vanishes inside", "vanishes", "end"),
    Reason("vanishes near one that begins", "vanishes", "end"),
    Reason("neighbour gained as much", "merged", "end"),
    Reason("frames missing", "gap", "past"),
    Reason("moved far", "jump", "past"),
    Reason("moved unlike others", "jump", "past"),
    Reason("unsure link", "unsure link", "past"),
    Reason("divides", "division", "division"),
    Reason("daughters unlike", "division", "division"),
    Reason("daughters of another area", "division", "division"),
    Reason("daughters far away", "division", "division"),
    Reason("unsure daughters", "division", "division"),
    Reason("not two daughters", "division", "division"),
    Reason("divides early", "division", "division"),
    Reason("grows", "area jump", "past"),
    Reason("shrinks", "area jump", "past"),
    Reason("area of one frame", "area jump", "cell"),
    Reason("tiny", "tiny", "cell"),
    Reason("large", "merged", "cell"),
    Reason("touches", "merged", "cell"),
    Reason("unsure cell", "unsure cell", "cell"),
    Reason("no clear cluster", "unsure cell", "cell"),
    Reason("unclear border", "unsure cell", "cell"),
    Reason("short track", "short", "cell"),
    # How sure the whole frame is: it tells how many errors to expect, not where.
    Reason("frame of unsure cells", "unsure cell", "frame"),
    Reason("frame of no clear clusters", "unsure cell", "frame"),
    Reason("frame of unclear borders", "unsure cell", "frame"),
    Reason("frame of unsure links", "unsure link", "frame"),
)
PLACE = {reason.name: place for place, reason in enumerate(REASONS)}
# Kinds in the order in which reasons first name them.
KINDS: tuple[Kind, ...] = tuple(dict.fromkeys(reason.kind for reason in REASONS))
ABOUT: dict[About, NDArray[np.bool_]] = {
    about: np.array([reason.about == about for reason in REASONS])
    for about in ("cell", "past", "birth", "end", "division", "frame")
}
# Which reasons make which kind, (reasons, kinds).
MAKES: NDArray[np.float32] = np.array(
    [
        [reason.kind == kind and reason.about != "frame" for kind in KINDS]
        for reason in REASONS
    ],
    np.float32,
)
# Kinds that doubt the cell, and may do so in many frames one after the other.
LASTING: NDArray[np.bool_] = np.array(
    [kind in ("tiny", "unsure cell", "merged") for kind in KINDS]
)
# Kinds that doubt a link, and so spoil all that comes later.
OF_LINK: NDArray[np.bool_] = np.asarray(MAKES[~ABOUT["cell"]].any(0))
