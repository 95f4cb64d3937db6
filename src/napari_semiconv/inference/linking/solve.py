"""The best lineage of a whole movie from its masks and the network's predictions.

The tracker decides each frame once, as it is computed. Here all frames are looked at
together, after the run or after corrections; what the user confirmed is fixed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...errors import counted
from ...labels import Labels, numbers_in
from ...settings import LinkSettings
from ...tracking.evidence import SCORES, Evidence
from ...tracking.lineage import Lineage, Track
from ...tracking.solver.problem import Booleans, Options, Problem
from ...tracking.solver.solve import Solution, solve
from .assign import assign_labels
from .features import Floats, FrameCells, Integers, number_cells
from .gatherer import Gatherer, JointMatch

# Diameter of a usual cell, px, that masks are brought down to by leaving out rows and
# columns: linking sees no more, and large frames take no longer.
FINE_ENOUGH = 24.0
# Margin, in units of gain, at which a link counts as half sure.
HALF_SURE = 1.0

Tell = Callable[[int, int], None]
Place = tuple[int, int]  # frame and label of a cell


@dataclass(frozen=True)
class Fixed:
    """What the user confirmed of cells, each named by frame and label.

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
class Solved:
    """The best lineage.

    Parameters
    ----------
    frame, label
        Frame of each cell, ascending, and its label in the masks, (N,).
    track
        Label of the track it belongs to now, (N,).
    parents
        Parent of each track that has one.
    scores
        Scores for review, (N, 4), columns as in `SCORES`.
    solution
        What the solver found.
    left_out
        Frame and label of cells that belong to no track, and why; their track is 0.
    merged
        Frame and label of cells whose track seems to end by going into a cell of the
        next frame, and the label of that; a note alone, on which no track depends.
    unread
        Frames of runs whose cells have no known predictions of the network.
    """

    frame: Integers
    label: Integers
    track: Integers
    parents: Mapping[int, int]
    scores: Floats
    solution: Solution
    left_out: Mapping[Place, str]
    merged: Mapping[Place, int]
    unread: tuple[int, ...] = ()

    def names(self, frame: int) -> dict[int, int]:
        """Tell the new label of each cell of a frame by its label in the masks."""
        first, last = np.searchsorted(self.frame, [frame, frame + 1])
        labels, tracks = self.label[first:last], self.track[first:last]
        return dict(zip(labels.tolist(), tracks.tolist(), strict=True))

    @property
    def lineage(self) -> Lineage:
        """The tracks, with their scores."""
        order = np.lexsort((self.frame, self.track))
        order = order[self.track[order] > 0]
        starts = np.flatnonzero(np.diff(self.track[order]) != 0) + 1
        tracks = [self._track(rows) for rows in np.split(order, starts) if len(rows)]
        return Lineage(tracks, SCORES)

    def _track(self, rows: Integers) -> Track:
        frames, label = self.frame[rows], int(self.track[rows[0]])
        table = np.full((frames[-1] - frames[0] + 1, len(SCORES)), np.nan, np.float32)
        table[frames - frames[0]] = self.scores[rows]
        track = Track.of(label, frames.tolist(), self.parents.get(label, 0))
        return replace(track, scores=table.tobytes())


def notes_of(solved: Solved) -> dict[int, list[str]]:
    """Say by frame which cells were left out and merged; at the last one, the rest."""
    notes: dict[int, list[str]] = {}
    if solved.unread:
        notes.setdefault(int(solved.frame[-1]), []).append(
            f"Of {counted(len(solved.unread), 'frame')}, the first of them "
            f"{solved.unread[0]}, no readable prediction of the network was kept: "
            f"there, cells are linked by their masks alone."
        )
    for (frame, label), why in sorted(solved.left_out.items()):
        notes.setdefault(frame, []).append(
            f"Left out: cell {label} of frame {frame}, {why}."
        )
    for (frame, label), into in sorted(solved.merged.items()):
        notes.setdefault(frame, []).append(
            f"Merge: cell {label} of frame {frame} seems to go into cell {into}."
        )
    share = solved.solution.gap / max(solved.solution.value, 1.0)
    if share > 0:
        notes.setdefault(int(solved.frame[-1]), []).append(
            f"The tracks may fall short of the best ones by up to {100 * share:.2g} % "
            f"of their worth."
        )
    return notes


