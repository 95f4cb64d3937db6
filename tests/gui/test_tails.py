import numpy as np

from napari_semiconv.edits.document import Centroids
from napari_semiconv.gui.tails import BORDER, LENGTH, Tails
from napari_semiconv.tracking.lineage import Lineage, Track


def centroids(*cells):
    """Middles of cells, each as label, y, x."""
    labels, y, x = np.array(sorted(cells), float).reshape(-1, 3).T
    return Centroids(labels.astype(np.int64), y, x, np.ones(len(labels), np.int64))


def drawn(tails, frame):
    """Pixels of each label: a set of places."""
    image = tails.draw(frame)
    return {
        int(n): {tuple(map(int, at)) for at in np.argwhere(image == n)}
        for n in np.unique(image)
        if n
    }


def make(frames, lineage=None, shape=(20, 30)):
    return Tails(shape, frames.__getitem__, lambda: lineage or Lineage())


def test_a_tail_joins_the_middles_of_a_cell():
    tails = make([centroids((1, 2, 3)), centroids((1, 2, 6)), centroids((1, 5, 6))])
    along = {(2, 3), (2, 4), (2, 5), (2, 6)}
    assert drawn(tails, 0) == {}
    assert drawn(tails, 1) == {1: along}
    assert drawn(tails, 2) == {1: along | {(3, 6), (4, 6), (5, 6)}}


def test_daughters_begin_at_their_mother():
    lineage = Lineage([Track.of(1, [0]), Track.of(2, [1], 1), Track.of(3, [1], 1)])
    frames = [centroids((1, 5, 5)), centroids((2, 5, 3), (3, 5, 7))]
    tails = make(frames, lineage)
    assert drawn(tails, 1) == {2: {(5, 3), (5, 4)}, 3: {(5, 5), (5, 6), (5, 7)}}


def test_a_new_cell_and_a_gap_have_no_line():
    frames = [centroids((1, 5, 5)), centroids((2, 9, 9)), centroids((1, 5, 8))]
    assert drawn(make(frames), 2) == {}


def test_a_tail_is_as_long_as_the_last_frames():
    frames = [centroids((1, 0, x)) for x in range(30)]
    assert drawn(make(frames), 29) == {1: {(0, x) for x in range(29 - LENGTH, 30)}}


def test_a_painted_tail_has_its_colour_and_a_dark_border():
    tails = make([centroids((7, 5, 5)), centroids((7, 5, 8))])
    image = tails.paint(
        1, lambda labels: np.tile([1.0, 0.5, 0.0, 1.0], (len(labels), 1))
    )
    assert (image[5, 5:9] == (255, 128, 0, 255)).all()
    assert (image[4:7, 4:10].reshape(-1, 4) == BORDER).all(1).sum() == 3 * 6 - 4
    assert np.count_nonzero(image[..., 3]) == 3 * 6


def test_what_changed_is_drawn_anew():
    frames = [centroids((1, 2, 2)), centroids((1, 2, 3)), centroids((1, 2, 4))]
    tails = make(frames)
    drawn(tails, 2)
    frames[1] = centroids((1, 3, 3))
    tails.forget({1})
    assert drawn(tails, 2) == {1: {(2, 2), (3, 3), (2, 4)}}


def test_lines_are_thicker_in_large_frames_and_end_at_the_border():
    tails = make([centroids((7, 0, 0)), centroids((7, 0, 3))], shape=(1600, 4))
    assert drawn(tails, 1) == {7: {(0, 0), (0, 1), (0, 2), (0, 3)}}
    tails = make([centroids((7, 10, 0)), centroids((7, 10, 3))], shape=(1600, 4))
    assert drawn(tails, 1)[7] == {(y, x) for y in (9, 10) for x in range(4)}
