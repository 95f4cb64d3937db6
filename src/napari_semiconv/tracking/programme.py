"""Choosing among disputed options, written as a linear programme."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .problem import Booleans, Floats, Integers, Options
from .reduction import Part, Reduced


@dataclass(frozen=True)
class Programme:
    """Linear programme of disputed options, ordered by component.

    Parameters
    ----------
    worth
        Objective, (X,): options first, then cells that may stay alone.
    matrix, limit
        matrix @ x <= limit, (R, X) and (R,).
    option
        Option of each variable, -1 for a cell, (X,).
    source
        What each row is about: an end from 0 to 2 N - 1, a cell that may stay alone
        from 2 N, or -1, (R,).
    first_variable, first_row
        Where each component begins, (C + 1,).
    """

    worth: Floats
    matrix: sparse.csr_array
    limit: Floats
    option: Integers
    source: Integers
    first_variable: Integers
    first_row: Integers

    def cut(self, begin: int, end: int) -> "Programme":
        """Restrict to components from begin to before end."""
        x = slice(self.first_variable[begin], self.first_variable[end])
        r = slice(self.first_row[begin], self.first_row[end])
        return Programme(
            self.worth[x],
            self.matrix[r, x],
            self.limit[r],
            self.option[x],
            self.source[r],
            self.first_variable[begin : end + 1] - x.start,
            self.first_row[begin : end + 1] - r.start,
        )

    def restrict(self, keep: Booleans) -> "Programme":
        """Drop variables, and find the components anew.

        Parameters
        ----------
        keep
            Variables to keep, (X,).
        """
        where = np.flatnonzero(keep)
        return _by_component(
            Programme(
                self.worth[where],
                self.matrix[:, where],
                self.limit,
                where,
                self.source,
                self.first_variable,
                self.first_row,
            )
        )


def formulate(part: Part, reduced: Reduced) -> Programme:
    """Write the programme of options that are left.

    Parameters
    ----------
    part
        What is to be solved.
    reduced
        What is decided of it.
    """
    rows, cost = np.flatnonzero(reduced.live), reduced.cost
    options = part.options.take(rows)
    n = len(rows)
    touch_row, touch_cell = options.touches()
    priced = np.unique(touch_cell[cost[touch_cell] > 0])
    blocks = [
        _ends(options, part.cells),
        _alone(touch_row, touch_cell, priced, part.cells, n),
        _merges(options, reduced.continued),
        _rules(part, reduced.sure, rows),
    ]
    width, row0 = n + len(priced), 0
    entry, column, value, limit, source = [], [], [], [], []
    for block in blocks:
        entry.append(block[0] + row0)
        column.append(block[1])
        value.append(block[2])
        limit.append(block[3])
        source.append(block[4])
        row0 += len(block[3])
    places = np.concatenate(entry), np.concatenate(column)
    matrix = sparse.csr_array((np.concatenate(value), places), shape=(row0, width))
    worth = np.concatenate([options.gain, -cost[priced]])
    which = np.concatenate([rows, np.full(len(priced), -1)])
    none = np.zeros(0, np.int64)
    return _by_component(
        Programme(
            worth,
            matrix,
            np.concatenate(limit),
            which,
            np.concatenate(source),
            none,
            none,
        )
    )


Block = tuple[Integers, Integers, Floats, Floats, Integers]


def _ends(options: Options, cells: int) -> Block:
    """Allow at most one option at every end."""
    row, end = options.uses(cells)
    used, place, count = np.unique(end, return_inverse=True, return_counts=True)
    shared = count > 1
    number = np.cumsum(shared) - 1
    keep = shared[place]
    ones = np.ones(keep.sum()), np.ones(shared.sum())
    return number[place[keep]], row[keep], *ones, used[shared]


def _alone(
    row: Integers, cell: Integers, priced: Integers, cells: int, n: int
) -> Block:
    """Let a cell be alone unless something links it."""
    place = np.full(cells, -1)
    place[priced] = np.arange(len(priced))
    keep = place[cell] >= 0
    every = np.arange(len(priced))
    rows = np.concatenate([place[cell[keep]], every])
    columns = np.concatenate([row[keep], n + every])
    value = -np.ones(len(rows))
    return rows, columns, value, -np.ones(len(priced)), 2 * cells + priced


def _merges(options: Options, continued: Booleans) -> Block:
    """Let a merge need a plain link into its cell."""
    waits = np.flatnonzero(options.merge & ~continued[options.after])
    plain = np.flatnonzero(~options.merge & (options.sister < 0))
    order = plain[np.argsort(options.after[plain], kind="stable")]
    target = options.after[order]
    begin = np.searchsorted(target, options.after[waits])
    count = np.searchsorted(target, options.after[waits], side="right") - begin
    number = np.repeat(np.arange(len(waits)), count)
    inside = np.arange(len(number)) - np.repeat(np.cumsum(count) - count, count)
    support = order[np.repeat(begin, count) + inside]
    rows = np.concatenate([np.arange(len(waits)), number])
    value = np.concatenate([np.ones(len(waits)), -np.ones(len(number))])
    columns, nothing = np.concatenate([waits, support]), np.full(len(waits), -1)
    return rows, columns, value, np.zeros(len(waits)), nothing


def _rules(part: Part, sure: Booleans, rows: Integers) -> Block:
    place = np.full(len(sure), -1)
    place[rows] = np.arange(len(rows))
    entry: list[Integers] = []
    column: list[Integers] = []
    limit: list[float] = []
    for members, most in part.rules:
        left = place[members]
        left = left[left >= 0]
        entry.append(np.full(len(left), len(limit)))
        column.append(left)
        limit.append(float(most - sure[members].sum()))
    none = np.zeros(0, np.int64)
    columns = np.concatenate([none, *column])
    rows_ = np.concatenate([none, *entry])
    nothing = np.full(len(limit), -1)
    return rows_, columns, np.ones(len(columns)), np.array(limit), nothing


def _by_component(given: Programme) -> Programme:
    """Put variables and rows in order of their components."""
    rows = given.matrix.shape[0]
    graph = sparse.block_array([[None, abs(given.matrix)], [abs(given.matrix).T, None]])
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    # Numbered by their first variable, not by how the graph was walked.
    used = label[rows:]
    _, first, group = np.unique(used, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    number = np.full(label.max(initial=-1) + 1, -1)
    number[used] = rank[group]
    of_variable, of_row = number[used], number[label[:rows]]
    live = np.flatnonzero(of_row >= 0)
    row_order = live[np.argsort(of_row[live], kind="stable")]
    column_order = np.argsort(of_variable, kind="stable")
    edges = np.arange(len(first) + 1)
    return Programme(
        given.worth[column_order],
        given.matrix[row_order][:, column_order],
        given.limit[row_order],
        given.option[column_order],
        given.source[row_order],
        np.searchsorted(of_variable[column_order], edges),
        np.searchsorted(of_row[row_order], edges),
    )
