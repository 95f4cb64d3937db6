"""Teaching: a model and a lesson in; out comes a model, and whether it is better."""

import copy
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..network.embedder import Embedder
from ..network.weights import Model
from ..training.batch import run_batch
from ..training.clips import Clip, Clips
from ..training.held_out import held_out_clips, held_out_scores
from ..training.learner import Learner
from ..training.settings import TrainSettings
from ..training.simulated import simulated_recordings
from .examples import Check
from .lesson import Lesson
from .scoring import CheckScore, look
from .settings import Depth, TeachSettings

# Levels of the expanding path, finest first, that learn as the last of the decoder.
LEVELS = 3
# How often the clips of the checks are looked at.
LOOKS = 6
# Clips of each check that tell when to stop.
CLIPS = 4
# Clips whose features are kept, when heads alone learn.
KEPT = 96
# Simulated movies of each kind of cell that are replayed, and clips of each kind that
# tell what was forgotten.
REPLAYED = 2
# From this factor of its loss on simulated cells on, it is told what may be forgotten.
FORGOTTEN = 1.25


@dataclass(frozen=True)
class TeachProgress:
    """How far teaching is.

    Parameters
    ----------
    stage
        ``before`` and ``after`` look at the checks, ``learning`` takes steps.
    step, total
        Steps done, and all.
    loss
        Mean loss of the step.
    held_out
        Mean loss on clips of the checks, where it was just looked at.
    """

    stage: str
    step: int
    total: int
    loss: float | None = None
    held_out: float | None = None


@dataclass(frozen=True, eq=False)
class Taught:
    """What teaching came to.

    Parameters
    ----------
    network
        The network with the best weights that were met.
    before, after
        Scores of the cells held out, by the model that was taught and by the new one.
    found
        Labels that both found in each check, (Y, X).
    replay
        Loss on simulated cells, before and after.
    step
        Step of the weights that were taken.
    """

    network: Embedder
    before: CheckScore
    after: CheckScore
    found: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]]
    replay: tuple[float, float]
    step: int

    @property
    def forgets(self) -> bool:
        """Whether the loss on simulated cells of other kinds rose clearly.

        That is a hint alone: yeast was taught at 1.4 times the loss, and SEG of nuclei
        and of cells in DIC stayed; bacteria at 1.15 times cost the latter .18.
        """
        before, after = self.replay
        return after > FORGOTTEN * before

    @property
    def better(self) -> bool | None:
        """Whether the new model is to be kept; None when nothing could be checked."""
        if not self.after.cells:
            return None
        return self.after.value > self.before.value


def learning_weights(network: Embedder, depth: Depth) -> list[nn.Parameter]:
    """Give the weights that learn at a depth.

    Parameters
    ----------
    network
        The network.
    depth
        How deep.
    """
    if depth == "all":
        return list(network.parameters())
    parts: list[nn.Module] = [network.embed[-1]]
    parts += [p for p in (network.heads, network.kernel, network.region) if p]
    if depth == "decoder":
        up = network.stacks[-1].up
        assert isinstance(up, nn.ModuleList)
        parts += list(up[:LEVELS])
    return [weight for part in parts for weight in part.parameters()]


def teach(
    model: Model, lesson: Lesson, settings: TeachSettings
) -> Generator[TeachProgress, None, Taught]:
    """Teach a model; the model itself stays as it is.

    Parameters
    ----------
    model
        What is taught.
    lesson
        Examples to learn from, and checks.
    settings
        How.

    Yields
    ------
    TeachProgress
        After every step.

    Returns
    -------
    Taught
        The network with the weights that do best on what was held out.

    Raises
    ------
    NonFiniteLossError
        When a loss is not a number.
    """
    training = settings.training(model.info.cell_size)
    yield TeachProgress("before", 0, settings.steps)
    before, seen = look(model, lesson.checks)
    run = _Run(model, lesson, settings, training)
    for step in range(settings.steps):
        loss = run.learn(step)
        held_out = None
        if run.is_look(step + 1):
            held_out = run.look()
        yield TeachProgress("learning", step + 1, settings.steps, loss, held_out)
        if run.over:
            break
    yield TeachProgress("after", settings.steps, settings.steps)
    best = Model(model.info, run.best.eval(), model.device)
    after, found = look(best, lesson.checks)
    pairs = list(zip(seen, found, strict=True))
    return Taught(best.network, before, after, pairs, run.replay(), run.best_step)


