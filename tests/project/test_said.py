"""What the user said in a project reaches a run, and a correction becomes one edit."""

import numpy as np
import pytest
from napari_semiconv.compute.projects import run_project
from napari_semiconv.project.said import constraints_of, read_said, write_said
from tests.edits.worlds import SHAPE, family_pixels, faults, shown
from tests.inference.perfect import perfect_output
from tests.project.test_taking import take_all

from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.constraints.resegment import resegment
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.correcting import correction_of
from napari_semiconv.project.project import Project
from napari_semiconv.settings import SegmentSettings


@pytest.fixture
def project(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with Project.create(tmp_path / "p", movie) as project:
        take_all(project)
        yield project
        assert faults(project.document) == []


def say(project):
    project.do(Confirm(4, 0, 1))
    project.do(DeleteCell(5, 5))
    project.do(MarkEmpty(5, 20, 3))


def test_confirmed_deleted_and_marked_become_constraints(project):
    say(project)
    first, last = (constraints_of(project.document, t) for t in (0, 5))
    assert np.array_equal(first.settled > 0, family_pixels()[0] == 4)
    assert np.array_equal(last.gone, family_pixels()[5] == 5)
    assert last.absent.tolist() == [[20, 3]]
    assert not constraints_of(project.document, 2)


def test_what_is_shown_holds_what_is_said(project):
    say(project)
    for t in range(SHAPE[0]):
        told = constraints_of(project.document, t)
        assert violations(project.document.labels(t), told) == []


def test_a_file_gives_back_what_was_said(project, tmp_path):
    path = tmp_path / "said.npz"
    assert not write_said(path, project.document, range(6))
    assert not path.exists()
    say(project)
    assert write_said(path, project.document, range(6))
    said = read_said(path)
    assert list(said) == [0, 1, 5]
    for t in said:
        told, plain = said[t], constraints_of(project.document, t)
        assert np.array_equal(told.settled, plain.settled)
        assert np.array_equal(told.gone, plain.gone if t == 5 else told.gone & False)
        assert np.array_equal(told.absent, plain.absent)
    with pytest.raises(KeyError):
        said[3]


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "said.npz").write_bytes(b"nothing")
    with pytest.raises(BadInputError, match="Start again"):
        read_said(tmp_path / "said.npz")


def test_a_run_is_told(project, monkeypatch):
    say(project)
    requests = []

    class Deaf:
        def follow(self, request, stop):
            requests.append(request)
            return iter(())

    monkeypatch.setattr(Project, "movie", lambda self: Found())
    monkeypatch.setattr(
        "napari_semiconv.compute.projects.MovieChoice", type("Choice", (), {"of": of})
    )
    monkeypatch.setattr(
        "napari_semiconv.compute.projects.Segment", lambda **facts: facts
    )
    list(run_project(project, SegmentSettings(), supervisor=Deaf()))
    assert list(read_said(requests[0]["said"])) == [0, 1, 5]
    assert requests[0]["said"].parent == requests[0]["output"].parent


class Found:
    path = "movie.tif"

    def __len__(self):
        return SHAPE[0]


def of(movie, path):
    return None


def test_a_correction_is_one_edit_that_is_undone_at_once(project):
    before = shown(project.document)
    labels = project.document.labels(4)
    correction = Constraints(labels.shape, joined=[[(4, 3), (4, 8)]])
    told = correction_of(project.document, 4, correction)
    found = resegment(perfect_output(labels), labels, told.told)
    project.do(told.edit(found.window, found.labels))
    now = project.document.labels(4)
    assert now[4, 3] == now[4, 8] != 0
    assert project.lineage.tracks[int(now[4, 3])].is_confirmed(4)
    assert np.array_equal(project.document.labels(5), before[5])
    assert (
        violations(now, constraints_of(project.document, 4).and_also(correction)) == []
    )
    project.undo()
    assert np.array_equal(shown(project.document), before)
