"""Masks are parted, and drawn between two others."""

import numpy as np
from tests.edits.drawn import (
    assert_shows,
    confirmed,
    do,
    frames,
    movie,
    parents,
    refuse,
    scored,
    scores,
    stroke,
)

from napari_semiconv.edits.region import Region
from napari_semiconv.edits.shapes import between, part_by_line, part_by_points
from napari_semiconv.edits.shaping import Interpolate, SplitByLine, SplitByPoints

dumbbell = stroke(
    ".###...###.",
    "###########",
    "###########",
    ".###...###.",
).mask


def parts_of(parts):
    """Pixels of each part, as sets."""
    return {frozenset(map(tuple, np.argwhere(parts == n))) for n in range(1, 9)} - {
        frozenset()
    }


def test_a_dumbbell_is_parted_at_its_waist():
    parts = part_by_points(dumbbell, [(2, 1), (1, 9)])
    assert set(np.unique(parts[:, :5])) <= {0, 1}
    assert set(np.unique(parts[:, 6:])) <= {0, 2}
    assert np.array_equal(parts > 0, dumbbell)


def test_a_mask_without_a_waist_is_parted_between_the_points():
    parts = part_by_points(np.ones((4, 10), bool), [(1, 0), (1, 9)])
    assert (parts[:, :4] == 1).all()
    assert (parts[:, 6:] == 2).all()


def test_a_click_beside_the_mask_counts_for_the_nearest_pixel():
    parts = part_by_points(dumbbell, [(-3, 2), (40, 30)])
    assert parts[1, 1] == 1
    assert parts[2, 9] == 2


def test_three_points_give_three_parts():
    parts = part_by_points(np.ones((3, 12), bool), [(1, 0), (1, 6), (1, 11)])
    assert [parts[1, x] for x in (0, 6, 11)] == [1, 2, 3]


def test_a_line_parts_a_mask_without_losing_a_pixel():
    parts = part_by_line(np.ones((3, 7), bool), [(-1, 2), (5, 2)])
    assert (parts > 0).all()
    assert (parts[:, :2] == 2).all()
    assert (parts[:, 3:] == 1).all()


def test_a_slanting_line_lets_nothing_through_at_the_corners():
    for line in ([(0, 0), (7, 7)], [(0, 7), (7, 0)], [(2, 0), (5, 7)]):
        parts = part_by_line(np.ones((8, 8), bool), line)
        assert parts.max() == 2


def test_a_bent_line_parts_a_mask():
    parts = part_by_line(np.ones((6, 6), bool), [(0, 3), (3, 3), (3, 6)])
    assert parts.max() == 2
    assert (parts[:3, 4:] == 2).all()


def test_a_pixel_that_touches_by_its_corner_stays_with_its_mask():
    mask = stroke(
        "......#",
        "######.",
        "######.",
    ).mask
    parts = part_by_line(mask, [(0, 2), (3, 2)])
    assert parts.max() == 2
    assert parts[0, 6] == parts[1, 5]


def test_a_line_that_ends_in_the_mask_parts_nothing():
    assert part_by_line(np.ones((6, 6), bool), [(0, 3), (3, 3)]).max() == 1


def test_a_line_that_covers_the_mask_parts_nothing():
    assert part_by_line(np.ones((1, 3), bool), [(0, 0), (0, 2)]).max() == 1


def test_the_shape_between_two_alike_is_that_shape_halfway():
    first = stroke("....", ".###", ".###", ".###")
    halfway = between(first, first.moved(4, 8), 0.5)
    assert halfway.box == first.moved(2, 4).box
    assert np.array_equal(halfway.mask, first.mask)


def test_the_shape_between_two_sizes_has_a_size_between():
    small, large = (Region(0, 0, np.ones((n, n), bool)) for n in (3, 9))
    areas = [between(small, large, share / 4).area for share in range(5)]
    assert areas == sorted(areas)
    assert areas[0] == small.area
    assert areas[4] == large.area


