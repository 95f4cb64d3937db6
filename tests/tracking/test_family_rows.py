import numpy as np
import pytest

from napari_semiconv.tracking.family_rows import FamilyRows
from napari_semiconv.tracking.lineage import Lineage, Track

NAMES = ("labels", "begins", "ends", "mothers", "uppermost", "lowest", "keys")


def track(label, begin, end, parent=0):
    return Track(label, ((begin, end),), parent)


@pytest.fixture
def lineage():
    """Two families and a cell alone.

    ::

        frame  0  1  2  3  4  5
        1      ======>  4 ======      5 and 6 are daughters of 3
                        3 ===> 5 6
        2      ================
        7         ===
    """
    return Lineage(
        [
            track(1, 0, 2),
            track(2, 0, 5),
            track(3, 3, 4, 1),
            track(4, 3, 5, 1),
            track(5, 5, 5, 3),
            track(6, 5, 5, 3),
            track(7, 1, 2),
        ]
    )


def grown(random, count):
    """A lineage of random tracks, some of which divide."""
    tracks, waiting = [], []
    for label in random.permutation(np.arange(1, 3 * count))[:count].tolist():
        parent, begin = 0, int(random.integers(50))
        if waiting and random.random() < 0.7:
            parent, begin = waiting.pop(int(random.integers(len(waiting))))
        end = begin + int(random.integers(20))
        tracks.append(track(label, begin, end, parent))
        waiting += [(label, end + 1)] * int(random.choice([0, 0, 1, 2, 3]))
    return Lineage(tracks)


def same(one, other):
    for name in NAMES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def test_daughters_lie_around_their_mother_and_families_in_order_of_birth(lineage):
    rows = FamilyRows.of(lineage)
    assert rows.labels.tolist() == [5, 3, 6, 1, 4, 2, 7]
    assert rows.begins.tolist() == [5, 3, 5, 0, 3, 0, 1]
    assert rows.ends.tolist() == [5, 4, 5, 2, 5, 5, 2]
    assert rows.families == 3
    assert len(rows) == 7


def test_rows_know_the_way_to_mother_and_daughters(lineage):
    rows = FamilyRows.of(lineage)
    assert rows.mothers.tolist() == [1, 2, -1, 0, -1, 0, 0]
    assert rows.uppermost.tolist() == [0, -1, 0, -2, 0, 0, 0]
    assert rows.lowest.tolist() == [0, 1, 0, 1, 0, 0, 0]


def test_nothing_has_no_rows():
    rows = FamilyRows.of(Lineage())
    assert len(rows) == rows.families == 0
    assert rows.row(1) is None
    assert rows.bars(range(10), range(10)).tolist() == []
    assert rows.mothers_across(range(10)).tolist() == []
    assert len(rows.updated(Lineage(), {3})) == 0


def test_lines_of_descent_cross_no_other_family_and_no_bar_between(random):
    lineage = grown(random, 300)
    rows = FamilyRows.of(lineage)
    assert sorted(rows.labels.tolist()) == sorted(lineage.tracks)
    for row, label in enumerate(rows.labels.tolist()):
        daughters = [rows.row(d) for d in lineage.daughters_of(label)]
        top, bottom = row + rows.uppermost[row], row + rows.lowest[row]
        assert (top, bottom) == (min([row, *daughters]), max([row, *daughters]))
        for between in range(top, bottom + 1):
            other = int(rows.labels[between])
            while other not in (0, label):
                other = lineage.tracks[other].parent
            assert other == label


@pytest.mark.parametrize("seed", range(20))
def test_an_edit_costs_only_the_families_it_touched(seed):
    random = np.random.default_rng(seed)
    lineage = grown(random, 60)
    rows = FamilyRows.of(lineage)
    for _ in range(15):
        before = dict(lineage.tracks)
        change(lineage, random)
        touched = {
            label
            for label in before.keys() | lineage.tracks.keys()
            if before.get(label) != lineage.tracks.get(label)
        }
        rows = rows.updated(lineage, touched)
        same(rows, FamilyRows.of(lineage))


def change(lineage, random):
    """Take a track away, add one, or give one another mother."""
    labels = sorted(lineage.tracks)
    label = int(random.choice(labels))
    chance = random.random()
    if chance < 0.3:
        for daughter in lineage.daughters_of(label):
            old = lineage.tracks[daughter]
            lineage.put(track(daughter, old.begin, old.end))
        lineage.drop(label)
    elif chance < 0.6:
        parent = lineage.tracks[label]
        lineage.put(track(labels[-1] + 1, parent.end + 2, parent.end + 4, label))
    else:
        old = lineage.tracks[label]
        able = [m for m in labels if lineage.tracks[m].end < old.begin]
        parent = int(random.choice(able)) if able else 0
        lineage.put(track(label, old.begin, old.end, parent))


def test_the_family_of_a_track_moves_to_the_top(lineage):
    rows = FamilyRows.of(lineage).with_first(2)
    assert rows.labels.tolist() == [2, 5, 3, 6, 1, 4, 7]
    assert rows.with_first(99) is rows
    assert rows.with_first(5).labels.tolist() == [5, 3, 6, 1, 4, 2, 7]


def test_only_some_families(lineage):
    rows = FamilyRows.of(lineage)
    assert rows.only({6, 7, 99}).labels.tolist() == [5, 3, 6, 1, 4, 7]
    assert len(rows.only(())) == 0


def test_bars_are_those_in_view(lineage):
    rows = FamilyRows.of(lineage)
    assert rows.bars(range(7), range(0, 1)).tolist() == [3, 5]
    assert rows.bars(range(4, 7), range(5, 6)).tolist() == [4, 5]
    assert rows.bars(range(6, 20), range(1, 2)).tolist() == [6]


def test_lines_are_seen_where_neither_mother_nor_daughter_is(random):
    lineage = grown(random, 300)
    rows = FamilyRows.of(lineage)
    every = np.arange(len(rows))
    top, bottom = every + rows.uppermost, every + rows.lowest
    crossing = 0
    for first in range(0, len(rows), 3):
        seen = range(first, first + 3)
        wanted = every[(top < bottom) & (top < seen.stop) & (bottom >= seen.start)]
        assert rows.mothers_across(seen).tolist() == wanted.tolist()
        crossing += sum((top[m] < first and bottom[m] > first + 2) for m in wanted)
    assert crossing
