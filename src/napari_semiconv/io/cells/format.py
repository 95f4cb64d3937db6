"""What a format of masks and tracks is: how it is read, written and recognized."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import BadInputError, BadSettingsError

if TYPE_CHECKING:
    from .tracked import TrackedMovie

Progress = Callable[[int, int], None]
Loss = Callable[["TrackedMovie"], Iterator[str]]


@dataclass(frozen=True)
class Keeps:
    """What a format keeps of masks and tracks, as a table shows it.

    Parameters
    ----------
    masks
        Pixels of the cells.
    tracks
        Which cells are one, and parents.
    gaps
        Frames in which a track has no cell.
    units
        Pixel size and frame interval; begins with "no" when they are lost.
    confirmed
        Whether it says what the user confirmed.
    """

    masks: str
    tracks: str
    gaps: str
    units: str
    confirmed: bool


def _nothing(tracked: "TrackedMovie") -> Iterator[str]:
    return iter(())


@dataclass(frozen=True)
class Format:
    """A format of masks and tracks.

    Parameters
    ----------
    name
        What the command line calls it.
    title
        What a dialog calls it.
    suffix
        What the name of a new file or folder ends in, its dot or underscore included.
    description
        What it is for, in a line.
    keeps
        What it keeps.
    detector, reader, writer
        Module in ``io`` and function that read it, write it and tell whether
        something is it; a reader or writer is empty when there is none.
    marks
        Like ``detector``, for a format that images come in too: tells whether it surely
        holds cells. The detector when empty.
    losses
        Says what is lost besides what ``keeps`` tells.
    uses_movie
        Whether it holds, measures or names the movie, when that is at hand.
    """

    name: str
    title: str
    suffix: str
    description: str
    keeps: Keeps
    detector: str
    reader: str = ""
    writer: str = ""
    marks: str = ""
    losses: Loss = _nothing
    uses_movie: bool = False

    def detects(self, path: Path) -> bool:
        """Tell whether a file or folder is of this format, by its content."""
        return bool(self._load(self.detector)(path))

    def surely_detects(self, path: Path) -> bool:
        """Tell whether a file or folder has cells in this format, and is no movie."""
        return self.detects(path) and bool(
            self._load(self.marks or self.detector)(path)
        )

    def read(self, path: str | Path) -> "TrackedMovie":
        """Read masks and tracks; frames are read when asked for.

        Raises
        ------
        BadInputError
            When it is damaged, breaks a rule of the format, or the format holds no
            masks.
        """
        path = Path(path)
        self.check_readable(path)
        found: TrackedMovie = self._load(self.reader)(path)
        return found

    def check_readable(self, path: Path) -> None:
        """Refuse a file or folder of this format if masks cannot be read from it.

        Raises
        ------
        BadInputError
            When the format is only written.
        """
        if not self.reader:
            raise BadInputError(
                f"{path.name}: expected masks, found the format '{self.title}', which "
                f"is written for other programs and cannot be opened as cells again. "
                f"Open the project, or the masks, that it was made from."
            )

    def write(
        self,
        tracked: "TrackedMovie",
        target: str | Path,
        progress: Progress | None = None,
    ) -> None:
        """Write masks and tracks, whole or not at all.

        Parameters
        ----------
        tracked
            What to write.
        target
            New file or folder; the name must be free.
        progress
            Told the number of frames done and of all.

        Raises
        ------
        SaveError
            When there is something of that name, the format cannot hold the cells, or
            the disk fails.
        BadInputError
            When a frame cannot be read.
        BadSettingsError
            When the format can only be read.
        """
        if not self.writer:
            raise BadSettingsError(
                f"Format '{self.name}': expected one that can be written, found one "
                f"that is only read. Choose another one."
            )
        self._load(self.writer)(tracked, Path(target), progress)

    def lost(self, tracked: "TrackedMovie") -> list[str]:
        """Say what these cells will lose in this format, a sentence each.

        Only what they have is named: without gaps there is no word of gaps. Frames are
        not read.
        """
        return [*self.losses(tracked), *self._common_losses(tracked)]

    def _common_losses(self, tracked: "TrackedMovie") -> Iterator[str]:
        tracks = tracked.lineage.tracks.values()
        if self.keeps.units.startswith("no") and (
            tracked.pixel_size or tracked.frame_interval
        ):
            yield "Pixel size and frame interval are not written."
        confirmed = any(track.confirmed or track.parent_confirmed for track in tracks)
        if confirmed and not self.keeps.confirmed:
            yield "What was confirmed is not written."
        if any(track.scores for track in tracks):
            yield "The scores of cells are not written."

    def _load(self, place: str) -> Callable[..., Any]:
        module, _, function = place.rpartition(".")
        home = import_module(f"..{module}", __package__)
        found: Callable[..., Any] = getattr(home, function)
        return found
