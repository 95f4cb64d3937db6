"""Results of the first releases: read to be converted, no longer written.

::

    NAME.semiconv/
        result.json    movie, settings, model, state
        labels.zarr    (T, Y, X), int32, one chunk per frame
        tracks.json    tracks and parents
"""

import json
from pathlib import Path
from typing import Any

from ...errors import BadInputError
from ...guard import brief, check_parts, read_text
from ...tracking.intervals import joined
from ...tracking.invariants import faults_of_lineage
from ...tracking.lineage import Lineage, Track
from .label_stacks import open_stack
from .tracked import TrackedMovie, lineage_of_labels

INFO, TRACKS, LABELS = "result.json", "tracks.json", "labels.zarr"
FORMAT, VERSION = "napari-semiconv result", 1


def is_old_result(folder: Path) -> bool:
    """Tell whether a folder holds a result of the first releases."""
    return (folder / INFO).is_file()


def read_tracked_result(source: Path) -> TrackedMovie:
    """Read a result folder, also one of a run that was stopped; frames lazily.

    Every frame that was computed is looked at once, for which labels are in it. Of a
    run that was stopped or broke off, frames may be there that its tracks do not know
    yet: what has pixels is taken as it is.

    Parameters
    ----------
    source
        The folder ``NAME.semiconv``.

    Raises
    ------
    BadInputError
        When it is damaged, or its tracks do not agree with its labels.
    """
    facts, known = _facts(source), _tracks(source)
    labels = open_stack(source / LABELS).labels
    frames = labels.shape[0]
    parents = {track.label: track.parent for track in known.tracks.values()}
    lineage = lineage_of_labels(labels.painted(), parents)
    if facts["state"] == "finished" and lineage != known:
        other = known.tracks.keys() ^ lineage.tracks.keys() or {
            n for n, track in known.tracks.items() if track != lineage.tracks[n]
        }
        raise BadInputError(
            f"{source}: expected cell {min(other)} in the frames that the tracks "
            f"tell, found other frames in the labels. Restore the folder, or segment "
            f"the movie again."
        )
    for fault in faults_of_lineage(lineage, frames):
        raise BadInputError(f"{source}: {fault} Segment the movie again.")
    return TrackedMovie(
        facts["name"],
        labels.shape,
        labels.read,
        lineage,
        facts["pixel_size"],
        facts["interval"],
    )


def movie_of_result(source: Path) -> Path | None:
    """Where the movie of a result was; None when it never was a file.

    Raises
    ------
    BadInputError
        When the record of the result is damaged.
    """
    path = _facts(source)["path"]
    return None if path is None else Path(path)


def _facts(source: Path) -> dict[str, Any]:
    value = _read_json(source / INFO)
    found = value.get("format"), value.get("version")
    if found != (FORMAT, VERSION):
        raise BadInputError(
            f"{source}: expected {FORMAT} version {VERSION}, found {found[0]} version "
            f"{found[1]}. If a newer release wrote it, update napari-semiconv."
        )
    try:
        movie = value["movie"]
        size, interval = movie["pixel_size"], movie["frame_interval"]
        return {
            "name": str(movie["name"]),
            "path": None if movie["path"] is None else str(movie["path"]),
            "pixel_size": None if size is None else (float(size[0]), float(size[1])),
            "interval": None if interval is None else float(interval),
            "state": str(value["state"]),
        }
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadInputError(
            f"{source}: {INFO} is damaged ({brief(error)}). Restore that file, or "
            f"segment the movie again."
        ) from error


def _tracks(source: Path) -> Lineage:
    value = _read_json(source / TRACKS)
    try:
        return Lineage(
            Track(
                int(row["label"]),
                joined((int(first), int(last)) for first, last in row["frames"]),
                int(row["parent"]),
            )
            for row in value["tracks"]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInputError(
            f"{source}: the tracks in {TRACKS} are damaged. Restore that file, or "
            f"segment the movie again."
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        text = read_text(path)
        check_parts(path.name, text)
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError("no named values")
    except (BadInputError, ValueError, RecursionError) as error:
        raise BadInputError(
            f"{path.parent}: expected a result with {path.name}, found none that can "
            f"be read. Choose another folder."
        ) from error
    return value
