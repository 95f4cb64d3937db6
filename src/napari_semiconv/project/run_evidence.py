"""What the network predicts for the cells of a project as they are now."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..edits.change import Labels
from ..edits.results import same_cells
from ..tracking.evidence import Evidence
from .mask_array import LABELS
from .project import Project
from .runs.evidence import read_evidence
from .runs.masks import UNREADABLE, stored_labels
from .runs.masks import Labels as RunMasks
from .runs.run import adopted_frames

# Masks are compared with those of a run on every so many-th row and column.
COARSE = 2


class RunEvidence:
    """What the network predicts for the cells of a project, by their labels now.

    Parameters
    ----------
    project
        The project; frames are to be asked for in order.
    """

    def __init__(self, project: Project) -> None:
        self._folders = [project.folder / run.folder for run in project.info.runs]
        self._run_of: dict[int, int] = {}
        self._before: tuple[int, dict[int, int]] = (-1, {})
        self._masks: dict[int, RunMasks] = {}
        self.unread: list[int] = []
        for number in range(1, len(self._folders) + 1):
            for frame in adopted_frames(project, number):
                self._run_of[frame] = number - 1

    def channels(self, frames: list[int]) -> int:
        """Channels of the embeddings; 0 where there is no evidence."""
        found = (self._read(frame) for frame in frames)
        first = next((one for one in found if one is not None), None)
        return 0 if first is None else first.embeddings.shape[1]

    def of(self, frame: int, labels: Labels) -> Evidence | None:
        """Find the evidence on the cells of a frame that are as they were found."""
        evidence, found = self._read(frame), self._found(frame)
        if evidence is None or found is None:
            if frame in self._run_of:
                self.unread.append(frame)
            return None
        now = same_cells(found, labels[::COARSE, ::COARSE])
        names = _named(evidence.labels, now)
        _, first = np.unique(names, return_index=True)
        rows = first[names[first] > 0]
        # Frames are asked for in order: the last one has the names of joint matches.
        last, before = self._before
        if self._run_of.get(last) != self._run_of[frame]:
            last = -1  # another run has labels of its own
        joint = _named(evidence.joint_match, before if last == frame - 1 else {})
        self._before = frame, now
        evidence = replace(evidence, joint_match=joint)
        return evidence.take(rows).named(names[rows])

    def _found(self, frame: int) -> Labels | None:
        """Read what a run found in a frame, on some rows and columns."""
        run = self._run_of.get(frame)
        if run is None:
            return None
        try:
            if run not in self._masks:
                self._masks[run] = stored_labels(self._folders[run] / LABELS)
            return np.asarray(self._masks[run][frame, ::COARSE, ::COARSE], np.int32)
        except UNREADABLE:
            return None

    def _read(self, frame: int) -> Evidence | None:
        run = self._run_of.get(frame)
        return None if run is None else read_evidence(self._folders[run], frame)


def _named(labels: NDArray[np.int64], names: dict[int, int]) -> NDArray[np.int64]:
    """Translate labels of a run; 0 for those without a name."""
    return np.array([names.get(label, 0) for label in labels.tolist()], np.int64)
