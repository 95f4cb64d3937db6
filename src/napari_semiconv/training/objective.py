"""The sum of losses that a clip is trained on."""

import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network import losses
from ..network.embedder import Embedder, Output
from ..network.kernels import BilateralKernel, VoteKernel
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
        Outputs of the heads over the clip, each (T, C, Y, X); and, where the kernel
        looks at it, the unit cosine embedding as ``looks``.
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
    network: Embedder,
    clip: Clip,
    settings: TrainSettings,
    device: torch.device,
    adjacent: Tensor | None = None,
) -> dict[str, Tensor]:
    """Work out every loss of one clip.

    Parameters
    ----------
    network
        The network, in training mode.
    clip
        The example.
    settings
        Neighbour rule, version of the cosine loss, how votes are trained, precision.
    device
        Where the network is.
    adjacent
        Neighbour matrix of the clip, (K, K), where it is known already.

    Returns
    -------
    dict
        Weighted losses by name, each (), float32; their sum is minimised.
    """
    labels = torch.from_numpy(clip.labels).to(device)
    images = torch.from_numpy(clip.images).to(device)
    with _precision(device, half=settings.precision == "bfloat16"):
        outputs = run_clip(network, images, warm=clip.warm)
    # Sums over many pixels lose too much in half precision.
    with _precision(device, half=False):
        outputs = [_whole(output) for output in outputs]
        if adjacent is None:
            adjacent = clip_neighbours(clip, settings, device)
        found = _cosine_losses(network, outputs, clip, settings, adjacent)
        if network.kernel is None:
            return found
        votes = _votes(network.kernel, outputs, labels, settings)
        found |= _vote_losses(network.kernel, votes, settings)
        found |= _other_losses(votes, clip.parents)
        if settings.repulsion:
            margin = settings.repulsion_margin * settings.cell_size
            apart = losses.repulsion_loss(votes.centre, votes.cells, adjacent, margin)
            found["repulsion"] = settings.repulsion * apart / PIXELS**2
    return found


def clip_neighbours(
    clip: Clip, settings: TrainSettings, device: torch.device
) -> Tensor:
    """Find which cells of a clip must differ.

    Parameters
    ----------
    clip
        The example.
    settings
        Neighbour rule and radius.
    device
        Where to work.

    Returns
    -------
    Tensor
        Boolean matrix of the cells in ascending order of label, (K, K).
    """
    labels = torch.from_numpy(clip.labels).to(device)
    radius = settings.neighbour_radius * settings.cell_size
    if clip.neighbours is not None:
        return _visible(torch.from_numpy(clip.neighbours).to(device), labels)
    if settings.neighbour_rule == "2018":
        return losses.neighbours(labels, radius)
    return losses.neighbours_2019(labels, radius, settings.neighbour_dilation)


def _visible(pairs: Tensor, labels: Tensor) -> Tensor:
    """Matrix, (K, K), of the pairs of labels, (N, 2), that are seen in a clip."""
    present = torch.unique(labels[labels > 0])
    found = torch.zeros((len(present),) * 2, dtype=torch.bool, device=labels.device)
    seen = pairs[torch.isin(pairs, present).all(1)]
    one, other = torch.searchsorted(present, seen).T
    found[one, other] = True
    return found


def _precision(device: torch.device, *, half: bool) -> AbstractContextManager[object]:
    """Run in bfloat16 where that is safe, or all in full precision."""
    if not torch.amp.is_autocast_available(device.type):
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def _whole(output: Output) -> Output:
    """Bring all maps to full precision."""
    given = {f.name: getattr(output, f.name) for f in fields(output)}
    maps = {k: v.float() for k, v in given.items() if isinstance(v, Tensor)}
    return replace(
        output, embeddings=tuple(e.float() for e in output.embeddings), **maps
    )


def _cosine_losses(
    network: Embedder,
    outputs: list[Output],
    clip: Clip,
    settings: TrainSettings,
    adjacent: Tensor,
) -> dict[str, Tensor]:
    """Loss of the cosine embedding of every stack."""
    device = adjacent.device
    labels = torch.from_numpy(clip.labels).to(device)
    targets = _targets(clip, len(adjacent), settings, device)
    return {
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


def _targets(
    clip: Clip, count: int, settings: TrainSettings, device: torch.device
) -> Tensor | None:
    # Chance comes from the clip itself, so that a resumed training draws the same.
    generator = torch.Generator().manual_seed(zlib.crc32(clip.labels.tobytes()))
    targets = losses.sample_cells(count, settings.most_cells, generator)
    return None if targets is None else targets.to(device)


def _votes(
    kernel: VoteKernel, outputs: list[Output], labels: Tensor, settings: TrainSettings
) -> Votes:
    names = ("offset", "motion", "seed", "foreground", "bandwidth")
    maps = {
        name: torch.cat([getattr(output, name) for output in outputs])
        for name in names
        if getattr(outputs[0], name) is not None
    }
    if isinstance(kernel, BilateralKernel):
        embedding = torch.cat([output.embedding for output in outputs])
        maps["looks"] = F.normalize(embedding, dim=1, eps=losses.EPS)
    cells = losses.Cells.of(labels)
    place = losses.positions(cells, maps["offset"])
    at_cells = _at_cells(maps["offset"], cells) + place
    centre = losses.centres_of(settings.centre, at_cells, place, cells)
    return Votes(maps, labels, cells, at_cells, centre)


def _at_cells(maps: Tensor, cells: losses.Cells) -> Tensor:
    """Take maps, (T, C, Y, X), at the cell pixels, (P, C)."""
    return maps.movedim(1, -1).flatten(0, 2)[cells.pixel]


def _with_looks(votes: Votes) -> tuple[Tensor, Tensor]:
    """Votes, (P, D), and their centres, (M, D), with the appearance if it counts."""
    if "looks" not in votes.maps:
        return votes.at_cells, votes.centre
    cells = votes.cells
    looks = _at_cells(votes.maps["looks"], cells)
    usual = losses.mean_by(looks, cells.piece, len(cells.frame))
    goal = F.normalize(usual, dim=1, eps=losses.EPS)
    return torch.cat([votes.at_cells, looks], 1), torch.cat([votes.centre, goal], 1)


def _vote_losses(
    kernel: VoteKernel, votes: Votes, settings: TrainSettings
) -> dict[str, Tensor]:
    """Losses of votes, kernel width and seed map."""
    found: dict[str, Tensor] = {}
    cells, maps = votes.cells, votes.maps
    points, centre = _with_looks(votes)
    width: Tensor | None = None
    if "bandwidth" in maps:
        log_sigma = _at_cells(maps["bandwidth"], cells).squeeze(1)
        smoothness, width = losses.smoothness_loss(log_sigma, cells)
        found["smoothness"] = SMOOTHNESS * smoothness
    if settings.cell_loss == "lovasz":
        everywhere = maps["offset"] + pixel_grid(maps["offset"])
        if "looks" in maps:
            everywhere = torch.cat([everywhere, maps["looks"]], 1)
        found["lovasz"] = losses.lovasz_loss(
            everywhere, votes.labels, centre, cells, kernel, width
        )
    else:
        attraction, _ = losses.attraction_loss(votes.at_cells, cells, votes.centre)
        learned = losses.kernel_loss(points, centre, cells, kernel, width)
        found |= {"attraction": attraction / PIXELS, "kernel": 0.5 * learned}
    own = None if width is None else width[cells.piece]
    near = kernel.between(points, centre[cells.piece], own).exp()
    found["seed"] = losses.seed_loss(maps["seed"][:, 0], votes.labels, near, cells)
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
