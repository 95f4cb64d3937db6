"""HDBSCAN engine: embedding and place clustered together over frame pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ....errors import BadSettingsError
from ....labels import Labels
from ....network.weights import Model
from ....settings import HDBSCAN, HdbscanSettings, SegmentSettings
from ...stream.stream import FrameOutput
from ..protocol import CellScores
from ..regions import tidy
from .density import cluster_points
from .separate import follow, renumbered, separate
from .superpixels import SuperPixels, group_pixels

Floats = NDArray[np.float32]
Values = NDArray[np.floating]
FEWEST = 5  # pixels of a cluster, whatever the settings
# Chosen on training frames of GOWT1, SIM+ and DIC and on simulated ones.
SIDE = 1 / 8  # of a bin whose pixels are grouped, cell diameters
REACH_OF_VOTES = 0.8  # farther apart in code no two groups are one cluster
REACH_OF_PIXELS = 0.2
FINEST = 1 / 4  # of the reach: nearer than this all are equally near
SPARSE = 8  # every so many pixels tell the usual offset
MARGIN = 1.5  # cell diameters around the frame in which votes are told apart


@dataclass(frozen=True)
class Window:
    """Foreground pixels of a few frames, one frame after the other.

    Parameters
    ----------
    insides
        Foreground of each frame, (Y, X).
    embedding
        Of each pixel, (D, P).
    place
        Of each pixel, its own or that of its vote, (2, P), px.
    codes
        Weighted embedding and place of each pixel, (D + 2, P).
    votes
        Whether places are those of votes.
    drift
        Usual way from a pixel to its place, (2, 1), px.
    """

    insides: list[NDArray[np.bool_]]
    embedding: Floats
    place: Floats
    codes: Floats
    votes: bool
    drift: Floats

    def images(self, numbers: NDArray[np.int32]) -> list[Labels]:
        """Paint the number of each pixel, (P,), on background 0."""
        images, ends = [], np.cumsum([np.count_nonzero(i) for i in self.insides])
        for inside, part in zip(
            self.insides, np.split(numbers, ends[:-1]), strict=True
        ):
            image = np.zeros(inside.shape, np.int32)
            image[inside] = part
            images.append(image)
        return images


class HdbscanEngine:
    """Clusters unit embeddings and scaled places of two frames together.

    Payer et al. 2018, section 2.3: window of two frames that overlap by one, codes of
    embedding and coordinates, ``min_cluster_size`` equal to ``min_samples``, Euclidean
    metric. With votes for coordinates the place is semi-convolutional (Novotny et al.
    2018): one code holds both papers' embeddings.

    Single pixels are clustered as published, by the hdbscan package, noise to
    background. Groups of pixels, which are some thirty times fewer, are clustered with
    their neighbours alone; then noise joins the nearest cluster, since the foreground
    says that it is in a cell, and every connected piece is a cell of its own.

    Parameters
    ----------
    settings
        Thresholds, kind of place, and weights of embedding and place.
    """

    window = 2

    def __init__(self, settings: HdbscanSettings) -> None:
        self.settings = settings
        self.foreground = settings.foreground

    def cluster(
        self, outputs: Sequence[FrameOutput]
    ) -> list[tuple[Labels, CellScores | None]]:
        """Find the cells of a frame pair, and tell how sure each of them is.

        Parameters
        ----------
        outputs
            One or two successive frames.

        Returns
        -------
        list
            For each frame its cells, (Y, X), and how sure they are; None when
            single pixels are clustered, which tells nothing of this.
        """
        window = self.gather(outputs)
        if self.settings.clustered == "pixels":
            smallest = self._smallest(outputs)
            least = round(smallest * len(outputs))
            found = hdbscan_numbers(window.codes.T, least, self.settings.most_pixels)
            return [(tidy(image, smallest), None) for image in window.images(found)]
        frames, sure = self._grouped(window, outputs)
        scored: list[tuple[Labels, CellScores | None]] = []
        begin = 0
        for labels, inside in zip(frames, window.insides, strict=True):
            end = begin + int(np.count_nonzero(inside))
            # Holes that were filled are no foreground and say nothing.
            cell = labels[inside]
            area = np.bincount(cell)
            numbers = np.flatnonzero(area[1:]) + 1
            means = [
                np.bincount(cell, values[begin:end])[numbers] / area[numbers]
                for values in sure
            ]
            scored.append((labels, CellScores(numbers.astype(np.int32), *means)))
            begin = end
        return scored

    def gather(self, outputs: Sequence[FrameOutput]) -> Window:
        """Collect the foreground pixels of some frames and their codes."""
        insides = [o.foreground > self.settings.foreground for o in outputs]
        votes = self._by_votes(outputs)
        embeddings, places, offsets = [], [], [np.zeros((2, 0), np.float32)]
        for output, inside in zip(outputs, insides, strict=True):
            chosen = np.flatnonzero(inside)
            place = np.stack(np.divmod(chosen, inside.shape[1])).astype(np.float32)
            if votes and output.offset is not None:
                offsets.append(output.offset.reshape(2, -1).take(chosen, axis=1))
                place += offsets[-1]
            planes = output.embedding.reshape(len(output.embedding), -1)
            embeddings.append(planes.take(chosen, axis=1))
            places.append(place)
        embedding, place = np.concatenate(embeddings, 1), np.concatenate(places, 1)
        settings = self.settings
        weight = settings.vote_weight if votes else settings.coordinate_weight
        codes = [embedding * settings.embedding_weight, place * weight]
        whole = np.concatenate(codes).astype(np.float32, copy=False)
        moved = np.concatenate(offsets, 1)[:, ::SPARSE]
        drift = np.median(moved, 1, keepdims=True) if moved.size else np.zeros((2, 1))
        return Window(insides, embedding, place, whole, votes, drift.astype(np.float32))

    def _smallest(self, outputs: Sequence[FrameOutput]) -> float:
        return float(self.settings.smallest * np.pi / 4 * outputs[0].cell_size ** 2)

    def _grouped(
        self, window: Window, outputs: Sequence[FrameOutput]
    ) -> tuple[list[Labels], tuple[Values, Values]]:
        """Cells of each frame; persistence and margin of each pixel, (P,)."""
        if not window.codes.size:
            none = np.zeros(0)
            return window.images(np.zeros(0, np.int32)), (none, none)
        smallest = self._smallest(outputs)
        least = max(FEWEST, round(smallest * len(outputs)))
        grouped = group_window(window, outputs[0].cell_size)
        reach = REACH_OF_VOTES if window.votes else REACH_OF_PIXELS
        found = cluster_points(grouped.points, least, least, reach, FINEST * reach)
        owner = grouped.owner
        dense = np.append(0.0, found.persistence)[found.numbers]
        cells = cells_of(window, found.anyhow[owner], outputs, smallest)
        return cells, (dense[owner], found.margin[owner])

    def _by_votes(self, outputs: Sequence[FrameOutput]) -> bool:
        known = all(output.offset is not None for output in outputs)
        return known and self.settings.position != "pixel"


def build(settings: SegmentSettings, model: Model) -> HdbscanEngine:
    """Make the engine for a model; see `engines.protocol`.

    Raises
    ------
    BadSettingsError
        When places are to be those of votes, and the model has none.
    """
    own = HDBSCAN.own(settings)
    if own.position == "vote" and not model.info.network.offsets:
        raise BadSettingsError(
            "The place 'vote' needs a model with semi-convolutional heads, found one "
            "without. Choose the place 'pixel' or another model."
        )
    return HdbscanEngine(own)


def group_window(window: Window, size: float) -> SuperPixels:
    """Group the pixels of some frames with cells of a diameter in px."""
    return group_pixels(
        window.codes, _near(window, size), window.embedding, SIDE * size
    )


def cells_of(
    window: Window,
    numbers: NDArray[np.int32],
    outputs: Sequence[FrameOutput],
    smallest: float,
) -> list[Labels]:
    """Turn the cluster of each pixel, (P,), 0 for none, into cells.

    Parameters
    ----------
    window
        The pixels.
    numbers
        Cluster of each.
    outputs
        The frames that they are from.
    smallest
        Least area of a cell, px.
    """
    cells = separate(window.images(numbers), smallest)
    for i, output in enumerate(outputs[1:]):
        cells[i + 1] = follow(cells[i], cells[i + 1], _shift(output))
    return renumbered(cells)


def _shift(output: FrameOutput) -> Floats | None:
    """From each pixel to its place one frame before, (2, Y, X), px, if known."""
    if output.motion is None or output.offset is None:
        return None
    return output.motion - output.offset


def _near(window: Window, size: float) -> Floats:
    """Places of the pixels, (2, P), strays brought back to the map, px.

    A network may let all votes fall far beside their cells (see `votes.peaks`); only
    where they fall relative to one another counts.
    """
    sides = np.array(window.insides[0].shape, np.float32)[:, None]
    margin = np.float32(MARGIN * size)
    near: Floats = np.clip(window.place - window.drift, -margin, sides + margin)
    return near


def hdbscan_numbers(codes: Floats, smallest: int, most: int) -> NDArray[np.int32]:
    """Cluster codes by density.

    Parameters
    ----------
    codes
        One per pixel, (P, D).
    smallest
        Both ``min_cluster_size`` and ``min_samples``, in pixels.
    most
        Above this many pixels a regular sample is clustered and each of the others
        takes the number of the nearest code in it; 0 takes all.

    Returns
    -------
    NDArray
        Cluster of each code, (P,), from 1; 0 is noise.
    """
    step = max(1, -(-len(codes) // most)) if most else 1
    sample = codes[::step]
    least = max(FEWEST, round(smallest / step))
    if len(sample) <= least:
        # Fewer pixels than one cell: there is nothing to cluster.
        return np.zeros(len(codes), np.int32)
    from hdbscan import HDBSCAN

    engine = HDBSCAN(min_cluster_size=least, min_samples=least, core_dist_n_jobs=1)
    found = engine.fit_predict(sample.astype(np.float64))  # -1 is noise
    numbers: NDArray[np.int32] = (found + 1).astype(np.int32)
    if step == 1:
        return numbers
    _, nearest = cKDTree(sample).query(codes)
    whole: NDArray[np.int32] = numbers[nearest]
    return whole
