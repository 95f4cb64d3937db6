"""What is done to the selected cells at once, by a key or a button."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from ...edits.base import Group
from ...edits.confirming import Confirm, Unconfirm
from ...edits.divisions import UnmarkDivision
from ...edits.links import Swap, Unlink
from ...edits.masks import CopyMask, FillHoles, Redraw
from ...edits.region import Region
from ...edits.removing import DeleteCell, DeleteTrack
from ...edits.shaping import Interpolate
from ...errors import EditError
from ...labels import LARGEST_LABEL
from .corrector import Corrector, cells_in_words
from .strokes import reshaped

if TYPE_CHECKING:
    from ...edits.base import Edit

# Frames before and after the one in view whose tracks are decided with it.
AROUND = 3


def step(corrector: Corrector, by: int) -> None:
    """Go some frames on, or back."""
    frames = corrector.project.document.shape[0]
    corrector.bench.session.go_to(min(max(corrector.frame + by, 0), frames - 1))


def go_to_end(corrector: Corrector, *, first: bool) -> None:
    """Go to the first or the last frame of the selected track."""
    track = corrector.project.lineage.tracks[corrector.one()]
    corrector.look_at(track.begin if first else track.end, track.label)


def delete(corrector: Corrector, what: Literal["here", "onward", "track"]) -> None:
    """Delete the selected cells, here, from here on or in all frames."""
    frame = corrector.frame
    labels = corrector.some(here=what == "here")
    since = frame if what == "onward" else None
    parts: list[Edit] = [
        DeleteCell(frame, n) if what == "here" else DeleteTrack(n, since)
        for n in labels
    ]
    corrector.do_together(parts, f"delete {cells_in_words(labels)}")


def copy(corrector: Corrector, way: Literal[-1, 1]) -> None:
    """Copy the selected cell here from the nearest frame before or after."""
    label, frame = corrector.one(), corrector.frame
    frames = corrector.project.lineage.tracks[label].frames
    beside = [t for t in frames if (t - frame) * way > 0]
    if not beside:
        where = "before" if way < 0 else "after"
        raise EditError(
            f"Cell {label} is in no frame {where} {frame}: expected one to copy "
            f"from. Choose another cell or frame."
        )
    source = beside[-1] if way < 0 else beside[0]
    corrector.do(CopyMask(source, label, frame))


def fill_gap(corrector: Corrector) -> None:
    """Fill the gap of the selected track in view, or else all of its gaps."""
    label = corrector.one()
    gaps = corrector.project.lineage.tracks[label].gaps
    here = any(first <= corrector.frame <= last for first, last in gaps)
    corrector.do(Interpolate(label, corrector.frame if here else None))


def fill_holes(corrector: Corrector) -> None:
    """Fill the holes of the selected cells."""
    labels = corrector.some()
    parts = [FillHoles(corrector.frame, label) for label in labels]
    corrector.do_together(parts, f"fill holes of {cells_in_words(labels)}")


def reshape(corrector: Corrector, way: Literal["grow", "shrink", "smooth"]) -> None:
    """Let the selected cells grow or shrink by a pixel, or smooth them."""
    labels, frame = corrector.some(), corrector.frame
    image = corrector.project.document.labels(frame)
    parts = []
    for label in labels:
        region = reshaped(Region.where(image == label), way)
        if not region.area:
            raise EditError(
                f"Cell {label} in frame {frame}: expected pixels to be left, found "
                f"none. Delete it instead."
            )
        parts.append(Redraw(frame, label, region))
    title = f"{way} {cells_in_words(labels)}, frame {frame}"
    corrector.do(Group(tuple(parts), title))


def merge(corrector: Corrector) -> None:
    """Merge the selected cells; wait for some to be clicked when there are none."""
    here = [n for n in corrector.selection if corrector.track(n).has(corrector.frame)]
    if len(here) > 1:
        corrector.merge_cells(tuple(here), corrector.middle(corrector.frame, here[0]))
    else:
        corrector.arm("merge")


def new_cell(corrector: Corrector) -> None:
    """Paint with a label that no cell has."""
    corrector.check_writable()
    corrector.check_seen()
    number = corrector.project.document.next_number
    if number > LARGEST_LABEL:
        raise EditError(
            f"No label is left for a new cell: expected one up to {LARGEST_LABEL}, "
            f"found that in use. Paint with the label of a cell there is."
        )
    corrector.disarm()
    corrector.painting.emit(number)


def unlink(corrector: Corrector) -> None:
    """End the selected track before this frame; what goes on from here is selected."""
    label, frame = corrector.one(), corrector.frame
    document = corrector.project.document
    pixels = np.flatnonzero(document.labels(frame) == label)
    if corrector.do(Unlink(label, frame)) and len(pixels):
        corrector.select(int(document.labels(frame).flat[pixels[0]]))


def swap(corrector: Corrector) -> None:
    """Exchange the two selected tracks from this frame on."""
    pair = corrector.selection
    if len(pair) != 2:
        raise EditError(
            f"Expected two selected cells to swap, found {len(pair)}. Click on "
            f"one, and with Shift on the other."
        )
    corrector.do(Swap(*pair, corrector.frame))


def no_division(corrector: Corrector) -> None:
    """Take back that the selected cell divides, or that its mother did."""
    label = corrector.one()
    lineage = corrector.project.lineage
    parent = lineage.tracks[label].parent
    mother = label if lineage.daughters_of(label) or not parent else parent
    corrector.do(UnmarkDivision(mother))


def confirm(
    corrector: Corrector, what: Literal["here", "track", "frame", "all"]
) -> None:
    """Confirm the selected cells here or throughout, a frame, or all."""
    frame = corrector.frame
    if what in ("frame", "all"):
        only = (frame, frame) if what == "frame" else (None, None)
        corrector.do(Confirm(None, *only))
        return
    if what == "here" and corrector.review.is_at(frame, corrector.selection):
        corrector.review.right()
        return
    labels = corrector.some(here=what == "here")
    only = (frame, frame) if what == "here" else (None, None)
    parts = [Confirm(label, *only) for label in labels]
    corrector.do_together(parts, f"confirm {cells_in_words(labels)}")


def unconfirm(corrector: Corrector) -> None:
    """Take back that the selected cells are confirmed in this frame."""
    frame, labels = corrector.frame, corrector.some()
    parts = [Unconfirm(label, frame, frame) for label in labels]
    corrector.do_together(parts, f"unconfirm {cells_in_words(labels)}")


def follow(corrector: Corrector) -> None:
    """Follow the selected cell into the next frames."""
    corrector.check_writable()
    (label,) = corrector.some()[:1]
    corrector.network.follow(label, corrector.frame)


def solve_around(corrector: Corrector) -> None:
    """Decide the tracks around the frame in view again."""
    corrector.check_writable()
    frame, frames = corrector.frame, corrector.project.document.shape[0]
    around = range(max(frame - AROUND, 0), min(frame + AROUND + 1, frames))
    corrector.bench.session.solve_around(around)
