"""Fills pages with what the program says of itself, so that they cannot be outdated.

``<!-- help: segment -->`` becomes the help text of a subcommand and
``<!-- settings: settings.VotesSettings -->`` the table of a settings class.
"""

import io
import os
import re
from contextlib import redirect_stdout, suppress
from importlib import import_module
from typing import Any

from pydantic.fields import FieldInfo

from napari_semiconv.cli import main

MARK = re.compile(r"<!-- (help|settings): (\S+) -->")
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
    fields = getattr(import_module(f"napari_semiconv.{module}"), name).model_fields
    rows = [_row(name, field) for name, field in fields.items() if field.title]
    head = "| setting | what it means | usual value |\n|---|---|---|"
    return "\n".join([head, *rows])


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    unit = f" {extra['unit']}" if "unit" in extra else ""
    empty = extra.get("empty", "from the movie")
    default = empty if field.default is None else f"{field.default}{unit}"
    return f"| `{name}` | {field.description} | {default} |"


FILLERS = {"help": help_text, "settings": settings_table}
