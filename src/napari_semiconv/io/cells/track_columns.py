"""The tables of tracks and of frames: a row for each, with means over its cells."""

from collections.abc import Callable

import numpy as np

from ...tracking.intervals import count_frames
from ...tracking.lineage import Lineage, Track
from .columns import Column, Integers, Table, Units, Values, table_of

SECONDS_PER_HOUR = 3600


def track_table(cells: Table, lineage: Lineage, units: Units) -> Table:
    """Make the table with a row for each track, by label.

    Parameters
    ----------
    cells
        The table of its cells.
    lineage
        The tracks.
    units
        Units of the movie.
    """
    families = Families(lineage)
    tracks = [track for _, track in sorted(lineage.tracks.items())]
    labels = np.array([track.label for track in tracks], np.int64)
    facts = [families.facts(track) for track in tracks]
    whole = {
        name: np.array([each[name] for each in facts], np.int64)
        for name in ("parent", "lineage", "generation", "daughters")
    }
    divided = np.array([each["division"] for each in facts], np.float64)
    hours = divided * (units.frame_interval or np.nan) / SECONDS_PER_HOUR
    owner = np.searchsorted(labels, cells["label"])
    unit, shown = units.length

    def of(count: Callable[[Track], int]) -> Integers:
        return np.array([count(track) for track in tracks], np.int64)

    columns = [
        Column("label", "Cell", "", labels),
        Column("parent", "Parent", "", whole["parent"]),
        Column("lineage", "Family", "", whole["lineage"]),
        Column("generation", "Generation", "", whole["generation"]),
        Column("first_frame", "First frame", "", of(lambda t: t.begin)),
        Column("last_frame", "Last frame", "", of(lambda t: t.end)),
        Column("frames", "Frames", "", of(lambda t: count_frames(t.intervals))),
        Column("daughters", "Daughters", "", whole["daughters"]),
        Column("division_time_frames", "Division time", "frames", divided),
        Column("division_time_h", "Division time", "h", hours),
        *_means(cells, owner, len(tracks)),
        Column(
            f"displacement_{unit}",
            "Displacement",
            shown,
            _displacement(cells, owner, len(tracks), units),
        ),
        Column(
            "confirmed_frames",
            "Confirmed frames",
            "",
            of(lambda t: count_frames(t.confirmed)),
        ),
        Column(
            "parent_confirmed",
            "Parent confirmed",
            "",
            of(lambda t: int(t.parent_confirmed)),
        ),
    ]
    return table_of(columns, units)


def frame_table(cells: Table, tracks: Table, frames: int, units: Units) -> Table:
    """Make the table with a row for each frame: counts, divisions, means.

    Parameters
    ----------
    cells, tracks
        The tables of cells and tracks.
    frames
        Number of frames.
    units
        Units of the movie.
    """
    there = np.arange(frames)
    born = _by_division(tracks)
    # A division is counted in the frame in which its first daughter is seen.
    _, first = np.unique(tracks["parent"][born], return_index=True)
    divisions = np.bincount(tracks["first_frame"][born][first], minlength=frames)
    count = np.bincount(cells["frame"], minlength=frames)
    columns = [
        Column("frame", "Frame", "", there),
        Column("time_s", "Time", "s", there * (units.frame_interval or np.nan)),
        Column("cells", "Cells", "", count),
        Column("divisions", "Divisions", "", divisions),
        *_means(cells, cells["frame"], frames),
    ]
    return table_of(columns, units)


class Families:
    """Generation, founder, daughters and division time of each track.

    Parameters
    ----------
    lineage
        The tracks.
    """

    def __init__(self, lineage: Lineage) -> None:
        self._daughters = lineage.daughters()
        self._tracks = lineage.tracks
        self._generation: dict[int, int] = {}
        self._founder: dict[int, int] = {}
        # Parents begin before their daughters do.
        for track in sorted(self._tracks.values(), key=lambda track: track.begin):
            before = self._generation.get(track.parent, -1)
            self._generation[track.label] = before + 1
            founder = self._founder.get(track.parent, track.label)
            self._founder[track.label] = founder

    def facts(self, track: Track) -> dict[str, float]:
        """Give the numbers of a track by name; NaN is a division that was not seen."""
        return {
            "parent": track.parent,
            "lineage": self._founder[track.label],
            "generation": self._generation[track.label],
            "daughters": len(self._daughters.get(track.label, ())),
            "division": self._division_time(track),
        }

    def _division_time(self, track: Track) -> float:
        """Count the frames from a birth by division to the division."""
        born = len(self._daughters.get(track.parent, ())) > 1
        daughters = self._daughters.get(track.label, ())
        if not (born and len(daughters) > 1):
            return float("nan")
        return min(self._tracks[d].begin for d in daughters) - track.begin


def _means(cells: Table, owner: Integers, count: int) -> list[Column]:
    """Means over the cells of each track or frame; NaN where there are none."""
    meant = ("area_", "speed_", "mean_above_background_", "certainty")
    found = []
    for column in cells.columns:
        if not column.name.startswith(meant):
            continue
        values = column.values.astype(float)
        there = ~np.isnan(values)
        many = np.bincount(owner[there], minlength=count)
        sums = np.bincount(owner[there], values[there], count)
        mean = np.divide(sums, many, out=np.full(count, np.nan), where=many > 0)
        name = column.name.removeprefix("mean_")
        title = f"Mean {column.title[0].lower()}{column.title[1:]}"
        found.append(Column(f"mean_{name}", title, column.unit, mean))
    return found


def _displacement(cells: Table, owner: Integers, count: int, units: Units) -> Values:
    """Straight way from the first to the last place of each track, (count,)."""
    places = np.stack([cells["centroid_y_px"], cells["centroid_x_px"]], 1)
    first, last = (np.full((count, 2), np.nan) for _ in range(2))
    # Rows are in the order of frames, and the last one written stays.
    last[owner], first[owner[::-1]] = places, places[::-1]
    return np.asarray(np.hypot(*units.scaled(last - first).T))


def _by_division(tracks: Table) -> Integers:
    """Rows of tracks that have a sister, by parent and first frame."""
    parents, begin = tracks["parent"], tracks["first_frame"]
    _, place, many = np.unique(parents, return_inverse=True, return_counts=True)
    rows = np.flatnonzero((parents > 0) & (many[place] > 1))
    return rows[np.lexsort((begin[rows], parents[rows]))]
