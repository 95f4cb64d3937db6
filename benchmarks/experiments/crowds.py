"""Still pictures of crowds, and how well their embeddings tell cells apart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score
from torch import nn

from napari_semiconv.network.frames import normalise
from napari_semiconv.network.losses import crowding, neighbours
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.tracking.measures.instances import InstanceTally
from napari_semiconv.tracking.measures.matching import measure_overlaps

from .apart import cluster
from .pictures import Generator, Picture
from .stills import Labels, Plan

DIAMETER = 12.0  # px
COVER = 0.65  # share of the picture that cells cover
# Of a pixel's place beside its unit embedding: cells that touch differ by a third of
# what orthogonal embeddings differ by.
PLACE_WEIGHT = 0.5 / DIAMETER  # 1/px
ALIKE = 0.5  # cosine from which two cells have one embedding, for those who look
Codes = NDArray[np.float64]


def crowd(random: Generator, side: int) -> Picture:
    """Draw crowded nuclei of about the same brightness.

    Parameters
    ----------
    random
        Source of randomness.
    side
        Height and width, px.
    """
    return _crowd(int(random.integers(2**31)), side)


@lru_cache(maxsize=2000)  # every network of a seed learns from the same pictures
def _crowd(seed: int, side: int) -> Picture:
    settings = SyntheticSettings(
        kind="nuclei",
        frames=1,
        height=side,
        width=side,
        cells=round(COVER * side**2 / (np.pi / 4 * DIAMETER**2)),
        diameter=DIAMETER,
        spread=1.5,
        blur=0.8,
    )
    movie = simulate(settings, seed)
    image = normalise(movie.images[0].astype(np.float32), 1, DIAMETER)[0]
    return Picture(image, movie.labels[0])


@dataclass(frozen=True)
class Parts:
    """What is clustered in one picture.

    Parameters
    ----------
    picture
        The picture and its truth.
    unit
        Unit embedding of each foreground pixel, (P, D).
    place
        y and x of each, (P, 2), px.
    """

    picture: Picture
    unit: Codes
    place: Codes

    def codes(self, *, placed: bool) -> Codes:
        """Give the codes to cluster, (P, D) or with the place (P, D + 2)."""
        if not placed:
            return self.unit
        return np.concatenate([self.unit, self.place * PLACE_WEIGHT], 1)

    def labelled(self, plan: Plan, *, placed: bool) -> Labels:
        """Cells that HDBSCAN finds in the foreground, (Y, X)."""
        inside = self.picture.labels > 0
        labels = np.zeros(inside.shape, np.int32)
        labels[inside] = cluster(self.codes(placed=placed), plan.smallest, plan.sample)
        return labels


@torch.no_grad()
def look(network: nn.Module, pictures: Sequence[Picture]) -> Iterator[Parts]:
    """Run a network over pictures of which the foreground is known."""
    device = next(network.parameters()).device
    for picture in pictures:
        output, _ = network(torch.from_numpy(picture.image)[None, None].to(device))
        inside = picture.labels > 0
        unit = F.normalize(output.embedding[0], dim=0).cpu().numpy()
        place = np.argwhere(inside).astype(np.float64)
        yield Parts(picture, unit[:, inside].T.astype(np.float64), place)


@dataclass(frozen=True)
class Seen:
    """How well the embeddings of one network tell cells apart.

    Parameters
    ----------
    scores
        Measures by name, from 0 to 1, 1 being perfect.
    shown
        Cells of the first picture, clustered without and with places, each (Y, X).
    """

    scores: Mapping[str, float]
    shown: tuple[Labels, Labels]


def measure(parts: Sequence[Parts], plan: Plan) -> Seen:
    """Cluster every picture without and with places, and compare with the truth.

    The measures are SEG and the adjusted Rand index of foreground pixels, both ways,
    and the shares of pairs of cells whose embeddings differ.
    """
    scores: dict[str, float] = {}
    shown = []
    for name, placed in (("", False), (" with place", True)):
        tally, rand = InstanceTally(), []
        pictures = [part.labelled(plan, placed=placed) for part in parts]
        for part, labels in zip(parts, pictures, strict=True):
            truth = part.picture.labels
            tally.add(measure_overlaps(truth, labels))
            rand.append(adjusted_rand_score(truth[truth > 0], labels[truth > 0]))
        scores[f"ARI{name}"] = float(np.mean(rand))
        scores[f"SEG{name}"] = tally.seg or 0.0
        shown.append(pictures[0])
    return Seen(scores | told_apart(parts), (shown[0], shown[1]))


def told_apart(parts: Sequence[Parts]) -> dict[str, float]:
    """Shares of the pairs of cells whose mean embeddings differ."""
    near, far = [], []
    for part in parts:
        cosine = cosines(part)
        touching = adjacency(part.picture.labels, DIAMETER)
        others = ~np.eye(len(cosine), dtype=bool)
        near.append(cosine[touching])
        far.append(cosine[others])
    return {
        "touching told apart": float(np.mean(np.concatenate(near) < ALIKE)),
        "all told apart": float(np.mean(np.concatenate(far) < ALIKE)),
    }


def cosines(part: Parts) -> Codes:
    """Cosine between the mean embeddings of all cells, in order of label, (K, K)."""
    labels = part.picture.labels[part.picture.labels > 0]
    _, cell = np.unique(labels, return_inverse=True)
    mean = np.stack([np.bincount(cell, column) for column in part.unit.T], 1)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    return np.asarray(mean @ mean.T)


def adjacency(labels: Labels, radius: float) -> NDArray[np.bool_]:
    """Which cells are neighbours by the rule of the loss, (K, K)."""
    found = neighbours(torch.from_numpy(labels).long()[None], radius)
    return np.asarray(found.numpy())


def crowded(pictures: Sequence[Picture], radius: float) -> float:
    """Most cells that must all differ from one another, mean over pictures."""
    return float(
        np.mean(
            [crowding(torch.from_numpy(adjacency(p.labels, radius))) for p in pictures]
        )
    )


def means(trials: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean and, as ``± NAME``, deviation of each measure over seeds."""
    found: dict[str, float] = {}
    for name in trials[0]:
        values = [trial[name] for trial in trials]
        found[name] = float(np.mean(values))
        found[f"± {name}"] = float(np.std(values))
    return found
