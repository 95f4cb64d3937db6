"""Follow a cell through the next frames: in the child, as the network sees them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from ..errors import UnreadableFrameError
from ..labels import boxes_in
from ..movie import Movie
from ..safe import write_array_safely
from ..settings import SegmentSettings
from .messages import FollowedFrame, FollowEnded, FollowRequest
from .resegmenter import labels_in
from .tools import Tools

# Frames before the first one that the network sees, so that it remembers some.
BEFORE = 2
# Agreement of a mask with the frame before, from which it is believed. On movies with
# known cells (`python -m benchmarks follow`) nine in ten of those masks are right, and
# three in four of the others wrong.
BELIEVED = 0.5


def follow(
    request: FollowRequest,
    tools: Tools,
    movie: Movie,
    model: Any,
    settings: SegmentSettings,
    stops: Callable[[], bool],
) -> Iterator[FollowedFrame | FollowEnded]:
    """Follow a cell until the network doubts it; each mask is written as it is found.

    Parameters
    ----------
    request
        What was asked.
    tools
        What to compute with.
    movie, model
        Those that it names.
    settings
        Those of the request, with a cell size.
    stops
        Whether to stop; asked after each frame.

    Yields
    ------
    FollowedFrame
        For each frame that the cell is found in; `FollowEnded` at the end.

    Raises
    ------
    SemiconvError
        When the first frame cannot be seen again, or nothing can be written.
    """
    labels = labels_in(request.labels)
    frames = range(
        max(request.begin, request.frame - BEFORE), min(request.until + 1, len(movie))
    )
    # Its memory is carried all the way, which is short, and no frame is left out.
    carried = {"memory_span": 0, "skip_unreadable": False}
    settings = settings.model_copy(update=carried)
    outputs = tools.replay(movie, model, settings, frames)
    follower: Any = None
    with closing(outputs):
        for frame in frames:
            if stops():
                yield FollowEnded(ticket=request.ticket, cancelled=True)
                return
            try:
                output = next(outputs)
            except UnreadableFrameError as error:
                if frame <= request.frame:
                    raise
                yield FollowEnded(ticket=request.ticket, note=str(error))
                return
            if frame == request.frame:
                follower = tools.follower(labels, request.label, output, settings)
            if frame <= request.frame:
                continue
            found = follower.step(output)
            if found.agreement < BELIEVED:
                note = f"In frame {frame} the network does not find the cell again."
                yield FollowEnded(ticket=request.ticket, note=note)
                return
            (box,) = boxes_in(found.mask.astype(np.int32)).values()
            path = request.output / f"{frame}.npy"
            write_array_safely(path, found.mask[box])
            yield FollowedFrame(
                ticket=request.ticket,
                frame=frame,
                agreement=found.agreement,
                y=box[0].start,
                x=box[1].start,
                output=path,
            )
    yield FollowEnded(ticket=request.ticket)
