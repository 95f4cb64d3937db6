"""One run of the network, replayed to every engine: the same embeddings for all."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from torch import Tensor, nn

from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.result import FrameResult
from napari_semiconv.inference.stream.stream import Stream
from napari_semiconv.movie import Movie
from napari_semiconv.network.embedder import Embedder, Output, State
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import SegmentSettings


class Replay(nn.Module):
    """Runs a network and notes what it says of a frame when it first sees it.

    Parameters
    ----------
    network
        The network, in evaluation mode.
    """

    def __init__(self, network: Embedder) -> None:
        super().__init__()
        self.network = network
        self.kernel = network.kernel
        self.replaying = False
        self._said: dict[bytes, Output] = {}

    def forward(
        self, frame: Tensor, state: Sequence[Tensor] | None = None
    ) -> tuple[Output, State]:
        """Run the network, or say again what it said, whatever the memory by now.

        Parameters
        ----------
        frame
            Normalised frame, (1, C, Y, X).
        state
            Memory after the frame before.
        """
        key = hashlib.sha1(
            frame.cpu().numpy().tobytes(), usedforsecurity=False
        ).digest()
        if self.replaying:
            return self._said[key], []
        output, fresh = self.network(frame, state)
        # A memory that starts anew is warmed on frames that were seen before.
        self._said.setdefault(key, output)
        return output, fresh


@dataclass(frozen=True)
class Recording:
    """A movie that the network has seen.

    Parameters
    ----------
    movie
        The movie.
    frames
        Those that were seen.
    model
        Says of each of these frames what it said then.
    cell_size
        Diameter of a usual cell, px.
    seconds
        CPU time of the network, per frame, s.
    """

    movie: Movie
    frames: range
    model: Model
    cell_size: float
    seconds: float


def record(
    movie: Movie,
    model: Model,
    frames: range,
    cell_size: float,
    span: int = SegmentSettings().memory_span,
) -> Recording:
    """Run a model over some frames and note what it says.

    Parameters
    ----------
    movie
        The movie.
    model
        The model.
    frames
        Frames to see.
    cell_size
        Diameter of a usual cell, px.
    span
        Frames after which the memory starts anew, 0 for never.
    """
    network = Replay(model.network)
    replaying = replace(model, network=cast("Embedder", network))
    stream = Stream(replaying, cell_size, span)
    begin = time.process_time()
    for frame in frames:
        stream.push(movie.frame(frame))
    seconds = (time.process_time() - begin) / len(frames)
    network.replaying = True
    return Recording(movie, frames, replaying, cell_size, seconds)


def play(
    recording: Recording, settings: SegmentSettings
) -> tuple[list[FrameResult], float]:
    """Segment and track from what was recorded.

    Returns
    -------
    tuple
        Final result of each frame, and the CPU time of all but the network per frame,
        s. CPU time does not depend on what else the computer does.
    """
    settings = settings.model_copy(update={"cell_size": recording.cell_size})
    begin = time.process_time()
    results = segment_and_track(
        recording.movie, recording.model, settings, recording.frames
    )
    final = [result for result in results if result.final]
    return final, (time.process_time() - begin) / len(recording.frames)
