"""Fills pages with what the program says of itself, so that they cannot be outdated.

``<!-- help: segment -->`` becomes the help text of a subcommand,
``<!-- settings: settings.LinkSettings -->`` the table of a settings class,
``<!-- engines: settings -->`` what each engine does and what can be set of it, and
``<!-- formats: table -->`` the table of all formats of masks and tracks, and
``<!-- keys: table -->`` that of all tools and keys of the window.
"""

import io
import os
import re
from contextlib import redirect_stdout, suppress
from importlib import import_module
from typing import Any

from pydantic.fields import FieldInfo

from napari_semiconv.cli import main
from napari_semiconv.gui.correct.actions import key_table
from napari_semiconv.io.cells import formats
from napari_semiconv.settings import ENGINES, EngineInfo, Settings

MARK = re.compile(r"<!-- (help|settings|engines|formats|keys): (\S+) -->")
WIDTH = {"COLUMNS": "88", "NO_COLOR": "1"}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of a page."""
    return MARK.sub(lambda mark: FILLERS[mark[1]](mark[2]), markdown)


def help_text(name: str) -> str:
    """Show the help of a subcommand."""
    os.environ.update(WIDTH)
    shown = io.StringIO()
    with redirect_stdout(shown), suppress(SystemExit):
        main([name, "--help"])
    return f"```text\n{shown.getvalue().rstrip()}\n```"


def settings_table(place: str) -> str:
    """Show the fields of a settings class."""
    module, _, name = place.rpartition(".")
    return _table(getattr(import_module(f"napari_semiconv.{module}"), name))


def _table(settings: type[Settings]) -> str:
    fields = settings.model_fields.items()
    rows = [_row(name, field) for name, field in fields if field.title]
    head = (
        "| setting | in the window | what it means | usual value |\n|---|---|---|---|"
    )
    return "\n".join([head, *rows])


def engines_of(_: str) -> str:
    """Tell what each engine does, with the settings of its own."""
    engines: dict[str, list[EngineInfo[Settings]]] = {}
    for engine in ENGINES.values():
        engines.setdefault(engine.part, []).append(engine)
    parts = []
    for part, those in engines.items():
        lines = [f"- `{e.name}`, in the window *{e.title}*: {e.summary}" for e in those]
        table = _table(those[0].settings)
        parts += [f"### Engine settings `{part}`", "\n".join(lines), table]
    return "\n\n".join(parts)


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = f" {extra['unit']}" if "unit" in extra else ""
    empty = extra.get("empty", "from the movie")
    default = empty if field.default is None else f"{field.default}{unit}"
    return f"| `{name}` | {field.title} | {field.description} | {default} |"


def formats_table(_: str) -> str:
    """Show the table of formats."""
    return formats.table()


FILLERS = {
    "help": help_text,
    "settings": settings_table,
    "engines": engines_of,
    "formats": formats_table,
    "keys": lambda _: key_table(),
}
