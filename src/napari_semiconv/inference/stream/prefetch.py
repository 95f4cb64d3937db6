"""The network run over a movie, if wanted one frame ahead of those who wait for it."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import torch

from ...errors import UnreadableFrameError
from ...movie import Movie
from .state import StreamState
from .stream import FrameOutput, Stream

Step = TypeVar("Step")


@dataclass(frozen=True)
class Seen:
    """A frame that the network has seen, or that could not be read.

    Parameters
    ----------
    frame
        Index of the frame.
    output
        What the network predicts for it; None when it could not be read.
    state
        What the network remembers after this frame, whatever it has seen since.
    note
        What the user should know of how it was computed; may be empty.
    unreadable
        Why it could not be read.
    """

    frame: int
    output: FrameOutput | None
    state: StreamState
    note: str = ""
    unreadable: str | None = None


def see(
    movie: Movie, stream: Stream, frames: range, *, skip_unreadable: bool
) -> Generator[Seen]:
    """Run the network over frames in order.

    Parameters
    ----------
    movie
        The movie.
    stream
        The network; it is moved on.
    frames
        Which frames.
    skip_unreadable
        Whether the network passes over frames that cannot be read.

    Raises
    ------
    UnreadableFrameError
        When a frame is damaged and is not to be skipped.
    SemiconvError
        As `Stream.push` does.
    """
    for frame in frames:
        try:
            image = movie.frame(frame)
        except UnreadableFrameError as error:
            if not skip_unreadable:
                raise
            why = str(error)
            yield Seen(frame, None, stream.snapshot(), unreadable=why)
            continue
        output = stream.push(image)
        yield Seen(frame, output, stream.snapshot(), stream.take_note())


def prefetch(steps: Iterator[Step]) -> Generator[Step]:
    """Take each step in a thread while the one before it is being worked with.

    Order and values are those of ``steps``; an error is raised where its step would
    have come. Closing the generator waits for the step that is under way, and ends the
    thread.
    """
    with ThreadPoolExecutor(1, "frame-ahead") as thread:
        coming = thread.submit(_next, steps)
        while found := coming.result():
            coming = thread.submit(_next, steps)
            yield found[0]


def _next(steps: Iterator[Step]) -> tuple[Step] | None:
    for step in steps:
        return (step,)
    return None


def prefetches(device: torch.device) -> bool:
    """Tell whether the network runs ahead: where it has a device of its own.

    On the processor it would take the cores that the cells are sought with.
    """
    return device.type != "cpu"
