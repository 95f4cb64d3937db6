"""See why: what the network says of the frame in view, as one layer under the cells."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import ensure_colormap
from numpy.typing import NDArray
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ..errors import SemiconvError
from ..workflows.jobs import Job
from .layers import CELLS
from .movie_layer import placement
from .parts import leave_keys

if TYPE_CHECKING:
    from ..workflows.looking import FramePictures
    from .workbench import Workbench

# Milliseconds that the user rests on a frame before the network looks at it.
REST = 150
NOTHING = "Nothing"
# Name of each picture, what the list calls it, its colours and what it shows.
PICTURES = (
    (
        "embeddings",
        "Embeddings",
        "",
        "What the network takes for one cell has one colour. One colour over two cells "
        "that touch: it cannot part them. Two colours in one cell: it may split it.",
    ),
    (
        "foreground",
        "Foreground",
        "magma",
        "How likely each pixel is in a cell, 0 to 1. Dark cells are missed.",
    ),
    (
        "votes",
        "Votes",
        "inferno",
        "Where the pixels say that the middle of their cell lies, votes per pixel. "
        "Each bright spot becomes a cell.",
    ),
    (
        "seeds",
        "Seeds",
        "viridis",
        "How near the vote of each pixel falls to the middle of its cell, 0 to 1.",
    ),
    (
        "certainty",
        "Certainty",
        "RdYlGn",
        "How sure each cell is to be one cell and no more, 0 to 1.",
    ),
)
# Share of the largest value below which nothing is shown.
FAINT = 0.01
# Largest value of pictures that go from 0 to 1.
WHOLE = {"foreground": 1.0, "seeds": 1.0, "certainty": 1.0}


class WhyView(QWidget):
    """A row that shows what the network says of the frame in view.

    Parameters
    ----------
    bench
        Whose movie, cells and computing process.
    """

    def __init__(self, bench: "Workbench") -> None:
        super().__init__()
        self._bench = bench
        self._layer: Image | None = None
        self._found: FramePictures | None = None
        self._asked: Job | None = None
        self._retired = False
        self._choice, self._note = QComboBox(), QLabel()
        self._lay_out()
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST)
        self._rest.timeout.connect(self._ask)
        self._choice.currentIndexChanged.connect(self._choose)
        session, post = bench.session, bench.mailbox.post
        self._heard = (
            (session.frame_changed, lambda _: post(self._on_frame)),
            (session.project_changed, lambda _: post(self._on_project)),
            (session.aside_ended, lambda job: post(partial(self._on_end, job))),
            (session.job_changed, lambda _: post(self._on_job)),
            (bench.closed, self._listen_no_longer),
        )
        for signal, hear in self._heard:
            signal.connect(hear)

    @property
    def shown(self) -> str:
        """Name of the picture that is chosen; empty for none."""
        return str(self._choice.currentData())

    def choose(self, name: str) -> None:
        """Show a picture by name; none when empty."""
        self._choice.setCurrentIndex(self._choice.findData(name))

    def retire(self) -> None:
        """Listen no longer, and take the layer away."""
        if not self._retired:
            self._listen_no_longer()
            self._rest.stop()
            self._remove()

    def _listen_no_longer(self) -> None:
        self._retired = True
        for signal, hear in self._heard:
            signal.disconnect(hear)

    def _lay_out(self) -> None:
        leave_keys(self._choice)
        self._choice.addItem(NOTHING, "")
        for name, title, _, hint in PICTURES:
            self._choice.addItem(title, name)
            self._choice.setItemData(self._choice.count() - 1, hint, 3)
        self._choice.setToolTip("Show what the network says of the frame in view.")
        self._choice.setAccessibleName("See why")
        self._note.setWordWrap(True)
        self._note.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("See why"))
        row.addWidget(self._choice, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._note)

    def _choose(self, _: int = 0) -> None:
        self._say("")
        if not self.shown:
            self._rest.stop()
            self._found = None
            self._remove()
        elif self._is_current():
            self._show()
        else:
            self._ask()

    def _is_current(self) -> bool:
        return self._found is not None and self._found.frame == self._frame

    @property
    def _frame(self) -> int:
        return self._bench.session.frame

    def _ask(self) -> None:
        if self._retired or not self.shown or self._is_current():
            return
        try:
            self._asked = self._bench.session.look(self._frame)
        except SemiconvError as error:
            self._say(str(error))

    def _on_frame(self) -> None:
        if self._retired or not self.shown:
            return
        # That of another frame would lie.
        if self._layer is not None and not self._is_current():
            self._layer.visible = False
        self._say("")
        self._rest.start()

    def _on_project(self) -> None:
        if not self._retired:
            self._choice.setCurrentIndex(0)

    def _on_job(self) -> None:
        job = self._bench.session.job
        if self.shown and job is None and not self._is_current():
            self._on_frame()

    def _on_end(self, job: Job) -> None:
        if self._retired or job is not self._asked:
            return
        self._asked = None
        if job.state == "failed":
            self._say(job.error)
        elif job.state == "done" and self.shown and job.outcome.frame == self._frame:
            self._found = job.outcome
            self._show()

    def _show(self) -> None:
        name, title, colours, _ = next(row for row in PICTURES if row[0] == self.shown)
        assert self._found is not None, "a picture is shown once it is there"
        picture = self._found.pictures.get(name)
        if picture is None:
            self._remove()
            self._say(f"The model of this run has no {title.lower()} to show.")
            return
        layers = self._bench.viewer.layers
        known = self._layer
        if known is not None and known in layers and known.metadata["picture"] == name:
            known.data = _painted(name, colours, picture)
            known.visible = True
            return
        self._remove()
        self._layer = self._made(name, title, colours, picture)
        active = layers.selection.active
        cells = next((n for n, one in enumerate(layers) if one.name == CELLS), None)
        # Above the masks, which would hide it, and below outlines and tails.
        layers.insert(len(layers) if cells is None else cells + 1, self._layer)
        # Tools go on working on what was selected.
        layers.selection.active = active

    def _made(
        self, name: str, title: str, colours: str, picture: NDArray[Any]
    ) -> Image:
        movie = self._bench.session.movie
        where: dict[str, Any] = {}
        if movie is not None:
            placed = placement(movie)
            where = {key: placed[key][1:] for key in ("scale", "units", "axis_labels")}
        cells = [one for one in self._bench.viewer.layers if one.name == CELLS]
        if cells:
            where["translate"] = tuple(cells[0].translate)[-2:]
        return Image(
            _painted(name, colours, picture),
            rgb=True,
            name=f"Why: {title}",
            opacity=0.8,
            metadata={"picture": name},
            **where,
        )

    def _remove(self) -> None:
        layer, self._layer = self._layer, None
        layers = self._bench.viewer.layers
        if layer is not None and layer in layers:
            layers.remove(layer)

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(bool(text))


def _painted(name: str, colours: str, picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours, (Y, X, 4), that leave the movie in view where there is nothing."""
    if not colours:
        seen = picture.any(2)
        return np.dstack([picture, np.where(seen, 255, 0).astype(np.uint8)])
    top = WHOLE.get(name) or max(float(np.percentile(picture, 99.9)), 1e-3)
    steps = (np.clip(picture / top, 0, 1) * 255).astype(np.uint8)
    table = ensure_colormap(colours).map(np.linspace(0, 1, 256))
    painted: NDArray[np.uint8] = (255 * table).astype(np.uint8)[steps]
    painted[..., 3] = np.where(picture > FAINT * top, 255, 0)
    return painted
