"""Cut tracks into pieces that the table of the Cell Tracking Challenge can hold.

The table knows no gaps, and no parent that lives on when its daughters begin: at both a
track goes on under a new label, with its earlier piece as parent.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....errors import SaveError
from ....tracking.lineage import Lineage

# Masks are stored with 16 bits.
MOST_LABELS = 65_535


@dataclass
class Piece:
    """Part of a track without a gap.

    Parameters
    ----------
    label
        Number in the masks written.
    begin
        First frame.
    end
        Last frame.
    """

    label: int
    begin: int
    end: int


@dataclass(frozen=True)
class Repaint:
    """Frames of a piece, first and last, that must get another label after all."""

    begin: int
    end: int
    old: int
    new: int


class Pieces:
    """Labels for the masks, given out frame by frame while the lineage grows.

    Parameters
    ----------
    most
        Labels that there can be.
    """

    def __init__(self, most: int = MOST_LABELS) -> None:
        self._most = most
        self._pieces: dict[int, list[Piece]] = defaultdict(list)
        self._count = 0

    def number(
        self, frame: int, present: Sequence[int], lineage: Lineage
    ) -> dict[int, int]:
        """Say under which label each cell of a frame is written.

        Parameters
        ----------
        frame
            Number of the frame; each call is for the one after the last.
        present
            Labels of the tracks that have pixels in it.
        lineage
            Tracks and parents as known so far.

        Raises
        ------
        SaveError
            When the format has no more labels.
        """
        newborn = [label for label in present if label not in self._pieces]
        dividing = {_parent(lineage, label) for label in newborn}
        labels = {}
        for track in present:
            pieces = self._pieces[track]
            goes_on = pieces and pieces[-1].end == frame - 1 and track not in dividing
            if goes_on:
                pieces[-1].end = frame
            else:
                pieces.append(Piece(self._next(), frame, frame))
            labels[track] = pieces[-1].label
        return labels

    def close(self, lineage: Lineage) -> tuple[NDArray[np.int64], list[Repaint]]:
        """Make the table, and say which masks must be painted anew.

        Parameters
        ----------
        lineage
            Tracks and parents as known in the end; a parent that became known only
            after its daughters were written may have to be cut.

        Returns
        -------
        tuple
            Rows of label, first frame, last frame, parent, (N, 4), by label; and the
            repaints.
        """
        repaints = list(self._cut_late_parents(lineage))
        rows = []
        for track, pieces in self._pieces.items():
            before = self._last_before(_parent(lineage, track), pieces[0].begin)
            for piece in pieces:
                parent = before.label if before else 0
                rows.append((piece.label, piece.begin, piece.end, parent))
                before = piece
        return np.array(sorted(rows), np.int64).reshape(-1, 4), repaints

    def _cut_late_parents(self, lineage: Lineage) -> Iterator[Repaint]:
        for track, pieces in list(self._pieces.items()):
            birth = pieces[0].begin
            parent = _parent(lineage, track)
            earlier = [p for p in self._pieces.get(parent, []) if p.begin < birth]
            for piece in [p for p in earlier if p.end >= birth]:
                rest = Piece(self._next(), birth, piece.end)
                piece.end = birth - 1
                siblings = self._pieces[parent]
                siblings.insert(siblings.index(piece) + 1, rest)
                yield Repaint(rest.begin, rest.end, piece.label, rest.label)

    def _last_before(self, track: int, frame: int) -> Piece | None:
        ended = [p for p in self._pieces.get(track, []) if p.end < frame]
        return ended[-1] if ended else None

    def _next(self) -> int:
        if self._count == self._most:
            raise SaveError(
                f"The Cell Tracking Challenge format holds at most {self._most} "
                f"tracks, found more. Save the labels as TIFF, or fewer frames."
            )
        self._count += 1
        return self._count


def _parent(lineage: Lineage, label: int) -> int:
    track = lineage.tracks.get(label)
    return track.parent if track else 0
