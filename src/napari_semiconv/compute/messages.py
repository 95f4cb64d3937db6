"""What the window and the computing child say to one another, one JSON line each."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import Field, TypeAdapter

from ..io.movies.opener import open_movie
from ..movie import Movie, ZChoice
from ..settings import SegmentSettings, Settings
from ..teaching.settings import TeachSettings

# Bytes of a line; the longest ones name the daughters of a frame of dividing cells.
MOST_LINE = 2**22


class MovieChoice(Settings):
    """Which movie to compute on, and how its axes were understood."""

    path: Path
    name: str
    axes: str
    channel: int = 0
    z: ZChoice = "max"
    pixel_size: tuple[float, float] | None = None
    frame_interval: float | None = None

    @classmethod
    def of(cls, movie: Movie, path: Path) -> "MovieChoice":
        """Describe a movie to the child, which finds it at ``path``."""
        return cls(
            path=path,
            name=movie.name,
            axes=movie.axes,
            channel=movie.channel,
            z=movie.z,
            pixel_size=movie.pixel_size,
            frame_interval=movie.frame_interval,
        )

    def open(self) -> Movie:
        """Open the movie with the choices applied."""
        choices = self.model_dump(exclude={"path"})
        return open_movie(self.path).with_choices(**choices)


class Warm(Settings):
    """Ask the child to load the network, so that a preview is quick."""

    do: Literal["warm"] = "warm"
    ticket: int = 0
    settings: SegmentSettings = SegmentSettings()


class Preview(Settings):
    """Ask for the cells of one frame, written to ``output`` as a .npy file, (Y, X)."""

    do: Literal["preview"] = "preview"
    ticket: int = 0
    movie: MovieChoice
    settings: SegmentSettings
    frame: int
    output: Path


class Segment(Settings):
    """Ask for the tracks of a movie, written to the run folder ``output``.

    ``frames`` are the first and the last frame, both included; None means all, or
    those asked for before. The folder is new, unless ``resume`` is set: then the run
    that stopped there goes on after the last state that was saved, or is begun if
    there is none. With ``again_from`` it goes on before that frame, which is computed
    again with all after it. ``after`` is a state of another run, of the frame before
    the first one, which a run without states of its own goes on from. ``save_every``
    frames the state is saved; None chooses by what it costs. ``constraints`` is a file
    of those on the cells, which the run meets; it may be written anew meanwhile.
    """

    do: Literal["segment"] = "segment"
    ticket: int = 0
    movie: MovieChoice
    settings: SegmentSettings
    frames: tuple[int, int] | None = None
    output: Path
    resume: bool = False
    again_from: int | None = None
    after: Path | None = None
    save_every: int | None = Field(None, ge=1)
    constraints: Path | None = None


class FrameRequest(Settings):
    """Ask for what needs the network's maps of one frame.

    The frame is seen again as by a run with these settings from the frame ``begin``
    on; ``run`` is its folder, whose saved states shorten that.
    """

    ticket: int = 0
    movie: MovieChoice
    settings: SegmentSettings
    frame: int
    begin: int = 0
    run: Path | None = None


class ResegmentRequest(FrameRequest):
    """Ask for the cells of one frame once a correction was worked in.

    ``labels`` is a .npy file of the cells as they are, (Y, X), ``constraints`` a
    file of all that are to hold. The window that changes is written to the .npy file
    ``output``. ``seed`` is a pixel, row and column, at which a cell was missed.
    """

    do: Literal["resegment"] = "resegment"
    labels: Path
    constraints: Path
    output: Path
    seed: tuple[int, int] | None = None


class LookRequest(FrameRequest):
    """Ask that the network's maps of a frame be at hand; to show them, in ``output``.

    That is the .npz file that they are written to, at the size of the movie's frames.
    """

    do: Literal["look"] = "look"
    output: Path | None = None


class FollowRequest(FrameRequest):
    """Ask to follow a cell from a frame on, until the network doubts it.

    ``labels`` is a .npy file of the cells of the frame, (Y, X), ``label`` the one to
    follow, ``until`` the last frame. The mask of each frame is written to the folder
    ``output``.
    """

    do: Literal["follow"] = "follow"
    labels: Path
    label: int
    until: int
    output: Path


class TeachRequest(Settings):
    """Ask to teach a model, and to write the new one to the folder ``output``.

    ``lesson`` is a file of `write_lesson`, ``projects`` are the names of those that it
    was made from.
    """

    do: Literal["teach"] = "teach"
    ticket: int = 0
    lesson: Path
    model: str
    projects: tuple[str, ...]
    settings: TeachSettings
    output: Path


class Cancel(Settings):
    """Ask the child to stop after the frame it is working on."""

    do: Literal["cancel"] = "cancel"
    ticket: int = 0


class Ready(Settings):
    """Tell that the network is loaded, and which models and devices there are."""

    event: Literal["ready"] = "ready"
    ticket: int = 0
    models: tuple[str, ...]
    devices: tuple[str, ...]


class CellSize(Settings):
    """Tell the cell diameter, in px, that was estimated from the movie."""

    event: Literal["cell_size"] = "cell_size"
    ticket: int = 0
    px: float


class Outlook(Settings):
    """Tell how well masks are expected to overlap the true ones (SEG, 0 to 1)."""

    event: Literal["outlook"] = "outlook"
    ticket: int = 0
    masks: float


class Previewed(Settings):
    """Tell that the previewed frame lies in ``output``."""

    event: Literal["preview"] = "preview"
    ticket: int = 0
    frame: int
    output: Path
    cells: int
    seconds: float


class Resegmented(Settings):
    """Tell that the cells of a window of a frame lie in ``output``, (height, width).

    ``box`` is its first row and column, height and width, px; all are 0 when nothing
    changes. ``at_hand`` tells that the network did not have to see the frame again.
    With ``cancelled`` nothing was written.
    """

    event: Literal["resegmented"] = "resegmented"
    ticket: int = 0
    frame: int
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    output: Path
    seconds: float
    at_hand: bool = False
    cancelled: bool = False


class LookDone(Settings):
    """Tell that the network's maps of a frame are at hand, or were not wanted."""

    event: Literal["looked"] = "looked"
    ticket: int = 0
    frame: int
    seconds: float
    cancelled: bool = False


