"""A draft: an edit tried out beside the document, which gives the change it makes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import EditError
from ..labels import LARGEST_LABEL, labels_in
from ..tracking.intervals import Intervals, difference, frames_in, union
from ..tracking.lineage import Track
from .change import Absence, Change, Labels, Numbers, Patch, TrackPair
from .document import Document
from .names import DraftNames, FrameNames
from .region import Box, Region

# More numbers than this are looked for in a frame all at once.
_MANY = 8


class Draft:
    """The document with the edits so far, of which the document itself knows nothing.

    Parameters
    ----------
    document
        As it is now; not changed.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._pixels: dict[int, Numbers] = {}
        self._boxes: dict[int, Box] = {}
        self._names: dict[int, DraftNames] = {}
        self._tracks: dict[int, Track | None] = {}
        self._daughters: dict[int, set[int]] = {}
        self._absences: dict[Absence, bool] = {}
        self._next = document.next_number

    # Looking

    def track(self, label: int) -> Track:
        """Give a track.

        Raises
        ------
        EditError
            When there is none.
        """
        found = self.find(label)
        if found is None:
            raise EditError(
                f"Cell {label} does not exist: expected the label of a track. Choose "
                f"a cell that is there."
            )
        return found

    def find(self, label: int) -> Track | None:
        """Give a track, or None when there is none."""
        if label in self._tracks:
            return self._tracks[label]
        return self.document.lineage.tracks.get(label)

    def cell(self, label: int, frame: int) -> Track:
        """Give the track of a cell that has pixels in a frame.

        Raises
        ------
        EditError
            When it has none.
        """
        self.check_frame(frame)
        track = self.track(label)
        if not track.has(frame):
            raise EditError(
                f"Cell {label} has no pixels in frame {frame}: expected one of its "
                f"frames, {_spans(track.intervals)}. Choose one of those."
            )
        return track

    def tracks(self, first: int, last: int) -> Iterator[Track]:
        """Go through all tracks that live in some frames, in no order."""
        known = self.document.lineage.tracks
        labels = self.document.lineage.living(first, last) - self._tracks.keys()
        for track in (*map(known.__getitem__, labels), *self.touched):
            # Written out: of 20,000 tracks each is asked.
            if track.intervals[0][0] <= last and track.intervals[-1][1] >= first:
                yield track

    def is_absent(self, place: Absence) -> bool:
        """Tell whether the user marked a place as empty."""
        return self._absences.get(place, place in self.document.absences)

    def absences(self, frame: int) -> list[Absence]:
        """Places of a frame that the user said have no cell, in no order."""
        marked = (self.document.absences, self._absences)
        places = {place for some in marked for place in some if place[0] == frame}
        return [place for place in places if self.is_absent(place)]

    def daughters(self, label: int) -> list[int]:
        """Labels of the daughters of a track, ascending."""
        known = self._daughters.get(label)
        if known is None:
            return self.document.lineage.daughters_of(label)
        return sorted(known)

    def check_frame(self, frame: int) -> None:
        """Make sure that a frame exists.

        Raises
        ------
        EditError
            When it does not.
        """
        if not 0 <= frame < self.document.shape[0]:
            raise EditError(
                f"Frame {frame} does not exist: expected 0 to "
                f"{self.document.shape[0] - 1}. Choose one of those."
            )

    def labels(self, frame: int, box: Box | None = None) -> Labels:
        """Labels, (Y, X) or those of a box, of a frame; not to be written to."""
        numbers = self._numbers(frame)
        return self._named(frame).show(numbers if box is None else numbers[box.slices])

    def numbers(self, frame: int, box: Box) -> Numbers:
        """Give stored numbers of a box, (height, width), of a frame."""
        return self._numbers(frame)[box.slices]

    def hidden(self, frame: int) -> NDArray[np.bool_]:
        """Where cells of a frame lie that the user took away, (Y, X)."""
        numbers = self._numbers(frame)
        return np.isin(numbers, self._named(frame).hidden())

    def region(self, label: int, frame: int) -> Region:
        """Give the mask of a cell that has pixels in a frame."""
        self.cell(label, frame)
        return Region.where(self.labels(frame) == label)

    # Changing

    def new_label(self) -> int:
        """Take a label that no cell has ever had.

        Raises
        ------
        EditError
            When the last one is in use.
        """
        if self._next > LARGEST_LABEL:
            raise EditError(
                f"No label is left for a new cell: expected one up to {LARGEST_LABEL}, "
                f"found that in use. Undo the edit that gave it to a cell."
            )
        self._next += 1
        return self._next - 1

    def reserve(self, label: int) -> None:
        """Note that a label is in use, so that no new cell gets it."""
        self._next = max(self._next, label + 1)

    def paint(self, frame: int, box: Box, after: Labels) -> None:
        """Give the pixels of a box other labels; tracks follow.

        Parameters
        ----------
        frame
            Index of the frame.
        box
            Where.
        after
            Labels, (height, width), 0 is background.
        """
        before = self.labels(frame, box)
        changed = before != after
        if not changed.any():
            return
        # Labels that are shown may be the very pixels that are written below.
        gone, painted = labels_in(before[changed]), after[changed]
        labels = labels_in(painted)
        numbers = [self._number_for(frame, label) for label in labels]
        drawn = np.zeros(len(painted), np.int32)
        if labels:
            places = np.searchsorted(labels, painted)
            drawn = np.where(painted > 0, np.array(numbers, np.int32)[places], 0)
        self._writable(frame, box)[box.slices][changed] = drawn
        for label in labels:
            self._appear(label, frame)
        self._leave(gone, frame)

    def set_numbers(self, frame: int, box: Box, numbers: Numbers) -> None:
        """Replace stored numbers of a box; tracks are left to the caller."""
        self._writable(frame, box)[box.slices] = numbers

    def rename_number(self, frame: int, number: int, before: int, after: int) -> None:
        """Let a number that shows one label show another; tracks stay as they are."""
        named = self._names_of(frame)
        if named.label(number) == before:
            named.name(number, after)

    def rename(self, frames: Iterable[int], labels: Mapping[int, int]) -> None:
        """Let cells show other labels, all at once; the tracks are left to the caller.

        Parameters
        ----------
        frames
            In which frames.
        labels
            New label of each old one, all different.
        """
        for frame in frames:
            named = self._names_of(frame)
            numbers = {old: named.number(old) for old in labels}
            for number in numbers.values():
                if number is not None:
                    named.name(number, number)
            for old, number in numbers.items():
                if number is not None:
                    named.name(number, labels[old])

    def hide(self, label: int, intervals: Intervals) -> None:
        """Take away the pixels of a cell in some frames, so that they can come back."""
        self.rename(frames_in(intervals), {label: -self.new_label()})
        self.reshape(label, difference(self.track(label).intervals, intervals))

    def mark(self, place: Absence, *, absent: bool) -> None:
        """Note that there is no cell at a place, or take that back."""
        self._absences[place] = absent

    def put(self, track: Track) -> None:
        """Add a track or replace the one of its label."""
        self._replace(track.label, track)

    def drop(self, label: int) -> None:
        """Take a track away; its daughters have no parent then."""
        for daughter in self.daughters(label):
            self.set_parent(daughter, 0)
        self._replace(label, None)

    def reshape(self, label: int, intervals: Intervals) -> None:
        """Give a track other frames; without any it is dropped."""
        left = self.track(label).reshaped(intervals)
        if left is None:
            self.drop(label)
        else:
            self.put(left)

    def set_parent(self, label: int, parent: int, *, confirmed: bool = False) -> None:
        """Give a track a parent, or none with 0."""
        track = self.track(label)
        self.put(replace(track, parent=parent, parent_confirmed=confirmed))

    def confirm(self, label: int, intervals: Intervals) -> None:
        """Confirm a cell in some of its frames."""
        track = self.find(label)
        if track is not None:
            self.put(replace(track, confirmed=union(track.confirmed, intervals)))

    def change(self) -> Change:
        """Give all that differs from the document."""
        document = self.document
        marked = {place for place, absent in self._absences.items() if absent}
        added = frozenset(marked - document.absences)
        removed = frozenset((self._absences.keys() - marked) & document.absences)
        numbers = document.next_number, self._next
        return Change(
            self._patches(), self._renamed(), self._pairs(), added, removed, numbers
        )

    @property
    def touched(self) -> list[Track]:
        """Tracks that were changed and are still there."""
        return [track for track in self._tracks.values() if track is not None]

    # How

    def _numbers(self, frame: int) -> Numbers:
        found = self._pixels.get(frame)
        return self.document.masks.read(frame) if found is None else found

    def _named(self, frame: int) -> FrameNames:
        draft = self._names.get(frame)
        return self.document.names(frame) if draft is None else draft.merged()

    def _writable(self, frame: int, box: Box) -> Numbers:
        if frame not in self._pixels:
            self._pixels[frame] = self.document.masks.read(frame).copy()
            self._boxes[frame] = box
        self._boxes[frame] = self._boxes[frame].around(box)
        return self._pixels[frame]

    def _names_of(self, frame: int) -> DraftNames:
        found = self._names.get(frame)
        if found is None:
            found = self._names[frame] = DraftNames(self.document.names(frame))
        return found

    def _number_for(self, frame: int, label: int) -> int:
        number = self._names_of(frame).number(label)
        if number is None:
            number = self.new_label()
            self._names_of(frame).name(number, label)
        return number

    def _appear(self, label: int, frame: int) -> None:
        track = self.find(label)
        here = ((frame, frame),)
        if track is None:
            self.reserve(label)
            self.put(Track(label, here))
        else:
            grown = track.reshaped(union(track.intervals, here))
            assert grown is not None
            self.put(grown.unscored(frame))

    def _leave(self, labels: list[int], frame: int) -> None:
        """Note that cells lost pixels, or all of them."""
        named = self._names_of(frame)
        numbers = {label: named.number(label) for label in labels}
        there = _present(self._numbers(frame), numbers.values())
        for label, number in numbers.items():
            if number in there:
                self.put(self.track(label).unscored(frame))
                continue
            if number is not None and number != label:
                named.name(number, number)
            self.reshape(
                label, difference(self.track(label).intervals, ((frame, frame),))
            )

    def _replace(self, label: int, track: Track | None) -> None:
        before = self.find(label)
        self._tracks[label] = track
        old, new = (t.parent if t is not None else 0 for t in (before, track))
        if old == new:
            return
        if old:
            self._family(old).discard(label)
        if new:
            self._family(new).add(label)

    def _family(self, parent: int) -> set[int]:
        """Daughters of a track, to be changed."""
        return self._daughters.setdefault(parent, set(self.daughters(parent)))

    def _patches(self) -> tuple[Patch, ...]:
        found = []
        for frame, pixels in sorted(self._pixels.items()):
            box = self._boxes[frame]
            before = self.document.masks.read(frame)[box.slices]
            after = pixels[box.slices]
            tight = Region.where(before != after)
            if tight.mask.size:
                inner = tight.box.slices
                found.append(
                    Patch(
                        frame,
                        box.y + tight.y,
                        box.x + tight.x,
                        before[inner].copy(),
                        after[inner].copy(),
                    )
                )
        return tuple(found)

    def _renamed(self) -> NDArray[np.int64]:
        rows = [
            (frame, *change)
            for frame, names in sorted(self._names.items())
            for change in names.changes()
        ]
        return np.array(rows, np.int64).reshape(-1, 4)

    def _pairs(self) -> tuple[TrackPair, ...]:
        tracks = self.document.lineage.tracks
        pairs = ((tracks.get(n), after) for n, after in sorted(self._tracks.items()))
        return tuple(pair for pair in pairs if pair[0] != pair[1])


def _present(pixels: Numbers, numbers: Collection[int | None]) -> set[int]:
    """Those of some numbers that have pixels."""
    if len(numbers) > _MANY:
        return set(labels_in(pixels))
    return {n for n in numbers if n is not None and (pixels == n).any()}


def _spans(intervals: Intervals) -> str:
    shown = [f"{a} to {b}" if a < b else f"{a}" for a, b in intervals[:4]]
    return ", ".join(shown) + (" ..." if len(intervals) > 4 else "")
