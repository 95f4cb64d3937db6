"""How good a result is: the measures of the field, streamed frame by frame."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ...errors import BadInputError
from .divisions import count_divisions
from .graph import count_operations
from .instances import InstanceTally
from .matching import (
    FrameMatch,
    LabelMovie,
    Labels,
    Table,
    check_table,
    cut_table,
    match_frame,
    measure_overlaps,
)
from .tracks import (
    branching_correctness,
    branching_counts,
    cell_cycle_accuracy,
    complete_tracks,
    track_fractions,
)

# Gold outlines of a frame rarely hold every cell; from this share on they count as all.
_COMPLETE = 0.9


@dataclass(frozen=True)
class Scores:
    """Measures of one result; None where the truth leaves a measure undefined.

    All run from 0 to 1, 1 being perfect, except ``DiC`` (cells per frame, 0 being
    perfect) and the counts. SEG, AP, SBD and DiC come from the true outlines, the
    others from the true tracks. AP, SBD and DiC are taken only from frames whose
    outlines show at least 90 % of the tracked cells.
    """

    SEG: float | None
    DET: float | None
    TRA: float | None
    LNK: float | None
    CT: float | None
    TF: float | None
    BC0: float | None
    BC1: float | None
    BC2: float | None
    BC3: float | None
    CCA: float | None
    division_precision: float | None
    division_recall: float | None
    division_f1: float | None
    AP50: float | None
    AP60: float | None
    AP70: float | None
    AP80: float | None
    AP90: float | None
    SBD: float | None
    DiC: float | None
    frames: int
    outlined_frames: int
    cells: int
    found_cells: int
    divisions: int
    found_divisions: int

    def as_dict(self) -> dict[str, float | int | None]:
        """Name every measure and count, in the order of the fields."""
        return asdict(self)


def evaluate(
    result: LabelMovie,
    truth: LabelMovie,
    seg_truth: Mapping[int, Labels] | None = None,
    frames: range | None = None,
    division_tolerance: int = 1,
) -> Scores:
    """Compare a result with the truth, holding one frame at a time.

    Parameters
    ----------
    result
        Labels and tracks found.
    truth
        True labels, or markers, and tracks.
    seg_truth
        True outlines, (Y, X), by frame, in numbers of their own; frames may be
        missing. A mapping that reads on access keeps memory small.
    frames
        Successive frames to compare, all frames if None; tracks are cut to them, and
        parents that lie outside are no parents.
    division_tolerance
        How far off a division may be for its precision and recall, in frames.

    Raises
    ------
    BadInputError
        When result and truth differ in size or frames, or tracks and masks disagree.
    """
    frames = _frames_to_compare(result, truth, frames)
    tally = InstanceTally()
    matches: list[FrameMatch] = []
    # Asked of the keys, since some mappings read the image to say whether it is there.
    outlined = set(seg_truth or ()).intersection(frames)
    for frame in frames:
        found = result.labels(frame)
        matches.append(match_frame(measure_overlaps(truth.labels(frame), found)))
        if seg_truth is not None and frame in outlined:
            overlaps = measure_overlaps(seg_truth[frame], found)
            complete = len(overlaps.truth) >= _COMPLETE * len(matches[-1].truth)
            tally.add(overlaps, complete)
    tables = cut_table(result.table, frames), cut_table(truth.table, frames)
    check_table("result", tables[0], [match.result for match in matches])
    check_table("truth", tables[1], [match.truth for match in matches])
    return _score(matches, tables, tally, len(outlined), division_tolerance)


def _frames_to_compare(
    result: LabelMovie, truth: LabelMovie, frames: range | None
) -> range:
    if frames is None:
        if result.frames != truth.frames:
            raise BadInputError(
                f"Expected a result with as many frames as the truth, {truth.frames}, "
                f"found {result.frames}. Segment the whole movie or name the frames "
                "to compare."
            )
        return range(truth.frames)
    if not frames or frames.step != 1 or frames.start < 0 or frames.stop > truth.frames:
        raise BadInputError(
            f"Expected successive frames out of 0 to {truth.frames - 1} to compare, "
            f"found {frames}."
        )
    return frames


def _score(
    matches: list[FrameMatch],
    tables: tuple[Table, Table],
    tally: InstanceTally,
    outlined: int,
    division_tolerance: int,
) -> Scores:
    result, truth = tables
    graph = count_operations(matches, result, truth)
    division = count_divisions(matches, result, truth, division_tolerance)
    bc = [
        branching_correctness(branching_counts(matches, result, truth, tolerance))
        for tolerance in range(4)
    ]
    return Scores(
        SEG=tally.seg,
        DET=graph.det,
        TRA=graph.tra,
        LNK=graph.lnk,
        CT=complete_tracks(matches, result, truth),
        TF=track_fractions(matches, truth),
        BC0=bc[0],
        BC1=bc[1],
        BC2=bc[2],
        BC3=bc[3],
        CCA=cell_cycle_accuracy(result, truth),
        division_precision=division.precision,
        division_recall=division.recall,
        division_f1=division.f1,
        AP50=tally.ap(0.5),
        AP60=tally.ap(0.6),
        AP70=tally.ap(0.7),
        AP80=tally.ap(0.8),
        AP90=tally.ap(0.9),
        SBD=tally.sbd,
        DiC=tally.count_error,
        frames=len(matches),
        outlined_frames=outlined,
        cells=graph.cells,
        found_cells=sum(len(match.result) for match in matches),
        divisions=division.right + division.missed,
        found_divisions=division.right + division.wrong,
    )
