"""Mean shift with a flat kernel and the cosine metric, as published in 2019."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Payer et al. 2019: a kernel holds the codes whose cosine is 0.9 or more.
BANDWIDTH = 0.1
SEEDS, ITERATIONS = 128, 300
STOP = 1e-3  # share of the bandwidth by which a mean that has arrived still moves


def mean_shift(
    codes: Floats, rng: np.random.Generator, bandwidth: float = BANDWIDTH
) -> tuple[NDArray[np.int32], Floats]:
    """Cluster codes by where random seeds drift to (Payer et al. 2019).

    Parameters
    ----------
    codes
        One per pixel, (P, D); none is zero.
    rng
        Draws the seeds; the published procedure drew them anew at every run.
    bandwidth
        Cosine distance up to which codes belong to a kernel.

    Returns
    -------
    tuple
        Cluster of each code, (P,), from 1, and the centres, (K, D). A cluster that
        holds no seed is absorbed by the nearest one, as published.
    """
    if not len(codes):
        return np.zeros(0, np.int32), codes
    unit = _unit(codes)
    chosen = rng.choice(len(codes), min(SEEDS, len(codes)), replace=False)
    means, counts = _drift(codes, unit, codes[chosen], bandwidth)
    centres = _merge(means, counts, bandwidth)
    nearest = (unit @ _unit(centres).T).argmax(1)
    return (nearest + 1).astype(np.int32), centres


def _drift(
    codes: Floats, unit: Floats, means: Floats, bandwidth: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Move means until they stay, (S, D), and count the codes around each, (S,)."""
    means, counts = means.copy(), np.zeros(len(means), np.int64)
    moving = np.arange(len(means))
    for _ in range(ITERATIONS):
        near = _unit(means[moving]) @ unit.T >= 1 - bandwidth
        counts[moving] = near.sum(1)
        moved = near.astype(np.float32) @ codes / np.maximum(counts[moving], 1)[:, None]
        # A mean between opposite codes may lose them all: it stays where it was.
        moved = np.where(counts[moving, None] > 0, moved, means[moving])
        step = np.linalg.norm(moved - means[moving], axis=1)
        means[moving] = moved
        moving = moving[step >= STOP * bandwidth]
        if not len(moving):
            break
    return means, counts


def _merge(means: Floats, counts: NDArray[np.int64], bandwidth: float) -> Floats:
    """Of means nearer than the bandwidth keep the one with most codes, (K, D)."""
    order = np.argsort(-counts, kind="stable")
    means = means[order]
    likeness = _unit(means) @ _unit(means).T
    kept: list[int] = []
    for row in range(len(means)):
        if not kept or likeness[row, kept].max() <= 1 - bandwidth:
            kept.append(row)
    return means[kept]


def _unit(codes: Floats) -> Floats:
    length = np.linalg.norm(codes, axis=1, keepdims=True)
    unit: Floats = (codes / np.maximum(length, 1e-6)).astype(np.float32)
    return unit
