"""Trials of the five ways with several seeds; trained networks are kept and reused."""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from . import pictures, stills
from .apart import Reading, Score, take_apart, tune, votes_apart
from .stills import METHODS, Labels, Method, Plan

# What a trained network depends on beside its plan. The losses are not among them:
# after a change there, `--fresh` trains anew.
SOURCES = (Path(pictures.__file__), Path(stills.__file__))


@dataclass(frozen=True)
class Trial:
    """One method with one seed.

    Parameters
    ----------
    method
        Which way.
    seed
        Of weights and pictures.
    scores
        Measures by name.
    found
        Label images of the test pictures.
    reading
        Settings that were chosen on other pictures.
    seconds
        CPU time of the training, s.
    votes_apart
        Mean distance from a cell's mean vote to the nearest other one, px; None without
        votes.
    """

    method: Method
    seed: int
    scores: dict[str, float]
    found: Sequence[Labels]
    reading: Reading = field(default_factory=Reading)
    seconds: float = 0.0
    votes_apart: float | None = None


def compare(
    plan: Plan,
    seeds: Sequence[int],
    device: str,
    score: Score,
    aim: str,
    kept: Path | None = None,
) -> list[Trial]:
    """Train and test every method with every seed, all on the same test pictures.

    Parameters
    ----------
    plan
        How large the experiment is.
    seeds
        Of weights and training pictures.
    device
        Where networks run.
    score
        Measures by name.
    aim
        The measure by which settings are chosen on the tuning pictures; more is better.
    kept
        Folder of trained networks, which are reused where all else is equal; None to
        train anew.
    """
    return [
        attempt(method, plan, seed, device, score, aim, kept)
        for seed in seeds
        for method in METHODS
    ]


def attempt(
    method: Method,
    plan: Plan,
    seed: int,
    device: str,
    score: Score,
    aim: str,
    kept: Path | None,
) -> Trial:
    """Train one method with one seed, choose its settings, and test it."""
    network, seconds = trained(method, plan, seed, device, kept)
    known, tests = stills.tuning_pictures(plan), stills.test_pictures(plan)
    reading = tune(
        method, network, known, lambda p, f: score(p, f)[aim], sample=plan.sample
    )
    found = [take_apart(method, network, p, reading, plan.sample) for p in tests]
    scores, gap = dict(score(tests, found)), votes_apart(network, tests)
    return Trial(method, seed, scores, found, reading, seconds, gap)


def trained(
    method: Method, plan: Plan, seed: int, device: str, kept: Path | None
) -> tuple[nn.Module, float]:
    """Train a network, or read one that was trained so before.

    Returns
    -------
    tuple
        The network, in evaluation mode; CPU time of its training, s.
    """
    if kept is None:
        return _train(method, plan, seed, device)
    file = kept / f"{method}-{seed}-{_digest(method, plan, seed, device)}.safetensors"
    if not file.exists():
        network, seconds = _train(method, plan, seed, device)
        weights = {
            name: value.cpu().contiguous()
            for name, value in network.state_dict().items()
        }
        kept.mkdir(parents=True, exist_ok=True)
        beside = file.with_suffix(f".{os.getpid()}.part")
        save_file(weights, beside, {"seconds": str(seconds)})
        beside.replace(file)
        return network, seconds
    network = stills.build(method, plan).to(device)
    network.load_state_dict(load_file(file))
    with safe_open(file, "pt") as stored:
        seconds = float(stored.metadata()["seconds"])
    return network.eval(), seconds


def _train(
    method: Method, plan: Plan, seed: int, device: str
) -> tuple[nn.Module, float]:
    begin = time.process_time()
    network = stills.train(method, plan, seed, device)
    return network, time.process_time() - begin


def _digest(method: Method, plan: Plan, seed: int, device: str) -> str:
    facts = repr((method, plan.learning(), seed, device, torch.__version__))
    digest = hashlib.sha256(facts.encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def spread(trials: Sequence[Trial], method: Method, name: str) -> tuple[float, float]:
    """Mean and standard deviation of a measure over the seeds of a method."""
    values = [trial.scores[name] for trial in trials if trial.method == method]
    return float(np.mean(values)), float(np.std(values))


def gap_between_votes(trials: Sequence[Trial], method: Method) -> float | None:
    """Mean over the seeds of how far apart cells vote, px; None without votes."""
    gaps = [trial.votes_apart for trial in trials if trial.method == method]
    known = [gap for gap in gaps if gap is not None]
    return float(np.mean(known)) if known else None


def told(plan: Plan, trials: Sequence[Trial]) -> dict[str, object]:
    """All that the numbers depend on, and the settings that were chosen."""
    facts = dict(plan.told())
    del facts["least cluster (px)"]  # chosen
    seeds = {trial.seed for trial in trials}
    chosen = {
        f"chosen for {method}": " / ".join(
            trial.reading.told(method) for trial in trials if trial.method == method
        )
        for method in METHODS
    }
    minutes = sum(trial.seconds for trial in trials) / 60
    return {
        **facts,
        "training seeds": len(seeds),
        "CPU time of all trainings (min)": round(minutes, 1),
        **chosen,
    }
