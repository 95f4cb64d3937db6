"""HDBSCAN engine: embedding and place clustered together over frame pairs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..errors import BadSettingsError
from ..settings import HdbscanSettings
from .cluster import Labels, tidy
from .stream import FrameOutput

Floats = NDArray[np.float32]
FEWEST = 5  # pixels of a cluster, whatever the settings


class HdbscanEngine:
    """Clusters unit embeddings and scaled places of two frames together.

    Payer et al. 2018, section 2.3: window of two frames that overlap by one, codes of
    embedding and coordinates, ``min_cluster_size`` equal to ``min_samples``, Euclidean
    metric, noise to background. With votes for coordinates the place is
    semi-convolutional (Novotny et al. 2018): one code holds both papers' embeddings.

    Parameters
    ----------
    settings
        Thresholds, kind of place, and weights of embedding and place.
    """

    window = 2

    def __init__(self, settings: HdbscanSettings) -> None:
        self.settings = settings

    def cluster(self, outputs: Sequence[FrameOutput]) -> list[Labels]:
        """Find the cells of a frame pair; see `Engine`."""
        usual = np.pi / 4 * outputs[0].cell_size ** 2
        smallest = self.settings.smallest * usual
        insides = [o.foreground > self.settings.foreground for o in outputs]
        codes = np.concatenate(
            [self._codes(o, p) for o, p in zip(outputs, insides, strict=True)]
        )
        sizes = [int(np.count_nonzero(inside)) for inside in insides]
        least = round(smallest * len(outputs))
        found = hdbscan_numbers(codes, least, self.settings.most_pixels)
        labels = []
        for output, inside, part in zip(
            outputs, insides, np.split(found, np.cumsum(sizes)[:-1]), strict=True
        ):
            image = np.zeros(output.shape, np.int32)
            image[inside] = part
            labels.append(tidy(image, smallest))
        return labels

    def _codes(self, output: FrameOutput, inside: NDArray[np.bool_]) -> Floats:
        """Weighted embedding and place of each foreground pixel, (P, D + 2)."""
        place = np.argwhere(inside).astype(np.float32)
        weight = self.settings.coordinate_weight
        if self.settings.position == "vote":
            if output.offset is None:
                raise BadSettingsError(
                    "The place 'vote' needs a model with semi-convolutional heads, "
                    "found one without. Choose the place 'pixel' or another model."
                )
            place += output.offset[:, inside].T
            weight = self.settings.vote_weight
        codes: Floats = np.concatenate(
            [
                output.embedding[:, inside].T * self.settings.embedding_weight,
                place * weight,
            ],
            axis=1,
        )
        return codes.astype(np.float32)


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
