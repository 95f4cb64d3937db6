"""What is fixed in the lineage of a project when its tracks are decided anew."""

from itertools import pairwise

from ..inference.linking.solve import Fixed
from ..tracking.lineage import Lineage


def fixed_links(lineage: Lineage, frames: range | None = None) -> Fixed:
    """List what is fixed in the lineage of a project, for the solver.

    Parameters
    ----------
    lineage
        All tracks. Between two confirmed cells that follow one another the link is
        confirmed; a confirmed parent, or that there is none, closes both tracks where
        they meet.
    frames
        Frames that are decided anew: between cells of other frames all stays as it is,
        confirmed or not. All frames when None.
    """
    links, born, ended, cells = set(), set(), set(), set()
    kept = _born_so(lineage, frames)
    for label, track in lineage.tracks.items():
        mother = lineage.tracks.get(track.parent)
        if label in kept:
            born.add((track.begin, label))
            if mother is not None:
                ended.add((mother.end, mother.label))
        if _outside(frames, track.end, track.end + 1):
            ended.add((track.end, label))
        for one, other in pairwise(track.frames):
            sure = track.is_confirmed(one) and track.is_confirmed(other)
            if sure or _outside(frames, one, other):
                links.add(((one, label), (other, label)))
        cells |= {
            (frame, label)
            for frame in track.frames
            if track.is_confirmed(frame) or _outside(frames, frame)
        }
    return Fixed(frozenset(links), frozenset(born), frozenset(ended), frozenset(cells))


def _born_so(lineage: Lineage, frames: range | None) -> set[int]:
    """Tracks whose parent, or that there is none, stays; sisters stay together."""
    tracks = lineage.tracks
    kept = set()
    for label, track in tracks.items():
        mother = tracks.get(track.parent)
        met = track.begin if mother is None else mother.end
        outside = _outside(frames, track.begin, track.begin - 1, met)
        if track.parent_confirmed or outside:
            kept.add(label)
    mothers = {tracks[label].parent for label in kept} - {0}
    return kept | {label for label, track in tracks.items() if track.parent in mothers}


def _outside(frames: range | None, *places: int) -> bool:
    return frames is not None and not any(t in frames for t in places)


def opened(
    lineage: Lineage,
    names: dict[int, dict[int, int]],
    parents: dict[int, int],
    within: range | None,
) -> dict[int, int]:
    """Leave out the daughters whose parent is fixed.

    Parameters
    ----------
    lineage
        Tracks as they are.
    names
        By frame: new label of each old one that changes.
    parents
        Parents that were found, by the new labels.
    within
        Frames that were decided anew; all when None.
    """
    born = [lineage.tracks[label] for label in _born_so(lineage, within)]
    sure = {names.get(t.begin, {}).get(t.label, t.label) for t in born}
    return {label: parent for label, parent in parents.items() if label not in sure}
