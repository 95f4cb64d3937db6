"""Tables for spreadsheets: one line a cell and frame, and one line a track."""

import csv
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...tracking.intervals import count_frames
from ...tracking.lineage import Lineage, Track
from .measuring import Measures, channels_of, measured_frames
from .staging import new_target
from .tracked import TrackedMovie

CELLS = "cells.csv"
TRACKS = "tracks.csv"
SECONDS_PER_HOUR = 3600
SECONDS_PER_MINUTE = 60
# What a column holds; None where there is nothing to tell.
Value: TypeAlias = float | int | None
Line: TypeAlias = dict[str, Value]


def is_csv(path: Path) -> bool:
    """Tell whether a folder holds both tables, or a file is one of them."""
    folder = path if path.is_dir() else path.parent
    there = (folder / CELLS).is_file() and (folder / TRACKS).is_file()
    return there and (path.is_dir() or path.name in (CELLS, TRACKS))


def write_csv(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write ``cells.csv`` and ``tracks.csv`` into a new folder, frame by frame.

    Columns name their units. Those in um, s or h are there when pixel size or frame
    interval are known, those of intensity when the movie is at hand. A value that does
    not exist, such as the speed of a cell that has just appeared, is left empty.

    Parameters
    ----------
    tracked
        What to write.
    target
        The folder; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the folder exists, or the disk fails.
    BadInputError
        When a frame cannot be read, or the movie is not that of the cells.
    """
    with new_target(target) as draft:
        draft.mkdir()
        ancestry = _Ancestry(tracked.lineage)
        tracks = sorted(tracked.lineage.tracks.items())
        interval = tracked.frame_interval
        lines = (_track_line(track, ancestry, interval) for _, track in tracks)
        _write(draft / TRACKS, track_columns(tracked), lines)
        cells = _cell_lines(tracked, ancestry, progress)
        _write(draft / CELLS, cell_columns(tracked), cells)


def track_columns(tracked: TrackedMovie) -> list[str]:
    """Name the columns of ``tracks.csv``."""
    return [
        *("label", "parent", "lineage", "generation"),
        *("first_frame", "last_frame", "frames", "daughters"),
        "division_time_frames",
        *(["division_time_h"] if tracked.frame_interval else []),
        *("confirmed_frames", "parent_confirmed"),
    ]


def cell_columns(tracked: TrackedMovie) -> list[str]:
    """Name the columns of ``cells.csv``."""
    sized, timed = tracked.pixel_size is not None, bool(tracked.frame_interval)
    unit = _unit(tracked)
    channels = range(len(channels_of(tracked)))
    return [
        "frame",
        *(["time_s"] if timed else []),
        *("label", "parent", "lineage", "generation"),
        *("centroid_y_px", "centroid_x_px"),
        *(["centroid_y_um", "centroid_x_um"] if sized else []),
        "area_px",
        *(["area_um2"] if sized else []),
        *(f"major_axis_{unit}", f"minor_axis_{unit}", "orientation_deg"),
        *(f"mean_intensity_channel_{c}" for c in channels),
        _speed_column(tracked),
        "confirmed",
    ]


class _Ancestry:
    """Generation, founder and daughters of each track."""

    def __init__(self, lineage: Lineage) -> None:
        self.daughters = lineage.daughters()
        self.tracks = lineage.tracks
        self.generation: dict[int, int] = {}
        self.founder: dict[int, int] = {}
        # Parents begin before their daughters do.
        for track in sorted(self.tracks.values(), key=lambda track: track.begin):
            before = self.generation.get(track.parent, -1)
            self.generation[track.label] = before + 1
            self.founder[track.label] = self.founder.get(track.parent, track.label)

    def division_time(self, track: Track) -> int | None:
        """Count the frames from a birth by division to the division; None if unseen."""
        born = len(self.daughters.get(track.parent, ())) > 1
        divides = len(self.daughters.get(track.label, ())) > 1
        if not (born and divides):
            return None
        daughters = [self.tracks[d].begin for d in self.daughters[track.label]]
        return min(daughters) - track.begin

    def line(self, track: Track) -> Line:
        """Columns that both tables have."""
        return {
            "label": track.label,
            "parent": track.parent,
            "lineage": self.founder[track.label],
            "generation": self.generation[track.label],
        }


def _track_line(track: Track, ancestry: _Ancestry, interval: float | None) -> Line:
    division = ancestry.division_time(track)
    hours = None
    if division is not None and interval:
        hours = division * interval / SECONDS_PER_HOUR
    return {
        **ancestry.line(track),
        "first_frame": track.begin,
        "last_frame": track.end,
        "frames": count_frames(track.intervals),
        "daughters": len(ancestry.daughters.get(track.label, ())),
        "division_time_frames": division,
        "division_time_h": hours,
        "confirmed_frames": count_frames(track.confirmed),
        "parent_confirmed": int(track.parent_confirmed),
    }


def _cell_lines(
    tracked: TrackedMovie,
    ancestry: _Ancestry,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Line]:
    pace = _Pace(tracked)
    for frame, found in enumerate(measured_frames(tracked)):
        for place, label in enumerate(found.labels):
            track = _track_of(tracked, label, frame)
            yield {
                **ancestry.line(track),
                **_measured(tracked, frame, found, place),
                _speed_column(tracked): pace.of(label, frame, found.centroids[place]),
                "confirmed": int(track.is_confirmed(frame)),
            }
        if progress is not None:
            progress(frame + 1, len(tracked))


def _track_of(tracked: TrackedMovie, label: int, frame: int) -> Track:
    track = tracked.lineage.tracks.get(label)
    if track is None:
        raise BadInputError(
            f"{tracked.name}: expected a track for each label, found none for label "
            f"{label} in frame {frame}. Check the result, or restore it."
        )
    return track


def _measured(tracked: TrackedMovie, frame: int, found: Measures, place: int) -> Line:
    height, width = tracked.pixel_size or (math.nan, math.nan)
    y, x = found.centroids[place].tolist()
    pixels = int(found.pixels[place])
    major, minor = found.axes[place].tolist()
    unit = _unit(tracked)
    brightness = enumerate(found.intensities[place].tolist())
    return {
        "frame": frame,
        "time_s": frame * (tracked.frame_interval or math.nan),
        "centroid_y_px": y,
        "centroid_x_px": x,
        "centroid_y_um": y * height,
        "centroid_x_um": x * width,
        "area_px": pixels,
        "area_um2": pixels * height * width,
        f"major_axis_{unit}": major,
        f"minor_axis_{unit}": minor,
        "orientation_deg": float(found.orientations[place]),
        **{f"mean_intensity_channel_{c}": value for c, value in brightness},
    }


class _Pace:
    """How fast cells move between the frames in which they are seen."""

    def __init__(self, tracked: TrackedMovie) -> None:
        size, interval = tracked.pixel_size, tracked.frame_interval
        known = size is not None and bool(interval)
        self._scale = np.array(size if known else (1.0, 1.0))
        self._step = (interval or 0) / SECONDS_PER_MINUTE if known else 1.0
        self._last: dict[int, tuple[int, NDArray[np.float64]]] = {}

    def of(self, label: int, frame: int, centroid: NDArray[np.float64]) -> Value:
        """Mean speed since the cell was seen last; None when it is seen first."""
        place = centroid * self._scale
        before = self._last.get(label)
        self._last[label] = frame, place
        if before is None:
            return None
        return float(np.hypot(*(place - before[1]))) / (
            (frame - before[0]) * self._step
        )


def _unit(tracked: TrackedMovie) -> str:
    return "um" if tracked.pixel_size else "px"


def _speed_column(tracked: TrackedMovie) -> str:
    known = tracked.pixel_size and tracked.frame_interval
    return "speed_um_per_min" if known else "speed_px_per_frame"


def _write(path: Path, columns: list[str], lines: Iterable[Line]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_text(line[c]) for c in columns] for line in lines)


def _text(value: Value) -> str:
    if value is None or math.isnan(value):
        return ""
    return str(value) if isinstance(value, int) else f"{value:.7g}"
