"""The suspects of a project, kept up to date edit by edit."""

from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from ...edits.base import Edit, Group
from ...edits.change import Touched
from ...edits.confirming import Confirm
from ...tracking.intervals import until
from ...tracking.lineage import Track
from ..project import Project
from .confirmed import confirmed_stretches, undoubted
from .left_out import LeftOut, LeftOuts
from .looked import Answer, How, Looked
from .measure import Measure, Places
from .queue import Queue, Rows, gathered
from .reasons import KINDS, OF_LINK, REASONS, Kind
from .suspect import Suspect
from .weights import Weights, fitted

Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class Suspects:
    """Finds the suspects of a project, and keeps them up to date.

    First `steps` measures all frames; then `update` measures again what an edit
    touched. One thread does so and reads ``queue``, while others edit and `mark`.

    Parameters
    ----------
    project
        The project.
    weights
        How much each reason says; those that come with the program when None.
    """

    def __init__(self, project: Project, weights: Weights | None = None) -> None:
        self._project = project
        self.weights = weights or fitted()
        self._measure = Measure(project)
        self._left_outs = LeftOuts(project)
        self._looked = Looked(project.history, writable=not project.read_only)
        self._listed: dict[int, Places] = {}
        # Tracks as they were when their frames were measured.
        self._tracks: dict[int, Track] = {}
        # What the user answers while it is ranked counts the next time.
        self._version = 0
        self._ranked_at: tuple[int, Queue] | None = None

    def steps(self) -> Generator[tuple[int, int], None, None]:
        """Measure all frames, yielding those done and those to do."""
        frames = self._project.document.shape[0]
        with self._project.document.guard:
            self._tracks = dict(self._project.lineage.tracks)
        for frame in range(frames):
            self._list(frame)
            yield frame + 1, frames
        self._version += 1

    def update(self, touched: Touched) -> None:
        """Measure again what an edit touched."""
        with self._project.document.guard:
            frames = self._dirty(touched)
            known = self._project.lineage.tracks
            for label in touched.labels:
                self._tracks.pop(label, None)
                if label in known:
                    self._tracks[label] = known[label]
        for frame in sorted(frames):
            self._list(frame)
        self._version += 1

    @property
    def queue(self) -> Queue:
        """The suspects as they were measured last, ranked."""
        found, version = self._ranked_at, self._version
        if found is None or found[0] != version:
            found = self._ranked_at = version, self._ranked()
        return found[1]

    def mark(self, suspect: Suspect, how: How) -> None:
        """Note that the user looked at a suspect.

        Raises
        ------
        SaveError
            When it could not be written.
        """
        answer = Answer(how, suspect.kind, round(suspect.chance, 4))
        self._looked.note(suspect.key, answer)
        self._version += 1

    def confirming(self, suspect: Suspect) -> Edit | None:
        """Give the edit that confirms what a suspect is about; None for what is hidden.

        A doubt about a cell confirms the cell, one about its links the link too.
        """
        if suspect.kind == "left out":
            return None
        label, frame = suspect.labels[0], suspect.frame
        track = self._project.lineage.tracks[label]
        if not OF_LINK[KINDS.index(suspect.kind)]:
            return Confirm(label, frame, suspect.last)
        end = self._project.document.shape[0] - 1
        first = frame - 1 if suspect.before is None else suspect.before
        last = min(frame + 1, end) if frame == track.end else frame
        parts: list[Edit] = [Confirm(label, max(first, 0), last)]
        for daughter in suspect.labels[1:]:
            begin = self._project.lineage.tracks[daughter].begin
            parts.append(Confirm(daughter, frame, begin))
        return Group(tuple(parts), "confirm division") if parts[1:] else parts[0]

    def _list(self, frame: int) -> None:
        places = self._measure.places(frame)
        self._listed[frame] = places.take(self.weights.listed(places.reasons))

    def _dirty(self, touched: Touched) -> set[int]:
        """Frames whose cells look different beside what was touched."""
        lineage, last = self._project.lineage, self._project.document.shape[0] - 1
        near = set(touched.frames)
        for label in touched.labels:
            near |= self._changed(self._tracks.get(label), lineage.tracks.get(label))
        for frame in touched.frames:
            for label in lineage.cells(frame):
                track = lineage.tracks[label]
                # What lies beyond a gap, and a mother whose daughters begin late.
                if len(track.intervals) > 1 or track.begin == frame:
                    near |= self._beyond(track, frame)
        around = {t + d for t in near for d in (-1, 0, 1)}
        return {t for t in around if 0 <= t <= last}

    def _changed(self, before: Track | None, after: Track | None) -> set[int]:
        """Frames in which a track looks different, besides those of other pixels."""
        if before is None or after is None or not _same_course(before, after):
            return self._edges(before) | self._edges(after)
        if before.scores == after.scores:
            return set()
        names = len(self._project.lineage.score_names)
        found = _unlike_scores(before, after, names)
        # How sure a link to a mother is counts where she divides.
        return found | self._edges(after) if after.begin in found else found

    def _edges(self, track: Track | None) -> set[int]:
        """Frames in which a track begins, ends, has gaps, divides and was born."""
        if track is None:
            return set()
        lineage = self._project.lineage
        found = {t for interval in track.intervals for t in interval}
        mother = lineage.tracks.get(track.parent)
        if mother is not None:
            found.add(mother.end)
        before = self._tracks.get(track.parent)
        if before is not None:
            found.add(before.end)
        found |= {lineage.tracks[d].begin for d in lineage.daughters_of(track.label)}
        return found

    def _beyond(self, track: Track, frame: int) -> set[int]:
        found = set()
        for first, last in track.intervals:
            if frame in (first, last):
                found |= self._edges(track)
        return found

    def _ranked(self) -> Queue:
        # The document is not guarded: the window reads it meanwhile.
        left_out = self._left_outs.now()
        rows = _with_left_out(gathered(self._rows()), left_out, self.weights.left_out)
        codes = rows.code
        order = np.argsort(codes)
        looked = np.zeros(len(codes), bool)
        gone, expected = 0, float(rows.chance.sum())
        for (frame, number), answer in list(self._looked.answers.items()):
            code = frame << 32 | number
            place = int(np.searchsorted(codes, code, sorter=order))
            row = int(order[place]) if place < len(order) else -1
            there = row >= 0 and codes[row] == code
            kind = _name(int(rows.kind[row])) if there else None
            chance = float(rows.chance[row]) if there else 0.0
            track = self._tracks.get(number)
            sure = track is not None and track.is_confirmed(frame)
            if not answer.holds(kind, chance, confirmed=sure):
                continue
            if there:
                looked[row] = True
            else:
                gone += 1
                expected += answer.chance
        weights = self.weights
        open_ = float(rows.chance[~looked].sum())
        left = weights.errors * (open_ + weights.unlisted * expected)
        return Queue(rows, looked, gone, left, self._describe)

    def _rows(self) -> Rows:
        """All places as suspects, one for each frame."""
        listed = sorted(self._listed.items())
        frame = np.repeat(
            np.array([t for t, _ in listed], np.int64),
            [len(places.labels) for _, places in listed],
        )
        places = _joined([places for _, places in listed])
        daughters: dict[int, list[int]] = {}
        for track in self._tracks.values():
            if track.parent:
                daughters.setdefault(track.parent, []).append(track.label)
        later, there = self._later(places.labels, frame, daughters)
        frame, places, later = frame[there], places.take(there), later[there]
        label = places.labels
        history, frames = self._project.history, self._project.document.shape[0]
        reasons = undoubted(
            places,
            frame,
            self._tracks,
            daughters,
            lambda: confirmed_stretches(history, frames),
        )
        chance = self.weights.chances(self.weights.added(reasons)).astype(np.float64)
        doubts = self.weights.doubts(reasons)
        kind = doubts.argmax(1)
        later = np.where(OF_LINK[kind], later, 0)
        return Rows(frame, frame, label, kind, chance, later).take(
            self.weights.listed(reasons)
        )

    def _later(
        self, label: Integers, frame: Integers, daughters: dict[int, list[int]]
    ) -> tuple[Integers, Booleans]:
        """Cells that come after each in its track and its daughters; whether it is."""
        tracks = self._tracks
        unique, inverse = np.unique(label, return_inverse=True)
        ends, born = [], []
        for one in unique.tolist():
            ends.append(tracks[one].end if one in tracks else -1)
            lives = (tracks[d] for d in daughters.get(one, ()))
            born.append(sum(t.end - t.begin + 1 for t in lives))
        end, more = np.array([ends, born], np.int64).reshape(2, -1)[:, inverse]
        return np.maximum(end - frame, 0) + more, end >= frame

    def _describe(self, row: Rows, looked_at: bool) -> Suspect:
        """Say all of one suspect."""
        frame, number, kind = int(row.frame[0]), int(row.number[0]), int(row.kind[0])
        document = self._project.document
        labels: tuple[int, ...] = ()
        before = None
        with document.guard:
            cells = document.centroids(frame)
            if kind < len(KINDS):
                labels = (number, *self._daughters(kind, number))
                before = self._before(number, frame)
            else:
                cells = document.known_centroids[frame]
            # An edit may have taken it away meanwhile: then it has no place.
            y, x = cells.of_cell(number) or (float("nan"), float("nan"))
        return Suspect(
            _name(kind),
            frame,
            int(row.last[0]),
            labels,
            y,
            x,
            float(row.chance[0]),
            float(row.cost[0]),
            looked_at,
            before,
            number,
        )

    def _daughters(self, kind: int, label: int) -> list[int]:
        divides = KINDS[kind] == "division"
        return self._project.lineage.daughters_of(label) if divides else []

    def _before(self, label: int, frame: int) -> int | None:
        track = self._project.lineage.tracks.get(label)
        earlier = [] if track is None else until(track.intervals, frame)
        return earlier[-1][1] if earlier else None


