"""Measure, frame by frame, what may be strange of each cell and of its links."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...edits.document import Centroids
from ...tracking.lineage import Lineage, Track
from ..project import Project
from .reasons import PLACE, REASONS

Values = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

# Cells nearer than this, in sums of their radii, may have been one, or become one.
NEAR = 1.6
# Distance, in diameters, within which a track may go on under another label.
REACH = 2.0
# Typical residual motion below this, in diameters, is that of cells that stand still.
STILL = 0.05
# Residual motion up to this, in diameters, and up to so many times the typical one,
# is nothing strange.
USUAL, UNLIKE = 0.75, 4.0
# Tracks of so many frames are not short.
LONG = 6
_NONE = -1
# Scores, what low ones are a reason for, and how unsure the frame is as a whole.
_CERTAINTY = (
    ("sure", "unsure cell", "frame of unsure cells"),
    ("persistence", "no clear cluster", "frame of no clear clusters"),
    ("margin", "unclear border", "frame of unclear borders"),
    ("link", "unsure link", "frame of unsure links"),
)


@dataclass(frozen=True, eq=False)
class Places:
    """Cells of a frame with what may be strange of each.

    Parameters
    ----------
    labels
        Their labels, (n,), ascending.
    before
        Frame in which the same track has the cell before; -1 where it begins, (n,).
    reasons
        One column a `Reason`, (n, reasons); NaN where it is not known.
    """

    labels: Integers
    before: Integers
    reasons: NDArray[np.float32]

    def take(self, rows: Booleans) -> "Places":
        """Choose cells."""
        return Places(self.labels[rows], self.before[rows], self.reasons[rows])


@dataclass(frozen=True, eq=False)
class _Frame:
    """Cells of a frame as its neighbours in time see them."""

    cells: Centroids
    tracks: list[Track]
    # Last frame before, and first after, in which the same track has a cell; or -1.
    before: Integers
    after: Integers

    @property
    def radius(self) -> Values:
        return np.sqrt(self.cells.areas / np.pi)


class Measure:
    """Measures the places of the frames of a project.

    Parameters
    ----------
    project
        The project; what is measured is as it is at that moment.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._frames, self._height, self._width = project.document.shape

    def places(self, frame: int) -> Places:
        """Measure the cells of a frame."""
        with self._project.document.guard:
            return self._places(frame)

    def _places(self, frame: int) -> Places:
        here = self._frame(frame)
        count = len(here.tracks)
        found = np.zeros((count, len(REASONS)))
        if count:
            earlier = self._frame(frame - 1) if self._known_before(frame) else None
            later = self._frame(frame + 1) if self._known_after(frame) else None
            inside = self._inside(here)
            self._scores(found, here, frame)
            self._links(found, here, frame, earlier, inside)
            self._births(found, here, frame, earlier, inside)
            self._ends(found, here, frame, later, inside)
            self._shapes(found, here, frame)
        return Places(here.cells.labels, here.before, found.astype(np.float32))

    # Where a run has not come yet, or never came, no cell is known to be missing.
    def _known_before(self, frame: int) -> bool:
        lineage = self._project.lineage
        return bool(lineage.cells(frame - 1)) or any(
            lineage.tracks[label].begin < frame for label in lineage.living(0, frame)
        )

    def _known_after(self, frame: int) -> bool:
        lineage = self._project.lineage
        return bool(lineage.cells(frame + 1)) or any(
            lineage.tracks[label].end > frame
            for label in lineage.living(frame, self._frames - 1)
        )

    def _frame(self, frame: int) -> _Frame:
        cells = self._project.centroids(frame)
        known = self._project.lineage.tracks
        tracks = [known[label] for label in cells.labels.tolist()]
        ends = [_around(track, frame) for track in tracks]
        before, after = np.array(ends, np.int64).reshape(-1, 2).T
        return _Frame(cells, tracks, before, after)

    def _inside(self, here: _Frame) -> Values:
        """How far cells lie inside the field: 0 at its border, 1 a diameter away."""
        y, x = here.cells.y, here.cells.x
        room = np.minimum(
            np.minimum(y, self._height - 1 - y), np.minimum(x, self._width - 1 - x)
        )
        return np.clip(room / (2 * here.radius) - 0.5, 0, 1)

    def _scores(self, found: Values, here: _Frame, frame: int) -> None:
        names = self._project.lineage.score_names
        table = np.full((len(here.tracks), len(names)), np.nan)
        for row, track in enumerate(here.tracks):
            if track.scores:
                place = 4 * len(names) * (frame - track.begin)
                table[row] = np.frombuffer(track.scores, np.float32, len(names), place)
        begins = here.before == _NONE
        for name, reason, usual in _CERTAINTY:
            doubt = np.full(len(begins), np.nan)
            if name in names:
                doubt = 1 - np.clip(table[:, names.index(name)], 0, 1)
            known = np.isfinite(doubt)
            middle = float(np.median(doubt[known])) if known.any() else np.nan
            found[:, PLACE[usual]] = middle
            found[:, PLACE[reason]] = np.maximum(doubt - middle, 0)
        # What begins has no link: it is no less sure for that.
        found[begins, PLACE["unsure link"]] = 0

    def _links(
        self,
        found: Values,
        here: _Frame,
        frame: int,
        earlier: _Frame | None,
        inside: Values,
    ) -> None:
        was = self._cells_at(here, here.before, earlier, frame - 1)
        linked = here.before != _NONE
        step = np.stack([here.cells.y, here.cells.x], 1) - was[:, :2]
        near = here.before == frame - 1
        usual = np.median(step[near], axis=0) if near.sum() > 2 else np.zeros(2)
        far = np.hypot(*(step - usual).T) / (2 * here.radius)
        typical = float(np.median(far[near])) if near.any() else 0.0
        unlike = np.maximum(far / (typical + STILL) / UNLIKE, 1)
        growth = np.log(here.cells.areas / was[:, 2]) * inside
        for name, values in (
            ("frames missing", np.log1p(frame - here.before - 1)),
            ("moved far", np.clip(far - USUAL, 0, 3)),
            ("moved unlike others", np.clip(np.log(unlike), 0, 3)),
            ("grows", np.clip(growth, 0, 1.5)),
            ("shrinks", np.clip(-growth, 0, 1.5)),
        ):
            found[linked, PLACE[name]] = values[linked]
        # Where only one frame of a cell has another area, its mask is wrong there.
        then = self._cells_at(here, here.after, None, _NONE)
        both = linked & (here.after != _NONE)
        onward = np.log(here.cells.areas / then[:, 2]) * inside
        alone = np.where(growth * onward > 0, np.minimum(abs(growth), abs(onward)), 0)
        found[both, PLACE["area of one frame"]] = np.minimum(alone[both], 1.5)

    def _births(
        self,
        found: Values,
        here: _Frame,
        frame: int,
        earlier: _Frame | None,
        inside: Values,
    ) -> None:
        begins = here.before == _NONE
        for row in np.flatnonzero(begins).tolist():
            track = here.tracks[row]
            if self._known_after(track.end):
                length = sum(last - first + 1 for first, last in track.intervals)
                found[row, PLACE["short track"]] = max(1 / length - 1 / LONG, 0)
            if earlier is None or self._mother(track) is not None:
                continue
            found[row, PLACE["appears inside"]] = inside[row]
            near, lost = self._beside(here, row, earlier)
            found[row, PLACE["appears near one that ended"]] = near
            found[row, PLACE["neighbour lost as much"]] = lost

    def _ends(
        self,
        found: Values,
        here: _Frame,
        frame: int,
        later: _Frame | None,
        inside: Values,
    ) -> None:
        for row in np.flatnonzero(here.after == _NONE).tolist():
            track = here.tracks[row]
            daughters = self._project.lineage.daughters_of(track.label)
            if daughters:
                self._division(found[row], here, row, daughters)
            elif later is not None:
                found[row, PLACE["vanishes inside"]] = inside[row]
                near, gained = self._beside(here, row, later)
                found[row, PLACE["vanishes near one that begins"]] = near
                found[row, PLACE["neighbour gained as much"]] = gained

    def _beside(self, here: _Frame, row: int, other: _Frame) -> tuple[float, float]:
        """Tell what lies beside a cell that is not in another frame.

        How near a track is that begins or ends there, 1 at its place and 0 out of
        reach, and which share of its area a neighbour is larger there than it is here.
        """
        cells, radius = here.cells, here.radius
        if not len(other.cells.labels):
            return 0.0, 0.0
        away = np.hypot(other.cells.y - cells.y[row], other.cells.x - cells.x[row])
        place = np.searchsorted(cells.labels, other.cells.labels)
        place = np.minimum(place, len(cells.labels) - 1)
        common = cells.labels[place] == other.cells.labels
        alone = away[~common]
        near = 1 - alone.min() / (REACH * 2 * radius[row]) if len(alone) else 0.0
        more = (other.cells.areas - cells.areas[place]) / cells.areas[row]
        close = common & (away < NEAR * (radius[row] + other.radius))
        gained = float(more[close].max()) if close.any() else 0.0
        return float(max(near, 0.0)), float(np.clip(gained, 0, 1))

    def _division(
        self, row_found: Values, here: _Frame, row: int, daughters: list[int]
    ) -> None:
        lineage, mother = self._project.lineage, here.tracks[row]
        born = np.array([self._cell(d, lineage.tracks[d].begin) for d in daughters])
        y, x, area = here.cells.y[row], here.cells.x[row], here.cells.areas[row]
        away = np.hypot(born[:, 0] - y, born[:, 1] - x)
        unlike = np.log(born[:, 2].max() / born[:, 2].min())
        size = abs(np.log(born[:, 2].sum() / area))
        sure = min(_link_score(lineage, lineage.tracks[d]) for d in daughters)
        young = mother.begin > 0 and mother.parent > 0
        row_found[PLACE["divides"]] = 1
        row_found[PLACE["daughters unlike"]] = min(unlike, 2)
        row_found[PLACE["daughters of another area"]] = min(size, 2)
        row_found[PLACE["daughters far away"]] = min(
            away.max() / (2 * here.radius[row]), 3
        )
        row_found[PLACE["unsure daughters"]] = 1 - np.clip(sure, 0, 1)
        row_found[PLACE["not two daughters"]] = len(daughters) != 2
        length = mother.end - mother.begin + 1
        row_found[PLACE["divides early"]] = 1 / length if young else 0

    def _shapes(self, found: Values, here: _Frame, frame: int) -> None:
        cells, radius = here.cells, here.radius
        size = np.log(cells.areas / np.median(cells.areas))
        found[:, PLACE["tiny"]] = np.clip(-size - 0.3, 0, 3)
        found[:, PLACE["large"]] = np.clip(size - 0.3, 0, 3)
        if len(radius) > 1:
            away = np.hypot(
                cells.y[:, None] - cells.y[None], cells.x[:, None] - cells.x[None]
            )
            away /= radius[:, None] + radius[None]
            np.fill_diagonal(away, np.inf)
            found[:, PLACE["touches"]] = np.clip(1.5 - away.min(1), 0, 1)

    def _cells_at(
        self, here: _Frame, frames: Integers, known: _Frame | None, at: int
    ) -> Values:
        """Row, column and area, (n, 3), of cells in other frames; NaN where none."""
        out = np.full((len(frames), 3), np.nan)
        for frame in np.unique(frames[frames != _NONE]).tolist():
            cells = (
                known.cells
                if known is not None and frame == at
                else self._project.centroids(frame)
            )
            rows = np.flatnonzero(frames == frame)
            place = np.searchsorted(cells.labels, here.cells.labels[rows])
            out[rows] = np.stack([cells.y, cells.x, cells.areas], 1)[place]
        return out

    def _cell(self, label: int, frame: int) -> tuple[float, float, float]:
        cells = self._project.centroids(frame)
        place = int(np.searchsorted(cells.labels, label))
        return cells.y[place], cells.x[place], cells.areas[place]

    def _mother(self, track: Track) -> Track | None:
        return self._project.lineage.tracks.get(track.parent)


def _around(track: Track, frame: int) -> tuple[int, int]:
    """Frames of the same track before and after a frame in which it has a cell."""
    spans = track.intervals
    place = next(n for n, (_, last) in enumerate(spans) if frame <= last)
    first, last = spans[place]
    before = frame - 1 if frame > first else spans[place - 1][1] if place else _NONE
    rest = place + 1 < len(spans)
    after = frame + 1 if frame < last else spans[place + 1][0] if rest else _NONE
    return before, after


def _link_score(lineage: Lineage, track: Track) -> float:
    if not track.scores or "link" not in lineage.score_names:
        return float("nan")
    place = 4 * lineage.score_names.index("link")
    return float(np.frombuffer(track.scores, np.float32, 1, place)[0])
