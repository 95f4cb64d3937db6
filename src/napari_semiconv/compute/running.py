"""One run: frames are computed, kept in the run folder and told one by one."""

import platform
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from ..errors import SemiconvError
from ..movie import Movie
from ..project.constraints import LiveConstraints
from ..project.runs.store import RunStore
from ..tracking.lineage import Lineage
from .messages import Finished, FrameDone, Message, Segment, Started
from .plan import Plan
from .run_writer import RunLog, StateSaver
from .tools import Results, Tools


class SegmentRun:
    """Carries out a plan, frame after frame, until the last or until it is stopped.

    Parameters
    ----------
    request
        What was asked.
    plan
        How the run begins.
    tools
        What to compute with.
    say
        Sends one message.
    stops
        Whether the run is to stop now; asked after each frame.
    """

    def __init__(
        self,
        request: Segment,
        plan: Plan,
        tools: Tools,
        say: Callable[[Message], None],
        stops: Callable[[], bool],
    ) -> None:
        self._request, self._plan, self._tools = request, plan, tools
        self._say, self._stops = say, stops
        self._log = RunLog(request.output)
        self._writer = plan.writer()
        self._states = StateSaver(plan.store, tools, self._writer, request.save_every)
        self._done = plan.done

    def go(self, movie: Movie, model: Any) -> None:
        """Compute what lacks; what is finished stays whatever happens.

        Raises
        ------
        SemiconvError
            When a frame cannot be read, computed or written.
        """
        plan = self._plan
        ticket, output = self._request.ticket, self._request.output
        self._log_start(movie, model)
        self._say(Started(ticket=ticket, output=output, done=plan.done, note=plan.note))
        if plan.ready:
            self._end(RunStore.open(output).lineage, cancelled=False)
            return
        path = self._request.constraints
        constraints = None if path is None else LiveConstraints(path)
        results = self._tools.run(
            movie, model, plan.settings, plan.frames, plan.state, constraints
        )
        try:
            with closing(results):
                whole = self._frames(results)
                if not whole:
                    self._states.save()
        except BaseException as error:
            self._log.add(f"stopped: {str(error) or type(error).__name__}")
            # The first error is the one to tell.
            with suppress(SemiconvError, OSError):
                self._writer.close(cancelled=True)
            raise
        self._writer.close(cancelled=not whole)
        self._end(self._writer.lineage, cancelled=not whole)

    def _frames(self, results: Results) -> bool:
        """Keep frames as they come; return whether none is left."""
        mark, fresh = time.perf_counter(), self._done
        solving = whole = False
        # Tracks that are being solved are solved in all frames or in none.
        while solving or not self._stops():
            result = next(results, None)
            if result is None:
                return True
            self._writer.write(
                result.frame, result.labels, result.lineage, result.evidence
            )
            cells = result.lineage.cells(result.frame)
            self._states.offer(result)
            solving = result.final and result.done <= fresh
            now, fresh = time.perf_counter(), max(fresh, result.done)
            self._done = fresh
            self._tell(result, cells, now - mark)
            mark = now
            whole = result.final and result.done == result.total
        return whole

    def _tell(self, result: Any, cells: list[int], seconds: float) -> None:
        self._log.add(f"frame {result.frame}: {len(cells)} cells, {seconds:.3f} s")
        if result.unreadable:
            self._log.add(f"warning: {result.unreadable}")
        if result.note:
            self._log.add(f"warning: {result.note}")
        self._say(
            FrameDone(
                ticket=self._request.ticket,
                frame=result.frame,
                done=self._done,
                total=result.total,
                cells=len(cells),
                seconds=seconds,
                unreadable=result.unreadable,
                born=daughters_in(result.frame, cells, result.lineage),
                final=result.final,
                note=result.note,
            )
        )

    def _end(self, lineage: Lineage, *, cancelled: bool) -> None:
        total, tracks = len(self._plan.frames), len(lineage.tracks)
        word = "cancelled" if cancelled else "finished"
        self._log.add(f"{word}: {self._done} of {total} frames, {tracks} tracks")
        self._say(
            Finished(
                ticket=self._request.ticket,
                output=self._request.output,
                done=self._done,
                total=total,
                tracks=tracks,
                cancelled=cancelled,
            )
        )

    def _log_start(self, movie: Movie, model: Any) -> None:
        plan, info = self._plan, self._plan.store.info
        self._log.add(
            f"start: napari-semiconv {info.package}, {platform.platform()}",
            f"movie: {movie.name}, {movie.path}",
            f"frames: {plan.frames[0]} to {plan.frames[-1]}, {plan.done} there already",
            f"model: {self._tools.facts(model)}",
            f"settings: {plan.settings.model_dump_json()}",
        )
        if plan.note:
            self._log.add(f"warning: {plan.note}")


def daughters_in(
    frame: int, cells: list[int], lineage: Lineage
) -> tuple[tuple[int, int], ...]:
    """List label and parent of the daughters that a frame shows for the first time.

    Parameters
    ----------
    frame
        Index of the frame.
    cells
        Labels in it.
    lineage
        Tracks so far.
    """
    tracks = (lineage.tracks[label] for label in cells)
    return tuple(
        (track.label, track.parent)
        for track in tracks
        if track.parent and track.begin == frame
    )
