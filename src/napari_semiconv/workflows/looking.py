"""Look at what the network says of a frame; nothing is changed."""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compute.messages import LookDone, LookRequest
from ..compute.supervisor import Supervisor
from ..project.project import Project
from .correcting import run_of, seen_again
from .progress import Progress, Steps, Stop, StoppedError, never
from .segmenting import supervised


@dataclass(frozen=True, eq=False)
class FramePictures:
    """What the network says of a frame, as images to look at.

    Parameters
    ----------
    frame
        Index of the frame.
    pictures
        By name, (Y, X) or, of colours, (Y, X, 3), as of `inference.looking`.
    """

    frame: int
    pictures: Mapping[str, NDArray[Any]]


def look(
    project: Project,
    frame: int,
    *,
    pictures: bool = True,
    supervisor: Supervisor | None = None,
    stop: Stop = never,
) -> Steps[FramePictures]:
    """Show what the network says of a frame that a run computed.

    The network's maps of the frame are at hand afterwards, so that corrections there
    take a fraction of a second.

    Parameters
    ----------
    project
        The project.
    frame
        Index of the frame.
    pictures
        Whether there is anything to show; else only that is wanted.
    supervisor, stop
        As in `correct`. What is stopped may finish its frame.

    Raises
    ------
    BadInputError
        When no run computed the frame, or the movie is not found.
    ComputeError
        When the computing process fails.
    StoppedError
        When ``stop`` asked for it.
    """
    run = run_of(project, frame)
    yield Progress("preparing")
    with tempfile.TemporaryDirectory(prefix="semiconv-") as scratch:
        path = Path(scratch) / "pictures.npz"
        asked = dict(seen_again(project, run, frame))
        request = LookRequest(**asked, output=path if pictures else None)
        with (
            supervised(supervisor) as child,
            closing(child.follow(request, stop, force=False)) as messages,
        ):
            for message in messages:
                if not isinstance(message, LookDone) or message.cancelled or stop():
                    continue
                if not pictures:
                    return FramePictures(frame, {})
                with np.load(path) as file:
                    return FramePictures(frame, {name: file[name] for name in file})
    raise StoppedError
