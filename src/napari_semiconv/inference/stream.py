"""Movie frames in, maps of the network out: one frame at a time, memory carried."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ..errors import BadInputError, BadModelError, DeviceError
from ..network.embedder import Output, State
from ..network.frames import finite, normalise, without_hot_pixels
from ..network.weights import Model
from .state import StreamState

Floats = NDArray[np.float32]
WARM_UP = 2  # frames from which a new memory is built; clips of training have three
LEAST_SIDE = 144  # px; clips of training have 128, which are cut without an edge
MOST_PIXELS = 8_000_000  # of a frame as the network sees it: about 1 kB each


@dataclass(frozen=True)
class FrameOutput:
    """What the network says of one frame, at its own resolution.

    Parameters
    ----------
    foreground
        Probability of being in a cell, (Y, X).
    embedding
        Unit cosine embedding, (D, Y, X).
    offset
        From the pixel to its cell's centre, (2, Y, X), px; None without the heads.
    motion
        From the pixel to its cell's centre one frame before, (2, Y, X), px; or None.
    seed
        How near the pixel's vote falls to its cell's centre, 0 to 1, (Y, X); or None.
    cell_size
        Diameter of a usual cell, px.
    """

    foreground: Floats
    embedding: Floats
    offset: Floats | None
    motion: Floats | None
    seed: Floats | None
    cell_size: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, px."""
        height, width = self.foreground.shape
        return height, width


