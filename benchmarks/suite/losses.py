"""Cosine loss and neighbour masks on a clip of 8 frames with 100 cells, on the CPU.

Held against the forward pass and the training step of the compact network on the same
clip in the same run, and against plain loops over the cells.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import psutil
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from napari_semiconv.network import losses
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.clips import Clip
from napari_semiconv.training.objective import clip_losses, run_clip
from napari_semiconv.training.settings import TrainSettings

from ..report import Report, Row, peak_memory

FRAMES, SIDE, ROWS = 8, 256, 10  # 10 x 10 cells
SIZES = (8, 16, 32)  # channels of the embedding; the first is that of the network
RADIUS, DILATION = 72.0, 5  # px; the usual settings of training
CPU = torch.device("cpu")
Work = Callable[[], object]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--threads", type=int, help="of PyTorch; all cores if left")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement")
    parser.add_argument("--seed", type=int, default=0, help="of cells and weights")


def run(options: argparse.Namespace) -> Report:
    """Time all works in turns, so that other load disturbs them alike."""
    if options.threads:
        torch.set_num_threads(options.threads)
    memory = {f"cosine loss, both{of(n)}": extra_memory(n) for n in SIZES}
    torch.manual_seed(options.seed)
    clip = hundred_cells(options.seed)
    labels = torch.from_numpy(clip.labels)
    check_loops(labels)
    seconds = in_turns(works(clip, labels), max(1, options.repeats))
    backward = seconds["cosine loss, both"] - seconds["cosine loss, forward"]
    seconds["cosine loss, backward"] = backward
    forward, step = seconds["network, forward"], seconds["training step"]
    loops = {name: value for name, value in seconds.items() if name.startswith("loop")}
    rows: list[Row] = [
        {
            "work": name,
            "s": value,
            "times_network_forward": value / forward,
            "share_of_training_step": value / step,
            "loop_takes_times_longer": loops.get(f"loop: {name}", 0) / value or None,
            "extra_MB": memory.get(name),
        }
        for name, value in sorted(seconds.items())
        if name not in loops
    ]
    settings = {
        "clip": f"{FRAMES} x {SIDE} x {SIDE} px, {ROWS**2} cells, simulated",
        "network": "compact, not trained",
        "neighbour_radius_px": RADIUS,
        "dilation_px": DILATION,
        "threads": torch.get_num_threads(),
        "repeats": options.repeats,
        "seed": options.seed,
    }
    notes = [
        "Medians; the backward pass of the loss is both less its forward pass.",
        "A training step is forward pass, all losses, backward pass and optimiser.",
        "Loops give the same values as what they are held against; this is checked.",
        "Extra memory: the peak while loss and gradient are worked out, over what held "
        "the embedding and its gradient before, in a process of its own.",
    ]
    return Report(rows, settings, notes)


def hundred_cells(seed: int) -> Clip:
    """Discs on a jittered grid that wander by a pixel per frame, and noise."""
    rng = np.random.default_rng(seed)
    pitch = SIDE / ROWS
    grid = (np.indices((ROWS, ROWS)).reshape(2, -1).T + 0.5) * pitch
    centre = grid + rng.uniform(-2, 2, grid.shape)
    radius = rng.uniform(9, 12, len(grid))
    labels = np.zeros((FRAMES, SIDE, SIDE), np.int64)
    y, x = np.indices((SIDE, SIDE))
    for frame in labels:
        for number, ((cy, cx), r) in enumerate(zip(centre, radius, strict=True), 1):
            frame[(y - cy) ** 2 + (x - cx) ** 2 <= r**2] = number
        centre += rng.uniform(-1, 1, centre.shape)
    images = rng.normal(size=(FRAMES, 2, SIDE, SIDE)).astype(np.float32)
    return Clip(images, labels, {}, "a hundred cells", warm=False)


def works(clip: Clip, labels: Tensor) -> dict[str, Work]:
    """All that is timed, by name."""
    shape = NETWORK_PRESETS["compact"]
    network = Embedder(shape).train()
    images = torch.from_numpy(clip.images)
    adjacent = losses.neighbours(labels, RADIUS)
    sizes = (shape.embedding_size, *SIZES[1:])
    embeddings = {n: some_embedding(n) for n in sizes}
    embedding = embeddings[shape.embedding_size]
    optimiser = torch.optim.AdamW(network.parameters(), 1e-6)
    settings = TrainSettings()

    def both(embedding: Tensor) -> None:
        embedding.grad = None
        loss = losses.cosine_embedding_loss(embedding, labels, adjacent)
        loss.backward()  # type: ignore[no-untyped-call]

    def loop_both() -> None:
        embedding.grad = None
        loop_loss(embedding, labels, adjacent).backward()  # type: ignore[no-untyped-call]

    def step() -> None:
        found = clip_losses(network, clip, settings, CPU)
        optimiser.zero_grad()
        torch.stack(list(found.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return {
        "network, forward": lambda: run_clip(network, images, warm=False),
        "training step": step,
        "cosine loss, forward": lambda: losses.cosine_embedding_loss(
            embedding, labels, adjacent
        ),
        **{
            f"cosine loss, both{of(n)}": partial(both, e) for n, e in embeddings.items()
        },
        "loop: cosine loss, both": loop_both,
        "neighbours 2018": lambda: losses.neighbours(labels, RADIUS),
        "loop: neighbours 2018": lambda: loop_2018(clip.labels),
        "neighbours 2019": lambda: losses.neighbours_2019(labels, RADIUS, DILATION),
        "loop: neighbours 2019": lambda: loop_2019(clip.labels),
    }


def of(size: int) -> str:
    """Say how many channels an embedding has, unless they are the usual ones."""
    return "" if size == SIZES[0] else f", {size} channels"


def some_embedding(size: int) -> Tensor:
    """Random embedding of the clip, (T, D, Y, X)."""
    return torch.randn(FRAMES, size, SIDE, SIDE, requires_grad=True)


def extra_memory(size: int) -> float:
    """Peak of the cosine loss with its gradient for some channels, MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_extra_memory, (size,))