def _same_course(before: Track, after: Track) -> bool:
    return (before.intervals, before.parent) == (after.intervals, after.parent)


def _unlike_scores(before: Track, after: Track, names: int) -> set[int]:
    """Frames of a track whose scores changed."""
    if len(before.scores) != len(after.scores):
        return set(after.frames)
    one, other = (
        np.frombuffer(track.scores, np.int32).reshape(-1, names)
        for track in (before, after)
    )
    return set((np.flatnonzero((one != other).any(1)) + after.begin).tolist())


def _name(kind: int) -> Kind:
    return KINDS[kind] if kind < len(KINDS) else "left out"


def _joined(parts: list[Places]) -> Places:
    none = np.zeros(0, np.int64)
    return Places(
        np.concatenate([none, *(p.labels for p in parts)]),
        np.concatenate([none, *(p.before for p in parts)]),
        np.concatenate(
            [np.zeros((0, len(REASONS)), np.float32), *(p.reasons for p in parts)]
        ),
    )


def _with_left_out(rows: Rows, found: list[LeftOut], chance: float) -> Rows:
    """Add what the solver left out."""
    frame = np.array([one.frame for one in found], np.int64)
    number = np.array([one.number for one in found], np.int64)
    many = len(found)
    return Rows(
        np.append(rows.frame, frame),
        np.append(rows.last, frame),
        np.append(rows.number, number),
        np.append(rows.kind, np.full(many, len(KINDS))),
        np.append(rows.chance, np.full(many, chance)),
        np.append(rows.later, np.zeros(many, np.int64)),
    )
