"""What a run writes while it computes, private to its project.

::

    NAME.semiconv/runs/0001/
        run.json       movie, settings, model, state
        labels.zarr    (T, Y, X), int32, one chunk per frame
        tracks.json    tracks and parents
        states/        what the run remembered after some frames, to go on from there
        evidence/      what the network predicts for the cells of each frame
        log.txt        what happened when
"""

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError, SaveError
from ...movie import Movie
from ...safe import draft_of, saving, write_checked_json
from ...tracking.evidence import Evidence
from ...tracking.intervals import joined
from ...tracking.lineage import Lineage, Track
from ..mask_array import LABELS, chunk_of
from ..movies import MovieFacts
from ..soundness import check_lineage
from .evidence import forget_evidence, write_evidence
from .info import (
    FORMAT,
    INFO,
    VERSION,
    RunInfo,
    State,
    as_written,
    extended,
    info_of,
    read_info,
    read_json,
)
from .masks import (
    Labels,
    frames_done,
    new_labels,
    remove_after,
    reopened_labels,
    stored_labels,
)
from .states import RunStates, sync

TRACKS = "tracks.json"
# What happened when, a line each; kept here too, but not needed to read a result.
LOG = "log.txt"


class StoredRun(NamedTuple):
    """A run that was opened.

    Parameters
    ----------
    labels
        Track labels, (T, Y, X), a zarr array that reads one frame at a time; frames
        that were not computed are 0.
    lineage
        Tracks and parents.
    info
        What it was made from, and how far it got.
    done
        Frames that were computed, ascending.
    """

    labels: Labels
    lineage: Lineage
    info: RunInfo
    done: tuple[int, ...]


class RunStore:
    """The folder of a run while it is written; made by `create` or `resume`."""

    def __init__(self, folder: Path, labels: Labels, info: RunInfo) -> None:
        self.folder = folder
        self.labels = labels
        self.info = info
        self.states = RunStates(folder)
        self._unsynced: list[Path] = []

    @classmethod
    def create(
        cls,
        folder: str | Path,
        movie: Movie,
        settings: dict[str, Any],
        model: dict[str, Any],
        frames: range | None = None,
    ) -> "RunStore":
        """Make the folder of a new run.

        Parameters
        ----------
        folder
            Where; new or empty.
        movie
            What is segmented.
        settings
            All settings used, as JSON values.
        model
            Name, hash and other facts of the model, as JSON values.
        frames
            Frames that are to be computed; all when None.

        Raises
        ------
        SaveError
            When it exists with something in it, or cannot be written.
        """
        folder = Path(folder)
        frames = range(len(movie)) if frames is None else frames
        info = RunInfo(
            package=version("napari-semiconv"),
            movie=MovieFacts.of(movie, frames[0]),
            frames=(frames[0], frames[-1]),
            settings=settings,
            model=model,
        )
        with saving(folder):
            if folder.exists() and any(folder.iterdir()):
                raise SaveError(
                    f"{folder}: expected a new or empty folder, found files in it. "
                    f"Take these files away, or run the network anew."
                )
            folder.mkdir(parents=True, exist_ok=True)
            labels = new_labels(folder / LABELS, (len(movie), *movie.frame_shape))
        store = cls(folder, labels, info)
        store.write_lineage(Lineage())
        write_checked_json(folder / INFO, info.model_dump(mode="json"))
        return store

    @classmethod
    def resume(
        cls,
        folder: str | Path,
        movie: Movie,
        settings: dict[str, Any],
        model: dict[str, Any],
        frames: range | None = None,
    ) -> "RunStore":
        """Reopen the folder of a run, to go on with the run that stopped there.

        Nothing is changed yet: ``states`` tells after which frames the run can go on,
        and `rewind` takes away what comes after the one that was chosen. A folder that
        is new, or was left before the run began, is made as by `create`.

        Parameters
        ----------
        folder
            Where the run was begun.
        movie, settings, model
            As in `create`; the same as then. The device, and whether unreadable frames
            are skipped, may differ; no cell size means the one before, which ``info``
            of the store tells.
        frames
            Frames that are to be there in the end, from the same first one on and
            ending no earlier; those asked for before when None.

        Raises
        ------
        BadInputError
            When it is no run, damaged, or belongs to another movie or other frames.
        BadModelError
            When it was begun with other weights.
        BadSettingsError
            When it was begun with other settings.
        SaveError
            When it cannot be written.
        """
        folder = Path(folder)
        if not info_of(folder).is_file():
            _clear_beginning(folder)
            return cls.create(folder, movie, settings, model, frames)
        info = extended(read_info(folder), movie, settings, model, frames)
        return cls(folder, _labels_in(folder, reopened_labels), info)

    @property
    def done(self) -> tuple[int, ...]:
        """Frames that were computed, ascending."""
        return frames_done(self.folder / LABELS, self.labels.shape[0])

    def rewind(self, frame: int) -> None:
        """Begin again after a frame: all frames and states after it are taken away.

        The tracks must be written anew.

        Parameters
        ----------
        frame
            The last one that stays, as in a state; -1 keeps none.

        Raises
        ------
        SaveError
            When the folder may not be changed.
        """
        with saving(self.folder):
            # States first: one that is there stands on frames that are there.
            self.states.forget_after(frame)
            remove_after(self.folder / LABELS, frame)
            forget_evidence(self.folder, frame)
        self._unsynced = []
        self._write_info("running")

    def sync(self) -> None:
        """Have all frames that were written reach the disk, as a state relies on them.

        Raises
        ------
        SaveError
            When the disk is full or fails.
        """
        with saving(self.folder):
            sync(self._unsynced)
        self._unsynced = []

    def write_frame(self, frame: int, labels: NDArray[Any]) -> None:
        """Write the track labels, (Y, X), of one frame, whole or not at all.

        Raises
        ------
        SaveError
            When the disk is full or fails; other frames are untouched.
        """
        if labels.shape != self.labels.shape[1:]:
            raise SaveError(
                f"{self.folder.name}: expected labels of shape "
                f"{self.labels.shape[1:]}, as the frames of the movie, found "
                f"{labels.shape} for frame {frame}."
            )
        with saving(self.folder):
            self.labels[frame] = np.asarray(labels, np.int32)
        self._unsynced.append(chunk_of(self.folder / LABELS, frame))

    def write_evidence(self, frame: int, evidence: Evidence) -> None:
        """Write what the network predicts for the cells of a frame, for the solver.

        Raises
        ------
        SaveError
            When the disk is full or fails.
        """
        write_evidence(self.folder, frame, evidence)

    def write_lineage(self, lineage: Lineage) -> None:
        """Write tracks and parents, all of them or nothing.

        Raises
        ------
        SaveError
            When the disk is full or fails; the tracks written before are untouched.
        """
        write_checked_json(self.folder / TRACKS, tracks_as_json(lineage))

    def finish(self, *, cancelled: bool = False) -> None:
        """Record that no more frames come.

        Parameters
        ----------
        cancelled
            Whether the run was stopped early; also when not, a run that lacks frames
            is recorded as cancelled.
        """
        first, last = self.info.frames
        whole = set(range(first, last + 1)) <= {*self.done}
        self._write_info("finished" if whole and not cancelled else "cancelled")

    def _write_info(self, state: State) -> None:
        self.info = self.info.model_copy(update={"state": state})
        info = self.info.model_copy(update={"format": FORMAT, "version": VERSION})
        write_checked_json(self.folder / INFO, info.model_dump(mode="json"))

    @staticmethod
    def open(folder: str | Path) -> StoredRun:
        """Open the folder of a run, also one that is still being written.

        Parameters
        ----------
        folder
            The folder ``runs/NNNN`` of a project.

        Raises
        ------
        BadInputError
            When it is no run, damaged, or was written by a newer release.
        """
        folder = Path(folder)
        info = read_info(folder)
        tracks = folder / TRACKS
        lineage = tracks_from_json(as_written(tracks, read_json(tracks)), folder)
        check_lineage(tracks, lineage, info.movie.stack)
        labels = _labels_in(folder, stored_labels)
        if labels.shape != info.movie.stack:
            raise BadInputError(
                f"{folder}: expected labels of shape {info.movie.stack}, as the movie, "
                f"found {labels.shape}. Run the network anew."
            )
        done = frames_done(folder / LABELS, labels.shape[0])
        return StoredRun(labels, lineage, info, done)


