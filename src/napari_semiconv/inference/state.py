"""The memory of a network between two frames, kept on disk to go on from there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import BadModelError, SaveError


@dataclass(frozen=True)
class StreamState:
    """All that a stream remembers after a frame.

    Parameters
    ----------
    memory
        State of each stack and level, each (1, C, Y, X) or empty; None before the
        first frame.
    age
        Frames since the memory began.
    recent
        The last normalised frames, each (C, Y, X).
    digest
        SHA-256 of the weights the memory belongs to.
    """

    memory: tuple[Tensor, ...] | None
    age: int
    recent: tuple[NDArray[np.float32], ...]
    digest: str


def save_state(path: Path, state: StreamState) -> None:
    """Write a memory to a file, all of it or nothing.

    Raises
    ------
    SaveError
        When the disk is full or may not be written; an earlier file stays.
    """
    memory = {f"memory.{i}": m.cpu() for i, m in enumerate(state.memory or ())}
    recent = {
        f"recent.{i}": torch.from_numpy(np.ascontiguousarray(frame))
        for i, frame in enumerate(state.recent)
    }
    facts = {"age": str(state.age), "digest": state.digest}
    draft = path.with_name(f"{path.name}.part")
    try:
        save_file(
            {k: v.contiguous() for k, v in (memory | recent).items()}, draft, facts
        )
        draft.replace(path)
    except (OSError, SafetensorError) as error:
        draft.unlink(missing_ok=True)
        raise SaveError(
            f"{path}: the memory of the network could not be written ({error}). Free "
            f"some space; an earlier one is untouched."
        ) from error


def load_state(path: Path) -> StreamState:
    """Read a memory from a file.

    Raises
    ------
    BadModelError
        When the file is missing or damaged.
    """
    try:
        with safe_open(path, "pt") as opened:
            facts = opened.metadata()
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        memory = _numbered("memory.", tensors)
        return StreamState(
            memory=tuple(memory) or None,
            age=int(facts["age"]),
            recent=tuple(frame.numpy() for frame in _numbered("recent.", tensors)),
            digest=facts["digest"],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BadModelError(
            f"{path}: expected the memory of a network, found a missing or damaged "
            f"file ({type(error).__name__}). Start again from the first frame."
        ) from error


def _numbered(prefix: str, tensors: dict[str, Tensor]) -> list[Tensor]:
    count = sum(name.startswith(prefix) for name in tensors)
    return [tensors[f"{prefix}{i}"] for i in range(count)]
