"""The user's constraints on a frame are worked into a project as one edit."""

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import faults, shown
from tests.stand_in_child import BlobTools

from napari_semiconv.compute.child import Child
from napari_semiconv.compute.messages import Resegmented
from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import BadInputError, ComputeError, EditError, SaveError
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.project import Project
from napari_semiconv.settings import LinkSettings, SegmentSettings
from napari_semiconv.synthetic import SyntheticSettings, simulate
from napari_semiconv.workflows.correcting import correct
from napari_semiconv.workflows.progress import StoppedError, finish
from napari_semiconv.workflows.segmenting import run

SETTINGS = SegmentSettings(link=LinkSettings(solver="greedy"))
SHAPE = (16, 16)
# Both ends of the cell that is 6 px wide.
PARTED = Constraints(SHAPE, cannot_link=[[(10, 8), (10, 13)]])
JOINED = Constraints(SHAPE, must_link=[[(10, 8), (10, 13)]])


class Here:
    """A child in this process, which is there at once."""

    def __init__(self):
        self.said = []
        self.child = Child(self.said.append, BlobTools)

    def follow(self, request, stop=None):
        self.said.clear()
        self.child.answer(request)
        yield from self.said


@pytest.fixture
def project(tmp_path, choice):
    with Project.create(tmp_path / "p.semiconv", choice.open()) as project:
        done = finish(run(project, SETTINGS, range(3), supervisor=Here()))
        assert done.done == 3
        yield project
        assert faults(project.document) == []


def constrain(project, added, supervisor, frame=1, **stop):
    return finish(correct(project, frame, added, supervisor=supervisor, **stop))


def test_constraints_are_one_edit_and_the_next_ones_find_the_maps_at_hand(project):
    child = Here()
    before, tracks = shown(project.document), dict(project.lineage.tracks)
    done = constrain(project, PARTED, child)
    assert isinstance(done, Resegmented)
    assert not done.at_hand
    now = project.document.labels(1)
    assert now[10, 8] == 2
    assert now[10, 13] == 3
    assert all(project.lineage.tracks[n].is_confirmed(1) for n in (2, 3))
    assert not project.lineage.tracks[1].is_confirmed(1)
    # What is confirmed by now gives way to what is said of it later.
    assert constrain(project, JOINED, child).at_hand
    now = project.document.labels(1)
    assert now[10, 8] == now[10, 13] == 2
    project.undo()
    project.undo()
    assert np.array_equal(shown(project.document), before)
    assert dict(project.lineage.tracks) == tracks
    assert not constrain(project, PARTED, child, frame=2).at_hand


def test_a_place_without_a_cell_is_marked(project):
    constrain(project, Constraints(SHAPE, absent=[(3, 3)]), Here())
    assert project.lineage.cells(1) == [2]
    assert project.document.absences == {(1, 3, 3)}


@pytest.mark.parametrize(
    ("mode", "error"), [("crash", "said last: out of"), ("memory", "ran out of memory")]
)
def test_a_child_that_fails_is_told_and_changes_nothing(project, blobs, mode, error):
    before = shown(project.document)
    with pytest.raises(ComputeError, match=error):
        constrain(project, PARTED, blobs(mode))
    assert np.array_equal(shown(project.document), before)
    assert project.history.undoable == "find and follow cells"


def test_a_stop_changes_nothing_and_the_child_lives(project, blobs):
    child = blobs("steady")
    with pytest.raises(StoppedError):
        constrain(project, PARTED, child, stop=lambda: True)
    assert project.history.undoable == "find and follow cells"
    assert not constrain(project, PARTED, child).cancelled


def test_an_answer_that_comes_after_the_stop_is_not_taken(project):
    with pytest.raises(StoppedError):
        constrain(project, PARTED, Here(), stop=lambda: True)
    assert project.history.undoable == "find and follow cells"


def test_a_frame_that_was_changed_meanwhile_is_left_alone(project):
    paint = Paint(1, 9, Region(0, 12, np.ones((2, 2), bool)))

    class Meanwhile(Here):
        def follow(self, request, stop=None):
            project.do(paint)
            yield from super().follow(request, stop)

    with pytest.raises(EditError, match="Correct it once more"):
        constrain(project, PARTED, Meanwhile())
    assert project.history.undoable == "paint cell 9, frame 1"


@pytest.mark.parametrize(
    ("frame", "found"), [(3, "a run of this project computed"), (9, "4 frames")]
)
def test_a_frame_that_was_never_computed_is_told(project, frame, found):
    with pytest.raises(BadInputError, match=found):
        constrain(project, PARTED, Here(), frame=frame)


def test_a_run_that_was_undone_computed_nothing(project):
    project.undo()
    with pytest.raises(BadInputError, match="Compute it first"):
        constrain(project, PARTED, Here())


def test_no_constraint_is_told(project):
    with pytest.raises(BadInputError, match="expected a constraint on its cells"):
        constrain(project, Constraints(SHAPE), Here())


def test_a_project_to_read_only_is_not_corrected(project):
    with (
        Project.open(project.folder) as second,
        pytest.raises(SaveError, match="read only"),
    ):
        constrain(second, PARTED, Here())


# With the network


def touching(labels):
    """Middles of two cells that touch, the smaller one as large as can be."""
    left, right = labels[:, :-1], labels[:, 1:]
    pairs = np.stack([left, right], 2)[(left > 0) & (right > 0) & (left != right)]
    areas = np.bincount(labels.ravel())
    best = pairs[areas[pairs].min(1).argmax()]
    cells = [np.argwhere(labels == label) for label in best]
    return [
        cell[np.linalg.norm(cell - cell.mean(0), axis=1).argmin()] for cell in cells
    ]


def share(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.fixture
def pair(tmp_path):
    """A project of a simulated movie, and two cells in its last frame that touch."""
    settings = SyntheticSettings(
        frames=3, height=96, width=96, cells=12, diameter=20, cycle=200
    )
    made = simulate(settings, seed=3)
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, made.images, imagej=True, metadata={"axes": "TYX"})
    with Project.create(tmp_path / "p.semiconv", open_movie(path)) as project:
        yield project, touching(made.labels[2])


@pytest.mark.slow
def test_a_touching_pair_is_joined_and_told_apart_again(pair):
    project, places = pair
    chosen = SegmentSettings(cell_size=20.0, device="cpu")
    demands = [
        Constraints((96, 96), **{name: [places]})
        for name in ("must_link", "cannot_link", "must_link", "cannot_link")
    ]
    states, at_hand = [], []

    def look():
        now = shown(project.document)
        states.append((now, dict(project.lineage.tracks)))
        return [now[2] == now[2][tuple(place)] for place in places]

    with Supervisor() as child:
        finish(run(project, chosen, supervisor=child))
        first = look()
        for added in demands:
            at_hand.append(constrain(project, added, child, frame=2).at_hand)
            found = look()
            assert np.array_equal(*found) == bool(added.must_link)
    assert at_hand == [False, True, True, True]
    assert all(share(*cells) > 0.8 for cells in zip(found, first, strict=True))
    assert all(np.array_equal(state[:2], states[0][0][:2]) for state, _ in states)
    assert faults(project.document) == []
    for before, known in states[-2::-1]:
        project.undo()
        assert np.array_equal(shown(project.document), before)
        assert dict(project.lineage.tracks) == known
