"""Possible fates of all cells of a movie, gathered frame by frame for the solver."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ...settings import LinkSettings
from .cells import Bodies, Cells, Floats, Integers, Known, LabelImage
from .options import (
    SWALLOWED,
    Divisions,
    Options,
    Scene,
    find_holders,
    list_divisions,
    list_links,
    with_kin,
)

Kin = tuple[Integers, Integers, Floats]

NONE = np.zeros(0, np.int64)
# Frames before and after a division in which the mother was two cells or the daughters
# are one again: what looks like a division is a cell that is now and then cut in two.
LOOK = 3
# What it gains that a track which is lost ends in the cell that covers it: less than
# any link worth having.
MERGED = 0.5


@dataclass(frozen=True)
class Sighting:
    """The cells of one frame, as a later frame may go on from them.

    Parameters
    ----------
    frame
        Index of the frame.
    first
        Row of its first cell among those of the whole movie.
    known
        The cells: shapes, drifts, usual areas and embeddings.
    image
        Rows of ``known`` plus 1, (Y, X).
    """

    frame: int
    first: int
    known: Known
    image: LabelImage


class Gatherer:
    """Lists the options of a movie: links, over gaps too, and divisions.

    Unlike the greedy way, a cell that seemed to go on may still be the one that comes
    back after a gap, and divisions are judged by what comes after them too.

    Parameters
    ----------
    settings
        Limits of overlap, distance, gaps and divisions.
    cell_size
        Usual diameter of a cell, px.
    """

    def __init__(self, settings: LinkSettings, cell_size: float) -> None:
        self._settings = settings
        self._cell_size = cell_size
        self._seen: deque[Sighting] = deque(maxlen=settings.most_gap + 1)
        self._count = 0
        self._links: list[Options] = []
        self._divisions: list[Divisions] = []
        # Of each cell the one that covers it in the next frame, or -1.
        self._holders: list[Integers] = []

    def push(
        self,
        frame: int,
        cells: Cells,
        bodies: Bodies,
        known: Known,
        kin: Kin | None = None,
    ) -> None:
        """Take in the next frame.

        Parameters
        ----------
        frame
            Index of the frame; larger than those before.
        cells, bodies
            Its cells and their shapes.
        known
            The same cells, row by row, as later frames may go on from them.
        kin
            Rows of cells, rows of those of the frame before that were found together
            with them, and their IoU, (K,) each; None where frames were looked at alone.
        """
        for earlier in reversed(self._seen):
            gap = frame - 1 - earlier.frame
            if gap <= self._settings.most_gap:
                self._note(earlier, cells, bodies, gap, kin)
        if self._seen and self._seen[-1].frame < frame - 1:
            self._holders.append(np.full(len(self._seen[-1].known.labels), -1))
        self._seen.append(Sighting(frame, self._count, known, cells.labels))
        self._count += len(cells.areas)

    def options(self) -> Options:
        """Weigh all options; rows count the cells of the whole movie."""
        none = Options(NONE, NONE, NONE, np.zeros(0))
        parts = [none, *self._links]
        if self._divisions:
            divisions = _joined(self._divisions)
            holder = self._holder()
            doubt = SWALLOWED * _was_several(holder)
            again = SWALLOWED * _is_one_again(holder, divisions)
            parts.append(_less(divisions, again).options(doubt))
        return Options(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("track", "cell", "sister", "gain")
            )
        )

    def merges(self) -> tuple[Integers, Integers]:
        """List cells that may go into one of the next frame, and that, (M,) each."""
        holder = self._holder()
        held = np.bincount(holder + 1, minlength=self._count + 1)
        before = np.flatnonzero((holder >= 0) & (held[holder + 1] > 1))
        return before, holder[before]

    def _holder(self) -> Integers:
        """Cell that covers each in the next frame, (N,); -1 is none."""
        holder = np.full(self._count, -1)
        known = np.concatenate([NONE, *self._holders])
        holder[: len(known)] = known
        return holder

    def _note(
        self,
        earlier: Sighting,
        cells: Cells,
        bodies: Bodies,
        gap: int,
        kin: Kin | None,
    ) -> None:
        scene = Scene(
            cells=cells,
            bodies=bodies,
            known=earlier.known,
            gaps=np.full(len(earlier.known.labels), gap),
            # What lay where some frames ago says little.
            image=np.zeros((0, 0), np.int32) if gap else earlier.image,
            shared=None,
            cell_size=self._cell_size,
            settings=self._settings,
        )
        links = list_links(scene)
        if kin is not None and not gap:
            links = with_kin(scene, links, *kin)
        first, here = earlier.first, self._count
        self._links.append(
            Options(links.track + first, links.cell + here, links.sister, links.gain)
        )
        if gap:
            return
        holders = find_holders(scene)
        self._holders.append(np.where(holders < 0, -1, holders + here))
        if self._settings.divisions:
            found = list_divisions(scene, links)
            self._divisions.append(
                Divisions(
                    found.mother + first,
                    found.first + here,
                    found.second + here,
                    found.better,
                    found.evidence,
                )
            )


def _joined(parts: list[Divisions]) -> Divisions:
    return Divisions(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("mother", "first", "second", "better", "evidence")
        )
    )


def _less(divisions: Divisions, doubt: Floats) -> Divisions:
    return Divisions(
        divisions.mother,
        divisions.first,
        divisions.second,
        divisions.better,
        divisions.evidence - doubt,
    )


def _was_several(holder: Integers) -> Floats:
    """Whether a cell lies where two or more were in the last frames, (N,), 0 or 1."""
    several = np.zeros(len(holder) + 1, bool)
    held = np.bincount(holder + 1, minlength=len(holder) + 1)
    held[0] = 0
    fresh = held > 1
    for _ in range(LOOK):
        several |= fresh
        later = np.zeros_like(fresh)
        later[holder[fresh[1:]] + 1] = True
        later[0] = False
        fresh = later
    return several[1:].astype(float)


def _is_one_again(holder: Integers, divisions: Divisions) -> Floats:
    """Whether both daughters are one cell in one of the next frames, (P,), 0 or 1."""
    one, other = divisions.first, divisions.second
    ends = np.append(holder, -1)
    again = np.zeros(len(one), bool)
    for _ in range(LOOK):
        one, other = ends[one], ends[other]
        again |= (one == other) & (one >= 0)
    return again.astype(float)
