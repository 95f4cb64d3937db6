"""Train a model on annotated folders and projects."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from ..teaching.lesson import read_folders
from ..training.loop import train as steps_of_training
from ..training.settings import TrainSettings
from .progress import Progress, Steps, Stop, never


def train(
    folders: Sequence[Path],
    output: Path,
    settings: TrainSettings | None = None,
    *,
    resume: bool = False,
    stop: Stop = never,
) -> Steps[int]:
    """Train a model; the model and a checkpoint to go on from are kept.

    Parameters
    ----------
    folders
        Annotated folders, of the Cell Tracking Challenge or with images and labels, and
        projects, whose corrected and confirmed cells are learned from.
    output
        Folder of checkpoint, log and model.
    settings
        How; the usual way when None.
    resume
        Whether to go on from the checkpoint there.
    stop
        Asked after each step; what was learned is kept.

    Returns
    -------
    int
        Steps that the model has; 0 when there was nothing to do.

    Raises
    ------
    SemiconvError
        When folders, settings or checkpoint cannot be used.
    """
    settings = settings or TrainSettings()
    steps = steps_of_training(
        folders, output, settings, resume=resume, read=read_folders
    )
    done = 0
    with closing(steps):
        for step in steps:
            done = step.step
            yield Progress(
                "training",
                step.step,
                step.total,
                note=step.note or "",
                scores={"loss": sum(step.losses.values()), **(step.scores or {})},
            )
            if stop():
                break
    return done
