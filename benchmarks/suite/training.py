"""Clips learned per processor second: one in float32, against batches as by default.

Drawing the clips counts. Ways take turns in one run, so that other load disturbs them
alike; processor seconds are those of this process with one thread.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile
import torch

from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.training.loop import TrainingRun
from napari_semiconv.training.settings import TrainSettings

from ..report import Report, Row

# What training was before it knew batches and bfloat16.
ONE = {"batch": 1, "precision": "float32"}
WAYS = {
    "one clip, float32": ONE,
    "batch, float32": {"precision": "float32"},
    "usual": {},
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--data", type=Path, help="annotated folder; simulated if left")
    parser.add_argument("--clips", type=int, default=16, help="of a turn")
    parser.add_argument("--turns", type=int, default=5, help="of each way")
    parser.add_argument("--seed", type=int, default=1, help="of clips and weights")


def run(options: argparse.Namespace) -> Report:
    """Let all ways learn the same clips in turns."""
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        data = options.data or simulated(place / "simulated", options.seed)
        learners = {
            name: Learner.of(data, place / f"run{number}", options.seed, change)
            for number, (name, change) in enumerate(WAYS.items())
        }
        found: dict[str, list[float]] = {name: [] for name in learners}
        for turn in range(options.turns + 1):
            for name, learner in learners.items():
                seconds = learner.learn(options.clips)
                if turn:  # the first allocates and chooses kernels
                    found[name].append(seconds)
    first = found["one clip, float32"]
    rows: list[Row] = [
        {
            "way": name,
            "batch": learners[name].run.settings.batch,
            "half": learners[name].run.learner.half,
            "processor_s_per_clip": statistics.median(seconds),
            "times_one_clip": statistics.median(
                a / b for a, b in zip(first, seconds, strict=True)
            ),
        }
        for name, seconds in found.items()
    ]
    settings = {
        "data": data.name,
        "clips": options.clips,
        "turns": options.turns,
        "seed": options.seed,
        "threads": 1,
    }
    return Report(rows, settings, ["times_one_clip: median over the pairs of a turn."])


@dataclass
class Learner:
    """A training and the number of its next clip."""

    run: TrainingRun
    clip: int = 0

    @classmethod
    def of(
        cls, data: Path, output: Path, seed: int, change: dict[str, object]
    ) -> "Learner":
        """Begin a training in a folder."""
        usual = {"start": "default", "seed": seed, "simulated": 0.0, "workers": 0}
        output.mkdir()
        settings = TrainSettings.model_validate({**usual, "device": "cpu", **change})
        return cls(TrainingRun([data], output, settings, resume=False))

    def learn(self, clips: int) -> float:
        """Learn clips; processor seconds for each."""
        size, begin = self.run.settings.batch, time.process_time()
        for _ in range(clips // size):
            batch = [self.run.clips.draw(self.clip + i) for i in range(size)]
            self.run.learn(batch)
            self.clip += size
        return (time.process_time() - begin) / (clips // size * size)


def simulated(folder: Path, seed: int) -> Path:
    """Write a simulated movie as an annotated folder."""
    movie = simulate(SyntheticSettings(frames=6, cells=40, diameter=24), seed)
    for place in ("01", "01_GT/TRA", "01_GT/SEG"):
        (folder / place).mkdir(parents=True)
    for t, (image, labels) in enumerate(zip(movie.images, movie.labels, strict=True)):
        masks = labels.astype(np.uint16)
        tifffile.imwrite(folder / f"01/t{t:03d}.tif", image)
        tifffile.imwrite(folder / f"01_GT/TRA/man_track{t:03d}.tif", masks)
        tifffile.imwrite(folder / f"01_GT/SEG/man_seg{t:03d}.tif", masks)
    np.savetxt(folder / "01_GT/TRA/man_track.txt", movie.table, fmt="%d")
    return folder
