"""The sum of losses that a clip is trained on."""

import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

from ..network import losses
from ..network.embedder import Embedder, Output
from ..network.heads import HEADS, Example
from ..network.region import region_losses
from .batch import computing_in, is_half
from .clips import Clip
from .settings import TrainSettings


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
    images = torch.from_numpy(clip.images).to(device)
    with computing_in(device, half=is_half(settings, device)):
        outputs = run_clip(network, images, warm=clip.warm)
    return losses_of(network, outputs, clip, settings, device, adjacent)


def losses_of(
    network: Embedder,
    outputs: list[Output],
    clip: Clip,
    settings: TrainSettings,
    device: torch.device,
    adjacent: Tensor | None = None,
) -> dict[str, Tensor]:
    """Work out every loss of what the network predicted for one clip.

    Parameters
    ----------
    outputs
        Outputs whose frames, one after the other, are those of the clip.
    network, clip, settings, device, adjacent
        See `clip_losses`.
    """
    labels = torch.from_numpy(clip.labels).to(device)
    # Sums over many pixels lose too much in half precision.
    with computing_in(device, half=False):
        if adjacent is None:
            adjacent = clip_neighbours(clip, settings, device)
        example = Example(
            embeddings=tuple(
                map(_joined, zip(*(o.embeddings for o in outputs), strict=True))
            ),
            maps={n: _joined([o.maps[n] for o in outputs]) for n in outputs[0].maps},
            labels=labels,
            adjacent=adjacent,
            parents=clip.parents,
            targets=_targets(clip, len(adjacent), settings, device),
            kernel=network.kernel,
            choices=settings,
        )
        found: dict[str, Tensor] = {}
        for name in ("embedding", *network.settings.pixel_heads):
            found |= HEADS[name].losses(example)
        if network.region is not None:
            found |= region_losses(
                network.region, example.maps, labels, generator=_chance(clip)
            )
    return found


def _joined(maps: Sequence[Tensor]) -> Tensor:
    """Join maps of some frames, each (1, C, Y, X), as one in full precision."""
    return torch.cat([frame.float() for frame in maps])


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


def _targets(
    clip: Clip, count: int, settings: TrainSettings, device: torch.device
) -> Tensor | None:
    targets = losses.sample_cells(count, settings.most_cells, _chance(clip))
    return None if targets is None else targets.to(device)


def _chance(clip: Clip) -> torch.Generator:
    """Take chance from the clip itself, so that a resumed training draws the same."""
    return torch.Generator().manual_seed(zlib.crc32(clip.labels.tobytes()))
