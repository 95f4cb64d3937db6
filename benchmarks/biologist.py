"""A biologist who sees the truth, and brings a movie to it with mouse and keys alone.

Cells count as in the Cell Tracking Challenge: a cell is found where one found cell,
which stands for no other, covers more than half of it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from skimage.measure import approximate_polygon, find_contours

from napari_semiconv.project.project import Project
from napari_semiconv.synthetic import SyntheticMovie
from napari_semiconv.tracking.lineage import Lineage
from napari_semiconv.tracking.measures.matching import (
    FrameMatch,
    match_frame,
    measure_overlaps,
)

from .hands import Spot
from .person import Person
from .true_errors import TrueError, true_errors

Mask = NDArray[np.bool_]
# Acts without an effect, and acts in one frame, after which it is given up.
STUBBORN, MANY = 3, 60
# Spots by which a drawn outline may leave the true one.
SLACK = 0.4
# Spots around a suspect cell that the biologist sees with it.
AROUND = 3
# Suspects without a fault after which the rest of the queue is left alone.
ENOUGH = 15
# Half the length of the stroke that begins a new cell, px.
DAB = 2.0


class Biologist:
    """Corrects the open project of a window until it is as the truth says.

    Parameters
    ----------
    person
        Uses the window.
    truth
        What is true of its movie.
    """

    def __init__(self, person: Person, truth: SyntheticMovie) -> None:
        self.person, self._truth = person, truth
        # What no tool could bring to the truth: frame and what was tried.
        self.given_up: list[str] = []
        self._parents = {row[0]: row[3] for row in truth.table.tolist()}
        self._begins = {row[0]: row[1] for row in truth.table.tolist()}

    @property
    def project(self) -> Project:
        """The project that is open."""
        project = self.person.bench.session.project
        assert project is not None, "there is something to correct"
        return project

    @property
    def lineage(self) -> Lineage:
        """Its tracks."""
        return self.project.lineage

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self._truth.labels)

    def errors(self) -> list[TrueError]:
        """List what is wrong now."""
        return errors_of(self.project, self._truth)

    # The two orders

    def follow_queue(self) -> int:
        """Go down the review queue while it shows faults; give how many it showed."""
        review, person = self.person.bench.corrector.review, self.person
        right = looked = 0
        person.wait(lambda: review.queue is not None)
        while right < ENOUGH and review.queue is not None:
            if review.queue.looked.all():
                break
            person.key("N")
            suspect = review.current
            if suspect is None:
                break
            looked += 1
            faults = self._mend_around(suspect.frame, suspect.labels)
            right = 0 if faults else right + 1
        return looked

    def look_at_all(self) -> None:
        """Look at every frame, cell by cell, and mend what is wrong."""
        for frame in range(self.frames):
            self.person.go_to(frame)
            self.mend_masks(frame)
            if frame:
                self.mend_links(frame)

    def _mend_around(self, frame: int, labels: Iterable[int]) -> int:
        """Mend the cells at a suspect, in its frame and beside it; count the faults."""
        seen = self._labels(frame)
        here: Mask = np.isin(seen, list(labels))
        if not here.any():
            return 0
        near = distance_transform_edt(~here) <= AROUND
        some = set(np.unique(self._truth.labels[frame][near]).tolist()) - {0}
        faults = 0
        for t in (frame - 1, frame, frame + 1):
            if 0 <= t < self.frames:
                faults += self.mend_masks(t, some)
        for t in (frame, frame + 1):
            if 0 < t < self.frames:
                born = {n for n in some if self._begins[n] == t}
                kin = {n for n, p in self._parents.items() if p in some}
                faults += self.mend_links(t, some | born | kin)
        return faults

    # Masks

    def mend_masks(self, frame: int, only: set[int] | None = None) -> int:
        """Bring the masks of a frame to the truth; give how many faults were mended.

        Parameters
        ----------
        frame
            Index of the frame.
        only
            True cells to look at; all, and what is no cell, when None.
        """
        stuck = mended = 0
        while stuck < STUBBORN:
            before = self._labels(frame).copy()
            if not self._mend_mask(frame, only, hard=stuck > 0):
                return mended
            mended += 1
            same = np.array_equal(before, self._labels(frame))
            stuck = stuck + 1 if same or mended > MANY else 0
        self.given_up.append(f"masks of frame {frame}: {self.person.said}")
        return mended

    def _mend_mask(self, frame: int, only: set[int] | None, *, hard: bool) -> bool:
        """Mend one fault; tell whether there was one."""
        match, seen = self._match(frame), self._labels(frame)
        true = self._truth.labels[frame]
        mine = [n for n in match.truth if only is None or n in only]
        for one in mine:
            found = match.partner.get(one)
            if found is None:
                self._find(frame, one, match, hard=hard)
                return True
            others = [n for n, f in match.partner.items() if f == found and n != one]
            if others and hard:
                self._redraw(frame, found, true == one)
                return True
            if others:
                self.split(frame, *((true == n) & (seen == found)
                                    for n in (one, others[0])))  # fmt: skip
                return True
        for found in sorted(set(match.result) - set(match.partner.values())):
            inside = np.bincount(true[seen == found])
            home = int(inside.argmax())
            if only is not None and home not in only:
                continue
            if home and not hard:
                self.merge(frame, match.partner[home], found)
            else:
                self.delete(frame, found)
            return True
        return False

    def _find(self, frame: int, one: int, match: FrameMatch, *, hard: bool) -> None:
        """Bring in a true cell that is not found."""
        seen, true = self._labels(frame), self._truth.labels[frame] == one
        taken = set(match.partner.values())
        pieces = [n for n in np.unique(seen[true]).tolist() if n and n not in taken]
        if len(pieces) > 1 and not hard:
            self.merge(frame, pieces[0], pieces[1])
        elif pieces:
            self._redraw(frame, pieces[0], true)
        elif not hard and (true & (seen == 0)).any():
            self.person.go_to(frame)
            self.person.key("G")
            self.person.click(middle(true & (seen == 0)))
            self.person.key("G")
            if not self._match(frame).partner.get(one):
                self._paint(frame, true)
        else:
            self._paint(frame, true)

    def split(self, frame: int, one: Mask, other: Mask) -> None:
        """Split a cell by a click in each half."""
        self.person.go_to(frame)
        self.person.key("S")
        self.person.click(middle(one))
        self.person.click(middle(other))

    def merge(self, frame: int, one: int, other: int) -> None:
        """Merge two cells."""
        self.select(frame, one, other)
        self.person.key("J")

    def delete(self, frame: int, found: int) -> None:
        """Delete a cell in a frame."""
        self.select(frame, found)
        self.person.key("Delete")

    def _redraw(self, frame: int, found: int, true: Mask) -> None:
        """Draw the outline of a cell anew."""
        self.select(frame, found)
        self.person.key("R")
        self.person.draw(outline(true))

    def _paint(self, frame: int, true: Mask) -> None:
        """Begin a new cell with a stroke of the brush, and draw its outline."""
        self.person.go_to(frame)
        y, x = middle(true)
        self.person.key("M")
        self.person.draw([(y, x - DAB), (y, x), (y, x + DAB)])
        self.person.key("R")
        self.person.draw(outline(true))

    # Tracks

    def mend_links(self, frame: int, only: set[int] | None = None) -> int:
        """Bring the links of a frame with the one before to the truth; count faults.

        Parameters
        ----------
        frame
            Index of the later frame.
        only
            True cells to look at, by their label in the later frame; all when None.
        """
        for mended in range(MANY):
            if not self._mend_link(frame, only):
                return mended
        self.given_up.append(f"links of frame {frame}: {self.person.said}")
        return MANY

    def _mend_link(self, frame: int, only: set[int] | None) -> bool:
        before, now = self._match(frame - 1).sole, self._match(frame).sole
        return any(
            self._relink(frame, one, before, now)
            for one in sorted(now)
            if only is None or one in only
        )

    def _relink(
        self, frame: int, one: int, before: dict[int, int], now: dict[int, int]
    ) -> bool:
        """Mend where a true cell comes from; tell whether that was wrong."""
        found, parent = now[one], self._parents[one]
        if self._begins[one] < frame:
            was = before.get(one)
            if was is None or was == found:
                return False
            rival = next((n for n, label in now.items() if label == was), None)
            self._join(frame, before, now, one, rival)
            return True
        if not parent:
            return self._orphan(frame, found)
        twins = [n for n, p in self._parents.items() if p == parent]
        mother, born = before.get(parent), [now[n] for n in twins if n in now]
        if mother is None or len(born) < 2:
            return False
        ended = self.lineage.tracks[mother].end == frame - 1
        if ended and set(self.lineage.daughters_of(mother)) == set(born):
            return False
        self.divide(frame, mother, *born)
        return True

    def _join(
        self,
        frame: int,
        before: dict[int, int],
        now: dict[int, int],
        one: int,
        rival: int | None,
    ) -> None:
        """Let a cell go on as what it is; swap where another has its track."""
        was, found = before[one], now[one]
        if rival is not None and before.get(rival) == found:
            self.swap(frame, was, found)
            return
        self.select(frame - 1, was)
        self.person.key("T")
        self.person.key("D")
        self.person.click(self._middle(frame, found))

    def swap(self, frame: int, one: int, other: int) -> None:
        """Exchange two tracks from a frame on."""
        self.select(frame, one, other)
        self.person.key("W")

    def divide(self, frame: int, mother: int, *daughters: int) -> None:
        """Mark a division before a frame."""
        self.select(frame - 1, mother)
        self.person.key("D")
        self.person.key("K")
        for daughter in daughters:
            self.person.click(self._middle(frame, daughter))

    def _orphan(self, frame: int, found: int) -> bool:
        """Let a cell begin here without a mother; tell whether it did not."""
        track = self.lineage.tracks[found]
        if track.begin == frame and not track.parent:
            return False
        self.select(frame, found)
        self.person.key("U" if track.begin < frame else "Shift+K")
        return True

    # Seeing

    def right_cells(self, *frames: int) -> list[int]:
        """Found cells that are right in all of these frames, the largest first."""
        sole = [set(self._match(frame).sole.values()) for frame in frames]
        seen = self._labels(frames[0])
        some = set.intersection(*sole)
        return sorted(some, key=lambda n: (-int((seen == n).sum()), n))

    def halves(self, frame: int, label: int) -> tuple[Mask, Mask]:
        """Part a cell in the middle of its length in x."""
        mask = self._labels(frame) == label
        columns = np.flatnonzero(mask.any(0))
        left = np.arange(mask.shape[1]) <= (columns[0] + columns[-1]) // 2
        return mask & left, mask & ~left

    def neighbours(self, frame: int, labels: Sequence[int]) -> tuple[int, int]:
        """Find the two of some cells that are nearest to each other."""
        places = np.array([self._middle(frame, label) for label in labels])
        ways = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
        np.fill_diagonal(ways, np.inf)
        one, other = np.unravel_index(int(ways.argmin()), ways.shape)
        return labels[int(one)], labels[int(other)]

    def select(self, frame: int, *labels: int) -> None:
        """Click on a cell, and with Shift on others."""
        self.person.go_to(frame)
        for label in labels:
            place = self._middle(frame, label)
            self.person.click(place, shift=label != labels[0])

    def _labels(self, frame: int) -> NDArray[Any]:
        return self.project.document.labels(frame)

    def _middle(self, frame: int, label: int) -> Spot:
        return middle(self._labels(frame) == label)

    def _match(self, frame: int) -> FrameMatch:
        seen = self._labels(frame)
        return match_frame(measure_overlaps(self._truth.labels[frame], seen))


def errors_of(project: Project, truth: SyntheticMovie) -> list[TrueError]:
    """List what is wrong with a project of a simulated movie."""
    found = [project.document.labels(t) for t in range(len(truth.labels))]
    return true_errors(found, project.lineage, [*truth.labels], truth.table)


def middle(mask: Mask) -> Spot:
    """Spot that lies deepest in a mask."""
    deep = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(deep.argmax()), mask.shape)
    return float(y), float(x)


def outline(mask: Mask) -> Sequence[Spot]:
    """Corners of the outline of a mask, as a hand would draw it."""
    longest = max(find_contours(np.pad(mask, 1).astype(float), 0.5), key=len)
    corners = approximate_polygon(longest, SLACK) - 1
    return [(float(y), float(x)) for y, x in corners]
