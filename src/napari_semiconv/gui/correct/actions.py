"""Everything a person can do to cells and tracks: one table.

The keys of napari's preferences, the command palette, the help of the panel, its
buttons and the page in the docs all come from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .corrector import Corrector

Do = Callable[["Corrector"], object]


@dataclass(frozen=True)
class Action:
    """One thing to do, by key, button or palette.

    Parameters
    ----------
    name
        Its name in napari's tables, without that of the plugin.
    title
        What a button says.
    keys
        Its keys, as napari writes them; none of napari's own.
    group
        Where the help and the menu list it.
    hint
        What it does, in a sentence.
    do
        Does it.
    repeats
        Whether a key that is held down does it again and again.
    """

    name: str
    title: str
    keys: tuple[str, ...]
    group: str
    hint: str
    do: Do
    repeats: bool = False


def _actions() -> tuple[Action, ...]:
    rows: dict[str, tuple[tuple[str, str, str, str, Do], ...]] = {
        "Move": (
            ("back", "Frame before", "A", "Go one frame back.", lambda c: c.step(-1)),
            ("on", "Frame after", "D", "Go one frame on.", lambda c: c.step(1)),
            (
                "begin",
                "Begin of the track",
                "Shift-A",
                "Go to the first frame of the selected cell.",
                lambda c: c.go_to_end(first=True),
            ),
            (
                "end",
                "End of the track",
                "Shift-D",
                "Go to the last frame of the selected cell.",
                lambda c: c.go_to_end(first=False),
            ),
        ),
        "Masks": (
            (
                "split",
                "Split",
                "S",
                "Split a cell: click in one half, then in the other.",
                lambda c: c.arm("split"),
            ),
            (
                "split_line",
                "Split by a line",
                "Shift-S",
                "Split a cell: drag a line right across it.",
                lambda c: c.arm("split by a line"),
            ),
            (
                "merge",
                "Merge",
                "J",
                "Merge the selected cells; without two, click the cells or drag a loop "
                "around them.",
                lambda c: c.merge(),
            ),
            (
                "redraw",
                "Redraw",
                "R",
                "Draw the outline of the selected cell anew: drag around it.",
                lambda c: c.arm("redraw"),
            ),
            (
                "copy_before",
                "Copy from before",
                "C",
                "Copy the selected cell here from the frame before.",
                lambda c: c.copy(-1),
            ),
            (
                "copy_after",
                "Copy from after",
                "Shift-C",
                "Copy the selected cell here from the frame after.",
                lambda c: c.copy(1),
            ),
            (
                "fill_gap",
                "Fill gap",
                "I",
                "Fill the gap of the selected cell with masks in between.",
                lambda c: c.fill_gap(),
            ),
            (
                "fill_holes",
                "Fill holes",
                "H",
                "Fill the holes of the selected cell.",
                lambda c: c.fill_holes(),
            ),
            (
                "smooth",
                "Smooth",
                "Shift-H",
                "Smooth the outline of the selected cell.",
                lambda c: c.reshape("smooth"),
            ),
            (
                "grow",
                "Grow",
                "O",
                "Let the selected cell grow by a pixel.",
                lambda c: c.reshape("grow"),
            ),
            (
                "shrink",
                "Shrink",
                "Shift-O",
                "Let the selected cell shrink by a pixel.",
                lambda c: c.reshape("shrink"),
            ),
            (
                "new",
                "New cell",
                "",
                "Paint a new cell, with a label that no cell has (M).",
                lambda c: c.new_cell(),
            ),
            (
                "empty",
                "No cell here",
                "Q",
                "Click where there is no cell; none will be found there again.",
                lambda c: c.arm("no cell"),
            ),
            (
                "delete",
                "Delete",
                "Delete Backspace",
                "Delete the selected cells in this frame.",
                lambda c: c.delete("here"),
            ),
            (
                "delete_onward",
                "Delete from here on",
                "Shift-Delete",
                "Delete the selected cells in this frame and all later ones.",
                lambda c: c.delete("onward"),
            ),
            (
                "delete_track",
                "Delete track",
                "Alt-Delete",
                "Delete the selected cells in all frames.",
                lambda c: c.delete("track"),
            ),
        ),
        "Tracks": (
            (
                "link",
                "Link",
                "T",
                "Select a cell, press the key, step on or back, and click the same "
                "cell there.",
                lambda c: c.arm("link"),
            ),
            (
                "unlink",
                "Unlink",
                "U",
                "End the track before this frame; from here on it is another cell.",
                lambda c: c.unlink(),
            ),
            (
                "swap",
                "Swap",
                "W",
                "Exchange two selected tracks from this frame on.",
                lambda c: c.swap(),
            ),
            (
                "division",
                "Division",
                "K",
                "Select the mother, press the key in the first frame of the daughters, "
                "and click both.",
                lambda c: c.arm("division"),
            ),
            (
                "no_division",
                "No division",
                "Shift-K",
                "Take back that the selected cell, or its mother, divides.",
                lambda c: c.no_division(),
            ),
        ),
        "Confirm": (
            (
                "confirm",
                "Confirm",
                "Y",
                "Confirm the selected cells in this frame: no run changes them.",
                lambda c: c.confirm("here"),
            ),
            (
                "confirm_track",
                "Confirm track",
                "Shift-Y",
                "Confirm the selected cells in all frames.",
                lambda c: c.confirm("track"),
            ),
            (
                "confirm_frame",
                "Confirm frame",
                "Alt-Y",
                "Confirm all cells of this frame.",
                lambda c: c.confirm("frame"),
            ),
            (
                "confirm_all",
                "Confirm all",
                "",
                "Confirm all cells of all frames.",
                lambda c: c.confirm("all"),
            ),
            (
                "unconfirm",
                "Unconfirm",
                "Control-Shift-Y",
                "Take back that the selected cells are confirmed in this frame.",
                lambda c: c.unconfirm(),
            ),
        ),
        "Undo": (
            ("undo", "Undo", "Control-Z", "Take back the last step.", _undo),
            (
                "redo",
                "Redo",
                "Control-Shift-Z",
                "Make the step that was undone last again.",
                _redo,
            ),
        ),
    }
    return tuple(
        Action(name, title, tuple(keys.split()), group, hint, do, name in REPEATS)
        for group, some in rows.items()
        for name, title, keys, hint, do in some
    )


def _undo(corrector: "Corrector") -> None:
    corrector.bench.undo()


def _redo(corrector: "Corrector") -> None:
    corrector.bench.redo()


REPEATS = {"back", "on", "grow", "shrink"}
ACTIONS = _actions()
BY_NAME = {action.name: action for action in ACTIONS}
