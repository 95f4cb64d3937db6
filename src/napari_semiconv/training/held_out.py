"""Scores on clips that are never trained on."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ..network.embedder import Embedder
from .batch import run_batch
from .clips import Clip, Clips
from .objective import losses_of
from .settings import TrainSettings
from .truth import Recording

CLIPS = 6  # per source folder; the same ones at every checkpoint


def held_out_clips(
    held: Sequence[Recording],
    settings: TrainSettings,
    channels: int,
    count: int = CLIPS,
) -> dict[str, list[Clip]]:
    """Cut the clips that every checkpoint is scored on, so many of each folder."""
    found = {}
    for name in sorted({r.name for r in held}):
        clips = Clips([r for r in held if r.name == name], settings, channels)
        found[name] = [clips.draw(i) for i in range(count)]
    return found


def held_out_scores(
    network: Embedder, held: Mapping[str, Sequence[Clip]], settings: TrainSettings
) -> dict[str, float]:
    """Mean loss of each held-out source folder.

    Parameters
    ----------
    network
        The network to score.
    held
        Clips set aside, by source folder.
    settings
        Neighbour radius and version of the cosine loss. The precision is always
        float32, in which models are used.

    Returns
    -------
    dict
        Mean total loss by folder name, and their mean as ``mean``; empty without clips.
    """
    network.eval()
    device = next(network.parameters()).device
    scores = {}
    with torch.no_grad():
        for name, clips in held.items():
            outputs = run_batch(network, clips, device, half=False)
            found = [
                losses_of(network, [output], clip, settings, device)
                for clip, output in zip(clips, outputs, strict=True)
            ]
            scores[name] = float(np.mean([sum(map(float, f.values())) for f in found]))
    if scores:
        scores["mean"] = float(np.mean(list(scores.values())))
    return scores
