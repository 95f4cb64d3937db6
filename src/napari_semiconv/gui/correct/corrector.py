"""Corrects cells and tracks of the open project: each call is one journalled edit."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from psygnal import Signal

from ...edits.base import Edit, Group
from ...edits.masks import MergeMasks
from ...errors import EditError, SemiconvError
from ...project.project import Project
from ...tracking.lineage import Track
from ...workflows.opening import check_writable
from ..review.review import Review
from .network import Network
from .place import Place
from .tools import TOOLS, Tool

if TYPE_CHECKING:
    from ..workbench import Workbench


class Corrector:
    """What tools, keys, lists and views change cells and tracks by.

    Parameters
    ----------
    bench
        Whose project.
    """

    # A tool is armed, or none any longer; what it waits for has changed.
    armed = Signal()
    # A refusal, or None once it holds no longer: the sentence, and where.
    refused = Signal(object, object)
    # A cell is to be seen: frame and label.
    looked_at = Signal(int, int)
    # A new cell is to be painted, with this label.
    painting = Signal(int)

    def __init__(self, bench: "Workbench") -> None:
        self.bench = bench
        self.tool: Tool | None = None
        self.network = Network(self)
        # Asks the user how many cells there are, and hands the answer on.
        self.ask_number: Callable[[Callable[[int], None]], None] = lambda _: None
        self._refused = False
        self.review = Review(bench, self)
        # What a tool waits for is of the project that was open.
        bench.session.project_changed.connect(lambda _: bench.mailbox.post(self.disarm))

    # What is open and selected

    @property
    def project(self) -> Project:
        """The open project.

        Raises
        ------
        EditError
            When none is open.
        """
        project = self.bench.session.project
        if project is None:
            raise EditError(
                "Expected a project with cells, found none. Find cells first, or open "
                "a project under Movie."
            )
        return project

    @property
    def frame(self) -> int:
        """The frame in view."""
        return self.bench.session.frame

    @property
    def selection(self) -> tuple[int, ...]:
        """Labels of the selected cells, ascending."""
        return tuple(sorted(self.bench.session.selection))

    def only_selected(self) -> int:
        """Label of the selected cell; 0 when it is not one."""
        selection = self.selection
        return selection[0] if len(selection) == 1 else 0

    def one(self) -> int:
        """Label of the one selected cell.

        Raises
        ------
        EditError
            When it is not one.
        """
        label = self.only_selected()
        if not label or label not in self.project.lineage.tracks:
            raise EditError(
                f"Expected one selected cell, found {len(self.selection)}. Click on "
                f"the cell first."
            )
        return label

    def select(self, *labels: int) -> None:
        """Select cells, and no others; 0 is none."""
        self.bench.session.select(frozenset(labels) - {0})

    def middle(self, frame: int, label: int) -> Place:
        """Where a cell lies; its last known place when it is not in the frame."""
        project = self.project
        track = project.lineage.tracks.get(label)
        near = frame
        if track is not None and not track.has(frame):
            near = min(track.frames, key=lambda t: abs(t - frame))
        found = project.centroids(near).of_cell(label)
        if found is None:
            height, width = project.document.shape[1:]
            return Place(frame, height / 2, width / 2)
        return Place(frame, *found, label)

    # Doing

    def run(self, act: Callable[["Corrector"], object]) -> None:
        """Do what an action says; a refusal is shown."""
        self.quiet()
        try:
            act(self)
        except SemiconvError as error:
            self.refuse(str(error), self._place())

    def do(
        self, edit: Edit, place: Place | None = None, *, drawn: bool = False
    ) -> bool:
        """Make an edit; a refusal is said beside the place, and False given.

        Parameters
        ----------
        edit
            What to do.
        place
            Where; the selected cell when None.
        drawn
            Whether it was drawn on the canvas, and so is seen.
        """
        self.quiet()
        try:
            self.check_writable()
            if not drawn:
                self.check_seen()
            self.bench.session.do(edit)
        except SemiconvError as error:
            self.refuse(str(error), place or self._place())
            return False
        return True

    def refuse(self, text: str, place: Place | None = None) -> None:
        """Say why something is not done, beside the place and under the tabs."""
        self._refused = True
        self.bench.say(text, "error")
        self.refused.emit(text, place)

    def quiet(self) -> None:
        """Take back a refusal that was said."""
        if self._refused:
            self._refused = False
            self.bench.say("")
            self.refused.emit(None, None)

    def look_at(self, frame: int, label: int = 0) -> None:
        """Go to a frame, select a cell and bring it into view."""
        session = self.bench.session
        session.go_to(frame)
        if label:
            self.select(label)
            self.looked_at.emit(frame, label)

    # Tools that wait for the mouse

    def arm(self, name: str) -> None:
        """Wait for the clicks of a tool; of the one that waits already, no longer.

        Raises
        ------
        EditError
            When it needs a cell that is not selected.
        """
        if self.tool is not None and self.tool.name == name:
            self.disarm()
            return
        self.check_writable()
        self.check_seen()
        if self.bench.viewer.dims.ndisplay == 3:
            raise EditError(
                "The 3D view shows time as depth: expected the 2D view, to point at "
                "cells. Switch back to it first."
            )
        self.tool = TOOLS[name](self)
        self.armed.emit()

    def disarm(self) -> None:
        """Wait for nothing."""
        tool, self.tool = self.tool, None
        if tool is not None:
            if tool.preview:
                # Its buttons go with it.
                self.bench.say("")
            self.armed.emit()

    def hold(self, tool: Tool) -> None:
        """Show what a tool previews, until it is accepted or put away."""
        self.tool = tool
        self.armed.emit()

    def accept(self) -> None:
        """Make what the tool previews an edit."""
        self._use(self._place(), lambda tool: tool.accept())

    def click(self, point: Place) -> None:
        """Hand a click to the tool that waits for one."""
        self._use(point, lambda tool: tool.click(point))

    def drag(self, line: list[Place]) -> None:
        """Hand a line to the tool that waits for one."""
        self._use(line[-1], lambda tool: tool.drag(line))

    def _use(self, point: Place | None, hand: Callable[[Tool], bool]) -> None:
        tool = self.tool
        if tool is None:
            return
        self.quiet()
        try:
            done = hand(tool)
        except SemiconvError as error:
            self.refuse(str(error), point)
            return
        if done and self.tool is tool:
            self.disarm()
        else:
            self.armed.emit()

    def merge_cells(self, labels: Iterable[int], place: Place) -> bool:
        """Merge cells of a frame; the one of the longest track takes the others over.

        Parameters
        ----------
        labels
            The cells.
        place
            Where, and where a refusal is said.
        """
        order = sorted(labels, key=lambda n: (-len(self.track(n).frames), n))
        done = self.do(MergeMasks(place.frame, tuple(order)), place)
        if done:
            self.select(order[0])
        return done

    def do_together(self, parts: Iterable[Edit], title: str) -> None:
        """Make edits one step; a single one has a name of its own."""
        edits = tuple(parts)
        together = Group(edits, f"{title}, frame {self.frame}")
        self.do(edits[0] if len(edits) == 1 else together)

    def some(self, *, here: bool = True) -> tuple[int, ...]:
        """Give the selected cells, in this frame if asked for; there has to be one."""
        tracks = self.project.lineage.tracks
        labels = tuple(label for label in self.selection if label in tracks)
        if not labels:
            raise EditError(
                "Expected a selected cell, found none. Click on a cell first; with "
                "Shift to add another."
            )
        found = tuple(n for n in labels if not here or tracks[n].has(self.frame))
        if not found:
            raise EditError(
                f"Selected is {cells_in_words(labels)}, not to be found in frame "
                f"{self.frame}: expected a frame with it. Go there, or select another."
            )
        return found

    def track(self, label: int) -> Track:
        """Give a track.

        Raises
        ------
        EditError
            When it is gone.
        """
        track = self.project.lineage.tracks.get(label)
        if track is None:
            raise EditError(
                f"Cell {label} is gone: expected one of this project. Select another."
            )
        return track

    def _place(self) -> Place | None:
        label = self.selection[0] if self.selection else 0
        if self.bench.session.project is None or not label:
            return None
        return self.middle(self.frame, label)

    def check_writable(self) -> None:
        """Make sure that the project can be changed.

        Raises
        ------
        EditError
            When none is open.
        SaveError
            When it can only be read.
        """
        check_writable(self.project)

    def check_seen(self) -> None:
        """Make sure that what changes is seen.

        Raises
        ------
        EditError
            When the cells were removed from the layers; they are then shown again.
        """
        if self.bench.layers.show_again(self.frame):
            raise EditError(
                "The layer of the cells had been removed: expected it, to see what "
                "changes. It is shown again: look, and repeat what you meant."
            )


def cells_in_words(labels: tuple[int, ...]) -> str:
    """Name one cell, or count several."""
    if len(labels) == 1:
        return f"cell {labels[0]}"
    return f"{len(labels)} cells"
