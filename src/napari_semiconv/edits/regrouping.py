"""Put cells together to tracks anew, as a solver wants; what is confirmed stays so."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..errors import EditError
from ..tracking.intervals import difference, intervals_of, since, union, until
from ..tracking.lineage import Track

# By frame: new label of each old one that changes.
Names = Mapping[int, Mapping[int, int]]


def regroup(
    before: Mapping[int, Track], children: Iterable[Track], names: Names
) -> dict[int, Track]:
    """Give the tracks that come of cells changing their labels.

    Confirmations and scores go along with each cell. A parent goes along with the first
    cell of its daughter and daughters with the last cell of their mother, unless that
    is in the middle of a track now.

    Parameters
    ----------
    before
        All tracks that lose or get cells, as they are.
    children
        Daughters of these which are not among them.
    names
        The changes.

    Returns
    -------
    dict
        All tracks that are there then, by label; the children too.

    Raises
    ------
    EditError
        When it goes against what the user confirmed.
    """
    moves: dict[int, dict[int, int]] = {label: {} for label in before}
    for frame, changed in names.items():
        for old, new in changed.items():
            moves[old][frame] = new
    pieces: dict[int, list[Track]] = {}
    for label, track in before.items():
        _check_links(track, moves[label])
        for piece in _pieces(track, moves[label]):
            pieces.setdefault(piece.label, []).append(piece)
    found = {label: _join(parts) for label, parts in pieces.items()}
    heirs: dict[int, int] = {}
    for label, track in before.items():
        first, last = (
            found[moves[label].get(t, label)] for t in (track.begin, track.end)
        )
        heirs[label] = last.label if last.end == track.end else 0
        if track.parent_confirmed and first.begin < track.begin:
            raise _against(track, "that it begins there", track.begin)
    found |= {track.label: track for track in children}
    return {label: _with_heir(track, heirs) for label, track in found.items()}


def _pieces(track: Track, moves: Mapping[int, int]) -> Iterator[Track]:
    """Part a track by the new labels of its cells."""
    if not moves:
        yield track
        return
    groups: dict[int, list[int]] = {}
    for frame, label in moves.items():
        groups.setdefault(label, []).append(frame)
    intervals = {label: intervals_of(frames) for label, frames in groups.items()}
    rest = difference(track.intervals, intervals_of(moves))
    intervals[track.label] = union(rest, intervals.get(track.label, ()))
    for label, part in intervals.items():
        piece = track.reshaped(part)
        if piece is None:
            continue
        if piece.begin == track.begin:
            yield replace(piece, label=label)
        else:
            yield replace(piece, label=label, parent=0, parent_confirmed=False)


def _join(pieces: list[Track]) -> Track:
    first, *others = sorted(pieces, key=lambda piece: piece.begin)
    for piece in others:
        first = first.merged(piece)
    return first


def _check_links(track: Track, moves: Mapping[int, int]) -> None:
    """Make sure that confirmed cells that follow one another stay together."""
    for frame in moves if track.confirmed else ():
        if not track.is_confirmed(frame):
            continue
        here = moves[frame]
        for interval in (
            *until(track.intervals, frame)[-1:],
            *since(track.intervals, frame + 1)[:1],
        ):
            near = interval[1] if interval[0] < frame else interval[0]
            if moves.get(near, track.label) != here and track.is_confirmed(near):
                what = f"that it is the cell of frame {near}"
                raise _against(track, what, frame)


def _with_heir(track: Track, heirs: Mapping[int, int]) -> Track:
    heir = heirs.get(track.parent)
    if heir is None or heir == track.parent:
        return track
    if not heir and track.parent_confirmed:
        raise _against(track, f"its mother {track.parent}", track.begin)
    return replace(track, parent=heir)


def _against(track: Track, what: str, frame: int) -> EditError:
    return EditError(
        f"Cell {track.label} in frame {frame}: the user confirmed {what}, which these "
        f"tracks do not keep. Solve again, or unconfirm it."
    )
