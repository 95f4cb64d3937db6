"""What is wrong with a result, by its truth, and where one would see it.

Cells are matched as in the Cell Tracking Challenge. One error is what one correction
mends: a cell that is missed in ten frames one after the other is one error.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.labels import overlap
from napari_semiconv.tracking.lineage import Lineage
from napari_semiconv.tracking.measures.matching import (
    FrameMatch,
    Table,
    match_frame,
    measure_overlaps,
)

Cell = tuple[int, int]  # frame and label, as found
Kind = Literal[
    "missed cell",
    "false cell",
    "merged cells",
    "wrong link",
    "missing link",
    "false division",
    "missed division",
]
Labels = NDArray[np.int32]


@dataclass(frozen=True)
class TrueError:
    """Something that one correction mends.

    Parameters
    ----------
    kind
        What is wrong.
    cells
        Found cells at which it is seen; none where nothing was found nearby.
    """

    kind: Kind
    cells: frozenset[Cell]


def true_errors(
    found: Sequence[Labels], lineage: Lineage, truth: Sequence[Labels], table: Table
) -> list[TrueError]:
    """List the errors of a result.

    Parameters
    ----------
    found, truth
        Labels found and true labels, (Y, X), of each frame.
    lineage
        Tracks found.
    table
        True tracks, rows of label, first frame, last frame, parent, (N, 4).
    """
    pairs = list(zip(truth, found, strict=True))
    matches = [match_frame(measure_overlaps(*pair)) for pair in pairs]
    links = _Links(matches, lineage, table)
    return [
        *_missed(matches, pairs),
        *_false(matches),
        *_merged(matches),
        *links.wrong(),
        *links.missing(),
        *links.divisions(),
    ]


def _episodes(frames: Sequence[int]) -> Iterator[range]:
    """Part frames, ascending, into those that follow one another."""
    begin = 0
    for place in range(1, len(frames) + 1):
        if place == len(frames) or frames[place] != frames[place - 1] + 1:
            yield range(frames[begin], frames[place - 1] + 1)
            begin = place


def _missed(
    matches: list[FrameMatch], pairs: list[tuple[Labels, Labels]]
) -> Iterator[TrueError]:
    """Cells that nothing stands for: seen before and after, or by their pieces."""
    lost: dict[int, list[int]] = defaultdict(list)
    for frame, match in enumerate(matches):
        for label in match.truth:
            if label not in match.partner:
                lost[label].append(frame)
    holes = {frame for frames in lost.values() for frame in frames}
    pieces: dict[Cell, set[Cell]] = defaultdict(set)
    for frame in holes:
        for true, other in overlap(*pairs[frame]).pairs.tolist():
            pieces[frame, true].add((frame, other))
    for label, frames in lost.items():
        for episode in _episodes(frames):
            cells = set().union(*(pieces[t, label] for t in episode))
            cells |= _partners(matches, label, episode.start - 1, episode.stop)
            yield TrueError("missed cell", frozenset(cells))


def _partners(matches: list[FrameMatch], label: int, *frames: int) -> set[Cell]:
    """List what stands for a true cell in some frames, where anything does."""
    known = (t for t in frames if 0 <= t < len(matches))
    return {
        (t, matches[t].partner[label]) for t in known if label in matches[t].partner
    }


def _false(matches: list[FrameMatch]) -> Iterator[TrueError]:
    """Found cells that stand for none."""
    extra: dict[int, list[int]] = defaultdict(list)
    for frame, match in enumerate(matches):
        for label in set(match.result) - set(match.partner.values()):
            extra[label].append(frame)
    for label, frames in extra.items():
        for episode in _episodes(frames):
            yield TrueError("false cell", frozenset((t, label) for t in episode))


def _merged(matches: list[FrameMatch]) -> Iterator[TrueError]:
    """Found cells that stand for several."""
    several: dict[int, list[int]] = defaultdict(list)
    for frame, match in enumerate(matches):
        partners = list(match.partner.values())
        for label in {n for n in partners if partners.count(n) > 1}:
            several[label].append(frame)
    for label, frames in several.items():
        for episode in _episodes(frames):
            yield TrueError("merged cells", frozenset((t, label) for t in episode))


class _Links:
    """Links and divisions of a result and of its truth."""

    def __init__(
        self, matches: list[FrameMatch], lineage: Lineage, table: Table
    ) -> None:
        self._matches = matches
        self._lineage = lineage
        rows = {n: (begin, end, parent) for n, begin, end, parent in table.tolist()}
        # By frame: found cell of each true one that it alone stands for, and back.
        self._found = [match.sole for match in matches]
        self._true = [{b: a for a, b in match.sole.items()} for match in matches]
        self._wanted = self._wanted_links(rows)
        self._given = {
            (one, other) for one, other in _links_of(lineage) if one != other
        }
        self._daughters: dict[int, list[int]] = defaultdict(list)
        for label, (_, _, parent) in rows.items():
            if parent:
                self._daughters[parent].append(label)
        self._rows = rows

    def wrong(self) -> Iterator[TrueError]:
        """Links between cells that are not the same; divisions are counted apart."""
        for (t, a), (u, b) in self._given:
            ends = self._true[t].get(a), self._true[u].get(b)
            if None in ends or self._divides(a, b):
                continue
            if ((t, ends[0]), (u, ends[1])) not in self._wanted:
                yield TrueError("wrong link", frozenset({(u, b)}))

    def missing(self) -> Iterator[TrueError]:
        """Links that are not there, between cells that are."""
        for (t, a), (u, b) in self._wanted:
            one, other = self._found[t].get(a), self._found[u].get(b)
            # One of two daughters: a division that was missed.
            division = a != b and len(self._daughters[a]) > 1
            if one is None or other is None or division:
                continue
            if ((t, one), (u, other)) not in self._given:
                yield TrueError("missing link", frozenset({(t, one), (u, other)}))

    def divisions(self) -> Iterator[TrueError]:
        """Divisions that are not there, and those that are none."""
        right = set()
        for mother, daughters in self._daughters.items():
            if len(daughters) < 2:
                continue
            end = self._rows[mother][1]
            one = self._found[end].get(mother)
            born = [(t, self._found[t].get(d)) for d in daughters
                    for t in [self._rows[d][0]]]  # fmt: skip
            links = {((end, one), cell) for cell in born}
            if links <= self._given:
                right.add((end, one))
                continue
            cells = {cell for cell in ((end, one), *born) if cell[1] is not None}
            yield TrueError("missed division", frozenset(cells))  # type: ignore[arg-type]
        for label, track in self._lineage.tracks.items():
            if len(self._lineage.daughters_of(label)) > 1:
                cell = track.end, label
                near = {(t, label) for t in range(track.end - 1, track.end + 2)}
                if not near & right:
                    yield TrueError("false division", frozenset({cell}))

    def _divides(self, label: int, other: int) -> bool:
        return label != other and len(self._lineage.daughters_of(label)) > 1

    def _wanted_links(
        self, rows: dict[int, tuple[int, int, int]]
    ) -> set[tuple[Cell, Cell]]:
        links = set()
        last: dict[int, int] = {}
        for frame, match in enumerate(self._matches):
            for label in match.truth:
                if label in last:
                    links.add(((last[label], label), (frame, label)))
                last[label] = frame
        for label, (begin, _, parent) in rows.items():
            if parent:
                links.add(((rows[parent][1], parent), (begin, label)))
        return links


def _links_of(lineage: Lineage) -> Iterator[tuple[Cell, Cell]]:
    for label, track in lineage.tracks.items():
        frames = track.frames
        for one, other in pairwise(frames):
            yield (one, label), (other, label)
        if track.parent:
            mother = lineage.tracks[track.parent]
            yield (mother.end, mother.label), (track.begin, label)