class Solver:
    """Takes in the frames of a movie in order and finds their best lineage.

    Parameters
    ----------
    settings
        Limits of overlap, distance, gaps and divisions.
    cell_size
        Diameter of a usual cell, px of the movie.
    channels
        Channels of the embeddings in the evidence; 0 where there is none.
    """

    def __init__(
        self, settings: LinkSettings, cell_size: float, channels: int = 0
    ) -> None:
        self._settings = settings
        self._step = max(1, int(cell_size / FINE_ENOUGH))
        self._channels = channels
        size = cell_size / self._step
        self._gatherer = Gatherer(settings, size)
        self._frames: list[Integers] = []
        self._labels: list[Integers] = []
        self._scores: list[Floats] = []

    def push(
        self, frame: int, labels: Labels, evidence: Evidence | None = None
    ) -> None:
        """Take in the next frame.

        Parameters
        ----------
        frame
            Index of the frame; larger than those before.
        labels
            Its masks, (Y, X), 0 is background.
        evidence
            Predictions of the network for its cells, by the labels of the masks; None,
            or without some of them, where nothing is known.
        """
        image, numbers, centres, areas = _numbered(labels, self._step)
        evidence = evidence or Evidence.none(self._channels)
        known = evidence.of_cells(numbers)
        embeddings = known.embeddings.astype(np.float64)
        if embeddings.shape[1] != self._channels:
            # Those of another network, of another size, say nothing here.
            embeddings = np.full((len(numbers), self._channels), np.nan)
        origins = centres + known.motion / self._step
        sure = np.where(np.isnan(known.sure), 1.0, known.sure.astype(np.float64))
        cells = FrameCells(image, centres, areas, embeddings, origins, sure)
        self._gatherer.push(frame, cells, self._joint_match(frame, known))
        self._frames.append(np.full(len(numbers), frame))
        self._labels.append(numbers)
        nothing = np.full(len(numbers), np.nan)
        scores = [nothing if n == "link" else getattr(known, n) for n in SCORES]
        self._scores.append(np.stack(scores, 1))

    def solve(
        self, fixed: Fixed | None = None, beyond: int = 0, tell: Tell | None = None
    ) -> Solved:
        """Find the best lineage of the frames that were taken in.

        Parameters
        ----------
        fixed
            What the user confirmed.
        beyond
            New labels are larger than this.
        tell
            Called with the options decided so far and in all; what it raises stops the
            work.

        Raises
        ------
        BadInputError
            When what the user confirmed contradicts itself.
        """
        none = [np.zeros(0, np.int64)]
        frame = np.concatenate([*none, *self._frames])
        label = np.concatenate([*none, *self._labels])
        scores = np.concatenate([np.zeros((0, len(SCORES))), *self._scores])
        fixed = fixed or Fixed()
        rows = _Rows(frame, label)
        problem = _formulate(rows, self._gatherer.options(), fixed)
        solution = solve(problem, tell=tell)
        track, parents = assign_labels(problem, solution.taken, label, beyond)
        scores[:, SCORES.index("link")] = _certainty(problem, solution)
        sure = scores[:, SCORES.index("sure")]
        out = (sure < self._settings.least_sure) & ~rows.marked(fixed.cells)
        out &= _is_alone(problem, solution)
        track[out] = 0
        reasons = {
            rows.place(row): f"seen in one frame only, sure to {100 * sure[row]:.0f} %"
            for row in np.flatnonzero(out).tolist()
        }
        merged = self._merged(problem, solution, track) if self._settings.merges else ()
        return Solved(
            frame,
            label,
            track,
            parents,
            scores,
            solution,
            reasons,
            {rows.place(one): int(label[other]) for one, other in merged},
        )

    def _merged(
        self, problem: Problem, solution: Solution, track: Integers
    ) -> list[tuple[int, int]]:
        """Cells at whose end their track seems to go into another, with its cell."""
        taken = problem.options.take(solution.taken)
        goes_on, continued = np.zeros((2, len(track)), bool)
        goes_on[taken.before] = True
        continued[taken.after[taken.sister < 0]] = True
        before, into = self._gatherer.merges()
        ends = ~goes_on[before] & ~problem.closed[before] & (track[before] > 0)
        keep = ends & continued[into]
        return list(zip(before[keep].tolist(), into[keep].tolist(), strict=True))

    def _joint_match(self, frame: int, known: Evidence) -> JointMatch | None:
        """Rows of cells and of those of the frame before found together with them."""
        if not self._frames or not known.joint_match.any():
            return None
        before = self._labels[-1]
        if not len(before) or self._frames[-1][0] != frame - 1:
            return None
        row = np.searchsorted(before, known.joint_match).clip(max=len(before) - 1)
        here = np.flatnonzero(before[row] == known.joint_match)
        return here, row[here], known.joint_overlap[here].astype(np.float64)