class Stream:
    """Runs a model over the frames of one movie in order.

    Parameters
    ----------
    model
        The model.
    cell_size
        Diameter of a usual cell in the movie, px.
    memory_span
        Frames after which the memory starts anew, warmed on the frames before; 0
        carries it through the whole movie, as published.
    resize
        Height and width that every frame is brought to, whatever its cells and aspect,
        px; None rescales by cell size.
    """

    def __init__(
        self,
        model: Model,
        cell_size: float,
        memory_span: int = 0,
        resize: tuple[int, int] | None = None,
    ) -> None:
        self.model = model
        self.resize = resize
        self.factor = model.info.cell_size / cell_size
        self.memory_span = memory_span
        self._state: State | None = None
        self._age = 0
        self._recent: list[Floats] = []

    def push(self, frame: NDArray[Any]) -> FrameOutput:
        """Take in the next frame.

        Parameters
        ----------
        frame
            Frame as stored, (Y, X).

        Returns
        -------
        FrameOutput
            Maps at the resolution of the network.

        Raises
        ------
        BadInputError
            When the cell size would blow the frame up beyond reason.
        DeviceError
            When the device runs out of memory.
        """
        size = self.model.info.cell_size
        shape = self.shape_of(frame.shape)
        image = resize(without_hot_pixels(finite(frame)), shape)
        planes = normalise(image, self.model.info.network.image_channels, size)
        try:
            output = self._remember(planes)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise DeviceError(
                f"The device '{self.model.device.type}' ran out of memory on a frame "
                f"of {shape[0]} x {shape[1]} px, as the network sees it. Give a larger "
                f"cell size, choose another device or close other programs."
            ) from error
        maps = self._maps(output, shape)
        if not np.isfinite(maps.foreground).all():
            raise BadModelError(
                f"Model {self.model.name}: expected finite maps, found others; its "
                f"memory has outgrown itself. Set a memory span of a few "
                f"frames, or choose another model."
            )
        if not planes.any():
            # A flat frame shows no cell, whatever the network makes of nothing.
            return replace(maps, foreground=np.zeros_like(maps.foreground))
        return maps

    def snapshot(self) -> StreamState:
        """Note all that is remembered, to go on from here later with `restore`."""
        memory = None if self._state is None else tuple(self._state)
        digest = self.model.info.digest
        return StreamState(memory, self._age, tuple(self._recent), digest)

    def restore(self, state: StreamState | None) -> None:
        """Go on as after the frame that ``state`` was noted at; None forgets all.

        Raises
        ------
        BadModelError
            When the state belongs to another model.
        """
        if state is None:
            self._state, self._age, self._recent = None, 0, []
            return
        if state.digest != self.model.info.digest:
            raise BadModelError(
                f"Model {self.model.name}: expected a memory of its own, found that of "
                f"other weights. Start again from the first frame."
            )
        memory, device = state.memory, self.model.device
        self._state = None if memory is None else [m.to(device) for m in memory]
        self._age, self._recent = state.age, list(state.recent)

    def shape_of(self, frame_shape: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of a frame at the resolution of the network, px."""
        if self.resize is not None:
            return self.resize
        height, width = (max(1, round(n * self.factor)) for n in frame_shape)
        if height * width > MOST_PIXELS:
            raise BadInputError(
                f"Frames of {frame_shape[0]} x {frame_shape[1]} px with cells of "
                f"{self.model.info.cell_size / self.factor:.0f} px would have to be "
                f"enlarged to {height} x {width} px. Check the cell size, or cut the "
                f"movie into parts."
            )
        return height, width

    def _remember(self, planes: Floats) -> Output:
        """Run a frame after those before it, as far back as the memory reaches."""
        if self.memory_span and self._age >= self.memory_span:
            self._state, self._age = None, 0
            for before in self._recent:
                _, self._state = self._run(before)
        output, self._state = self._run(planes)
        self._age += 1
        if self.memory_span:
            self._recent = [*self._recent, planes][-WARM_UP:]
        return output

    def _run(self, planes: Floats) -> tuple[Output, State]:
        stride = self.model.info.network.stride
        before = margins(planes.shape[1:])
        sides = [
            (margin, margin + -(side + 2 * margin) % stride)
            for side, margin in zip(planes.shape[1:], before, strict=True)
        ]
        # Mirrored frames have no edge that the network could take for a cell's.
        padded = np.pad(planes, ((0, 0), *sides), mode="symmetric")
        tensor = torch.from_numpy(padded)[None].to(self.model.device)
        with torch.inference_mode():
            output, state = self.model.network(tensor, self._state)
        return output, state

    def _maps(self, output: Output, shape: tuple[int, int]) -> FrameOutput:
        rows, columns = (
            slice(margin, margin + side)
            for margin, side in zip(margins(shape), shape, strict=True)
        )

        def plain(tensor: torch.Tensor) -> Floats:
            found: Floats = tensor[0, :, rows, columns].float().cpu().numpy()
            # Sums depend on the layout in memory, and what is read back has this one.
            return np.ascontiguousarray(found)

        unit = F.normalize(output.embedding, dim=1, eps=1e-4)
        # Without a foreground head the background is the direction e_1 (Payer 2019).
        inside = (
            1 - unit[:, :1].square()
            if output.foreground is None
            else output.foreground.sigmoid()
        )
        return FrameOutput(
            foreground=plain(inside)[0],
            embedding=plain(unit),
            offset=None if output.offset is None else plain(output.offset),
            motion=None if output.motion is None else plain(output.motion),
            seed=None if output.seed is None else plain(output.seed.sigmoid())[0],
            cell_size=self.model.info.cell_size,
        )


def margins(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows above and columns left that small frames are mirrored out by, px.

    On less than it was trained with, the network joins most cells: of frames of 110 px
    it found one cell or three, of the same mirrored out to 128 px all fourteen.
    """
    above, left = (max(0, -(-(LEAST_SIDE - side) // 2)) for side in shape)
    return above, left


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of PyTorch says that memory ran out, on whatever device."""
    # Only CUDA has an error class of its own; the CPU and MPS say it in words.
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in said
        for words in ("not enough memory", "can't allocate", "out of memory")
    )


def resize(image: Floats, shape: tuple[int, int]) -> Floats:
    """Rescale an image, (Y, X), to another shape, averaging where it shrinks."""
    if image.shape == shape:
        return image
    tensor = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    found: Floats = F.interpolate(
        tensor, size=shape, mode="bilinear", antialias=True, align_corners=False
    )[0, 0].numpy()
    return found
