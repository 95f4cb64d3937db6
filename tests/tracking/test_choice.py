"""The choice among options is the best there is."""

from itertools import combinations

import numpy as np
import pytest

from napari_semiconv.tracking.solver.choice import choose
from napari_semiconv.tracking.solver.problem import Options


def options(*rows):
    track, cell, sister, gain = np.array(rows, float).reshape(-1, 4).T
    return Options(track.astype(int), cell.astype(int), sister.astype(int), gain)


def chosen_of(given):
    """The options chosen; tracks and cells are numbered each from 0."""
    return given.take(choose(given.gain, given.ends(10)).taken)


def uses(option):
    track, cell, sister = option
    return {("track", track), ("cell", cell), ("cell", sister)} - {("cell", -1)}


def best_total(given):
    """The largest gain of any set of options that share nothing, by trying all."""
    rows = list(zip(given.before, given.after, given.sister, strict=True))
    best = 0.0
    for size in range(len(rows) + 1):
        for chosen in combinations(range(len(rows)), size):
            used = [use for row in chosen for use in uses(rows[row])]
            if len(set(used)) == len(used):
                best = max(best, given.gain[list(chosen)].sum())
    return best


def test_two_good_links_beat_one_better():
    # Track 0 likes cell 0 best, but then track 1 would be left with nothing.
    chosen = chosen_of(options((0, 0, -1, 4), (0, 1, -1, 3), (1, 0, -1, 3)))
    assert sorted(zip(chosen.before, chosen.after, strict=True)) == [(0, 1), (1, 0)]


def test_a_division_is_chosen_only_if_it_gains_more_than_the_links():
    links = [(0, 0, -1, 2.0), (1, 1, -1, 2.0)]
    assert chosen_of(options(*links, (0, 0, 1, 3.9))).sister.tolist() == [-1, -1]
    assert chosen_of(options(*links, (0, 0, 1, 4.1))).sister.tolist() == [1]


def test_no_options_no_choice():
    assert len(chosen_of(options()).gain) == 0


@pytest.mark.parametrize("seed", range(20))
def test_no_other_choice_gains_more(seed):
    rng = np.random.default_rng(seed)
    pairs = {tuple(rng.integers(0, 4, 2)) for _ in range(8)}
    rows = [(t, c, -1, rng.uniform(0.1, 4)) for t, c in sorted(pairs)]
    rows += [(t, 0, 3, rng.uniform(0.1, 6)) for t in range(3)]
    given = options(*rows)
    chosen = chosen_of(given)
    used = [
        use
        for row in zip(chosen.before, chosen.after, chosen.sister, strict=True)
        for use in uses(row)
    ]
    assert len(set(used)) == len(used)
    assert chosen.gain.sum() == pytest.approx(best_total(given))
