"""Options of linking all cells of a movie, gathered frame by frame for the solver."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from ...labels import Labels
from ...settings import LinkSettings
from ...tracking.solver.problem import Options
from .candidates import Scene, find_holders, list_links, with_joint
from .divisions import SWALLOWED, Divisions, list_divisions
from .features import (
    Bodies,
    Floats,
    FrameCells,
    Integers,
    Known,
    known_after,
    measure_bodies,
)

# Rows of cells, rows of those of the frame before that were found together with them as
# one, and their IoU there.
JointMatch = tuple[Integers, Integers, Floats]

NONE = np.zeros(0, np.int64)
# Frames before and after a division in which the mother was two cells or the daughters
# are one again: what looks like a division is a cell that is now and then cut in two.
LOOK = 3


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
        The cells.
    image
        Rows of ``known`` plus 1, (Y, X).
    """

    frame: int
    first: int
    known: Known
    image: Labels


class Gatherer:
    """Lists the options of a movie: links, over gaps too, and divisions.

    A cell that seems to go on may still be the one that comes back after a gap, and
    divisions are judged by what comes after them too.

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
        self, frame: int, cells: FrameCells, joint: JointMatch | None = None
    ) -> None:
        """Take in the next frame.

        Parameters
        ----------
        frame
            Index of the frame; larger than those before.
        cells
            Its cells.
        joint
            Which were found together with cells of the frame before, (K,) each; None
            where frames were looked at alone.
        """
        bodies = measure_bodies(cells.labels, cells.centres, cells.areas)
        # Rows of the cells of the last frames, from the first of them on, and of these.
        base, here = self._seen[0].first if self._seen else 0, self._count
        links, divisions = [], Divisions.joined([])
        if self._seen and self._seen[-1].frame < frame - 1:
            self._holders.append(np.full(len(self._seen[-1].known.labels), -1))
        for earlier in reversed(self._seen):
            gap = frame - 1 - earlier.frame
            if gap > self._settings.most_gap:
                continue
            scene = self._scene(earlier, cells, bodies, gap)
            found = list_links(scene)
            if gap == 0:
                if joint is not None:
                    found = with_joint(scene, found, *joint)
                if self._settings.divisions:
                    divisions = list_divisions(scene, found)
                    divisions = divisions.shifted(earlier.first - base, 0)
                holders = find_holders(scene)
                self._holders.append(np.where(holders < 0, -1, holders + here))
            links.append(found.shifted(earlier.first - base, 0))
        into = Options.joined(links)
        self._links.append(into.shifted(base, here))
        self._divisions.append(divisions.shifted(base, here))
        labels = np.arange(here, here + len(cells.areas))
        past = [earlier.known for earlier in self._seen]
        pairs = _followed(into, divisions)
        known = known_after(frame, labels, cells, bodies, past, pairs)
        self._seen.append(Sighting(frame, here, known, cells.labels))
        self._count += len(cells.areas)

    def options(self) -> Options:
        """Weigh all options; rows count the cells of the whole movie."""
        divisions, holder = Divisions.joined(self._divisions), self._holder()
        doubt = SWALLOWED * _was_several(holder)[divisions.mother]
        doubt += SWALLOWED * _is_one_again(holder, divisions)
        return Options.joined([*self._links, divisions.options(doubt)])

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

    def _scene(
        self, earlier: Sighting, cells: FrameCells, bodies: Bodies, gap: int
    ) -> Scene:
        return Scene(
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


def _followed(links: Options, divisions: Divisions) -> tuple[Integers, Integers]:
    """Pairs of cells each of which is the other's best link, but for daughters.

    Drift and usual area of a cell are guessed from these: all other decisions wait for
    the solver.
    """
    order = np.argsort(-links.gain, kind="stable")
    before, after = links.before[order], links.after[order]
    _, first = np.unique(after, return_index=True)
    _, first_before = np.unique(before, return_index=True)
    likely = divisions.options(np.zeros(len(divisions.mother)))
    daughters = np.concatenate([likely.after, likely.sister])
    # Of each cell the one it goes on from, if any.
    origin = np.full(int(max(after.max(initial=0), daughters.max(initial=0))) + 1, -1)
    origin[after[first]] = before[first]
    theirs = origin[daughters.reshape(2, -1)]
    born = ((theirs == likely.before) | (theirs < 0)).all(0)
    best = np.intersect1d(first, first_before)
    best = best[~np.isin(after[best], daughters.reshape(2, -1)[:, born])]
    return before[best], after[best]


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
