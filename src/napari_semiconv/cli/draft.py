"""Results are written apart from an earlier one and take its place when complete."""

import re
import shutil
from pathlib import Path

from ..errors import SaveError
from ..safe import saving

UNFINISHED = "unfinished"
RECORD = "segmentation.json"
# What a result folder may hold; anything else is somebody else's.
OURS = re.compile(
    r"(mask\d+\.tif|res_track\.txt|labels\.tif|labels_tracks\.csv"
    rf"|{re.escape(RECORD)})(\.part)?|\.part|\.old|{UNFINISHED}"
)


class Draft:
    """A folder inside the output folder whose files become the result.

    It lies inside, not beside, so that both are on the same disk.

    Parameters
    ----------
    folder
        Output folder: missing, empty, or with an earlier result.
    overwrite
        Whether an earlier result may be replaced.

    Raises
    ------
    SaveError
        When the output folder holds anything else, or an earlier result that may not
        be replaced, or cannot be written.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self.folder = folder
        self.path = folder / UNFINISHED
        self._made_folder = not folder.exists()
        _refuse_foreign(folder)
        if not overwrite:
            _refuse_result(folder)
        with saving(folder):
            if self.path.exists():
                shutil.rmtree(self.path)
            self.path.mkdir(parents=True)

    @property
    def replaces(self) -> bool:
        """Whether there is an earlier result."""
        return any(path != self.path for path in self.folder.iterdir())

    def publish(self) -> None:
        """Put what was written in the place of an earlier result.

        Raises
        ------
        SaveError
            When files cannot be moved.
        """
        fresh = {path.name for path in self.path.iterdir()}
        try:
            for path in self.folder.iterdir():
                if path != self.path and path.name not in fresh:
                    path.unlink()
            for name in sorted(fresh):
                (self.path / name).replace(self.folder / name)
            self.path.rmdir()
        except OSError as error:
            raise SaveError(
                f"The result is complete but could not be moved from {self.path} to "
                f"{self.folder} ({error.strerror}). Move its files by hand."
            ) from error

    def discard(self) -> None:
        """Delete what was written; an earlier result stays as it is."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._made_folder and not any(self.folder.iterdir()):
            self.folder.rmdir()


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise SaveError(
            f"Output folder {folder}: expected a folder, found a file. Choose another "
            f"name."
        )
    found = _names(folder)
    foreign = {name for name in found if not OURS.fullmatch(name)}
    # Another program's result can have the same file names, but not our record.
    if RECORD not in found:
        foreign |= found - {UNFINISHED}
    foreign |= {n for n in _names(folder / UNFINISHED) if not OURS.fullmatch(n)}
    if foreign:
        raise SaveError(
            f"Output folder {folder}: expected it to be empty or to hold an earlier "
            f"result of this program, found '{min(foreign)}'. Choose another folder."
        )


def _refuse_result(folder: Path) -> None:
    # What a killed run leaves has no record yet, and stands in nobody's way.
    for place in (folder, folder / UNFINISHED):
        if RECORD in _names(place):
            raise SaveError(
                f"Output folder {folder}: expected none or an empty one, found an "
                f"earlier result in {place}. Choose another folder, or replace it with "
                f"--overwrite."
            )


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
