"""What is drawn over the cells of a frame: the selected, the confirmed, the suspect."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...project.project import Project
from ..preferences import preference

if TYPE_CHECKING:
    from .corrector import Corrector

Image = NDArray[np.uint8]
Labels = NDArray[np.int32]
Colour = tuple[int, int, int, int]

SELECTED: Colour = (255, 255, 255, 255)
BEFORE: Colour = (90, 190, 255, 255)
AFTER: Colour = (255, 200, 90, 255)
CONFIRMED: Colour = (80, 230, 120, 255)
SUSPECT: Colour = (255, 140, 0, 255)
EMPTY: Colour = (255, 80, 80, 255)
PREVIEW: Colour = (0, 255, 255, 255)
CLICKED: Colour = (255, 255, 0, 255)
SHADOW: Colour = (0, 0, 0, 180)

# Rows and columns, px, of a tick beside the middle of a confirmed cell, and of a cross.
TICK = np.array([(0, -2), (1, -1), (2, 0), (1, 1), (0, 2), (-1, 3)])
CROSS = np.array([(d, s * d) for d in range(-3, 4) for s in (1, -1)])
# Pixels of an outline that are drawn and left out, in turns, of a cell's ghost.
DASH = 4
# Points of a ring around a place where something is computed, and its radius, px.
RING, RADIUS = 90, 14.0


class Marks:
    """Draws the marks of a frame into the image of its tails.

    Parameters
    ----------
    corrector
        Whose selection and tool.
    suspects
        Gives the labels of the cells of a frame that are worth a look.
    """

    def __init__(
        self,
        corrector: "Corrector",
        suspects: Callable[[int], Iterable[int]] = lambda _: (),
    ) -> None:
        self._corrector = corrector
        self.suspects = suspects
        # The frame drawn last, and its suspects.
        self.marked: tuple[int, tuple[int, ...]] = (0, ())
        # Where something is computed.
        self.busy: tuple[int, int, int] | None = None

    def draw(self, frame: int, image: Image) -> None:
        """Draw the marks of a frame into an image, (Y, X, 4).

        Parameters
        ----------
        frame
            Index of the frame.
        image
            Red, green, blue and opacity; written to.
        """
        project = self._corrector.bench.session.project
        if project is None:
            return
        labels = project.document.labels(frame)
        suspects = tuple(self.suspects(frame))
        self.marked = frame, suspects
        for label in suspects:
            _outline(image, labels == label, SUSPECT)
        self._draw_confirmed(project, frame, image)
        for label in self._corrector.selection:
            self._draw_selected(project, frame, label, image)
        empty = [(y, x) for t, y, x in project.document.absences if t == frame]
        _stamp(image, CROSS, empty, EMPTY)
        tool = self._corrector.tool
        if tool is not None and frame in tool.preview:
            region = tool.preview[frame].within(project.document.shape[1:])
            mask = np.zeros(project.document.shape[1:], bool)
            mask[region.box.slices] = region.mask
            _outline(image, mask, PREVIEW, wide=True)
        points = () if tool is None else tool.points
        clicked = [point.pixel for point in points if point.frame == frame]
        _stamp(image, CROSS, clicked, CLICKED)
        if self.busy is not None and self.busy[0] == frame:
            _ring(image, *self.busy[1:])

    def _draw_selected(
        self, project: Project, frame: int, label: int, image: Image
    ) -> None:
        """Outline a cell, and where it is in the frames before and after."""
        track = project.lineage.tracks.get(label)
        ghosts = ((frame - 1, BEFORE), (frame + 1, AFTER))
        for near, colour in ghosts if preference("outlines") else ():
            if track is not None and track.has(near):
                ghost = project.document.labels(near) == label
                _outline(image, ghost, colour, dashed=True)
        _outline(image, project.document.labels(frame) == label, SELECTED, wide=True)

    def _draw_confirmed(self, project: Project, frame: int, image: Image) -> None:
        tracks = project.lineage.tracks
        places = project.centroids(frame)
        sure = [
            n
            for n, label in enumerate(places.labels.tolist())
            if label in tracks and tracks[label].is_confirmed(frame)
        ]
        middles = zip(places.y[sure].tolist(), places.x[sure].tolist(), strict=True)
        _stamp(image, TICK, [(round(y), round(x)) for y, x in middles], CONFIRMED)


def _outline(
    image: Image,
    mask: NDArray[np.bool_],
    colour: Colour,
    *,
    wide: bool = False,
    dashed: bool = False,
) -> None:
    """Draw the outline of a mask, (Y, X); a wide one has a dark border."""
    rows = np.flatnonzero(mask.any(1))
    if not len(rows):
        return
    columns = np.flatnonzero(mask.any(0))
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    box = slice(top, rows[-1] + 3), slice(left, columns[-1] + 3)
    # Beyond the edge of the frame there is none of it.
    part = np.pad(mask[box], 1)
    edge = (part & ~ndimage.binary_erosion(part))[1:-1, 1:-1]
    if wide:
        around = ndimage.binary_dilation(edge) & ~edge
        image[box][around] = SHADOW
    if dashed:
        y, x = np.indices(edge.shape)
        edge &= (y + top + x + left) // DASH % 2 == 0
    image[box][edge] = colour


def _stamp(
    image: Image,
    shape: NDArray[np.intp],
    places: list[tuple[int, int]],
    colour: Colour,
) -> None:
    """Draw a small shape at each place, row and column, with a dark border."""
    if not places:
        return
    height, width = image.shape[:2]
    pixels = (np.array(places)[:, np.newaxis] + shape).reshape(-1, 2)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        y, x = (pixels + shift).T
        image[y.clip(0, height - 1), x.clip(0, width - 1)] = SHADOW
    y, x = pixels.T
    image[y.clip(0, height - 1), x.clip(0, width - 1)] = colour


def _ring(image: Image, y: float, x: float) -> None:
    angle = np.linspace(0, 2 * np.pi, RING, endpoint=False)
    circle = np.stack([RADIUS * np.sin(angle), RADIUS * np.cos(angle)], 1)
    _stamp(image, np.rint(circle).astype(int), [(round(y), round(x))], CLICKED)
