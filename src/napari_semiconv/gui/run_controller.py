"""Asks the computing child for previews and runs, and shows what it answers."""

import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..compute.messages import (
    CellSize,
    Failed,
    Finished,
    FrameDone,
    Message,
    MovieChoice,
    Preview,
    Previewed,
    Ready,
    Segment,
    Started,
    Warm,
)
from ..errors import SemiconvError, counted
from ..movie import Movie
from ..project.facts import SUFFIX
from ..workspace import Workspace, free_folder
from .background import Background
from .copying import MovieCopy
from .layers import LayerBoard
from .results import discard, load_tracks, open_labels
from .runner import ChildRunner


class RunController:
    """Drives the computing child; what it answers goes to workspace and layers.

    Parameters
    ----------
    workspace
        What the panel shows.
    board
        The layers of the movie.
    child
        The computing process.
    background
        Copies layers and builds tracks in a thread.
    """

    def __init__(
        self,
        workspace: Workspace,
        board: LayerBoard,
        child: ChildRunner,
        background: Background,
    ) -> None:
        self._workspace = workspace
        self._board = board
        self._child = child
        self._background = background
        self._closed = False
        self._ticket = 0
        self._copy: MovieCopy | None = None
        self._output: Path | None = None
        self._asked: Preview | Segment | None = None
        self._scratch = tempfile.TemporaryDirectory(
            prefix="napari-semiconv-", ignore_cleanup_errors=True
        )
        self._hear: dict[type, Callable[[Any], None]] = {
            Ready: self._on_ready,
            CellSize: self._on_cell_size,
            Previewed: self._on_preview,
            Started: self._on_started,
            FrameDone: self._on_frame,
            Finished: self._on_finished,
            Failed: self._on_failed,
        }

    def warm(self) -> None:
        """Let the child load the network while the user looks around."""
        self._child.ask(Warm(ticket=self._ticket, settings=self._workspace.settings))

    def preview(self) -> None:
        """Ask for the cells of the frame in view."""
        workspace, frame = self._workspace, self._board.current_frame()
        if workspace.movie is None or workspace.activity != "idle":
            return
        self._ticket += 1
        workspace.begin("previewing", f"Finding the cells of frame {frame} ...")
        output = Path(self._scratch.name) / f"preview-{self._ticket}.npy"

        def ask(choice: MovieChoice) -> None:
            request = Preview(
                ticket=self._ticket,
                movie=choice,
                settings=workspace.settings,
                frame=frame,
                output=output,
            )
            self._ask(request)

        self._where_child_reads(workspace.movie, [frame], ask)

    def run(self) -> None:
        """Ask for the tracks of all chosen frames."""
        workspace = self._workspace
        movie, parent = workspace.movie, workspace.result_folder
        if movie is None or parent is None or workspace.activity != "idle":
            return
        try:
            output = free_folder(parent, movie.name, SUFFIX)
        except SemiconvError as error:
            workspace.fail(str(error))
            return
        first, last = workspace.frames or (0, len(movie) - 1)
        self._ticket, self._output = self._ticket + 1, None
        workspace.result = None
        workspace.begin("running", "Starting ...", total=last - first + 1)

        def ask(choice: MovieChoice) -> None:
            workspace.begin("running", "Starting ...", total=last - first + 1)
            request = Segment(
                ticket=self._ticket,
                movie=choice,
                settings=workspace.settings,
                frames=(first, last),
                output=output,
            )
            self._ask(request)

        self._where_child_reads(movie, range(first, last + 1), ask)

    def cancel(self) -> None:
        """Stop what is going on; frames that are finished stay."""
        workspace = self._workspace
        if workspace.activity == "running":
            workspace.activity = "cancelling"
            workspace.message = "Cancelling after this frame ..."
            self._child.cancel(self._ticket)
        elif workspace.activity == "previewing":
            self._child.cancel(self._ticket)
            self._ticket += 1
            workspace.end("Cancelled.")
        elif workspace.activity == "copying":
            self._background.cancel()
            workspace.end("Cancelled.")

    def hear(self, message: Message) -> None:
        """Take an answer of the child, unless its question is no longer asked."""
        if isinstance(message, Previewed | Finished | Failed):
            self._child.forgive()
        if message.ticket == self._ticket or isinstance(message, Ready):
            self._hear[type(message)](message)

    def on_kill(self) -> None:
        """Go on after the child was ended because it did not stop in time."""
        activity, asked = self._workspace.activity, self._asked
        if activity == "cancelling":
            self._keep(self._count("Cancelled"))
        self.warm()
        if activity in ("previewing", "running") and asked is not None:
            # Asked for while the child was still busy with what was cancelled.
            self._child.ask(asked)

    def on_crash(self, last_words: str) -> None:
        """Say that the child died, and keep what it had finished."""
        sentence = (
            f"The computing process ended unexpectedly; it said last: {last_words} "
            f"Finished frames are kept. If memory ran out, close other programs or "
            f"give a larger cell size, then try again."
        )
        running = self._workspace.activity in ("running", "cancelling")
        self._workspace.fail(sentence)
        if running:
            self._keep("")

    def close(self) -> None:
        """End the child and take temporary files away."""
        if self._closed:
            return
        self._closed = True
        self._background.cancel()
        self._child.close()
        self._scratch.cleanup()

    def _ask(self, request: Preview | Segment) -> None:
        self._asked = request
        self._child.ask(request)

    def _where_child_reads(
        self, movie: Movie, frames: Iterable[int], ask: Callable[[MovieChoice], None]
    ) -> None:
        """Call ``ask`` with a movie on disk, copied there if it is only in memory."""
        if movie.path is not None:
            ask(MovieChoice.of(movie, movie.path))
            return
        if self._copy is None or not self._copy.holds(movie):
            folder = tempfile.mkdtemp(dir=self._scratch.name)
            self._copy = MovieCopy(movie, Path(folder))
        copy, workspace = self._copy, self._workspace
        activity = workspace.activity
        workspace.begin("copying", f"Copying {movie.name} to compute on it ...")

        def done(_: None) -> None:
            workspace.activity = activity
            ask(copy.choice(movie))

        self._background.run_steps(
            partial(copy.steps, list(frames)), self._on_copied, done, workspace.fail
        )

    def _on_copied(self, step: tuple[int, int]) -> None:
        self._workspace.done, self._workspace.total = step

    def _on_ready(self, message: Ready) -> None:
        workspace = self._workspace
        # Folders that the user pointed at are not among those that come installed.
        own = [name for name in workspace.models if Path(name).is_absolute()]
        workspace.models = tuple(dict.fromkeys((*message.models, *own)))
        workspace.devices = message.devices
        workspace.ready = True

    def _on_cell_size(self, message: CellSize) -> None:
        self._workspace.estimate = message.px

    def _on_preview(self, message: Previewed) -> None:
        self._board.show_preview(message.frame, np.load(message.output))
        message.output.unlink()
        self._workspace.end(
            f"Frame {message.frame}: {counted(message.cells, 'cell')} found in "
            f"{message.seconds:.1f} s. If it looks right, segment and track."
        )

    def _on_started(self, message: Started) -> None:
        self._output = message.output
        self._board.show_cells(open_labels(message.output))
        if self._workspace.activity == "running":
            self._workspace.message = "Finding and following cells ..."

    def _on_frame(self, message: FrameDone) -> None:
        self._workspace.advance(message.done, message.total, message.seconds)
        self._board.show_frame(message.frame)
        if message.unreadable:
            self._workspace.error = f"Skipped: {message.unreadable}"
        elif message.note:
            self._workspace.error = message.note

    def _on_finished(self, message: Finished) -> None:
        if message.cancelled:
            self._keep(self._count("Cancelled"))
        else:
            tracks = counted(message.tracks, "track")
            self._keep(f"Done: {tracks} in {counted(message.total, 'frame')}.")

    def _on_failed(self, message: Failed) -> None:
        running = self._workspace.activity in ("running", "cancelling")
        self._workspace.fail(message.message)
        if running:
            self._keep("")

    def _count(self, word: str) -> str:
        workspace = self._workspace
        verb = "is" if workspace.total == 1 else "are"
        frames = counted(workspace.total, "frame")
        return f"{word}: {workspace.done} of {frames} {verb} kept."

    def _keep(self, sentence: str) -> None:
        """Show the tracks of what was finished; then come to rest."""
        workspace, output = self._workspace, self._output
        if output is None or workspace.movie is None:
            workspace.end(sentence)
            return
        if workspace.done == 0:
            self._board.drop_cells()
            discard(output)
            workspace.end(sentence)
            return
        workspace.activity = "saving"
        workspace.message = "Building the tracks ..."

        def done(tracks: Any) -> None:
            if tracks is not None:
                self._board.show_tracks(tracks)
            workspace.result = output
            workspace.end(sentence)

        self._background.run(
            partial(load_tracks, output, workspace.movie), done, workspace.fail
        )
