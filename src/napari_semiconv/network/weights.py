"""Models: their folders with weights loaded, checked and written."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..errors import BadModelError, DeviceError, SaveError
from ..safe import draft_of, new_file
from ..settings import DeviceName
from .embedder import Embedder
from .heads.layers import with_own_layers
from .model_folder import (
    CARD,
    FORMAT,
    SETTINGS,
    VERSION,
    WEIGHTS,
    ModelInfo,
    find_model,
    read_info,
)


@dataclass(frozen=True)
class Model:
    """A network ready to run, with what must be known to run it.

    Parameters
    ----------
    info
        What the model folder says.
    network
        The network, in evaluation mode.
    device
        Where its weights are.
    """

    info: ModelInfo
    network: Embedder
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.info.name


def load_model(name: str | Path = "default", device: DeviceName = "auto") -> Model:
    """Load a model by name or folder.

    Parameters
    ----------
    name
        Name of a shipped model, or path of a model folder.
    device
        Where to run it; ``auto`` takes a graphics card when there is one.

    Returns
    -------
    Model
        The network in evaluation mode.

    Raises
    ------
    BadModelError
        When files are missing, altered or do not fit together.
    DeviceError
        When the device asked for is not there.
    """
    folder = find_model(name)
    info = read_info(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise BadModelError(
            f"Model folder {folder}: expected a file {WEIGHTS}, found none. Copy the "
            f"model folder again."
        )
    if (digest := file_digest(path)) != info.digest:
        raise BadModelError(
            f"{path}: expected weights with checksum {info.digest[:12]}..., found "
            f"{digest[:12]}...; the file was altered or cut off. Copy the model again."
        )
    network = Embedder(info.network)
    try:
        network.load_state_dict(with_own_layers(load_file(path), info.network))
    except (SafetensorError, RuntimeError) as error:
        raise BadModelError(
            f"{path}: expected the weights of the network in {SETTINGS}, found others "
            f"({type(error).__name__}). Copy the model folder again."
        ) from error
    where = choose_device(device)
    return Model(info, network.eval().to(where), where)


def save_model(
    folder: Path,
    network: Embedder,
    *,
    cell_size: float,
    description: str,
    card: str,
    taught_size: float | None = None,
) -> ModelInfo:
    """Write a model folder; earlier files stay until all is written.

    Parameters
    ----------
    folder
        Where to write; its name becomes the model's name.
    network
        The network.
    cell_size
        Cell diameter that the network expects, px.
    description
        One sentence for the user.
    card
        Text of the model card: data, scores, licence.
    taught_size
        See `ModelInfo`.

    Returns
    -------
    ModelInfo
        What was written.

    Raises
    ------
    SaveError
        When the disk is full or may not be written.
    """
    draft = {name: draft_of(folder / name) for name in (WEIGHTS, SETTINGS, CARD)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()
        }
        _write(draft[WEIGHTS], save(weights))
        header: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "description": description,
            "cell_size": cell_size,
            "sha256": file_digest(draft[WEIGHTS]),
            "network": network.settings.model_dump(mode="json"),
        }
        if taught_size is not None:
            header["taught_size"] = taught_size
        text = json.dumps(header, indent=2) + "\n"
        _write(draft[SETTINGS], text.encode())
        _write(draft[CARD], card.encode())
        for name, path in draft.items():
            path.replace(folder / name)
    except (OSError, SafetensorError) as error:
        for path in draft.values():
            path.unlink(missing_ok=True)
        raise SaveError(
            f"Model folder {folder} could not be written ({error}). Free some space or "
            f"choose another folder; an earlier model there is untouched."
        ) from error
    return read_info(folder)


def _write(path: Path, data: bytes) -> None:
    with new_file(path) as stream:
        stream.write(data)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def choose_device(name: DeviceName) -> torch.device:
    """Turn the user's choice into a device.

    Raises
    ------
    DeviceError
        When the device asked for is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, found in there.items() if found))
    if not there[name]:
        usable = ", ".join(kind for kind, found in there.items() if found)
        raise DeviceError(
            f"Device '{name}': expected a graphics card that PyTorch "
            f"{torch.__version__} can use, found none. Choose {usable} or 'auto', or "
            f"install a PyTorch build for your card."
        )
    return torch.device(name)
