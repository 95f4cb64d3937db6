import pytest

from napari_semiconv.gui.lineage.scale import (
    AXIS,
    HIGH,
    LOW,
    Scale,
    tick_step,
    time_text,
)


def scale(**given):
    facts = {"frames": 100, "rows": 1000, "width": 500, "height": AXIS + 160}
    return Scale(**(facts | given)).within()


def test_all_frames_fit_at_first():
    assert scale().frame_width == 5
    assert scale().shown_frames == range(100)
    assert scale(width=1000).frame_width == 10


def test_places_are_those_of_frames_and_rows():
    part = scale(zoom=20.0, first=10.0, top=32)
    assert part.x(10) == 0
    assert part.frame_at(part.x(17) + 3) == 17
    assert part.row_at(part.y(5)) == 5
    assert part.row_at(AXIS - 1) is None
    assert scale(rows=2).row_at(AXIS + 100) is None
    assert part.shown_frames == range(10, 35)
    assert part.shown_rows == range(2, 12)


def test_what_is_under_the_mouse_stays_when_time_is_zoomed():
    part = scale(zoom=10.0, first=20.0)
    for factor in (1.5, 0.8):
        zoomed = part.zoomed(factor, 250)
        assert zoomed.frame_width == pytest.approx(10 * factor)
        assert zoomed.x(45) == pytest.approx(part.x(45))


def test_zooming_ends_at_the_whole_movie_and_at_wide_frames():
    assert scale().zoomed(0.1, 250) == scale()
    assert scale().zoomed(1000, 250).frame_width == 160


def test_rows_grow_around_the_mouse_within_bounds():
    part = scale(top=160)
    y = part.y(14)
    grown = part.heightened(4, y)
    assert grown.row_height == part.row_height + 4
    assert grown.row_at(y) == 14
    assert part.heightened(100, y).row_height == HIGH
    assert part.heightened(-100, y).row_height == LOW


def test_it_scrolls_no_further_than_there_is_something():
    part = scale(zoom=10.0)
    assert part.moved(-10, -10) == part
    end = part.moved(1e6, 1e6)
    assert end.shown_frames == range(50, 100)
    assert end.shown_rows.stop == 1000
    assert end.y(999) + end.row_height == end.height


def test_a_frame_is_brought_into_view_only_if_it_is_not():
    part = scale(zoom=10.0, first=10.0)
    assert part.showing(30) is part
    for frame in (0, 5, 70, 99):
        assert frame in part.showing(frame).shown_frames


def test_a_row_is_brought_into_view_only_if_it_is_not():
    part = scale(top=320)
    assert part.showing_row(25) is part
    for row in (0, 19, 500, 999):
        shown = part.showing_row(row)
        assert AXIS <= shown.y(row) <= shown.height - shown.row_height


@pytest.mark.parametrize(
    ("width", "step"), [(100, 1), (45, 2), (20, 5), (9, 10), (1, 100), (0.5, 200)]
)
def test_ticks_are_round_and_apart(width, step):
    assert tick_step(width) == step


def test_ticks_are_those_in_view():
    assert scale(zoom=10.0, first=23.0).ticks() == [30, 40, 50, 60, 70]


@pytest.mark.parametrize(
    ("seconds", "whole", "text"),
    [
        (90, 100, "90 s"),
        (90, 1000, "1:30 min"),
        (5400, 20_000, "1:30 h"),
        (86400 + 7200, 500_000, "1 d 2 h"),
        (2 * 86400, 500_000, "2 d"),
    ],
)
def test_times_are_written_in_the_unit_of_the_movie(seconds, whole, text):
    assert time_text(seconds, whole) == text
