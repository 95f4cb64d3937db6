"""Mouse and brush on the canvas: what is clicked, dragged and painted there."""

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import QInputDialog, QMainWindow

from ...edits.base import Edit, Group
from ...errors import SemiconvError
from ...workflows.jobs import Job
from .acts import new_cell
from .corrector import Corrector
from .describing import describe_cell
from .marks import Marks
from .notice import Notice
from .place import Place
from .strokes import edit_of_stroke

if TYPE_CHECKING:
    from ..workbench import Workbench

# Pixels of the screen that the mouse may move in a click.
STILL = 4.0
# A cell takes this share of the height of the canvas when it is brought into view.
SHARE = 1 / 8
# Pixels from the middle of the outermost pixels to the border of a frame, but a trifle.
RIM = 0.49
# Most cells that can be asked for in one place.
MOST_CELLS = 50


class CellCanvas:
    """Ties a corrector to the layers of a viewer.

    Parameters
    ----------
    bench
        Whose layers.
    corrector
        Told what is clicked, dragged and painted.
    """

    def __init__(self, bench: "Workbench", corrector: Corrector) -> None:
        self._bench, self._viewer = bench, bench.viewer
        self._corrector = corrector
        self.marks = Marks(corrector, corrector.review.in_frame)
        # Where the camera is since napari 0.9.
        self._camera = getattr(self._viewer, "scene", self._viewer).camera
        self._keys: list[QShortcut] = []
        self._double: list[Any] | None = None
        self._picking = False
        self._layer: Labels | None = None
        self._window: QMainWindow | None = None
        layers = bench.layers
        layers.mark_by(self.marks.draw)
        layers.cells_made.connect(self._attach)
        self._viewer.mouse_drag_callbacks.append(self._on_press)
        corrector.review.changed.connect(self._on_suspects)
        corrector.armed.connect(self._on_armed)
        corrector.painting.connect(self._on_painting)
        corrector.looked_at.connect(self._on_look)
        corrector.refused.connect(self._on_refused)
        self.notice = Notice(bench.viewer)
        self._viewer.dims.events.ndisplay.connect(self._on_depth)

    def show_in(self, window: QMainWindow) -> None:
        """Learn which window has the canvas, and hears Esc while a tool waits."""
        self._window = window
        self.notice.show_in(window)
        self._corrector.ask_number = partial(_ask_number, window)

    def close(self) -> None:
        """Let the viewer go."""
        self._keep_painted()
        self._corrector.disarm()
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)
        self._viewer.dims.events.ndisplay.disconnect(self._on_depth)
        self.notice.close()
        self._corrector.ask_number = lambda _: None  # nobody is there to ask
        self._layer = self._window = None

    def show_job(self, job: Job) -> None:
        """Show with a ring where something is computed."""
        running = job.state == "running" and job.place is not None
        self.marks.busy = job.place if running else None
        self._bench.layers.remark()

    def frame_changed(self) -> None:
        """Have the frame at hand for a tool that waits; a refusal was of another."""
        self._corrector.quiet()
        # A stroke of napari's right button may stay open for long.
        self._keep_painted()
        if self._corrector.tool is not None:
            self._corrector.network.look_closer()

    def set_mode(self, mode: str) -> None:
        """Take a brush of napari's, or put it away if it is taken already."""
        layer = self._bench.layers.cells
        if layer is None:
            self._corrector.run(Corrector.check_seen)
            return
        self._corrector.disarm()
        self._viewer.layers.selection.active = layer
        layer.mode = "pan_zoom" if str(layer.mode) == mode else mode

    # Listening

    def _attach(self, layer: Labels) -> None:
        """Listen to a new layer of cells."""
        # The one before may have been removed in the middle of a stroke.
        self._keep_painted()
        self._layer = layer
        layer.events.paint.connect(self._on_paint)
        layer.events.selected_label.connect(self._on_picked)
        layer.events.mode.connect(self._on_mode)
        # The same as napari's keys do to other layers, but as steps of the project.
        corrector = self._corrector
        for key, act in (
            ("M", new_cell),
            ("Control-Z", lambda c: c.bench.undo()),
            ("Control-Shift-Z", lambda c: c.bench.redo()),
        ):
            run = partial(corrector.run, act)
            layer.bind_key(key, lambda _, run=run: run(), overwrite=True)
        self._speak(layer)

    def _speak(self, layer: Labels) -> None:
        """Let the status line tell of the cell under the mouse in words."""
        own = layer.get_status

        def get_status(position: Any = None, **options: Any) -> Any:
            status = own(position, **options)
            project = self._bench.session.project
            if project is None or position is None or not isinstance(status, dict):
                return status
            point = self._point(position)
            if point is not None and point.label:
                status["coordinates"] = describe_cell(project, point.frame, point.label)
            return status

        # An attribute of this one layer: napari asks the layer, in a thread of its own.
        setattr(layer, "get_status", get_status)  # noqa: B010 - a method, to the checker

    def show_selection(self) -> None:
        """Paint with the label of the selected cell, and show which it is."""
        layer, label = self._layer, self._corrector.only_selected()
        if layer is not None and label:
            self._picking = True
            layer.selected_label = label
            self._picking = False
        self._bench.layers.remark()

    def _on_picked(self, _: Any) -> None:
        """Select the cell whose label is picked to paint with."""
        layer, project = self._layer, self._bench.session.project
        if self._picking or layer is None or project is None:
            return
        label = int(layer.selected_label)
        found = label in project.lineage.tracks
        self._bench.session.select(frozenset({label} if found else ()))

    def _on_suspects(self) -> None:
        """Draw the suspects of the frame in view, if they are others now."""
        frame, marks = self._corrector.frame, self.marks
        if marks.marked != (frame, tuple(marks.suspects(frame))):
            self._bench.layers.remark()

    def _on_mode(self, _: Any) -> None:
        """Let a tool wait no longer when a brush of napari's is taken."""
        if self._layer is not None and str(self._layer.mode) != "pan_zoom":
            self._corrector.disarm()
        # A stroke that was open is given up by napari, without a word.
        self._on_paint(None)
        self._bench.changed.emit()

    def _on_depth(self, _: Any) -> None:
        """Wait for no click where it would fall on time as depth."""
        if self._viewer.dims.ndisplay == 3:
            self._corrector.disarm()

    def _on_armed(self) -> None:
        tool, layer = self._corrector.tool, self._bench.layers.cells
        if tool is None:
            self._rest()
        else:
            if layer is not None:
                layer.mode = "pan_zoom"
                self._viewer.layers.selection.active = layer
            self._camera.mouse_pan = not tool.drags
            self._wait()
            self._corrector.network.look_closer()
        self._bench.layers.remark()
        self._bench.changed.emit()

    def _wait(self) -> None:
        """Let Esc end the tool, and two quick clicks be two clicks."""
        if self._double is None:
            callbacks = self._viewer.mouse_double_click_callbacks
            self._double = list(callbacks)
            callbacks[:] = [self._on_double]
        tool = self._corrector.tool
        wanted = {Qt.Key.Key_Escape: self._corrector.disarm}
        if tool is not None and tool.preview:
            wanted[Qt.Key.Key_Return] = wanted[Qt.Key.Key_Enter] = (
                self._corrector.accept
            )
        self._free_keys()
        for key, act in wanted.items() if self._window is not None else ():
            shortcut = QShortcut(QKeySequence(key), self._window)
            # Docks that float are the window's; another window has its own tools.
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(act)
            self._keys.append(shortcut)

    def _free_keys(self) -> None:
        for key in self._keys:
            key.setEnabled(False)
            key.deleteLater()
        self._keys.clear()

    def _rest(self) -> None:
        # A brush may have been taken: with it the mouse does not move the camera.
        active = self._viewer.layers.selection.active
        self._camera.mouse_pan = active is None or bool(active.mouse_pan)
        self._free_keys()
        if self._double is not None:
            self._viewer.mouse_double_click_callbacks[:] = self._double
            self._double = None

    def _on_painting(self, label: int) -> None:
        layer = self._bench.layers.cells
        if layer is None:
            return
        self._viewer.layers.selection.active = layer
        layer.selected_label = label
        if layer.mode not in ("paint", "polygon"):
            layer.mode = "paint"

    # The mouse

    def _on_press(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        tool = self._corrector.tool
        if event.button != 1 or not self._hears(viewer):
            return
        first = self._point(event.position)
        begin = self._point(event.position, beyond=True)
        line = [begin] if begin is not None else []
        start, moved = np.array(event.pos, float), False
        more = "Shift" in event.modifiers
        yield
        while True:
            # Where the button is let go counts too.
            moved = moved or bool(np.hypot(*(event.pos - start)) > STILL)
            point = self._point(event.position, beyond=True)
            if point is not None:
                line.append(point)
            if event.type != "mouse_move":
                break
            yield
        if not moved:
            if first is not None:
                self._click(first, more=more)
        elif tool is not None and tool.drags and line and tool is self._corrector.tool:
            self._corrector.drag(line)

    def _hears(self, viewer: Any) -> bool:
        """Whether the mouse means cells: nothing else is drawn with it."""
        layers = self._bench.layers
        layer = layers.cells
        if layer is None or viewer.dims.ndisplay == 3 or layers.drawn_on() is not None:
            return False
        active = viewer.layers.selection.active is layer and layer.mode == "pan_zoom"
        return self._corrector.tool is not None or active

    def _on_double(self, viewer: Any, event: Any) -> None:
        """Take the second of two quick clicks, which Qt calls a double click."""
        point = self._point(event.position) if self._hears(viewer) else None
        if point is not None:
            self._corrector.click(point)

    def _click(self, point: Place, *, more: bool) -> None:
        corrector = self._corrector
        if corrector.tool is not None:
            corrector.click(point)
            return
        corrector.quiet()
        old = set(corrector.selection)
        if more and point.label:
            corrector.select(*(old ^ {point.label}))
        elif not more:
            corrector.select(point.label)

    def _point(self, position: Any, *, beyond: bool = False) -> Place | None:
        """Find the pixel at a place of the viewer; None outside the frame.

        A line may go beyond it: it runs along its border there, all pixels inside.
        """
        layer, project = self._layer, self._bench.session.project
        if layer is None or project is None:
            return None
        y, x = np.asarray(layer.world_to_data(position))[-2:]
        _, height, width = project.document.shape
        if beyond:
            y = min(max(y, -RIM), height - 1 + RIM)
            x = min(max(x, -RIM), width - 1 + RIM)
        row, column = round(float(y)), round(float(x))
        if not (0 <= row < height and 0 <= column < width):
            return None
        t = self._bench.layers.frame()
        label = int(project.document.labels(t)[row, column])
        return Place(t, float(y), float(x), label)

    def _on_paint(self, _: Any) -> None:
        # napari tells of some strokes before it has painted them.
        self._bench.mailbox.next(self._keep_painted)

    def _keep_painted(self) -> None:
        """Make an edit of a stroke; what cannot be one is taken off the canvas."""
        layer = self._layer
        take = getattr(layer.data, "take", None) if layer is not None else None
        painted = take() if take is not None else {}
        edits: list[Edit] = []
        place = Place(0, 0, 0)
        for frame, (before, after) in painted.items():
            edit = edit_of_stroke(frame, before, after)
            if edit is not None:
                edits.append(edit)
                y, x = np.argwhere(before != after)[-1].tolist()
                place = Place(frame, y, x, int(after[y, x]))
        if not edits:
            return
        # napari paints into several frames when it is told to edit three dimensions.
        many = f"draw in {len(edits)} frames"
        one = edits[0] if len(edits) == 1 else Group(tuple(edits), many)
        if self._corrector.do(one, place, drawn=True):
            self._corrector.select(place.label)
        else:
            self._bench.layers.refill()

    # Looking

    def _on_refused(self, text: str | None, place: Place | None) -> None:
        layer = self._layer
        if text is None:
            self.notice.hide()
        elif layer is not None and place is not None:
            self.notice.say(text, layer.data_to_world((0, place.y, place.x))[-2:])
        else:
            self.notice.say(text, None)

    def _on_look(self, frame: int, label: int) -> None:
        """Bring a cell into view, large enough to be judged."""
        try:
            point = self._corrector.middle(frame, label)
        except SemiconvError as error:
            self._corrector.refuse(str(error))
            return
        layer, project = self._layer, self._bench.session.project
        if layer is None or project is None:
            return
        world = layer.data_to_world((frame, point.y, point.x))
        self._camera.center = (*tuple(self._camera.center)[:-2], *world[-2:])
        places = project.centroids(frame)
        area = float(np.median(places.areas)) if len(places.areas) else 1.0
        size = 2 * np.sqrt(area / np.pi) * float(layer.scale[-1])
        height = self._viewer.canvas.size[0] if hasattr(self._viewer, "canvas") else 600
        self._camera.zoom = max(self._camera.zoom, SHARE * height / size)


def _ask_number(window: QMainWindow, take: Callable[[int], None]) -> None:
    title, text = "Number of cells", "Cells here, counting those that touch:"

    def ask() -> None:
        number, sure = QInputDialog.getInt(window, title, text, 2, 1, MOST_CELLS)
        if sure:
            take(number)

    # Not while napari is still in the click: a dialog lets other events in.
    QTimer.singleShot(0, ask)
