"""Answer requests one after the other, in a process of its own."""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property, partial
from typing import IO, Any

import numpy as np
from pydantic import ValidationError

from ..errors import SemiconvError
from ..guard import brief
from ..labels import labels_in
from ..movie import Movie
from ..safe import write_array_safely
from ..settings import SegmentSettings
from .following import follow
from .messages import (
    Cancel,
    CellSize,
    Failed,
    FollowRequest,
    FrameRequest,
    LookRequest,
    Message,
    MovieChoice,
    Outlook,
    Preview,
    Previewed,
    Ready,
    Request,
    ResegmentRequest,
    Segment,
    TeachRequest,
    Warm,
    lines_of,
    read_request,
)
from .plan import plan_run
from .resegmenter import Resegmenter
from .running import SegmentRun
from .tools import NetworkTools, Tools

# Seconds an orphan may go on to finish its frame before it ends itself.
ORPHAN_SECONDS = 5.0


class Child:
    """Answers requests one after the other.

    Parameters
    ----------
    say
        Sends one message to the window.
    make_tools
        Makes what the child computes with, when it is first needed.
    """

    def __init__(
        self,
        say: Callable[[Message], None],
        make_tools: Callable[[], Tools] = NetworkTools,
    ) -> None:
        self._say = say
        self._make_tools = make_tools
        self._models: dict[tuple[str, str], Any] = {}
        self._movies: dict[str, Movie] = {}
        self._sizes: dict[str, float] = {}
        self._outlooks: dict[str, float | None] = {}
        self._cancelled: set[int] = set()
        self._closing = False

    def answer(self, request: Request) -> None:
        """Do what is asked; an error meant for the user becomes a message."""
        try:
            if isinstance(request, Warm):
                self._warm(request)
            elif isinstance(request, Preview):
                self._preview(request)
            elif isinstance(request, Segment):
                self._segment(request)
            elif isinstance(request, FrameRequest):
                self._see_again(request)
            elif isinstance(request, TeachRequest):
                self._teach(request)
        except SemiconvError as error:
            self._say(Failed(ticket=request.ticket, message=str(error)))
        except MemoryError:
            message = (
                "The computer ran out of memory. Close other programs, or choose a "
                "larger cell size, which makes the frames smaller for the network."
            )
            self._say(Failed(ticket=request.ticket, message=message))

    def cancel(self, ticket: int) -> None:
        """Stop the request with this ticket after the frame it is working on."""
        self._cancelled.add(ticket)

    def close(self) -> None:
        """Stop every request after the frame it is working on."""
        self._closing = True

    @cached_property
    def _tools(self) -> Tools:
        return self._make_tools()

    @cached_property
    def _resegmenter(self) -> Resegmenter:
        return Resegmenter(self._tools)

    def _warm(self, request: Warm) -> None:
        tools = self._tools
        ready = Ready(
            ticket=request.ticket, models=tools.models(), devices=tools.devices()
        )
        self._say(ready)
        self._model(request.settings)

    def _preview(self, request: Preview) -> None:
        start = time.perf_counter()
        movie = self._movie(request.movie)
        model = self._model(request.settings)
        frames = range(request.frame, request.frame + 1)
        settings = self._sized(request, movie, frames)
        self._foretell(request, movie, frames, settings.cell_size)
        labels = np.zeros(movie.frame_shape, np.int32)
        for result in self._tools.run(movie, model, settings, frames):
            labels = result.labels
        write_array_safely(request.output, labels)
        self._say(
            Previewed(
                ticket=request.ticket,
                frame=request.frame,
                output=request.output,
                cells=len(labels_in(labels)),
                seconds=time.perf_counter() - start,
            )
        )

    def _segment(self, request: Segment) -> None:
        movie = self._movie(request.movie)
        model = self._model(request.settings)
        sized = partial(self._sized, request, movie)
        plan = plan_run(request, movie, model, self._tools, sized)
        if not plan.ready and plan.state is None:
            self._foretell(request, movie, plan.frames, plan.settings.cell_size)
        stops = partial(self._stops, request.ticket)
        SegmentRun(request, plan, self._tools, self._say, stops).go(movie, model)

    def _see_again(self, request: FrameRequest) -> None:
        movie = self._movie(request.movie)
        model = self._model(request.settings)
        settings = self._sized(request, movie, range(request.begin, request.frame + 1))
        stops = partial(self._stops, request.ticket)
        given = movie, model, settings, stops
        if isinstance(request, ResegmentRequest):
            self._say(self._resegmenter.answer(request, *given))
        elif isinstance(request, LookRequest):
            self._say(self._resegmenter.look(request, *given))
        elif isinstance(request, FollowRequest):
            for message in follow(request, self._tools, *given):
                self._say(message)

    def _teach(self, request: TeachRequest) -> None:
        chosen = SegmentSettings(model=request.model, device=request.settings.device)
        model = self._model(chosen)
        stops = partial(self._stops, request.ticket)
        with closing(self._tools.teach(request, model, stops)) as messages:
            for message in messages:
                self._say(message)

    def _stops(self, ticket: int) -> bool:
        return self._closing or ticket in self._cancelled

    def _movie(self, choice: MovieChoice) -> Movie:
        key = choice.model_dump_json()
        if key not in self._movies:
            # Only the last one: each may hold files open.
            self._movies = {key: choice.open()}
        return self._movies[key]

    def _model(self, settings: SegmentSettings) -> Any:
        key = (settings.model, settings.device)
        if key not in self._models:
            # One network at a time: a graphics card may not hold two.
            self._models = {key: self._tools.load(settings)}
        return self._models[key]

    def _sized(
        self, request: Preview | Segment | FrameRequest, movie: Movie, frames: range
    ) -> SegmentSettings:
        """Fill in the cell size, in px, where the user gave none."""
        settings = request.settings
        if settings.cell_size is not None or settings.network_shape is not None:
            return settings
        # What the preview showed is what the run uses.
        key = f"{request.movie.model_dump_json()} {settings.model}"
        if key not in self._sizes:
            model = self._model(settings)
            self._sizes[key] = self._tools.size(movie, model, frames)
        size = self._sizes[key]
        self._say(CellSize(ticket=request.ticket, px=size))
        return settings.model_copy(update={"cell_size": size})

    def _foretell(
        self,
        request: Preview | Segment,
        movie: Movie,
        frames: range,
        size: float | None,
    ) -> None:
        """Say how well masks will overlap the true ones, once for the same question."""
        if size is None:
            return
        chosen = f"{request.settings.model} {size} {frames}"
        key = f"{request.movie.model_dump_json()} {chosen}"
        if key not in self._outlooks:
            model = self._model(request.settings)
            self._outlooks[key] = self._tools.outlook(movie, model, size, frames)
        masks = self._outlooks[key]
        if masks is not None:
            self._say(Outlook(ticket=request.ticket, masks=masks))


def serve(source: IO[bytes], child: Child) -> None:
    """Answer requests, one a line, until the window closes the pipe."""
    requests: queue.Queue[Request | None] = queue.Queue()
    # When the window is gone, nobody else would end a frame that takes forever.
    watchdog = threading.Timer(ORPHAN_SECONDS, os._exit, [1])
    watchdog.daemon = True
    listener = threading.Thread(
        target=_listen, args=(source, requests, child, watchdog), daemon=True
    )
    listener.start()
    while (request := requests.get()) is not None:
        child.answer(request)
    watchdog.cancel()


def _listen(
    source: IO[bytes],
    requests: queue.Queue[Request | None],
    child: Child,
    watchdog: threading.Timer,
) -> None:
    try:
        for line in lines_of(source):
            request = read_request(line)
            if isinstance(request, Cancel):
                child.cancel(request.ticket)
            else:
                requests.put(request)
    except (ValidationError, OSError, ValueError) as error:
        # Half a line: the window died while it wrote. Nothing good comes after it.
        sys.stderr.write(f"no request: {brief(error)}\n")
    finally:
        watchdog.start()
        child.close()
        requests.put(None)
