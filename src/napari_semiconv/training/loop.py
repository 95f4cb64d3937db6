"""Training: clips in, a model folder out, resumable at any moment."""

import copy
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import BadInputError, NonFiniteLossError
from ..network.embedder import Embedder, Output
from ..network.losses import crowding
from ..network.weights import TRAINED, choose_device, save_model
from .batch import is_half, run_batch
from .checkpoint import TrainFacts, load_checkpoint, save_checkpoint, saved_facts
from .clips import FINER, Clip, Clips
from .held_out import held_out_clips, held_out_scores
from .loading import batches
from .log import LOG, add_to_log
from .objective import clip_neighbours, losses_of
from .settings import TrainSettings
from .simulated import simulated_recordings
from .start import (
    check_kept,
    check_precision,
    first_network,
    fresh_folder,
    learning_rate,
    optimiser_of,
)
from .truth import read_recordings

LARGEST_GRADIENT = 2.0


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
        run = TrainingRun(folders, output, settings, resume=resume)
    size, workers = settings.batch, settings.workers
    drawn = batches(run.clips, run.step, settings.steps, size=size, workers=workers)
    with closing(drawn):
        try:
            for batch in drawn:
                losses = run.learn(batch)
                scores = run.save() if run.is_checkpoint() else None
                note = run.take_note()
                yield TrainProgress(run.step, settings.steps, losses, scores, note)
        finally:
            if run.healthy and not run.is_checkpoint():
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
    folders, output, settings, resume
        See `train`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        output: Path,
        settings: TrainSettings,
        *,
        resume: bool,
    ) -> None:
        if not resume and (output / LOG).exists():
            raise BadInputError(
                f"{output}: expected an empty folder, found an earlier training. "
                f"Resume it with --resume, or choose another folder."
            )
        self.output, self.settings, self.healthy = output, settings, True
        torch.manual_seed(settings.seed)
        self.device = choose_device(settings.device)
        check_precision(self.device, settings)
        before = saved_facts(output) if resume else None
        network = (
            first_network(settings) if before is None else Embedder(before.network)
        )
        # Channels laid together are faster with every precision.
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.half = is_half(settings, self.device)
        self.facts = TrainFacts(
            settings=settings,
            network=network.settings,
            folders=tuple(folder.resolve().name for folder in folders),
        )
        if before is not None:
            _check_same(before, self.facts, output)
            check_kept(before.settings, settings, output)
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = optimiser_of(self.network, settings)
        self.step = 0
        if resume:
            self.step = load_checkpoint(
                output, self.network, self.average, self.optimiser
            )
        size = settings.cell_size * FINER
        train_on, held = read_recordings(folders, settings.held_out, size)
        channels = self.network.settings.image_channels
        if settings.simulated > 0:
            train_on += simulated_recordings(size, settings.seed)
        self.clips = Clips(train_on, settings, channels)
        self.held = held_out_clips(held, settings, channels)
        self._log: dict[str, float] = {}
        self._since = 0
        self._note: str | None = None
        self._warned = False

    def learn(self, batch: Sequence[Clip]) -> dict[str, float]:
        """Take one optimiser step on clips and return their mean losses."""
        rate = learning_rate(self.step, self.settings)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        outputs = run_batch(self.network, batch, self.device, half=self.half)
        sums: dict[str, Tensor] = {}
        for clip, output in zip(batch, outputs, strict=True):
            found = self._losses(clip, output)
            for name, loss in found.items():
                sums[name] = sums[name] + loss if name in sums else loss
        losses = {name: loss / len(batch) for name, loss in sums.items()}
        self.optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        size = nn.utils.clip_grad_norm_(
            self.network.parameters(), LARGEST_GRADIENT, foreach=True
        )
        if not bool(torch.isfinite(size)):
            self._refuse("gradient", batch)
        self.optimiser.step()
        self.step += 1
        self._follow()
        values = {name: float(loss.detach()) for name, loss in losses.items()}
        for name, value in values.items():
            self._log[name] = self._log.get(name, 0.0) + value
        self._since += 1
        return values

    def _losses(self, clip: Clip, output: Output) -> dict[str, Tensor]:
        adjacent = clip_neighbours(clip, self.settings, self.device)
        if not self._warned:
            self._warn(clip, crowding(adjacent))
        found = losses_of(
            self.network, [output], clip, self.settings, self.device, adjacent
        )
        total = torch.stack(list(found.values())).sum()
        if not bool(torch.isfinite(total)):
            self._refuse("loss", [clip])
        return found

    def is_checkpoint(self) -> bool:
        """Whether this step is one after which all is saved."""
        return (
            self.step % self.settings.save_every == 0
            or self.step == self.settings.steps
        )

    def save(self) -> dict[str, float]:
        """Write checkpoint, log, plot and model; return the held-out scores."""
        scores = held_out_scores(self.average, self.held, self.settings)
        save_checkpoint(
            self.output,
            self.step,
            self.network,
            self.average,
            self.optimiser,
            self.facts,
        )
        self._write_log(scores)
        save_model(
            self.output / TRAINED,
            self.average,
            cell_size=self.settings.cell_size,
            description=f"Trained for {self.step} steps.",
            card=self._card(scores),
        )
        return scores

    def take_note(self) -> str | None:
        """Tell a warning that has not been told yet."""
        note, self._note = self._note, None
        return note

    def _warn(self, clip: Clip, crowd: int) -> None:
        """Warn where cells may need more directions than the embedding has."""
        channels = self.network.settings.embedding_size
        if crowd < channels:
            return
        self._warned = True
        self._note = (
            f"In the clip '{clip.name}' up to {crowd} cells must all differ from one "
            f"another, while an embedding of {channels} channels has {channels - 1} "
            f"directions besides that of the background: choose a smaller neighbour "
            f"radius or a larger embedding, if neighbours are joined."
        )

    def _follow(self) -> None:
        # Early averages would be slow to forget the random start.
        decay = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()),
                list(self.network.parameters()),
                1 - decay,
            )

    def _refuse(self, what: str, clips: Sequence[Clip]) -> None:
        self.healthy = False
        names = ", ".join(f"'{clip.name}'" for clip in clips)
        where = f"clip {names}" if len(clips) == 1 else f"clips {names}"
        raise NonFiniteLossError(
            f"Training stopped at step {self.step}: the {what} on the {where} is not a "
            f"number. The last checkpoint in {self.output} is kept; check that "
            f"recording or lower the learning rate."
        )

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
