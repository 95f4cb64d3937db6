"""Which runs of the network a project has, and which of their frames it adopted."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...edits.base import current_kind
from ...edits.results import AdoptFrame
from ...errors import BadInputError
from ...settings import SegmentSettings
from ..adopt import Adopter
from ..constraints import write_constraints_of
from ..facts import RunFacts
from ..mask_array import LABELS, chunk_of
from ..project import Project
from .masks import UNREADABLE, Labels, frames_done, stored_labels
from .states import RunStates
from .store import RunStore

RUNS = "runs"
MODELS = "models"  # those that were taught in the project
# Frames before the first new one that tell which label is which.
RECALLED = 10
# Frames before those computed again that the network sees first: what it remembers of
# them, and where their cells went, joins the new frames to the old ones.
CONTEXT = 3
# Frames that are computed again, only to come from a saved state to the first new one.
NEAR = 30


class ProjectRun:
    """A run whose frames a project adopts.

    Parameters
    ----------
    project
        The project.
    number
        Number of the run, from 1.
    """

    def __init__(self, project: Project, number: int) -> None:
        self._project = project
        self.number = number
        self.facts = project.info.runs[number - 1]
        self._adopted = adopted_frames(project, number)
        self._adopter = Adopter(project, number, self.facts.group)
        self._labels: Labels | None = None
        self._recalled = self.facts.after is None
        # The last entry of the journal of which whoever computes was told.
        self._seen = 0

    @property
    def folder(self) -> Path:
        """Folder that the run is written to."""
        return self._project.folder / self.facts.folder

    @property
    def frames(self) -> range:
        """Frames of the run."""
        first, last = self.facts.frames
        return range(first, last + 1)

    @property
    def whole(self) -> bool:
        """Whether the run is finished."""
        try:
            state = RunStore.open(self.folder).info.state
        except BadInputError:
            # It stopped before its folder was there.
            return False
        return state == "finished"

    @property
    def model(self) -> dict[str, Any]:
        """Name and hash of its model; empty before it began."""
        try:
            return RunStore.open(self.folder).info.model
        except BadInputError:
            return {}

    @property
    def settings(self) -> SegmentSettings:
        """How it segments, with the cell size once that was estimated."""
        try:
            values = RunStore.open(self.folder).info.settings
        except BadInputError:
            values = None
        settings = self.facts.chosen(values)
        model = Path(settings.model)
        here = self._project.folder / MODELS / model.name
        # A project that was moved takes the models taught in it along.
        if model.is_absolute() and not model.exists() and here.is_dir():
            return settings.model_copy(update={"model": str(here.absolute())})
        return settings

    def decided(self) -> None:
        """Note that the tracks of its frames were decided together."""
        self.facts = self.facts.model_copy(update={"undecided": False})
        runs = [*self._project.info.runs]
        runs[self.number - 1] = self.facts
        info = self._project.info.model_copy(update={"runs": tuple(runs)})
        self._project.note_runs(info)

    @property
    def before(self) -> Path | None:
        """File of the state of another run that it begins with, if that is there."""
        if self.facts.after is None:
            return None
        number, frame = self.facts.after
        return RunStates(ProjectRun(self._project, number).folder).all().get(frame)

    def write_constraints(self, begin: int = 0) -> Path:
        """Write the constraints on the run's frames beside its folder.

        They may be written anew while it computes.

        Parameters
        ----------
        begin
            The first frame that is still to be computed.

        Returns
        -------
        Path
            The file; it is not there when there are none.

        Raises
        ------
        SaveError
            When it could not be written.
        """
        path = self.folder.with_suffix(".constraints.npz")
        frames = range(max(begin, self.frames.start), self.frames.stop)
        # Nobody edits what is being read.
        with self._project.editing():
            found = write_constraints_of(path, self._project.document, frames)
            self._seen = self._project.history.journal.last
        if not found:
            path.unlink(missing_ok=True)
        return path

    def refresh_constraints(self, begin: int) -> None:
        """Write the constraints anew, if others edited since it was last done.

        Parameters
        ----------
        begin
            The first frame that is still to be computed.

        Raises
        ------
        SaveError
            When it could not be written.
        """
        entries = self._project.history.journal.entries[self._seen :]
        if any(entry.head.get("group") != self.facts.group for entry in entries):
            self.write_constraints(begin)
        self._seen = self._project.history.journal.last

    def adopt_ready(self, count: int) -> list[int]:
        """Adopt what lies in the folder already; return the frames.

        Parameters
        ----------
        count
            Frames from the first on that are not computed again.
        """
        result = RunStore.open(self.folder)
        tracks = result.lineage.tracks
        ready = self.frames[:count]
        missing = [t for t in ready if t not in self._adopted]
        begin = missing[0] if missing else ready.stop
        for frame in range(max(ready.start, begin - RECALLED), begin):
            self._adopter.recall(frame, np.asarray(result.labels[frame]))
        births: dict[int, dict[int, int]] = {}
        for track in tracks.values():
            if track.parent:
                births.setdefault(track.begin, {})[track.label] = track.parent
        for frame in missing:
            self._adopt(frame, result.labels, births.get(frame, {}))
        return missing

    def adopt(self, frame: int, born: Iterable[tuple[int, int]]) -> None:
        """Adopt a frame just written, with label and parent of its newborns."""
        if self._labels is None:
            self._labels = stored_labels(self.folder / LABELS)
        self._adopt(frame, self._labels, dict(born))

    def _recall_before(self) -> None:
        """Learn which track of the run that it goes on after has which label."""
        self._recalled = True
        assert self.facts.after is not None
        number, frame = self.facts.after
        try:
            found = stored_labels(ProjectRun(self._project, number).folder / LABELS)
            self._adopter.recall(frame, np.asarray(found[frame], np.int32))
        except UNREADABLE:
            # Its tracks are joined to those before by where their cells lie.
            return

    def _adopt(self, frame: int, masks: Labels, parents: dict[int, int]) -> None:
        if not self._recalled:
            self._recall_before()
        labels = np.asarray(masks[frame], np.int32)
        if frame < self.facts.first:
            self._adopter.recall(frame, labels)
            return
        self._adopter.adopt(frame, labels, parents)
        chunk = chunk_of(self.folder / LABELS, frame)
        self._project.offer(frame, chunk, labels)
        self._adopted.add(frame)
        if frame == self.frames[-1]:
            self._adopter.close()


def begin_run(
    project: Project,
    frames: range,
    settings: SegmentSettings,
    after: tuple[int, int] | None = None,
) -> ProjectRun:
    """Enter a new run into a project.

    Parameters
    ----------
    project
        The project.
    frames
        Frames that are to be computed.
    settings
        How to segment and track.
    after
        Number of a run, and the frame of its state that is to be gone on from; see
        `state_near`.

    Raises
    ------
    SaveError
        When it cannot be written to the project.
    """
    begin = _begin(project, frames[0]) if after is None else after[1] + 1
    number = len(project.info.runs) + 1
    facts = RunFacts(
        folder=f"{RUNS}/{number:04d}",
        frames=(begin, frames[-1]),
        first=frames[0],
        group=project.history.new_group(),
        settings=settings.model_dump(mode="json"),
        undecided=settings.link.solver == "global" and not settings.engine_info.links,
        after=after,
    )
    # The number of its group is in the journal, so that no edit gets it meanwhile.
    project.history.note("begin run", {"run": number, "group": facts.group})
    runs = (*project.info.runs, facts)
    project.note_runs(project.info.model_copy(update={"runs": runs}))
    return ProjectRun(project, number)


def _begin(project: Project, first: int) -> int:
    """First frame that the network sees: earlier ones count where cells are known."""
    known = range(max(0, first - CONTEXT), first)
    return next((t for t in known if project.lineage.cells(t)), first)


def state_near(project: Project, number: int, frame: int) -> tuple[int, int] | None:
    """Find the saved state of a run that is near before a frame.

    Parameters
    ----------
    project
        The project.
    number
        Number of the run.
    frame
        Index of the frame that is to be computed next.

    Returns
    -------
    tuple
        Number of the run and frame of the state; None when there is none so near that
        the frames in between are worth computing.
    """
    run = ProjectRun(project, number)
    near = range(max(run.frames.start, frame - 1 - NEAR), frame)
    states = RunStates(run.folder).all()
    found = next((saved for saved in states if saved in near), None)
    return None if found is None else (number, found)


def unfinished_run(project: Project) -> ProjectRun | None:
    """Give the last run, if it stopped before its end."""
    if not project.info.runs:
        return None
    run = ProjectRun(project, len(project.info.runs))
    return None if run.whole and not run.facts.undecided else run


def is_worthless(project: Project) -> bool:
    """Whether a project has neither edits nor frames that a run found."""
    frames = project.document.shape[0]
    return not project.history.edited and not any(
        frames_done(project.folder / run.folder / LABELS, frames)
        for run in project.info.runs
    )


def last_settings(project: Project) -> SegmentSettings:
    """Give the settings of the last run; the usual ones when there was none."""
    if not project.info.runs:
        return SegmentSettings()
    return ProjectRun(project, len(project.info.runs)).settings


def adopted_frames(project: Project, number: int) -> set[int]:
    """Frames of a run that were adopted and not undone."""
    return {frame for frame, run in _adopted(project) if run == number}


def runs_by_frame(project: Project) -> dict[int, int]:
    """Tell the number of the last run that each frame was computed by, from 1."""
    found: dict[int, int] = {}
    for frame, run in _adopted(project):
        found[frame] = max(run, found.get(frame, 0))
    return found


def _adopted(project: Project) -> Iterator[tuple[int, int]]:
    """Frame and run of what was adopted and not undone."""
    done, _ = project.history.standing
    for entry in project.history.journal.entries:
        if entry.number in done and current_kind(entry.head["kind"]) == AdoptFrame.kind:
            what = entry.head["what"]
            yield int(what["frame"]), int(what["run"])
