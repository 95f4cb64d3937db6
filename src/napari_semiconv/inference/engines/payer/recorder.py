"""Keeps the linked frames of a published procedure until the tracks are decided."""

from collections.abc import Mapping

import numpy as np

from ....labels import Labels
from ....settings import PAYER_2018, PAYER_2019, SegmentSettings
from ....tracking.lineage import Lineage
from ...constraints.enforce import enforce
from ...constraints.maps import Maps
from ...constraints.model import Constraints
from ...describing import shrink
from .chain import Shelf
from .history import (
    FinalTracks,
    Spans,
    cut_parents,
    drop_broken,
    drop_short,
    find_parents,
    repair_splits,
    without_border,
)
from .smooth import enlarge_smoothly


class Recorder:
    """Tracks of the frames seen so far, as linked, and how they end.

    Parameters
    ----------
    settings
        How to segment and track.
    maps
        Size of the movie's frames and of its cells.
    constraints
        By frame, the constraints on its cells.
    """

    def __init__(
        self,
        settings: SegmentSettings,
        maps: Maps,
        constraints: Mapping[int, Constraints],
    ) -> None:
        self.lineage = Lineage()
        self._settings, self._own = settings, PAYER_2018.own(settings)
        self._maps, self._constraints = maps, constraints
        self._shape = maps.shape
        self._frames: list[int] = []
        self._constrained: list[tuple[int, int]] = []
        self._shelf = Shelf()
        self._spans: Spans = {}
        self._names: dict[int, int] = {}
        self._count = 0
        self._lost: list[tuple[int, int]] = []

    def add(self, frame: int, labels: Labels) -> Labels:
        """Note the linked labels, (Y, X), of the next frame; give them enlarged."""
        place = len(self._shelf)
        kept = self._renamed(without_border(labels, self._border(labels.shape)))
        self._shelf.add(kept)
        self._frames.append(frame)
        large = self._held(frame, self._enlarged(kept))
        self._note_constrained(frame, place, large)
        left = set(np.unique(large).tolist())
        for label in self._names.values():
            begin, _ = self._spans.get(label, (place, place))
            self._spans[label] = begin, place
            if label in left:
                self.lineage.observe(frame, label)
            else:
                self._lost.append((place, label))
        for label in sorted(left - {0} - {*self._names.values()}):
            self.lineage.observe(frame, label)
        return large

    def enforced(self, labels: Labels, frame: int, maps: Maps, highest: int) -> Labels:
        """Make clustered cells hold the constraints of a frame.

        Parameters
        ----------
        labels
            At the resolution of the network, (Y, X).
        frame
            Index of the frame.
        maps
            What the network predicts.
        highest
            Above which new cells are numbered.
        """
        large = self._enlarged(labels)
        held = enforce(large, self._constraints[frame], maps)
        if held is large:
            return labels
        small = shrink(held, (labels.shape[0], labels.shape[1]))
        new = np.setdiff1d(small, large)
        return np.where(np.isin(small, new), small + highest, small).astype(np.int32)

    def end(self) -> FinalTracks:
        """Decide what becomes of the tracks (5.1.8, 5.2.7, 5.2.8)."""
        settings, shelf = self._own, self._shelf
        tracks = FinalTracks(self._spans, find_parents(shelf, self._spans, settings))
        if self._settings.engine == PAYER_2019.name:
            repair_splits(shelf, tracks)
        cut_parents(tracks)
        drop_short(tracks, min(settings.shortest_track, len(shelf)))
        drop_broken(tracks, self._lost)
        self._keep_constrained(tracks)
        self._count = max([self._count, *tracks.spans, *tracks.merged])
        return tracks

    def painted(self, tracks: FinalTracks, place: int) -> Labels:
        """Labels, (Y, X), of a frame as they stay."""
        large = self._enlarged(tracks.paint(place, self._shelf[place]))
        return self._held(self._frames[place], large)

    def _held(self, frame: int, labels: Labels) -> Labels:
        """Make cells of the movie's resolution hold the constraints, (Y, X)."""
        if frame not in self._constraints:
            return labels
        held = enforce(labels, self._constraints[frame], self._maps)
        new = np.setdiff1d(held, labels)
        new = new[new > 0]
        # A number of its own: the next one of the frame may be a track elsewhere.
        lookup = np.arange(int(held.max(initial=0)) + 1, dtype=np.int32)
        lookup[new] = self._count + 1 + np.arange(len(new))
        self._count += len(new)
        return lookup[held]

    def _note_constrained(self, frame: int, place: int, labels: Labels) -> None:
        """Note the cells that constraints are about, which the end must not drop."""
        if frame not in self._constraints:
            return
        constraints = self._constraints[frame]
        places = [claim.pixels for claim in constraints.claims]
        places += [np.argwhere(count.mask) for count in constraints.counts]
        for pixels in places:
            cells = np.unique(labels[tuple(pixels.T)])
            self._constrained += [(place, n) for n in cells[cells > 0].tolist()]

    def _keep_constrained(self, tracks: FinalTracks) -> None:
        dropped, tracks.dropped = tracks.dropped, set()
        named = {tracks.name(place, label) for place, label in self._constrained}
        tracks.dropped = dropped - named

    def _renamed(self, labels: Labels) -> Labels:
        """Give a cell that comes back from the border a new label, as published."""
        present = np.unique(labels[labels > 0])
        names = {}
        for label in present.tolist():
            if label not in self._names:
                self._count += 1
            names[label] = self._names.get(label, self._count)
        self._names = names
        lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
        lookup[present] = [*names.values()]
        return lookup[labels]

    def _enlarged(self, labels: Labels) -> Labels:
        return enlarge_smoothly(labels, self._shape, self._own.smoothing)

    def _border(self, shape: tuple[int, ...]) -> tuple[int, int]:
        settings = self._own
        border = settings.border_y, settings.border_x
        if self._settings.engine == PAYER_2018.name:
            return border
        y, x = (
            round(b * n / m) for b, n, m in zip(border, shape, self._shape, strict=True)
        )
        return y, x
