"""From a movie to tracked cells, frame by frame."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInputError, BadSettingsError
from ..labels import Labels
from ..movie import Movie
from ..network.weights import Model
from ..settings import ENGINES, VOTES, SegmentSettings
from ..tracking.evidence import Evidence
from ..tracking.lineage import Lineage
from .constraints.enforce import enforce
from .constraints.maps import Maps
from .constraints.model import Constraints
from .describing import describe, enlarge, evidence_of, shrink
from .engines.protocol import Engine, build_engine, linking_engine
from .linking.linker import Linker
from .result import FrameResult
from .run_state import RunState, check_resumable
from .sizing import estimate_cell_size
from .stream.prefetch import Seen, prefetch, prefetches, see
from .stream.stream import FrameOutput, Stream


def segment_and_track(
    movie: Movie,
    model: Model,
    settings: SegmentSettings,
    frames: range | None = None,
    resume_from: RunState | None = None,
    constraints: Mapping[int, Constraints] | None = None,
) -> Generator[FrameResult]:
    """Find the cells of every frame and follow them; closing the generator stops it.

    Parameters
    ----------
    movie
        The movie.
    model
        The model, on its device.
    settings
        How to segment and track.
    frames
        Frames to do, without steps; all when None.
    resume_from
        State of an earlier run over these frames, or up to the frame before them, from
        `FrameResult.state`: the frames after it are done, as if the run had never
        stopped. None begins anew.
    constraints
        By frame, the constraints on its cells, in pixels of the movie; every engine
        holds all of it exactly.

    Yields
    ------
    FrameResult
        Each frame as it is finished, in order. Labels of earlier frames never change,
        but with the published procedures, which yield every frame a second time.

    Raises
    ------
    BadInputError
        When frames are asked for that the movie does not have, the state belongs to
        other frames, or not all constraints on a frame can hold.
    BadModelError
        When the state belongs to another model.
    BadSettingsError
        When the engine cannot go on from this state.
    UnreadableFrameError
        When a frame is damaged and unreadable frames are not to be skipped.
    """
    frames = frames_of(movie, frames)
    # What is empty now may not be later.
    constraints = {} if constraints is None else constraints
    if resume_from is not None:
        _check_engine(settings)
        check_resumable(resume_from, settings, frames, movie.frame_shape)
    if settings.engine_info.links:
        engine = linking_engine(settings, model)
        size = cell_size_for(movie, model, settings, frames)
        yield from engine.run(movie, model, settings, frames, size, constraints)
    else:
        yield from _followed(movie, model, settings, frames, resume_from, constraints)


def _check_engine(settings: SegmentSettings) -> None:
    if settings.engine_info.whole:
        others = " or ".join(name for name, e in ENGINES.items() if not e.whole)
        raise BadSettingsError(
            f"The engine '{settings.engine}' decides when it has seen all frames and "
            f"cannot go on from a state: start from the first frame, or choose the "
            f"engine {others}."
        )


def _followed(
    movie: Movie,
    model: Model,
    settings: SegmentSettings,
    frames: range,
    state: RunState | None,
    constraints: Mapping[int, Constraints],
) -> Iterator[FrameResult]:
    """Decide each frame once, for good."""
    # Checked before the first frame is computed.
    engine = build_engine(settings, model)
    if state is None:
        size = cell_size_for(movie, model, settings, frames)
    else:
        size = state.cell_size
    stream = Stream.of(model, size, settings)
    tracker = Tracker(model, engine, settings, size, constraints)
    begin = 0
    if state is not None:
        stream.restore(state.stream)
        tracker.restore(state)
        begin = state.frame + 1 - frames.start
    steps = see(movie, stream, frames[begin:], skip_unreadable=settings.skip_unreadable)
    if prefetches(model.device):
        steps = prefetch(steps)
    with closing(steps):
        for done, seen in enumerate(steps, begin + 1):
            labels = np.zeros(movie.frame_shape, np.int32)
            evidence = Evidence.none(model.info.network.embedding_size)
            if seen.output is not None:
                labels, evidence = tracker.push(
                    seen.frame, movie.frame_shape, seen.output
                )
            yield FrameResult(
                seen.frame,
                done,
                len(frames),
                labels,
                tracker.lineage,
                size,
                seen.unreadable,
                state=partial(tracker.snapshot, seen, movie.frame_shape),
                evidence=evidence,
                note=f"Frame {seen.frame}: {seen.note}" if seen.note else "",
            )


def cell_size_for(
    movie: Movie, model: Model, settings: SegmentSettings, frames: range
) -> float:
    """Diameter of a usual cell, px: as given, as resizing implies, or estimated."""
    if settings.network_shape is not None:
        shrinking = np.divide(movie.frame_shape, settings.network_shape)
        return float(model.info.cell_size * np.sqrt(shrinking.prod()))
    return settings.cell_size or estimate_cell_size(movie, model, frames)


def frames_of(movie: Movie, frames: range | None) -> range:
    """Check the frames that are asked for; all of them when None.

    Raises
    ------
    BadInputError
        When the movie has no such frames.
    """
    if frames is None:
        return range(len(movie))
    if (
        not len(frames)
        or frames.start < 0
        or frames.stop > len(movie)
        or frames.step != 1
    ):
        raise BadInputError(
            f"{movie.name}: expected frames within 0:{len(movie)}, found "
            f"{frames.start}:{frames.stop}. Choose a range of existing frames."
        )
    return frames


class Tracker:
    """Engine and linker of one movie, fed with the output of the network.

    Parameters
    ----------
    model
        The model.
    engine
        Turns network output into cells.
    settings
        How to segment and track.
    cell_size
        Diameter of a usual cell in the movie, px.
    constraints
        By frame, the constraints on its cells.
    """

    def __init__(
        self,
        model: Model,
        engine: Engine,
        settings: SegmentSettings,
        cell_size: float,
        constraints: Mapping[int, Constraints] | None = None,
    ) -> None:
        self._engine, self._name = engine, settings.engine
        self._cell_size = cell_size
        self._votes = VOTES.own(settings)
        self._constraints = {} if constraints is None else constraints
        self._linker = Linker(settings.link, model.info.cell_size)
        self._recent: list[FrameOutput] = []

    @property
    def lineage(self) -> Lineage:
        """All tracks so far."""
        return self._linker.lineage

    def snapshot(self, seen: Seen, frame_shape: tuple[int, ...]) -> RunState:
        """Note all that is remembered after a frame, to go on from there later.

        Parameters
        ----------
        seen
            The last frame that was done, also when it was skipped.
        frame_shape
            Height and width of the movie's frames, px.
        """
        # The window slides: its oldest frame is not looked at again.
        kept = self._recent[-(self._engine.window - 1) :]
        return RunState(
            frame=seen.frame,
            frame_shape=tuple(frame_shape),
            cell_size=self._cell_size,
            engine=self._name,
            stream=seen.state,
            outputs=tuple(kept) if self._engine.window > 1 else (),
            link=self._linker.snapshot(),
        )

    def restore(self, state: RunState) -> None:
        """Go on as after the frame that ``state`` was noted at."""
        self._recent = list(state.outputs)
        self._linker.restore(state.link)

    def push(
        self, frame: int, shape: tuple[int, int], output: FrameOutput
    ) -> tuple[Labels, Evidence]:
        """Find and follow the cells of the next frame.

        Parameters
        ----------
        frame
            Index of the frame.
        shape
            Its height and width, px.
        output
            What the network predicts for it.

        Returns
        -------
        tuple
            Track labels, (Y, X), and what the network predicts for the cells.
        """
        self._recent = [*self._recent, output][-self._engine.window :]
        *earlier, (found, scored) = self._engine.cluster(self._recent)
        before = [labels for labels, _ in earlier]
        full = enlarge(found, output.foreground - self._engine.foreground, shape)
        found = _only(found, np.unique(full))
        if frame in self._constraints:
            maps = Maps.of(output, (full.shape[0], full.shape[1]), self._votes)
            held = enforce(full, self._constraints[frame], maps)
            if held is not full:
                # Of cells that only arise now the frames before know nothing.
                full, before, scored = held, [], None
                found = shrink(full, output.shape)
        cells, numbers = describe(found, output)
        shared = _renumber(before[0], numbers) if before else None
        tracks = self._linker.link(frame, cells, shared)
        lookup = np.zeros(int(found.max(initial=0)) + 1, np.int32)
        lookup[numbers] = tracks
        sure = None if scored is None else (numbers, scored)
        evidence = evidence_of(
            cells, tracks, full.shape, self._linker.joint_match, sure
        )
        return lookup[full], evidence


def _only(labels: Labels, kept: NDArray[np.int32]) -> Labels:
    lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    lookup[kept] = kept
    return lookup[labels]


def _renumber(labels: Labels, numbers: NDArray[np.int64]) -> Labels:
    lookup = np.zeros(
        int(max(labels.max(initial=0), numbers.max(initial=0))) + 1, np.int32
    )
    lookup[numbers] = np.arange(1, len(numbers) + 1)
    return lookup[labels]
