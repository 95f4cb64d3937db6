"""What is kept beside a taught model: whence it comes, and how it did."""

from pathlib import Path

from pydantic import Field

from ..errors import BadInputError, BadModelError, counted
from ..guard import read_json
from ..safe import write_json_safely
from ..settings import Settings
from .settings import TeachSettings

RECORD, PICTURES = "teaching.json", "checks.npz"
FORMAT, VERSION = "napari-semiconv teaching", 1
LARGEST = 1 << 20  # bytes; a record has a few thousand


class ScoreRecord(Settings):
    """Score of the cells held out, as in `CheckScore`."""

    cells: int = Field(0, ge=0)
    found: float = Field(0.0, ge=0)
    false: int = Field(0, ge=0)

    @property
    def masks(self) -> float:
        """Mean Jaccard index of the cells."""
        return self.found / self.cells if self.cells else 0.0


class TeachRecord(Settings):
    """Whence a taught model comes, and how it did.

    ``parent`` and ``parent_sha256`` name the model that was taught, ``projects`` are
    those it learned from, ``facts`` counts of what there was to learn from; ``before``
    and ``after`` are scores of the cells held out, ``replay`` the loss on simulated
    cells before and after, ``step`` that of the weights taken, ``seconds`` what it all
    took. ``better`` is None when nothing could be checked; ``note`` is the user's.
    """

    format: str = FORMAT
    version: int = VERSION
    parent: str
    parent_sha256: str
    projects: tuple[str, ...]
    facts: dict[str, int]
    notes: tuple[str, ...] = ()
    before: ScoreRecord
    after: ScoreRecord
    replay: tuple[float, float] | None = None
    settings: TeachSettings
    step: int
    better: bool | None
    forgets: bool = False
    cell_size: float
    seconds: float
    made: str
    note: str = ""

    def verdict(self) -> str:
        """Say in a sentence or two how it did, and whether it is to be kept."""
        before, after = self.before, self.after
        if self.better is None:
            return (
                "Nothing was held out to check it with: preview a frame before you "
                "keep it."
            )
        cells = counted(after.cells, "cell")
        facts = f"Masks of {cells} it did not see: {before.masks:.2f} before, "
        facts += f"{after.masks:.2f} now"
        if before.false or after.false:
            facts += f"; false cells {before.false} before, {after.false} now"
        if not self.better:
            return f"{facts}. It is no better: discard it, or correct more cells."
        other = " It may know other kinds of cells less well." if self.forgets else ""
        return f"{facts}. It is better: keep it.{other}"


def write_record(folder: Path, record: TeachRecord) -> None:
    """Write the record of a model folder.

    Raises
    ------
    SaveError
        When it could not be written.
    """
    write_json_safely(folder / RECORD, record.model_dump(mode="json"))


def read_record(folder: Path) -> TeachRecord | None:
    """Read the record of a model folder; None when the model was not taught here.

    Raises
    ------
    BadModelError
        When it is damaged, or of a newer release.
    """
    path = folder / RECORD
    try:
        if not path.exists():
            return None
        value = read_json(path, LARGEST)
        if (value["format"], value["version"]) != (FORMAT, VERSION):
            raise BadModelError(
                f"{path}: expected {FORMAT} version {VERSION}, found "
                f"{value['format']} version {value['version']}. Update napari-semiconv "
                f"to use this model."
            )
        return TeachRecord.model_validate(value)
    except (BadInputError, OSError, ValueError, KeyError, TypeError) as error:
        raise BadModelError(
            f"{path}: expected the record of a teaching, found a damaged file "
            f"({type(error).__name__}). Copy the model folder again."
        ) from error
