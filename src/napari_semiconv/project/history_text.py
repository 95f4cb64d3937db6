"""The history of a project for people and programs: who did what, and when."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..edits.base import Group, current_kind
from ..edits.history import History
from ..edits.steps import words_of

COLUMNS = ("number", "at", "by", "do", "words", "kind", "state", "what")


def rows(history: History) -> Iterator[dict[str, Any]]:
    """Go through all entries of the journal.

    Yields
    ------
    dict
        ``number`` in the journal, ``at`` (UTC), ``by``, ``do`` (edit, undo, redo or
        note), ``words`` for an edit as the window has them, ``kind`` of edit, ``state``
        (done, undone, dropped; empty for what is no edit) and ``what`` was done, with
        frames, labels and places.
    """
    done, undone = history.standing
    for entry in history.journal.entries:
        head = entry.head
        state = words = ""
        if head["do"] == "edit":
            state = "undone" if entry.number in undone else "dropped"
            state = "done" if entry.number in done else state
            words = words_of([entry])
        facts = {key: head.get(key, "") for key in ("at", "by", "do")}
        yield {
            "number": entry.number,
            **facts,
            "words": words,
            "kind": current_kind(head.get("kind", "")),
            "state": state,
            "what": head.get("what", {}),
        }


def as_json(history: History) -> str:
    """Write the history as a JSON list."""
    return json.dumps(list(rows(history)), indent=1, ensure_ascii=False)


def as_csv(history: History) -> str:
    """Write the history as a table; what was done is JSON in its last column."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows(history):
        writer.writerow(row | {"what": json.dumps(row["what"], ensure_ascii=False)})
    return text.getvalue()


def as_lines(history: History) -> Iterator[str]:
    """Write the history for people, one entry a line."""
    for row in rows(history):
        kind, what = _described(row["kind"], row["what"])
        doing = kind if row["do"] == "edit" else f"{row['do']} {kind}"
        note = f" [{row['state']}]" if row["state"] in ("undone", "dropped") else ""
        when = row["at"][:19].replace("T", " ")
        yield f"{row['number']:>6}  {when}  {row['by']}  {doing}: {what}{note}"


def _described(kind: str, facts: dict[str, Any]) -> tuple[str, str]:
    """Say what was done, and to what; a group by its title and the edits in it."""
    if kind == Group.kind and facts.get("title"):
        kinds = Counter(current_kind(str(edit["kind"])) for edit in facts["edits"])
        parts = (n if many == 1 else f"{many} x {n}" for n, many in kinds.items())
        return str(facts["title"]), ", ".join(parts)
    known = {name: value for name, value in facts.items() if value not in (None, [])}
    return kind, ", ".join(f"{name} {_short(v)}" for name, v in known.items())


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
