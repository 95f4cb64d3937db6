"""The command and its subcommands: what can be asked, and how the answer ends."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from .. import __version__
from ..errors import SemiconvError
from ..inference.presets import PRESETS
from ..settings import NETWORK_PRESETS, DeviceName, EngineName
from . import (
    demo,
    evaluating,
    listing,
    project_commands,
    segmenting,
    train_options,
    training,
)
from .words import frame_span, index, positive, z_choice

OK, FAILED, INTERRUPTED = 0, 1, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command of `napari-semiconv`.

    Parameters
    ----------
    words
        Words after the program's name; those of the terminal when None.

    Returns
    -------
    int
        0 when done, 1 after an error that is told in one sentence, 130 when
        interrupted. Wrong usage leaves with 2, as is usual.
    """
    arguments = build_parser().parse_args(words)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except SemiconvError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    return OK


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="napari-semiconv",
        description="Find, follow and correct cells in time-lapse videos.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_segment(commands)
    _add_evaluate(commands)
    _add_train(commands)
    _add(commands, "models", listing.models, "list the models that can be chosen")
    summary = "list the presets of segment and what each is for"
    _add(commands, "presets", listing.presets, summary)
    project_commands.add_commands(commands)
    _add_open(commands)
    _add(
        commands,
        "diagnose",
        listing.diagnose,
        "tell versions and which computing devices were found",
    )
    return parser


def _add(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    command.set_defaults(run=run)
    return command


def _add_demo(commands: Any) -> None:
    summary = "simulate a movie, segment and track it, and compare with the truth"
    command = _add(commands, "demo", demo.demo, summary)
    command.add_argument(
        "--no-window", action="store_true", help="do not show the result in napari"
    )


def _add_segment(commands: Any) -> None:
    summary = "find the cells of a movie and follow them"
    command = _add(commands, "segment", segmenting.segment, summary)
    command.add_argument("movie", type=Path, metavar="MOVIE", help="file or folder")
    command.add_argument("--output", type=Path, required=True, metavar="DIR")
    command.add_argument(
        "--format",
        choices=segmenting.FORMATS,
        default="ctc",
        help="Cell Tracking Challenge folder, one TIFF, or a project that can be "
        "corrected, exported and gone on with (default: %(default)s)",
    )
    command.add_argument(
        "--overwrite", action="store_true", help="replace an earlier result in DIR"
    )
    _add_frames(command, default=slice(None))
    _add_model_choice(command)
    _add_movie_choice(command)


def _add_frames(command: argparse.ArgumentParser, default: slice | None) -> None:
    command.add_argument(
        "--frames",
        type=frame_span,
        default=default,
        metavar="A:B",
        help="frames A to B - 1, counted from 0; either may be left out",
    )


def _add_model_choice(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        default="default",
        metavar="NAME|DIR",
        help="name of a model or its folder (default: %(default)s)",
    )
    way = command.add_mutually_exclusive_group()
    way.add_argument(
        "--engine",
        choices=get_args(EngineName),
        help="how embeddings become cells (default: votes); a published one comes with "
        "the preset of its name",
    )
    way.add_argument(
        "--preset",
        choices=PRESETS,
        metavar="NAME",
        help=f"procedure and parameters: {', '.join(PRESETS)}; 'napari-semiconv "
        f"presets' says what each is for",
    )
    _add_device(command)
    command.add_argument(
        "--cell-size",
        type=positive,
        metavar="PX",
        help="diameter of a usual cell; estimated from the movie when left out; not "
        "with presets of a data set, which resize frames to a fixed size",
    )
    command.add_argument(
        "--memory-span",
        type=index,
        metavar="N",
        help="frames after which the network's memory starts anew, 0 for never "
        "(default: 8, or that of the preset)",
    )
    command.add_argument(
        "--solver",
        choices=("global", "greedy"),
        help="decide tracks when all frames are there (the default), or each frame for "
        "good as it comes, which is faster; published procedures have their own way",
    )
    command.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="treat frames that cannot be read as empty",
    )


def _add_movie_choice(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--axes",
        type=str.upper,
        metavar="TYX",
        help="what the axes of the file mean, out of T, C, Z, Y, X; read from it when "
        "left out",
    )
    command.add_argument("--channel", type=index, metavar="N", help="counted from 0")
    command.add_argument(
        "--z",
        type=z_choice,
        metavar="N|max",
        help="slice, counted from 0, or the maximum over all slices",
    )
    command.add_argument(
        "--pixel-size", type=positive, metavar="UM", help="height and width, in um"
    )
    command.add_argument(
        "--frame-interval", type=positive, metavar="S", help="time between frames, in s"
    )


def _add_evaluate(commands: Any) -> None:
    summary = "compare a result with the truth, both Cell Tracking Challenge folders"
    command = _add(commands, "evaluate", evaluating.evaluate, summary)
    command.add_argument("result", type=Path, metavar="RESULT", help="such as 01_RES")
    command.add_argument("truth", type=Path, metavar="TRUTH", help="such as 01_GT")
    _add_frames(command, default=None)
    command.add_argument("--json", action="store_true", help="print JSON")


def _add_train(commands: Any) -> None:
    summary = "train a model on annotated folders"
    command = _add(commands, "train", training.train, summary)
    command.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="Cell Tracking Challenge folder, or one with images and labels",
    )
    command.add_argument(
        "--output",
        type=Path,
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


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument("--device", choices=get_args(DeviceName), default="auto")


def _add_open(commands: Any) -> None:
    command = _add(
        commands, "open", listing.open_, "open a movie or a project in napari"
    )
    command.add_argument("movie", type=Path, metavar="MOVIE", help="file or folder")