def _labels_in(folder: Path, opened: Callable[[Path], Labels]) -> Labels:
    try:
        return opened(folder / LABELS)
    except BadInputError as error:
        raise BadInputError(
            f"{folder}: its labels in {LABELS} are missing or damaged. Restore "
            f"that folder, or run the network anew."
        ) from error


def _clear_beginning(folder: Path) -> None:
    """Remove what a run left that was ended while it made its folder."""
    own = {LABELS, TRACKS, LOG, *(draft_of(Path(n)).name for n in (TRACKS, INFO))}
    with saving(folder):
        found = list(folder.iterdir()) if folder.is_dir() else []
        if {path.name for path in found} <= own and not (
            folder / LABELS / "c"
        ).exists():
            for path in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def tracks_as_json(lineage: Lineage) -> dict[str, Any]:
    """Describe tracks as JSON values, frames as first and last of each run."""
    tracks = [
        {"label": track.label, "parent": track.parent, "frames": track.intervals}
        for _, track in sorted(lineage.tracks.items())
    ]
    return {"format": FORMAT, "version": VERSION, "tracks": tracks}


def tracks_from_json(value: Any, folder: Path) -> Lineage:
    """Read tracks described by `tracks_as_json`.

    Raises
    ------
    BadInputError
        When they are described otherwise.
    """
    try:
        tracks = [
            Track(
                int(row["label"]),
                joined((int(first), int(last)) for first, last in row["frames"]),
                int(row["parent"]),
            )
            for row in value["tracks"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(folder) from error
    lineage = Lineage(tracks)
    if len(lineage.tracks) < len(tracks):
        raise _damaged(folder)
    return lineage


def _damaged(folder: Path) -> BadInputError:
    return BadInputError(
        f"{folder}: the tracks in {TRACKS} are damaged. Restore that file, or run the "
        f"network anew."
    )
