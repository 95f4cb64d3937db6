"""All formats that tracked cells can be written to, and what each cannot hold."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ..errors import BadSettingsError
from ..tracking.lineage import Lineage
from .ctc_tracked import write_ctc
from .geff_write import write_geff
from .ome_zarr_labels import write_ome_zarr
from .rois import write_rois
from .tables import write_csv
from .tiff_tracked import write_tiff
from .tracked import TrackedMovie
from .trackmate import write_trackmate

Write = Callable[[TrackedMovie, Path, Callable[[int, int], None] | None], None]
Lose = Callable[[TrackedMovie], Iterator[str]]


@dataclass(frozen=True)
class ExportFormat:
    """A format that tracked cells can be written to.

    Parameters
    ----------
    name
        What the command line calls it.
    title
        What a dialog calls it.
    suffix
        What the name of the new file or folder ends in, its dot or underscore included.
    description
        What it is for, in a line.
    write
        Writes it: what, where, and who is told of progress.
    lose
        Says what it cannot hold of these cells.
    pixels
        Whether it tells more when the movie is at hand.
    """

    name: str
    title: str
    suffix: str
    description: str
    write: Write
    lose: Lose
    pixels: bool = False


def lost(tracked: TrackedMovie, name: str) -> list[str]:
    """Say what these cells will lose in a format, a sentence each.

    Only what they have is named: without gaps there is no word of gaps.

    Parameters
    ----------
    tracked
        What is to be written; its frames are not read.
    name
        Name of the format.

    Raises
    ------
    BadSettingsError
        When there is no such format.
    """
    return list(format_of(name).lose(tracked))


def format_of(name: str) -> ExportFormat:
    """Find a format by its name.

    Raises
    ------
    BadSettingsError
        When there is none.
    """
    if name not in FORMATS:
        raise BadSettingsError(
            f"Format '{name}': expected one of {', '.join(FORMATS)}. Choose one of "
            f"them."
        )
    return FORMATS[name]


def _lost_in_ctc(tracked: TrackedMovie) -> Iterator[str]:
    yield "Cells get new numbers, from 1 in the order in which they appear."
    gaps = _with_gaps(tracked.lineage)
    if gaps:
        yield (
            f"{_counted(gaps, 'track has', 'tracks have')} gaps: after each the track "
            f"goes on under a new number, with its earlier part as parent."
        )
    yield from _lost_units(tracked)
    yield from _lost_confirmations(tracked)


def _lost_in_tiff(tracked: TrackedMovie) -> Iterator[str]:
    yield from _lost_confirmations(tracked)


def _lost_in_ome_zarr(tracked: TrackedMovie) -> Iterator[str]:
    if any(track.parent for track in tracked.lineage.tracks.values()):
        yield "Other programs see masks and tracks; parents are read by this one alone."
    yield from _lost_scores(tracked)


def _lost_in_geff(tracked: TrackedMovie) -> Iterator[str]:
    yield from _lost_scores(tracked)


def _lost_in_trackmate(tracked: TrackedMovie) -> Iterator[str]:
    yield (
        "Masks become outlines: holes are filled, and of a cell in pieces the largest "
        "is left."
    )
    yield from _lost_confirmations(tracked)


def _lost_in_csv(tracked: TrackedMovie) -> Iterator[str]:
    yield "Masks become measurements: they cannot be read back as masks."
    yield from _lost_scores(tracked)


def _lost_in_rois(tracked: TrackedMovie) -> Iterator[str]:
    yield "Holes in cells are filled, and each piece of a cell is a region of its own."
    if any(track.parent for track in tracked.lineage.tracks.values()):
        yield "Parents are not written; a track is known by the number in its names."
    yield from _lost_units(tracked)
    yield from _lost_confirmations(tracked)


def _lost_units(tracked: TrackedMovie) -> Iterator[str]:
    if tracked.pixel_size or tracked.frame_interval:
        yield "Pixel size and frame interval are not written."


def _lost_confirmations(tracked: TrackedMovie) -> Iterator[str]:
    tracks = tracked.lineage.tracks.values()
    if any(track.confirmed or track.parent_confirmed for track in tracks):
        yield "What was confirmed is not written."
    yield from _lost_scores(tracked)


def _lost_scores(tracked: TrackedMovie) -> Iterator[str]:
    if any(track.scores for track in tracked.lineage.tracks.values()):
        yield "The scores of cells are not written."


def _with_gaps(lineage: Lineage) -> int:
    return sum(len(track.intervals) > 1 for track in lineage.tracks.values())


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


_ALL = (
    ExportFormat(
        "ctc",
        "Cell Tracking Challenge",
        "_RES",
        "A folder of 16-bit masks and a table, for evaluation and most trackers.",
        write_ctc,
        _lost_in_ctc,
    ),
    ExportFormat(
        "tiff",
        "Labels as TIFF",
        ".tif",
        "One stack for ImageJ and napari, with the tracks in a table beside it.",
        write_tiff,
        _lost_in_tiff,
    ),
    ExportFormat(
        "ome-zarr",
        "OME-Zarr",
        ".ome.zarr",
        "The movie's channel with the labels inside it, for napari and large data.",
        write_ome_zarr,
        _lost_in_ome_zarr,
        pixels=True,
    ),
    ExportFormat(
        "geff",
        "GEFF",
        ".geff",
        "The graph of cells, with its labels in a folder beside it, for track editors.",
        write_geff,
        _lost_in_geff,
    ),
    ExportFormat(
        "trackmate",
        "TrackMate",
        ".xml",
        "Outlines, links and tracks for TrackMate in Fiji.",
        write_trackmate,
        _lost_in_trackmate,
    ),
    ExportFormat(
        "csv",
        "Tables",
        "_tables",
        "A folder of two tables for spreadsheets: cells, measured, and tracks.",
        write_csv,
        _lost_in_csv,
        pixels=True,
    ),
    ExportFormat(
        "rois",
        "ImageJ regions",
        "_rois.zip",
        "Outlines of all cells for the ROI Manager of ImageJ.",
        write_rois,
        _lost_in_rois,
    ),
)
FORMATS: Mapping[str, ExportFormat] = MappingProxyType({f.name: f for f in _ALL})
