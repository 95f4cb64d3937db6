"""One recurrent hourglass: down, across the memories, up again."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..settings import NetworkSettings
from .memory import Passage, he_initialise, memory_of

GROUP = 8  # channels that share one mean and variance


class GroupNorm(nn.GroupNorm):
    """Group normalisation whose gradient is not slow on processors.

    PyTorch's gradient in bfloat16 takes six times as long where channels lie together,
    as convolutions want them, than where they lie apart.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise features, (B, C, Y, X)."""
        slow = x.device.type == "cpu" and x.dtype == torch.bfloat16
        if not (slow and x.requires_grad):
            return super().forward(x)
        found: Tensor = _Normalised.apply(  # type: ignore[no-untyped-call]
            x, self.weight, self.bias, self.num_groups, self.eps
        )
        return found


class _Normalised(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float
    ) -> Tensor:
        sides = x.shape[0], x.shape[1], x.shape[2] * x.shape[3], groups
        out, mean, scale = torch.native_group_norm(x, weight, bias, *sides, eps)
        ctx.save_for_backward(x, mean, scale, weight)
        ctx.sides = sides
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, mean, scale, weight = ctx.saved_tensors
        apart = gradients[0].contiguous(), x.contiguous()
        of_x, of_weight, of_bias = torch.ops.aten.native_group_norm_backward(
            *apart, mean, scale, weight, *ctx.sides, [True] * 3
        )
        laid = of_x.contiguous(memory_format=torch.channels_last)
        return laid, of_weight, of_bias, None, None


class Conv(nn.Module):
    """Convolution and ReLU, with group normalisation between them when asked for.

    Parameters
    ----------
    inside
        Channels that come in.
    outside
        Channels that go out.
    size
        Side of the kernel, in px.
    normalise
        Whether to normalise groups of channels over the whole frame.
    """

    def __init__(
        self, inside: int, outside: int, size: int = 3, *, normalise: bool = False
    ) -> None:
        super().__init__()
        self.conv = he_initialise(nn.Conv2d(inside, outside, size, padding=size // 2))
        self.norm = GroupNorm(max(1, outside // GROUP), outside) if normalise else None

    def forward(self, x: Tensor) -> Tensor:
        """Convolve features, (B, C, Y, X)."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x.relu_()  # neither layer needs its own output again


class Hourglass(nn.Module):
    """Contracting path, a memory on every skip path, expanding path with addition.

    Follows Payer et al. (MICCAI 2018; layout ``mia``: Medical Image Analysis 2019) when
    all levels have equal channels, one convolution and no normalisation.

    Parameters
    ----------
    inside
        Channels that come in.
    settings
        Shape of the network.
    """

    def __init__(self, inside: int, settings: NetworkSettings) -> None:
        super().__init__()
        wide = settings.channels
        self.stem: nn.Module = nn.Identity()
        if settings.layout == "mia":
            self.stem = Conv(inside, wide[0], 1, normalise=settings.normalise)
            inside = wide[0]
        self.down = nn.ModuleList(
            _several(before, here, settings)
            for before, here in zip((inside, *wide[:-1]), wide, strict=True)
        )
        self.across = nn.ModuleList(
            memory_of(settings, here) if level >= settings.memory_from else Passage()
            for level, here in enumerate(wide)
        )
        # Each expanding convolution ends with the channels of the level it is added to.
        self.up = nn.ModuleList(
            Conv(here, above, normalise=settings.normalise)
            for above, here in zip((wide[0], *wide[:-1]), wide, strict=True)
        )

    def forward(
        self, x: Tensor, state: Sequence[Tensor] | None
    ) -> tuple[Tensor, list[Tensor]]:
        """Take in one frame.

        Parameters
        ----------
        x
            Frame or features, (B, C, Y, X); Y and X multiples of the stride.
        state
            One tensor per level from the frame before; None before the first.

        Returns
        -------
        tuple
            Features, (B, F, Y, X), and the new state, one tensor per level.
        """
        skips, fresh = self.contract(x, state)
        return self.expand(skips), fresh

    def expand(self, skips: list[Tensor]) -> Tensor:
        """Go up again, from what is on the skip paths, finest first."""
        x: Tensor = self.up[-1](skips[-1])
        for up, skip in zip(reversed(self.up[:-1]), reversed(skips[:-1]), strict=True):
            x = up(F.interpolate(x, scale_factor=2.0, mode="nearest") + skip)
        return x

    def contract(
        self, x: Tensor, state: Sequence[Tensor] | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Go down and across alone: what is on the skip paths, and the new state."""
        x = self.stem(x)
        skips, fresh = [], []
        for level, (down, across) in enumerate(
            zip(self.down, self.across, strict=True)
        ):
            x = down(F.max_pool2d(x, 2) if level else x)
            skip, new = across(x, None if state is None else state[level])
            skips.append(skip)
            fresh.append(new)
        return skips, fresh


def whole_clip(hourglass: Hourglass, frames: Tensor, warm: Tensor) -> Tensor:
    """Take in clips at once: equal to frame after frame, since only memories look back.

    Parameters
    ----------
    hourglass
        What takes them in.
    frames
        Frames of the clips, (T, B, C, Y, X).
    warm
        Clips whose memories begin with the state after the clip in reverse, (B,).

    Returns
    -------
    Tensor
        Features, (T B, F, Y, X), frame by frame.
    """
    batch = frames.shape[1]
    x = frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    x, skips = hourglass.stem(x), []
    for level, (down, across) in enumerate(
        zip(hourglass.down, hourglass.across, strict=True)
    ):
        x = down(F.max_pool2d(x, 2) if level else x)
        if isinstance(across, Passage):
            skips.append(x)
            continue
        parts = x.split(batch)
        state = _warmed(across, parts, warm)
        found = []
        for part in parts:
            skip, state = across(part, state)
            found.append(skip)
        skips.append(torch.cat(found))
    return hourglass.expand(skips)


@torch.no_grad()
def _warmed(memory: nn.Module, parts: Sequence[Tensor], warm: Tensor) -> Tensor | None:
    """State after the reverse of the clips that begin warm; zero for the others."""
    if not bool(warm.any()):
        return None
    state: Tensor | None = None
    for part in reversed(parts):
        _, state = memory(part[warm], state)
    assert state is not None  # clips have frames
    if not state.numel():  # no memory at all
        return None
    fresh = state.new_zeros((len(warm), *state.shape[1:]))
    whole: Tensor = fresh.contiguous(memory_format=torch.channels_last)
    whole[warm] = state
    return whole


def _several(inside: int, outside: int, settings: NetworkSettings) -> nn.Sequential:
    widths = [inside] + [outside] * settings.convolutions
    return nn.Sequential(
        *(
            Conv(a, b, normalise=settings.normalise)
            for a, b in itertools.pairwise(widths)
        )
    )
