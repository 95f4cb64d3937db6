"""The network run over one frame, whole or in tiles, as much as the device holds."""

import torch
from torch import Tensor

from ...errors import DeviceError
from ...network.embedder import Output, State
from ...network.heads import HEADS
from ...network.weights import Model
from ...settings import PrecisionName
from .precision import Floats, computing_in, is_half, laid_out, to_device
from .tiling import Mosaic, Tile, cut, tiles_of

# What a tile sees around what is kept of it, px. What lies farther off reaches the maps
# of the compact network through group normalisation alone, which sees the whole tile.
HALO = 128
MOST_WHOLE = 8_000_000  # px of a frame that is not cut: about 1 kB each
USUAL_TILE = 2048  # px; side of the tiles of larger frames
LEAST_TILE = 256  # px; smaller ones would be little but halo

Maps = dict[str, Tensor]


class Runner:
    """Runs a network over frames, and with smaller tiles when memory runs out.

    Parameters
    ----------
    model
        The model.
    precision
        Numbers it computes with.
    tile
        Side of the tiles that larger frames are cut into, halo included, px; None
        leaves frames of up to 8 megapixels whole.
    """

    def __init__(
        self,
        model: Model,
        precision: PrecisionName = "float32",
        tile: int | None = None,
    ) -> None:
        self._model, self._chosen = model, tile
        self._half = is_half(precision, model.device)
        self.tile = tile
        self.note = ""
        if model.device.type == "cuda":
            model.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def restore(self, tile: int | None) -> None:
        """Go on with the tiles that a run had; None for those that were chosen."""
        self.tile = self._chosen if tile is None else tile

    def take_note(self) -> str:
        """Give what the user should know of the last frame, once; may be empty."""
        note, self.note = self.note, ""
        return note

    def run(self, planes: Floats, state: State | None) -> tuple[Maps, State]:
        """Run a frame; when the device is full, again with tiles of half the side.

        Parameters
        ----------
        planes
            The normalised frame, (C, Y, X); Y and X multiples of the stride.
        state
            What was remembered after the frame before; it is left as it is.

        Returns
        -------
        tuple
            Maps by name, each (1, C, Y, X), float32, and the new state, float32. Those
            of a frame that was cut lie in main memory, others on the device.

        Raises
        ------
        DeviceError
            When not even the smallest tile fits.
        """
        height, width = planes.shape[1:]
        side = self._side((height, width))
        while (found := self._try(planes, state, side)) is None:
            # The error that was caught is gone by now, and with it what it held.
            _empty(self._model.device)
            side = self._smaller((height, width), side)
            if state is not None:
                state = [level.cpu() for level in state]
        return found

    def _side(self, shape: tuple[int, int]) -> int | None:
        if self.tile is None and shape[0] * shape[1] > MOST_WHOLE:
            return USUAL_TILE
        return self.tile

    def _smaller(self, shape: tuple[int, int], side: int | None) -> int:
        """Halve the tiles, and say so."""
        longest = max(shape) if side is None else min(max(shape), side)
        device = self._model.device.type
        size = f"{shape[0]} x {shape[1]} px, as the network sees it"
        if longest <= LEAST_TILE:
            raise DeviceError(_too_small(device, size, cut=longest < max(shape)))
        stride = self._model.info.network.stride
        self.tile = max(LEAST_TILE, -(-longest // (2 * stride)) * stride)
        self.note = (
            f"The device '{device}' ran out of memory on a frame of {size}: from here "
            f"on it is computed in tiles of {self.tile} px, which takes longer and may "
            f"change some cells."
        )
        return self.tile

    def _try(
        self, planes: Floats, state: State | None, side: int | None
    ) -> tuple[Maps, State] | None:
        """Run a frame in tiles of a side; None when memory ran out."""
        shape = (planes.shape[1], planes.shape[2])
        halo = HALO if side is None else min(HALO, side // 4)
        tiles = tiles_of(shape, side, self._model.info.network.stride, halo)
        try:
            with (
                torch.inference_mode(),
                computing_in(self._model.device, half=self._half),
            ):
                if len(tiles) == 1:
                    return self._see(planes, state)
                return self._see_all(planes, state, tiles)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        return None

    def _see_all(
        self, planes: Floats, state: State | None, tiles: list[Tile]
    ) -> tuple[Maps, State]:
        shape = (planes.shape[1], planes.shape[2])
        seen, remembered = Mosaic(shape), Mosaic(shape)
        for tile in tiles:
            own = None if state is None else cut(state, tile, shape)
            maps, fresh = self._see(planes[:, *tile.outer].copy(), own)
            seen.put(maps, tile)
            remembered.put({str(n): level for n, level in enumerate(fresh)}, tile)
        return seen.maps, list(remembered.maps.values())

    def _see(self, planes: Floats, state: State | None) -> tuple[Maps, State]:
        device = self._model.device
        if state is not None:
            state = [laid_out(level.to(device)) for level in state]
        output, fresh = self._model.network(to_device(planes, device), state)
        return read_output(output), [level.float() for level in fresh]


def read_output(output: Output) -> Maps:
    """Read what a network puts out: maps by name of their head, (1, C, Y, X), float32.

    What is no map of a known head is handed on as it is.
    """
    raw = {"embedding": output.embedding, **output.maps}
    maps = {
        name: HEADS[name].read(found.float()) if name in HEADS else found.float()
        for name, found in raw.items()
    }
    if "foreground" not in maps:
        # Without a head for it the background is the direction e_1 (Payer 2019).
        maps["foreground"] = 1 - maps["embedding"][:, :1].square()
    return maps


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether an error of PyTorch says that memory ran out, on whatever device."""
    # Only CUDA has an error class of its own; the CPU and MPS say it in words.
    message = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in message
        for words in ("not enough memory", "can't allocate", "out of memory")
    )


def _too_small(device: str, size: str, *, cut: bool) -> str:
    tiles = f", even in tiles of {LEAST_TILE} px" if cut else ""
    # What takes the user's time without asking is no way out.
    way = (
        ""
        if device == "cpu"
        else ", or choose the CPU, which is slower: --device cpu, or Device: cpu in "
        "the window"
    )
    return (
        f"The device '{device}' ran out of memory on a frame of {size}{tiles}. Close "
        f"other programs, or give a larger cell size{way}."
    )


def _empty(device: torch.device) -> None:
    """Give back what PyTorch holds but does not use: smaller pieces fit in there."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
