"""What a model folder says of itself, read without loading PyTorch."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import BadInputError, BadModelError
from ..guard import brief, check_regular, read_json
from ..settings import NetworkSettings

FORMAT = "napari-semiconv model"
VERSION = 1
SETTINGS, WEIGHTS, CARD = "settings.json", "weights.safetensors", "README.md"
# Bytes of settings, and of the weights of the largest network that is of use.
MOST_SETTINGS, MOST_WEIGHTS = 2**20, 2**30
# Diameter of cells, px.
MOST_CELL = 10_000
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
    taught_size
        Diameter of usual cells in the movies that it was taught with, px of these; None
        for one that was not taught.
    """

    name: str
    folder: Path
    network: NetworkSettings
    cell_size: float
    description: str
    digest: str
    taught_size: float | None = None


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
    if not path.exists():
        raise BadModelError(
            f"Model folder {folder}: expected a file {SETTINGS}, found none. Choose "
            f"the folder that holds {SETTINGS} and {WEIGHTS}."
        )
    try:
        header = read_json(path, MOST_SETTINGS)
        found = header["format"], header["version"]
        if found != (FORMAT, VERSION):
            raise BadModelError(
                f"{path}: expected {FORMAT} version {VERSION}, found {found[0]} "
                f"version {found[1]}. Was it written by another release?"
            )
        taught = header.get("taught_size")
        return ModelInfo(
            name=folder.resolve().name,
            folder=folder,
            network=NetworkSettings.model_validate(header["network"]),
            cell_size=_size(header["cell_size"]),
            description=str(header["description"]),
            digest=str(header["sha256"]),
            taught_size=None if taught is None else _size(taught),
        )
    except (BadInputError, OSError, ValueError, KeyError, TypeError) as error:
        raise BadModelError(
            f"{path}: expected the settings of a model, found a damaged file "
            f"({_reason(error)}). Copy the model folder again."
        ) from error


def check_weights(info: ModelInfo) -> Path:
    """Make sure that the weights of a model are those that its settings name.

    Returns
    -------
    Path
        Their file.

    Raises
    ------
    BadModelError
        When they are missing, altered or too large.
    """
    path = info.folder / WEIGHTS
    if not path.exists():
        raise BadModelError(
            f"Model folder {info.folder}: expected a file {WEIGHTS}, found none. Copy "
            f"the model folder again."
        )
    try:
        size = check_regular(path)
        if size > MOST_WEIGHTS:
            raise BadModelError(
                f"{path}: expected weights of at most {MOST_WEIGHTS >> 20} MiB, found "
                f"{size >> 20} MiB. Choose another model."
            )
        digest = file_digest(path)
    except (BadInputError, OSError) as error:
        raise BadModelError(
            f"{path}: expected the weights of a model, found none that can be read "
            f"({type(error).__name__}). Copy the model folder again."
        ) from error
    if digest != info.digest:
        raise BadModelError(
            f"{path}: expected weights with checksum {info.digest[:12]}..., found "
            f"{digest[:12]}...; the file was altered or cut off. Copy the model again."
        )
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return brief(f"{place}: {first['msg']}")
    return type(error).__name__


def _size(value: Any) -> float:
    size = float(value)
    if not 0 < size <= MOST_CELL:
        raise ValueError(f"a size is above 0 and at most {MOST_CELL} px")
    return size
