"""Follow one cell of a corrected frame into the next ones, until the network doubts it.

Each pixel of the next frame goes to the cell of this one that its embedding and its
motion lead back to; so a neighbour that the network cannot part from the cell there
keeps its own pixels. All cells around the one that is followed come along.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..labels import Labels, boxes_in, largest_piece, numbers_in
from ..settings import VotesSettings
from .constraints.maps import VOTES
from .describing import enlarge, shrink
from .engines.tensors import one_thread
from .stream.stream import FrameOutput

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
# Cell diameters around a cell in which its neighbours, and then its pixels, lie.
REACH = 2.0
# Difference of embedding and place, as of `Maps.codes`, at which a pixel leads nowhere.
FARTHEST = 1.5


@dataclass(frozen=True, eq=False)
class Followed:
    """A cell in a further frame.

    Parameters
    ----------
    mask
        Its pixels, (Y, X), of the movie.
    agreement
        How far shape and embedding agree with the frame before, 0 to 1.
    """

    mask: Mask
    agreement: float


class Follower:
    """Follows a cell from frame to frame.

    Parameters
    ----------
    labels
        Cells of the frame to begin with, (Y, X), of the movie.
    label
        The one to follow.
    output
        What the network predicts for that frame.
    settings
        Foreground threshold; the usual one when None.
    """

    def __init__(
        self,
        labels: Labels,
        label: int,
        output: FrameOutput,
        settings: VotesSettings | None = None,
    ) -> None:
        self._shape = labels.shape
        self._level = (settings or VotesSettings()).foreground
        self._label, self._output = label, output
        self._labels = shrink(labels, output.shape)

    def step(self, output: FrameOutput) -> Followed:
        """Follow it into the next frame.

        Parameters
        ----------
        output
            What the network predicts for the next frame.
        """
        with one_thread():
            labels = self._led_back(output)
        before, after = self._labels == self._label, labels == self._label
        agreement = self._agreement(before, after, output)
        level = output.foreground - np.float32(self._level)
        whole = enlarge(labels, level, self._shape) == self._label
        self._labels, self._output = labels, output
        return Followed(whole, agreement)

    def _led_back(self, output: FrameOutput) -> Labels:
        """Cells of the next frame around the one that is followed, (Y, X)."""
        size = output.cell_size
        found = np.zeros(output.shape, np.int32)
        window = self._around(size)
        cells = numbers_in(self._labels[window])
        seen = output.foreground[window] > self._level
        if not seen.any() or self._label not in cells:
            return found
        rows, columns = np.nonzero(seen)
        rows, columns = rows + window[0].start, columns + window[1].start
        places = np.stack([rows, columns])
        back, now = output.motion, output.offset
        origins = places + _at(back if back is not None else now, rows, columns)
        codes = output.embedding[:, rows, columns]
        far = np.stack(
            [self._far(number, origins, codes, size) for number in cells.tolist()]
        )
        nearest = far.argmin(0)
        owner = np.where(far.min(0) <= FARTHEST, cells[nearest], 0)
        found[rows, columns] = owner
        for number in cells.tolist():
            mask = found == number
            kept = largest_piece(mask)
            if number == self._label:
                kept |= ndimage.binary_fill_holes(kept) & (found == 0)
            found[mask] = 0
            found[kept] = number
        return found

    def _around(self, size: float) -> tuple[slice, slice]:
        box = boxes_in(self._labels).get(self._label)
        if box is None:
            return slice(0, 0), slice(0, 0)
        margin = int(np.ceil(REACH * size))
        rows, columns = (
            slice(max(0, part.start - margin), min(side, part.stop + margin))
            for part, side in zip(box, self._labels.shape, strict=True)
        )
        return rows, columns

    def _far(
        self, number: int, origins: NDArray[np.float64], codes: Floats, size: float
    ) -> NDArray[np.float64]:
        """How far pixels lead from a cell of this frame, (P,)."""
        rows, columns = np.nonzero(self._labels == number)
        mean = _unit(self._output.embedding[:, rows, columns].mean(1))
        differ = np.linalg.norm(codes - mean[:, None], axis=0)
        votes = np.stack([rows, columns]) + _at(self._output.offset, rows, columns)
        centre = votes.mean(1)
        apart = np.linalg.norm(origins - centre[:, None], axis=0) / size
        far: NDArray[np.float64] = differ + VOTES * apart
        return far

    def _agreement(
        self,
        before: Mask,
        after: Mask,
        output: FrameOutput,
    ) -> float:
        if not before.any() or not after.any():
            return 0.0
        # Where it went was asked already: here only its shape counts.
        left = np.argwhere(after).mean(0) - np.argwhere(before).mean(0)
        moved = ndimage.shift(before.astype(np.float32), left, order=0) > 0.5
        overlap = float((moved & after).sum() / max(1, (moved | after).sum()))
        one = _unit(self._output.embedding[:, before].mean(1))
        other = _unit(output.embedding[:, after].mean(1))
        return overlap * max(0.0, float(one @ other))


def _at(planes: Floats | None, rows: Any, columns: Any) -> Any:
    return 0.0 if planes is None else planes[:, rows, columns].astype(np.float64)


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector
