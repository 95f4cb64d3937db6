"""What the network says of the frame in view is one layer under the cells."""

import numpy as np
import pytest
from qtpy.QtWidgets import QComboBox, QLabel
from tests.gui.movies import write_dish
from tests.gui.window import Window

from napari_semiconv.gui.why import WhyView

pytestmark = pytest.mark.gui


@pytest.fixture
def window(make_napari_viewer, qtbot, tmp_path):
    """A dish whose cells were found, in a window with the view."""
    one = Window(make_napari_viewer(show=True), qtbot)
    one.open(write_dish(tmp_path / "dish.tif", frames=6))
    one.tab("Find")
    one.press("Find and follow")
    one.rest()
    view = WhyView(one.bench)
    one.panel.layout().addWidget(view)
    opened = [one, view]
    del one, view
    yield opened
    opened.pop().retire()
    opened.pop().bench.close()


def choose(view, title):
    choice = view.findChild(QComboBox)
    choice.setCurrentIndex(choice.findText(title))


def picture(one, title):
    found = [layer for layer in one.viewer.layers if layer.name == f"Why: {title}"]
    return found[0] if found else None


def notes(view):
    return [n.text() for n in view.findChildren(QLabel) if n.isVisible()]


def test_the_chosen_picture_lies_under_the_cells_and_goes_with_the_frame(window):
    one, view = window
    selected = one.viewer.layers.selection.active
    choose(view, "Foreground")
    one.wait(lambda: picture(one, "Foreground") is not None)
    assert one.names() == ["dish", "Cells", "Why: Foreground", "Tracks"]
    assert one.viewer.layers.selection.active is selected
    layer = picture(one, "Foreground")
    assert tuple(layer.scale) == (0.5, 0.5)
    labels = one.session.project.document.labels
    assert np.array_equal(layer.data[..., 3] > 0, labels(0) > 0)

    def seen():
        return layer.data[..., 3] > 0

    one.viewer.dims.set_current_step(0, 3)
    # That of the frame before is seen no longer.
    one.wait(lambda: not layer.visible or np.array_equal(seen(), labels(3) > 0))
    one.wait(lambda: layer.visible and np.array_equal(seen(), labels(3) > 0))
    choose(view, "Embeddings")
    one.wait(lambda: picture(one, "Embeddings") is not None)
    assert picture(one, "Foreground") is None
    assert picture(one, "Embeddings").rgb
    choose(view, "Nothing")
    assert one.names() == ["dish", "Cells", "Tracks"]


def test_what_the_model_lacks_is_said(window):
    one, view = window
    choose(view, "Votes")
    one.wait(lambda: any("has no votes" in text for text in notes(view)))
    assert picture(one, "Votes") is None


def test_frames_that_no_run_computed_are_said(window):
    one, view = window
    one.bench.undo()
    one.rest()
    choose(view, "Foreground")
    one.wait(lambda: any("Compute it first" in text for text in notes(view)))


def test_it_goes_with_the_project_and_with_the_view(window):
    one, view = window
    choose(view, "Foreground")
    one.wait(lambda: picture(one, "Foreground") is not None)
    one.session.close_project()
    one.wait(lambda: picture(one, "Foreground") is None)
    assert view.shown == ""
    view.retire()
    one.session.go_to(2)
    one.viewer.dims.set_current_step(0, 4)
    assert "Why: Foreground" not in one.names()
