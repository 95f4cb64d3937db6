"""Solve the lineage of a project anew: what the user confirmed stays.

The best lineage of a whole movie asks for every frame; after a correction all links
but a few are fixed. Then only the frames of these, and some around them, are looked at.
What goes on beyond has the label of what it follows.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..edits.base import Group
from ..edits.removing import DeleteCell
from ..edits.results import AdoptScores, AdoptTracks, CellScores
from ..errors import BadInputError, EditError
from ..inference.linking.solve import Fixed, Solved, Solver
from ..labels import areas_in
from ..settings import SegmentSettings
from ..tracking.intervals import intersection
from ..tracking.lineage import Lineage, Track
from .fixed import fixed_links, opened
from .project import Project
from .run_evidence import RunEvidence
from .runs.run import last_settings

TITLE = "solve tracks"
# Times that tracks are decided while the user edits.
ATTEMPTS = 3
# Frames beyond the longest gap that are looked at on either side, all links fixed.
CONTEXT = 2
Place = tuple[int, int]  # frame and label of a cell


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
        Frames whose links are decided anew; few others are looked at then, so that it
        takes no longer in a long movie. All when None.
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
        with project.document.guard:
            part = _Part.of(project.lineage, _frames(project, settings, within))
        solved = yield from _solved(project, part, settings, within, stop)
        if solved is None:
            return None
        with project.editing():
            # What was decided is of cells that may have been edited meanwhile.
            if project.history.journal.last == mark:
                group = project.history.new_group() if group is None else group
                _adopt(project, part, solved, group, within)
                return solved
    raise EditError(
        f"{project.folder.name}: its cells were edited again and again while their "
        f"tracks were decided: expected a moment without. Decide them afterwards."
    )


def _frames(project: Project, settings: SegmentSettings, within: range | None) -> range:
    """Frames that are looked at to decide links within some."""
    count = project.document.shape[0]
    if within is None:
        return range(count)
    margin = settings.link.most_gap + CONTEXT
    return range(max(0, within.start - margin), min(count, within.stop + margin))


@dataclass(frozen=True, eq=False)
class _Part:
    """The frames that are looked at.

    Parameters
    ----------
    frames
        Which.
    lineage
        Tracks cut to these frames; a track that began before has no parent.
    earlier, later
        Labels of tracks that are there before, and after, these frames.
    """

    frames: range
    lineage: Lineage
    earlier: frozenset[int]
    later: frozenset[int]

    @classmethod
    def of(cls, lineage: Lineage, frames: range) -> "_Part":
        """Cut a lineage."""
        here = ((frames.start, frames.stop - 1),)
        labels = lineage.living(frames.start, frames.stop - 1)
        tracks = [lineage.tracks[label] for label in sorted(labels)]
        cut = []
        for track in tracks:
            part = track.reshaped(intersection(track.intervals, here))
            if part is None:
                continue
            known = lineage.tracks.get(part.parent)
            away = part.begin != track.begin or known is None
            # Of a mother that is not looked at nothing can be decided.
            away |= known is not None and known.end < frames.start
            cut.append(replace(part, parent=0) if away else part)
        return cls(
            frames,
            Lineage(cut, lineage.score_names),
            frozenset(t.label for t in tracks if t.begin < frames.start),
            frozenset(t.label for t in tracks if t.end >= frames.stop),
        )

    def fixed(self, whole: Lineage, within: range | None) -> Fixed:
        """List what is fixed: links elsewhere, and what leads out of the frames."""
        found = fixed_links(self.lineage, within)
        tracks = self.lineage.tracks
        first = {(t.begin, n) for n, t in tracks.items() if n in self.earlier}
        # Daughters whose mother is not looked at stay hers.
        first |= {
            (t.begin, n)
            for n, t in tracks.items()
            # One that was edited away meanwhile: all is decided once more.
            if n in whole.tracks
            and whole.tracks[n].parent
            and not t.parent
            and n not in self.earlier
        }
        last = {(t.end, n) for n, t in tracks.items() if n in self.later}
        return Fixed(
            found.links,
            found.born | first,
            found.ended | last,
            found.cells | first | last,
        )


class _StoppedError(Exception):
    """The work is not wanted any more."""


def _heed(stop: Callable[[], bool]) -> None:
    if stop():
        raise _StoppedError


def _solved(
    project: Project,
    part: _Part,
    settings: SegmentSettings,
    within: range | None,
    stop: Callable[[], bool],
) -> Generator[tuple[int, int], None, Solved | None]:
    """Find the best lineage of the cells as they are now; adopt nothing."""
    frames = [t for t in part.frames if part.lineage.cells(t)]
    if not frames:
        asked = within or part.frames
        some = f", frames {asked.start} to {asked.stop - 1}"
        where = "" if within is None else some
        raise BadInputError(
            f"{project.folder.name}{where}: expected cells to be linked, found none. "
            f"Run the network first, or draw cells."
        )
    evidence = RunEvidence(project)
    size = settings.cell_size or _usual_size(project, frames)
    solver = Solver(settings.link, size, evidence.channels(frames))
    for done, frame in enumerate(frames, 1):
        labels = project.document.labels(frame)
        solver.push(frame, labels, evidence.of(frame, labels))
        if stop():
            return None
        yield done, len(frames)
    beyond = project.document.next_number - 1
    fixed = part.fixed(project.lineage, within)
    try:
        solved = solver.solve(fixed, beyond, tell=lambda *_: _heed(stop))
        _heed(stop)
    except _StoppedError:
        return None
    return replace(solved, unread=tuple(evidence.unread))


def _adopt(
    project: Project, part: _Part, solved: Solved, group: int, within: range | None
) -> None:
    """Take labels, parents and scores over: one step to undo."""
    final = _final_names(part, solved, project.document.next_number)
    names = _names_by_frame(project.lineage, part, solved, final)
    fore = {final[n] for n in _tracks_of(solved, part.earlier, first=True)}
    parents = {
        final[track]: final.get(solved.parents.get(track, 0), 0)
        for track in final
        if final[track] not in fore
    }
    cut = part.lineage
    kept = [
        track
        for label, track in cut.tracks.items()
        if project.lineage.tracks[label].parent and not track.parent
    ]
    out = [DeleteCell(frame, label) for frame, label in solved.left_out]
    tracks = AdoptTracks(
        names, _without(opened(cut, names, parents, within), kept, names)
    )
    # Together, so that tracks never have scores that are those of others.
    scores = AdoptScores(_scores(solved, final, within))
    project.do(Group((*out, tracks, scores), TITLE), group)


def _without(
    parents: dict[int, int],
    tracks: Iterable[Track],
    names: dict[int, dict[int, int]],
) -> dict[int, int]:
    """Leave out tracks, as they are now, by the labels that they get."""
    out = {names.get(t.begin, {}).get(t.label, t.label) for t in tracks}
    return {label: parent for label, parent in parents.items() if label not in out}


def _tracks_of(
    solved: Solved, labels: frozenset[int], *, first: bool
) -> dict[int, int]:
    """Label by track, of tracks that have the first or last cell of labels."""
    found: dict[int, int] = {}
    for label in labels:
        rows = np.flatnonzero(solved.label == label)
        if len(rows):
            found[int(solved.track[rows[0 if first else -1]])] = label
    return found


def _final_names(part: _Part, solved: Solved, beyond: int) -> dict[int, int]:
    """Label of each track that was found: what began before keeps its own."""
    final = _tracks_of(solved, part.earlier, first=True)
    used = {*final.values(), *part.earlier}
    for track in np.unique(solved.track[solved.track > 0]).tolist():
        if track in final:
            continue
        if track in used or track >= beyond:
            final[track], beyond = beyond, beyond + 1
        else:
            final[track] = track
        used.add(final[track])
    return final


def _names_by_frame(
    lineage: Lineage, part: _Part, solved: Solved, final: dict[int, int]
) -> dict[int, dict[int, int]]:
    """By frame: new label of each old one, also of what goes on beyond the frames."""
    names: dict[int, dict[int, int]] = {}
    rows = zip(
        solved.frame.tolist(), solved.label.tolist(), solved.track.tolist(), strict=True
    )
    for frame, old, track in rows:
        if track and final[track] != old:
            names.setdefault(frame, {})[old] = final[track]
    for track, old in _tracks_of(solved, part.later, first=False).items():
        onward = lineage.tracks[old].onward(part.frames.stop)
        if final[track] != old and onward is not None:
            for frame in onward.frames:
                names.setdefault(frame, {})[old] = final[track]
    return names


def _scores(
    solved: Solved, final: dict[int, int], within: range | None
) -> dict[int, CellScores]:
    """Frames and scores of the cells, by track, whose links to the past were decided.

    Elsewhere they stay: a link that was fixed would seem as sure as a confirmed one.
    """
    asked = solved.track > 0
    if within is not None:
        asked &= np.isin(solved.frame, [*within, within.stop])
    order = np.lexsort((solved.frame, solved.track))
    order = order[asked[order]]
    starts = np.flatnonzero(np.diff(solved.track[order])) + 1
    return {
        final[int(solved.track[rows[0]])]: (solved.frame[rows], solved.scores[rows])
        for rows in np.split(order, starts)
        if len(rows)
    }


def _usual_size(project: Project, frames: list[int]) -> float:
    """Median diameter of the cells of some frames of a project, px."""
    chosen = frames[:: max(1, len(frames) // 5)]
    areas = np.concatenate([areas_in(project.document.labels(t))[1] for t in chosen])
    return float(np.sqrt(4 / np.pi * np.median(areas)))