def _extra_memory(size: int) -> float:
    labels = torch.from_numpy(hundred_cells(0).labels)
    adjacent = torch.ones(ROWS**2, ROWS**2, dtype=torch.bool)
    embedding = some_embedding(size)
    embedding.grad = torch.zeros_like(embedding)
    before = psutil.Process().memory_info().rss / 2**20
    loss = losses.cosine_embedding_loss(embedding, labels, adjacent)
    loss.backward()  # type: ignore[no-untyped-call]
    return peak_memory() - before


def in_turns(work: dict[str, Work], repeats: int) -> dict[str, float]:
    """Median seconds of each, after one run that does not count."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, act in work.items():
            begin = time.perf_counter()
            act()
            if turn:
                times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(found) for name, found in times.items()}


def check_loops(labels: Tensor) -> None:
    """Make sure that the loops work out the same as the losses."""
    plain = labels.numpy()
    adjacent = losses.neighbours(labels, RADIUS)
    embedding = torch.randn(FRAMES, 8, SIDE, SIDE)
    torch.testing.assert_close(
        losses.cosine_embedding_loss(embedding, labels, adjacent),
        loop_loss(embedding, labels, adjacent),
    )
    region = losses.neighbours_2019(labels, RADIUS, DILATION)
    np.testing.assert_array_equal(adjacent.numpy(), loop_2018(plain))
    np.testing.assert_array_equal(region.numpy(), loop_2019(plain))


def loop_loss(embedding: Tensor, labels: Tensor, adjacent: Tensor) -> Tensor:
    """Cosine embedding loss, cell by cell; labels must be 1 to K."""
    unit = F.normalize(embedding, dim=1, eps=losses.EPS).movedim(1, -1)
    raw = embedding.movedim(1, -1)
    terms = []
    for cell, row in enumerate(adjacent, 1):
        mask = labels == cell
        mean = F.normalize(raw[mask].mean(0), dim=0)
        term = 1 - (unit[mask] @ mean).mean()
        others = torch.isin(labels, torch.nonzero(row).squeeze(1) + 1)
        if others.any():
            term = term + (unit[others] @ mean).square().mean()
        terms.append(term)
    first = unit[..., 0]
    background = 1 - first[labels == 0].mean() + first[labels > 0].square().mean()
    return torch.stack(terms).mean() + background


def centre_circle(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Circle around the centre of mass of a clip, (T, Y, X), in a frame, (Y, X)."""
    y, x = np.indices(mask.shape[1:])
    cy, cx = (values.mean(dtype=np.float64) for values in np.nonzero(mask)[1:])
    circle: NDArray[np.bool_] = (y - cy) ** 2 + (x - cx) ** 2 <= RADIUS**2
    return circle


def loop_2018(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Neighbours by the rule of 2018, cell by cell; labels must be 1 to K."""
    count = int(labels.max())
    found = np.zeros((count + 1, count + 1), bool)
    for cell in range(1, count + 1):
        found[cell, np.unique(labels[:, centre_circle(labels == cell)])] = True
        found[cell, cell] = False
    return found[1:, 1:]


def loop_2019(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Neighbours by the rule of 2019, cell by cell; all must live in all frames."""
    count = int(labels.max())
    y, x = np.indices((2 * DILATION + 1,) * 2) - DILATION
    disc = y**2 + x**2 <= DILATION**2
    found = np.zeros((count + 1, count + 1), bool)
    for cell in range(1, count + 1):
        mask = labels == cell
        region = ndimage.binary_dilation(mask, disc[None]) | centre_circle(mask)
        found[cell, np.unique(labels[region])] = True
        found[cell, cell] = False
    return found[1:, 1:]
