"""Four ways to tell cells of still pictures apart, on one backbone.

The foreground is given to all of them, as in the papers' experiments on worms and
leaves: what is asked is only which pixel belongs to which cell.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from torch import Tensor, nn

from napari_semiconv.network.embedder import Embedder, Output
from napari_semiconv.network.losses import (
    Cells,
    attraction_loss,
    cosine_embedding_loss,
    neighbours,
    positions,
)
from napari_semiconv.network.region import RegionNetwork
from napari_semiconv.network.region_losses import region_losses
from napari_semiconv.network.semiconv import add_coordinates
from napari_semiconv.settings import NetworkSettings, RegionSettings

from .pictures import Picture, Simulator

Method = Literal["cosine", "semi-conv", "joint", "region"]
METHODS: tuple[Method, ...] = ("cosine", "semi-conv", "joint", "region")
Labels = NDArray[np.int32]
VOTE_SCALE = 16.0  # px of vote error that weigh as much as a wholly wrong embedding


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
    pictures, held_out
        Pictures that are learned from, turned and mirrored, and pictures for the test.
    channels
        Feature channels of each level of the backbone.
    radius
        Neighbour radius of the cosine loss, px.
    embedding
        Channels of the cosine embedding.
    smallest
        Least cluster size of HDBSCAN, px.
    vote_weight
        Factor on votes beside unit embeddings in the joint clustering, 1/px.
    sample
        Most pixels that are clustered; the others join the nearest.
    """

    simulate: Simulator
    side: int = 96
    steps: int = 300
    batch: int = 2
    rate: float = 3e-3
    pictures: int = 200
    held_out: int = 16
    channels: tuple[int, ...] = (16, 24, 32, 48, 64)
    radius: float = 48.0
    smallest: int = 25
    vote_weight: float = 0.05
    sample: int = 4000
    embedding: int = 8
    region: RegionSettings = field(default_factory=lambda: RegionSettings(crop=32))

    def told(self) -> Mapping[str, object]:
        """All that the numbers depend on, for the table."""
        return {
            "picture side (px)": self.side,
            "steps": self.steps,
            "batch": self.batch,
            "training pictures": self.pictures,
            "test pictures": self.held_out,
            "channels": "-".join(map(str, self.channels)),
            "neighbour radius (px)": self.radius,
            "least cluster (px)": self.smallest,
            "vote weight (1/px)": self.vote_weight,
            "region grid": self.region.crop,
        }


def draw_pictures(plan: Plan, count: int, seed: Sequence[int]) -> list[Picture]:
    """Draw pictures that depend on the seed alone."""
    random = np.random.default_rng(seed)
    return [plan.simulate(random, plan.side) for _ in range(count)]


