"""Help: what each step is for, and all keys; it needs no network."""

from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from .correct.actions import key_table

SIZE = (560, 620)
PAGES = {
    "Movie": (
        "*Open…* takes a movie, a project, or cells that any program tracked: a file "
        "or a folder. Or drop it on the panel; or open it as a layer of napari and "
        "press *Use selected layer*.",
        "Look at *Read as*: time taken for depth is the classic mistake. A note about "
        "a guess has the button that mends it.",
        "Pixel size and frame interval are used for measurements and exports.",
    ),
    "Find": (
        "**Cell size** is what matters most: left empty it is estimated; *Draw on a "
        "cell* takes it from a line dragged across a usual cell.",
        "*Preview* finds the cells of the frame in view. If cells come in pieces, the "
        "size is too small; if neighbours run together, too large.",
        "*Find and follow* does all frames. When you stop it, finished frames stay, "
        "and *Go on* computes the rest another day. Cells of finished frames can "
        "be corrected meanwhile.",
    ),
    "Correct": (
        "Click on a cell to select it, with Shift to add another. Buttons and keys "
        "act on the selected cells; a tool that waits for clicks says what for above "
        "the buttons, and Esc ends it.",
        "**Review** lists the places that most likely are wrong. *Next* goes there, "
        "*Right* confirms it, *Fix* takes up the likely tool.",
        "What you draw, link or confirm is yours: no run changes it. Everything can "
        "be undone, also after closing; **History** lists every step.",
        "On the canvas: white is the selected cell, dashed blue and orange where it "
        "is one frame before and after, a green tick means confirmed, an orange "
        "outline is worth a look, a red cross says that no cell is there.",
        "napari's own brush (2), eraser (1), outline (3) and bucket (4) draw on the "
        "cells too; M paints a new one.",
    ),
    "Teach": (
        "The network learns from cells that you corrected or confirmed under "
        "*Correct*, and from places where you took a cell away. A few cells in "
        "several frames teach more than many in one; *Go there* leads to frames where "
        "most is doubtful.",
        "*Teach* makes a new model, while you may go on correcting; the one in use "
        "stays as it is. *Whole network* learns most, *Heads alone* is quickest.",
        "A part of the tracks is never learned from: on these the new model is "
        "compared with the one before. Yellow is what a model finds, green what you "
        "outlined and it missed, left before, right now.",
        "*Keep* takes the new model under *Find*, *Discard* deletes it. *Apply to the "
        "rest* finds all cells with it, except those that you confirmed; that is one "
        "step to undo.",
        "**Models** lists all that were taught in this project, each below the one it "
        "was taught from. *Export…* copies one, to be used elsewhere with *Other "
        "folder…* under *Find*.",
    ),
    "Share": (
        "Choose a format; what it keeps, and what these cells lose in it, stands "
        "below. *Export…* never writes over what is there.",
        "*Measurements and plots…* shows tables and curves of cells and tracks.",
    ),
}


class HelpDialog(QDialog):
    """Shows the page of a tab; that of "Correct" has all keys.

    Parameters
    ----------
    parent
        A widget of the window.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help: napari-semiconv")
        self.resize(*SIZE)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)

    def show_page(self, name: str) -> None:
        """Show the page of a tab, and come to the front."""
        self.text.setMarkdown(page(name))
        self.show()
        self.raise_()


def page(name: str) -> str:
    """Write the page of a tab, in Markdown; that of "Correct" has all keys."""
    parts = [f"## {name}", *PAGES[name]]
    if name == "Correct":
        parts += ["### Keys", KEYS, key_table()]
    others = [title for title in PAGES if title != name]
    parts.append(f"Help is also there for {', '.join(others)}: open that tab first.")
    return "\n\n".join(parts)


KEYS = (
    "They work while the mouse is on the canvas, and can be changed in napari under "
    "File → Preferences → Shortcuts."
)
