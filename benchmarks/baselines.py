"""Fixed work to hold speeds against: the ratio tells more than the machine's time."""

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from .movies import DIAMETER, fifty_cells

CHANNELS, LAYERS, SIZE = 32, 4, 512
MODULE = "benchmarks.baselines"


def convolutions() -> float:
    """Time four 3 x 3 convolutions of 32 channels on 512 x 512 px, in s."""
    layer = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
    frame = torch.zeros(1, CHANNELS, SIZE, SIZE)

    def work() -> None:
        with torch.inference_mode():
            result = frame
            for _ in range(LAYERS):
                result = layer(result)

    return _median_time(work)


def classical(frame: NDArray[np.uint16], diameter: float) -> float:
    """Time blur, threshold and watershed of one frame, in s.

    Parameters
    ----------
    frame
        Image, (Y, X).
    diameter
        Of a usual cell, in px.
    """

    def work() -> None:
        smooth = ndimage.gaussian_filter(frame.astype(np.float32), diameter / 10)
        mask = smooth > threshold_otsu(smooth)
        depth = ndimage.distance_transform_edt(mask)
        around = ndimage.maximum_filter(depth, size=int(diameter / 2))
        seeds, _ = ndimage.label((depth == around) & mask)
        watershed(-depth, seeds, mask=mask)

    return _median_time(work)


def _median_time(work: Callable[[], None], repeats: int = 9) -> float:
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def measure(options: dict[str, int]) -> dict[str, float]:
    """Time both pieces of work, in s, with ``seed`` and ``threads`` given."""
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    frame = fifty_cells(1, options["seed"])[0]
    return {
        "convolutions": convolutions(),
        "classical": classical(frame, DIAMETER),
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
