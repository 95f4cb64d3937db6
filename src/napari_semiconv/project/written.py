"""How far the masks on the disk are ahead of the tracks beside them."""

from pathlib import Path

from ..edits.journal import Journal
from ..errors import BadInputError
from ..guard import read_json
from ..safe import checked, write_checked_json

WRITTEN = "written.json"


class Written:
    """How many entries of the journal the masks on the disk may have in them.

    Frames are written whenever memory is short, before the tracks are. Should the
    journal be damaged then, this tells whether the frames can still be relied on.

    Parameters
    ----------
    folder
        The project; looked at before its journal is, which may grow.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / WRITTEN
        self._known = self._read()

    @property
    def is_known(self) -> bool:
        """Whether that is known; projects of the first releases do not tell."""
        return self._known is not None

    def note(self, journal: Journal) -> None:
        """Have the journal on the disk, and how far it goes, before the masks.

        Raises
        ------
        SaveError
            When they cannot be written.
        """
        journal.sync()
        last = journal.last
        if self._known != last:
            # No need to wait for the disk: should the power fail, the journal is there.
            write_checked_json(self._path, {"entries": last}, sync=False)
            self._known = last

    def is_newer_than(self, last: int, *, cut: bool) -> bool:
        """Tell whether the masks may have more in them than the entries up to one.

        Parameters
        ----------
        last
            The last entry that can be read, or that the tracks have in them.
        cut
            Whether there were entries after it: reason enough where nothing is told.
        """
        return cut if self._known is None else self._known > last

    def _read(self) -> int | None:
        try:
            return int(checked(read_json(self._path))["entries"])
        except (BadInputError, ValueError, LookupError, TypeError):
            return None
