"""Write tracked movies as TrackMate XML: spots with outlines, links, tracks."""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, TextIO
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels
from .cell_graph import CellGraph, graph_of_lineage
from .measuring import measure
from .rois import outlines
from .staging import new_target
from .tracked import TrackedMovie

# The release of TrackMate whose files look like this.
TRACKMATE = "7.11.1"
# Our label, as a number that TrackMate keeps and shows with each spot.
LABEL = "CELL_LABEL"
PIXEL, FRAME = "pixel", "frame"
UM, SECOND = "µm", "sec"

# Name, shown name, short name, dimension, whether it is a whole number.
_SPOT = (
    ("QUALITY", "Quality", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "T", "TIME", False),
    ("FRAME", "Frame", "Frame", "NONE", True),
    ("RADIUS", "Radius", "R", "LENGTH", False),
    ("VISIBILITY", "Visibility", "Visibility", "NONE", True),
    ("AREA", "Area", "Area", "AREA", False),
    (LABEL, "Cell label", "Label", "NONE", True),
)
_EDGE = (
    ("SPOT_SOURCE_ID", "Source spot ID", "Source ID", "NONE", True),
    ("SPOT_TARGET_ID", "Target spot ID", "Target ID", "NONE", True),
    ("LINK_COST", "Edge cost", "Cost", "COST", False),
)
_TRACK = (
    ("TRACK_INDEX", "Track index", "Index", "NONE", True),
    ("TRACK_ID", "Track ID", "ID", "NONE", True),
)
# Bytes in which its first element is.
_BEGIN = 1024
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_trackmate(path: Path) -> bool:
    """Tell whether a file is XML of TrackMate, by its begin."""
    if not path.is_file() or path.suffix.lower() != ".xml":
        return False
    with path.open("rb") as stream:
        return b"<TrackMate" in stream.read(_BEGIN)


