"""Lines of source per room before and after, files to touch, circles, names, words."""

import argparse
import re
import subprocess

from napari_semiconv.errors import BadInputError

from ..report import Report, Row
from ..source import (
    NAME,
    ROOT,
    circles,
    functions,
    public_classes,
    sources,
    struck,
    violations,
)

# Before there was one way through the house.
BEFORE = "f0f09fa"
LINES_BEFORE = 41_130
# What is added, the test that adds a dummy of it, and how many files are to be touched.
DUMMIES = (
    ("export format", "tests/io/test_formats.py", 3),
    ("engine", "tests/inference/test_new_engine.py", 3),
    ("edit", "tests/edits/test_new_edit.py", 3),
    ("head", "tests/training/test_new_head.py", 3),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--before", default=BEFORE, help="commit to compare with")


def run(options: argparse.Namespace) -> Report:
    """Count."""
    files = sources()
    longest, where = max((source.lines, source.name) for source in files)
    statements, function, place = max(
        (lines, name, source.name)
        for source in files
        for name, lines in functions(source)
    )
    twice = [name for name, at in public_classes(files).items() if len(at) > 1]
    words = sorted({word for source in files for word in struck(source)})
    notes = [
        f"longest file: {where}, {longest} lines",
        f"longest function: {function} of {place}, {statements} lines",
        f"import circles: {len(circles(files))}",
        f"imports that do not point down: {len(violations(files))}",
        f"public class names defined twice: {len(twice)} {' '.join(twice)}".rstrip(),
        f"struck words used in names: {len(words)} {' '.join(words)}".rstrip(),
        *(_dummy(*dummy) for dummy in DUMMIES),
    ]
    return Report(_rooms(options.before), {"before": options.before}, notes)


def _dummy(what: str, test: str, files: int) -> str:
    shown = f"shown by {test}" if (ROOT / test).is_file() else "NOT SHOWN"
    return f"files to touch for one more {what}: {files} (source, test, docs), {shown}"


def _rooms(commit: str) -> list[Row]:
    before, now = _lines_at(commit), _lines_now()
    if commit == BEFORE and sum(before.values()) != LINES_BEFORE:
        raise BadInputError(
            f"{BEFORE}: expected {LINES_BEFORE} lines of source, found "
            f"{sum(before.values())}. Its history is not whole here."
        )
    rooms: list[Row] = [
        {"room": room, "before": before.get(room, 0), "after": now.get(room, 0)}
        for room in sorted(before.keys() | now.keys())
    ]
    total = {"before": sum(before.values()), "after": sum(now.values())}
    rooms.append({"room": "all", **total})
    for row in rooms:
        row["change"] = int(row["after"] or 0) - int(row["before"] or 0)
    return rooms


def _lines_now() -> dict[str, int]:
    rooms: dict[str, int] = {}
    for source in sources():
        rooms[source.part] = rooms.get(source.part, 0) + source.lines
    return rooms


def _lines_at(commit: str) -> dict[str, int]:
    """Count the lines of each room in a commit."""
    command = ["git", "grep", "--count", "", commit, "--", f"src/{NAME}/*.py"]
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    rooms: dict[str, int] = {}
    for line in found.stdout.splitlines():
        match = re.fullmatch(rf".*:src/{NAME}/([^/:]+)(?:/.*)?:(\d+)", line)
        if match is not None:
            room = match[1].removesuffix(".py")
            rooms[room] = rooms.get(room, 0) + int(match[2])
    if not rooms:
        raise BadInputError(
            f"Commit {commit}: expected it in the history of this folder, found none. "
            "Fetch the whole history with git, or name another with --before."
        )
    return rooms
