"""Five ways to tell cells of still pictures apart: from a network's output to cells.

How the output becomes cells has settings of its own. They are chosen for each trained
network among as many for every method, on pictures that are not those of the test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from torch import Tensor

from napari_semiconv.network.embedder import Embedder, Output
from napari_semiconv.network.losses import Cells, mean_by
from napari_semiconv.network.region import find_instances, paint
from napari_semiconv.network.semiconv import add_coordinates
from napari_semiconv.settings import RegionSettings

from .pictures import Picture
from .stills import Labels, Method

ALONE = ("attraction", "semi-conv")  # the votes are clustered, and nothing else
LEAST = (8, 10, 12, 15, 18, 21, 25, 30, 35, 40, 50, 55, 60, 70, 80, 100)  # px
Score = Callable[[Sequence[Picture], Sequence[Labels]], Mapping[str, float]]


@dataclass(frozen=True)
class Reading:
    """Settings that turn the output of a network into cells.

    Parameters
    ----------
    least
        Least cluster size of HDBSCAN, px.
    weight
        Of the pixel's place (cosine) or its vote (joint) beside the unit embedding,
        1/px.
    most_overlap, least_score
        Of the proposals of the region version.
    fill
        Whether foreground that no region takes joins the nearest cell.
    """

    least: int = 25
    weight: float = 0.02
    most_overlap: float = 0.6
    least_score: float = 0.3
    fill: bool = False

    def told(self, method: Method) -> str:
        """Say what matters for a method."""
        if method == "region":
            filled = ", filled" if self.fill else ""
            return f"overlap {self.most_overlap}, score {self.least_score}{filled}"
        placed = "" if method in ALONE else f", weight {self.weight}/px"
        return f"{self.least} px{placed}"


def readings(method: Method) -> list[Reading]:
    """List the settings that are tried, sixteen for each method."""
    if method == "region":
        return [
            Reading(most_overlap=overlap, least_score=score, fill=fill)
            for overlap in (0.5, 0.7)
            for score in (0.2, 0.3, 0.4, 0.5)
            for fill in (False, True)
        ]
    if method in ALONE:
        return [Reading(least) for least in LEAST]
    weights = (0.0, 0.01, 0.02, 0.05) if method == "cosine" else (0.05, 0.1, 0.2, 0.5)
    return [Reading(least, weight) for least in LEAST[2::4] for weight in weights]


def take_apart(
    method: Method,
    network: Embedder,
    picture: Picture,
    reading: Reading,
    sample: int = 4000,
) -> Labels:
    """Label the cells of a picture of which the foreground is known, (Y, X).

    Parameters
    ----------
    method, network
        The way, and the network that was trained so.
    picture
        The picture; of its truth the foreground alone is looked at.
    reading
        Settings.
    sample
        Most pixels that are clustered.
    """
    return _read(method, network, _look(network, picture), picture, reading, sample)


@torch.no_grad()
def _look(network: Embedder, picture: Picture) -> Output:
    device = next(network.parameters()).device
    output: Output = network(torch.from_numpy(picture.image)[None, None].to(device))[0]
    return output


@torch.no_grad()
def _read(
    method: Method,
    network: Embedder,
    output: Output,
    picture: Picture,
    reading: Reading,
    sample: int,
) -> Labels:
    inside = picture.labels > 0
    if method == "region":
        return _regions(network, output, inside, reading)
    codes = _codes(method, output, reading)[:, torch.from_numpy(inside)].T
    labels = np.zeros(inside.shape, np.int32)
    labels[inside] = cluster(codes.double().numpy(), reading.least, sample)
    return labels


def _regions(
    network: Embedder, output: Output, inside: NDArray[np.bool_], reading: Reading
) -> Labels:
    assert network.region is not None  # built with its heads
    settings = RegionSettings(
        most_overlap=reading.most_overlap,
        least_score=reading.least_score,
        candidates=500,
        most_regions=100,
        smallest=8,
    )
    shape = (inside.shape[0], inside.shape[1])
    found = find_instances(network.region, output.maps, settings)
    painted = paint(found, shape, settings)[0].numpy()
    if reading.fill and painted.any():
        _, (y, x) = ndimage.distance_transform_edt(painted == 0, return_indices=True)
        painted = painted[y, x]
    return np.where(inside, painted, 0).astype(np.int32)


def _codes(method: Method, output: Output, reading: Reading) -> Tensor:
    """Work out what is clustered at each pixel, (D, Y, X), on the CPU."""
    unit = F.normalize(output.embedding[0], dim=0)
    if method == "cosine":
        place = add_coordinates(torch.zeros_like(unit[None, :2]))[0]
        return torch.cat([unit, place * reading.weight]).cpu()
    assert output.offset is not None  # these methods have the heads
    votes = add_coordinates(output.offset)[0]
    if method in ALONE:
        return votes.cpu()
    return torch.cat([unit, votes * reading.weight]).cpu()


@torch.no_grad()
def votes_apart(network: Embedder, pictures: Sequence[Picture]) -> float | None:
    """Mean distance from a cell's mean vote to the nearest other one, px.

    Parameters
    ----------
    network
        A trained network.
    pictures
        Pictures with two cells or more.

    Returns
    -------
    float or None
        Near 0 where all votes fall together; None for a network without votes.
    """
    gaps = []
    for picture in pictures:
        output = _look(network, picture)
        if output.offset is None:
            return None
        votes = add_coordinates(output.offset)[0].cpu()
        cells = Cells.of(torch.from_numpy(picture.labels)[None])
        centre = mean_by(votes.flatten(1).T[cells.pixel], cells.cell, cells.count)
        between = torch.cdist(centre, centre).fill_diagonal_(torch.inf)
        gaps.append(between.amin(1).mean())
    return float(torch.stack(gaps).mean())


def cluster(codes: NDArray[np.float64], smallest: int, most: int) -> Labels:
    """Cluster pixels by HDBSCAN; noise joins the nearest cluster.

    Parameters
    ----------
    codes
        What is clustered, (P, D).
    smallest
        Least cluster size, px.
    most
        Most pixels that are clustered; the others join the nearest.

    Returns
    -------
    NDArray
        Labels from 1, (P,).
    """
    step = -(-len(codes) // most) or 1
    sample = codes[::step]
    least = max(smallest // step, 4)
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


def tune(
    method: Method,
    network: Embedder,
    pictures: Sequence[Picture],
    judge: Callable[[Sequence[Picture], Sequence[Labels]], float],
    sample: int = 4000,
) -> Reading:
    """Choose the settings that do best on some pictures; the first of equal ones.

    Parameters
    ----------
    method, network
        The way, and the network that was trained so.
    pictures
        Pictures that are not those of the test.
    judge
        Says how good label images of these pictures are.
    sample
        Most pixels that are clustered.
    """
    outputs = [_look(network, picture) for picture in pictures]

    def worth(reading: Reading) -> float:
        found = [
            _read(method, network, output, picture, reading, sample)
            for output, picture in zip(outputs, pictures, strict=True)
        ]
        return judge(pictures, found)

    return max(readings(method), key=worth)
