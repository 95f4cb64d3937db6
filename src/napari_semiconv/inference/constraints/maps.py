"""What the network predicts for a frame, asked for at pixels of the movie."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels
from ...settings import VotesSettings
from ..engines.votes.engine import segments_of
from ..stream.stream import FrameOutput

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
Odds = dict[tuple[int, int], float]
# Weight of a cell diameter between votes against the length of a unit embedding.
VOTES = 2.0
REACH = 2  # px of the network around a window that its segments are clustered with


@dataclass(frozen=True, eq=False)
class Maps:
    """What the network predicts for a frame, for each pixel of the movie that it sees.

    Parameters
    ----------
    shape
        Height and width of the movie's frames, px.
    cell_size
        Diameter of a usual cell, px of the movie.
    output
        What the network predicts; None when it is not known any more.
    settings
        How votes are clustered.
    """

    shape: tuple[int, int]
    cell_size: float
    output: FrameOutput | None = None
    settings: VotesSettings = field(default_factory=VotesSettings)

    @classmethod
    def of(
        cls,
        output: FrameOutput,
        shape: tuple[int, int],
        settings: VotesSettings | None = None,
    ) -> "Maps":
        """Relate what the network predicts to frames of a shape, (Y, X)."""
        factor = np.sqrt(np.divide(shape, output.shape).prod())
        size = float(output.cell_size * factor)
        return cls(shape, size, output, settings or VotesSettings())

    @cached_property
    def places(self) -> tuple[Integers, Integers]:
        """Row and column of the network that each row and column is seen by."""
        small = self.shape if self.output is None else self.output.shape
        rows, columns = (
            np.minimum(((np.arange(n) + 0.5) * m / n).astype(np.int64), m - 1)
            for n, m in zip(self.shape, small, strict=True)
        )
        return rows, columns

    def foreground(self, window: Window) -> Floats | None:
        """Probability of being in a cell, (height, width); None when not known."""
        if self.output is None:
            return None
        found: Floats = self.output.foreground[self._grid(window)]
        return found

    def codes(self, window: Window) -> Floats:
        """Give what tells pixels of two cells apart, (D, height, width).

        Where votes fall, in cell diameters, and the embedding; the place of the pixel
        when nothing else is known.
        """
        if self.output is None:
            extent = [part.stop - part.start for part in window]
            return (np.indices(extent) / self.cell_size).astype(np.float32)
        grid = self._grid(window)
        embedding = self.output.embedding[:, *grid]
        place = np.stack(np.broadcast_arrays(*grid)).astype(np.float32)
        if self.output.offset is not None:
            place += self.output.offset[:, *grid]
        place *= np.float32(VOTES / self.output.cell_size)
        return np.concatenate([place, embedding])

    def segments(self, window: Window, mask: Mask) -> tuple[Labels, Odds]:
        """Cluster the votes of some pixels into the segments that cells are made of.

        Parameters
        ----------
        window
            Where.
        mask
            Which pixels of the window, (height, width).

        Returns
        -------
        tuple
            Segments, (height, width), from 1 on the mask; log-odds that two of them
            that touch are one cell, by their numbers, the smaller first. One segment
            when the network has no votes.
        """
        output = self.output
        if output is None or output.offset is None or not mask.any():
            return mask.astype(np.int32), {}
        rows, columns = self._grid(window)
        part = tuple(
            slice(max(0, int(line.min()) - REACH), int(line.max()) + REACH + 1)
            for line in (rows, columns)
        )
        rows, columns = rows - part[0].start, columns - part[1].start
        cropped = _cropped(output, (part[0], part[1]))
        inside = self._covered(window, mask, (part[0], part[1]))
        y, x = np.nonzero(mask)
        inside[rows[y, 0], columns[0, x]] = True
        labels, borders = segments_of(cropped, inside, self.settings)
        # Where votes gather nowhere, all is one segment more.
        named = np.where(labels > 0, labels, int(labels.max()) + 1)
        segments = np.where(mask, named[rows, columns], 0).astype(np.int32)
        pairs = zip(borders.pairs.tolist(), borders.odds.tolist(), strict=True)
        return segments, {(one, other): odds for (one, other), odds in pairs}

    def _covered(self, window: Window, mask: Mask, part: Window) -> Mask:
        """Pixels of a part of the network's maps whose middle lies on a mask.

        Where the network sees a frame enlarged, some of its pixels are those of no
        pixel of the movie.
        """
        assert self.output is not None
        lines = []
        for whole, small, own, there in zip(
            self.shape, self.output.shape, window, part, strict=True
        ):
            stop = min(there.stop, small)
            seen = (np.arange(there.start, stop) + 0.5) * whole / small
            lines.append(seen.astype(np.int64) - own.start + 1)
        framed = np.pad(mask, 1)
        rows, columns = (
            np.clip(line, 0, side - 1)
            for line, side in zip(lines, framed.shape, strict=True)
        )
        covered: Mask = framed[np.ix_(rows, columns)]
        return covered

    def _grid(self, window: Window) -> tuple[Integers, Integers]:
        rows, columns = self.places
        return rows[window[0], None], columns[None, window[1]]


def _cropped(output: FrameOutput, part: Window) -> FrameOutput:
    def cut(planes: Floats | None) -> Floats | None:
        return None if planes is None else np.ascontiguousarray(planes[:, *part])

    return replace(
        output,
        foreground=np.ascontiguousarray(output.foreground[part]),
        embedding=np.ascontiguousarray(output.embedding[:, *part]),
        offset=cut(output.offset),
        motion=cut(output.motion),
        seed=None if output.seed is None else np.ascontiguousarray(output.seed[part]),
        further={},
    )
