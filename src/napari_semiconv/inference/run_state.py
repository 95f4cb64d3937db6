"""A whole run after one of its frames, kept on disk to go on from there."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import BadInputError, BadModelError, BadSettingsError
from ..settings import SegmentSettings
from ..tracking.lineage import Lineage, Track
from .linking.features import Bodies, Known
from .linking.linker import LinkState
from .stream.state import StreamState, read_tensors, write_tensors
from .stream.stream import FrameOutput

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class RunState:
    """All that a run needs to go on after a frame, bit by bit as if it had not stopped.

    Parameters
    ----------
    frame
        The last frame that was done.
    frame_shape
        Height and width of the movie's frames, px.
    cell_size
        Diameter of a usual cell that was worked with, px.
    engine
        Name of the engine.
    stream
        What the network remembers.
    outputs
        What it said of the last frames, as far as the engine looks back.
    link
        What linking remembers, the tracks so far included.
    """

    frame: int
    frame_shape: tuple[int, ...]
    cell_size: float
    engine: str
    stream: StreamState
    outputs: tuple[FrameOutput, ...]
    link: LinkState

    @property
    def lineage(self) -> Lineage:
        """All tracks up to the frame."""
        return self.link.lineage


def save_run_state(path: Path, state: RunState) -> None:
    """Write the state of a run as safetensors with JSON facts, whole or not at all.

    Parameters
    ----------
    path
        File to write or replace; its folder must exist.
    state
        What to write. Per pixel that the network sees the default model takes 75 bytes,
        with the engine hdbscan, which looks a frame back, 130.

    Raises
    ------
    SaveError
        When the disk is full or may not be written; an earlier file stays.
    """
    stream, link = state.stream, state.link
    tensors: dict[str, Tensor] = dict(_numbered("memory", stream.memory or ()))
    tensors |= _arrays("recent", dict(enumerate(stream.recent)))
    for place, output in enumerate(state.outputs):
        tensors |= _arrays(f"output.{place}", _members(output))
    if link.known is not None:
        tensors |= _arrays("known", _members(link.known))
    tensors |= _arrays("lineage", _table(link.lineage))
    tensors |= _arrays("link", {"image": link.image})
    facts = {
        "frame": state.frame,
        "frame_shape": list(state.frame_shape),
        "cell_size": state.cell_size,
        "engine": state.engine,
        "age": stream.age,
        "digest": stream.digest,
        "tile": stream.tile,
        "outputs": len(state.outputs),
        "link_frame": link.frame,
        "last_label": link.last_label,
    }
    write_tensors(path, tensors, facts)


def load_run_state(path: Path) -> RunState:
    """Read the state of a run.

    Raises
    ------
    BadModelError
        When the file is missing, damaged or of another release.
    """
    tensors, facts = read_tensors(path)
    try:
        return _state_of(tensors, facts)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadModelError(
            f"{path}: expected the state of a run, found something else "
            f"({type(error).__name__}). Start again from the first frame."
        ) from error


def check_resumable(
    state: RunState,
    settings: SegmentSettings,
    frames: range,
    frame_shape: tuple[int, ...],
) -> None:
    """Check that a run can go on from a state.

    Parameters
    ----------
    state
        What was remembered.
    settings
        How the run is to go on.
    frames
        All frames of the run, those that are done included.
    frame_shape
        Height and width of the movie's frames, px.

    Raises
    ------
    BadInputError
        When the state is of frames of another size, or of none of these.
    BadSettingsError
        When it is that of another engine or cell size.
    """
    if state.frame_shape != tuple(frame_shape):
        raise BadInputError(
            f"Expected a state of frames of {_size(frame_shape)} px, found one of "
            f"{_size(state.frame_shape)} px. Choose the movie it was saved with."
        )
    if state.frame not in range(frames.start - 1, frames.stop):
        raise BadInputError(
            f"Expected a state of one of the frames {frames.start}:{frames.stop}, "
            f"found one of frame {state.frame}. Choose frames that include it."
        )
    if state.engine != settings.engine:
        raise BadSettingsError(
            f"Expected a state of the engine '{settings.engine}', found one of "
            f"'{state.engine}'. Choose that engine, or start from the first frame."
        )
    if settings.cell_size not in (None, state.cell_size):
        raise BadSettingsError(
            f"Expected a state with a cell size of {settings.cell_size:g} px, found "
            f"{state.cell_size:g} px. Choose that size, or start from the first frame."
        )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _state_of(tensors: Tensors, facts: Mapping[str, Any]) -> RunState:
    memory, recent = _listed("memory", tensors), _listed("recent", tensors)
    stream = StreamState(
        memory=tuple(memory) or None,
        age=int(facts["age"]),
        recent=tuple(frame.numpy() for frame in recent),
        digest=str(facts["digest"]),
        tile=None if facts.get("tile") is None else int(facts["tile"]),
    )
    known = _under("known", tensors)
    link = LinkState(
        lineage=_lineage_of(_under("lineage", tensors)),
        known=_known_of(known) if known else None,
        image=tensors["link.image"].numpy(),
        frame=int(facts["link_frame"]),
        last_label=int(facts["last_label"]),
    )
    return RunState(
        frame=int(facts["frame"]),
        frame_shape=tuple(map(int, facts["frame_shape"])),
        cell_size=float(facts["cell_size"]),
        engine=str(facts["engine"]),
        stream=stream,
        outputs=tuple(
            _output_of(_under(f"output.{i}", tensors)) for i in range(facts["outputs"])
        ),
        link=link,
    )


def _members(value: Any) -> dict[str, Any]:
    """Arrays of a dataclass by name, those of an inner one as ``outer.inner``."""
    found: dict[str, Any] = {}
    for member in fields(value):
        inner = getattr(value, member.name)
        if is_dataclass(inner) or isinstance(inner, Mapping):
            more = inner if isinstance(inner, Mapping) else _members(inner)
            found |= {f"{member.name}.{name}": array for name, array in more.items()}
        elif inner is not None:
            found[member.name] = inner
    return found


def _arrays(prefix: str, arrays: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {
        f"{prefix}.{name}": torch.from_numpy(np.ascontiguousarray(array))
        for name, array in arrays.items()
    }


def _numbered(prefix: str, tensors: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {f"{prefix}.{place}": tensor for place, tensor in enumerate(tensors)}


def _under(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays whose names begin with a prefix, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): np.asarray(tensor)
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def _listed(prefix: str, tensors: Tensors) -> list[Tensor]:
    count = sum(name.startswith(f"{prefix}.") for name in tensors)
    return [tensors[f"{prefix}.{place}"] for place in range(count)]


def _output_of(arrays: dict[str, Any]) -> FrameOutput:
    size = float(arrays.pop("cell_size")[0])
    found: dict[str, Any] = {m.name: arrays.get(m.name) for m in fields(FrameOutput)}
    found |= {"cell_size": size, "further": _under("further", arrays)}
    return FrameOutput(**found)


def _known_of(arrays: dict[str, Any]) -> Known:
    bodies = {
        name: arrays.pop(f"bodies.{name}")
        for name in [member.name for member in fields(Bodies)]
    }
    return Known(bodies=Bodies(**bodies), **arrays)


def _table(lineage: Lineage) -> dict[str, Any]:
    """Label and parent of each track, (N, 2), and rows of track, first, last frame."""
    tracks = [track for _, track in sorted(lineage.tracks.items())]
    intervals = [
        (place, *span) for place, track in enumerate(tracks) for span in track.intervals
    ]
    named = [(track.label, track.parent) for track in tracks]
    return {
        "tracks": np.array(named, np.int64).reshape(-1, 2),
        # The name in states that exist already.
        "runs": np.array(intervals, np.int64).reshape(-1, 3),
    }


def _lineage_of(arrays: Mapping[str, Any]) -> Lineage:
    intervals: list[list[tuple[int, int]]] = [[] for _ in arrays["tracks"]]
    for place, first, last in arrays["runs"].tolist():
        intervals[place].append((first, last))
    return Lineage(
        Track(label, tuple(own), parent)
        for (label, parent), own in zip(
            arrays["tracks"].tolist(), intervals, strict=True
        )
    )
