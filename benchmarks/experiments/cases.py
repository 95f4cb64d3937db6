"""Movies with their truth, simulated and real, on which engines are compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.result import FrameResult
from napari_semiconv.io.cells.ctc.folder import find_truth
from napari_semiconv.io.evaluation import PlacedTracks
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import Movie, movie_from_array
from napari_semiconv.synthetic import SyntheticMovie, SyntheticSettings, simulate
from napari_semiconv.tracking.measures.evaluate import Scores, evaluate
from napari_semiconv.tracking.measures.matching import LabelMovie, Labels, Table

from ..annotated import (
    Video,
    data_folder,
    find_annotated,
    held_out_frames,
    held_out_outlines,
)
from ..pipeline import placed

SIMULATED = 9_000  # seeds that no training uses begin here


@dataclass(frozen=True)
class Known:
    """Tracks of a simulated movie.

    Parameters
    ----------
    simulated
        The movie and its truth.
    """

    simulated: SyntheticMovie

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.simulated.labels)

    @property
    def table(self) -> Table:
        """Rows of label, first frame, last frame, parent, (N, 4)."""
        return self.simulated.table

    def labels(self, frame: int) -> Labels:
        """Read the labels of one frame, (Y, X)."""
        return self.simulated.labels[frame]


@dataclass(frozen=True)
class Case:
    """A movie, the frames that are scored, and what is true in them.

    Parameters
    ----------
    name
        For the table.
    movie
        The movie.
    scored
        Frames that count.
    warm_up
        Frames before them that are segmented too, so that the memory is warm.
    tracks
        True tracks.
    outlines
        True outlines, (Y, X), by frame.
    """

    name: str
    movie: Movie
    scored: range
    warm_up: int
    tracks: LabelMovie
    outlines: Mapping[int, Labels]

    @property
    def frames(self) -> range:
        """Frames that are segmented."""
        return range(max(0, self.scored.start - self.warm_up), self.scored.stop)

    @property
    def cell_size(self) -> float:
        """Diameter of the median true outline of the scored frames, px."""
        areas = [
            np.unique(labels[labels > 0], return_counts=True)[1]
            for labels in (self.outlines[t] for t in self._outlined())
        ]
        return float(np.sqrt(4 / np.pi * np.median(np.concatenate(areas))))

    def score(self, found: Sequence[FrameResult]) -> Scores:
        """Compare results of all segmented frames with the truth of the scored ones."""
        return evaluate(placed(found), self.tracks, self.outlines, self.scored)

    def truth(self, frame: int) -> Labels:
        """Read true outlines of a frame or, without them, its markers, (Y, X)."""
        if frame in self._outlined():
            return self.outlines[frame]
        return self.tracks.labels(frame)

    def _outlined(self) -> list[int]:
        # Asked of the keys, since the images are read on access.
        return sorted(set(self.outlines).intersection(self.scored))


def simulated_case(
    name: str, settings: SyntheticSettings, seed: int, warm_up: int
) -> Case:
    """Simulate a movie that no training has seen."""
    made = simulate(settings, SIMULATED + seed)
    movie = movie_from_array(made.images, "TYX", name)
    return Case(
        name,
        movie,
        range(warm_up, len(movie)),
        warm_up,
        Known(made),
        dict(enumerate(made.labels)),
    )


def real_cases(names: Sequence[str], most: int, warm_up: int) -> Iterator[Case]:
    """Open the real videos that are there.

    Parameters
    ----------
    names
        Names of data sets; others are left out.
    most
        Frames of each that are scored at most, of those that were never trained on.
    warm_up
        Frames before them that are segmented too.
    """
    for video in find_annotated(data_folder(), None):
        if isinstance(video, Video) and video.name in names:
            yield _real_case(video, most, warm_up)


def _real_case(video: Video, most: int, warm_up: int) -> Case:
    movie = open_movie(video.images)
    truth = find_truth(video.truth)
    scored = held_out_frames(len(movie))[-most:]
    if set(truth.outlines).isdisjoint(scored) and video.silver.is_dir():
        truth = find_truth(video.truth, silver=True)
    elif set(truth.outlines).isdisjoint(scored):
        scored = held_out_outlines(truth, len(movie))[-most:]
    if truth.tracks is None:
        raise BadInputError(
            f"{video.truth}: expected tracking truth in TRA, found outlines alone. "
            f"Take the data set out of those that engines are compared on."
        )
    tracks = PlacedTracks(truth.tracks)
    return Case(video.name, movie, scored, warm_up, tracks, truth.outlines)
