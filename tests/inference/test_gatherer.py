"""Options of a whole movie: rows, gaps, divisions and what speaks against them."""

import numpy as np
import pytest
from tests import worlds
from tests.inference.test_linker import cells_of

from napari_semiconv.inference.linking.candidates import MOST_CANDIDATES
from napari_semiconv.inference.linking.gatherer import Gatherer
from napari_semiconv.settings import LinkSettings

# A cell, and what may be its halves or its daughters.
one_and_two = worlds.draw(
    "..........  ..........",
    ".11111111.  .1111.222.",
    ".11111111.  .1111.222.",
    ".11111111.  .1111.222.",
    "..........  ..........",
)


def gathered(movie, size=12.0, frames=None, **settings):
    """Options of a movie, (T, Y, X), and frame and true label of each row."""
    gatherer, rows = Gatherer(LinkSettings(**settings), size), []
    for frame, labels in zip(frames or range(len(movie)), movie, strict=True):
        truth, cells = cells_of(labels)
        gatherer.push(frame, cells)
        rows += [(frame, label) for label in truth]
    return gatherer.options(), rows


def told(options, rows):
    """Gain of each option by the cells it links."""
    gains = {}
    for track, cell, sister, gain in zip(
        options.before, options.after, options.sister, options.gain, strict=True
    ):
        ends = [rows[track], rows[cell], *([rows[sister]] if sister >= 0 else [])]
        assert tuple(ends) not in gains, "an option is there twice"
        gains[tuple(ends)] = gain
    return gains


def options_of(world, **more):
    return told(*gathered(worlds.enlarge(world), **more))


def test_no_frames_and_no_cells_have_no_options():
    assert not len(Gatherer(LinkSettings(), 12.0).options().gain)
    assert options_of(worlds.empty) == {}


def test_every_option_gains_and_goes_forward():
    for name in ("one_division", "two_divisions", "crossing", "gap", "merge", "crumb"):
        for cells, gain in options_of(getattr(worlds, name)).items():
            assert gain > 0
            assert all(later[0] > cells[0][0] for later in cells[1:])


def test_links_go_over_gaps_as_long_as_allowed():
    longest = {}
    for most in range(4):
        cells = options_of(worlds.gap, most_gap=most)
        longest[most] = max(later[0] - one[0] - 1 for one, later in cells)
    assert longest[0] == 0
    assert longest[1] == 1
    assert longest[2] == longest[3] == 2


def test_a_cell_that_went_on_may_still_be_the_one_that_comes_back():
    gains = options_of(worlds.enters)
    assert ((0, 1), (1, 1)) in gains
    assert ((0, 1), (2, 1)) in gains


def test_a_longer_gap_is_worth_less():
    still = np.stack([worlds.gap[0]] * 4)
    gains = options_of(still)
    worth = [gains[(0, 1), (t, 1)] for t in (1, 2, 3)]
    assert worth == sorted(worth, reverse=True)
    assert len(set(worth)) == 3


def test_frames_that_are_not_there_count():
    movie = worlds.enlarge(worlds.gap)[[0, 3]]
    options, rows = gathered(movie, frames=(0, 3), most_gap=2)
    assert told(options, rows).keys() == {((0, n), (3, n)) for n in (1, 2)}
    assert not len(gathered(movie, frames=(0, 3), most_gap=1)[0].gain)
    assert not len(gathered(movie, frames=(0, 9))[0].gain)


def test_a_frame_without_cells_is_a_frame():
    movie = worlds.enlarge(worlds.gap)[[0, 0, 3]]
    movie[1] = 0
    assert ((0, 1), (2, 1)) in told(*gathered(movie, most_gap=1))
    assert not len(gathered(movie, most_gap=0)[0].gain)


def test_both_daughters_are_named_once():
    gains = options_of(worlds.two_divisions)
    families = {cells for cells in gains if len(cells) == 3}
    assert ((1, 1), (2, 3), (2, 4)) in families
    assert ((1, 2), (2, 5), (2, 6)) in families
    assert all(f[0][0] + 1 == f[1][0] == f[2][0] for f in families)


def test_a_division_is_worth_more_than_either_daughter_alone():
    gains = options_of(worlds.one_division)
    division = gains[(1, 1), (2, 2), (2, 3)]
    assert division > max(gains.get(((1, 1), (2, n)), 0) for n in (2, 3))


@pytest.mark.parametrize("name", ["one_division", "two_divisions"])
def test_divisions_can_be_switched_off(name):
    gains = options_of(getattr(worlds, name), divisions=False)
    assert all(len(cells) == 2 for cells in gains)


def test_what_is_one_again_was_no_division():
    """The same halves, in the one case for good and in the other for a frame."""
    whole, halves = one_and_two
    apart = options_of(np.stack([whole, halves, halves, halves, halves]))
    family = ((0, 1), (1, 1), (1, 2))
    assert family in apart
    for later in range(1, 4):
        frames = [whole, *[halves] * later, whole]
        gains = options_of(np.stack(frames))
        assert gains.get(family, 0) < apart[family]
    frames = [whole, *[halves] * 4, whole]
    assert options_of(np.stack(frames))[family] == apart[family]


def test_what_was_several_does_not_divide():
    whole, halves = one_and_two
    frames = [halves, whole, halves, halves]
    assert ((1, 1), (2, 1), (2, 2)) not in options_of(np.stack(frames))
    frames = [halves, *[whole] * 5, halves]
    assert ((5, 1), (6, 1), (6, 2)) in options_of(np.stack(frames))


def test_crowds_keep_few_candidates_for_each_cell():
    grid = np.arange(1, 145).reshape(12, 12)
    movie = np.zeros((2, 60, 60), np.int32)
    movie[:] = np.kron(grid, np.ones((5, 5), np.int32))
    movie[:, ::5] = movie[:, :, ::5] = 0
    options, _ = gathered(movie, 6.0, most_distance=9)
    single = options.sister < 0
    assert np.bincount(options.after[single]).max() <= MOST_CANDIDATES


def test_the_order_of_labels_changes_no_worth(random):
    movie = worlds.enlarge(worlds.two_divisions)
    before = told(*gathered(movie))
    name = np.append(0, random.permutation(6) + 1).astype(np.int32)
    after = told(*gathered(name[movie]))
    renamed = {
        frozenset((t, int(name[n])) for t, n in cells): gain
        for cells, gain in before.items()
    }
    assert {frozenset(cells): gain for cells, gain in after.items()} == pytest.approx(
        renamed
    )


def moving(step, frames=4):
    """A cell that goes on by ``step`` px a frame."""
    movie = np.zeros((frames, 20, 80), np.int32)
    for frame in range(frames):
        movie[frame, 6:14, 5 + step * frame : 13 + step * frame] = 1
    return movie


def test_a_cell_is_expected_where_its_drift_takes_it():
    gains = told(*gathered(moving(8), 10.0))
    links = [gains[(t, 1), (t + 1, 1)] for t in range(3)]
    assert links == sorted(links)
    assert links[0] < links[2]
    still = told(*gathered(moving(0), 10.0))
    assert still[(0, 1), (1, 1)] == pytest.approx(still[(2, 1), (3, 1)])


def test_daughters_do_not_drift_as_if_the_mother_had_stepped():
    """What comes after a division is as far from each as from cells that are new."""
    whole, halves = one_and_two
    gains = told(*gathered(np.stack([whole, halves, halves])))
    fresh = told(*gathered(np.stack([halves, halves])))
    for cell in (1, 2):
        link = gains[(1, cell), (2, cell)]
        assert link == pytest.approx(fresh[(0, cell), (1, cell)])
