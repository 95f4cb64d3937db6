"""The sum of losses that a clip is trained on."""

import torch
from torch import Tensor

from ..network import losses
from ..network.embedder import Embedder, Output
from .clips import Clip
from .settings import TrainSettings

PIXELS = 8.0  # px of vote error that weigh as much as a wholly wrong embedding


def run_clip(network: Embedder, images: Tensor, *, warm: bool) -> list[Output]:
    """Run the network over a clip, (T, C, Y, X), after its reverse or from nothing."""
    outputs, state = [], None
    if warm:
        with torch.no_grad():
            for frame in images.flip(0):
                _, state = network(frame[None], state)
    for frame in images:
        output, state = network(frame[None], state)
        outputs.append(output)
    return outputs


def clip_losses(
    network: Embedder, clip: Clip, settings: TrainSettings, device: torch.device
) -> dict[str, Tensor]:
    """Work out every loss of one clip.

    Parameters
    ----------
    network
        The network, in training mode.
    clip
        The example.
    settings
        Neighbour radius and version of the cosine loss.
    device
        Where the network is.

    Returns
    -------
    dict
        Weighted losses by name, each (); their sum is minimised.
    """
    labels = torch.from_numpy(clip.labels).to(device)
    outputs = run_clip(
        network, torch.from_numpy(clip.images).to(device), warm=clip.warm
    )
    radius = settings.neighbour_radius * settings.cell_size
    adjacent = losses.neighbours(labels, radius)
    found = {
        f"cosine {stack}" if stack else "cosine": losses.cosine_embedding_loss(
            torch.cat([output.embeddings[stack] for output in outputs]),
            labels,
            adjacent,
            pull=settings.pull,
        )
        for stack in range(network.settings.stacks)
    }
    if network.kernel is not None:
        found |= _pixel_losses(network, outputs, labels, clip.parents)
    return found


def _pixel_losses(
    network: Embedder, outputs: list[Output], labels: Tensor, parents: dict[int, int]
) -> dict[str, Tensor]:
    maps = {
        name: torch.cat([getattr(output, name) for output in outputs])
        for name in ("offset", "motion", "seed", "foreground")
    }  # each (T, C, Y, X)
    cells = losses.Cells.of(labels)
    place = losses.positions(cells, maps["offset"])

    def at_cells(name: str) -> Tensor:
        return maps[name].movedim(1, -1).reshape(-1, 2)[cells.pixel] + place

    votes = at_cells("offset")
    attraction, centre = losses.attraction_loss(votes, cells)
    assert network.kernel is not None
    sigma = network.kernel.sigma
    seed = losses.seed_loss(maps["seed"][:, 0], labels, votes, centre, cells, sigma)
    mother = _mothers(labels, parents)
    motion = losses.motion_loss(at_cells("motion"), centre, cells, mother)
    return {
        "attraction": attraction / PIXELS,
        "kernel": 0.5 * losses.kernel_loss(votes, centre, cells, network.kernel),
        "motion": 0.5 * motion / PIXELS,
        "seed": seed,
        "foreground": losses.foreground_loss(maps["foreground"][:, 0], labels),
    }


def _mothers(labels: Tensor, parents: dict[int, int]) -> Tensor:
    present = torch.unique(labels[labels > 0]).tolist()
    number = {label: i for i, label in enumerate(present)}
    mothers = [number.get(parents.get(label, 0), -1) for label in present]
    return torch.tensor(mothers, dtype=torch.long, device=labels.device)
