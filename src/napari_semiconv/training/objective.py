"""The sum of losses that a clip is trained on."""

import zlib
from dataclasses import dataclass

import torch
from torch import Tensor

from ..network import losses
from ..network.embedder import Embedder, Output
from ..network.semiconv import pixel_grid
from .clips import Clip
from .settings import TrainSettings

PIXELS = 8.0  # px of vote error that weigh as much as a wholly wrong embedding
# Neven et al. weigh the variance of s by 10; log sigma is -5 s and a constant.
SMOOTHNESS = 10 / 5**2


@dataclass(frozen=True)
class Votes:
    """What the losses of the pixel heads share.

    Parameters
    ----------
    maps
        Outputs of the heads over the clip, each (T, C, Y, X).
    labels
        Label clip, (T, Y, X).
    cells
        Its cells.
    at_cells
        Votes of the cell pixels, (P, 2), px.
    centre
        What they are drawn to, (M, 2), px.
    """

    maps: dict[str, Tensor]
    labels: Tensor
    cells: losses.Cells
    at_cells: Tensor
    centre: Tensor


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
        Neighbour rule, version of the cosine loss, and how votes are trained.
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
    adjacent = _neighbours(labels, settings)
    targets = _targets(clip, len(adjacent), settings, device)
    found = {
        f"cosine {stack}" if stack else "cosine": losses.cosine_embedding_loss(
            torch.cat([output.embeddings[stack] for output in outputs]),
            labels,
            adjacent,
            pull=settings.pull,
            fixed_background=settings.background == "fixed",
            targets=targets,
        )
        for stack in range(network.settings.stacks)
    }
    if network.kernel is not None:
        votes = _votes(outputs, labels, settings)
        found |= _vote_losses(network, votes, settings)
        found |= _other_losses(votes, clip.parents)
        if settings.repulsion:
            margin = settings.repulsion_margin * settings.cell_size
            apart = losses.repulsion_loss(votes.centre, votes.cells, adjacent, margin)
            found["repulsion"] = settings.repulsion * apart / PIXELS**2
    return found


def _neighbours(labels: Tensor, settings: TrainSettings) -> Tensor:
    radius = settings.neighbour_radius * settings.cell_size
    if settings.neighbour_rule == "2018":
        return losses.neighbours(labels, radius)
    return losses.neighbours_2019(labels, radius, settings.neighbour_dilation)


def _targets(
    clip: Clip, count: int, settings: TrainSettings, device: torch.device
) -> Tensor | None:
    # Chance comes from the clip itself, so that a resumed training draws the same.
    generator = torch.Generator().manual_seed(zlib.crc32(clip.labels.tobytes()))
    targets = losses.sample_cells(count, settings.most_cells, generator)
    return None if targets is None else targets.to(device)


def _votes(outputs: list[Output], labels: Tensor, settings: TrainSettings) -> Votes:
    names = ("offset", "motion", "seed", "foreground", "bandwidth")
    maps = {
        name: torch.cat([getattr(output, name) for output in outputs])
        for name in names
        if getattr(outputs[0], name) is not None
    }
    cells = losses.Cells.of(labels)
    place = losses.positions(cells, maps["offset"])
    at_cells = _at_cells(maps["offset"], cells) + place
    centre = losses.centres_of(settings.centre, at_cells, place, cells)
    return Votes(maps, labels, cells, at_cells, centre)


def _at_cells(maps: Tensor, cells: losses.Cells) -> Tensor:
    """Take maps, (T, C, Y, X), at the cell pixels, (P, C)."""
    return maps.movedim(1, -1).flatten(0, 2)[cells.pixel]


def _vote_losses(
    network: Embedder, votes: Votes, settings: TrainSettings
) -> dict[str, Tensor]:
    """Losses of votes, kernel width and seed map."""
    assert network.kernel is not None
    found: dict[str, Tensor] = {}
    cells, centre = votes.cells, votes.centre
    sigma = network.kernel.sigma
    own: Tensor | None = None
    if "bandwidth" in votes.maps:
        log_sigma = _at_cells(votes.maps["bandwidth"], cells).squeeze(1)
        smoothness, own = losses.smoothness_loss(log_sigma, cells)
        found["smoothness"] = SMOOTHNESS * smoothness
        sigma = own
    gaussian = settings.cell_loss == "lovasz"
    if gaussian:
        everywhere = votes.maps["offset"] + pixel_grid(votes.maps["offset"])
        found["lovasz"] = losses.lovasz_loss(
            everywhere, votes.labels, centre, sigma, cells
        )
    else:
        attraction, _ = losses.attraction_loss(votes.at_cells, cells, centre)
        kernel = losses.kernel_loss(votes.at_cells, centre, cells, network.kernel, own)
        found |= {"attraction": attraction / PIXELS, "kernel": 0.5 * kernel}
    seed = votes.maps["seed"][:, 0]
    found["seed"] = losses.seed_loss(
        seed, votes.labels, votes.at_cells, centre, cells, sigma, gaussian=gaussian
    )
    return found


def _other_losses(votes: Votes, parents: dict[int, int]) -> dict[str, Tensor]:
    """Losses of motion and foreground."""
    motion, foreground = votes.maps["motion"], votes.maps["foreground"][:, 0]
    cells = votes.cells
    origin = _at_cells(motion, cells) + losses.positions(cells, motion)
    mother = _mothers(votes.labels, parents)
    distance = losses.motion_loss(origin, votes.centre, cells, mother)
    return {
        "motion": 0.5 * distance / PIXELS,
        "foreground": losses.foreground_loss(foreground, votes.labels),
    }


def _mothers(labels: Tensor, parents: dict[int, int]) -> Tensor:
    present = torch.unique(labels[labels > 0]).tolist()
    number = {label: i for i, label in enumerate(present)}
    mothers = [number.get(parents.get(label, 0), -1) for label in present]
    return torch.tensor(mothers, dtype=torch.long, device=labels.device)
