"""The one table of formats that masks and tracks are read from and written to.

Command line, window, evaluation and documentation list what is in it. A new format is
a file in this folder that reads or writes, and a row here. The table itself is light:
what a row names is loaded when it is used.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import BadInputError, BadSettingsError, counted, reason_of
from .format import Format, Keeps

if TYPE_CHECKING:
    from .tracked import TrackedMovie

PROJECT = "project.json"
# What `segment` writes beside a result: which frames of which movie it was made of.
RECORD = "segmentation.json"


def _lost_in_ctc(tracked: "TrackedMovie") -> Iterator[str]:
    yield "Cells get new numbers, from 1 in the order in which they appear."
    gaps = sum(len(track.intervals) > 1 for track in tracked.lineage.tracks.values())
    if gaps:
        has = "has" if gaps == 1 else "have"
        yield (
            f"{counted(gaps, 'track')} {has} gaps: after each the track goes on under "
            f"a new number, with its earlier part as parent."
        )


def _lost_in_ome_zarr(tracked: "TrackedMovie") -> Iterator[str]:
    if _has_parents(tracked):
        yield "Other programs see masks and tracks; parents are read by this one alone."


def _lost_in_trackmate(tracked: "TrackedMovie") -> Iterator[str]:
    yield (
        "Masks become outlines: holes are filled, and of a cell in pieces the largest "
        "is left."
    )


def _lost_in_csv(tracked: "TrackedMovie") -> Iterator[str]:
    yield "Masks become measurements: they cannot be read back as masks."


def _lost_in_rois(tracked: "TrackedMovie") -> Iterator[str]:
    yield "Holes in cells are filled, and each piece of a cell is a region of its own."
    if _has_parents(tracked):
        yield "Parents are not written; a track is known by the number in its names."


def _has_parents(tracked: "TrackedMovie") -> bool:
    return any(track.parent for track in tracked.lineage.tracks.values())


# In the order in which dialogs show them, and in which something is looked at: a GEFF
# is a zarr folder too.
# fmt: off
TABLE: list[Format] = [
    Format(
        "ctc", "Cell Tracking Challenge", "_RES",
        "A folder of 16-bit masks and a table, for evaluation and most trackers.",
        Keeps("yes, at most 65,535", "yes, cells numbered anew", "become new tracks",
              "no", confirmed=False),
        reader="cells.ctc.tracked.read_tracked_ctc",
        writer="cells.ctc.tracked.write_ctc",
        detector="cells.ctc.tracked.is_ctc",
        losses=_lost_in_ctc,
    ),
    Format(
        "tiff", "Labels as TIFF", ".tif",
        "One stack for ImageJ and napari, with the tracks in a table beside it.",
        Keeps("yes", "yes, in a table beside", "yes", "yes", confirmed=False),
        reader="cells.tiff.read_tracked_tiff",
        writer="cells.tiff.write_tiff",
        detector="movies.tiff.is_tiff",
        marks="cells.tiff.has_table",
    ),
    Format(
        "geff", "GEFF", ".geff",
        "The graph of cells, with its labels in a folder beside it, for track editors.",
        Keeps("yes, in a folder beside", "yes", "yes, as links that skip frames", "yes",
              confirmed=True),
        reader="cells.geff.read.read_geff",
        writer="cells.geff.write.write_geff",
        detector="cells.geff.arrays.is_geff",
    ),
    Format(
        "ome-zarr", "OME-Zarr", ".ome.zarr",
        "The movie's channel with the labels inside it, for napari and large data.",
        Keeps("yes", "yes; parents for this program alone", "yes", "yes",
              confirmed=True),
        reader="cells.ome_zarr.read_ome_zarr",
        writer="cells.ome_zarr.write_ome_zarr",
        detector="movies.ome_zarr.is_zarr",
        marks="cells.ome_zarr.has_labels",
        losses=_lost_in_ome_zarr,
        uses_movie=True,
    ),
    Format(
        "trackmate", "TrackMate", ".xml",
        "Outlines, links and tracks for TrackMate in Fiji.",
        Keeps("outlines of the largest piece, holes filled", "yes",
              "yes, as links that skip frames", "yes", confirmed=False),
        writer="cells.trackmate.write_trackmate",
        detector="cells.trackmate.is_trackmate",
        losses=_lost_in_trackmate,
        uses_movie=True,
    ),
    Format(
        "csv", "Tables", "_tables",
        "A folder of two tables for spreadsheets: cells, measured, and tracks.",
        Keeps("no: measured", "yes", "yes", "as units of its columns", confirmed=True),
        writer="cells.tables.write_csv",
        detector="cells.tables.is_csv",
        losses=_lost_in_csv,
        uses_movie=True,
    ),
    Format(
        "rois", "ImageJ regions", "_rois.zip",
        "Outlines of all cells for the ROI Manager of ImageJ.",
        Keeps("outlines, holes filled", "by name, without parents", "yes", "no",
              confirmed=False),
        writer="cells.rois.write_rois",
        detector="cells.rois.is_rois",
        losses=_lost_in_rois,
        uses_movie=True,
    ),
    Format(
        "result", "Old result", "",
        "A folder of the first releases; opening it makes a project of it.",
        Keeps("yes", "yes", "yes", "yes", confirmed=False),
        reader="cells.old_result.read_tracked_result",
        detector="cells.old_result.is_old_result",
    ),
]
# fmt: on


def writable() -> tuple[Format, ...]:
    """List the formats that can be written, in the order of the table."""
    return tuple(form for form in TABLE if form.writer)


def readable() -> tuple[Format, ...]:
    """List the formats whose masks and tracks can be read."""
    return tuple(form for form in TABLE if form.reader)


def names(forms: tuple[Format, ...]) -> tuple[str, ...]:
    """Give what the command line calls some formats."""
    return tuple(form.name for form in forms)


def format_of(name: str) -> Format:
    """Find a format that can be written by its name.

    Raises
    ------
    BadSettingsError
        When there is none.
    """
    for form in writable():
        if form.name == name:
            return form
    raise BadSettingsError(
        f"Format '{name}': expected one of {', '.join(names(writable()))}. Choose one "
        f"of them."
    )


def detect(path: str | Path) -> Format | None:
    """Find the format of a file or folder by its content; None when it has none.

    A project, which is no format but the place where one works, has none. A TIFF or
    an OME-Zarr may be a movie as well; see `cells_in`.

    Raises
    ------
    BadInputError
        When it does not exist or may not be read.
    """
    return _first(Path(path), Format.detects)


def cells_in(path: str | Path) -> Format | None:
    """Find the format of a file or folder that surely holds cells, and is no movie.

    A TIFF does when the table of its tracks lies beside it, an OME-Zarr when labels
    are inside or it is a label image. Tables and regions, which hold no masks, are
    found too.

    Raises
    ------
    BadInputError
        When it does not exist or may not be read.
    """
    return _first(Path(path), Format.surely_detects)


def _first(path: Path, fits: Callable[[Format, Path], bool]) -> Format | None:
    try:
        path.stat()
        if (path / PROJECT).is_file():
            return None
        return next((form for form in TABLE if fits(form, path)), None)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be opened: {reason_of(error)}. Check the path and whether "
            f"you may read it."
        ) from error


def read(path: str | Path) -> "TrackedMovie":
    """Read masks and tracks; what they are is seen from their content.

    Parameters
    ----------
    path
        A file or folder of any format that can be read.

    Returns
    -------
    TrackedMovie
        Frames are read when asked for; which labels are in them was looked at once.

    Raises
    ------
    BadInputError
        When it does not exist, is damaged, breaks a rule of its format, or holds no
        masks and tracks.
    """
    path = Path(path)
    form = detect(path)
    if form is not None:
        return form.read(path)
    if (path / PROJECT).is_file():
        raise BadInputError(
            f"{path.name} is a project, not a result. Open it as it is, or export it."
        )
    wanted = ", ".join(form.title for form in readable())
    raise BadInputError(
        f"{path}: expected masks and tracks in a format that can be read ({wanted}), "
        f"found none of them. Choose the file or folder that holds the masks."
    )


def table() -> str:
    """Lay the table out in Markdown, for the documentation."""
    head = (
        "| Format | For | Masks | Tracks, parents | Gaps | Pixel size, interval "
        "| Confirmed | Read | Written |"
    )
    return "\n".join([head, "|---" * 9 + "|", *map(_row, TABLE)])


def _row(form: Format) -> str:
    keeps = form.keeps
    name = f"**{form.title}**" + (f", `{form.name}`" if form.writer else "")
    cells = [
        *(name, form.description, keeps.masks, keeps.tracks, keeps.gaps, keeps.units),
        *(_yes(keeps.confirmed), _yes(form.reader), _yes(form.writer)),
    ]
    return f"| {' | '.join(cells)} |"


def _yes(value: object) -> str:
    return "yes" if value else "no"
