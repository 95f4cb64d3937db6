"""Resegment a frame around a correction: only the cells that it touches change."""

from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, fields

import numpy as np

from ...errors import UnreadableFrameError
from ...labels import Labels
from ...movie import Movie
from ...network.weights import Model
from ...settings import SegmentSettings, VotesSettings
from ..run_state import RunState
from ..stream.stream import WARM_UP, FrameOutput, Stream
from .enforce import enforce_within
from .maps import Maps, Window
from .model import Constraints
from .seed import add_cell

# Maps of a 1024 x 1024 frame take 68 MB with the default model.
CACHE_BYTES = 512 << 20


@dataclass(frozen=True, eq=False)
class ResegmentedWindow:
    """What a correction changes in a frame.

    Parameters
    ----------
    window
        Rows and columns outside of which nothing changes; empty when all held already.
    labels
        Cells of the window, (height, width).
    """

    window: Window
    labels: Labels

    def within(self, labels: Labels) -> Labels:
        """Give the whole frame, (Y, X), with what changes put into its labels."""
        whole = labels.copy()
        whole[self.window] = self.labels
        return whole


def resegment(
    output: FrameOutput,
    labels: Labels,
    constraints: Constraints,
    settings: VotesSettings | None = None,
    seed: tuple[int, int] | None = None,
) -> ResegmentedWindow:
    """Find the cells that a correction touches anew, and leave all others.

    The votes of these cells are clustered again as far as the correction asks for it,
    with all constraints of the frame held exactly (see `enforce`). What holds already
    costs nothing, so those of the whole frame may be given every time.

    Parameters
    ----------
    output
        What the network predicted for the frame.
    labels
        Cells as they are now, (Y, X), in pixels of the movie.
    constraints
        The correction, and all other constraints on the frame.
    settings
        How votes are clustered; the usual way when None.
    seed
        Row and column of a pixel at which a cell was missed (see `add_cell`).

    Returns
    -------
    ResegmentedWindow
        The window that changed and its cells; those that did not change keep their
        labels, new ones have labels above all others of the frame.

    Raises
    ------
    BadInputError
        When the correction contradicts something else, does not fit the frame, or the
        network sees no cell at the seed.
    """
    maps = Maps.of(output, (labels.shape[0], labels.shape[1]), settings)
    if seed is not None:
        whole = add_cell(labels, constraints, maps, seed)
        everything = slice(0, labels.shape[0]), slice(0, labels.shape[1])
        return ResegmentedWindow(*_tight(everything, labels, whole))
    window, found = enforce_within(labels, constraints, maps)
    return ResegmentedWindow(*_tight(window, labels[window], found))


def _tight(window: Window, before: Labels, after: Labels) -> tuple[Window, Labels]:
    """Cut away the surroundings that did not change."""
    changed = before != after
    if not changed.any():
        return (slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.int32)
    parts = []
    for axis, part in ((1, window[0]), (0, window[1])):
        there = np.flatnonzero(changed.any(axis))
        first, last = int(there[0]), int(there[-1]) + 1
        parts.append((slice(first, last), slice(part.start + first, part.start + last)))
    (rows, tall), (columns, wide) = parts
    return (tall, wide), after[rows, columns]


class OutputCache:
    """The last outputs of the network, as many as fit into some memory.

    Parameters
    ----------
    most_bytes
        Memory for all of them together. The last one stays, however large.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most = most_bytes
        self._outputs: OrderedDict[Hashable, FrameOutput] = OrderedDict()

    def __len__(self) -> int:
        return len(self._outputs)

    @property
    def bytes(self) -> int:
        """Memory that all of them take."""
        return sum(map(bytes_of, self._outputs.values()))

    def put(self, key: Hashable, output: FrameOutput) -> None:
        """Keep an output, and let go of those that were not asked for longest.

        Parameters
        ----------
        key
            What it is of: movie, model, cell size and frame.
        output
            What the network predicted.
        """
        self._outputs.pop(key, None)
        self._outputs[key] = output
        while self.bytes > self._most and len(self._outputs) > 1:
            self._outputs.popitem(last=False)

    def get(self, key: Hashable, make: Callable[[], FrameOutput]) -> FrameOutput:
        """Give an output, made and kept when it is not here."""
        found = self._outputs.get(key)
        if found is None:
            found = make()
            self.put(key, found)
        self._outputs.move_to_end(key)
        return found


def bytes_of(output: FrameOutput) -> int:
    """Memory that the maps of a frame take."""
    maps = [getattr(output, member.name) for member in fields(output)]
    maps += output.further.values()
    return sum(one.nbytes for one in maps if isinstance(one, np.ndarray))


def replay(
    movie: Movie,
    model: Model,
    settings: SegmentSettings,
    frames: range,
    cell_size: float,
    state: RunState | None = None,
) -> Generator[FrameOutput]:
    """Run the network again up to the last of some frames, as a run over them did.

    A run starts its memory anew every ``memory_span`` frames, warmed on the frames
    before: so only those since then are run again. Without a span all are, or those
    after a state that was saved.

    Parameters
    ----------
    movie
        The movie.
    model
        The model, on its device.
    settings
        How the run segmented.
    frames
        From the first frame of the run to the one that is wanted.
    cell_size
        Diameter of a usual cell that the run worked with, px.
    state
        State of the run after one of the frames before the last; None for none.

    Yields
    ------
    FrameOutput
        Of each frame that is run again; the last is bit by bit what the run saw, unless
        frames could not be read.

    Raises
    ------
    BadModelError
        When the state belongs to another model.
    UnreadableFrameError
        When a frame is damaged, unless it is one before and these may be skipped.
    """
    span, wanted = settings.memory_span, frames[-1]
    begin = wanted - (len(frames) - 1) % span if span else frames.start
    if state is not None and begin <= state.frame < wanted:
        stream = Stream.of(model, cell_size, settings)
        stream.restore(state.stream)
        begin = state.frame + 1
    else:
        # Nothing begins anew on the way: the frames before only warm the memory up.
        stream = Stream.of(model, cell_size, settings, memory_span=0)
        begin = max(frames.start, begin - WARM_UP)
    for frame in range(begin, wanted + 1):
        try:
            image = movie.frame(frame)
        except UnreadableFrameError:
            if frame == wanted or not settings.skip_unreadable:
                raise
            continue
        yield stream.push(image)
