"""What the user said in a project reaches a run, and a correction becomes one edit."""

from dataclasses import replace

import numpy as np
import pytest
from tests.edits.worlds import SHAPE, family_pixels, faults, shown
from tests.inference.perfect import perfect_output
from tests.project.test_adopt import adopt_all

from napari_semiconv.compute.messages import Finished
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.edits.removing import DeleteCell, MarkEmpty
from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.constraints.resegment import resegment
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.constraints import (
    constraints_of,
    read_constraints,
    write_constraints_of,
)
from napari_semiconv.project.correcting import correction_of
from napari_semiconv.project.project import Project
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.workflows.progress import finish
from napari_semiconv.workflows.segmenting import run


@pytest.fixture
def project(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    with Project.create(tmp_path / "p", movie) as project:
        adopt_all(project)
        yield project
        assert faults(project.document) == []


def say(project):
    project.do(Confirm(4, 0, 1))
    project.do(DeleteCell(5, 5))
    project.do(MarkEmpty(5, 20, 3))


def test_confirmed_deleted_and_marked_become_constraints(project):
    say(project)
    first, last = (constraints_of(project.document, t) for t in (0, 5))
    assert np.array_equal(first.confirmed > 0, family_pixels()[0] == 4)
    assert np.array_equal(last.gone, family_pixels()[5] == 5)
    assert last.absent.tolist() == [[20, 3]]
    assert not constraints_of(project.document, 2)


def test_what_is_shown_holds_what_is_said(project):
    say(project)
    for t in range(SHAPE[0]):
        told = constraints_of(project.document, t)
        assert violations(project.document.labels(t), told) == []


def test_a_file_gives_back_what_was_said(project, tmp_path):
    path = tmp_path / "constraints.npz"
    assert not write_constraints_of(path, project.document, range(6))
    assert not path.exists()
    say(project)
    assert write_constraints_of(path, project.document, range(6))
    said = read_constraints(path)
    assert list(said) == [0, 1, 5]
    for t in said:
        told, plain = said[t], constraints_of(project.document, t)
        assert np.array_equal(told.confirmed, plain.confirmed)
        assert np.array_equal(told.gone, plain.gone if t == 5 else told.gone & False)
        assert np.array_equal(told.absent, plain.absent)
    with pytest.raises(KeyError):
        said[3]


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "constraints.npz").write_bytes(b"nothing")
    with pytest.raises(BadInputError, match="Start again"):
        read_constraints(tmp_path / "constraints.npz")


def test_a_run_is_told(project, monkeypatch, tmp_path):
    say(project)
    requests = []

    class Deaf:
        def follow(self, request, stop):
            requests.append(request)
            finished = Finished(
                output=request.output, done=0, total=6, tracks=0, cancelled=True
            )
            yield finished

    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    movie = replace(movie, path=tmp_path / "movie.tif")
    monkeypatch.setattr(Project, "movie", lambda self: movie)
    assert finish(run(project, SegmentSettings(), supervisor=Deaf())).cancelled
    path = requests[0].constraints
    assert list(read_constraints(path)) == [0, 1, 5]
    assert path.parent == requests[0].output.parent


def test_a_correction_is_one_edit_that_is_undone_at_once(project):
    before = shown(project.document)
    labels = project.document.labels(4)
    correction = Constraints(labels.shape, must_link=[[(4, 3), (4, 8)]])
    told = correction_of(project.document, 4, correction)
    found = resegment(perfect_output(labels), labels, told.constraints)
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
