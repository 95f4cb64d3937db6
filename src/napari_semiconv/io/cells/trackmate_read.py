"""Read spots and tracks from TrackMate XML; it holds no masks."""

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInputError
from ...tracking.lineage import Lineage
from ..guard import brief, check_regular
from ..movies.units import seconds, um
from .cell_graph import MOST_CELLS, Numbers, origins_of_links, tracks_of_graph
from .label_stacks import MOST_FRAMES
from .trackmate import LABEL

MOST_BYTES = 2**30
# A file of TrackMate is six elements deep.
MOST_DEPTH = 50
# What is read at once, and what may pass without anything being said in it.
STEP, MOST_SILENCE = 2**16, 2**22
LARGEST_ID = 2**62


@dataclass(frozen=True)
class Spots:
    """Cells without pixels: where they are, and their tracks.

    Parameters
    ----------
    name
        File of the movie, as TrackMate knew it.
    shape
        Frames, height and width, (T, Y, X); height and width are 0 when unknown.
    lineage
        Tracks and parents.
    frames
        Frame of each cell, (N,).
    labels
        Its label, (N,).
    centres
        Its y and x, (N, 2), in px; the centre of the first pixel is 0, 0.
    radii
        Its radius, (N,), in px.
    pixel_size
        Height and width of a pixel, in um; None when unknown.
    frame_interval
        Time between frames, in s; None when unknown.
    """

    name: str
    shape: tuple[int, int, int]
    lineage: Lineage
    frames: Numbers
    labels: Numbers
    centres: NDArray[np.float64]
    radii: NDArray[np.float64]
    pixel_size: tuple[float, float] | None
    frame_interval: float | None


def read_trackmate(source: Path) -> Spots:
    """Read the spots and visible tracks of a TrackMate XML file.

    In a file of ours the tracks are those that were written; in others a track is a
    path without branches.

    Parameters
    ----------
    source
        The file.

    Raises
    ------
    BadInputError
        When it is no such file, damaged, or cells merge.
    """
    found = _Collector(source.name)
    size = check_regular(source)
    if size > MOST_BYTES:
        raise BadInputError(
            f"{source.name}: expected at most {MOST_BYTES / 2**20:.0f} MiB, found "
            f"{size / 2**20:.0f} MiB. Save fewer spots."
        )
    parser = ElementTree.XMLParser(target=found)
    try:
        with source.open("rb") as stream:
            while data := stream.read(STEP):
                found.listen(len(data))
                parser.feed(data)
        parser.close()
    except (ElementTree.ParseError, LookupError, ValueError, OSError) as error:
        raise BadInputError(
            f"{source.name} cannot be read as TrackMate XML ({brief(error)}). Copy it "
            f"again, or save it anew in TrackMate."
        ) from error
    return _spots_of(found)


