"""Resegment frames around corrections: in the child, which keeps the network's maps."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BadInputError, BadModelError
from ..inference.constraints.model import Constraints
from ..labels import Labels
from ..movie import Movie
from ..project.constraints import read_constraints
from ..project.runs.states import RunStates
from ..safe import saving, write_array_safely
from ..settings import AFTER_NETWORK, SegmentSettings
from .messages import (
    FrameRequest,
    LookDone,
    LookRequest,
    Resegmented,
    ResegmentRequest,
)
from .tools import Tools


class _CancelledError(Exception):
    """The request is not wanted any more."""


class Resegmenter:
    """Segments frames again; what the network predicted for the last ones is at hand.

    Parameters
    ----------
    tools
        What to compute with.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    @cached_property
    def _cache(self) -> Any:
        return self._tools.cache()

    def answer(
        self,
        request: ResegmentRequest,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        stops: Callable[[], bool],
    ) -> Resegmented:
        """Do what is asked; the labels of the window that changes are written.

        Parameters
        ----------
        request
            What was asked.
        movie, model
            Those that it names.
        settings
            Those of the request, with a cell size.
        stops
            Whether to stop; asked before each frame that the network sees.

        Raises
        ------
        SemiconvError
            When the frame cannot be seen again, or not all constraints can hold.
        """
        start = time.perf_counter()
        labels, known = (
            labels_in(request.labels),
            read_constraints(request.constraints),
        )
        constraints = known.get(request.frame, Constraints(movie.frame_shape))
        # Before the network takes its time.
        constraints.check()
        try:
            output, fresh = self._output(request, movie, model, settings, stops)
        except _CancelledError:
            return self._answered(request, start, cancelled=True)
        (rows, columns), found = self._tools.resegment(
            output, labels, constraints, settings, request.seed
        )
        write_array_safely(request.output, found)
        box = (rows.start, columns.start, *found.shape)
        return self._answered(request, start, box=box, at_hand=not fresh)

    def look(
        self,
        request: LookRequest,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        stops: Callable[[], bool],
    ) -> LookDone:
        """Have the maps of a frame at hand, and write them where that is asked.

        Parameters
        ----------
        request, movie, model, settings, stops
            As in `answer`.

        Raises
        ------
        SemiconvError
            When the frame cannot be seen again, or nothing can be written.
        """
        start, cancelled = time.perf_counter(), False
        try:
            output, _ = self._output(request, movie, model, settings, stops)
            if request.output is not None:
                shape = movie.frame_shape
                pictures: dict[str, Any] = self._tools.pictures(output, shape, settings)
                with saving(request.output):
                    np.savez(request.output, **pictures)
        except _CancelledError:
            cancelled = True
        return LookDone(
            ticket=request.ticket,
            frame=request.frame,
            seconds=time.perf_counter() - start,
            cancelled=cancelled,
        )

    def _output(
        self,
        request: FrameRequest,
        movie: Movie,
        model: Any,
        settings: SegmentSettings,
        stops: Callable[[], bool],
    ) -> tuple[Any, bool]:
        """Give the network's maps of the frame, and whether it had to see it."""
        frames = range(request.begin, request.frame + 1)
        if not len(frames) or frames.start < 0 or frames.stop > len(movie):
            raise BadInputError(
                f"{movie.name}: expected a frame within {frames.start}:{len(movie)}, "
                f"found {request.frame}. Choose a frame of the run."
            )
        made: list[Any] = []

        def make() -> Any:
            state = self._state(request.run, frames, settings.memory_span)
            seen = self._tools.replay(movie, model, settings, frames, state)
            while not stops():
                output = next(seen, None)
                if output is None:
                    return made[-1]
                made[:] = [output]
            raise _CancelledError

        exact = settings.model_dump_json(exclude={*AFTER_NETWORK})
        digest = self._tools.facts(model)["sha256"]
        key = (request.movie.model_dump_json(), exact, digest, frames)
        return self._cache.get(key, make), bool(made)

    def _state(self, run: Path | None, frames: range, span: int) -> Any:
        """Find the last saved state that shortens the way to the last frame."""
        if run is None:
            return None
        # With a span the memory began anew since: earlier states are of no use.
        lowest = max(frames.start, frames[-1] - span) if span else frames.start
        for frame, path in RunStates(run).all().items():
            if lowest <= frame < frames[-1]:
                # Without a damaged one the way is longer, and leads to the same.
                with suppress(BadModelError):
                    return self._tools.load_state(path)
        return None

    def _answered(
        self, request: ResegmentRequest, start: float, **facts: Any
    ) -> Resegmented:
        return Resegmented(
            ticket=request.ticket,
            frame=request.frame,
            output=request.output,
            seconds=time.perf_counter() - start,
            **facts,
        )


def labels_in(path: Path) -> Labels:
    """Read the cells, (Y, X), that a request names.

    Raises
    ------
    BadInputError
        When the file is missing or damaged.
    """
    try:
        labels: Labels = np.load(path)
    except (OSError, ValueError, EOFError) as error:
        raise BadInputError(
            f"{path}: expected the cells of a frame, found nothing that can be read "
            f"({type(error).__name__}). Try it again."
        ) from error
    return labels
