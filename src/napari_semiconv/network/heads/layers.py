"""The pixel heads of a network as layers: one convolution, a share of it each."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import BadSettingsError
from ...settings import NetworkSettings
from ..hourglass import Conv
from .base import HEADS, Head

HIDDEN = 32  # channels that all heads look at
START = 1e-3  # spread of the weights at the start: votes begin as the identity grid


class HeadLayer(nn.Module):
    """Weights of one head, so that each can be frozen, taught and stored by itself.

    Parameters
    ----------
    head
        The head.
    settings
        Shape of the network.
    """

    def __init__(self, head: Head, settings: NetworkSettings) -> None:
        super().__init__()
        channels = head.channels(settings)
        self.weight = nn.Parameter(torch.zeros(channels, HIDDEN, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.operator = head.operator(settings)


class PixelHeads(nn.Module):
    """Heads on the features of the last hourglass; a layer by name of each.

    Parameters
    ----------
    settings
        Shape of the network; says which heads it has.

    Raises
    ------
    BadSettingsError
        When there is no head of a name.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        _check(settings)
        self.settings = settings
        self.hidden = Conv(settings.channels[0], HIDDEN, normalise=settings.normalise)
        self.heads = [HEADS[name] for name in settings.pixel_heads]
        self.sizes = [head.channels(settings) for head in self.heads]
        # Chance is drawn as for one convolution: a seed gives what it always gave.
        nn.Conv2d(HIDDEN, sum(self.sizes), 1)
        for head in self.heads:
            self.add_module(head.name, HeadLayer(head, settings))
        self.draw(START)

    @torch.no_grad()
    def draw(self, spread: float) -> None:
        """Draw the weights of all heads anew, with some standard deviation."""
        drawn = torch.empty(sum(self.sizes), HIDDEN, 1, 1).normal_(std=spread)
        for head, part in zip(self.heads, torch.split(drawn, self.sizes), strict=True):
            self.layer(head.name).weight.copy_(part)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Work out the maps of one frame.

        Parameters
        ----------
        features
            Output of the hourglass, (B, F, Y, X).

        Returns
        -------
        dict
            The scaled map of each head by name, (B, C, Y, X).
        """
        layers = [self.layer(head.name) for head in self.heads]
        weight = torch.cat([layer.weight for layer in layers])
        bias = torch.cat([layer.bias for layer in layers])
        raw = F.conv2d(self.hidden(features), weight, bias)
        shares = torch.split(raw, self.sizes, 1)
        found = {}
        for head, layer, channels in zip(self.heads, layers, shares, strict=True):
            maps = head.scale(channels, self.settings)
            found[head.name] = maps if layer.operator is None else layer.operator(maps)
        return found

    def layer(self, name: str) -> HeadLayer:
        """Weights of the head of a name."""
        layer = self.get_submodule(name)
        assert isinstance(layer, HeadLayer)
        return layer


def _check(settings: NetworkSettings) -> None:
    if unknown := [name for name in settings.pixel_heads if name not in HEADS]:
        raise BadSettingsError(
            f"Heads of the network: expected some of {', '.join(sorted(HEADS))}, found "
            f"'{unknown[0]}'. Was the model trained with another release?"
        )


def with_own_layers(
    tensors: Mapping[str, Tensor], settings: NetworkSettings
) -> dict[str, Tensor]:
    """Name weights as they are named now, where all heads still share one tensor.

    Parameters
    ----------
    tensors
        Weights of a network by name, as stored; `models/default` is stored so.
    settings
        Shape of the network.
    """
    found = dict(tensors)
    sizes = [HEADS[name].channels(settings) for name in settings.pixel_heads]
    for kind in ("weight", "bias"):
        shared = found.pop(f"heads.out.{kind}", None)
        if shared is None or len(shared) != sum(sizes):
            continue  # loading tells what is missing
        for name, part in zip(
            settings.pixel_heads, torch.split(shared, sizes), strict=True
        ):
            found[f"heads.{name}.{kind}"] = part.clone()
    for key in [key for key in found if key.startswith("heads.operator.")]:
        found[key.replace("heads.operator", "heads.offset.operator")] = found.pop(key)
    return found
