"""Solve the lineage of a project anew: what the user confirmed stays."""

from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..edits.base import Group
from ..edits.change import Labels
from ..edits.removing import DeleteCell
from ..edits.results import AdoptScores, AdoptTracks, same_cells
from ..errors import BadInputError, EditError
from ..inference.linking.solve import Fixed, Solved, Solver
from ..io.movies.zarr_store import DAMAGED
from ..labels import areas_in
from ..settings import SegmentSettings
from ..tracking.evidence import Evidence
from ..tracking.lineage import Lineage
from .project import Project
from .runs.evidence import read_evidence
from .runs.masks import Labels as RunMasks
from .runs.masks import stored_labels
from .runs.run import adopted_frames, last_settings
from .runs.store import LABELS

# Masks are compared with those of a run on every so many-th row and column.
COARSE = 2
TITLE = "solve tracks"
# Times that tracks are decided while the user edits.
ATTEMPTS = 3


def solve_steps(
    project: Project,
    settings: SegmentSettings | None = None,
    within: range | None = None,
    group: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, int], None, Solved | None]:
    """Find the best lineage of all frames of a project, and take it over as one step.

    Masks are not changed. Links, tracks and divisions that the user confirmed are
    fixed; all else is decided anew, by the masks as they are now and by what the
    network says of the cells that are still as it found them.

    Parameters
    ----------
    project
        The project, open for writing.
    settings
        How to link; as in the last run when None.
    within
        Frames whose links are decided anew; all when None.
    group
        Number that the edits share with others, so that they are undone together.
    stop
        Asked again and again whether to stop; then the project stays as it was.

    Yields
    ------
    tuple
        Frames looked at and frames in all. Closed early, it leaves the project as it
        was.

    Returns
    -------
    Solved
        What was found; None when it was stopped.

    Raises
    ------
    BadInputError
        When there is no cell, a frame is damaged, or what was confirmed contradicts
        itself.
    EditError
        When cells were edited again and again meanwhile.
    SaveError
        When it cannot be written; the project is as it was.
    """
    settings = settings or last_settings(project)
    for _ in range(ATTEMPTS):
        mark = project.history.journal.last
        solved = yield from _solved(project, settings, within, stop)
        if solved is None:
            return None
        with project.editing():
            # What was decided is of cells that may have been edited meanwhile.
            if project.history.journal.last == mark:
                group = project.history.new_group() if group is None else group
                _adopt(project, solved, group, within)
                return solved
    raise EditError(
        f"{project.folder.name}: its cells were edited again and again while their "
        f"tracks were decided: expected a moment without. Decide them afterwards."
    )


def _solved(
    project: Project,
    settings: SegmentSettings,
    within: range | None,
    stop: Callable[[], bool],
) -> Generator[tuple[int, int], None, Solved | None]:
    """Find the best lineage of the cells as they are now; adopt nothing."""
    lineage = project.tracked().lineage
    frames = sorted({t for track in lineage.tracks.values() for t in track.frames})
    if not frames:
        raise BadInputError(
            f"{project.folder.name}: expected cells to be linked, found none. Run the "
            f"network first, or draw cells."
        )
    evidence = RunEvidence(project)
    size = settings.cell_size or usual_size(project, frames)
    solver = Solver(settings.link, size, evidence.channels(frames))
    for done, frame in enumerate(frames):
        labels = project.document.labels(frame)
        solver.push(frame, labels, evidence.of(frame, labels))
        if stop():
            return None
        yield done + 1, len(frames)
    beyond = project.document.next_number - 1
    fixed = fixed_links(lineage, within)
    try:
        solved = solver.solve(fixed, beyond, tell=lambda *_: heed(stop))
        heed(stop)
    except StoppedSolving:
        return None
    return replace(solved, unread=tuple(evidence.unread))


class StoppedSolving(Exception):
    """The work is not wanted any more."""


def heed(stop: Callable[[], bool]) -> None:
    """Leave the solver when it is to stop.

    Raises
    ------
    StoppedSolving
        When ``stop`` says so.
    """
    if stop():
        raise StoppedSolving


def fixed_links(lineage: Lineage, frames: range | None = None) -> Fixed:
    """List what is fixed in the lineage of a project, for the solver.

    Parameters
    ----------
    lineage
        All tracks. Between two confirmed cells that follow one another the link is
        confirmed; a confirmed parent, or that there is none, closes both tracks where
        they meet.
    frames
        Frames that are decided anew: between cells of other frames all stays as it is,
        confirmed or not. All frames when None.
    """
    links, born, ended, cells = set(), set(), set(), set()
    kept = _born_so(lineage, frames)
    for label, track in lineage.tracks.items():
        mother = lineage.tracks.get(track.parent)
        if label in kept:
            born.add((track.begin, label))
            if mother is not None:
                ended.add((mother.end, mother.label))
        if _outside(frames, track.end, track.end + 1):
            ended.add((track.end, label))
        for one, other in pairwise(track.frames):
            sure = track.is_confirmed(one) and track.is_confirmed(other)
            if sure or _outside(frames, one, other):
                links.add(((one, label), (other, label)))
        cells |= {
            (frame, label)
            for frame in track.frames
            if track.is_confirmed(frame) or _outside(frames, frame)
        }
    return Fixed(frozenset(links), frozenset(born), frozenset(ended), frozenset(cells))


