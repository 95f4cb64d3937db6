"""`napari-semiconv train`: a model from annotated folders and projects."""

import argparse
from typing import TYPE_CHECKING, Any

from ..safe import named
from ..settings import NETWORK_PRESETS
from . import train_options
from .options import add_command
from .progress import follow, tell_if_watched

if TYPE_CHECKING:
    from ..training.settings import TrainSettings


def add(commands: Any) -> None:
    """Add the command."""
    summary = "train a model on annotated folders and projects"
    command = add_command(commands, "train", train, summary)
    command.add_argument(
        "folders",
        type=named,
        nargs="+",
        metavar="FOLDER",
        help="Cell Tracking Challenge folder, one with images and labels, or a project "
        "with corrected or confirmed cells",
    )
    command.add_argument(
        "--output",
        type=named,
        required=True,
        metavar="DIR",
        help="folder of checkpoint, log and model",
    )
    beginning = command.add_mutually_exclusive_group()
    beginning.add_argument(
        "--preset",
        choices=sorted(NETWORK_PRESETS),
        help=train_options.help_of("preset"),
    )
    beginning.add_argument(
        "--model",
        metavar="NAME|DIR",
        help="model, or output folder of a training, whose weights are trained further",
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in DIR"
    )
    train_options.add_settings(command)


def train(arguments: argparse.Namespace) -> None:
    """Train until the last step or an interrupt, and say where the model is."""
    from ..workflows.training import train as steps_of

    settings = chosen_settings(arguments)
    done = follow(
        lambda stop: steps_of(
            arguments.folders,
            arguments.output,
            settings,
            resume=arguments.resume,
            stop=stop,
        ),
        "step",
    )
    if not done:
        print(
            f"Nothing to do: all {settings.steps} steps in {arguments.output} are done."
        )
        return
    model = arguments.output / "model"
    print(f"{done} of {settings.steps} steps done; model in {model}.")
    if done < settings.steps:
        tell_if_watched("Go on with the same command and --resume.")
        raise KeyboardInterrupt


def chosen_settings(arguments: argparse.Namespace) -> "TrainSettings":
    """Take the settings of the checkpoint, or the usual ones, and apply the choices."""
    from ..training.checkpoint import saved_facts
    from ..training.settings import TrainSettings

    facts = saved_facts(arguments.output) if arguments.resume else None
    chosen = train_options.chosen(arguments)
    if facts is None:
        return TrainSettings(**chosen)
    return facts.settings.model_copy(update=chosen)
