"""The constraints of a project reach the run in the child."""

import numpy as np
from tests.edits.drawn import movie
from tests.stand_in_child import BlobTools

from napari_semiconv.compute.child import Child
from napari_semiconv.edits.base import plan
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.project.constraints import write_constraints_of

from .conftest import segment


class Listener(BlobTools):
    """Notes what it is told, and finds blobs."""

    told = None

    def run(self, movie, model, settings, frames, resume_from=None, constraints=None):
        Listener.told = constraints
        yield from super().run(movie, model, settings, frames)


def test_the_child_reads_the_constraints(choice, tmp_path):
    document = movie("11..  11..")
    document.apply(plan(Confirm(1, 1, 1), document))
    path = tmp_path / "constraints.npz"
    assert write_constraints_of(path, document, range(2))
    child = Child(lambda message: None, Listener)
    child.answer(segment(choice, tmp_path / "run", constraints=path))
    assert list(Listener.told) == [1]
    assert np.array_equal(Listener.told[1].confirmed, document.labels(1))


def test_a_run_without_a_project_is_told_nothing(choice, tmp_path):
    child = Child(lambda message: None, Listener)
    child.answer(segment(choice, tmp_path / "run"))
    assert Listener.told is None
