"""What carries the past along the skip paths of an hourglass."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..settings import NetworkSettings


class ConvGRU(nn.Module):
    """Gated memory of one level (Payer et al. 2018): mixes the frame with the past.

    The update gate keeps the old state, and the candidate is a ReLU, not a tanh.

    Parameters
    ----------
    channels
        Feature channels of both the input and the state.
    zero_gates
        Start with both gates at one half (2018); otherwise LeCun-normal (2019).
    limit
        Bound of the candidate; None as published. The state is a mixture of candidates,
        so the bound is its own too: without it a trained state grew fivefold with every
        frame at the coarsest level and overflowed after 24 frames.
    """

    def __init__(
        self, channels: int, *, zero_gates: bool = True, limit: float | None = None
    ) -> None:
        super().__init__()
        self.limit = limit
        self.reset = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.update = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.candidate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        he_initialise(self.candidate)
        for gate in (self.reset, self.update):
            nn.init.zeros_(gate.bias)  # type: ignore[arg-type]
            if zero_gates:
                nn.init.zeros_(gate.weight)
            else:
                nn.init.kaiming_normal_(gate.weight, nonlinearity="linear")

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take in the features of one frame.

        Parameters
        ----------
        x
            Features, (B, C, Y, X).
        state
            State after the frame before, (B, C, Y, X); None before the first frame.

        Returns
        -------
        tuple
            Features with the past mixed in, and the new state, both (B, C, Y, X).
        """
        h = torch.zeros_like(x) if state is None else state
        # Both gates in one convolution: what they look at is read once.
        gates = F.conv2d(
            torch.cat([x, h], 1),
            torch.cat([self.reset.weight, self.update.weight]),
            torch.cat(
                [b for b in (self.reset.bias, self.update.bias) if b is not None]
            ),
            padding=1,
        )
        reset, update = gates.sigmoid().chunk(2, 1)
        fresh = self.candidate(torch.cat([x, reset * h], 1)).relu()
        if self.limit is not None:
            fresh = self.limit * (fresh / self.limit).tanh()
        h = torch.lerp(fresh.to(h.dtype), h, update.to(h.dtype))
        return h, h


class ConvLSTM(nn.Module):
    """Convolutional LSTM without peepholes, so that frames of any size fit.

    Parameters
    ----------
    channels
        Feature channels of the input and of each half of the state.
    """

    FORGET_BIAS = 1.0

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)
        nn.init.kaiming_normal_(self.gates.weight, nonlinearity="linear")
        nn.init.zeros_(self.gates.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Take in the features of one frame.

        Parameters
        ----------
        x
            Features, (B, C, Y, X).
        state
            Cell and output state, (B, 2 C, Y, X); None before the first frame.

        Returns
        -------
        tuple
            Features with the past mixed in, (B, C, Y, X), and the new state,
            (B, 2 C, Y, X).
        """
        if state is None:
            state = torch.cat([torch.zeros_like(x)] * 2, 1)
        cell, h = state.chunk(2, 1)
        fresh, write, forget, show = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        cell = (
            cell * (forget + self.FORGET_BIAS).sigmoid()
            + write.sigmoid() * fresh.tanh()
        )
        h = show.sigmoid() * cell.tanh()
        return h, torch.cat([cell, h], 1)


class NoMemory(nn.Module):
    """The published baseline: a plain convolution in the place of the memory.

    Parameters
    ----------
    channels
        Feature channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = he_initialise(nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Convolve the features, (B, C, Y, X); the state stays empty."""
        return self.conv(x).relu(), x.new_zeros(0)


class Passage(nn.Module):
    """A skip path without any memory or weights, for levels too fine to afford one."""

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Hand the features, (B, C, Y, X), on; the state stays empty."""
        return x, x.new_zeros(0)


def he_initialise(conv: nn.Conv2d) -> nn.Conv2d:
    """Draw the weights of a convolution before a ReLU (He et al.); zero its bias."""
    std = (2.0 / (conv.in_channels * conv.kernel_size[0] * conv.kernel_size[1])) ** 0.5
    nn.init.trunc_normal_(conv.weight, std=std, a=-2 * std, b=2 * std)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def memory_of(settings: NetworkSettings, channels: int) -> nn.Module:
    """Build the memory of one level."""
    if settings.memory == "gru":
        zero_gates = settings.layout == "miccai"
        return ConvGRU(channels, zero_gates=zero_gates, limit=settings.state_limit)
    return ConvLSTM(channels) if settings.memory == "lstm" else NoMemory(channels)
