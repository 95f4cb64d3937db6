"""Frames per second of the network, and what each way to run it faster brings.

All ways are timed in one run and held against eager float32, of which they are so many
times as fast. Frames are noise where only the network is timed, and simulated cells
where tiles and prefetching are.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from napari_semiconv.inference import pipeline
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.inference.stream.precision import computing_in
from napari_semiconv.inference.stream.stream import FrameOutput, Stream
from napari_semiconv.movie import movie_from_array
from napari_semiconv.network.embedder import Embedder, State
from napari_semiconv.network.weights import Model, choose_device, load_model
from napari_semiconv.settings import NETWORK_PRESETS, SegmentSettings, VotesSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate

from ..accelerating import FLOATS, Step, Way, ways_for
from ..movies import DIAMETER, fifty_cells
from ..report import Report, Row, peak_memory

NETWORKS = ("compact", "payer2018")
MATRIX = 8192  # side of the matrices whose product shows the card's peak
SMALL = 24.0  # px; diameter of cells that the default model sees as they are
MOST_ON_CPU = 3e11  # multiplications for a frame: what takes more is left out there


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto")
    parser.add_argument("--sizes", default="512,1024", help="sides in px, with commas")
    parser.add_argument("--networks", default=",".join(NETWORKS), help="with commas")
    parser.add_argument("--repeats", type=int, default=2, help="timed frames of each")
    parser.add_argument("--tiles", default="512,768", help="sides in px, with commas")
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    parser.add_argument("--seed", type=int, default=0, help="of frames and weights")


def run(options: argparse.Namespace) -> Report:
    """Time each way at each size, in turn."""
    device = choose_device(options.device)
    sizes = [int(size) for size in options.sizes.split(",")]
    peak = matrix_peak(device) if device.type == "cuda" else None
    rows: list[Row] = []
    for name in options.networks.split(","):
        for size in sizes:
            rows += network_rows(name, size, device, options, peak)
    rows += tile_rows(max(sizes), device, options)
    rows += ahead_rows(device, options)
    settings = {
        "device": torch.cuda.get_device_name() if peak else device.type,
        "threads": torch.get_num_threads(),
        "repeats": options.repeats,
        "seed": options.seed,
        "matrix_peak_TFLOPs": None if peak is None else peak,
        "peak_MB_of_the_process": peak_memory(),
    }
    notes = [
        "times_base: how many times as fast as eager float32 at this size; of tiles as "
        "the whole frame, of looking ahead as without it. All times are medians.",
        "Rows 'network' time the network alone, its memory carried on; 'tiles' all "
        "from frame to maps; 'pipeline' all from frame to tracks. Networks that take "
        "more than a few seconds for a frame on a processor are left out there.",
        "Share of peak: multiplications of the convolutions over those that a product "
        "of two large bfloat16 matrices reached on this card in this run.",
        "Tiles: changed is the share of pixels that are cell in one and not in the "
        "other; cells_again the share of cells of the whole frame found again, with an "
        "IoU above one half, in a frame cut into tiles.",
    ]
    return Report(rows, settings, notes)


def network_rows(
    name: str,
    size: int,
    device: torch.device,
    options: argparse.Namespace,
    peak: float | None,
) -> Iterator[Row]:
    """Time all ways to run one network at one size."""
    torch.manual_seed(options.seed)
    settings = NETWORK_PRESETS[name]
    frame = torch.randn(1, settings.image_channels, size, size, device=device)
    work = multiplications(Embedder(settings), frame.cpu())
    if device.type == "cpu" and work > MOST_ON_CPU:
        return
    base = None
    for way in ways_for(device, compiled=options.compile):
        network = Embedder(settings).eval().to(device)
        seconds, memory = time_way(way, network, frame, options.repeats)
        base = base or seconds
        yield {
            "what": "network",
            "network": name,
            "px": size,
            "way": way.name,
            "frames_per_s": 1 / seconds,
            "times_base": base / seconds,
            "share_of_peak": None
            if peak is None
            else FLOATS * work / seconds / peak / 1e12,
            "peak_MB": memory,
        }


def time_way(
    way: Way, network: Embedder, frame: torch.Tensor, repeats: int
) -> tuple[float, float | None]:
    """Time one frame after another; median s per frame and, on CUDA, peak MB."""
    if frame.is_cuda:
        torch.cuda.reset_peak_memory_stats()
    with torch.inference_mode(), computing_in(frame.device, half=way.half):
        step: Step = way.make(network, frame)
        state: State | None = None
        times = []
        # A card chooses its kernels, and clocks up, during the first frames.
        untimed = way.warm_up + (5 if frame.is_cuda else 0)
        for number in range(untimed + repeats):
            begin = time.perf_counter()
            state = step(state)
            synchronise(frame.device)
            if number >= untimed:
                times.append(time.perf_counter() - begin)
    memory = torch.cuda.max_memory_allocated() / 2**20 if frame.is_cuda else None
    return statistics.median(times), memory


def synchronise(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()


def multiplications(network: Embedder, frame: torch.Tensor) -> int:
    """Count the multiplications of all convolutions for one frame."""
    counted = 0

    def count(conv: torch.nn.Module, _: object, out: torch.Tensor) -> None:
        nonlocal counted
        assert isinstance(conv, torch.nn.Conv2d)
        counted += out.numel() * conv.weight[0].numel()

    # On meta tensors nothing is computed.
    network = network.to("meta")
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(frame.to("meta"))
    return counted


def matrix_peak(device: torch.device) -> float:
    """Measure how fast large bfloat16 matrices are multiplied, in TFLOP/s."""
    a = torch.randn(MATRIX, MATRIX, device=device, dtype=torch.bfloat16)
    times = []
    for _ in range(20):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        torch.mm(a, a)
        torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
    return FLOATS * MATRIX**3 / statistics.median(times[5:]) / 1e12


def tile_rows(
    size: int, device: torch.device, options: argparse.Namespace
) -> Iterator[Row]:
    """Run the default model on a frame whole and in tiles, and compare."""
    model = load_model("default", options.device)
    frames = tiled_cells(size, options.seed)
    whole: FrameOutput | None = None
    base = 0.0
    for side in [None, *(int(n) for n in options.tiles.split(",") if n)]:
        if side is not None and side >= size:
            continue
        seconds, output = time_stream(model, frames, side, device)
        whole, base = whole or output, base or seconds
        yield {
            "what": "tiles",
            "network": "default",
            "px": size,
            "way": "whole" if side is None else f"tiles of {side} px",
            "frames_per_s": 1 / seconds,
            "times_base": base / seconds,
            "peak_MB": _card_memory(device),
            **compared(whole, output),
        }


def tiled_cells(size: int, seed: int) -> NDArray[np.uint16]:
    """Put simulated frames beside one another until they fill one of a size."""
    side, count = 256, -(-size // 256)
    settings = SyntheticSettings(
        frames=2, height=side, width=side, cells=25, diameter=SMALL, cycle=200
    )
    return np.tile(simulate(settings, seed).images, (1, count, count))[:, :size, :size]


def time_stream(
    model: Model, frames: NDArray[np.uint16], tile: int | None, device: torch.device
) -> tuple[float, FrameOutput]:
    """Median s per frame from pixels to maps, and the maps of the last frame."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    stream = Stream(model, SMALL, tile=tile)
    times = []
    for frame in frames:
        begin = time.perf_counter()
        output = stream.push(frame)
        times.append(time.perf_counter() - begin)
    return statistics.median(times), output


