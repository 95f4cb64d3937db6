"""Atoms joined to cells, the surest pair first, where the user does not forbid it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels
from .maps import Odds

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
# Log-odds that two sides of a border within one segment are one cell.
ONE_SEGMENT = 6.0


class UnionFind:
    """Which claims share a cell, with those that must not (must-link, cannot-link).

    Parameters
    ----------
    apart
        Which claims must not share a cell, (N, N).
    """

    def __init__(self, apart: Mask) -> None:
        self._apart = apart.copy()
        self._roots = list(range(len(apart)))

    def copy(self) -> "UnionFind":
        """Give the same links, to be linked on."""
        other = UnionFind(self._apart)
        other._roots = self._roots.copy()
        return other

    @property
    def roots(self) -> Integers:
        """Representative of each claim, (N,)."""
        return np.array([self.root(n) for n in range(len(self._roots))], np.int64)

    def root(self, claim: int) -> int:
        """Name the representative of a claim's cell."""
        while self._roots[claim] != claim:
            claim = self._roots[claim]
        return claim

    def cannot_link(self, one: int, other: int) -> bool:
        """Whether two claims must not share a cell."""
        return bool(self._apart[self.root(one), self.root(other)])

    def must_link(self, one: int, other: int) -> None:
        """Let two claims share a cell; nothing may forbid it."""
        one, other = self.root(one), self.root(other)
        if one == other:
            return
        assert not self._apart[one, other]
        self._roots[other] = one
        self._apart[one] |= self._apart[other]
        self._apart[:, one] |= self._apart[:, other]

    def cannot_links(self, claim: int) -> list[int]:
        """List the claims that must not share a cell with one."""
        row = self._apart[self.root(claim)]
        return [n for n in range(len(self._roots)) if row[self.root(n)]]

    def may_link(self, claims: list[int]) -> bool:
        """Whether all of some claims may share a cell."""
        roots = sorted({self.root(claim) for claim in claims})
        return not self._apart[np.ix_(roots, roots)].any()


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs of atoms that touch.

    Parameters
    ----------
    pairs
        Numbers, the smaller first, (N, 2).
    odds
        Log-odds that both are one cell, (N,).
    """

    pairs: Integers
    odds: NDArray[np.float64]


def contacts_of(atoms: Labels, segments: Labels, odds: Odds) -> Contacts:
    """Find the atoms that touch, and how likely both sides are one cell.

    Parameters
    ----------
    atoms
        Numbers, (Y, X), 0 elsewhere.
    segments
        Segment of the network's frame that each pixel belongs to, (Y, X).
    odds
        Log-odds of segments that touch.
    """
    faces = []
    for one, other in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        face = (atoms[one] != atoms[other]) & (atoms[one] > 0) & (atoms[other] > 0)
        sides = (atoms[one][face], atoms[other][face])
        faces.append(np.stack([*sides, segments[one][face], segments[other][face]], 1))
    rows = np.concatenate(faces).astype(np.int64)
    rows[:, :2].sort(axis=1)
    rows[:, 2:].sort(axis=1)
    kinds, count = np.unique(rows, axis=0, return_counts=True)
    likely = [
        ONE_SEGMENT if one == other else odds.get((one, other), 0.0)
        for one, other in kinds[:, 2:].tolist()
    ]
    pairs, border = np.unique(kinds[:, :2], axis=0, return_inverse=True)
    border = border.ravel()
    length = np.bincount(border, count, len(pairs))
    total = np.bincount(border, count * np.array(likely), len(pairs))
    return Contacts(pairs, total / np.maximum(length, 1))


def join_atoms(
    count: int,
    contacts: Contacts,
    may: Callable[[int, int], bool],
    joined: Callable[[int, int], None],
    down_to: int = 1,
) -> list[int]:
    """Join atoms that touch, the surest pair first.

    Parameters
    ----------
    count
        Number of atoms, numbered from 1.
    contacts
        Those that touch.
    may
        Asked for the first atoms of two groups whether they may be joined.
    joined
        Called when they are, with the representative of both first.
    down_to
        Groups at which to stop.

    Returns
    -------
    list
        First atom of the group of each atom; 0 for 0.
    """
    roots = list(range(count + 1))

    def root(atom: int) -> int:
        while roots[atom] != atom:
            atom = roots[atom]
        return atom

    left = count
    for row in np.argsort(-contacts.odds, kind="stable").tolist():
        if left <= down_to:
            break
        one, other = sorted(root(atom) for atom in contacts.pairs[row].tolist())
        if one != other and may(one, other):
            roots[other] = one
            joined(one, other)
            left -= 1
    return [root(atom) for atom in range(count + 1)]
