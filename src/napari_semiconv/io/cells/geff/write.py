"""Write tracked movies as GEFF: a graph of cells, and their labels beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadInputError
from ....tracking.lineage import Track
from ..cell_graph import CellGraph, Numbers, graph_of_lineage
from ..measuring import measure
from ..ome_zarr import LEVEL, new_label_image
from ..own_tracks import OWN
from ..staging import check_free, new_target
from ..tracked import TrackedMovie

# Names of the properties of a cell.
FRAME, ROW, COLUMN = "t", "y", "x"
SEGMENT, TRACK, AREA = "seg_id", "track", "area"
BRANCH, FAMILY = "tracklet_id", "lineage_id"
CONFIRMED, PARENT_CONFIRMED = "confirmed", "parent_confirmed"
OWN_VERSION = 1

# Unit, name and description of each property.
_MEANINGS: dict[str, tuple[str | None, str, str]] = {
    FRAME: ("frame", "frame", "index of the frame, from 0"),
    ROW: ("pixel", "y", "mean row of the pixels; the centre of the first pixel is 0"),
    COLUMN: ("pixel", "x", "mean column of the pixels"),
    SEGMENT: (None, "segment", "value of the cell's pixels in the labels"),
    TRACK: (None, "track", "track in napari-semiconv; ends at a division"),
    AREA: ("pixel", "area", "number of pixels"),
    BRANCH: (None, "tracklet", "path without branches, as long as can be"),
    FAMILY: (None, "lineage", "tree of descent"),
    CONFIRMED: (None, "confirmed", "the user confirmed the cell"),
    PARENT_CONFIRMED: (
        None,
        "parent confirmed",
        "the user confirmed where the track of this first cell comes from",
    ),
}


def labels_beside(target: Path) -> Path:
    """Name the folder of the labels that belong to a GEFF."""
    name = target.name
    return target.with_name(f"{name.removesuffix('.geff') or name}_labels.zarr")


def write_geff(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a GEFF of all cells and links, and ``NAME_labels.zarr`` beside it.

    Cells lie in px and frames; the axes say how many um and s these are. Labels are an
    OME-Zarr 0.5 label image, to which the GEFF refers by a relative path.

    Parameters
    ----------
    tracked
        What to write.
    target
        The folder, ``NAME.geff``; neither it nor that of the labels may exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When one of the folders exists, or the disk fails.
    BadInputError
        When tracks and labels do not agree.
    """
    beside = labels_beside(target)
    check_free(target)
    check_free(beside)
    graph = graph_of_lineage(tracked.lineage)
    values = _properties(graph, tracked)
    with new_target(target) as draft, new_target(beside) as labels:
        array = new_label_image(labels, tracked)
        for frame in range(len(tracked)):
            pixels = tracked.read(frame)
            array[frame] = pixels
            _measure(pixels, frame, graph, values)
            if progress is not None:
                progress(frame + 1, len(tracked))
        _write_graph(draft, graph, values, _metadata(tracked, beside))


def _measure(
    pixels: NDArray[np.int32],
    frame: int,
    graph: CellGraph,
    values: dict[str, NDArray[Any]],
) -> None:
    """Fill in place and size of the cells of a frame."""
    places = graph.places(frame)
    found = measure(pixels, None, [])
    if found.labels != graph.labels[places].tolist():
        other = sorted({*found.labels} ^ {*graph.labels[places].tolist()})
        raise BadInputError(
            f"Frame {frame}: expected the cells that the tracks tell, found cell "
            f"{other[0]} in the tracks or the labels alone. Check the project."
        )
    values[ROW][places], values[COLUMN][places] = found.centroids.T
    values[AREA][places] = found.pixels


def _properties(graph: CellGraph, tracked: TrackedMovie) -> dict[str, NDArray[Any]]:
    """Make all properties of the cells, (N,) each; places and sizes are 0."""
    tracks = tracked.lineage.tracks
    confirmed = np.zeros(len(graph), bool)
    parent_confirmed = np.zeros(len(graph), bool)
    for track in tracks.values():
        for first, last in track.confirmed:
            confirmed[_places(graph, track, np.arange(first, last + 1))] = True
        if track.parent_confirmed:
            parent_confirmed[_places(graph, track, np.array([track.begin]))] = True
    labels = graph.labels.astype(np.int32)
    return {
        FRAME: graph.frames.astype(np.int32),
        ROW: np.zeros(len(graph)),
        COLUMN: np.zeros(len(graph)),
        SEGMENT: labels,
        TRACK: labels,
        AREA: np.zeros(len(graph), np.int32),
        BRANCH: graph.branches().astype(np.int32),
        FAMILY: graph.families().astype(np.int32),
        CONFIRMED: confirmed,
        PARENT_CONFIRMED: parent_confirmed,
    }


def _places(graph: CellGraph, track: Track, frames: Numbers) -> Numbers:
    """Find the cells of a track in some of its frames."""
    found = [graph.places(frame) for frame in frames.tolist()]
    places = [
        span.start + np.searchsorted(graph.labels[span], track.label) for span in found
    ]
    return np.array(places, np.int64)


def _metadata(tracked: TrackedMovie, labels: Path) -> dict[str, Any]:
    height, width = tracked.pixel_size or (None, None)
    return {
        "directed": True,
        "axes": [
            _axis(FRAME, "time", tracked.frame_interval, "second"),
            _axis(ROW, "space", height, "micrometer"),
            _axis(COLUMN, "space", width, "micrometer"),
        ],
        "node_props_metadata": {
            key: {
                "identifier": key,
                # The type is told by the values.
                "dtype": "float64",
                "unit": unit,
                "name": name,
                "description": description,
            }
            for key, (unit, name, description) in _MEANINGS.items()
        },
        "edge_props_metadata": {},
        "track_node_props": {"tracklet": BRANCH, "lineage": FAMILY},
        "display_hints": {
            "display_horizontal": COLUMN,
            "display_vertical": ROW,
            "display_time": FRAME,
        },
        "related_objects": [
            {
                "type": "labels",
                "path": f"../{labels.name}/{LEVEL}",
                "node_prop": SEGMENT,
            }
        ],
        "extra": {
            OWN: {
                "version": OWN_VERSION,
                "name": tracked.name,
                "shape": list(tracked.shape),
            }
        },
    }


def _axis(name: str, kind: str, step: float | None, unit: str) -> dict[str, Any]:
    axis: dict[str, Any] = {"name": name, "type": kind}
    axis["unit"] = "frame" if kind == "time" else "pixel"
    if step:
        axis |= {"scale": step, "scaled_unit": unit}
    return axis


def _write_graph(
    folder: Path,
    graph: CellGraph,
    values: dict[str, NDArray[Any]],
    metadata: dict[str, Any],
) -> None:
    # These take seconds to import.
    from geff import GeffMetadata
    from geff.core_io import write_arrays

    write_arrays(
        # A name that begins with ~ would lead to the home folder.
        folder.absolute(),
        node_ids=np.arange(len(graph), dtype=np.uint64),
        node_props={
            name: {"values": column, "missing": None} for name, column in values.items()
        },
        edge_ids=graph.links().astype(np.uint64),
        edge_props={},
        metadata=GeffMetadata.model_validate(metadata),
        zarr_format=2,
    )
