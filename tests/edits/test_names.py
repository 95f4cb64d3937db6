"""Which label a stored number shows, against plain dictionaries of what has pixels."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.edits.names import DraftNames, FrameNames

# The machine may be busy with other things.
CALMLY = settings(deadline=None)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["appear", "leave", "ring", "hide", "relabel", "adopt"]),
        st.integers(1, 6),
        st.integers(1, 6),
    ),
    max_size=30,
)


class Frame:
    """A frame whose cells have a pixel each: label by stored number, 0 when hidden."""

    def __init__(self, names):
        self.names = names
        self.pixels = {}
        self.fresh = 100

    def appear(self, label, _):
        if label in self.pixels.values():
            return
        number = self.names.number(label)
        if number is None:
            number = self.new()
            self.names.name(number, label)
        assert number not in self.pixels, "two cells would share their pixels"
        self.pixels[number] = label

    def leave(self, label, _):
        if label in self.pixels.values():
            number = self.number(label)
            del self.pixels[number]
            if number != label:
                self.names.name(number, number)

    def hide(self, label, _):
        if label in self.pixels.values():
            self.rename({label: -self.new()})

    def relabel(self, label, other):
        if label in self.pixels.values() and other not in self.pixels.values():
            self.rename({label: other})

    def ring(self, *_):
        labels = sorted(label for label in self.pixels.values() if label)
        self.rename(dict(zip(labels, [*labels[1:], *labels[:1]], strict=True)))

    def rename(self, labels):
        numbers = {old: self.number(old) for old in labels}
        for number in numbers.values():
            self.names.name(number, number)
        for old, number in numbers.items():
            self.names.name(number, labels[old])
            self.pixels[number] = max(labels[old], 0)

    def adopt(self, *_):
        """Take a draft over, as a document does, and go on with another draft."""
        if isinstance(self.names, DraftNames):
            self.names = DraftNames(self.names.merged())

    def new(self):
        self.fresh += 1
        return self.fresh

    def number(self, label):
        number = self.names.number(label)
        assert self.pixels[number] == label
        return number

    def check(self):
        names = self.names
        names = names.merged() if isinstance(names, DraftNames) else names
        numbers = np.array([*self.pixels], np.int32)
        assert names.show(numbers).tolist() == [*self.pixels.values()]
        hidden = {n for n, label in self.pixels.items() if label == 0}
        assert hidden <= set(names.hidden())
        assert len(names) == len([*names])


@pytest.mark.parametrize("kind", ["frame", "draft"])
@CALMLY
@given(steps=STEPS)
def test_numbers_show_what_was_named_last(kind, steps):
    names = FrameNames()
    frame = Frame(DraftNames(names) if kind == "draft" else names)
    for step, label, other in steps:
        getattr(frame, step)(label, other)
        frame.check()


@CALMLY
@given(steps=STEPS, more=STEPS)
def test_a_draft_leaves_its_frame_alone_and_tells_what_differs(steps, more):
    frame = Frame(FrameNames())
    for step, label, other in steps:
        getattr(frame, step)(label, other)
    base = frame.names
    before = dict(base)
    frame.names = DraftNames(base)
    for step, label, other in more:
        if step != "adopt":
            getattr(frame, step)(label, other)
    assert dict(base) == before
    after = dict(frame.names.merged())
    for number, old, new in frame.names.changes():
        assert (base.label(number), frame.names.label(number)) == (old, new)
        assert old != new
        before[number] = new
    assert {n: label for n, label in before.items() if n != label} == after


def test_a_large_number_needs_no_table_of_its_size():
    begin = time.process_time()
    numbers = np.full((64, 64), 2**31 - 1, np.int32)
    assert (FrameNames({2**31 - 1: 3}).show(numbers) == 3).all()
    assert time.process_time() - begin < 1


def test_a_frame_without_names_shows_its_pixels_as_they_are():
    pixels = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert FrameNames().show(pixels) is pixels
