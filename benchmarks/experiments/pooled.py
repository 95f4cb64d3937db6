"""Identical objects on a grid, and a small network with pooling to tell them apart."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import pdist, squareform
from torch import Tensor, nn

from napari_semiconv.network.losses import (
    Cells,
    attraction_loss,
    mean_by,
    repulsion_loss,
)
from napari_semiconv.network.semiconv import add_coordinates

Padding = Literal["circular", "zeros"]
MARGIN = 8.0  # px; objects whose mean embeddings are farther apart cost nothing


@dataclass(frozen=True)
class Scene:
    """A picture of identical objects and which pixel belongs to which.

    Parameters
    ----------
    image
        Ones in objects, zeros elsewhere, (1, 1, Y, X).
    labels
        Object of each pixel from 1, 0 is background, (1, Y, X).
    """

    image: Tensor
    labels: Tensor


def objects_on_grid(rows: int, columns: int, spacing: int, radius: int) -> Scene:
    """Lay identical disks, or with a single row bars on a line, at equal distances.

    Parameters
    ----------
    rows, columns
        How many; a single row gives a picture of one pixel's height.
    spacing
        Distance of neighbours, px.
    radius
        Radius of a disk, half length of a bar, px.
    """
    flat = rows == 1
    y = np.zeros(1) if flat else np.arange(rows * spacing) % spacing - spacing // 2
    x = np.arange(columns * spacing) % spacing - spacing // 2
    inside = y[:, None] ** 2 + x**2 <= radius**2
    row = np.zeros(1, int) if flat else np.arange(rows * spacing) // spacing
    column = np.arange(columns * spacing) // spacing
    number = row[:, None] * columns + column + 1
    labels = torch.from_numpy(np.where(inside, number, 0))[None]
    return Scene((labels > 0).float()[None], labels)


class Pooled(nn.Module):
    """Down by max pooling, up again with the finer features added: a small U-net.

    Parameters
    ----------
    poolings
        How often the picture is halved.
    dimensions
        2, or 1 for pictures of one pixel's height.
    padding
        Circular, which knows no border, or by zeros, which tell where it is.
    size
        Channels of the embedding.
    width
        Feature channels.
    """

    def __init__(
        self,
        poolings: int,
        dimensions: int = 2,
        padding: Padding = "circular",
        size: int = 8,
        width: int = 16,
    ) -> None:
        super().__init__()
        tall = 3 if dimensions == 2 else 1
        self.step = (2 if dimensions == 2 else 1, 2)
        widths = [1, *[width] * (poolings + 1)]
        self.down, self.up = (
            nn.ModuleList(
                nn.Conv2d(a, b, (tall, 3), padding="same", padding_mode=padding)
                for a, b in pairwise(each)
            )
            for each in (widths, [*widths[1:], width])
        )
        self.out = nn.Conv2d(width, size, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Embed a picture, (1, 1, Y, X), as (1, D, Y, X)."""
        x, finer = image, []
        for level, down in enumerate(self.down):
            x = F.relu(down(F.max_pool2d(x, self.step) if level else x))
            finer.append(x)
        x = F.relu(self.up[-1](finer.pop()))
        for up, skip in zip(reversed(self.up[:-1]), reversed(finer), strict=True):
            wide = x.repeat_interleave(self.step[0], 2).repeat_interleave(2, 3)
            x = F.relu(up(wide + skip))
        return self.out(x)


def codes_of(network: Pooled, scene: Scene, cells: Cells, *, places: bool) -> Tensor:
    """Embed the object pixels of a scene, (P, D), with their places added if asked."""
    found = network(scene.image.to(next(network.parameters())))
    if places:
        found = add_coordinates(found)
    return found.movedim(1, -1).flatten(0, 2)[cells.pixel]


def learn(
    network: Pooled, scene: Scene, steps: int, *, places: bool, rate: float = 1e-2
) -> Cells:
    """Train a network to give each object one embedding, far from all the others.

    Attraction as in the paper; the repulsion, which it does without, is added for the
    convolutional embedding would otherwise be best when constant. Both get it.

    Parameters
    ----------
    network
        The network, changed in place.
    scene
        The picture that is learned from.
    steps
        Steps of Adam; its rate falls to zero over them.
    places
        Whether the embedding is semi-convolutional.
    rate
        First learning rate.

    Returns
    -------
    Cells
        Index of the objects' pixels.
    """
    device = next(network.parameters()).device
    cells = Cells.of(scene.labels.to(device))
    others = ~torch.eye(cells.count, dtype=torch.bool, device=device)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.01, steps)
    for _ in range(steps):
        codes = codes_of(network, scene, cells, places=places)
        pull, centre = attraction_loss(codes, cells)
        loss = pull + repulsion_loss(centre, cells, others, MARGIN)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return cells


def centres(codes: Tensor, cells: Cells) -> NDArray[np.float64]:
    """Mean embedding of each object, (K, D)."""
    # On the CPU, since not every device has double precision.
    values = codes.detach().cpu().double()
    return mean_by(values, cells.instance.cpu(), cells.count).numpy()


def count_apart(codes: NDArray[np.float64], least: float) -> int:
    """Count objects, (K, D), of which none is nearer to another than a least distance.

    Objects that are nearer, by themselves or through others between, count as one.
    """
    near = squareform(pdist(codes)) < least
    return int(connected_components(near, directed=False)[0])
