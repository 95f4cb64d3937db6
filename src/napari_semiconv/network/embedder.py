"""The network: stacked recurrent hourglasses and heads, one frame at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import BadInputError
from ..settings import NetworkSettings
from .heads import HEADS
from .heads.layers import PixelHeads
from .hourglass import Hourglass, whole_clip
from .kernels import kernel_of
from .memory import he_initialise
from .region.network import RegionHeads

State = list[Tensor]


@dataclass(frozen=True)
class Output:
    """What the network predicts for one frame.

    Parameters
    ----------
    embeddings
        Cosine embedding of each stack, not normalised, (B, D, Y, X); the last is used.
    maps
        Map of each pixel head by name, (B, C, Y, X), see `Head.scale`; and those of the
        region version, see `RegionHeads.forward`.
    features
        What the last hourglass found, (B, F, Y, X): further heads work on it.
    """

    embeddings: tuple[Tensor, ...]
    maps: Mapping[str, Tensor]
    features: Tensor

    @property
    def embedding(self) -> Tensor:
        """Embedding of the last stack, (B, D, Y, X)."""
        return self.embeddings[-1]

    @property
    def offset(self) -> Tensor | None:
        """From the pixel to its cell's centre, (B, 2, Y, X), px; None without heads."""
        return self.maps.get("offset")


class Embedder(nn.Module):
    """Recurrent stacked hourglass (Payer et al. 2018, 2019) with the heads asked for.

    The second and later hourglasses see the frame and the normalised embedding of the
    one before; each keeps its own state.

    Parameters
    ----------
    settings
        Shape of the network.
    """

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        image, size = settings.image_channels, HEADS["embedding"].channels(settings)
        kernel = 3 if settings.layout == "miccai" else 1
        self.stacks = nn.ModuleList(
            Hourglass(image + (size if stack else 0), settings)
            for stack in range(settings.stacks)
        )
        self.embed = nn.ModuleList(
            he_initialise(
                nn.Conv2d(settings.channels[0], size, kernel, padding=kernel // 2)
            )
            for _ in range(settings.stacks)
        )
        self.heads = PixelHeads(settings) if settings.pixel_heads else None
        self.kernel = kernel_of(settings.kernel) if settings.offsets else None
        region, wide = settings.region, settings.channels[0]
        self.region = None if region is None else RegionHeads(wide, region)

    def forward(
        self, frame: Tensor, state: Sequence[Tensor] | None = None
    ) -> tuple[Output, State]:
        """Take in one frame.

        Parameters
        ----------
        frame
            Normalised frame, (B, C, Y, X); Y and X multiples of ``settings.stride``.
        state
            State after the frame before, one tensor per stack and level; None at first.

        Returns
        -------
        tuple
            The output for the frame, and the state for the next.

        Raises
        ------
        BadInputError
            When the frame does not fit the stride of the network.
        """
        self._check(frame)
        levels = len(self.settings.channels)
        x, embeddings, fresh = frame, [], []
        for stack, (hourglass, embed) in enumerate(
            zip(self.stacks, self.embed, strict=True)
        ):
            own = (
                None if state is None else state[stack * levels : (stack + 1) * levels]
            )
            features, new = hourglass(x, own)
            fresh += new
            embeddings.append(embed(features))
            x = self._next(frame, embeddings)
        return self._output_of(embeddings, features), fresh

    def whole_clips(self, frames: Tensor, warm: Tensor) -> Output:
        """Take in several clips at once, for training.

        Parameters
        ----------
        frames
            Normalised frames, (T, B, C, Y, X), see `forward`.
        warm
            Clips whose memories begin with the state after the clip in reverse, (B,);
            those of a second stack see the first one's forward embeddings then.

        Returns
        -------
        Output
            What `forward` says of each frame, one after the other, (T B, C, Y, X).

        Raises
        ------
        BadInputError
            When the frames do not fit the stride of the network.
        """
        self._check(frames)
        time, every = frames.shape[:2], frames.flatten(0, 1)
        x, embeddings = every, []
        for hourglass, embed in zip(self.stacks, self.embed, strict=True):
            assert isinstance(hourglass, Hourglass)
            features = whole_clip(hourglass, x.reshape(*time, *x.shape[1:]), warm)
            embeddings.append(embed(features))
            x = self._next(every, embeddings)
        return self._output_of(embeddings, features)

    def further(self, features: Tensor) -> Output:
        """Take in what the last hourglass found of some frames, (T, F, Y, X).

        That is what heads learn from alone; of the embeddings it has the last.
        """
        return self._output_of([self.embed[-1](features)], features)

    def _next(self, frame: Tensor, embeddings: Sequence[Tensor]) -> Tensor:
        """Join frame and embedding for the next stack, if there is one."""
        if len(embeddings) == len(self.stacks):
            return frame
        return torch.cat([frame, F.normalize(embeddings[-1], dim=1, eps=1e-4)], 1)

    def _output_of(self, embeddings: Sequence[Tensor], features: Tensor) -> Output:
        maps = {} if self.heads is None else self.heads(features)
        if self.region is not None:
            maps |= self.region(features)
        return Output(tuple(embeddings), maps, features)

    def _check(self, frame: Tensor) -> None:
        stride = self.settings.stride
        height, width = frame.shape[-2:]
        if height % stride or width % stride:
            fit = [-(-n // stride) * stride for n in (height, width)]
            raise BadInputError(
                f"The network needs frames whose height and width are multiples of "
                f"{stride} px, found {height} x {width}; pad the frame to "
                f"{fit[0]} x {fit[1]}."
            )
