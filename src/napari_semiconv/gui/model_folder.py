"""Model folders that the user points at."""

from pathlib import Path

from ..errors import BadModelError
from ..network.model_folder import SETTINGS, TRAINED


def model_in(chosen: Path) -> Path:
    """Find the model in a folder: the folder itself, or what training put into it.

    Parameters
    ----------
    chosen
        A model folder, or the output folder of a training.

    Raises
    ------
    BadModelError
        When it is neither.
    """
    for folder in (chosen, chosen / TRAINED):
        if (folder / SETTINGS).is_file():
            return folder
    raise BadModelError(
        f"{chosen}: expected a model folder, with a file {SETTINGS}, or the output "
        f"folder of a training, with such a folder '{TRAINED}', found neither. Choose "
        f"another folder."
    )


def short_name(model: str) -> str:
    """Name of a model as a list shows it; of a folder, its last two parts."""
    path = Path(model)
    return "/".join(path.parts[-2:]) if path.is_absolute() else model
