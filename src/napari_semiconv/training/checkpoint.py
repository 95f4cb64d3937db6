"""Checkpoints of training: tensors in safetensors, numbers in JSON, no pickle."""

from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import BadModelError, SaveError
from ..network.embedder import Embedder
from ..safe import draft_of
from ..settings import NetworkSettings, Settings
from .settings import TrainSettings

FILE = "checkpoint.safetensors"


class TrainFacts(Settings):
    """What a checkpoint was trained on, and how.

    ``folders`` are the names of the annotated folders in order; they may have moved.
    """

    settings: TrainSettings
    network: NetworkSettings
    folders: tuple[str, ...]


def save_checkpoint(
    folder: Path,
    step: int,
    network: Embedder,
    average: Embedder,
    optimiser: torch.optim.Optimizer,
    facts: TrainFacts,
) -> None:
    """Write all that is needed to go on exactly from ``step``.

    Raises
    ------
    SaveError
        When the disk is full; the checkpoint before stays.
    """
    tensors = {f"network.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for index, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{k}": v for k, v in moments.items()}
    metadata = {"step": str(step), "facts": facts.model_dump_json()}
    draft = draft_of(folder / FILE)
    try:
        # What lies there may be a link, which is not to be followed.
        draft.unlink(missing_ok=True)
        save_file(
            {k: v.contiguous().cpu() for k, v in tensors.items()}, draft, metadata
        )
        draft.replace(folder / FILE)
    except (OSError, SafetensorError) as error:
        draft.unlink(missing_ok=True)
        raise SaveError(
            f"The checkpoint in {folder} could not be written ({error}). Free some "
            f"space; the one before is untouched."
        ) from error


def load_checkpoint(
    folder: Path, network: Embedder, average: Embedder, optimiser: torch.optim.Optimizer
) -> int:
    """Read a checkpoint into network, average and optimiser.

    Returns
    -------
    int
        The step it was written after.

    Raises
    ------
    BadModelError
        When there is none, or it belongs to another network.
    """
    path = folder / FILE
    try:
        with safe_open(path, "pt") as opened:
            step = int(opened.metadata()["step"])
        tensors = load_file(path)
        network.load_state_dict(_under("network.", tensors))
        average.load_state_dict(_under("average.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("optimiser.", tensors).items():
            index, name = key.split(".", 1)
            state.setdefault(int(index), {})[name] = value
        for place, weight in enumerate(_weights(optimiser)):
            # Fused optimisers take all tensors of a weight as laid out alike.
            state[place] = {
                name: torch.empty_like(weight).copy_(value)
                if value.shape == weight.shape
                else value
                for name, value in state[place].items()
            }
        whole: dict[str, Any] = optimiser.state_dict()
        optimiser.load_state_dict(
            {"state": state, "param_groups": whole["param_groups"]}
        )
    except FileNotFoundError:
        raise BadModelError(
            f"{folder}: expected a checkpoint {FILE} to resume from, found none. Start "
            f"without --resume."
        ) from None
    except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise BadModelError(
            f"{path}: expected a checkpoint of the same network, found another or a "
            f"damaged one ({type(error).__name__}). Start anew in another folder."
        ) from error
    return step


def saved_facts(folder: Path) -> TrainFacts | None:
    """Read what a checkpoint was trained on and how; None when there is none.

    Raises
    ------
    BadModelError
        When the checkpoint is damaged, or was written by another release.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as opened:
            return TrainFacts.model_validate_json(opened.metadata()["facts"])
    except (OSError, SafetensorError, KeyError, TypeError, ValidationError) as error:
        raise BadModelError(
            f"{path}: expected a checkpoint of this release, found a damaged one or "
            f"one of another release ({type(error).__name__}). Start anew in another "
            f"folder."
        ) from error


def _weights(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [w.detach() for group in optimiser.param_groups for w in group["params"]]


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