class _Collector:
    """Keeps what matters of the elements that go by; nothing else is kept."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ids, self.frames, self.labels = array("q"), array("q"), array("q")
        self.places = array("d")  # y, x and radius of each spot
        self.links = array("q")  # two ids and the track of each link
        self.visible = set[int]()
        self.filtered = False
        self.units: Mapping[str, str] = {}
        self.image: Mapping[str, str] = {}
        self._complete = False
        self._depth = self._silence = self._track = 0

    def listen(self, size: int) -> None:
        """Refuse to read on without end where nothing is said."""
        self._silence += size
        if self._silence > MOST_SILENCE:
            raise ValueError("an element is too long")

    def doctype(self, *told: Any) -> None:
        """Refuse what could define entities, or name other files."""
        raise BadInputError(
            f"{self.name}: expected TrackMate XML, which has no document type, found "
            f"one. Save it anew in TrackMate."
        )

    def start(self, tag: str, told: Mapping[str, str]) -> None:
        """Take note of an element."""
        if not self._depth and tag != "TrackMate":
            raise BadInputError(
                f"{self.name}: expected TrackMate XML, found XML of '{brief(tag)}'. "
                f"Choose a file that was saved in TrackMate."
            )
        self._depth += 1
        self._silence = 0
        if self._depth > MOST_DEPTH:
            raise ValueError("its elements are nested too deeply")
        take = _TAKE.get(tag)
        if take is not None:
            take(self, told)

    def end(self, tag: str) -> None:
        """Take note that an element is over."""
        self._depth -= 1
        self._silence = 0

    def data(self, text: str) -> None:
        """Let an outline go by."""
        self._silence = 0

    def close(self) -> None:
        """Refuse a file without spots."""
        if not self._complete:
            raise ValueError("it has no list of spots")

    def take_spot(self, told: Mapping[str, str]) -> None:
        """Keep a cell."""
        if len(self.ids) >= MOST_CELLS:
            raise ValueError(f"it has more than {MOST_CELLS} spots")
        self.ids.append(_whole(told, "ID", LARGEST_ID))
        self.frames.append(_whole(told, "FRAME", MOST_FRAMES))
        self.labels.append(_whole(told, LABEL, LARGEST_ID) if LABEL in told else 0)
        for key in ("POSITION_Y", "POSITION_X", "RADIUS"):
            self.places.append(_number(told, key))

    def take_track(self, told: Mapping[str, str]) -> None:
        """Keep the number of the track that the next links belong to."""
        self._track = _whole(told, "TRACK_ID", LARGEST_ID)

    def take_link(self, told: Mapping[str, str]) -> None:
        """Keep a link."""
        for key in ("SPOT_SOURCE_ID", "SPOT_TARGET_ID"):
            self.links.append(_whole(told, key, LARGEST_ID))
        self.links.append(self._track)

    def take_visible(self, told: Mapping[str, str]) -> None:
        """Keep the number of a track that no filter hides."""
        self.visible.add(_whole(told, "TRACK_ID", LARGEST_ID))

    def take_filter(self, told: Mapping[str, str]) -> None:
        """Note that some tracks may be hidden."""
        self.filtered = True

    def take_list(self, told: Mapping[str, str]) -> None:
        """Note that there is a list of spots."""
        self._complete = True

    def take_units(self, told: Mapping[str, str]) -> None:
        """Keep the units."""
        self.units = told

    def take_image(self, told: Mapping[str, str]) -> None:
        """Keep what is told of the movie."""
        self.image = told


_TAKE = {
    "Model": _Collector.take_units,
    "AllSpots": _Collector.take_list,
    "Spot": _Collector.take_spot,
    "Track": _Collector.take_track,
    "Edge": _Collector.take_link,
    "FilteredTracks": _Collector.take_filter,
    "TrackID": _Collector.take_visible,
    "ImageData": _Collector.take_image,
}


def _number(told: Mapping[str, str], key: str) -> float:
    text = told.get(key)
    value = float(text) if text is not None else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{key} is {brief(str(text))}, not a number")
    return value


def _whole(told: Mapping[str, str], key: str, most: int) -> int:
    text = told.get(key, "")
    value = int(text) if text.isdecimal() and len(text) < 20 else _number(told, key)
    if value != int(value) or not 0 <= value < most:
        raise ValueError(f"{key} is {brief(text)}, not a whole number below {most}")
    return int(value)


def _spots_of(found: _Collector) -> Spots:
    ids, frames, labels = (
        np.array(column, np.int64) for column in (found.ids, found.frames, found.labels)
    )
    places = np.array(found.places, np.float64).reshape(-1, 3)
    links = _links(found, ids)
    hidden = np.zeros(len(ids), bool)
    if found.filtered:
        shown = np.isin(links[:, 2], np.array([*found.visible], np.int64))
        hidden[links[~shown, :2]] = True
        links = links[shown]
    kept = np.flatnonzero(~hidden)
    anew = np.cumsum(~hidden) - 1

    def called(place: int) -> str:
        return f"spot {ids[kept[place]]}"

    origins = origins_of_links(frames[kept], anew[links[:, :2]], found.name, called)
    labels, lineage = tracks_of_graph(frames[kept], origins, labels[kept])
    return _assembled(found, lineage, frames[kept], labels, places[kept])


def _links(found: _Collector, ids: Numbers) -> Numbers:
    """Give places of both spots, and the track, of each link, (links, 3)."""
    links = np.array(found.links, np.int64).reshape(-1, 3)
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    for place in np.flatnonzero(np.diff(ordered) == 0)[:1]:
        raise BadInputError(
            f"{found.name}: expected each spot once, found spot {ordered[place]} "
            f"again. Save it anew in TrackMate."
        )
    places = np.searchsorted(ordered, links[:, :2])
    known = places < len(ordered)
    known[known] = ordered[places[known]] == links[:, :2][known]
    if not known.all():
        raise BadInputError(
            f"{found.name}: expected links between its spots, found one to spot "
            f"{links[:, :2][~known][0]}, which is not there. Save it anew in TrackMate."
        )
    links[:, :2] = order[places]
    return links


def _assembled(
    found: _Collector,
    lineage: Lineage,
    frames: Numbers,
    labels: Numbers,
    places: NDArray[np.float64],
) -> Spots:
    height, width, interval = (
        _positive(found.image, key)
        for key in ("pixelheight", "pixelwidth", "timeinterval")
    )
    unit = found.units.get("spatialunits", "")
    size = um(height, unit), um(width, unit)
    count, rows, columns = (
        int(_positive(found.image, key, 0)) for key in ("nframes", "height", "width")
    )
    with np.errstate(over="ignore"):
        places = places / (height, width, math.sqrt(height * width))
    return Spots(
        found.image.get("filename", found.name),
        (max(count, int(frames.max(initial=-1)) + 1), rows, columns),
        lineage,
        frames,
        labels,
        places[:, :2],
        places[:, 2],
        (size[0], size[1]) if size[0] and size[1] else None,
        seconds(interval, found.units.get("timeunits", "")),
    )


def _positive(told: Mapping[str, str], key: str, otherwise: float = 1) -> float:
    """Read what is told of the movie; what makes no sense is taken as unknown."""
    try:
        value = _number(told, key)
    except ValueError:
        return otherwise
    return value if 1e-9 < value < 1e9 else otherwise