class FollowedFrame(Settings):
    """Tell that the mask of a cell in a frame lies in ``output``, a .npy file.

    ``y`` and ``x`` are row and column of its first pixel; ``agreement`` is how far it
    agrees with the frame before, 0 to 1.
    """

    event: Literal["followed"] = "followed"
    ticket: int = 0
    frame: int
    agreement: float
    y: int
    x: int
    output: Path


class FollowEnded(Settings):
    """Tell that a cell is followed no further, and why in ``note``; may be empty."""

    event: Literal["follow_ended"] = "follow_ended"
    ticket: int = 0
    note: str = ""
    cancelled: bool = False


class TeachStep(Settings):
    """Tell how far teaching is: see `TeachProgress`."""

    event: Literal["teach_step"] = "teach_step"
    ticket: int = 0
    stage: str
    step: int
    total: int
    loss: float | None = None
    held_out: float | None = None


class TeachEnded(Settings):
    """Tell that a taught model lies in ``output``; when cancelled, nothing does."""

    event: Literal["taught"] = "taught"
    ticket: int = 0
    output: Path
    cancelled: bool = False


class Started(Settings):
    """Tell that the run folder exists.

    ``done`` frames are there already and are not computed again; ``note`` says what
    the user should know of how the run begins.
    """

    event: Literal["started"] = "started"
    ticket: int = 0
    output: Path
    done: int = 0
    note: str = ""


class FrameDone(Settings):
    """Tell that the cells of one frame are in the run folder.

    ``unreadable`` says why the frame was skipped, if it was. ``born`` are label and
    parent of each daughter that is seen here for the first time. ``final`` says that
    the frame stays as it is: the published procedures tell every frame twice. ``note``
    says what the user should know of how it was computed.
    """

    event: Literal["frame"] = "frame"
    ticket: int = 0
    frame: int
    done: int
    total: int
    cells: int
    seconds: float
    unreadable: str | None = None
    born: tuple[tuple[int, int], ...] = ()
    final: bool = True
    note: str = ""


class Finished(Settings):
    """Tell that a run has ended, with all frames or, when cancelled, with fewer."""

    event: Literal["finished"] = "finished"
    ticket: int = 0
    output: Path
    done: int
    total: int
    tracks: int
    cancelled: bool


class Failed(Settings):
    """Tell what went wrong, in a sentence for the user."""

    event: Literal["error"] = "error"
    ticket: int = 0
    message: str


Request = (
    Warm
    | Preview
    | Segment
    | ResegmentRequest
    | LookRequest
    | FollowRequest
    | TeachRequest
    | Cancel
)
Message = (
    Ready
    | CellSize
    | Outlook
    | Previewed
    | Resegmented
    | LookDone
    | FollowedFrame
    | FollowEnded
    | TeachStep
    | TeachEnded
    | Started
    | FrameDone
    | Finished
    | Failed
)

_REQUEST: TypeAdapter[Request] = TypeAdapter(
    Annotated[Request, Field(discriminator="do")]
)
_MESSAGE: TypeAdapter[Message] = TypeAdapter(
    Annotated[Message, Field(discriminator="event")]
)


def read_request(line: str | bytes) -> Request:
    """Understand one line that the window wrote."""
    return _REQUEST.validate_json(line)


def read_message(line: str | bytes) -> Message:
    """Understand one line that the child wrote."""
    return _MESSAGE.validate_json(line)


def lines_of(pipe: IO[bytes]) -> Iterator[bytes]:
    """Go through the lines of a pipe; of one that is too long only the beginning.

    Parameters
    ----------
    pipe
        Read until its end. A last line without an end is given as it is.
    """
    whole = True
    while line := pipe.readline(MOST_LINE):
        if whole:
            yield line
        whole = line.endswith(b"\n")


def child_command() -> list[str]:
    """Program and arguments that start the child."""
    return [sys.executable, "-m", "napari_semiconv.compute"]
