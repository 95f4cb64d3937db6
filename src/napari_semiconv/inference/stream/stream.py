"""Movie frames in, maps of the network out: one frame at a time, memory carried."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ...errors import BadInputError, BadModelError
from ...network.embedder import State
from ...network.frames import finite, normalise, without_hot_pixels
from ...network.weights import Model
from ...settings import PrecisionName, SegmentSettings
from .precision import to_host
from .runner import Maps, Runner
from .state import StreamState

Floats = NDArray[np.float32]
WARM_UP = 2  # frames from which a new memory is built; clips of training have three
LEAST_SIDE = 144  # px; clips of training have 128, which are cut without an edge
# Of a frame as the network sees it: what is said and remembered of it takes 12 GB.
MOST_PIXELS = 64_000_000


@dataclass(frozen=True)
class FrameOutput:
    """What the network predicts for one frame, at its own resolution.

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
    further
        Maps of all other heads by name, as these read them, each (C, Y, X).
    """

    foreground: Floats
    embedding: Floats
    offset: Floats | None
    motion: Floats | None
    seed: Floats | None
    cell_size: float
    further: Mapping[str, Floats] = field(default_factory=dict)

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
    precision
        Numbers that the network computes with.
    tile
        Side of the tiles that larger frames are computed in, px as the network sees
        them; None leaves frames of up to 8 megapixels whole.
    """

    def __init__(
        self,
        model: Model,
        cell_size: float,
        memory_span: int = 0,
        resize: tuple[int, int] | None = None,
        precision: PrecisionName = "float32",
        tile: int | None = None,
    ) -> None:
        self.model = model
        self.resize = resize
        self.factor = model.info.cell_size / cell_size
        self.memory_span = memory_span
        self._runner = Runner(model, precision, tile)
        self._state: State | None = None
        self._age = 0
        self._recent: list[Floats] = []

    @classmethod
    def of(
        cls,
        model: Model,
        cell_size: float,
        settings: SegmentSettings,
        memory_span: int | None = None,
    ) -> "Stream":
        """Make a stream as settings want it; ``memory_span`` overrides theirs."""
        span = settings.memory_span if memory_span is None else memory_span
        return cls(
            model,
            cell_size,
            span,
            settings.network_shape,
            settings.precision,
            settings.tile_side,
        )

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
            When the device runs out of memory even on small tiles.
        """
        size = self.model.info.cell_size
        shape = self.shape_of(frame.shape)
        image = resize(without_hot_pixels(finite(frame)), shape)
        planes = normalise(image, self.model.info.network.image_channels, size)
        maps = self._output(self._remember(planes), shape)
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
        return StreamState(
            memory=memory,
            age=self._age,
            recent=tuple(self._recent),
            digest=self.model.info.digest,
            tile=self._runner.tile,
        )

    def take_note(self) -> str:
        """Give what the user should know of the last frame, once; may be empty."""
        return self._runner.take_note()

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
        self._state = None if state.memory is None else list(state.memory)
        self._runner.restore(state.tile)
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

    def _remember(self, planes: Floats) -> Maps:
        """Run a frame after those before it, as far back as the memory reaches."""
        if self.memory_span and self._age >= self.memory_span:
            self._state, self._age = None, 0
            for before in self._recent:
                _, self._state = self._run(before)
        maps, self._state = self._run(planes)
        self._age += 1
        if self.memory_span:
            self._recent = [*self._recent, planes][-WARM_UP:]
        return maps

    def _run(self, planes: Floats) -> tuple[Maps, State]:
        stride = self.model.info.network.stride
        before = margins(planes.shape[1:])
        sides = [
            (margin, margin + -(side + 2 * margin) % stride)
            for side, margin in zip(planes.shape[1:], before, strict=True)
        ]
        # Mirrored frames have no edge that the network could take for a cell's.
        padded = np.pad(planes, ((0, 0), *sides), mode="symmetric")
        return self._runner.run(padded, self._state)

    def _output(self, maps: Maps, shape: tuple[int, int]) -> FrameOutput:
        rows, columns = (
            slice(margin, margin + side)
            for margin, side in zip(margins(shape), shape, strict=True)
        )
        # Sums depend on the layout in memory, and what is read back has this one.
        found = to_host({n: m[..., rows, columns] for n, m in maps.items()})
        seed = found.pop("seed", None)
        return FrameOutput(
            foreground=found.pop("foreground")[0],
            embedding=found.pop("embedding"),
            offset=found.pop("offset", None),
            motion=found.pop("motion", None),
            seed=None if seed is None else seed[0],
            cell_size=self.model.info.cell_size,
            further=found,
        )


def margins(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows above and columns left that small frames are mirrored out by, px.

    On less than it was trained with, the network joins most cells: of frames of 110 px
    it found one cell or three, of the same mirrored out to 128 px all fourteen.
    """
    above, left = (max(0, -(-(LEAST_SIDE - side) // 2)) for side in shape)
    return above, left


def resize(image: Floats, shape: tuple[int, int]) -> Floats:
    """Rescale an image, (Y, X), to another shape, averaging where it shrinks."""
    if image.shape == shape:
        return image
    tensor = torch.from_numpy(np.ascontiguousarray(image))[None, None]
    found: Floats = F.interpolate(
        tensor, size=shape, mode="bilinear", antialias=True, align_corners=False
    )[0, 0].numpy()
    return found
