"""What is decided of a lineage so far, and the rule that daughters rest."""

from dataclasses import dataclass

import numpy as np

from .problem import Booleans, Floats, Integers, Lineages, Options


@dataclass
class State:
    """Decisions about a lineage; grows from nothing to a solution.

    Parameters
    ----------
    undecided
        Options that may still be taken, (V,).
    taken
        Options that are taken, (V,).
    open
        Whether the future (0) and the past (1) of a cell may still be linked, (2, N).
    owner
        Option that uses the future (0) or the past (1) of a cell, or -1, (2, N).
    linked
        Cells to which anything is linked, (N,).
    lost
        At most so much more could have been gained.
    certain
        Whether that accounts for everything: nothing was decided early.
    prices
        Of the futures and pasts of cells, and the saving if something links them, NaN
        where not known, (3 N,).
    """

    undecided: Booleans
    taken: Booleans
    open: Booleans
    owner: Integers
    linked: Booleans
    prices: Floats
    lost: float = 0.0
    certain: bool = True


def begin(lineages: Lineages) -> State:
    """Take what is confirmed and rule out what contradicts it.

    Parameters
    ----------
    lineages
        What is to be solved.
    """
    n, v = len(lineages.frame), len(lineages.order)
    state = State(
        ~lineages.fixed,
        np.zeros(v, bool),
        lineages.open.copy(),
        np.full((2, n), -1),
        np.zeros(n, bool),
        np.full(3 * n, np.nan),
    )
    take(lineages, state, np.flatnonzero(lineages.fixed))
    every = np.arange(v)
    state.undecided &= possible(lineages, state, every)
    return state


def take(lineages: Lineages, state: State, rows: Integers) -> None:
    """Decide for some options.

    Parameters
    ----------
    lineages
        What is to be solved.
    state
        Is changed.
    rows
        Options to be taken, none of which use the same end.
    """
    options, n = lineages.options.take(rows), len(lineages.frame)
    state.taken[rows] = True
    state.undecided[rows] = False
    row, end = options.uses(n)
    past, cell = np.divmod(end, max(n, 1))
    state.open[past, cell] = False
    state.owner[past, cell] = rows[row]
    state.linked[options.touches()[1]] = True


def possible(lineages: Lineages, state: State, rows: Integers) -> Booleans:
    """Tell which options use only open ends.

    Parameters
    ----------
    lineages, state
        What is to be solved, and what is decided.
    rows
        Options to ask about, (K,).
    """
    n = len(lineages.frame)
    row, end = lineages.options.take(rows).uses(n)
    past, cell = np.divmod(end, max(n, 1))
    free = np.ones(len(rows), bool)
    free[row[~state.open[past, cell]]] = False
    return free


def continued(lineages: Lineages, state: State, cells: Integers) -> Booleans:
    """Tell into which cells a plain link is taken.

    Parameters
    ----------
    lineages, state
        What is to be solved, and what is decided.
    cells
        Rows of cells, (K,).
    """
    owner = state.owner[1, cells]
    plain: Booleans = (owner >= 0) & (lineages.options.sister[owner] < 0)
    return plain


def value(lineages: Lineages, state: State) -> float:
    """Gains of all taken options less the costs of cells without any."""
    gained = float(lineages.options.gain[state.taken].sum())
    return gained - float(lineages.cost[~state.linked].sum())


@dataclass(frozen=True)
class Haste:
    """A mother that is itself a daughter born too recently.

    Parameters
    ----------
    birth, division
        Options of the two divisions.
    links
        Plain links between them.
    daughter, mother
        Cells at which the track begins and ends.
    """

    birth: int
    division: int
    links: tuple[int, ...]
    daughter: int
    mother: int


def find_haste(lineages: Lineages, state: State, rows: Integers) -> list[Haste]:
    """Find tracks that break the rule of rest.

    Parameters
    ----------
    lineages, state
        What is to be solved, and what is decided.
    rows
        Options that would be taken besides.
    """
    options, frame = lineages.options, lineages.frame
    if lineages.rest <= 0:
        return []
    chosen = options.take(rows)
    row, end = chosen.uses(len(frame))
    is_past = end >= len(frame)
    row, cell = row[is_past], end[is_past] - len(frame)
    before = state.owner[1, cell].copy()
    state.owner[1, cell] = rows[row]
    divisions = np.flatnonzero(state.taken & (options.sister >= 0))
    divisions = np.union1d(divisions, rows[chosen.sister >= 0])
    found = [_walk_back(lineages, state.owner[1], d) for d in divisions.tolist()]
    state.owner[1, cell] = before
    return [haste for haste in found if haste is not None]


def _walk_back(lineages: Lineages, past: Integers, division: int) -> Haste | None:
    options, frame = lineages.options, lineages.frame
    mother = cell = int(options.before[division])
    links: list[int] = []
    while frame[mother] - frame[cell] < lineages.rest:
        option = int(past[cell])
        if option < 0:
            return None
        if options.sister[option] >= 0:
            return Haste(option, division, tuple(links), cell, mother)
        links.append(option)
        cell = int(options.before[option])
    return None


def as_rule(
    haste: Haste, options: Options, rows: Integers, state: State
) -> tuple[Integers, int]:
    """Forbid a hasty division, in all the ways in which the track may begin and end.

    Parameters
    ----------
    haste
        What is forbidden.
    options
        Options among which to choose, (K,).
    rows
        Their rows among all options, (K,).
    state
        What is decided.

    Returns
    -------
    tuple of Integers and int
        Rows from 0 to K - 1, and how many of them may be taken.
    """
    decided = [bool(state.taken[x]) for x in (haste.birth, haste.division)]
    pair = options.sister >= 0
    born = (options.after == haste.daughter) | (options.sister == haste.daughter)
    members = np.isin(rows, haste.links)
    if not decided[0]:
        members |= pair & born
    if not decided[1]:
        members |= pair & (options.before == haste.mother)
    loose = [link for link in haste.links if not state.taken[link]]
    return np.flatnonzero(members), len(loose) + decided.count(False) - 1


def alone_costs(lineages: Lineages, state: State, cells: Integers) -> Floats:
    """Cost of each cell if nothing more is linked to it, (K,)."""
    cost: Floats = np.where(state.linked[cells], 0.0, lineages.cost[cells])
    return cost