def write_trackmate(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a TrackMate XML file.

    A spot is a cell, with the outline of its largest piece; a track of TrackMate is a
    whole tree of descent. Lengths are in um and times in s where these are known, else
    in px and frames.

    Parameters
    ----------
    tracked
        What to write.
    target
        The file, ``NAME.xml``; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the file exists, or the disk fails.
    """
    graph = graph_of_lineage(tracked.lineage)
    with (
        new_target(target) as draft,
        draft.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        _write_head(stream, tracked, len(graph))
        for frame in range(len(tracked)):
            stream.write(f'<SpotsInFrame frame="{frame}">\n')
            stream.writelines(_spots(tracked, frame, graph))
            stream.write("</SpotsInFrame>\n")
            if progress is not None:
                progress(frame + 1, len(tracked))
        stream.write("</AllSpots>\n")
        _write_tracks(stream, graph)
        stream.write("</Model>\n")
        _write_settings(stream, tracked)
        stream.write("</TrackMate>\n")


def _tag(
    element: str, attributes: Mapping[str, Any] = _NOTHING, *, close: bool = True
) -> str:
    """Write the begin of an element, or all of an empty one."""
    text = "".join(
        f" {key}={quoteattr(_NO_XML.sub('?', str(value)))}"
        for key, value in attributes.items()
    )
    return f"<{element}{text}{'/' if close else ''}>\n"


def _write_head(stream: TextIO, tracked: TrackedMovie, count: int) -> None:
    units = {
        "spatialunits": UM if tracked.pixel_size else PIXEL,
        "timeunits": SECOND if tracked.frame_interval else FRAME,
    }
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(_tag("TrackMate", {"version": TRACKMATE}, close=False))
    own = version("napari-semiconv")
    stream.write(f"<Log>Written by napari-semiconv {own}.</Log>\n")
    stream.write(_tag("Model", units, close=False))
    stream.write("<FeatureDeclarations>\n")
    for group, features in (("Spot", _SPOT), ("Edge", _EDGE), ("Track", _TRACK)):
        stream.write(f"<{group}Features>\n")
        for feature, name, short, dimension, whole in features:
            facts = {"feature": feature, "name": name, "shortname": short}
            facts |= {"dimension": dimension, "isint": str(whole).lower()}
            stream.write(_tag("Feature", facts))
        stream.write(f"</{group}Features>\n")
    stream.write("</FeatureDeclarations>\n")
    stream.write(_tag("AllSpots", {"nspots": count}, close=False))


def _spots(tracked: TrackedMovie, frame: int, graph: CellGraph) -> Iterator[str]:
    """Write the cells of a frame; the id of a spot is its place in the graph."""
    labels = tracked.read(frame)
    found = measure(labels, None, [])
    height, width = tracked.pixel_size or (1.0, 1.0)
    shapes = _shapes(labels)
    time = frame * (tracked.frame_interval or 1.0)
    begin = graph.places(frame).start
    for number, (label, area, (y, x)) in enumerate(
        zip(found.labels, found.pixels, found.centroids, strict=True)
    ):
        corners = (shapes[label] - (x, y)) * (width, height)
        radius = np.sqrt(area * height * width / np.pi)
        yield (
            f'<Spot ID="{begin + number}" name="Cell {label}" FRAME="{frame}" '
            f'QUALITY="1.0" VISIBILITY="1" POSITION_T="{time:.9g}" '
            f'POSITION_X="{x * width:.9g}" POSITION_Y="{y * height:.9g}" '
            f'POSITION_Z="0.0" RADIUS="{radius:.9g}" '
            f'AREA="{area * height * width:.9g}" {LABEL}="{label}" '
            f'ROI_N_POINTS="{len(corners)}">'
            # TrackMate takes no space before the first number.
            f"{' '.join([f'{value:.6g}' for value in corners.ravel().tolist()])}"
            f"</Spot>\n"
        )


def _shapes(labels: Labels) -> dict[int, NDArray[np.float64]]:
    """Find the outline of the largest piece of each cell, (corners, 2), x before y.

    The centre of the first pixel is 0, 0.
    """
    found: dict[int, tuple[float, NDArray[np.float64]]] = {}
    for name, outline in outlines(labels):
        label = int(name.partition("-")[0])
        x, y = (outline.astype(np.float64) - 0.5).T
        area = abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1)))
        if label not in found or area > found[label][0]:
            found[label] = area, np.stack([x, y], 1)
    return {label: outline for label, (_, outline) in found.items()}


def _write_tracks(stream: TextIO, graph: CellGraph) -> None:
    links = graph.links()
    families = graph.families()[links[:, 1]]
    order = np.argsort(families, kind="stable")
    links, families = links[order], families[order]
    ids, begins = np.unique(families, return_index=True)
    stream.write("<AllTracks>\n")
    for index, pairs in enumerate(np.split(links, begins[1:]) if len(ids) else ()):
        track = int(ids[index])
        facts = {"name": f"Track_{track}", "TRACK_INDEX": index, "TRACK_ID": track}
        stream.write(_tag("Track", facts, close=False))
        stream.writelines(
            f'<Edge SPOT_SOURCE_ID="{source}" SPOT_TARGET_ID="{later}" '
            f'LINK_COST="-1.0"/>\n'
            for source, later in pairs.tolist()
        )
        stream.write("</Track>\n")
    stream.write("</AllTracks>\n<FilteredTracks>\n")
    stream.writelines(f'<TrackID TRACK_ID="{track}"/>\n' for track in ids.tolist())
    stream.write("</FilteredTracks>\n")


def _write_settings(stream: TextIO, tracked: TrackedMovie) -> None:
    height, width = tracked.pixel_size or (1.0, 1.0)
    path = None if tracked.movie is None else tracked.movie.path
    image = {
        "filename": tracked.name if path is None else path.name,
        "folder": "" if path is None else path.absolute().parent,
        "width": tracked.shape[2],
        "height": tracked.shape[1],
        "nslices": 1,
        "nframes": tracked.shape[0],
        "pixelwidth": width,
        "pixelheight": height,
        "voxeldepth": 1.0,
        "timeinterval": tracked.frame_interval or 1.0,
    }
    crop = {
        "xstart": 0,
        "xend": tracked.shape[2] - 1,
        "ystart": 0,
        "yend": tracked.shape[1] - 1,
        "zstart": 0,
        "zend": 0,
        "tstart": 0,
        "tend": tracked.shape[0] - 1,
    }
    quality = {"feature": "QUALITY", "value": 0.0, "isabove": "true"}
    stream.write("<Settings>\n")
    stream.write(_tag("ImageData", image))
    stream.write(_tag("BasicSettings", crop))
    detector = {"DETECTOR_NAME": "MANUAL_DETECTOR", "RADIUS": 1.0}
    stream.write(_tag("DetectorSettings", detector))
    stream.write(_tag("InitialSpotFilter", quality))
    stream.write(_tag("SpotFilterCollection"))
    stream.write(_tag("TrackerSettings", {"TRACKER_NAME": "MANUAL_TRACKER"}))
    stream.write(_tag("TrackFilterCollection"))
    for kind in ("Spot", "Edge", "Track"):
        opening = "<AnalyzerCollection>\n" if kind == "Spot" else ""
        stream.write(f"{opening}<{kind}Analyzers/>\n")
    stream.write("</AnalyzerCollection>\n</Settings>\n")
    stream.write(_tag("GUIState", {"state": "ConfigureViews"}))
