"""From options and the user's word to the problem that the solver is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...tracking.problem import Problem
from .candidates import MERGED
from .cells import Floats, Integers
from .options import Options

Place = tuple[int, int]  # frame and label of a cell


@dataclass(frozen=True)
class Told:
    """What the user said of cells, each named by frame and label.

    Parameters
    ----------
    links
        Pairs of cells that follow one another in one track, the earlier first.
    born
        Cells before which nothing comes: they begin a track, or are daughters whose
        mother is confirmed.
    ended
        Cells after which nothing comes.
    cells
        Cells that are never left out.
    """

    links: frozenset[tuple[Place, Place]] = frozenset()
    born: frozenset[Place] = frozenset()
    ended: frozenset[Place] = frozenset()
    cells: frozenset[Place] = frozenset()


@dataclass(frozen=True)
class Seen:
    """All cells of a movie, in order of frame.

    Parameters
    ----------
    frame, label
        Frame of each cell, and its label in the masks, (N,).
    sure
        How sure the network is that each is a cell, (N,); NaN is unknown.
    """

    frame: Integers
    label: Integers
    sure: Floats


def pose(
    cells: Seen,
    options: Options,
    merges: tuple[Integers, Integers] | None,
    told: Told,
    least_sure: float,
) -> Problem:
    """Put together what is to be solved.

    Parameters
    ----------
    cells
        All cells.
    options
        Links and divisions of them.
    merges
        Cells that may go into others, and those, (M,) each; None forbids merges.
    told
        What the user said.
    least_sure
        Cells that the network is less sure of may be left out.
    """
    count = len(cells.frame)
    places = zip(cells.frame.tolist(), cells.label.tolist(), strict=True)
    row = {place: at for at, place in enumerate(places)}

    def marked(chosen: frozenset[Place]) -> NDArray[np.bool_]:
        found = np.zeros(count, bool)
        found[[row[place] for place in chosen if place in row]] = True
        return found

    links = sorted((row[a], row[b]) for a, b in told.links if a in row and b in row)
    options, fixed = with_links(options, links)
    plain = len(options.gain)
    if merges is not None:
        before, after = merges
        none, worth = np.full(len(before), -1), np.full(len(before), MERGED)
        options = options.and_also(Options(before, after, none, worth))
        fixed = np.append(fixed, np.zeros(len(before), bool))
    doubtful = (cells.sure < least_sure) & ~marked(told.cells)
    return Problem(
        cells.frame,
        options.track,
        options.cell,
        options.sister,
        options.gain,
        alone=np.where(doubtful, 1.0, 0.0),
        spare=np.where(doubtful, 0.0, np.inf),
        merge=np.arange(len(options.gain)) >= plain,
        fixed=fixed,
        closed_before=marked(told.born),
        closed_after=marked(told.ended),
    )


def with_links(
    options: Options, links: Sequence[tuple[int, int]]
) -> tuple[Options, NDArray[np.bool_]]:
    """Mark links that the user confirmed, and add those that were not thought of.

    Parameters
    ----------
    options
        Links and divisions.
    links
        Rows of two cells each.

    Returns
    -------
    tuple
        The options, and which of them are fixed.
    """
    plain = np.flatnonzero(options.sister < 0)
    pairs = zip(
        options.track[plain].tolist(), options.cell[plain].tolist(), strict=True
    )
    known = dict(zip(pairs, plain.tolist(), strict=True))
    fixed = np.zeros(len(options.gain), bool)
    fixed[[known[link] for link in links if link in known]] = True
    new = np.array([link for link in links if link not in known], np.int64)
    track, cell = new.reshape(-1, 2).T
    more = Options(track, cell, np.full(len(new), -1), np.zeros(len(new)))
    return options.and_also(more), np.append(fixed, np.ones(len(new), bool))
