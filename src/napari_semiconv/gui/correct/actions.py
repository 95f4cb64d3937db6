"""Everything a person can do to cells and tracks: one table.

The keys of napari's preferences, the command palette, the help of the panel, its
buttons and the page in the docs all come from here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from . import acts
from .corrector import Corrector

Do = Callable[[Corrector], object]


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


def _fix(corrector: Corrector) -> None:
    tool = corrector.review.fix()
    if tool is not None:
        BY_NAME[tool].do(corrector)


def _undo(corrector: Corrector) -> None:
    corrector.bench.undo()


def _redo(corrector: Corrector) -> None:
    corrector.bench.redo()


# By group: name, title, keys, hint and what it does.
_ROWS: dict[str, tuple[tuple[str, str, str, str, Do], ...]] = {
    "Move": (
        (
            "back",
            "Frame before",
            "A",
            "Go one frame back.",
            lambda c: acts.step(c, -1),
        ),
        ("on", "Frame after", "D", "Go one frame on.", lambda c: acts.step(c, 1)),
        (
            "begin",
            "Start of the track",
            "Shift-A",
            "Go to the first frame of the selected cell.",
            lambda c: acts.go_to_end(c, first=True),
        ),
        (
            "end",
            "End of the track",
            "Shift-D",
            "Go to the last frame of the selected cell.",
            lambda c: acts.go_to_end(c, first=False),
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
            lambda c: acts.merge(c),
        ),
        (
            "together",
            "One cell",
            "Shift-J",
            "Click two places of one cell: the network finds it again.",
            lambda c: c.arm("together"),
        ),
        (
            "add",
            "Add cell",
            "G",
            "Click into a cell that was missed: the network outlines it.",
            lambda c: c.arm("add"),
        ),
        (
            "count",
            "Number of cells",
            "Shift-G",
            "Click on a cell and say how many cells are there: the network finds "
            "them again.",
            lambda c: c.arm("count"),
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
            lambda c: acts.copy(c, -1),
        ),
        (
            "copy_after",
            "Copy from after",
            "Shift-C",
            "Copy the selected cell here from the frame after.",
            lambda c: acts.copy(c, 1),
        ),
        (
            "fill_gap",
            "Fill gap",
            "I",
            "Fill the gap of the selected cell with masks in between.",
            lambda c: acts.fill_gap(c),
        ),
        (
            "fill_holes",
            "Fill holes",
            "H",
            "Fill the holes of the selected cell.",
            lambda c: acts.fill_holes(c),
        ),
        (
            "smooth",
            "Smooth",
            "Shift-H",
            "Smooth the outline of the selected cell.",
            lambda c: acts.reshape(c, "smooth"),
        ),
        (
            "grow",
            "Grow",
            "O",
            "Let the selected cell grow by a pixel.",
            lambda c: acts.reshape(c, "grow"),
        ),
        (
            "shrink",
            "Shrink",
            "Shift-O",
            "Let the selected cell shrink by a pixel.",
            lambda c: acts.reshape(c, "shrink"),
        ),
        (
            "new",
            "New cell",
            "",
            "Paint a new cell, with a label that no cell has (M).",
            lambda c: acts.new_cell(c),
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
            lambda c: acts.delete(c, "here"),
        ),
        (
            "delete_onward",
            "Delete from here on",
            "Shift-Delete",
            "Delete the selected cells in this frame and all later ones.",
            lambda c: acts.delete(c, "onward"),
        ),
        (
            "delete_track",
            "Delete track",
            "Alt-Delete",
            "Delete the selected cells in all frames.",
            lambda c: acts.delete(c, "track"),
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
            lambda c: acts.unlink(c),
        ),
        (
            "swap",
            "Swap",
            "W",
            "Exchange two selected tracks from this frame on.",
            lambda c: acts.swap(c),
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
            lambda c: acts.no_division(c),
        ),
    ),
    "Again": (
        (
            "follow",
            "Follow on",
            "Shift-T",
            "Follow the selected cell into the next frames, to look at first.",
            lambda c: acts.follow(c),
        ),
        (
            "solve_around",
            "Solve tracks here",
            "Shift-W",
            "Decide the tracks around this frame again; what is confirmed stays.",
            lambda c: acts.solve_around(c),
        ),
        (
            "solve",
            "Solve all tracks",
            "",
            "Decide all tracks again; what is confirmed stays.",
            lambda c: c.bench.session.solve(),
        ),
        (
            "compute_again",
            "Find again from here on",
            "",
            "Find the cells of this and all later frames again; what is confirmed "
            "stays.",
            lambda c: c.bench.session.compute_again(c.frame),
        ),
    ),
    "Confirm": (
        (
            "confirm",
            "Confirm",
            "Y",
            "Confirm the selected cells in this frame: no run changes them.",
            lambda c: acts.confirm(c, "here"),
        ),
        (
            "confirm_track",
            "Confirm track",
            "Shift-Y",
            "Confirm the selected cells in all frames.",
            lambda c: acts.confirm(c, "track"),
        ),
        (
            "confirm_frame",
            "Confirm frame",
            "Alt-Y",
            "Confirm all cells of this frame.",
            lambda c: acts.confirm(c, "frame"),
        ),
        (
            "confirm_all",
            "Confirm all",
            "",
            "Confirm all cells of all frames.",
            lambda c: acts.confirm(c, "all"),
        ),
        (
            "unconfirm",
            "Unconfirm",
            "Control-Shift-Y",
            "Take back that the selected cells are confirmed in this frame.",
            lambda c: acts.unconfirm(c),
        ),
    ),
    "Review": (
        (
            "next_suspect",
            "Next suspect",
            "N",
            "Go to the next place that may be wrong; this one counts as looked at.",
            lambda c: c.review.next(),
        ),
        (
            "previous_suspect",
            "Suspect before",
            "Shift-N",
            "Go back to the suspect before.",
            lambda c: c.review.previous(),
        ),
        (
            "right",
            "Right",
            "",
            "Confirm what the suspect is about, and go to the next; with its cell "
            "in view, Y does the same.",
            lambda c: c.review.right(),
        ),
        (
            "fix",
            "Fix",
            "Shift-R",
            "Go to the suspect and take the tool that most likely mends it.",
            _fix,
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

REPEATS = {"back", "on", "grow", "shrink"}
ACTIONS = tuple(
    Action(name, title, tuple(keys.split()), group, hint, do, name in REPEATS)
    for group, some in _ROWS.items()
    for name, title, keys, hint, do in some
)
BY_NAME = {action.name: action for action in ACTIONS}


def keys_in_words(action: Action) -> str:
    """Give the keys of an action as a person reads them."""
    keys = " or ".join(key.replace("-", "+") for key in action.keys)
    return keys.replace("Control", "Ctrl")


def key_table() -> str:
    """Write all actions with their keys as a table, in Markdown."""
    rows = ["| | key | what it does |", "|---|---|---|"]
    for action in ACTIONS:
        rows.append(f"| {action.title} | {keys_in_words(action)} | {action.hint} |")
    return "\n".join(rows)
