"""Any step of the history can be gone to, there and back, also after reopening."""

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import SHAPE, family_lineage, family_pixels, faults, state

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.links import Swap
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import DeleteTrack, MarkEmpty
from napari_semiconv.edits.results import AdoptFrame
from napari_semiconv.errors import BadInputError, EditError, SaveError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.going_back import go_back_to, is_long_way
from napari_semiconv.project.project import Project

EDITS = (
    Paint(1, 7, Region(1, 20, np.ones((4, 4), bool))),
    Swap(4, 5, 4),
    MarkEmpty(2, 20, 30),
    DeleteTrack(2, 4),
    Confirm(3),
)


@pytest.fixture
def folder(tmp_path):
    images = np.random.default_rng(3).integers(0, 99, SHAPE, np.uint16)
    path = tmp_path / "family.tif"
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    folder = tmp_path / "family.semiconv"
    Project.create(folder, open_movie(path), found).close()
    return folder


def edit(project):
    """Make all edits; give the state before each and after the last, and the steps."""
    states = [state(project.document)]
    for one in EDITS:
        project.do(one)
        states.append(state(project.document))
    return states, [0] + [step[0].number for step in project.history.timeline[0]]


def test_each_step_is_reached_from_each_other_one(folder):
    with Project.open(folder) as project:
        states, numbers = edit(project)
        order = np.random.default_rng(0).permutation([*range(len(numbers))] * 4)
        here = len(numbers) - 1
        for place in order.tolist():
            assert go_back_to(project, numbers[place]) == abs(place - here)
            here = place
            assert state(project.document) == states[place]
            assert faults(project.document) == []
            assert project.history.timeline[1] == place


def test_it_is_reached_after_reopening(folder):
    with Project.open(folder) as project:
        states, numbers = edit(project)
        go_back_to(project, numbers[2])
    with Project.open(folder) as project:
        assert state(project.document) == states[2]
        for place in (5, 0, 3):
            go_back_to(project, numbers[place])
            assert state(project.document) == states[place]


def test_it_is_told_as_one_change(folder):
    with Project.open(folder) as project:
        edit(project)
        told, counts = [], []
        project.changed.connect(told.append)
        go_back_to(project, 0, lambda done, total: counts.append((done, total)))
        assert counts == [(n, 5) for n in range(1, 6)]
        assert len(told) == 1
        assert told[0].frames == {1, 4, 5}
        assert told[0].labels >= {2, 4, 5, 7}


def test_a_mark_is_told_too(folder):
    with Project.open(folder) as project:
        told = []
        project.changed.connect(told.append)
        project.do(MarkEmpty(2, 20, 30))
        assert len(told) == 1


def test_a_stop_leaves_it_at_a_step_between(folder):
    class Enough(Exception):
        pass

    def tell(done, total):
        if done == 2:
            raise Enough

    with Project.open(folder) as project:
        states, numbers = edit(project)
        told = []
        project.changed.connect(told.append)
        with pytest.raises(Enough):
            go_back_to(project, 0, tell)
        assert state(project.document) == states[3]
        assert len(told) == 1
        go_back_to(project, numbers[-1])
        assert state(project.document) == states[-1]


def test_a_step_that_is_dropped_is_refused(folder):
    with Project.open(folder) as project:
        _, numbers = edit(project)
        go_back_to(project, numbers[2])
        project.do(Confirm(4))
        before = state(project.document)
        with pytest.raises(EditError, match=f"Step {numbers[4]}: expected one that"):
            go_back_to(project, numbers[4])
        assert state(project.document) == before


def test_a_project_that_is_read_only_stays_as_it_is(folder):
    with Project.open(folder) as project:
        states, _ = edit(project)
    with Project.open(folder, write=False) as project:
        with pytest.raises(SaveError, match="read only"):
            go_back_to(project, 0)
        assert state(project.document) == states[-1]


def test_runs_and_many_entries_are_a_long_way(folder):
    with Project.open(folder) as project:
        project.do(Confirm(1))
        project.do(Confirm(3))
        assert not is_long_way(project, 0)
        group = project.history.new_group()
        number = project.history.journal.last
        empty = np.zeros(SHAPE[1:], np.int32)
        project.do(AdoptFrame(5, empty), group)
        assert is_long_way(project, number)


def test_steps_are_named_with_frame_and_cell(folder):
    from napari_semiconv.edits.base import Group
    from napari_semiconv.edits.steps import facts_of

    with Project.open(folder) as project:
        project.do(Group((Confirm(3), Swap(4, 5, 4)), "tidy up"))
        project.do(DeleteTrack(2, 4))
        group, deleted = (facts_of(step) for step in project.history.timeline[0])
        assert (group.words, group.frame, group.label) == ("tidy up", 4, 3)
        assert (deleted.frame, deleted.label) == (4, 2)
        assert deleted.words == project.history.undoable
        assert deleted.words == "delete track 2, frame 4"
        project.do(Swap(1, 4, 1))
        project.do(Confirm(5, 4, 5))
        assert project.history.undoable == "confirm cell 5, frames 4 to 5"
        project.undo()
        assert project.history.undoable == "swap cells 1 and 4, frame 1"
        assert deleted.by
        assert deleted.at.endswith("+00:00")


def test_without_a_project_it_is_refused():
    from napari_semiconv.workflows.going_back import go_back
    from napari_semiconv.workflows.session import Session

    session = Session()
    with pytest.raises(BadInputError, match="Expected an open project"):
        go_back(session, 0)
    session.close()
