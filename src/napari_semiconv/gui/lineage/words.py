"""What the lineage view says of a track, and the edits that its gestures mean."""

from collections.abc import Collection, Mapping

from ...edits.divisions import MarkDivision
from ...edits.links import Link
from ...errors import EditError, counted
from ...tracking.intervals import Intervals, count_frames
from ...tracking.lineage import Lineage, Track


def words_of(lineage: Lineage, label: int, suspect: Intervals = ()) -> str:
    """Say of a track when it lives and whose it is; nothing when it is not there.

    Parameters
    ----------
    lineage
        All tracks.
    label
        The track.
    suspect
        Frames in which it is suspect.
    """
    track = lineage.tracks.get(label)
    if track is None:
        return ""
    parts = [f"cell {label}", _frames_of(track)]
    if track.gaps:
        missing = count_frames(track.gaps)
        parts.append(f"missing in {counted(missing, 'frame')}")
    if track.parent:
        parts.append(f"daughter of {track.parent}")
    daughters = lineage.daughters_of(label)
    if daughters:
        parts.append(counted(len(daughters), "daughter"))
    parts.append(_confirmed(track))
    if suspect:
        parts.append(f"suspect in {counted(count_frames(suspect), 'frame')}")
    return ", ".join(parts)


def link_of(tracks: Mapping[int, Track], before: int, after: int, frame: int) -> Link:
    """Give the edit that says that a track goes on as another from a frame on.

    Parameters
    ----------
    tracks
        All tracks, by label.
    before
        The track that goes on after its end.
    after, frame
        The other one, and the first frame of it that is meant.

    Raises
    ------
    EditError
        When one of them is not there.
    """
    track, other = _track(tracks, before), _track(tracks, after)
    # In a gap of it the cell is not there to be linked.
    later = other.onward(frame)
    first = frame if later is None else later.begin
    return Link(before, track.end, after, first)


def division_of(
    lineage: Lineage, mother: int, daughters: Collection[int], frame: int | None = None
) -> MarkDivision:
    """Give the edit that says that a cell divides into some others and those it has.

    Parameters
    ----------
    lineage
        All tracks.
    mother
        The track that divides.
    daughters
        Its daughters.
    frame
        First frame of the daughters; when the first of them begins if None.

    Raises
    ------
    EditError
        When one of them is not there.
    """
    _track(lineage.tracks, mother)
    known = lineage.daughters_of(mother)
    family = tuple(dict.fromkeys((*daughters, *known)))
    # Those that she has already are not to be parted.
    firsts = [frame] if frame is not None else []
    dated = family if frame is None else known
    firsts += [_track(lineage.tracks, label).begin for label in dated]
    return MarkDivision(mother, family, min(firsts, default=0))


def is_whole(lineage: Lineage, mother: int, daughter: int, frame: int) -> bool:
    """Tell whether a mother and one daughter more make a division.

    They do not when she neither has another daughter nor goes on herself.
    """
    track = lineage.tracks.get(mother)
    if track is None:
        return True
    others = [d for d in lineage.daughters_of(mother) if d != daughter]
    return bool(others) or track.end >= frame


def _track(tracks: Mapping[int, Track], label: int) -> Track:
    if label not in tracks:
        raise EditError(
            f"Cell {label} does not exist: expected the label of a track. Choose a "
            f"cell that is there."
        )
    return tracks[label]


def _frames_of(track: Track) -> str:
    if track.begin == track.end:
        return f"frame {track.begin}"
    return f"frames {track.begin} to {track.end}"


def _confirmed(track: Track) -> str:
    sure, every = count_frames(track.confirmed), count_frames(track.intervals)
    if not sure:
        return "not confirmed"
    return "confirmed" if sure == every else f"confirmed in {sure} of {every} frames"
