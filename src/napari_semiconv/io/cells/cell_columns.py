"""The table of measured cells: a row for each cell and frame."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...tracking.lineage import Lineage
from .columns import Column, Integers, Table, Units, Values, table_of
from .measuring import Measures
from .track_columns import Families

SECONDS_PER_MINUTE = 60
# Scores of the lineage that are told, and what they are called in a table.
CERTAINTIES = {"sure": "certainty", "link": "link_certainty"}


def cell_table(
    frames: Mapping[int, Measures],
    lineage: Lineage,
    units: Units,
    channels: int,
    name: str,
) -> Table:
    """Make the table with a row for each cell and frame, by frame and label.

    Parameters
    ----------
    frames
        What was measured, by frame.
    lineage
        Tracks of all labels.
    units
        Units of the movie.
    channels
        How many channels were measured.
    name
        What the user calls the cells.

    Raises
    ------
    BadInputError
        When a label has no track.
    """
    cells = _Cells(frames, lineage, name)
    families = Families(lineage)
    unit, shown = units.length
    numbers = {
        key: np.array([facts[key] for facts in map(families.facts, cells.tracks)])
        for key in ("parent", "lineage", "generation")
    }
    y, x = cells.centroids.T
    speed, direction = cells.moves(units)
    height, width = units.pixel_size or (np.nan, np.nan)
    interval = units.frame_interval or np.nan
    columns = [
        Column("frame", "Frame", "", cells.frame),
        Column("time_s", "Time", "s", cells.frame * interval),
        Column("label", "Cell", "", cells.label),
        *(
            Column(key, title, "", _taken(numbers[key], cells.place))
            for key, title in (
                ("parent", "Parent"),
                ("lineage", "Family"),
                ("generation", "Generation"),
            )
        ),
        Column("centroid_y_px", "y", "px", y),
        Column("centroid_x_px", "x", "px", x),
        Column("centroid_y_um", "y", "µm", y * height),
        Column("centroid_x_um", "x", "µm", x * width),
        Column("area_px", "Area", "px", cells.pixels.astype(np.int64)),
        Column("area_um2", "Area", "µm²", cells.pixels * height * width),
        Column(f"major_axis_{unit}", "Major axis", shown, cells.axes[:, 0]),
        Column(f"minor_axis_{unit}", "Minor axis", shown, cells.axes[:, 1]),
        Column("orientation_deg", "Orientation", "°", cells.orientations),
        *_brightness(cells, channels),
        Column(f"speed_{units.speed[0]}", "Speed", units.speed[1], speed),
        Column("direction_deg", "Direction", "°", direction),
        *cells.certainties(),
        Column("confirmed", "Confirmed", "", cells.confirmed()),
    ]
    return table_of(columns, units)


class _Cells:
    """The cells of all frames, by frame and label, and the tracks they are of."""

    def __init__(
        self, frames: Mapping[int, Measures], lineage: Lineage, name: str
    ) -> None:
        found = sorted(frames.items())
        self.lineage = lineage
        self.measures = [measures for _, measures in found]
        self.counts = [len(measures.labels) for measures in self.measures]
        self.frame = np.repeat(np.array([t for t, _ in found], np.int64), self.counts)
        self.label = _joined((m.labels for m in self.measures), (0,)).astype(np.int64)
        self.pixels = _joined((m.pixels for m in self.measures), (0,))
        self.centroids = _joined((m.centroids for m in self.measures), (0, 2))
        self.axes = _joined((m.axes for m in self.measures), (0, 2))
        self.orientations = _joined((m.orientations for m in self.measures), (0,))
        self.tracks = [track for _, track in sorted(lineage.tracks.items())]
        known = np.array([track.label for track in self.tracks], np.int64)
        # Where among the tracks each cell belongs.
        self.place = np.searchsorted(known, self.label)
        lost = np.flatnonzero(_taken(known, self.place, -1) != self.label)
        if len(lost):
            raise BadInputError(
                f"{name}: expected a track for each label, found none for label "
                f"{self.label[lost[0]]} in frame {self.frame[lost[0]]}. Check the "
                f"result, or restore it."
            )
        # All rows, track after track, each in the order of its frames.
        self._order = np.lexsort((self.frame, self.label))
        ends = np.searchsorted(self.place[self._order], np.arange(len(known) + 1))
        self._spans = list(zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True))

    def moves(self, units: Units) -> tuple[Values, Values]:
        """Speed and direction since a cell was seen last; NaN when it is seen first."""
        order = self._order
        here, before = order[1:], order[:-1]
        same = self.label[here] == self.label[before]
        here, before = here[same], before[same]
        way = self.centroids[here] - self.centroids[before]
        scaled = units.scaled(way)
        time = (self.frame[here] - self.frame[before]).astype(float)
        if units.pixel_size and units.frame_interval:
            way, time = scaled, time * (units.frame_interval / SECONDS_PER_MINUTE)
        speed, direction = (np.full(len(order), np.nan) for _ in range(2))
        speed[here] = np.hypot(*way.T) / time
        # y points down on screen; a cell that stays has no direction.
        turned = np.degrees(np.arctan2(0.0 - scaled[:, 0], scaled[:, 1]))
        direction[here] = np.where(way.any(1), turned, np.nan)
        return speed, direction

    def confirmed(self) -> Integers:
        """Tell which cells the user confirmed, 1 or 0."""
        found = np.zeros(len(self.label), np.int64)
        for track, (first, last) in zip(self.tracks, self._spans, strict=True):
            if track.confirmed and last > first:
                rows = self._order[first:last]
                frames = self.frame[rows]
                for begin, end in track.confirmed:
                    low, high = np.searchsorted(frames, (begin, end + 1))
                    found[rows[low:high]] = 1
        return found

    def certainties(self) -> list[Column]:
        """How sure the network is of a cell, and the solver of its link to before."""
        names = self.lineage.score_names
        if not any(track.scores for track in self.tracks):
            return []
        found = np.full((len(self.label), len(names)), np.nan)
        for track, (first, last) in zip(self.tracks, self._spans, strict=True):
            if track.scores and last > first:
                rows = self._order[first:last]
                scores = self.lineage.scores(track.label)
                places = self.frame[rows] - track.begin
                # While edits are being heard of, tracks may be ahead of the masks.
                known = (places >= 0) & (places < len(scores))
                found[rows[known]] = scores[places[known]]
        titles = {"sure": "Certainty", "link": "Link certainty"}
        return [
            Column(CERTAINTIES[n], titles[n], "", found[:, names.index(n)])
            for n in CERTAINTIES
            if n in names
        ]


def _brightness(cells: _Cells, channels: int) -> list[Column]:
    found = []
    for channel in range(channels):
        mean = _joined((m.intensities[:, channel] for m in cells.measures), (0,))
        dark = np.array([m.backgrounds[channel] for m in cells.measures], float)
        above = mean - np.repeat(dark, cells.counts)
        of = f", channel {channel}" if channels > 1 else ""
        end = f"channel_{channel}"
        found += [
            Column(f"mean_intensity_{end}", f"Intensity{of}", "", mean),
            Column(f"mean_above_background_{end}", f"Above background{of}", "", above),
            Column(
                f"sum_above_background_{end}",
                f"Sum above background{of}",
                "",
                above * cells.pixels,
            ),
        ]
    return found


def _taken(values: NDArray[Any], places: Integers, other: int = 0) -> NDArray[Any]:
    """Values at places, (n,); another one where a place is behind the last."""
    return np.append(values, other)[places].astype(np.int64)


def _joined(arrays: Iterable[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Join arrays along the first axis; none give one of a shape."""
    return np.concatenate([np.zeros(shape), *arrays])
