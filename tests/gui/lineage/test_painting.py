import pytest

from napari_semiconv.gui.lineage.painting import seen_intervals

MANY = tuple((t, t) for t in range(0, 1000, 2))


@pytest.mark.parametrize(
    ("frames", "least", "seen"),
    [
        (range(10, 20), 0, ((10, 10), (12, 12), (14, 14), (16, 16), (18, 18))),
        (range(11, 15), 0, ((12, 12), (14, 14))),
        (range(100), 2, ((0, 98),)),
        (range(2000, 3000), 0, ()),
    ],
)
def test_intervals_in_view_that_can_be_told_apart(frames, least, seen):
    assert seen_intervals(MANY, frames, least) == seen


def test_a_long_interval_is_seen_from_its_middle():
    assert seen_intervals(((0, 50), (60, 90)), range(20, 30), 0.1) == ((0, 50),)