class _Run:
    """One teaching as it goes.

    Parameters
    ----------
    model, lesson, settings
        See `teach`.
    training
        The settings of the training that it is.
    """

    def __init__(
        self,
        model: Model,
        lesson: Lesson,
        settings: TeachSettings,
        training: TrainSettings,
    ) -> None:
        self._settings, self._training = settings, training
        self._model = model
        network = copy.deepcopy(model.network)
        learning = {id(w) for w in learning_weights(network, settings.depth)}
        for weight in network.parameters():
            weight.requires_grad_(id(weight) in learning)
        torch.manual_seed(settings.seed)
        stays = "The model that was taught stays in use"
        self._learner = Learner(network, training, model.device, stays)
        channels = model.info.network.image_channels
        size = max(recording.cell_size for recording in lesson.recordings)
        replayed = (
            simulated_recordings(size, settings.seed, REPLAYED)
            if settings.replay
            else []
        )
        self._clips = Clips([*lesson.recordings, *replayed], training, channels)
        self._held = _clips_of(lesson.checks, training, channels)
        self._replayed = held_out_clips(replayed, training, channels, REPLAYED)
        self._features: list[tuple[Clip, Tensor]] = []
        self._rng = np.random.default_rng([settings.seed, 1])
        self.best = copy.deepcopy(model.network)
        self.best_step = 0
        self._least = self._loss(self.best)
        self._worse = 0

    @property
    def over(self) -> bool:
        """Whether to stop early: what is held out only gets worse."""
        return self._worse >= LOOKS // 2

    def is_look(self, step: int) -> bool:
        """Whether to look at what is held out after a step."""
        every = max(1, self._settings.steps // LOOKS)
        return step % every == 0 or step == self._settings.steps

    def learn(self, step: int) -> float:
        """Take a step."""
        if self._settings.depth == "heads":
            return self._learn_heads()
        return sum(self._learner.learn([self._clips.draw(step)]).values())

    def look(self) -> float | None:
        """Look at what is held out, and keep the weights if they are the best."""
        average = self._learner.average
        loss = self._loss(average)
        if loss is None or self._least is None or loss < self._least:
            self.best = copy.deepcopy(average)
            self.best_step, self._least, self._worse = self._learner.step, loss, 0
        else:
            self._worse += 1
        return loss

    def replay(self) -> tuple[float, float]:
        """Loss on simulated cells, before and after."""
        if not self._replayed:
            return float("nan"), float("nan")
        before, after = (
            held_out_scores(network, self._replayed, self._training)["mean"]
            for network in (self._model.network, self.best)
        )
        return before, after

    def _loss(self, network: Embedder) -> float | None:
        if not self._held:
            return None
        return held_out_scores(network, self._held, self._training)["mean"]

    def _learn_heads(self) -> float:
        """Learn from features that were computed once: all below the heads stays."""
        if not self._features:
            self._features = list(self._seen())
        network = self._learner.network
        network.train()
        clip, features = self._features[self._rng.integers(len(self._features))]
        losses = self._learner.follow([clip], [network.further(features)])
        return sum(losses.values())

    @torch.no_grad()
    def _seen(self) -> Generator[tuple[Clip, Tensor], None, None]:
        network = self._learner.network.eval()
        count = min(KEPT, self._settings.steps)
        for first in range(0, count, 4):
            batch = [self._clips.draw(n) for n in range(first, min(first + 4, count))]
            half = self._learner.half
            outputs = run_batch(network, batch, self._model.device, half=half)
            for clip, output in zip(batch, outputs, strict=True):
                yield clip, output.features.float()


def _clips_of(
    checks: Sequence[Check], training: TrainSettings, channels: int
) -> Mapping[str, Sequence[Clip]]:
    """Cut clips that show cells that are held out."""
    known = [check.recording() for check in checks if (check.truth > 0).any()]
    return held_out_clips(known, training, channels, CLIPS)
