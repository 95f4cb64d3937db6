"""Fit how much each reason says of an error, and judge the queue that comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from napari_semiconv.project.project import Project
from napari_semiconv.project.suspects.measure import Measure
from napari_semiconv.project.suspects.queue import Queue
from napari_semiconv.project.suspects.reasons import KINDS, REASONS
from napari_semiconv.project.suspects.suspects import Suspects
from napari_semiconv.project.suspects.weights import Weights

from .reviewed import Recording
from .true_errors import Cell, TrueError, true_errors

Values = NDArray[np.float64]
# Places likely to be wrong to less than this are not listed.
LEAST = 0.02
# Against weights that a few places would make large.
SHRINK = 0.5
# What truth with errors put into it counts beside what the model found.
SPOILED = 0.1


@dataclass(frozen=True, eq=False)
class Case:
    """A filled project, with what is wrong in it.

    Parameters
    ----------
    recording
        Where it comes from.
    project
        Open to be read.
    errors
        What is wrong.
    cells
        Frame and label of every cell, (n,).
    reasons
        Why each may be wrong, (n, reasons).
    wrong
        Whether an error is seen at each, (n,).
    weight
        What it counts in fitting.
    """

    recording: Recording
    project: Project
    errors: list[TrueError]
    cells: list[Cell]
    reasons: NDArray[np.float32]
    wrong: NDArray[np.bool_]
    weight: float = 1.0


def case_of(recording: Recording, project: Project, weight: float = 1.0) -> Case:
    """Measure a filled project, and compare it with its truth."""
    frames = range(len(recording.truth))
    found = [project.document.labels(t) for t in frames]
    errors = true_errors(found, project.lineage, recording.truth, recording.table)
    measure = Measure(project)
    places = [measure.places(t) for t in frames]
    cells = [(t, n) for t in frames for n in places[t].labels.tolist()]
    seen = set().union(*(error.cells for error in errors))
    return Case(
        recording,
        project,
        errors,
        cells,
        np.concatenate([p.reasons for p in places]),
        np.array([cell in seen for cell in cells]),
        weight,
    )


def fit(cases: Sequence[Case]) -> Weights:
    """Fit a logistic model, none of whose weights is below 0, to all cells of cases."""
    reasons = np.concatenate([case.reasons for case in cases]).astype(np.float64)
    usual = np.nan_to_num(np.nanmean(reasons, axis=0))
    known = np.where(np.isnan(reasons), usual, reasons)
    wrong = np.concatenate([case.wrong for case in cases]).astype(np.float64)
    # Each recording counts as much, however many cells it has.
    many = float(np.mean([len(case.cells) for case in cases]))
    share = np.concatenate(
        [
            np.full(len(case.cells), case.weight * many / len(case.cells))
            for case in cases
        ]
    )

    def cost(values: Values) -> tuple[float, Values]:
        odds = values[0] + known @ values[1:]
        off = share * (1 / (1 + np.exp(-odds)) - wrong)
        total = (share * (np.logaddexp(0, odds) - wrong * odds)).sum()
        total += SHRINK * (values[1:] ** 2).sum()
        return total, np.append(off.sum(), known.T @ off + 2 * SHRINK * values[1:])

    bounds = [(None, None)] + [(0, None)] * len(REASONS)
    begin = np.append(-3.0, np.zeros(len(REASONS)))
    best = minimize(cost, begin, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights, usual = best[1:].astype(np.float32), usual.astype(np.float32)
    return Weights(float(best[0]), weights, usual, LEAST, 1.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Judged:
    """The queue of a case, ranked by weights that were fitted on other recordings.

    Parameters
    ----------
    case
        The case.
    queue
        Its suspects.
    found_at
        Place in the queue at which each error is seen first, (errors,); as many as
        there are suspects where it never is.
    hits
        Whether an error is seen at each suspect, (suspects,).
    auc
        Chance that a wrong cell is ranked above a right one.
    auc_before
        The same of the best single score of review: sure, persistence, margin or link.
    """

    case: Case
    queue: Queue
    found_at: NDArray[np.int64]
    hits: NDArray[np.bool_]
    auc: float
    auc_before: float

    def held(self, looks: float) -> float:
        """Share of the errors that are seen in so many looks."""
        return float((self.found_at < min(looks, len(self.queue))).mean())

    @property
    def half(self) -> int | None:
        """Looks until half of the errors are seen; None when never."""
        ordered = np.sort(self.found_at)
        looks = int(ordered[(len(ordered) - 1) // 2]) + 1
        return looks if looks <= len(self.queue) else None

    def best(self, looks: int) -> float:
        """Share of the errors that the best order of the same suspects would show."""
        left = [set(error.cells) for error in self.case.errors]
        groups = _groups(self.queue)
        owner: dict[Cell, int] = {c: row for row, g in enumerate(groups) for c in g}
        seen_at = [{owner[c] for c in cells if c in owner} for cells in left]
        taken = 0
        for _ in range(looks):
            rows = [row for rows in seen_at for row in rows]
            if not rows:
                break
            row = max(set(rows), key=rows.count)
            taken += sum(row in rows for rows in seen_at)
            seen_at = [rows for rows in seen_at if row not in rows]
        return taken / len(left)


def judge(case: Case, weights: Weights) -> Judged:
    """Rank the suspects of a case, and see where in the queue its errors are."""
    suspects = Suspects(case.project, weights)
    for _ in suspects.steps():
        pass
    queue = suspects.queue
    place = {cell: row for row, group in enumerate(_groups(queue)) for cell in group}
    rows = [[place[c] for c in e.cells if c in place] for e in case.errors]
    hits = np.zeros(len(queue), bool)
    hits[[row for some in rows for row in some]] = True
    chances = weights.chances(weights.added(case.reasons))
    before = (
        auc(case.wrong, case.reasons[:, n])
        for n, reason in enumerate(REASONS)
        if reason.kind in ("unsure cell", "unsure link") and reason.about != "frame"
    )
    return Judged(
        case,
        queue,
        np.array([min(some, default=len(queue)) for some in rows], np.int64),
        hits,
        auc(case.wrong, chances),
        max(before),
    )


def _groups(queue: Queue) -> list[list[Cell]]:
    rows = queue.rows
    columns = (rows.frame.tolist(), rows.last.tolist(), rows.number.tolist())
    return [
        [(t, label) for t in range(first, last + 1)]
        for first, last, label in zip(*columns, strict=True)
    ]


def auc(wrong: NDArray[np.bool_], score: NDArray[np.floating]) -> float:
    """Chance that what is wrong scores higher than what is right; NaN without both."""
    known = np.isfinite(score)
    wrong, score = wrong[known], score[known]
    bad, good = int(wrong.sum()), int((~wrong).sum())
    if not bad or not good:
        return float("nan")
    above = rankdata(score)[wrong].sum() - bad * (bad + 1) / 2
    return float(above / (bad * good))


def kind_names(queue: Queue) -> NDArray[np.str_]:
    """Kind of each suspect, (n,)."""
    return np.array([*KINDS, "left out"])[queue.rows.kind]