def _numbered(labels: Labels, step: int) -> tuple[Labels, Integers, Floats, Floats]:
    """Give numbers to the cells of a frame, seen on every ``step``-th row and column.

    Cells that fall between them have no pixel then, but a place, and the least area.
    """
    small, numbers, centres, areas = number_cells(labels[::step, ::step])
    lost = np.setdiff1d(numbers_in(labels), numbers) if step > 1 else numbers[:0]
    if not len(lost):
        return small, numbers, centres, areas
    rest = np.where(np.isin(labels, lost), labels, 0)
    _, lost, places, sizes = number_cells(rest)
    numbers = np.concatenate([numbers, lost])
    centres = np.concatenate([centres, places / step])
    areas = np.concatenate([areas, np.maximum(sizes / step**2, 1)])
    order = np.argsort(numbers)
    now = np.zeros(len(order) + 1, np.int32)
    now[order + 1] = np.arange(len(order)) + 1
    return now[small], numbers[order], centres[order], areas[order]


class _Rows:
    """Which row of a problem is which cell of the movie."""

    def __init__(self, frame: Integers, label: Integers) -> None:
        self.frame, self._label = frame, label
        places = zip(frame.tolist(), label.tolist(), strict=True)
        self.row = {place: row for row, place in enumerate(places)}

    def place(self, row: int) -> Place:
        """Frame and label of a cell."""
        return int(self.frame[row]), int(self._label[row])

    def marked(self, places: frozenset[Place]) -> Booleans:
        """Mark cells that are there, (N,)."""
        found = np.zeros(len(self.frame), bool)
        found[[self.row[place] for place in places if place in self.row]] = True
        return found


def _formulate(rows: _Rows, options: Options, fixed: Fixed) -> Problem:
    """Put together what is to be solved; confirmed links become options if need be."""
    row, count = rows.row, len(rows.frame)
    pairs = sorted((row[a], row[b]) for a, b in fixed.links if a in row and b in row)
    before, after = np.array(pairs, np.int64).reshape(-1, 2).T
    # A pair of cells as one number.
    wanted, known = before * count + after, options.before * count + options.after
    confirmed = np.isin(known, wanted) & (options.sister < 0)
    new = ~np.isin(wanted, known[confirmed])
    more = Options.links(before[new], after[new], np.zeros(new.sum()))
    return Problem(
        rows.frame,
        Options.joined([options, more]),
        fixed=np.append(confirmed, np.ones(len(more.gain), bool)),
        closed_before=rows.marked(fixed.born),
        closed_after=rows.marked(fixed.ended),
    )


def _is_alone(problem: Problem, solution: Solution) -> Booleans:
    """Whether nothing is linked to a cell, nor confirmed to be its end, (N,)."""
    count = len(problem.frame)
    ends = problem.options.ends(count)[solution.taken]
    used = problem.closed.copy()
    used[ends[ends >= 0]] = True
    return np.asarray(~used.reshape(2, count).any(0))


def _certainty(problem: Problem, solution: Solution) -> Floats:
    """How clearly each cell's link to the past was the best, (N,), 0 to 1 or NaN."""
    taken = problem.options.take(solution.taken)
    # A margin without end, of what was confirmed, makes this 1.
    sure = 1 - HALF_SURE / (solution.margin[solution.taken] + HALF_SURE)
    found = np.full(len(problem.frame), np.nan)
    found[taken.after] = sure
    divides = taken.sister >= 0
    found[taken.sister[divides]] = sure[divides]
    return found
