"""What the tab "Teach" shows, as values."""

from dataclasses import dataclass

from ...teaching.settings import Depth
from ...workflows.taught_models import ModelEntry
from .learnable import Advice
from .pictures import CheckPicture
from .points import CurvePoint


@dataclass(frozen=True)
class ResultState:
    """What teaching came to.

    Parameters
    ----------
    words
        Whether the new model is better, in a sentence or two.
    better
        Whether it is; None when nothing could be checked.
    kept
        Whether it is the model in use already.
    pictures, trouble
        What both models found, or why that is not shown.
    """

    words: str = ""
    better: bool | None = None
    kept: bool = False
    pictures: tuple[CheckPicture, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class ModelsState:
    """The models of the project.

    Parameters
    ----------
    entries
        The models.
    installed
        Names of models that come installed.
    in_use
        Name, or folder, of the one that is chosen.
    free
        Whether they may be used, renamed and deleted now.
    editable
        Whether the project may be changed.
    """

    entries: tuple[ModelEntry, ...] = ()
    installed: tuple[str, ...] = ()
    in_use: str = ""
    free: bool = False
    editable: bool = False


@dataclass(frozen=True)
class TeachState:
    """What the tab shows.

    Parameters
    ----------
    words
        What there is to learn from.
    advice
        Where to correct next.
    model
        What is taught.
    depth
        What of it learns.
    enabled
        Whether that may be chosen.
    can_teach, can_stop
        What may be done now.
    curve, total
        How it learns, and steps in all.
    result
        What it came to; None when nothing is to be decided on.
    models
        The models of the project.
    """

    words: str = ""
    advice: tuple[Advice, ...] = ()
    model: str = ""
    depth: Depth = "all"
    enabled: bool = False
    can_teach: bool = False
    can_stop: bool = False
    curve: tuple[CurvePoint, ...] = ()
    total: int = 0
    result: ResultState | None = None
    models: ModelsState = ModelsState()
