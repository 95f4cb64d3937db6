"""Options of `napari-semiconv train`, made from the settings of training themselves."""

import argparse
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import AllowInfNan, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from ..training.settings import TrainSettings

USUAL = ("steps", "cell_size", "device", "precision", "seed")
# The rest, in the order of the help; a test sees to it that none is missing.
GROUPS: dict[str, tuple[str, ...]] = {
    "clips": (
        "batch", "frames", "crop", "held_out", "anywhere", "simulated", "blur",
        "elastic", "elastic_nodes", "elastic_share",
    ),
    "steps": (
        "optimiser", "learning_rate", "weight_decay", "schedule", "warm_up",
        "cool_down", "average", "save_every", "workers",
    ),
    "embeddings, which cells must differ": (
        "pull", "background", "neighbour_rule", "neighbour_radius",
        "neighbour_dilation", "most_cells",
    ),
    "votes": (
        "cell_loss", "centre", "repulsion", "repulsion_margin",
    ),
    "network": ("operator", "bandwidth", "kernel", "embedding_size", "memory"),
}  # fmt: skip
USAGE = "%(prog)s FOLDER [FOLDER ...] --output DIR [--resume] [options]"
EPILOG = "What is for experiments is best left out: the usual values suit most movies."
KINDS: dict[Any, str] = {int: "a whole number", float: "a number"}


def add_settings(command: argparse.ArgumentParser) -> None:
    """Add an option for every setting of training but what it begins with."""
    command.usage, command.epilog = USAGE, EPILOG
    for name in USUAL:
        _add(command, name)
    for title, names in GROUPS.items():
        group = command.add_argument_group(f"for experiments: {title}")
        for name in names:
            _add(group, name)


def chosen(arguments: argparse.Namespace) -> dict[str, Any]:
    """Read from the arguments what was chosen, by name of the setting."""
    given = {
        name: getattr(arguments, name, None) for name in TrainSettings.model_fields
    }
    given["start"] = arguments.model
    return {name: value for name, value in given.items() if value is not None}


def help_of(name: str) -> str:
    """Explain a setting in the words of the setting itself."""
    field = TrainSettings.model_fields[name]
    text = str(field.description).removesuffix(".")
    rest_of_word = text.partition(" ")[0][1:]
    if rest_of_word == rest_of_word.lower():  # a name such as AdamW keeps its capital
        text = text[0].lower() + text[1:]
    return f"{text} (usually {_usual(field)})".replace("%", "%%")


def _usual(field: FieldInfo) -> str:
    extra = _extra(field)
    if field.default is None:
        return extra.get("empty", "none")
    usual = field.default
    plain = f"{usual:g}" if isinstance(usual, float) else usual
    return f"{plain} {extra.get('unit', '')}".rstrip()


def _extra(field: FieldInfo) -> dict[str, str]:
    extra = field.json_schema_extra
    return {k: str(v) for k, v in extra.items()} if isinstance(extra, dict) else {}


def _add(place: Any, name: str) -> None:
    field = TrainSettings.model_fields[name]
    option, text = f"--{name.replace('_', '-')}", help_of(name)
    kind = _kind(field)
    if get_origin(kind) is Literal:
        place.add_argument(option, choices=get_args(kind), help=text)
        return
    metavar = _extra(field).get("unit", "n" if kind is int else "x").upper()
    place.add_argument(option, type=reader_of(field), metavar=metavar, help=text)


def _kind(field: FieldInfo) -> Any:
    """Type of a setting, without the None that stands for no choice."""
    kind: Any = field.annotation
    if NoneType in get_args(kind):
        return next(k for k in get_args(kind) if k is not NoneType)
    return kind


def reader_of(field: FieldInfo) -> Callable[[str], Any]:
    """Make what reads a number and holds it to the limits of its setting."""
    kind = _kind(field)
    rules = [*field.metadata, *([AllowInfNan(False)] if kind is float else [])]
    form: Any = Annotated[kind, *rules]
    adapter: TypeAdapter[Any] = TypeAdapter(form)
    expected = f"{KINDS[kind]}{''.join(map(_limit, field.metadata))}"

    def read(text: str) -> Any:
        try:
            return adapter.validate_strings(text)
        except ValidationError:
            raise argparse.ArgumentTypeError(
                f"expected {expected}, found '{text}'"
            ) from None

    return read


def _limit(rule: Any) -> str:
    """Say a limit in words."""
    words = {"ge": "from", "gt": "above", "le": "to", "lt": "and below"}
    found = (f" {words[n]} {getattr(rule, n):g}" for n in words if hasattr(rule, n))
    return "".join(found)