def long_cell():
    """Cell 1 lies over both parts of frame 1, but over the left one in frame 0."""
    return movie(
        "11.....  1111111  .....11",
        "11.....  1111111  .....11",
    )


def test_the_part_most_like_the_frame_before_keeps_the_label():
    document = long_cell()
    do(document, SplitByPoints(1, 1, ((0, 0), (0, 6))))
    assert frames(document, 1) == [0, 1, 2]
    assert document.labels(1)[0, [0, 6]].tolist() == [1, 2]
    assert confirmed(document, 1) == confirmed(document, 2) == [1]


def test_else_the_part_most_like_the_frame_after_keeps_it():
    document = movie("1111111  .....11", "1111111  .....11")
    do(document, SplitByPoints(0, 1, ((0, 0), (0, 6))))
    assert document.labels(0)[0, [0, 6]].tolist() == [2, 1]


def test_else_the_largest_part_keeps_it():
    document = movie("1111111")
    do(document, SplitByLine(0, 1, ((-1, 2), (1, 2))))
    assert document.labels(0)[0, [0, 6]].tolist() == [2, 1]


def test_a_split_along_a_line_leaves_the_division_with_the_cell():
    document = movie("1111  2..3", parents={2: 1, 3: 1})
    do(document, SplitByLine(0, 1, ((-1, 2), (1, 2))))
    assert parents(document) == {2: 1, 3: 1}


def test_the_scores_of_a_split_cell_are_forgotten():
    document = scored(long_cell())
    do(document, SplitByLine(1, 1, ((-1, 3), (2, 3))))
    assert scores(document, 1) == [100, None, 102]


def test_a_split_needs_two_points():
    words = "Expected two points to split cell 1 by, found one."
    for points in ((), ((0, 0),), ((0, 0), (0, 0.3))):
        refuse(long_cell(), SplitByPoints(1, 1, points), words)


def test_two_clicks_nearest_to_one_pixel_part_nothing():
    edit = SplitByPoints(1, 1, ((-5, -5), (-6, -6)))
    refuse(long_cell(), edit, "Cell 1 in frame 1 stays in one piece")


def test_a_line_beside_the_cell_parts_nothing():
    for line in ((), ((0, 3),), ((-9, 3), (-5, 3)), ((0, 3), (0, 5))):
        edit = SplitByLine(1, 1, line)
        refuse(long_cell(), edit, "Cell 1 in frame 1 stays in one piece")


def test_a_split_needs_a_cell():
    document = movie("1.  .2")
    line = ((0, 0), (1, 1))
    refuse(document, SplitByPoints(1, 1, line), "Cell 1 has no pixels in frame 1")
    refuse(document, SplitByLine(0, 9, line), "Cell 9 does not exist")


def gapped():
    return movie("1......  .......  .......  ......1  .......  1......")


def test_a_cell_is_drawn_over_all_its_gaps():
    document = gapped()
    do(document, Interpolate(1))
    assert_shows(document, "1......  ..1....  ....1..  ......1  ...1...  1......")
    assert confirmed(document, 1) == [1, 2, 4]


def test_a_cell_is_drawn_over_one_gap():
    document = gapped()
    do(document, Interpolate(1, 2))
    assert frames(document, 1) == [0, 1, 2, 3, 5]


def test_a_cell_is_drawn_around_others_on_its_way():
    document = movie("111  .22  111")
    do(document, Interpolate(1))
    assert_shows(document, "111  122  111")


def test_a_cell_without_a_gap_is_refused():
    document = gapped()
    words = "Cell 1 has no gap in frame 3: expected frames between"
    refuse(document, Interpolate(1, 3), words)
    do(document, Interpolate(1))
    refuse(document, Interpolate(1), "Cell 1 has no gap: expected frames between")


def test_a_gap_full_of_others_is_refused():
    document = movie("11  22  11")
    words = "Frame 1: expected free pixels for cell 1 on its way, found other cells."
    refuse(document, Interpolate(1), words)