def train(method: Method, plan: Plan, seed: int, device: str) -> nn.Module:
    """Train one method from scratch; the same seed shows all the same pictures.

    Returns
    -------
    nn.Module
        The network, in evaluation mode.
    """
    torch.manual_seed(seed)
    network = build(method, plan).to(device)
    known = draw_pictures(plan, plan.pictures, (seed, 0))
    random = np.random.default_rng((seed, 1))
    optimiser = torch.optim.Adam(network.parameters(), plan.rate)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [plan.steps * 2 // 3])
    for _ in range(plan.steps):
        images, labels = (x.to(device) for x in _draw_batch(known, plan.batch, random))
        loss = loss_of(method, network, images, labels, plan)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def build(method: Method, plan: Plan) -> nn.Module:
    """Make an untrained network; the backbone is the same for all methods."""
    settings = NetworkSettings(
        image_channels=1,
        stacks=1,
        channels=plan.channels,
        normalise=True,
        memory="none",
        embedding_size=plan.embedding,
        offsets=method in ("semi-conv", "joint"),
    )
    if method == "region":
        return RegionNetwork(settings, plan.region)
    return Embedder(settings)


def loss_of(
    method: Method, network: nn.Module, images: Tensor, labels: Tensor, plan: Plan
) -> Tensor:
    """Work out the loss of a batch of images, (B, 1, Y, X), and labels, (B, Y, X)."""
    output, _ = network(images)
    if method == "region":
        assert isinstance(network, RegionNetwork)
        return torch.stack([*region_losses(network, output, labels).values()]).sum()
    total = images.new_zeros(())
    cells = Cells.of(labels)
    if method in ("cosine", "joint"):
        adjacent = neighbours(labels, plan.radius)
        # A label is of one picture only; cells of two pictures are no neighbours.
        home = cells.frame[cells.owner.argsort()]
        adjacent &= home[:, None] == home
        total = total + cosine_embedding_loss(output.embedding, labels, adjacent)
    if method in ("semi-conv", "joint"):
        votes = output.offset.movedim(1, -1).flatten(0, 2)[cells.pixel]
        votes = votes + positions(cells, output.offset)
        total = total + attraction_loss(votes, cells)[0] / VOTE_SCALE
    return total


@torch.no_grad()
def take_apart(
    method: Method, network: nn.Module, picture: Picture, plan: Plan
) -> Labels:
    """Label the cells of a picture of which the foreground is known, (Y, X)."""
    device = next(network.parameters()).device
    image = torch.from_numpy(picture.image)[None, None].to(device)
    output, _ = network(image)
    inside = picture.labels > 0
    if method == "region":
        assert isinstance(network, RegionNetwork)
        painted = network.paint(network.instances(output)[0]).numpy()
        return np.where(inside, painted, 0).astype(np.int32)
    codes = _codes(method, output, plan)[:, torch.from_numpy(inside)].T
    labels = np.zeros(inside.shape, np.int32)
    labels[inside] = cluster(codes.cpu().numpy().astype(np.float64), plan)
    return labels


def _codes(method: Method, output: Output, plan: Plan) -> Tensor:
    """Work out what is clustered at each pixel, (D, Y, X)."""
    unit = F.normalize(output.embedding[0], dim=0)
    if method == "cosine":
        return unit.cpu()
    assert output.offset is not None  # these methods have the heads
    votes = add_coordinates(output.offset)[0]
    if method == "semi-conv":
        return votes.cpu()
    return torch.cat([unit, votes * plan.vote_weight]).cpu()


def cluster(codes: NDArray[np.float64], plan: Plan) -> Labels:
    """Cluster pixels, (P, D), by HDBSCAN; noise joins the nearest cluster, (P,)."""
    step = -(-len(codes) // plan.sample) or 1
    sample = codes[::step]
    least = max(plan.smallest // step, 4)
    if len(sample) <= least:
        return np.ones(len(codes), np.int32)
    from hdbscan import HDBSCAN

    engine = HDBSCAN(min_cluster_size=least, min_samples=5, core_dist_n_jobs=1)
    found = engine.fit_predict(sample)
    sure = found >= 0
    if not sure.any():
        return np.ones(len(codes), np.int32)
    _, nearest = cKDTree(sample[sure]).query(codes)
    return np.asarray(found[sure][nearest] + 1, np.int32)


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


Score = Callable[[Sequence[Picture], Sequence[Labels]], Mapping[str, float]]


@dataclass(frozen=True)
class Trial:
    """One method with one seed.

    Parameters
    ----------
    method
        Which way.
    seed
        Of weights and pictures.
    scores
        Measures by name.
    found
        Label images of the test pictures.
    """

    method: Method
    seed: int
    scores: Mapping[str, float]
    found: Sequence[Labels]


def compare(plan: Plan, seeds: Sequence[int], device: str, score: Score) -> list[Trial]:
    """Train and test every method with every seed, all on the same test pictures."""
    tests = test_pictures(plan)
    trials = []
    for seed in seeds:
        for method in METHODS:
            network = train(method, plan, seed, device)
            found = [take_apart(method, network, picture, plan) for picture in tests]
            trials.append(Trial(method, seed, score(tests, found), found))
    return trials


def test_pictures(plan: Plan) -> list[Picture]:
    """Draw the held-out pictures, the same whatever the seed of the training."""
    return draw_pictures(plan, plan.held_out, (2018, 2))


def spread(trials: Sequence[Trial], method: Method, name: str) -> tuple[float, float]:
    """Mean and standard deviation of a measure over the seeds of a method."""
    values = [trial.scores[name] for trial in trials if trial.method == method]
    return float(np.mean(values)), float(np.std(values))
