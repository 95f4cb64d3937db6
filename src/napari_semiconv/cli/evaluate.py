"""`napari-semiconv evaluate`: how good a result is."""

import argparse
import json
from pathlib import Path
from typing import Any

from ..errors import BadInputError
from .options import add_command, add_frames
from .progress import tell
from .segment import RECORD
from .words import chosen_frames


def add(commands: Any) -> None:
    """Add the command."""
    summary = "compare a result with the truth, both Cell Tracking Challenge folders"
    command = add_command(commands, "evaluate", evaluate, summary)
    command.add_argument("result", type=Path, metavar="RESULT", help="such as 01_RES")
    command.add_argument("truth", type=Path, metavar="TRUTH", help="such as 01_GT")
    add_frames(command, "frames A to B - 1, counted from 0; either may be left out")
    command.add_argument("--json", action="store_true", help="print JSON")


def evaluate(arguments: argparse.Namespace) -> None:
    """Print the measures of a result, one per line or as JSON."""
    from ..io.evaluation import evaluate_folders

    part = frames_of_part(arguments.result)
    begin = part.start if part else 0
    if arguments.frames is not None:
        frames = frames_asked(arguments.truth, arguments.frames)
    else:
        frames = part
        if part is not None:
            tell(f"{arguments.result} covers {_named(part)}.")
    found = evaluate_folders(arguments.result, arguments.truth, frames, begin)
    scores = found.as_dict()
    print(json.dumps(scores, indent=2) if arguments.json else table(scores))


def frames_asked(truth: Path, span: slice) -> range | None:
    """Frames of the movie that are to be compared; None when the truth has none.

    Raises
    ------
    BadSettingsError
        When the truth has no such frame.
    """
    from ..io.ctc import find_truth

    tracks = find_truth(truth).tracks
    return chosen_frames(len(tracks.masks), span) if tracks else None


def _named(part: range) -> str:
    if len(part) == 1:
        return f"frame {part.start} of the movie; only this one is compared"
    last = part.stop - 1
    return f"frames {part.start} to {last} of the movie; only these are compared"


def frames_of_part(result: Path) -> range | None:
    """Find out which frames of its movie a result covers; None means all of them.

    Parameters
    ----------
    result
        Result folder; without our record it is taken to cover the whole movie.

    Raises
    ------
    BadInputError
        When the record is damaged.
    """
    path = result / RECORD
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        begin, count = int(record["first_frame"]), int(record["frames"])
        whole = count == int(record["movie_frames"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            f"{path}: expected the record of a segmentation, found a damaged file "
            f"({type(error).__name__}). Delete it if the result covers the whole movie."
        ) from error
    return None if whole else range(begin, begin + count)


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
