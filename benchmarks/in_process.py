"""The way of a project run within one process, so that time and memory are its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace

import numpy as np

from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.engines.payer.chain import Shelf
from napari_semiconv.inference.linking.solve import Solver, notes_of
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.result import FrameResult
from napari_semiconv.labels import Labels
from napari_semiconv.movie import Movie
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import LinkSettings, SegmentSettings


def segment_and_solve(
    movie: Movie,
    model: Model,
    settings: SegmentSettings,
    frames: range | None = None,
    stop: Callable[[], bool] | None = None,
    constraints: Mapping[int, Constraints] | None = None,
) -> Iterator[FrameResult]:
    """Find the cells of every frame, then the best tracks of all frames together.

    Every frame is yielded as it is computed, to be looked at, and once more, final,
    when all frames have been seen. With the greedy solver every frame is final at once;
    the published procedures decide tracks in their own way.

    Parameters
    ----------
    movie, model, settings, frames, constraints
        As for `segment_and_track`.
    stop
        Asked after every frame; when it says so, no more are computed, and with the
        global solver those so far are solved.

    Yields
    ------
    FrameResult
        Each frame, twice. All packed masks are kept in memory until they are solved:
        some 20 kB for a frame of 100 cells.

    Raises
    ------
    SemiconvError
        As `segment_and_track` does.
    """
    results = segment_and_track(movie, model, settings, frames, None, constraints)
    stops = stop or _never
    channels = model.info.network.embedding_size
    with closing(results):
        if settings.engine_info.links or settings.link.solver == "greedy":
            yield from _until(results, stops)
        else:
            yield from _solved(_until(results, stops), settings.link, channels)


def _until(
    results: Iterator[FrameResult], stops: Callable[[], bool]
) -> Iterator[FrameResult]:
    for result in results:
        yield result
        if stops():
            return


def _solved(
    results: Iterator[FrameResult], settings: LinkSettings, channels: int
) -> Iterator[FrameResult]:
    """Yield every frame as it comes, and again with the best tracks of all."""
    shelf, seen = Shelf(), []
    solver: Solver | None = None
    for result in results:
        solver = solver or Solver(settings, result.cell_size, channels)
        solver.push(result.frame, result.labels, result.evidence)
        shelf.add(result.labels)
        # Masks wait on the shelf, packed.
        seen.append(replace(result, labels=NOTHING, evidence=None, state=None, note=""))
        yield replace(result, final=False, state=None)
    if solver is None:
        return
    solved = solver.solve()
    lineage = solved.lineage
    told = notes_of(solved)
    for place, result in enumerate(seen):
        labels = renamed(shelf[place], solved.names(result.frame))
        note = " ".join(told.get(result.frame, ()))
        yield replace(result, labels=labels, lineage=lineage, final=True, note=note)


def _never() -> bool:
    return False


NOTHING: Labels = np.zeros((0, 0), np.int32)


def renamed(labels: Labels, names: Mapping[int, int]) -> Labels:
    """Give the cells of a frame, (Y, X), their new labels."""
    lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    for old, new in names.items():
        lookup[old] = new
    return lookup[labels]
