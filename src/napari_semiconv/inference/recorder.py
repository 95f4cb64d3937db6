"""Keeps the linked frames of a published procedure until their end is settled."""

import numpy as np

from ..settings import SegmentSettings
from ..tracking.lineage import Lineage
from .cells import LabelImage
from .chain import Shelf
from .smooth import enlarge_smoothly
from .story import (
    Spans,
    Story,
    cut_parents,
    drop_broken,
    drop_short,
    find_parents,
    repair_splits,
    without_border,
)


class Recorder:
    """Tracks of the frames seen so far, as linked, and how they end.

    Parameters
    ----------
    settings
        How to segment and track.
    shape
        Height and width of the movie's frames, px.
    """

    def __init__(self, settings: SegmentSettings, shape: tuple[int, int]) -> None:
        self.lineage = Lineage()
        self._settings = settings
        self._shape = shape
        self._shelf = Shelf()
        self._spans: Spans = {}
        self._names: dict[int, int] = {}
        self._count = 0
        self._lost: list[tuple[int, int]] = []

    def add(self, frame: int, labels: LabelImage) -> LabelImage:
        """Note the linked labels, (Y, X), of the next frame; give them enlarged."""
        place = len(self._shelf)
        kept = self._renamed(without_border(labels, self._border(labels.shape)))
        self._shelf.add(kept)
        large = self._enlarged(kept)
        left = set(np.unique(large).tolist())
        for label in self._names.values():
            begin, _ = self._spans.get(label, (place, place))
            self._spans[label] = begin, place
            if label in left:
                self.lineage.observe(frame, label)
            else:
                self._lost.append((place, label))
        return large

    def end(self) -> Story:
        """Settle what becomes of the tracks (5.1.8, 5.2.7, 5.2.8)."""
        settings, shelf = self._settings.payer, self._shelf
        story = Story(self._spans, find_parents(shelf, self._spans, settings))
        if self._settings.engine == "payer2019":
            repair_splits(shelf, story)
        cut_parents(story)
        drop_short(story, min(settings.shortest_track, len(shelf)))
        drop_broken(story, self._lost)
        return story

    def painted(self, story: Story, place: int) -> LabelImage:
        """Labels, (Y, X), of a frame as they stay."""
        return self._enlarged(story.paint(place, self._shelf[place]))

    def _renamed(self, labels: LabelImage) -> LabelImage:
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

    def _enlarged(self, labels: LabelImage) -> LabelImage:
        return enlarge_smoothly(labels, self._shape, self._settings.payer.smoothing)

    def _border(self, shape: tuple[int, ...]) -> tuple[int, int]:
        settings = self._settings.payer
        border = settings.border_y, settings.border_x
        if self._settings.engine == "payer2018":
            return border
        y, x = (
            round(b * n / m) for b, n, m in zip(border, shape, self._shape, strict=True)
        )
        return y, x
