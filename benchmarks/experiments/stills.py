"""Five ways to tell cells of still pictures apart, on one backbone: how they learn.

The foreground is given to all of them, as in the papers' experiments on worms and
leaves: what is asked is only which pixel belongs to which cell.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, MultiStepLR

from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.losses import (
    Cells,
    attraction_loss,
    cosine_embedding_loss,
    neighbours,
    positions,
    repulsion_loss,
)
from napari_semiconv.network.region import region_losses
from napari_semiconv.settings import NetworkSettings, RegionHeadSettings

from .pictures import Picture, Simulator

# Votes learn by attraction alone, as published, or semi-convolutional ones in addition
# by a repulsion, without which a padded network can send all of them to one place.
Method = Literal["cosine", "attraction", "semi-conv", "joint", "region"]
METHODS: tuple[Method, ...] = ("cosine", "attraction", "semi-conv", "joint", "region")
VOTING = ("attraction", "semi-conv", "joint")
Labels = NDArray[np.int32]
VOTE_SCALE = 16.0  # px of vote error that weigh as much as a wholly wrong embedding
WARM_UP = 0.1  # share of the steps in which the rate of one cycle rises
LARGEST_GRADIENT = 5.0


@dataclass(frozen=True)
class Plan:
    """How networks are trained and pictures are taken apart.

    Parameters
    ----------
    simulate
        Draws the pictures.
    side
        Height and width of a picture, px.
    steps, batch, rate
        Training steps, pictures per step, and the learning rate of Adam, which is
        divided by ten for the last third.
    pictures, tuning, held_out
        Pictures that are learned from, turned and mirrored; pictures on which the
        settings of the clustering are chosen; pictures for the test.
    channels
        Feature channels of each level of the backbone.
    radius
        Neighbour radius of the cosine loss, px.
    embedding
        Channels of the cosine embedding.
    margin
        Distance that the mean votes of two cells are pushed to, px.
    quick
        Learn more per second: the rate rises and falls in one cycle, gradients are
        bounded, tensors lie channels last, and the finest skip path is bare.
    smallest
        Least cluster size of HDBSCAN where it is not chosen, px.
    sample
        Most pixels that are clustered; the others join the nearest.
    """

    simulate: Simulator
    side: int = 96
    steps: int = 300
    batch: int = 2
    rate: float = 3e-3
    pictures: int = 200
    tuning: int = 12
    held_out: int = 16
    channels: tuple[int, ...] = (16, 24, 32, 48, 64)
    radius: float = 48.0
    embedding: int = 8
    margin: float = 20.0
    quick: bool = False
    smallest: int = 25
    sample: int = 4000
    region: RegionHeadSettings = field(
        default_factory=lambda: RegionHeadSettings(crop=32)
    )

    def told(self) -> Mapping[str, object]:
        """All that the numbers depend on, for the table."""
        return {
            "picture side (px)": self.side,
            "steps": self.steps,
            "batch": self.batch,
            "highest rate": self.rate,
            "training pictures": self.pictures,
            "tuning pictures": self.tuning,
            "test pictures": self.held_out,
            "channels": "-".join(map(str, self.channels)),
            "neighbour radius (px)": self.radius,
            "vote margin (px)": self.margin,
            "least cluster (px)": self.smallest,
            "region grid": self.region.crop,
        }

    def learning(self) -> tuple[object, ...]:
        """All that a trained network depends on beside method and seed."""
        return (
            self.simulate.__qualname__, self.side, self.steps, self.batch, self.rate,
            self.pictures, self.channels, self.radius, self.embedding, self.margin,
            self.quick, self.region,
        )  # fmt: skip


def draw_pictures(plan: Plan, count: int, seed: Sequence[int]) -> list[Picture]:
    """Draw pictures that depend on the seed alone."""
    return list(_drawn(plan.simulate, plan.side, count, tuple(seed)))


@lru_cache(maxsize=8)  # every method of a seed learns from the same pictures
def _drawn(
    simulate: Simulator, side: int, count: int, seed: tuple[int, ...]
) -> tuple[Picture, ...]:
    random = np.random.default_rng(seed)
    return tuple(simulate(random, side) for _ in range(count))


def test_pictures(plan: Plan) -> list[Picture]:
    """Draw the held-out pictures, the same whatever the seed of the training."""
    return draw_pictures(plan, plan.held_out, (2018, 2))


def tuning_pictures(plan: Plan) -> list[Picture]:
    """Draw pictures that are neither learned from nor tested on."""
    return draw_pictures(plan, plan.tuning, (2018, 3))


def train(method: Method, plan: Plan, seed: int, device: str) -> Embedder:
    """Train one method from scratch; the same seed shows all the same pictures.

    Returns
    -------
    nn.Module
        The network, in evaluation mode.
    """
    torch.manual_seed(seed)
    network = build(method, plan).to(device)
    if plan.quick:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    known = draw_pictures(plan, plan.pictures, (seed, 0))
    random = np.random.default_rng((seed, 1))
    optimiser = torch.optim.Adam(network.parameters(), plan.rate)
    schedule = _schedule(optimiser, plan)
    for _ in range(plan.steps):
        images, labels = (x.to(device) for x in _draw_batch(known, plan.batch, random))
        loss = loss_of(method, network, images, labels, plan)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if plan.quick:
            nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
    return network.eval()


def _schedule(optimiser: torch.optim.Optimizer, plan: Plan) -> LRScheduler:
    if not plan.quick:
        return MultiStepLR(optimiser, [plan.steps * 2 // 3])
    rise = max(1, round(WARM_UP * plan.steps))

    def factor(step: int) -> float:
        fall = 0.5 + 0.5 * math.cos(math.pi * (step - rise) / max(plan.steps - rise, 1))
        return (step + 1) / rise if step < rise else fall

    return LambdaLR(optimiser, factor)


def build(method: Method, plan: Plan) -> Embedder:
    """Make an untrained network; the backbone is the same for all methods."""
    settings = NetworkSettings(
        image_channels=1,
        stacks=1,
        channels=plan.channels,
        normalise=True,
        memory="none",
        memory_from=1 if plan.quick else 0,
        embedding_size=plan.embedding,
        offsets=method in VOTING,
        region=plan.region if method == "region" else None,
    )
    return Embedder(settings)


def loss_of(
    method: Method, network: Embedder, images: Tensor, labels: Tensor, plan: Plan
) -> Tensor:
    """Work out the loss of a batch of images, (B, 1, Y, X), and labels, (B, Y, X)."""
    output, _ = network(images)
    if method == "region":
        assert network.region is not None  # built with its heads
        found = region_losses(network.region, output.maps, labels)
        return torch.stack([*found.values()]).sum()
    total = images.new_zeros(())
    cells = Cells.of(labels)
    if method in ("cosine", "joint"):
        adjacent = neighbours(labels, plan.radius)
        # A label is of one picture only; cells of two pictures are no neighbours.
        home = cells.frame[cells.owner.argsort()]
        adjacent &= home[:, None] == home
        total = total + cosine_embedding_loss(output.embedding, labels, adjacent)
    if method in VOTING:
        votes = output.offset.movedim(1, -1).flatten(0, 2)[cells.pixel]
        votes = votes + positions(cells, output.offset)
        margin = 0.0 if method == "attraction" else plan.margin
        total = total + _vote_loss(votes, cells, margin)
    return total


def _vote_loss(votes: Tensor, cells: Cells, margin: float) -> Tensor:
    pull, centre = attraction_loss(votes, cells)
    if not margin:
        return pull / VOTE_SCALE
    every = torch.ones((cells.count, cells.count), dtype=torch.bool, device=pull.device)
    every.fill_diagonal_(fill_value=False)
    push = repulsion_loss(centre, cells, every, margin) / margin
    return (pull + push) / VOTE_SCALE


def _draw_batch(
    known: Sequence[Picture], size: int, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw turned and mirrored pictures; every cell of a batch has its own label."""
    images, labels, used = [], [], 0
    for index in random.integers(len(known), size=size):
        picture, turns = known[index], int(random.integers(4))
        turn = _mirrored if random.integers(2) else np.rot90
        images.append(turn(picture.image, turns).copy())
        cells = turn(picture.labels, turns).astype(np.int64)
        labels.append(np.where(cells > 0, cells + used, 0))
        used += int(cells.max())
    return torch.from_numpy(np.stack(images)[:, None]), torch.from_numpy(
        np.stack(labels)
    )


def _mirrored(image: NDArray[np.float32], turns: int) -> NDArray[np.float32]:
    return np.rot90(image[::-1], turns)
