"""Tracked movies to and from a TIFF of labels, with the tracks in a table beside it."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tifffile import OmeXml, TiffFile, TiffWriter, imagej_description

from ...errors import BadInputError
from ...guard import brief, read_text
from ...tracking.intervals import count_frames
from ...tracking.invariants import faults_of_lineage
from ...tracking.lineage import Lineage
from ..movies.opener import open_movie
from .label_stacks import MovieLabels
from .staging import new_target
from .tracked import TrackedMovie, lineage_of_labels

# Above this many pixels a stack may pass the 4 GB that a classic TIFF can hold, labels
# being squeezed to an eighth at worst.
MOST_CLASSIC_BYTES = 8 * 2**32
MOST_DIGITS = 10
# So many that the masks lack are told one by one.
MORE_TRACKS = 1000
COLUMNS = ("label", "first_frame", "last_frame", "frames", "parent")


def tracks_beside(path: Path) -> Path:
    """File of the tracks that belongs to a TIFF of labels."""
    return path.with_name(f"{path.stem}_tracks.csv")


def has_table(path: Path) -> bool:
    """Tell whether the table of the tracks lies beside a TIFF."""
    return tracks_beside(path).is_file()


def write_tiff(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the labels as one TIFF, and ``NAME_tracks.csv`` beside it.

    16-bit ImageJ TIFF while labels fit; from the first label above 65,535 on, or when
    the stack may pass 4 GB, an OME-TIFF of 32 bits. Both say their axes, pixel size and
    frame interval.

    Parameters
    ----------
    tracked
        What to write.
    target
        The file, ``NAME.tif``; neither it nor its table may exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When one of the files exists, or the disk fails.
    BadInputError
        When a frame cannot be read, or has a label that is no track.
    """
    count, height, width = tracked.shape
    size = tracked.pixel_size
    big = count * height * width * 4 > MOST_CLASSIC_BYTES
    largest = max(tracked.lineage.tracks, default=0)
    narrow = not big and largest <= np.iinfo(np.uint16).max
    dtype = np.dtype(np.uint16 if narrow else np.uint32)
    with new_target(target) as draft, new_target(tracks_beside(target)) as table:
        with TiffWriter(draft, bigtiff=big) as writer:
            for frame in range(count):
                labels = tracked.read(frame)
                if labels.max(initial=0) > largest:
                    raise BadInputError(
                        f"{tracked.name}: expected the labels of its tracks, found "
                        f"{labels.max()} in frame {frame}, which is none. Restore it "
                        f"from a copy, or write it anew."
                    )
                writer.write(
                    labels.astype(dtype),
                    photometric="minisblack",
                    compression="zlib",
                    contiguous=False,
                    metadata=None,
                    description=None if frame else "labels",
                    resolution=(1 / size[1], 1 / size[0]) if size else None,
                    resolutionunit="NONE" if size else None,
                )
                if progress is not None:
                    progress(frame + 1, count)
        # Put in at the end: so the same cells give the same bytes in every release.
        text = _as_imagej(tracked) if narrow else _as_ome(tracked, dtype)
        with TiffFile(draft, mode="r+") as tif:
            tif.pages.first.tags["ImageDescription"].overwrite(text)
        with table.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(tracks_as_csv(tracked.lineage))


def _as_imagej(tracked: TrackedMovie) -> str:
    facts: dict[str, Any] = {"unit": "um"} if tracked.pixel_size else {}
    if tracked.frame_interval:
        facts |= {"finterval": tracked.frame_interval, "tunit": "s"}
    return imagej_description(tracked.shape, axes="TYX", **facts)


