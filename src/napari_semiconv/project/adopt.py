"""Adopt the frames of a run of the network, one after the other."""

from collections.abc import Mapping

import numpy as np

from ..edits.change import Change, Labels
from ..edits.results import AdoptFrame, AdoptTracks, same_cells
from ..errors import EditError
from .project import Project


class Adopter:
    """Adopts the frames of a run as one group of edits.

    A track of the run goes by the label that its first cell had in the project, if
    there was one, so that a part computed again fits what is before and after it. Where
    the user confirmed one of its cells, the rest follows that one.

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
        self._known: Mapping[int, int] = {}
        self._frame = -1
        # Nothing was ever numbered: the run may have all its labels, but for those that
        # the user's new cells get meanwhile, first and last with the next one.
        self._next = project.document.next_number
        self._blank = self._next == 1
        self._taken: list[range] = []

    def recall(self, frame: int, labels: Labels) -> None:
        """Learn from a frame that was adopted before which label is which.

        Parameters
        ----------
        frame
            Index of the frame.
        labels
            What the run found in it, (Y, X).
        """
        self._names |= _one_to_one(labels, self._project.document.labels(frame))

    def adopt(self, frame: int, labels: Labels, parents: Mapping[int, int]) -> Change:
        """Adopt a frame.

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
        # Nobody edits between what is looked at and what is written.
        with self._project.editing():
            return self._adopt(frame, labels, parents)

    def _adopt(self, frame: int, labels: Labels, parents: Mapping[int, int]) -> Change:
        self._taken.append(range(self._next, self._project.document.next_number))
        divided = self._divided(frame)
        self._names = {
            n: name for n, name in self._names.items() if name not in divided
        }
        known = _one_to_one(labels, self._project.document.labels(frame))
        new = {label: name for label, name in known.items() if name not in divided}
        names = self._names | self._new_names(labels, new, divided)
        born = {
            names[child]: names[parent]
            for child, parent in parents.items()
            if child in names and parent in names
        }
        edit = AdoptFrame(frame, labels, names, born, self._run)
        change = self._project.do(edit, self._group)
        self._names = names
        self._known, self._frame = known, frame
        shown = self._project.document.labels(frame)
        now = _one_to_one(labels, shown)
        for label, name in now.items():
            if names[label] != name:
                self._join(names[label], name, frame)
                self._names[label] = name
        # Of several cells found in a confirmed one, one goes on under its label.
        used = {*now.values()}
        for label in same_cells(labels, shown).keys() - now.keys():
            if self._names[label] in used:
                del self._names[label]
        self._next = self._project.document.next_number
        return change

    def close(self) -> None:
        """Join the tracks with those of the frames after the last that was adopted."""
        with self._project.editing():
            self._close()

    def _close(self) -> None:
        frame = self._frame
        tracks = self._project.lineage.tracks
        known = self._known.items()
        pairs = {
            old: self._names[label] for label, old in known if label in self._names
        }
        later = {
            old: part
            for old, new in pairs.items()
            if old != new and old in tracks and (part := tracks[old].onward(frame + 1))
        }
        moved = {old: pairs[old] for old, part in later.items() if not part.confirmed}
        # Two tracks may have to be exchanged, but none may meet one that stays.
        while stuck := [old for old, new in moved.items() if self._meets(new, moved)]:
            for old in stuck:
                del moved[old]
        changes: dict[int, dict[int, int]] = {}
        for old, new in moved.items():
            for t in later[old].frames:
                changes.setdefault(t, {})[old] = new
        self._relabel(changes)

    def _meets(self, name: int, moved: Mapping[int, int]) -> bool:
        track = self._project.lineage.tracks.get(name)
        return track is None or (track.end > self._frame and name not in moved)

    def _is_taken(self, label: int) -> bool:
        """Whether a cell of the user got a label since the run began."""
        return any(label in numbers for numbers in self._taken)

    def _divided(self, frame: int) -> set[int]:
        """Tracks that divided up to a frame, as the user confirmed."""
        tracks = self._project.lineage.tracks.values()
        return {
            track.parent
            for track in tracks
            if track.parent and track.parent_confirmed and track.begin <= frame
        }

    def _new_names(
        self, labels: Labels, known: Mapping[int, int], divided: set[int]
    ) -> dict[int, int]:
        """Give new labels of the run the label that was there, or an unused number."""
        names: dict[int, int] = {}
        used = set(self._names.values())
        out = used | divided
        following = self._project.document.next_number
        for label in np.unique(labels[labels > 0]).tolist():
            if label in self._names:
                continue
            before = known.get(label, 0)
            if before and before not in used:
                names[label] = before
                used.add(before)
            elif self._blank and label not in out and not self._is_taken(label):
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
        self._relabel({t: {before: now} for t in old.frames})

    def _relabel(self, names: Mapping[int, Mapping[int, int]]) -> None:
        try:
            self._project.do(AdoptTracks(names), self._group)
        except EditError:
            # A division on the way forbids it; they stay two tracks.
            return


def _one_to_one(found: Labels, known: Labels) -> dict[int, int]:
    """Give known labels of found cells; of several in one the largest part has it."""
    rivals: dict[int, list[int]] = {}
    for label, name in same_cells(found, known).items():
        rivals.setdefault(name, []).append(label)
    pairs = {}
    for name, labels in rivals.items():
        inside = found[known == name] if len(labels) > 1 else None
        best = labels[0]
        if inside is not None:
            best = max(labels, key=lambda n: int((inside == n).sum()))
        pairs[best] = name
    return pairs
