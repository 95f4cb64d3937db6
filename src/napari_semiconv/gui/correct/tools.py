"""Tools that wait for clicks or for a line dragged on the canvas, each one edit."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...edits.base import Edit
from ...edits.divisions import MarkDivision
from ...edits.links import Link
from ...edits.masks import Redraw
from ...edits.region import Region
from ...edits.removing import MarkEmpty, UnmarkEmpty
from ...edits.shaping import SplitByLine
from ...errors import EditError
from .place import Place
from .strokes import enclosed

if TYPE_CHECKING:
    from .corrector import Corrector


class Tool(ABC):
    """Waits for what the user clicks or drags; armed until it is done or Esc ends it.

    Parameters
    ----------
    corrector
        Makes the edits.
    """

    name: ClassVar[str]
    prompt: ClassVar[str]
    drags: ClassVar[bool] = False

    def __init__(self, corrector: "Corrector") -> None:
        self.corrector = corrector
        self.points: list[Place] = []
        # What Enter would make of it, by frame.
        self.preview: dict[int, Region] = {}

    def say(self) -> str:
        """Tell the user what it waits for."""
        return self.prompt

    def click(self, point: Place) -> bool:
        """Take a click; tell whether the tool is done.

        Raises
        ------
        EditError
            When it is of no use.
        """
        raise EditError(f"{self.prompt} Found a click.")

    def drag(self, line: list[Place]) -> bool:
        """Take a line that was dragged; tell whether the tool is done.

        Raises
        ------
        EditError
            When it is of no use.
        """
        raise EditError(f"{self.prompt} Found a line.")

    def accept(self) -> bool:
        """Make what is previewed an edit; tell whether the tool is done.

        Raises
        ------
        EditError
            When it cannot be, or nothing is previewed.
        """
        raise EditError(f"{self.prompt} Found Enter.")

    def do(self, edit: Edit, point: Place) -> bool:
        """Make an edit; a refusal is said beside the point."""
        return self.corrector.do(edit, point)


class _OfCells(Tool):
    """Waits for clicks on cells."""

    def click(self, point: Place) -> bool:
        if not point.label:
            raise EditError(
                f"No cell is here in frame {point.frame}: expected a click on a cell. "
                f"{self.say()}"
            )
        return self.on_cell(point)

    @abstractmethod
    def on_cell(self, point: Place) -> bool:
        """Take a click on a cell."""


class Split(_OfCells):
    """Splits a cell by a click in each half."""

    name = "split"
    prompt = "Split: click in one half of a cell, then in the other."

    def say(self) -> str:
        """Tell which half it waits for."""
        if self.points:
            return f"Split cell {self.points[0].label}: click in the other half."
        return self.prompt

    def on_cell(self, point: Place) -> bool:
        """Take a half; a click on another cell or frame begins with that one."""
        first = self.points[0] if self.points else None
        if (
            first is None
            or (first.frame, first.label) != (point.frame, point.label)
            or first.pixel == point.pixel
        ):
            self.points = [point]
            self.corrector.select(point.label)
            return False
        self.points = []
        return self.corrector.network.split(first, point)


class SplitAlong(Tool):
    """Splits the cell that a line crosses."""

    name = "split by a line"
    prompt = "Split: drag a line right across a cell."
    drags = True

    def drag(self, line: list[Place]) -> bool:
        """Split the cell that most of the line lies on."""
        labels = [point.label for point in line if point.label]
        if not labels:
            raise EditError(
                "The line crosses no cell: expected one right across a cell. Drag "
                "from one side of it to the other."
            )
        label = max(dict.fromkeys(labels), key=labels.count)
        ends = tuple((point.y, point.x) for point in line)
        middle = line[len(line) // 2]
        return self.do(SplitByLine(middle.frame, label, ends), middle)


class Merge(_OfCells):
    """Merges the cells that are clicked, or those in a loop."""

    name = "merge"
    prompt = "Merge: click two cells, or drag a loop around those that are one."
    drags = True

    def say(self) -> str:
        """Tell which cell it waits for."""
        if self.points:
            return f"Merge cell {self.points[0].label}: click the other cell."
        return self.prompt

    def on_cell(self, point: Place) -> bool:
        """Take a cell; with two of one frame they are merged."""
        first = self.points[0] if self.points else None
        if first is None or first.frame != point.frame or first.label == point.label:
            self.points = [point]
            self.corrector.select(point.label)
            return False
        self.points = []
        return self.corrector.merge_cells((first.label, point.label), point)

    def drag(self, line: list[Place]) -> bool:
        """Merge the cells whose middles lie in the loop."""
        frame = line[0].frame
        document = self.corrector.project.document
        inside = enclosed(line, document.shape[1:])
        places = document.centroids(frame)
        held = inside[np.rint(places.y).astype(int), np.rint(places.x).astype(int)]
        labels = tuple(places.labels[held].tolist())
        if len(labels) < 2:
            raise EditError(
                f"The loop in frame {frame}: expected the middles of two cells or more "
                f"in it, found {len(labels)}. Drag around all that are one cell."
            )
        return self.corrector.merge_cells(labels, line[-1])


class RedrawOutline(Tool):
    """Replaces the mask of the selected cell by an outline that is dragged."""

    name = "redraw"
    prompt = "Redraw: drag the outline of the selected cell."
    drags = True

    def click(self, point: Place) -> bool:
        """Select the cell to draw."""
        self.corrector.select(point.label)
        return False

    def drag(self, line: list[Place]) -> bool:
        """Take the outline."""
        label = self.corrector.one()
        mask = enclosed(line, self.corrector.project.document.shape[1:])
        edit = Redraw(line[0].frame, label, Region.where(mask))
        return self.do(edit, line[-1])


class NoCell(Tool):
    """Marks a place as empty, or takes the mark back."""

    name = "no cell"
    prompt = "No cell here: click where there is none; on a mark to take it back."

    # Pixels around a mark in which a click means it.
    NEAR = 3.0

    def click(self, point: Place) -> bool:
        """Mark the place."""
        marks = [
            (y, x)
            for t, y, x in self.corrector.project.document.absences
            if t == point.frame and np.hypot(y - point.y, x - point.x) <= self.NEAR
        ]
        if marks and not point.label:
            return self.do(UnmarkEmpty(point.frame, *marks[0]), point)
        return self.do(MarkEmpty(point.frame, *point.pixel), point)


class LinkTo(_OfCells):
    """Says that the selected cell and the one that is clicked later are the same."""

    name = "link"
    prompt = "Link: select a cell, step on or back, and click the same cell there."

    def __init__(self, corrector: "Corrector") -> None:
        super().__init__(corrector)
        label, frame = corrector.only_selected(), corrector.frame
        track = corrector.project.lineage.tracks.get(label)
        if track is not None and track.has(frame):
            self.points = [corrector.middle(frame, label)]

    def say(self) -> str:
        """Tell which cell it waits for."""
        if self.points:
            first = self.points[0]
            return (
                f"Link cell {first.label} of frame {first.frame}: step on or back, and "
                f"click the same cell there."
            )
        return self.prompt

    def on_cell(self, point: Place) -> bool:
        """Take a cell; with two of different frames they are linked."""
        if not self.points or self.points[0].frame == point.frame:
            self.points = [point]
            self.corrector.select(point.label)
            return False
        one, other = sorted((self.points[0], point), key=lambda p: p.frame)
        edit = Link(one.label, one.frame, other.label, other.frame)
        if not self.do(edit, point):
            return False
        self.corrector.select(one.label)
        return True


class Division(_OfCells):
    """Marks a division: the mother is selected, both daughters are clicked."""

    name = "division"
    prompt = "Division: select the mother first, then click both daughters."

    def __init__(self, corrector: "Corrector") -> None:
        super().__init__(corrector)
        self.mother = corrector.one()

    def say(self) -> str:
        """Tell which daughter it waits for."""
        which = "the other daughter" if self.points else "both daughters"
        return f"Division of cell {self.mother}: click {which}."

    def on_cell(self, point: Place) -> bool:
        """Take a daughter; with two the division is marked."""
        first = self.points[0] if self.points else None
        if first is None or (first.frame, first.label) == (point.frame, point.label):
            self.points = [point]
            return False
        frame = min(first.frame, point.frame)
        labels = first.label, point.label
        self.points = []
        if not self.do(MarkDivision(self.mother, labels, frame), point):
            return False
        self.corrector.select(self.mother)
        return True


class Together(_OfCells):
    """Has the network find two pixels again as those of one cell."""

    name = "together"
    prompt = "One cell: click two places that belong to one cell."

    def say(self) -> str:
        """Tell which place it waits for."""
        if self.points:
            return "One cell: click another place that belongs to it."
        return self.prompt

    def on_cell(self, point: Place) -> bool:
        """Take a place; with two of one frame the network is asked."""
        first = self.points[0] if self.points else None
        if first is None or first.frame != point.frame or first.pixel == point.pixel:
            self.points = [point]
            return False
        self.points = []
        return self.corrector.network.together(first, point)


class AddCell(Tool):
    """Adds the cell that the user sees at a click, as the network outlines it."""

    name = "add"
    prompt = "Add a cell: click into a cell that was missed."

    def click(self, point: Place) -> bool:
        """Ask the network for it; the tool waits for the next one."""
        self.corrector.network.add(point)
        return False


class CountCells(_OfCells):
    """Has the network find a number of cells where one or some are."""

    name = "count"
    prompt = "Number of cells: click on a cell; those that touch it count too."

    def on_cell(self, point: Place) -> bool:
        """Ask how many there are, then ask the network."""
        corrector = self.corrector
        corrector.network.need_run(point.frame)
        corrector.ask_number(
            lambda cells: corrector.run(lambda c: c.network.count(point, cells))
        )
        return True


TOOLS: dict[str, type[Tool]] = {
    tool.name: tool
    for tool in (
        Split,
        SplitAlong,
        Merge,
        RedrawOutline,
        NoCell,
        LinkTo,
        Division,
        Together,
        AddCell,
        CountCells,
    )
}
