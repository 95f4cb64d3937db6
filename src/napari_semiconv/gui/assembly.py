"""Put panel, workspace, controllers and child process together for one viewer."""

import atexit
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari.components import ViewerModel

from ..workspace import Workspace
from .background import Background
from .controller import Controller
from .exporter import Exporter
from .layers import LayerBoard
from .movie_controller import MovieController
from .run_controller import RunController
from .runner import ChildRunner
from .segment_panel import SegmentPanel


@dataclass(frozen=True)
class Parts:
    """The parts of one dock widget."""

    workspace: Workspace
    panel: SegmentPanel
    board: LayerBoard
    child: ChildRunner
    movies: MovieController
    runs: RunController
    controller: Controller


def assemble(viewer: ViewerModel, command: list[str] | None = None) -> Parts:
    """Make the dock widget of a viewer and let its child process warm up.

    Parameters
    ----------
    viewer
        The viewer whose layers it shows.
    command
        Starts another child than the usual one.
    """
    workspace, board, panel = Workspace(), LayerBoard(viewer), SegmentPanel()
    child = ChildRunner(command)
    movies = MovieController(workspace, board, Background())
    runs = RunController(workspace, board, child, Background())
    exporter = Exporter(workspace, Background())
    controller = Controller(workspace, panel, movies, runs, exporter)
    child.answered.connect(runs.hear)
    child.ended.connect(runs.on_crash)
    child.killed.connect(runs.on_kill)
    parts = Parts(workspace, panel, board, child, movies, runs, controller)
    # Qt keeps no Python object alive by a connection: the panel has to.
    panel.owner = parts
    # Windows are closed in more ways than one, and Qt does not always tell.
    atexit.register(controller.close)
    panel.destroyed.connect(partial(_end, controller))
    runs.warm()
    return parts


def _end(controller: Controller, *_: Any) -> None:
    atexit.unregister(controller.close)
    controller.close()
