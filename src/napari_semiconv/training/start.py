"""What a training begins with: folder, network, optimiser, learning rate."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import nn

from ..errors import BadSettingsError, DeviceError
from ..network.embedder import Embedder
from ..network.weights import load_model
from ..safe import saving
from ..settings import NETWORK_PRESETS, NetworkSettings
from .settings import OF_NETWORK, TrainSettings

# A resumed training keeps these: the weights or the optimiser's memory hang on them.
KEPT = ("preset", "start", "cell_size", "batch", "optimiser", *OF_NETWORK)
OF_VOTES = ("operator", "bandwidth", "kernel", "cell_loss", "centre", "repulsion")


@contextmanager
def fresh_folder(output: Path) -> Iterator[None]:
    """Make a folder; when what follows fails, it is gone again with those above it.

    Parameters
    ----------
    output
        Folder that may exist.

    Raises
    ------
    SaveError
        When it cannot be made.
    """
    made = [place for place in (output, *output.parents) if not place.exists()]
    with saving(output):
        output.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):  # what others have put there stays
            for place in made:
                place.rmdir()
        raise


def first_network(settings: TrainSettings) -> Embedder:
    """Build the network that a training begins with, on the CPU.

    Raises
    ------
    BadModelError
        When the model to start from cannot be read.
    BadSettingsError
        When it expects cells of another size than the training shows it, or settings
        ask for what the network has not.
    """
    if not settings.start:
        shape = _shape_of(_preset(settings.preset), settings)
        _check_heads(shape, settings)
        return Embedder(shape)
    model = load_model(settings.start, "cpu")
    if model.info.cell_size != settings.cell_size:
        raise BadSettingsError(
            f"Model '{settings.start}': expected a model for cells of "
            f"{settings.cell_size:g} px, found one for {model.info.cell_size:g} px. "
            f"Train with that cell size."
        )
    shape = _shape_of(model.info.network, settings)
    _check_heads(shape, settings)
    return _reshaped(model.network, shape, settings)


def _preset(name: str) -> NetworkSettings:
    if name not in NETWORK_PRESETS:
        raise BadSettingsError(
            f"Preset '{name}': expected one of {', '.join(NETWORK_PRESETS)}. Choose "
            f"one of these names."
        )
    return NETWORK_PRESETS[name]


def _shape_of(base: NetworkSettings, settings: TrainSettings) -> NetworkSettings:
    """Apply what was chosen of the network."""
    chosen = {name: getattr(settings, name) for name in OF_NETWORK}
    if settings.cell_loss == "lovasz" and not settings.start:
        # The hinge was published with the Gaussian.
        chosen["kernel"] = chosen["kernel"] or "gaussian"
    return base.model_copy(
        update={name: value for name, value in chosen.items() if value is not None}
    )


def _check_heads(shape: NetworkSettings, settings: TrainSettings) -> None:
    """Refuse choices about votes for a network that has none."""
    usual = TrainSettings()
    asked = [n for n in OF_VOTES if getattr(settings, n) != getattr(usual, n)]
    if asked and not shape.offsets:
        where = settings.start or settings.preset
        raise BadSettingsError(
            f"'{where}': expected a network with semi-convolutional heads for the "
            f"choice of {_titles(asked)}, found one without. Train another preset, or "
            f"leave that choice out."
        )


def _reshaped(
    network: Embedder, shape: NetworkSettings, settings: TrainSettings
) -> Embedder:
    """Give a trained network other choices, where its weights fit them."""
    if network.settings == shape:
        return network
    changed = Embedder(shape)
    try:
        changed.load_state_dict(network.state_dict())
    except RuntimeError:
        other = [
            n for n in OF_NETWORK if getattr(shape, n) != getattr(network.settings, n)
        ]
        raise BadSettingsError(
            f"Model '{settings.start}': expected the {_titles(other)} that it was "
            f"trained with, found another choice. Leave it out, or train a new network."
        ) from None
    return changed


def check_kept(before: TrainSettings, now: TrainSettings, output: Path) -> None:
    """Refuse to resume with settings that would not be the same training.

    Raises
    ------
    BadSettingsError
        Names the settings.
    """
    other = [name for name in KEPT if getattr(before, name) != getattr(now, name)]
    if other:
        raise BadSettingsError(
            f"{output}: expected the {_titles(other)} that this training began with, "
            f"found another choice. Resume without it, or start in a new folder."
        )


def _titles(names: list[str]) -> str:
    fields = TrainSettings.model_fields
    return ", ".join(str(fields[name].title).lower() for name in names)


def check_precision(device: torch.device, settings: TrainSettings) -> None:
    """Refuse half precision where PyTorch has none.

    Raises
    ------
    DeviceError
        Names the device.
    """
    if settings.precision != "bfloat16":
        return
    if not torch.amp.is_autocast_available(device.type):
        raise DeviceError(
            f"Device '{device.type}': expected one on which PyTorch can train in "
            f"{settings.precision}, found none. Choose float32."
        )


def optimiser_of(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Build the optimiser.

    Parameters
    ----------
    network
        The network.
    settings
        Which optimiser, and its decay: of all weights with AdamW; with Adam and Nadam a
        loss of half the squared length of the kernels, without biases (Payer et al.).

    Returns
    -------
    Optimizer
        Its learning rate is set before each step, see `learning_rate`.
    """
    decay = settings.weight_decay
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(
            network.parameters(), weight_decay=decay, fused=_can_fuse(network)
        )
    kernels = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if settings.optimiser == "adam":
        return torch.optim.Adam(groups)
    return torch.optim.NAdam(groups)


def _can_fuse(network: nn.Module) -> bool:
    """Whether one kernel can update all weights, many times faster on the CPU."""
    return next(network.parameters()).device.type in ("cpu", "cuda")


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Learning rate of a step, counted from 0."""
    rise = min(1.0, (step + 1) / max(1, settings.warm_up))
    if settings.schedule == "step":
        rest = 1.0 if 2 * step < settings.steps else 0.1
    else:
        left = settings.steps - step
        rest = min(1.0, left / max(1.0, settings.cool_down * settings.steps))
    return settings.learning_rate * rise * rest
