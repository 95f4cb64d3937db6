"""Decide how a run begins: anew, or after the last state of one that stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import BadModelError
from ..movie import Movie
from ..project.runs.info import info_of
from ..project.runs.store import RunStore
from ..settings import SegmentSettings
from .messages import Segment
from .run_writer import RunWriter
from .tools import Tools

Sized = Callable[[range], SegmentSettings]


@dataclass(frozen=True)
class Plan:
    """How a run begins.

    Parameters
    ----------
    store
        The run folder.
    settings
        How to segment and track, cell size included.
    frames
        All frames of the run, also those that are there already.
    state
        What to go on from; None begins at the first frame.
    ready
        Whether all is there already.
    note
        What the user should know of it; empty when nothing.
    """

    store: RunStore
    settings: SegmentSettings
    frames: range
    state: Any = None
    ready: bool = False
    note: str = ""

    @property
    def done(self) -> int:
        """Count the frames that need not be computed again."""
        if self.ready:
            return len(self.frames)
        return 0 if self.state is None else self.state.frame + 1 - self.frames.start

    def writer(self) -> RunWriter:
        """Make what keeps the run in its folder."""
        if self.state is not None:
            return RunWriter(self.store, self.state.frame, self.state.lineage)
        # Frames of a run that cannot go on stay until the first one is computed again.
        before = self.frames.start - 1 if self.store.done else None
        return RunWriter(self.store, before)


def plan_run(
    request: Segment, movie: Movie, model: Any, tools: Tools, sized: Sized
) -> Plan:
    """Make or reopen the folder of a run.

    Parameters
    ----------
    request
        What was asked.
    movie
        The movie.
    model
        The model, from ``tools``.
    tools
        Tell which model it is, and read states.
    sized
        Gives the settings with a cell size for the frames; called for a new run alone.

    Raises
    ------
    SemiconvError
        When the folder cannot be made or written, or its run had another movie, model
        or other settings.
    """
    facts = tools.facts(model)
    asked = None if request.frames is None else _range(request.frames)
    if not (request.resume and info_of(request.output).is_file()):
        frames = range(len(movie)) if asked is None else asked
        settings = sized(frames)
        make = RunStore.resume if request.resume else RunStore.create
        values = settings.model_dump(mode="json")
        store = make(request.output, movie, values, facts, frames)
        return Plan(store, settings, frames, state_before(request, tools, frames))
    values = request.settings.model_dump(mode="json")
    store = RunStore.resume(request.output, movie, values, facts, asked)
    settings = SegmentSettings.model_validate(store.info.settings)
    frames = _range(store.info.frames)
    if store.info.state == "finished" and request.again_from is None:
        return Plan(store, settings, frames, ready=True)
    before = frames.stop if request.again_from is None else request.again_from
    state, note = usable_state(store, tools, range(frames.start, before))
    if state is None:
        state = state_before(request, tools, frames)
    if state is None and settings.engine_info.whole:
        note = (
            f"The engine '{settings.engine}' decides when it has "
            f"seen all frames and cannot go on where it stopped: it starts again from "
            f"the first frame."
        )
    return Plan(store, settings, frames, state, note=note)


def state_before(request: Segment, tools: Tools, frames: range) -> Any:
    """Read the state of another run that a run is to begin with.

    Parameters
    ----------
    request
        What was asked.
    tools
        Read states.
    frames
        Frames of the run.

    Returns
    -------
    object
        The state after the frame before the first; None without one, or when it is
        damaged: then the network begins anew.
    """
    if request.after is None:
        return None
    try:
        state = tools.load_state(request.after)
    except BadModelError:
        return None
    return state if state.frame == frames.start - 1 else None


def usable_state(store: RunStore, tools: Tools, frames: range) -> tuple[Any, str]:
    """Find the last state that a run can go on from.

    Parameters
    ----------
    store
        The run folder.
    tools
        Read states.
    frames
        Frames of the run that may stay.

    Returns
    -------
    tuple
        The state, or None, and a sentence on what could not be used; may be empty.
    """
    done = {*store.done}
    notes: list[str] = []
    for frame, path in store.states.all().items():
        if frame not in frames or not done.issuperset(range(frames.start, frame + 1)):
            continue
        try:
            return tools.load_state(path), " ".join(notes)
        except BadModelError:
            notes.append(f"The state saved after frame {frame} is damaged.")
    if done:
        notes.append(
            f"No state can be gone on from: all is computed again from frame "
            f"{frames.start} on."
        )
    return None, " ".join(notes)


def _range(span: tuple[int, int]) -> range:
    return range(span[0], span[1] + 1)
