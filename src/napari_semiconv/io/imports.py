"""Read tracked cells of any format: the one door for results to be corrected."""

from pathlib import Path

from ..errors import BadInputError
from ..safe import reason_of
from .ctc_masks import RESULT_MASK, TRUTH_MASK, numbered_masks
from .ctc_table import RESULT_TABLE, TRUTH_TABLE
from .ctc_tracked import read_tracked_ctc
from .geff import read_geff
from .geff_columns import is_geff
from .guard import check_regular
from .ome_zarr import is_zarr
from .ome_zarr_labels import read_ome_zarr
from .result_tracked import read_tracked_result
from .results import INFO
from .tiff import MAGIC
from .tiff_tracked import read_tracked_tiff
from .tracked import TrackedMovie

PROJECT = "project.json"
# Formats that hold too little to make masks of, by suffix.
EXPORTS = {".xml": "TrackMate XML", ".csv": "a table", ".zip": "ImageJ regions"}


def read_tracked(path: str | Path) -> TrackedMovie:
    """Read masks and tracks; what they are is seen from their content.

    Parameters
    ----------
    path
        A folder of the Cell Tracking Challenge (``01_RES``, ``01_GT``), a TIFF of
        labels, OME-Zarr labels or an image that holds them, a GEFF that refers to its
        labels, or a result folder ``NAME.semiconv``.

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
    try:
        return _read_folder(path) if path.is_dir() else _read_file(path)
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be opened: {reason_of(error)}. Check the path and whether "
            f"you may read it."
        ) from error


def _read_folder(path: Path) -> TrackedMovie:
    if (path / PROJECT).is_file():
        raise BadInputError(
            f"{path.name} is a project, not a result. Open it as it is, or export it."
        )
    if (path / INFO).is_file():
        return read_tracked_result(path)
    if _is_ctc(path) or _is_ctc(path / "TRA"):
        return read_tracked_ctc(path)
    if is_geff(path):
        return read_geff(path)
    if is_zarr(path):
        return read_ome_zarr(path)
    raise BadInputError(
        f"{path}: expected masks of the Cell Tracking Challenge, OME-Zarr labels, a "
        f"GEFF or a result of this program, found none of them. Choose the folder that "
        f"holds the masks."
    )


def _is_ctc(folder: Path) -> bool:
    if any((folder / table).is_file() for table in (RESULT_TABLE, TRUTH_TABLE)):
        return True
    return any(numbered_masks(folder, mask) for mask in (RESULT_MASK, TRUTH_MASK))


def _read_file(path: Path) -> TrackedMovie:
    check_regular(path)
    with path.open("rb") as stream:
        head = stream.read(4)
    if head.startswith(MAGIC):
        return read_tracked_tiff(path)
    kind = EXPORTS.get(path.suffix.lower())
    if kind:
        raise BadInputError(
            f"{path.name}: expected masks, found {kind}, which cannot be turned back "
            f"into them. Import the masks it was made with."
        )
    raise BadInputError(
        f"{path.name}: expected a TIFF of labels, found something else. Save the "
        f"labels as TIFF, or choose the folder of a result."
    )