def _born_so(lineage: Lineage, frames: range | None) -> set[int]:
    """Tracks whose parent, or that there is none, stays; sisters stay together."""
    tracks = lineage.tracks
    kept = set()
    for label, track in tracks.items():
        mother = tracks.get(track.parent)
        met = track.begin if mother is None else mother.end
        outside = _outside(frames, track.begin, track.begin - 1, met)
        if track.parent_confirmed or outside:
            kept.add(label)
    mothers = {tracks[label].parent for label in kept} - {0}
    return kept | {label for label, track in tracks.items() if track.parent in mothers}


def _outside(frames: range | None, *places: int) -> bool:
    return frames is not None and not any(t in frames for t in places)


def _adopt(project: Project, solved: Solved, group: int, within: range | None) -> None:
    """Take labels, parents and scores over: one step to undo."""
    names = {}
    for frame in np.unique(solved.frame).tolist():
        named = solved.names(frame).items()
        changed = {old: new for old, new in named if new not in (0, old)}
        if changed:
            names[frame] = changed
    scores_now = _scores(project.lineage, solved, within)
    found = replace(solved, scores=scores_now).lineage.tracks
    parents = {label: track.parent for label, track in found.items()}
    tracks = AdoptTracks(names, opened(project.lineage, names, parents, within))
    scores = AdoptScores({label: track.scores for label, track in found.items()})
    # Together, so that tracks never have scores that are those of others.
    out = [DeleteCell(frame, label) for frame, label in solved.left_out]
    project.do(Group((*out, tracks, scores), TITLE), group)


def _scores(
    lineage: Lineage, solved: Solved, within: range | None
) -> NDArray[np.float64]:
    """Scores of all cells, (N, 4): as before where the link to the past was not asked.

    There it was fixed, and would seem as sure as if it was confirmed.
    """
    scores = solved.scores.copy()
    if within is None:
        return scores
    tables = {label: lineage.scores(label) for label in lineage.tracks}
    cells = zip(solved.frame.tolist(), solved.label.tolist(), strict=True)
    for row, (frame, label) in enumerate(cells):
        if _outside(within, frame, frame - 1):
            table, begin = tables[label], lineage.tracks[label].begin
            scores[row] = table[frame - begin] if len(table) else np.nan
    return scores


def opened(
    lineage: Lineage,
    names: dict[int, dict[int, int]],
    parents: dict[int, int],
    within: range | None,
) -> dict[int, int]:
    """Leave out the daughters whose parent is fixed.

    Parameters
    ----------
    lineage
        Tracks as they are.
    names
        By frame: new label of each old one that changes.
    parents
        Parents that were found, by the new labels.
    within
        Frames that were decided anew; all when None.
    """
    born = [lineage.tracks[label] for label in _born_so(lineage, within)]
    sure = {names.get(t.begin, {}).get(t.label, t.label) for t in born}
    return {label: parent for label, parent in parents.items() if label not in sure}


def usual_size(project: Project, frames: list[int]) -> float:
    """Median diameter of the cells of some frames of a project, px."""
    chosen = frames[:: max(1, len(frames) // 5)]
    areas = np.concatenate([areas_in(project.document.labels(t))[1] for t in chosen])
    return float(np.sqrt(4 / np.pi * np.median(areas)))


class RunEvidence:
    """What the network predicts for the cells of a project, by their labels now.

    Parameters
    ----------
    project
        The project; frames are to be asked for in order.
    """

    def __init__(self, project: Project) -> None:
        self._folders = [project.folder / run.folder for run in project.info.runs]
        self._run_of: dict[int, int] = {}
        self._before: tuple[int, dict[int, int]] = (-1, {})
        self._masks: dict[int, RunMasks] = {}
        self.unread: list[int] = []
        for number in range(1, len(self._folders) + 1):
            for frame in adopted_frames(project, number):
                self._run_of[frame] = number - 1

    def channels(self, frames: list[int]) -> int:
        """Channels of the embeddings; 0 where there is no evidence."""
        found = (self._read(frame) for frame in frames)
        first = next((one for one in found if one is not None), None)
        return 0 if first is None else first.embeddings.shape[1]

    def of(self, frame: int, labels: Labels) -> Evidence | None:
        """Find the evidence on the cells of a frame that are as they were found."""
        evidence, found = self._read(frame), self._found(frame)
        if evidence is None or found is None:
            if frame in self._run_of:
                self.unread.append(frame)
            return None
        now = same_cells(found, labels[::COARSE, ::COARSE])
        names = _named(evidence.labels, now)
        _, first = np.unique(names, return_index=True)
        rows = first[names[first] > 0]
        # Frames are asked for in order: the last one has the names of joint matches.
        last, before = self._before
        if self._run_of.get(last) != self._run_of[frame]:
            last = -1  # another run has labels of its own
        joint = _named(evidence.joint_match, before if last == frame - 1 else {})
        self._before = frame, now
        evidence = replace(evidence, joint_match=joint)
        return evidence.take(rows).named(names[rows])

    def _found(self, frame: int) -> Labels | None:
        """Read what a run found in a frame, on some rows and columns."""
        run = self._run_of.get(frame)
        if run is None:
            return None
        try:
            if run not in self._masks:
                self._masks[run] = stored_labels(self._folders[run] / LABELS)
            return np.asarray(self._masks[run][frame, ::COARSE, ::COARSE], np.int32)
        except DAMAGED:
            return None

    def _read(self, frame: int) -> Evidence | None:
        run = self._run_of.get(frame)
        return None if run is None else read_evidence(self._folders[run], frame)


def _named(labels: NDArray[np.int64], names: dict[int, int]) -> NDArray[np.int64]:
    """Translate labels of a run; 0 for those without a name."""
    return np.array([names.get(label, 0) for label in labels.tolist()], np.int64)
