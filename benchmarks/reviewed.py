"""Recordings with truth as projects that the default model filled, to be reviewed."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.evaluation import truth_in
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.labels import Labels
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.network.weights import load_model
from napari_semiconv.project.project import Project
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.tracking.lineage import Lineage
from napari_semiconv.tracking.measures.matching import Table, cut_table

from .annotated import Video, data_folder, find_annotated
from .in_process import segment_and_solve
from .spoiled import spoiled

# Frames, and rows and columns, that are enough of a long or large recording.
PARTS: dict[str, tuple[slice, tuple[slice, slice]]] = {
    "PhC-C2DL-PSC": (slice(60, 100), (slice(0, 288), slice(0, 360))),
    "Fluo-N2DH-GOWT1": (slice(32, 92), (slice(None), slice(None))),
}
# Of bacteria and yeast the default model finds next to nothing: that is no review.
BEYOND = {"PhC-Ecoli-movie", "PhC-yeast-movie"}
# True outlines of all cells, into which errors can be put.
OUTLINED = {"Fluo-N2DH-SIM+", "Fluo-N2DL-HeLa", "PhC-T98G-movie", *BEYOND}
WHOLE = (slice(None), (slice(None), slice(None)))


@dataclass(frozen=True)
class Recording:
    """A recording with its truth, cut to what is reviewed.

    Parameters
    ----------
    name
        Name of the data set, and of the sequence where there are several.
    movie
        The frames.
    truth
        True labels or markers, (T, Y, X).
    table
        True tracks, rows of label, first frame, last frame, parent, (N, 4).
    """

    name: str
    movie: Movie
    truth: NDArray[np.int32]
    table: Table

    @property
    def group(self) -> str:
        """Its data set: recordings of one are never fitted and tested together."""
        return self.name.partition("/")[0]


def recordings(wanted: str | None = None) -> Iterator[Recording]:
    """Go through the recordings that are there.

    Parameters
    ----------
    wanted
        Names with commas, or beginnings of names; all if None.
    """
    for video in find_annotated(data_folder(), wanted):
        if isinstance(video, Video) and video.name not in BEYOND:
            yield _recording(video)


def _recording(video: Video) -> Recording:
    movie, truth = open_movie(video.images), truth_in(video.truth).masks
    part, place = PARTS.get(video.name, WHOLE)
    frames = range(len(movie))[part]
    images = np.stack([np.asarray(movie.frame(t))[place] for t in frames])
    masks = np.stack([truth.labels(t)[place] for t in frames]).astype(np.int32)
    return Recording(
        video.name,
        movie_from_array(images, "TYX", video.name),
        masks,
        _present(cut_table(truth.table, frames), masks),
    )


def _present(table: Table, masks: NDArray[np.int32]) -> Table:
    """Cut tracks to the frames in which a crop shows them."""
    seen: dict[int, list[int]] = {}
    for frame, labels in enumerate(masks):
        for label in np.unique(labels[labels > 0]).tolist():
            seen.setdefault(label, []).append(frame)
    rows = [
        (label, seen[label][0], seen[label][-1], parent if parent in seen else 0)
        for label, _, _, parent in table.tolist()
        if label in seen
    ]
    return np.array(rows, np.int64).reshape(-1, 4)


def filled(recording: Recording, cache: Path) -> Project:
    """Open the project of a recording, as the default model filled it.

    Parameters
    ----------
    recording
        The recording.
    cache
        Folder that keeps it for the next time.
    """
    folder = cache / f"{recording.name.replace('/', '-')}.semiconv"
    if not folder.exists():
        _make(folder, recording, *_segmented(recording))
    return Project.open(folder, write=False)


def spoiled_project(recording: Recording, cache: Path, seed: int) -> Project:
    """Open a project of the truth of a recording with errors put into it."""
    folder = cache / f"{recording.name.replace('/', '-')}-spoiled-{seed}.semiconv"
    if not folder.exists():
        _make(folder, recording, *spoiled(recording.truth, recording.table, seed))
    return Project.open(folder, write=False)


def _segmented(recording: Recording) -> tuple[Sequence[Labels], Lineage]:
    settings = SegmentSettings(device="cpu")
    model = load_model(settings.model, settings.device)
    masks, lineage = [], Lineage()
    with closing(segment_and_solve(recording.movie, model, settings)) as results:
        for result in results:
            if result.final:
                masks.append(result.labels)
                lineage = result.lineage
    return masks, lineage


def _make(
    folder: Path, recording: Recording, masks: Sequence[Labels], lineage: Lineage
) -> None:
    shape = (len(masks), *recording.movie.frame_shape)
    found = TrackedMovie(recording.name, shape, masks.__getitem__, lineage)
    Project.create(folder, recording.movie, found).close()
