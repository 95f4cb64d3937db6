"""`napari-semiconv evaluate`: how good a result is."""

import argparse
import json
from typing import Any

from ..safe import named
from .options import add_command, add_frames
from .progress import tell


def add(commands: Any) -> None:
    """Add the command."""
    summary = "compare a project or a result of any format with the truth"
    command = add_command(commands, "evaluate", evaluate, summary)
    command.add_argument("result", type=named, metavar="RESULT", help="such as 01_RES")
    command.add_argument("truth", type=named, metavar="TRUTH", help="such as 01_GT")
    add_frames(command, "frames A to B - 1, counted from 0; either may be left out")
    command.add_argument("--json", action="store_true", help="print JSON")


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the measures of a result, one per line or as JSON."""
    from ..workflows.evaluating import evaluate as evaluated

    found = evaluated(arguments.result, arguments.truth, arguments.frames)
    if found.note:
        tell(found.note)
    scores = found.scores.as_dict()
    print(json.dumps(scores, indent=2) if arguments.json else table(scores))


def table(scores: dict[str, float | int | None]) -> str:
    """Lay out measures as aligned lines; a dash where one is undefined."""
    width = max(map(len, scores))
    return "\n".join(
        f"{name.replace('_', ' '):{width}}  {_shown(value)}"
        for name, value in scores.items()
    )


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
