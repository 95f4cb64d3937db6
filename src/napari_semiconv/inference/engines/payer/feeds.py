"""Which frames the published procedures cluster together (Payer et al. 2018, 2019)."""

from typing import Protocol

from ....movie import Array
from ...stream.stream import FrameOutput, Stream

WINDOW = 8  # frames that the network of 2019 runs over anew for each frame

Outputs = list[FrameOutput]


class Feed(Protocol):
    """Runs the network and tells which frames are to be clustered together."""

    def push(self, image: Array) -> list[Outputs]:
        """Take in the next frame, (Y, X); give the stacks that are ready."""

    def finish(self) -> list[Outputs]:
        """Give the stacks that were still waiting for frames."""


class PairFeed:
    """Pairs of successive frames, the memory carried through (Payer et al. 2018).

    Parameters
    ----------
    stream
        The network.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._last: Outputs = []
        self._waits = True

    def push(self, image: Array) -> list[Outputs]:
        """Take in the next frame; see `Feed`."""
        pair = [*self._last, self._stream.push(image)]
        self._last = pair[-1:]
        if len(pair) < 2:
            return []
        self._waits = False
        return [pair]

    def finish(self) -> list[Outputs]:
        """Give a movie of one frame; see `Feed`."""
        return [self._last] if self._waits and self._last else []


class WindowFeed:
    """Last pair of a window of frames, run anew from no memory (Payer et al. 2019).

    The first window gives all its pairs. A movie shorter than the window, which the
    published program did not handle, is one window.

    Parameters
    ----------
    stream
        The network.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._images: list[Array] = []
        self._begun = False

    def push(self, image: Array) -> list[Outputs]:
        """Take in the next frame; see `Feed`."""
        self._images = [*self._images, image][-WINDOW:]
        if len(self._images) < WINDOW:
            return []
        return self._pairs()

    def finish(self) -> list[Outputs]:
        """Give the pairs of a short movie; see `Feed`."""
        return [] if self._begun or not self._images else self._pairs()

    def _pairs(self) -> list[Outputs]:
        self._stream.restore(None)
        outputs = [self._stream.push(image) for image in self._images]
        if len(outputs) == 1:
            return [outputs]
        pairs = [outputs[i : i + 2] for i in range(len(outputs) - 1)]
        pairs, self._begun = pairs[-1:] if self._begun else pairs, True
        return pairs
