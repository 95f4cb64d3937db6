"""Corrects cells and tracks of the open project: each call is one journalled edit."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from psygnal import Signal

from ...edits.base import Edit, Group
from ...edits.confirming import Confirm, Unconfirm
from ...edits.divisions import UnmarkDivision
from ...edits.links import Swap, Unlink
from ...edits.masks import CopyMask, FillHoles, MergeMasks, Redraw
from ...edits.region import Region
from ...edits.removing import DeleteCell, DeleteTrack
from ...edits.shaping import Interpolate
from ...errors import EditError, SemiconvError
from ...project.project import Project
from ...tracking.lineage import Track
from .place import Point
from .strokes import reshaped
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
        self._refused = False

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

    def middle(self, frame: int, label: int) -> Point:
        """Where a cell lies; its last known place when it is not in the frame."""
        project = self.project
        track = project.lineage.tracks.get(label)
        near = frame
        if track is not None and not track.has(frame):
            near = min(track.frames, key=lambda t: abs(t - frame))
        places = project.centroids(near)
        found = (places.labels == label).nonzero()[0]
        if not len(found):
            height, width = project.document.shape[1:]
            return Point(frame, height / 2, width / 2)
        return Point(frame, float(places.y[found[0]]), float(places.x[found[0]]), label)

    # Doing

    def run(self, act: Callable[["Corrector"], object]) -> None:
        """Do what an action says; a refusal is shown."""
        self.quiet()
        try:
            act(self)
        except SemiconvError as error:
            self.refuse(str(error), self._place())

    def do(self, edit: Edit, place: Point | None = None) -> bool:
        """Make an edit; a refusal is said beside the place, and False given.

        Parameters
        ----------
        edit
            What to do.
        place
            Where; the selected cell when None.
        """
        self.quiet()
        try:
            self._check_writable()
            self.bench.session.do(edit)
        except SemiconvError as error:
            self.refuse(str(error), place or self._place())
            return False
        return True

    def refuse(self, text: str, place: Point | None = None) -> None:
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
        self._check_writable()
        self.tool = TOOLS[name](self)
        self.armed.emit()

    def disarm(self) -> None:
        """Wait for nothing."""
        if self.tool is not None:
            self.tool = None
            self.armed.emit()

    def click(self, point: Point) -> None:
        """Hand a click to the tool that waits for one."""
        self._use(point, lambda tool: tool.click(point))

    def drag(self, line: list[Point]) -> None:
        """Hand a line to the tool that waits for one."""
        self._use(line[-1], lambda tool: tool.drag(line))

    # At once

    def step(self, by: int) -> None:
        """Go some frames on, or back."""
        frames = self.project.document.shape[0]
        self.bench.session.go_to(min(max(self.frame + by, 0), frames - 1))

    def go_to_end(self, *, first: bool) -> None:
        """Go to the first or the last frame of the selected track."""
        track = self.project.lineage.tracks[self.one()]
        self.look_at(track.begin if first else track.end, track.label)

    def delete(self, what: Literal["here", "onward", "track"]) -> None:
        """Delete the selected cells, here, from here on or in all frames."""
        frame = self.frame
        labels = self._some(here=what == "here")
        since = frame if what == "onward" else None
        parts: list[Edit] = [
            DeleteCell(frame, n) if what == "here" else DeleteTrack(n, since)
            for n in labels
        ]
        self._together(parts, f"delete {_cells(labels)}")

    def copy(self, way: Literal[-1, 1]) -> None:
        """Copy the selected cell here from the nearest frame before or after."""
        label, frame = self.one(), self.frame
        frames = self.project.lineage.tracks[label].frames
        beside = [t for t in frames if (t - frame) * way > 0]
        if not beside:
            where = "before" if way < 0 else "after"
            raise EditError(
                f"Cell {label} is in no frame {where} {frame}: expected one to copy "
                f"from. Choose another cell or frame."
            )
        source = beside[-1] if way < 0 else beside[0]
        self.do(CopyMask(source, label, frame))

    def fill_gap(self) -> None:
        """Fill the gap of the selected track in view, or else all of its gaps."""
        label = self.one()
        gaps = self.project.lineage.tracks[label].gaps
        here = any(first <= self.frame <= last for first, last in gaps)
        self.do(Interpolate(label, self.frame if here else None))

    def fill_holes(self) -> None:
        """Fill the holes of the selected cells."""
        labels = self._some()
        parts = [FillHoles(self.frame, label) for label in labels]
        self._together(parts, f"fill holes of {_cells(labels)}")

    def reshape(self, way: Literal["grow", "shrink", "smooth"]) -> None:
        """Let the selected cells grow or shrink by a pixel, or smooth them."""
        labels, frame = self._some(), self.frame
        image = self.project.document.labels(frame)
        parts = []
        for label in labels:
            region = reshaped(Region.where(image == label), way)
            if not region.area:
                raise EditError(
                    f"Cell {label} in frame {frame}: expected pixels to be left, found "
                    f"none. Delete it instead."
                )
            parts.append(Redraw(frame, label, region))
        self._together(parts, f"{way} {_cells(labels)}", always=True)

    def merge(self) -> None:
        """Merge the selected cells; wait for some to be clicked when there are none."""
        here = [n for n in self.selection if self._track(n).has(self.frame)]
        if len(here) > 1:
            self.merge_cells(tuple(here), self.middle(self.frame, here[0]))
        else:
            self.arm("merge")

    def merge_cells(self, labels: Iterable[int], place: Point) -> bool:
        """Merge cells of a frame; the one of the longest track takes the others over.

        Parameters
        ----------
        labels
            The cells.
        place
            Where a refusal is said.
        """
        order = sorted(labels, key=lambda n: (-len(self._track(n).frames), n))
        done = self.do(MergeMasks(place.frame, tuple(order)), place)
        if done:
            self.select(order[0])
        return done

    def new_cell(self) -> None:
        """Paint with a label that no cell has."""
        self._check_writable()
        self.disarm()
        self.painting.emit(self.project.document.next_number)

    def unlink(self) -> None:
        """End the selected track before this frame."""
        self.do(Unlink(self.one(), self.frame))

    def swap(self) -> None:
        """Exchange the two selected tracks from this frame on."""
        pair = self.selection
        if len(pair) != 2:
            raise EditError(
                f"Expected two selected cells to swap, found {len(pair)}. Click on "
                f"one, and with Shift on the other."
            )
        self.do(Swap(*pair, self.frame))

    def no_division(self) -> None:
        """Take back that the selected cell divides, or that its mother did."""
        label = self.one()
        lineage = self.project.lineage
        parent = lineage.tracks[label].parent
        mother = label if lineage.daughters_of(label) or not parent else parent
        self.do(UnmarkDivision(mother))

    def confirm(self, what: Literal["here", "track", "frame", "all"]) -> None:
        """Confirm the selected cells here or throughout, a frame, or all."""
        frame = self.frame
        if what in ("frame", "all"):
            only = (frame, frame) if what == "frame" else (None, None)
            self.do(Confirm(None, *only))
            return
        labels = self._some(here=what == "here")
        only = (frame, frame) if what == "here" else (None, None)
        parts = [Confirm(label, *only) for label in labels]
        self._together(parts, f"confirm {_cells(labels)}")

    def unconfirm(self) -> None:
        """Take back that the selected cells are confirmed in this frame."""
        frame, labels = self.frame, self._some()
        parts = [Unconfirm(label, frame, frame) for label in labels]
        self._together(parts, f"unconfirm {_cells(labels)}")

    # How

    def _use(self, point: Point, hand: Callable[[Tool], bool]) -> None:
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

    def _together(
        self, parts: Iterable[Edit], title: str, *, always: bool = False
    ) -> None:
        """Make edits one step; a single one has a name of its own."""
        edits = tuple(parts)
        alone = len(edits) == 1 and not always
        self.do(edits[0] if alone else Group(edits, f"{title}, frame {self.frame}"))

    def _some(self, *, here: bool = True) -> tuple[int, ...]:
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
                f"The selected {_cells(labels)} is not in frame {self.frame}: expected "
                f"a frame in which it is. Go there, or select another."
            )
        return found

    def _track(self, label: int) -> Track:
        track = self.project.lineage.tracks.get(label)
        if track is None:
            raise EditError(
                f"Cell {label} is gone: expected one of this project. Select another."
            )
        return track

    def _place(self) -> Point | None:
        label = self.selection[0] if self.selection else 0
        if self.bench.session.project is None or not label:
            return None
        return self.middle(self.frame, label)

    def _check_writable(self) -> None:
        if self.project.read_only:
            raise EditError(
                f"{self.project.folder.name} is open in another window: expected it "
                f"there no longer, to change it here. Close it there and open it again."
            )


def _cells(labels: tuple[int, ...]) -> str:
    if len(labels) == 1:
        return f"cell {labels[0]}"
    return f"{len(labels)} cells"
