"""The published procedures whole: clustering, linking and the end (Payer 2018, 2019).

Parents, short tracks and false splits are decided when all frames are seen, and that
relabels frames that were done. So each frame is yielded twice: at once, to be
looked at, and in the end as it stays. Writers that cannot take a frame back write the
second one alone. Between the two only packed labels at the network's size are kept.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from ....errors import UnreadableFrameError
from ....labels import Labels
from ....movie import Movie
from ....network.weights import Model
from ....settings import PAYER_2018, PAYER_2019, VOTES, SegmentSettings
from ....tracking.lineage import Lineage
from ...constraints.maps import Maps
from ...constraints.model import Constraints
from ...result import FrameResult
from ...stream.stream import Stream
from .chain import Chain, best_pairs
from .feeds import Feed, Outputs, PairFeed, WindowFeed
from .recorder import Recorder
from .stacks import Clusterer2018, Clusterer2019, Stack, StackClusterer


def run(
    movie: Movie,
    model: Model,
    settings: SegmentSettings,
    frames: range,
    cell_size: float,
    constraints: Mapping[int, Constraints],
) -> Iterator[FrameResult]:
    """Run the procedure that the engine's name says; see `engines.protocol`."""
    run_ = Published(movie, model, settings, frames, cell_size, constraints)
    yield from run_.results()


class Published:
    """A run of one of the published procedures over some frames of a movie.

    Parameters
    ----------
    movie
        The movie.
    model
        The model, on its device.
    settings
        How to segment and track; the engine names the procedure.
    frames
        Frames to do.
    cell_size
        Diameter of a usual cell, px.
    constraints
        By frame, the constraints on its cells.
    """

    def __init__(
        self,
        movie: Movie,
        model: Model,
        settings: SegmentSettings,
        frames: range,
        cell_size: float,
        constraints: Mapping[int, Constraints] | None = None,
    ) -> None:
        self._movie, self._frames, self._settings = movie, frames, settings
        self._cell_size = cell_size
        self._feed: Feed
        self._clusterer: StackClusterer
        if settings.engine == PAYER_2018.name:
            self._stream = Stream.of(model, cell_size, settings)
            self._feed = PairFeed(self._stream)
            self._clusterer = Clusterer2018(PAYER_2018.own(settings))
        else:
            self._stream = Stream.of(model, cell_size, settings, memory_span=0)
            self._feed = WindowFeed(self._stream)
            self._clusterer = Clusterer2019(PAYER_2019.own(settings))
        self._chain = Chain()
        self._constraints = constraints or {}
        bare = Maps(movie.frame_shape, cell_size)
        self._recorder = Recorder(settings, bare, self._constraints)
        self._readable: list[int] = []
        self._linked_frames = 0
        self._unreadable: dict[int, str] = {}
        self._waiting: deque[int] = deque()
        self._done = 0

    def results(self) -> Iterator[FrameResult]:
        """Yield each frame as it is linked, then each frame as it stays."""
        for frame in self._frames:
            self._waiting.append(frame)
            yield from self._linked(self._stacks(frame))
        yield from self._linked(self._feed.finish())
        yield from self._final()

    def _stacks(self, frame: int) -> list[Outputs]:
        try:
            image = self._movie.frame(frame)
        except UnreadableFrameError as error:
            if not self._settings.skip_unreadable:
                raise
            self._unreadable[frame] = str(error)
            return []
        self._readable.append(frame)
        return self._feed.push(image)

    def _linked(self, stacks: Sequence[Outputs]) -> Iterator[FrameResult]:
        for stack in stacks:
            found = self._enforced(stack, self._clusterer.cluster(stack))
            for labels in self._chain.push(found):
                self._linked_frames += 1
                yield from self._skipped()
                yield self._draft(self._waiting.popleft(), labels)
        yield from self._skipped()

    def _enforced(self, outputs: Outputs, stack: Stack) -> Stack:
        """Make the frames of a stack hold their constraints, so that links do too."""
        first = max(0, self._linked_frames - 1)
        frames = self._readable[first : first + len(stack)]
        if self._constraints.keys().isdisjoint(frames):
            return stack
        stack, top = stack.copy(), int(stack.max())
        for place, (frame, output) in enumerate(zip(frames, outputs, strict=True)):
            if frame in self._constraints:
                maps = Maps.of(
                    output, self._movie.frame_shape, VOTES.own(self._settings)
                )
                stack[place] = self._recorder.enforced(
                    stack[place], frame, maps, int(stack.max())
                )
        for one, other in pairwise(stack):
            _number_alike(one, other, top)
        return stack

    def _skipped(self) -> Iterator[FrameResult]:
        """Yield frames that nothing is waited for, since they cannot be read."""
        while self._waiting and self._waiting[0] in self._unreadable:
            yield self._draft(self._waiting.popleft(), None)

    def _draft(self, frame: int, labels: Labels | None) -> FrameResult:
        self._done += 1
        shown = self._nothing() if labels is None else self._recorder.add(frame, labels)
        found = self._result(frame, self._done, shown, self._recorder.lineage)
        return replace(found, note=self._stream.take_note())

    def _final(self) -> Iterator[FrameResult]:
        tracks, lineage = self._recorder.end(), Lineage()
        place = 0
        for done, frame in enumerate(self._frames, 1):
            labels = self._nothing()
            if frame not in self._unreadable:
                labels = self._recorder.painted(tracks, place)
                place += 1
            for label in np.unique(labels[labels > 0]).tolist():
                parent = tracks.parent(label)
                # A parent whose pixels were all too few to be enlarged is no track.
                known = parent if parent in lineage.tracks else 0
                lineage.observe(frame, label, known)
            yield replace(self._result(frame, done, labels, lineage), final=True)

    def _nothing(self) -> Labels:
        return np.zeros(self._movie.frame_shape, np.int32)

    def _result(
        self, frame: int, done: int, labels: Labels, lineage: Lineage
    ) -> FrameResult:
        return FrameResult(
            frame,
            done,
            len(self._frames),
            labels,
            lineage,
            self._cell_size,
            self._unreadable.get(frame),
            final=False,
        )


def _number_alike(one: Labels, other: Labels, top: int) -> None:
    """Let cells of two successive frames above a number share it; ``other`` changes."""
    left = np.where(np.isin(one, other), 0, one)
    right = np.where(np.isin(other, one), 0, other)
    for old, new in zip(*best_pairs(left, right), strict=True):
        if max(old, new) > top:
            other[right == new] = old
