"""Tracks among the facts of another format: what only this program reads of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from ...errors import BadInputError, SaveError
from ...guard import MOST_TEXT, brief
from ...tracking.intervals import Interval, Intervals, joined
from ...tracking.lineage import Lineage, Track

# Under this name our own facts lie beside those of the format.
OWN, VERSION = "napari-semiconv", 1


def own_facts(name: str, lineage: Lineage) -> dict[str, Any]:
    """Describe tracks as JSON values; a few long lists, for there may be a million.

    ``label``, ``parent`` and ``runs`` have a number for each track; ``frames`` has the
    first and last frame of each interval, one track after the other. ``confirmed`` has
    label, first and last frame of what the user confirmed, ``parent_confirmed`` labels.

    Parameters
    ----------
    name
        What the user calls the movie.
    lineage
        The tracks.

    Raises
    ------
    SaveError
        When there are more tracks than can be read again.
    """
    tracks = [track for _, track in sorted(lineage.tracks.items())]
    confirmed = [(t.label, *span) for t in tracks for span in t.confirmed]
    facts = {
        "version": VERSION,
        "name": name,
        "tracks": {
            "label": [track.label for track in tracks],
            "parent": [track.parent for track in tracks],
            # The name in files that exist already.
            "runs": [len(track.intervals) for track in tracks],
            "frames": [frame for t in tracks for span in t.intervals for frame in span],
            "confirmed": [number for row in confirmed for number in row],
            "parent_confirmed": [t.label for t in tracks if t.parent_confirmed],
        },
    }
    # The rest of the description is short.
    if len(json.dumps(facts)) > MOST_TEXT - 2**16:
        raise SaveError(
            f"{name}: expected tracks that fit in {MOST_TEXT / 2**20:.0f} MiB, "
            f"found {len(tracks)}. Save them as a Cell Tracking Challenge folder."
        )
    return facts


def read_own_facts(own: Any, folder: Path) -> tuple[str, Lineage]:
    """Read the name and the tracks that `own_facts` described.

    Parameters
    ----------
    own
        JSON values that may be anything.
    folder
        Where they were found.

    Raises
    ------
    BadInputError
        When they are damaged, or were written by a newer release.
    """
    try:
        check_version(own, folder, VERSION)
        return str(own["name"]), Lineage(_tracks(own["tracks"]))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise BadInputError(
            f"{folder}: its tracks ('{OWN}' in its attributes) are damaged. Restore "
            f"that file, or take them away to read the labels without parents."
        ) from error


def check_version(own: Mapping[str, Any], folder: Path, version: int) -> None:
    """Refuse facts of ours that are not of this version.

    Raises
    ------
    BadInputError
        When they are not.
    """
    if own.get("version") != version:
        raise BadInputError(
            f"{folder}: expected version {version} of our own facts, found "
            f"{brief(str(own.get('version')))}. If a newer release wrote it, update "
            f"napari-semiconv."
        )


def _tracks(facts: Mapping[str, Any]) -> Iterator[Track]:
    labels, parents, counts = (
        [int(number) for number in facts[name]] for name in ("label", "parent", "runs")
    )
    intervals = _intervals(facts["frames"])
    if len({*labels}) != len(labels) or sum(counts) != len(intervals):
        raise ValueError("a track is there twice, or some of its frames are not")
    confirmed: dict[int, list[Interval]] = {}
    for label, first, last in _rows(facts["confirmed"], 3):
        confirmed.setdefault(label, []).append((first, last))
    sure = {int(label) for label in facts["parent_confirmed"]}
    if not {*confirmed, *sure} <= {*labels}:
        raise ValueError("a track was confirmed that is not there")
    left = iter(intervals)
    for label, parent, count in zip(labels, parents, counts, strict=True):
        own = joined(islice(left, count))
        yield Track(label, own, parent, joined(confirmed.get(label, ())), label in sure)


def _intervals(numbers: Iterable[Any]) -> Intervals:
    return tuple((first, last) for first, last in _rows(numbers, 2))


def _rows(numbers: Iterable[Any], width: int) -> Iterator[tuple[int, ...]]:
    whole = [int(number) for number in numbers]
    if len(whole) % width:
        raise ValueError("a row is cut off")
    return zip(*(whole[place::width] for place in range(width)), strict=True)
