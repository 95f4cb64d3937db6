"""A model folder: settings, weights and card; read, checked and written."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..errors import BadModelError, DeviceError, SaveError
from ..settings import DeviceName, NetworkSettings
from .embedder import Embedder
from .heads.layers import with_own_layers

FORMAT = "napari-semiconv model"
VERSION = 1
SETTINGS, WEIGHTS, CARD = "settings.json", "weights.safetensors", "README.md"
TRAINED = "model"  # where a training keeps its model, in its output folder
PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model without reading its weights.

    Parameters
    ----------
    name
        Name of its folder.
    folder
        Where it lies.
    network
        Shape of the network.
    cell_size
        Cell diameter that the network expects, px.
    description
        One sentence for the user.
    digest
        SHA-256 of the weights.
    """

    name: str
    folder: Path
    network: NetworkSettings
    cell_size: float
    description: str
    digest: str


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


def model_folders() -> list[Path]:
    """Folders that hold models: shipped with the package, or beside its source."""
    places = [PACKAGE / "models", PACKAGE.parents[1] / "models"]
    return [
        folder
        for place in places
        for folder in sorted(place.glob("*/"))
        if (folder / SETTINGS).is_file()
    ]


def list_models() -> list[ModelInfo]:
    """List the models that can be chosen by name."""
    return [read_info(folder) for folder in model_folders()]


def find_model(name: str | Path) -> Path:
    """Find a model folder by name or path.

    Parameters
    ----------
    name
        Name of a model that is shipped, path of a model folder, or path of the output
        folder of a training, which holds one.

    Raises
    ------
    BadModelError
        When there is no such model.
    """
    known = {folder.name: folder for folder in reversed(model_folders())}
    if str(name) in known:
        return known[str(name)]
    folder = Path(name)
    if folder.is_dir():
        trained = folder / TRAINED
        is_output = not (folder / SETTINGS).is_file() and trained.is_dir()
        return trained if is_output else folder
    raise BadModelError(
        f"Model '{name}': expected one of {', '.join(known) or '(none installed)'}, a "
        f"model folder or the output folder of a training, found none of them. Give "
        f"the path of a folder with {SETTINGS}."
    )


def read_info(folder: Path) -> ModelInfo:
    """Read what a model folder says of itself.

    Raises
    ------
    BadModelError
        When the settings are missing, damaged or of another version.
    """
    path = folder / SETTINGS
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        found = header["format"], header["version"]
        if found != (FORMAT, VERSION):
            raise BadModelError(
                f"{path}: expected {FORMAT} version {VERSION}, found {found[0]} "
                f"version {found[1]}. Was it written by another release?"
            )
        return ModelInfo(
            name=folder.resolve().name,
            folder=folder,
            network=NetworkSettings.model_validate(header["network"]),
            cell_size=float(header["cell_size"]),
            description=str(header["description"]),
            digest=str(header["sha256"]),
        )
    except FileNotFoundError:
        raise BadModelError(
            f"Model folder {folder}: expected a file {SETTINGS}, found none. Choose "
            f"the folder that holds {SETTINGS} and {WEIGHTS}."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise BadModelError(
            f"{path}: expected the settings of a model, found a damaged file "
            f"({type(error).__name__}). Copy the model folder again."
        ) from error


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
    folder: Path, network: Embedder, *, cell_size: float, description: str, card: str
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

    Returns
    -------
    ModelInfo
        What was written.

    Raises
    ------
    SaveError
        When the disk is full or may not be written.
    """
    draft = {name: folder / f"{name}.part" for name in (WEIGHTS, SETTINGS, CARD)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights = {
            k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()
        }
        draft[WEIGHTS].write_bytes(save(weights))
        header = {
            "format": FORMAT,
            "version": VERSION,
            "description": description,
            "cell_size": cell_size,
            "sha256": file_digest(draft[WEIGHTS]),
            "network": network.settings.model_dump(mode="json"),
        }
        text = json.dumps(header, indent=2) + "\n"
        draft[SETTINGS].write_text(text, encoding="utf-8")
        draft[CARD].write_text(card, encoding="utf-8")
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
