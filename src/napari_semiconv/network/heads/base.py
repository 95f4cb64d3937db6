"""What a head is: name, channels, how they are read, and what it learns from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...settings import NetworkSettings
from .. import losses
from ..kernels import BilateralKernel, VoteKernel

PIXELS = 8.0  # px of vote error that weigh as much as a wholly wrong embedding


class LossChoices(Protocol):
    """What a training decides about losses; `TrainSettings` explains each."""

    @property
    def cell_size(self) -> float:
        """Diameter of usual cells, px."""

    @property
    def pull(self) -> losses.Pull:
        """Pull term of the cosine loss."""

    @property
    def background(self) -> Literal["mean", "fixed"]:
        """Direction of the background's embeddings."""

    @property
    def cell_loss(self) -> Literal["attraction", "lovasz"]:
        """What votes are trained by."""

    @property
    def centre(self) -> Literal["mean", "centroid", "medoid"]:
        """What the votes of a cell are drawn to."""

    @property
    def repulsion(self) -> float:
        """Weight of the loss that drives centres of neighbours apart; 0 is none."""

    @property
    def repulsion_margin(self) -> float:
        """Distance from which centres are left alone, cell diameters."""


@dataclass(frozen=True)
class Example:
    """A clip to learn from: what the network predicts for it, and what is annotated.

    Parameters
    ----------
    embeddings
        Cosine embedding of each stack, not normalised, (T, D, Y, X).
    maps
        Map of each pixel head, (T, C, Y, X), see `Head.scale`.
    labels
        Label clip, (T, Y, X); -1 is not annotated.
    adjacent
        Which cells must differ, (K, K).
    parents
        Parent of each track that has one, by label.
    targets
        Cells that the embedding's loss is taken of, (N,); None for all.
    kernel
        Kernel of the votes; None for a network without.
    choices
        What the training decides.
    """

    embeddings: tuple[Tensor, ...]
    maps: Mapping[str, Tensor]
    labels: Tensor
    adjacent: Tensor
    parents: Mapping[int, int]
    targets: Tensor | None
    kernel: VoteKernel | None
    choices: LossChoices

    @cached_property
    def cells(self) -> losses.Cells:
        """The annotated cells."""
        return losses.Cells.of(self.labels)

    @cached_property
    def place(self) -> Tensor:
        """Positions of the cell pixels, (P, 2), px."""
        return losses.positions(self.cells, self.embeddings[-1])

    @cached_property
    def votes(self) -> Tensor:
        """Votes of the cell pixels, (P, 2), px; without offsets where they lie."""
        if "offset" not in self.maps:
            return self.place
        return self.at_cells(self.maps["offset"]) + self.place

    @cached_property
    def centre(self) -> Tensor:
        """What the votes of each instance are drawn to, (M, 2), px."""
        kind = self.choices.centre
        return losses.centres_of(kind, self.votes, self.place, self.cells)

    @cached_property
    def looks(self) -> Tensor | None:
        """Unit cosine embedding, (T, D, Y, X), where the kernel looks at it."""
        if not isinstance(self.kernel, BilateralKernel):
            return None
        return F.normalize(self.embeddings[-1], dim=1, eps=losses.EPS)

    @cached_property
    def points(self) -> tuple[Tensor, Tensor]:
        """Votes, (P, D), and centres, (M, D), with the appearance where it counts."""
        if self.looks is None:
            return self.votes, self.centre
        looks = self.at_cells(self.looks)
        usual = losses.mean_by(looks, self.cells.instance, len(self.cells.frame))
        goal = F.normalize(usual, dim=1, eps=losses.EPS)
        return torch.cat([self.votes, looks], 1), torch.cat([self.centre, goal], 1)

    @cached_property
    def smoothness_and_width(self) -> tuple[Tensor, Tensor] | None:
        """Unevenness of the width map, (), and width of each instance, (M,), px."""
        if "bandwidth" not in self.maps:
            return None
        log_sigma = self.at_cells(self.maps["bandwidth"]).squeeze(1)
        return losses.smoothness_loss(log_sigma, self.cells)

    @property
    def width(self) -> Tensor | None:
        """Kernel width of each instance, (M,), px; None where one serves all cells."""
        found = self.smoothness_and_width
        return None if found is None else found[1]

    def at_cells(self, maps: Tensor) -> Tensor:
        """Take maps, (T, C, Y, X), at the cell pixels, (P, C)."""
        return maps.movedim(1, -1).flatten(0, 2).index_select(0, self.cells.pixel)


class Head:
    """One thing that the network predicts for every pixel.

    A new one is a file in this folder that hands an instance to `register`. The heads
    of a network are those that `NetworkSettings.pixel_heads` names.
    """

    name: ClassVar[str]

    def channels(self, settings: NetworkSettings) -> int:
        """Channels that the head has in a network of some shape."""
        raise NotImplementedError

    def scale(self, raw: Tensor, settings: NetworkSettings) -> Tensor:
        """Bring raw channels, (B, C, Y, X), to the unit in which they are learned."""
        del settings
        return raw

    def operator(self, settings: NetworkSettings) -> nn.Module | None:
        """Build what is further done to the scaled channels; None for nothing."""
        del settings
        return None

    def read(self, maps: Tensor) -> Tensor:
        """Bring scaled channels, (B, C, Y, X), to what engines look at."""
        return maps

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Work out what the head learns from: weighted losses by name, each ()."""
        raise NotImplementedError


HEADS: dict[str, Head] = {}


def register(head: Head) -> None:
    """Make a head known by its name.

    Raises
    ------
    ValueError
        When another one has that name.
    """
    if head.name in HEADS:
        raise ValueError(f"expected a new name for a head, found {head.name!r} again")
    HEADS[head.name] = head
