"""Rows of a drawn lineage: one a track, a family together, daughters around the mother.

Families follow one another by birth, so that an edit leaves all others where they are.
The later half of the daughters lies below the mother, the earlier above, each with its
descendants: lines of descent cross no bar. Places within a family are kept relative to
one another, so that an edit costs only the families that it touched.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .lineage import Lineage, Track

Integers = NDArray[np.int64]

# A key holds the birth of a family, and below this bit the label of its first cell.
_BIRTH = 31


@dataclass(frozen=True, eq=False)
class FamilyRows:
    """Which track is drawn in which row.

    Parameters
    ----------
    labels
        Label of the track of each row, (N,).
    begins, ends
        First and last frame of each, (N,).
    mothers
        Rows from each to its mother, (N,); 0 without one.
    uppermost, lowest
        Rows from each to its uppermost and lowest daughter, (N,); 0 where there is none
        above or below.
    keys
        What the families are sorted by, (N,), the same in all rows of a family.
    """

    labels: Integers
    begins: Integers
    ends: Integers
    mothers: Integers
    uppermost: Integers
    lowest: Integers
    keys: Integers

    @classmethod
    def of(cls, lineage: Lineage) -> Self:
        """Give all tracks of a lineage a row."""
        return cls._arranged(_facts(lineage.tracks.values()))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.labels)

    @property
    def families(self) -> int:
        """How many families there are."""
        return int(np.count_nonzero(self.mothers == 0))

    def updated(self, lineage: Lineage, touched: Collection[int]) -> Self:
        """Give rows after some tracks changed, came or went.

        Parameters
        ----------
        lineage
            The tracks as they are now.
        touched
            Labels of those that are not as they were.
        """
        stale = np.unique(self.keys[self._has(touched)])
        members = {*self.labels[_among(self.keys, stale)].tolist(), *touched}
        known = lineage.tracks
        roots = {_root(lineage, label) for label in members if label in known}
        fresh = self._arranged(_facts(_descendants(lineage, roots)))
        # The family that a stranger joined was not touched itself.
        stale = np.union1d(stale, fresh.keys)
        kept = self._take(np.flatnonzero(~_among(self.keys, stale)))
        both = kept._followed_by(fresh)
        return both._take(np.argsort(both.keys, kind="stable"))

    def only(self, labels: Collection[int]) -> Self:
        """Give the rows of the families of some tracks alone."""
        keys = np.unique(self.keys[self._has(labels)])
        return self._take(np.flatnonzero(_among(self.keys, keys)))

    def with_first(self, label: int) -> Self:
        """Give the rows with the family of a track moved to the top."""
        row = self.row(label)
        if row is None:
            return self
        family = self.keys == self.keys[row]
        return self._take(
            np.concatenate([np.flatnonzero(family), np.flatnonzero(~family)])
        )

    def row(self, label: int) -> int | None:
        """Row of a track; None when it has none."""
        found = np.flatnonzero(self.labels == label)
        return int(found[0]) if len(found) else None

    def bars(self, rows: range, frames: range) -> Integers:
        """Rows among some whose track lives in some frames, gaps included."""
        part = slice(rows.start, rows.stop)
        lives = (self.begins[part] < frames.stop) & (self.ends[part] >= frames.start)
        return rows.start + np.flatnonzero(lives)

    def mothers_across(self, rows: range) -> Integers:
        """Rows of mothers whose lines to their daughters touch some rows, ascending.

        Such a line passes only her own descendants, so that all these mothers are among
        the rows themselves and their ancestors.
        """
        at = np.arange(rows.start, min(rows.stop, len(self)))
        found = [at]
        while len(at):
            at = at[self.mothers[at] != 0]
            at = np.unique(at + self.mothers[at])
            found.append(at)
        every = np.unique(np.concatenate(found))
        top, bottom = every + self.uppermost[every], every + self.lowest[every]
        return every[(top < bottom) & (top < rows.stop) & (bottom >= rows.start)]

    def _has(self, labels: Collection[int]) -> NDArray[np.bool_]:
        return _among(self.labels, np.fromiter(labels, np.int64, len(labels)))

    def _take(self, order: Integers) -> Self:
        return type(self)(*(getattr(self, f.name)[order] for f in fields(self)))

    def _followed_by(self, other: Self) -> Self:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    @classmethod
    def _arranged(cls, facts: Integers) -> Self:
        """Arrange whole families, rows of label, begin, end, parent, by label."""
        labels, begins, ends, parents = facts.T
        mother = np.searchsorted(labels, parents)
        mother[parents == 0] = -1
        root, levels = _generations(mother)
        keys = (begins[root] << _BIRTH) | labels[root]
        row = _rows(mother, levels, keys)
        has = np.flatnonzero(mother >= 0)
        step = row[has] - row[mother[has]]
        mothers, uppermost, lowest = np.zeros((3, len(labels)), np.int64)
        mothers[has] = -step
        np.minimum.at(uppermost, mother[has], step)
        np.maximum.at(lowest, mother[has], step)
        whole = cls(labels, begins, ends, mothers, uppermost, lowest, keys)
        return whole._take(np.argsort(row))


def _among(values: Integers, some: Integers) -> NDArray[np.bool_]:
    """Tell which values are among some others; `isin` sorts all of them for that."""
    if not len(some):
        return np.zeros(len(values), np.bool_)
    known = np.sort(some)
    place = np.searchsorted(known, values).clip(max=len(known) - 1)
    found: NDArray[np.bool_] = known[place] == values
    return found


def _facts(tracks: Iterable[Track]) -> Integers:
    """Rows of label, first frame, last frame and parent, (N, 4), by label."""
    # Not properties, which take three times as long, for 50,000 tracks.
    flat = [
        value
        for track in tracks
        for value in (
            track.label,
            track.intervals[0][0],
            track.intervals[-1][1],
            track.parent,
        )
    ]
    facts = np.array(flat, np.int64).reshape(-1, 4)
    return facts[np.argsort(facts[:, 0])]


def _root(lineage: Lineage, label: int) -> int:
    while parent := lineage.tracks[label].parent:
        label = parent
    return label


def _descendants(lineage: Lineage, roots: set[int]) -> Iterator[Track]:
    """Go through some tracks and all that descend from them."""
    waiting = list(roots)
    while waiting:
        label = waiting.pop()
        yield lineage.tracks[label]
        waiting.extend(lineage.daughters_of(label))


def _generations(mother: Integers) -> tuple[Integers, list[Integers]]:
    """First ancestor of each track, and who is in each generation."""
    root, at = np.arange(len(mother)), mother.copy()
    generation = np.zeros(len(mother), np.int64)
    who = np.flatnonzero(at >= 0)
    while len(who):
        generation[who] += 1
        root[who] = at[who]
        at[who] = mother[at[who]]
        who = who[at[who] >= 0]
    order = np.argsort(generation, kind="stable")
    edges = np.flatnonzero(np.diff(generation[order])) + 1
    return root, np.split(order, edges)


def _rows(mother: Integers, levels: list[Integers], keys: Integers) -> Integers:
    """Row of each track: that of its family, then all descendants in order."""
    size = np.ones(len(mother), np.int64)
    for who in reversed(levels[1:]):
        np.add.at(size, mother[who], size[who])
    start, upper = np.zeros((2, len(mother)), np.int64)
    roots = levels[0][np.argsort(keys[levels[0]])]
    start[roots] = np.cumsum(size[roots]) - size[roots]
    for who in levels[1:]:
        sisters = who[np.argsort(mother[who], kind="stable")]
        parent = mother[sisters]
        _, first, count = np.unique(parent, return_index=True, return_counts=True)
        before = np.cumsum(size[sisters]) - size[sisters]
        before -= np.repeat(before[first], count)
        place = np.arange(len(sisters)) - np.repeat(first, count)
        above = place < np.repeat(count // 2, count)
        # Her own row lies between the daughters above and those below.
        start[sisters] = start[parent] + before + ~above
        np.add.at(upper, parent[above], size[sisters[above]])
    return start + upper
