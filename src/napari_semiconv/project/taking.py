"""Take over the frames of a run of the network, one after the other."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..edits.change import Change, Labels
from ..edits.results import TakeFrame, TakeTracks, same_cells
from ..errors import EditError
from .project import Project


class Taker:
    """Takes over the frames of a run as one group of edits.

    A track of the run goes on under the label that its cells have in the project: where
    the user confirmed or relabelled one of them, the rest follows.

    Parameters
    ----------
    project
        The project.
    run
        Number of the run.
    group
        Number that its edits share, so that they are undone together.
    """

    def __init__(self, project: Project, run: int, group: int) -> None:
        self._project = project
        self._run = run
        self._group = group
        self._names: dict[int, int] = {}
        # Nothing was ever numbered: the run may have all its labels.
        self._blank = project.document.next_number == 1

    def recall(self, frame: int, labels: Labels) -> None:
        """Learn from a frame that was taken over before which label is which.

        Parameters
        ----------
        frame
            Index of the frame.
        labels
            What the run found in it, (Y, X).
        """
        self._names |= same_cells(labels, self._project.document.labels(frame))

    def take(self, frame: int, labels: Labels, parents: Mapping[int, int]) -> Change:
        """Take a frame over.

        Parameters
        ----------
        frame
            Index of the frame; larger than those before.
        labels
            What the run found in it, (Y, X).
        parents
            Parent of each cell that begins in this frame and has one, by the labels of
            the run.

        Returns
        -------
        Change
            What became different.

        Raises
        ------
        EditError
            When the frame does not fit the movie.
        SaveError
            When it could not be written; nothing was changed.
        """
        names = self._names | self._new_names(labels)
        born = {
            names[child]: names[parent]
            for child, parent in parents.items()
            if child in names and parent in names
        }
        edit = TakeFrame(frame, labels, names, born, self._run)
        change = self._project.do(edit, self._group)
        self._names = names
        shown = self._project.document.labels(frame)
        for label, now in same_cells(labels, shown).items():
            if names[label] != now:
                self._join(names[label], now, frame)
                self._names[label] = now
        return change

    def _new_names(self, labels: NDArray[np.int32]) -> dict[int, int]:
        """Give new labels of the run a number that was never used."""
        names: dict[int, int] = {}
        following = self._project.document.next_number
        for label in np.unique(labels[labels > 0]).tolist():
            if label in self._names:
                continue
            if self._blank:
                names[label] = label
            else:
                names[label] = following = max(following, label)
                following += 1
        return names

    def _join(self, before: int, now: int, frame: int) -> None:
        """Let the earlier cells of a track have the label of the confirmed one."""
        tracks = self._project.lineage.tracks
        old, new = tracks.get(before), tracks[now]
        # Both were there at once: the user confirmed that they are two.
        if old is None or old.end >= new.begin or old.confirmed or new.begin < frame:
            return
        moved = {t: {before: now} for t in old.frames}
        try:
            self._project.do(TakeTracks(moved), self._group)
        except EditError:
            # A division on the way forbids it; they stay two tracks.
            return