def compared(whole: FrameOutput, tiled: FrameOutput) -> Row:
    """Tell what tiles change in maps and cells."""
    least = VotesSettings().foreground
    inside = [maps.foreground > least for maps in (whole, tiled)]
    engine = VotesEngine(VotesSettings())
    one, other = (engine.cells(maps) for maps in (whole, tiled))
    table = np.zeros((int(one.max()) + 1, int(other.max()) + 1))
    np.add.at(table, (one.ravel(), other.ravel()), 1)
    areas, others = table.sum(1)[1:, None], table.sum(0)[None, 1:]
    both = table[1:, 1:]
    union = np.maximum(areas + others - both, 1)
    again = (both / union > 0.5).any(1)[areas[:, 0] > 0]
    return {
        "largest_foreground_difference": float(
            np.abs(whole.foreground - tiled.foreground).max()
        ),
        "changed": float((inside[0] != inside[1]).mean()),
        "cells_again": float(again.mean()) if len(again) else None,
    }


def ahead_rows(device: torch.device, options: argparse.Namespace) -> Iterator[Row]:
    """Time the whole pipeline with the network running ahead and without."""
    model = load_model("default", options.device)
    movie = movie_from_array(fifty_cells(2 + options.repeats, options.seed), "TYX")
    settings = SegmentSettings(cell_size=DIAMETER, device=options.device)
    times: dict[bool, list[float]] = {False: [], True: []}
    # In turn, so that other work on the machine disturbs both alike.
    for _ in range(2):
        for ahead, found in times.items():
            with patch.object(pipeline, "prefetches", lambda _, wanted=ahead: wanted):
                begin = time.perf_counter()
                for result in pipeline.segment_and_track(movie, model, settings):
                    if result.frame:
                        found.append(time.perf_counter() - begin)
                    begin = time.perf_counter()
    base = statistics.median(times[False])
    for ahead, found in times.items():
        seconds = statistics.median(found)
        yield {
            "what": "pipeline",
            "network": "default",
            "px": 512,
            "way": f"prefetch {'on' if ahead else 'off'}",
            "frames_per_s": 1 / seconds,
            "times_base": base / seconds,
            "peak_MB": _card_memory(device),
        }


def _card_memory(device: torch.device) -> float | None:
    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated() / 2**20