def _as_ome(tracked: TrackedMovie, dtype: np.dtype[Any]) -> str:
    facts: dict[str, Any] = {"axes": "TYX", "Name": tracked.name}
    if tracked.pixel_size:
        y, x = tracked.pixel_size
        facts |= {"PhysicalSizeY": y, "PhysicalSizeX": x}
        facts |= {"PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
    if tracked.frame_interval:
        facts |= {"TimeIncrement": tracked.frame_interval, "TimeIncrementUnit": "s"}
    stored = (len(tracked), 1, 1, *tracked.frame_shape, 1)
    xml = OmeXml()
    xml.addimage(dtype, tracked.shape, stored, **facts)
    # The tag holds ASCII: other letters are written as references.
    return xml.tostring().encode("ascii", "xmlcharrefreplace").decode("ascii")


def tracks_as_csv(lineage: Lineage) -> str:
    """Write tracks as lines of label, first and last frame, count of frames, parent."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, track in sorted(lineage.tracks.items()):
        count = count_frames(track.intervals)
        writer.writerow((track.label, track.begin, track.end, count, track.parent))
    return text.getvalue()


def read_tracked_tiff(source: Path) -> TrackedMovie:
    """Read a TIFF of labels and the table beside it, if there; frames lazily.

    Every frame is looked at once, for which labels are in it. Parents come from
    ``NAME_tracks.csv``; without it no track has one.

    Parameters
    ----------
    source
        The file: labels of 8, 16 or 32 bits, (T, Y, X).

    Raises
    ------
    BadInputError
        When it is no TIFF of labels, damaged, has channels or slices, or the table does
        not agree with it.
    """
    movie = open_movie(source)
    labels = MovieLabels(movie)
    table = tracks_beside(source)
    lineage = lineage_of_labels(labels.painted())
    if table.exists():
        rows = read_tracks(table, len(lineage.tracks))
        for label in rows.keys() & lineage.tracks.keys():
            track = lineage.tracks[label]
            lineage.put(replace(track, parent=rows[label].parent))
        for fault in _faults(rows, lineage, len(movie)):
            raise BadInputError(
                f"{table.name}: {fault} Correct the table, or take it away to read the "
                f"labels without parents."
            )
    return TrackedMovie(
        movie.name,
        labels.shape,
        labels.read,
        lineage,
        movie.pixel_size,
        movie.frame_interval,
    )


class Row(NamedTuple):
    """A line of the table of tracks; frames are counted from 0."""

    first: int
    last: int
    frames: int
    parent: int


def read_tracks(path: Path, tracks: int) -> dict[int, Row]:
    """Read the table that lies beside a TIFF of labels, by label.

    Parameters
    ----------
    path
        The table.
    tracks
        Labels that the masks have; a table of far more is not read to its end.

    Raises
    ------
    BadInputError
        When it is no such table, or a line is malformed or double.
    """
    rows: dict[int, Row] = {}
    try:
        reader = csv.reader(read_text(path).splitlines())
        names = next(reader, [])
        missing = sorted(set(COLUMNS) - set(names))
        if missing:
            raise BadInputError(
                f"{path}: expected the columns {', '.join(COLUMNS)}, found none named "
                f"{missing[0]}. Restore the file, or take it away."
            )
        places = [names.index(column) for column in COLUMNS]
        for line in filter(None, reader):
            if len(line) <= max(places):
                line += [""] * len(names)
            if len(rows) > tracks + MORE_TRACKS:
                raise BadInputError(
                    f"{path}: expected the {tracks} tracks of the masks, found more "
                    f"than {len(rows)}. Restore the file, or take it away."
                )
            label, *rest = [_number(path, reader.line_num, line[n]) for n in places]
            if label in rows:
                raise BadInputError(
                    f"{path}: expected each track once, found {label} again in line "
                    f"{reader.line_num}. Correct the table."
                )
            rows[label] = Row(*rest)
    except csv.Error as error:
        raise BadInputError(
            f"{path} cannot be read as a table ({brief(error)}). Restore the file, or "
            f"take it away."
        ) from error
    return rows


def _number(path: Path, line: int, text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS):
        raise BadInputError(
            f"{path}: expected whole numbers from 0 in line {line}, found "
            f"'{brief(text)}'. Correct the line."
        )
    return int(text)


def _faults(rows: dict[int, Row], lineage: Lineage, frames: int) -> Iterator[str]:
    """Go through all in which table and labels do not agree, as sentences."""
    for label in sorted(rows.keys() ^ lineage.tracks.keys()):
        there, lacks = ("table", "masks") if label in rows else ("masks", "table")
        yield f"cell {label} is in the {there} but not in the {lacks}."
    for label, track in sorted(lineage.tracks.items()):
        found = Row(track.begin, track.end, count_frames(track.intervals), track.parent)
        if found != rows[label]:
            yield (
                f"cell {label} should be in {rows[label].frames} of the frames "
                f"{rows[label].first} to {rows[label].last}, but has pixels in "
                f"{found.frames} of the frames {found.first} to {found.last}."
            )
    yield from faults_of_lineage(lineage, frames)
