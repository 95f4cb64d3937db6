"""Training: clips in, a model folder out, resumable at any moment."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import BadInputError
from ..network.embedder import Embedder
from ..network.model_folder import TRAINED
from ..network.weights import choose_device, save_model
from .checkpoint import TrainFacts, load_checkpoint, save_checkpoint, saved_facts
from .clips import FINER, Clip, Clips
from .held_out import held_out_clips, held_out_scores
from .learner import Learner
from .loading import batches
from .log import LOG, add_to_log
from .settings import TrainSettings
from .simulated import simulated_recordings
from .start import (
    check_kept,
    check_precision,
    first_network,
    fresh_folder,
    learning_rate,
)
from .truth import Recording, read_recordings

# Reads folders, with the share to hold out and the diameter of cells: see
# `read_recordings`.
Reader = Callable[
    [Sequence[Path], float, float], tuple[list[Recording], list[Recording]]
]


@dataclass(frozen=True)
class TrainProgress:
    """What is known after one step.

    Parameters
    ----------
    step
        Steps done.
    total
        Steps in all.
    losses
        Weighted losses by name.
    scores
        Scores on held-out clips, at checkpoints only.
    note
        A warning for the user, in one sentence; given once.
    """

    step: int
    total: int
    losses: dict[str, float]
    scores: dict[str, float] | None = None
    note: str | None = None


def train(
    folders: Sequence[Path],
    output: Path,
    settings: TrainSettings,
    *,
    resume: bool = False,
    read: Reader = read_recordings,
) -> Generator[TrainProgress, None, None]:
    """Train a network and write it as a model folder; closing the generator stops it.

    Parameters
    ----------
    folders
        Annotated folders, see `read_recordings`.
    output
        Folder of checkpoint, log, plot and model.
    settings
        How to train.
    resume
        Go on from the checkpoint in ``output``: equal to a run that never stopped.
    read
        Reads the folders.

    Yields
    ------
    TrainProgress
        After every step.

    Raises
    ------
    NonFiniteLossError
        When a loss is not a number; names the clip, and the last checkpoint stays.
    BadInputError
        When a folder cannot be used, or ``output`` holds another training.
    BadSettingsError
        When settings do not fit the network, or not the training that is resumed.
    """
    with fresh_folder(output):
        run = TrainingRun(folders, output, settings, resume=resume, read=read)
    size, workers = settings.batch, settings.workers
    drawn = batches(run.clips, run.step, settings.steps, size=size, workers=workers)
    with closing(drawn):
        try:
            for batch in drawn:
                losses = run.learn(batch)
                scores = run.save() if run.is_checkpoint() else None
                note = run.learner.take_note()
                yield TrainProgress(run.step, settings.steps, losses, scores, note)
        finally:
            if run.learner.healthy and not run.is_checkpoint():
                run.save()


def _check_same(before: TrainFacts, now: TrainFacts, output: Path) -> None:
    """Refuse to go on with other annotated folders: that would not be the same run."""
    if before.folders != now.folders:
        raise BadInputError(
            f"{output}: expected the folders this training began with "
            f"({', '.join(before.folders)}), found {', '.join(now.folders)}. Resume "
            f"with those in the same order, or start from its model in a new folder."
        )


class TrainingRun:
    """One training: network, average, optimiser, data and what was logged.

    Parameters
    ----------
    folders, output, settings, resume, read
        See `train`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        output: Path,
        settings: TrainSettings,
        *,
        resume: bool,
        read: Reader = read_recordings,
    ) -> None:
        if not resume and (output / LOG).exists():
            raise BadInputError(
                f"{output}: expected an empty folder, found an earlier training. "
                f"Resume it with --resume, or choose another folder."
            )
        self.output, self.settings = output, settings
        torch.manual_seed(settings.seed)
        self.device = choose_device(settings.device)
        check_precision(self.device, settings)
        before = saved_facts(output) if resume else None
        network = (
            first_network(settings) if before is None else Embedder(before.network)
        )
        self.facts = TrainFacts(
            settings=settings,
            network=network.settings,
            folders=tuple(folder.resolve().name for folder in folders),
        )
        if before is not None:
            _check_same(before, self.facts, output)
            check_kept(before.settings, settings, output)
        stays = f"The last checkpoint in {output} is kept"
        self.learner = Learner(network, settings, self.device, stays)
        if resume:
            self.learner.step = load_checkpoint(
                output,
                self.learner.network,
                self.learner.average,
                self.learner.optimiser,
            )
        size = settings.cell_size * FINER
        train_on, held = read(folders, settings.held_out, size)
        channels = network.settings.image_channels
        if settings.simulated > 0:
            train_on += simulated_recordings(size, settings.seed)
        self.clips = Clips(train_on, settings, channels)
        self.held = held_out_clips(held, settings, channels)
        self._log: dict[str, float] = {}
        self._since = 0

    @property
    def step(self) -> int:
        """Steps done."""
        return self.learner.step

    def learn(self, batch: Sequence[Clip]) -> dict[str, float]:
        """Take one optimiser step on clips and return their mean losses."""
        values = self.learner.learn(batch)
        for name, value in values.items():
            self._log[name] = self._log.get(name, 0.0) + value
        self._since += 1
        return values

    def is_checkpoint(self) -> bool:
        """Whether this step is one after which all is saved."""
        return (
            self.step % self.settings.save_every == 0
            or self.step == self.settings.steps
        )

    def save(self) -> dict[str, float]:
        """Write checkpoint, log, plot and model; return the held-out scores."""
        scores = held_out_scores(self.learner.average, self.held, self.settings)
        save_checkpoint(
            self.output,
            self.step,
            self.learner.network,
            self.learner.average,
            self.learner.optimiser,
            self.facts,
        )
        self._write_log(scores)
        save_model(
            self.output / TRAINED,
            self.learner.average,
            cell_size=self.settings.cell_size,
            description=f"Trained for {self.step} steps.",
            card=self._card(scores),
        )
        return scores

    def _write_log(self, scores: dict[str, float]) -> None:
        means = {f"loss: {k}": v / max(1, self._since) for k, v in self._log.items()}
        rate = learning_rate(self.step, self.settings)
        row = {"step": self.step, "rate": rate, **means}
        row |= {f"held out: {k}": v for k, v in scores.items()}
        add_to_log(self.output, row)
        self._log, self._since = {}, 0

    def _card(self, scores: dict[str, float]) -> str:
        names = sorted(self.clips.sources)
        table = "\n".join(f"| {name} | {value:.3f} |" for name, value in scores.items())
        usual = TrainSettings().model_dump()
        given = self.settings.model_dump().items()
        chosen = [f"{name} {value}" for name, value in given if value != usual[name]]
        return (
            f"# Model trained with napari-semiconv\n\nTrained for {self.step} steps, "
            f"seed {self.settings.seed}, on: {', '.join(names)}.\n\n"
            f"Settings other than the usual: {', '.join(chosen) or 'none'}.\n\n"
            f"| held out | score |\n|---|---|\n{table}\n"
        )
