"""Models: their folders with weights loaded, checked and written."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch.overrides import TorchFunctionMode

from ..errors import (
    BadInputError,
    BadModelError,
    BadSettingsError,
    DeviceError,
    SaveError,
)
from ..guard import parse_json
from ..safe import draft_of, new_file
from ..settings import DeviceName, NetworkSettings
from .embedder import Embedder
from .heads.layers import with_own_layers
from .model_folder import (
    CARD,
    FORMAT,
    MOST_SETTINGS,
    SETTINGS,
    VERSION,
    WEIGHTS,
    ModelInfo,
    check_weights,
    file_digest,
    find_model,
    read_info,
)

# Types of weights, as safetensors calls them.
FLOATS = {"F64", "F32", "F16", "BF16"}


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
    path = check_weights(info)
    try:
        _check_shapes(path, info.network)
        network = Embedder(info.network)
        weights = with_own_layers(load_file(path), info.network)
        if not all(bool(part.isfinite().all()) for part in weights.values()):
            raise ValueError("numbers that are none")
        network.load_state_dict(weights)
    except BadSettingsError as error:
        raise BadModelError(f"{folder}: {error}") from error
    except (SafetensorError, RuntimeError, BadInputError, ValueError) as error:
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


class _Undrawn(TorchFunctionMode):
    """Draws no weights: without memory there are none, and torch would load much."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Do what is asked for, but for drawing."""
        named = kwargs or {}
        if func.__name__.endswith("normal_"):
            return args[0] if args else named["tensor"]
        return func(*args, **named)


def _check_shapes(path: Path, settings: NetworkSettings) -> None:
    """Make sure that weights are those of a network, before there is memory for it.

    Raises
    ------
    ValueError, BadInputError, SafetensorError
        When they are not.
    """
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if size > MOST_SETTINGS:
            raise ValueError("too many tensors")
        parse_json(WEIGHTS, stream.read(size))
    with torch.device("meta"), _Undrawn():
        wanted = Embedder(settings).state_dict()
        with safe_open(path, "pt") as opened:
            parts = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            found = {n: torch.empty(part.get_shape()) for n, part in parts.items()}
        found = with_own_layers(found, settings)
    if any(part.get_dtype() not in FLOATS for part in parts.values()):
        raise ValueError("numbers of another type")
    if {n: w.shape for n, w in found.items()} != {
        n: w.shape for n, w in wanted.items()
    }:
        raise ValueError("weights of another shape")


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
