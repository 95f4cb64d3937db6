"""Each thing that may be wrong with a lineage is told."""

import numpy as np
import pytest

from napari_semiconv.tracking.invariants import faults_of_frame, faults_of_lineage
from napari_semiconv.tracking.lineage import Lineage, Track

SOUND = (
    Track(1, ((0, 1), (3, 3)), confirmed=((1, 1), (3, 3)), scores=bytes(16)),
    Track(2, ((4, 5),), 1),
)


def faults(*tracks, frames=6, names=("sure",)):
    return list(faults_of_lineage(Lineage(tracks, names), frames))


def test_a_sound_lineage_has_no_faults():
    assert faults(*SOUND) == []


@pytest.mark.parametrize(
    ("track", "fault"),
    [
        (Track(0, ((0, 1),)), "Cell 0: labels go from 1 to 2147483647."),
        (Track(2**31, ((0, 1),)), "Cell 2147483648: labels go from 1"),
        (Track(3, ()), "Cell 3: its frames are out of order."),
        (Track(3, ((3, 2),)), "Cell 3: its frames are out of order."),
        (Track(3, ((3, 4), (0, 1))), "Cell 3: its frames are out of order."),
        (Track(3, ((0, 1), (2, 4))), "Cell 3: its frames are out of order."),
        (Track(3, ((0, 3), (2, 4))), "Cell 3: its frames are out of order."),
        (
            Track(3, ((0, 3),), confirmed=((2, 3), (0, 0))),
            "Cell 3: its frames are out of order.",
        ),
        (Track(3, ((-1, 1),)), "Cell 3: it has frames outside of 0 to 5."),
        (Track(3, ((0, 6),)), "Cell 3: it has frames outside of 0 to 5."),
        (
            Track(3, ((0, 1), (3, 3)), confirmed=((1, 2),)),
            "Cell 3: frames are confirmed in which it has no pixels.",
        ),
        (Track(3, ((0, 1),), scores=bytes(4)), "Cell 3: its scores do not fit"),
        (Track(3, ((0, 1),), 9), "Cell 3: its parent 9 does not exist."),
        (
            Track(3, ((3, 4),), 1),
            "Cell 3 begins in frame 3, but its parent 1 has pixels until frame 3.",
        ),
        (Track(3, ((3, 4),), 3), "Cell 3 begins in frame 3, but its parent 3 has"),
    ],
    ids=str,
)
def test_a_fault_of_a_track_is_told(track, fault):
    found = faults(*SOUND, track)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_scores_that_no_name_is_given_for_do_not_fit():
    assert faults(*SOUND, names=()) == ["Cell 1: its scores do not fit its frames."]


def test_a_frame_agrees_with_its_tracks():
    lineage = Lineage(SOUND)
    labels = np.array([[0, 1, 1]])
    assert list(faults_of_frame(lineage, 0, labels)) == []
    assert list(faults_of_frame(lineage, 2, labels)) == [
        "Frame 2: label 1 has pixels, but its track is not there."
    ]
    assert list(faults_of_frame(lineage, 5, labels)) == [
        "Frame 5: label 1 has pixels, but its track is not there.",
        "Frame 5: cell 2 should be there, but has no pixels.",
    ]
