"""Why a cell is left out of a lineage."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from .deciding import State
from .problem import Lineages


class Reason(Enum):
    """Why nothing is linked to a cell that is left out."""

    NO_OPTION = "nothing could be linked to it"
    CONFIRMED = "all that could be linked to it contradicts what was confirmed"
    RIVAL = "what could be linked to it belongs elsewhere"
    NOT_WORTH = "linking it is worth less than leaving it out"


@dataclass(frozen=True)
class LeftOut:
    """A cell that is left out, and why.

    Parameters
    ----------
    cell
        Row of the cell.
    reason
        Why nothing is linked to it.
    spare
        Cost of leaving it out: less than the cost of keeping it alone.
    option
        Row of its best option, -1 if it had none.
    gain
        Gain of that option, NaN if there was none.
    rival
        Row of the taken option that is in its way, -1 if none is.
    """

    cell: int
    reason: Reason
    spare: float
    option: int
    gain: float
    rival: int


def find_left_out(lineages: Lineages, state: State) -> tuple[LeftOut, ...]:
    """Say of each cell that is left out why it is.

    Parameters
    ----------
    lineages, state
        What was solved, and its solution.
    """
    out = ~state.linked & lineages.omitted
    row, cell = lineages.options.touches()
    keep = out[cell]
    row, cell = row[keep], cell[keep]
    gain = lineages.options.gain[row]
    order = np.lexsort((row, -gain, cell))
    best = {int(cell[i]): int(row[i]) for i in order[::-1]}
    return tuple(
        _explain(lineages, state, c, best.get(c, -1))
        for c in np.flatnonzero(out).tolist()
    )


def _explain(lineages: Lineages, state: State, cell: int, row: int) -> LeftOut:
    spare = float(lineages.cost[cell])
    if row < 0:
        return LeftOut(cell, Reason.NO_OPTION, spare, -1, np.nan, -1)
    n = len(lineages.frame)
    _, end = lineages.options.take(np.array([row])).uses(n)
    past, where = np.divmod(end, n)
    owners = state.owner[past, where]
    owners = owners[owners >= 0]
    reason, rival = Reason.NOT_WORTH, -1
    if len(owners):
        rival = int(owners[np.argmax(lineages.options.gain[owners])])
        reason = Reason.RIVAL
    if lineages.fixed[owners].any() or not lineages.open[past, where].all():
        reason = Reason.CONFIRMED
    given = int(lineages.order[rival]) if rival >= 0 else -1
    gain = float(lineages.options.gain[row])
    return LeftOut(cell, reason, spare, int(lineages.order[row]), gain, given)
