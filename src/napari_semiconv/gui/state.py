"""What the panel shows, as values: nothing here knows a window."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..movie import ZChoice
from ..settings import SegmentSettings
from .choices import DEFAULTS
from .teach.state import TeachState

START = "Open a movie, a project or tracked cells: any file or folder. Or drop it here."


@dataclass(frozen=True)
class Offer:
    """A button that mends something or goes on.

    Parameters
    ----------
    text
        What it says.
    act
        What it does.
    hint
        More of it, for a tooltip.
    """

    text: str
    act: Callable[[], None] = field(compare=False)
    hint: str = ""


@dataclass(frozen=True)
class Sentence:
    """What the user should read, with the buttons that mend it.

    Parameters
    ----------
    text
        The sentence.
    kind
        ``said``, ``note`` or ``error``.
    offers
        The buttons.
    """

    text: str = ""
    kind: str = "said"
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class TitleState:
    """What the row at the top shows."""

    name: str = ""
    saved: str = ""
    undo: str = ""
    redo: str = ""
    can_undo: bool = False
    can_redo: bool = False


@dataclass(frozen=True)
class MovieState:
    """What the first tab shows.

    ``axes_choices`` are pairs of axis letters and their text; ``pixel_size`` is in um,
    ``frame_interval`` in s, 0 means unknown; ``layer`` is the selected layer that can
    be taken.
    """

    enabled: bool = True
    known: bool = False
    facts: str = START
    notes: tuple[Sentence, ...] = ()
    axes_choices: tuple[tuple[str, str], ...] = ()
    axes: str = ""
    pixel_size: float = 0.0
    frame_interval: float = 0.0
    channels: int = 1
    channel: int = 0
    slices: int = 1
    z: ZChoice = "max"
    layer: str = ""
    can_reread: bool = False


@dataclass(frozen=True)
class FindState:
    """What the second tab shows; ``last`` is the index of the movie's last frame."""

    enabled: bool = False
    preset: str = "usual"
    models: tuple[tuple[str, str], ...] = ()
    devices: tuple[str, ...] = ()
    settings: SegmentSettings = DEFAULTS
    size_hint: str = ""
    can_measure: bool = False
    measuring: bool = False
    frames: tuple[int, int] = (0, 0)
    last: int = 0
    folder: str = ""
    can_choose_folder: bool = False
    can_preview: bool = False
    can_run: bool = False
    can_go_on: bool = False
    can_stop: bool = False


@dataclass(frozen=True)
class CorrectState:
    """What the third tab shows.

    ``armed`` is the name of what waits for the mouse, a tool or a brush of napari;
    ``waits`` is whether the words say what a tool waits for.
    """

    words: str = ""
    waits: bool = False
    armed: str = ""
    enabled: bool = False


@dataclass(frozen=True)
class ShareState:
    """What the last tab shows: pairs of name and title, and the chosen format."""

    formats: tuple[tuple[str, str], ...] = ()
    format: str = ""
    description: str = ""
    keeps: str = ""
    loses: str = ""
    can_export: bool = False


@dataclass(frozen=True)
class StatusState:
    """What the lines under the tabs show; ``total`` 0 is a bar of unknown length."""

    busy: bool = False
    done: int = 0
    total: int = 0
    progress: str = ""
    sentence: Sentence = Sentence()


@dataclass(frozen=True)
class PanelState:
    """All that the panel shows."""

    title: TitleState
    movie: MovieState
    find: FindState
    correct: CorrectState
    teach: TeachState
    share: ShareState
    status: StatusState


class Panel(Protocol):
    """What shows a workbench."""

    def retire(self) -> None:
        """Show it no longer, because another panel does."""

    def ask_folder(self) -> None:
        """Ask where projects are to be made; the answer comes as `set_folder`."""
