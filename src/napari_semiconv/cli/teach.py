"""`napari-semiconv teach`: a better model from the corrections in projects."""

import argparse
from contextlib import ExitStack
from typing import Any, get_args

from ..safe import named
from ..teaching.settings import Depth, TeachSettings, Trust
from .options import add_command, add_device, add_moved_movie, open_project
from .progress import follow, tell
from .words import frame_list, index


def add(commands: Any) -> None:
    """Add the command."""
    summary = "teach a model with the cells that were corrected in projects"
    command = add_command(commands, "teach", teach, summary)
    command.add_argument("projects", type=named, nargs="+", metavar="PROJECT")
    command.add_argument(
        "--output",
        type=named,
        required=True,
        metavar="MODELDIR",
        help="new folder of the new model",
    )
    command.add_argument(
        "--model",
        default="",
        metavar="NAME|DIR",
        help="model that is taught; that of the first project's last run when left out",
    )
    usual = TeachSettings()
    command.add_argument(
        "--depth",
        choices=get_args(Depth),
        default=usual.depth,
        help=f"what learns: the heads alone, the last levels of the network too, or "
        f"all of it (usually {usual.depth})",
    )
    command.add_argument(
        "--trust",
        choices=get_args(Trust),
        default=usual.trust,
        help=f"learn from cells that were corrected or confirmed, or take every mask "
        f"as truth, as of an imported, checked result (usually {usual.trust})",
    )
    command.add_argument(
        "--frames",
        type=frame_list,
        metavar="T,T,...",
        help="frames to learn from, counted from 0; all with corrections when left out",
    )
    command.add_argument("--seed", type=index, default=usual.seed, metavar="N")
    add_device(command)
    add_moved_movie(command)


def teach(arguments: argparse.Namespace) -> None:
    """Teach, and print how the new model does beside the one that was taught."""
    from ..workflows.teaching import teach as steps_of

    settings = TeachSettings(
        model=arguments.model,
        depth=arguments.depth,
        trust=arguments.trust,
        seed=arguments.seed,
        device=arguments.device,
    )
    with ExitStack() as stack:
        projects = []
        for folder in arguments.projects:
            one = argparse.Namespace(project=folder, movie=arguments.movie)
            projects.append(stack.enter_context(open_project(one, write=False)))
        record = follow(
            lambda stop: steps_of(
                projects,
                arguments.output,
                settings,
                frames=arguments.frames,
                stop=stop,
            ),
            "step",
        )
    print(f"{record.verdict()} Model in {arguments.output}.")
    if record.better is False:
        tell(
            f"The model '{record.parent}' does as well or better here: use that one on."
        )
