"""Many threads at one project: edits, a run that is adopted, undoing, and looking."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.edits.worlds import (
    SHAPE,
    by_chance,
    family_lineage,
    family_pixels,
    faults,
    state,
)

from napari_semiconv.edits.document import Centroids
from napari_semiconv.errors import EditError
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.adopt import Adopter
from napari_semiconv.project.project import Project

THREADS, EDITS = 8, 30
# Divisions end where a cell goes on: a run that meets them is looked at elsewhere.
PARENTS = {3: {2: 1, 3: 1}}


@pytest.fixture
def project(tmp_path):
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX")
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    with Project.create(tmp_path / "p", movie, found) as project:
        yield project


class Team:
    """Threads that begin together; an error in one of them is raised here."""

    def __init__(self, project):
        self.project = project
        self.done = threading.Event()

    def work(self, *jobs, watch):
        start = threading.Barrier(len(jobs) + len(watch))

        def begin(job):
            start.wait(30)
            return job()

        def look(job):
            start.wait(30)
            rounds = 0
            while not self.done.is_set() or not rounds:
                job()
                rounds += 1
            return rounds

        with ThreadPoolExecutor(len(jobs) + len(watch)) as pool:
            working = [pool.submit(begin, job) for job in jobs]
            watching = [pool.submit(look, job) for job in watch]
            try:
                found = [future.result(120) for future in working]
            finally:
                self.done.set()
            assert all(future.result(30) > 0 for future in watching)
        return found

    def edit(self, seed):
        """Make edits by chance; tell how many were possible."""
        chance, made = random.Random(seed), 0
        for _ in range(EDITS):
            # A plan by one thread may be impossible once another has edited.
            with self.project.document.guard:
                edit = by_chance(chance, self.project.document)
            try:
                made += bool(self.project.do(edit))
            except EditError:
                continue
        return made

    def adopt(self):
        group = self.project.history.new_group()
        adopter = Adopter(self.project, 1, group)
        for frame in range(SHAPE[0]):
            adopter.adopt(frame, family_pixels()[frame], PARENTS.get(frame, {}))
        return group

    def turn(self):
        """Undo and redo."""
        turned = 0
        for way in ("undo", "redo") * 10:
            try:
                turned += bool(getattr(self.project, way)())
            except EditError:
                continue
        return turned

    def look_at_labels(self):
        document = self.project.document
        for frame in range(SHAPE[0]):
            with document.guard:
                labels, cells = document.labels(frame), document.lineage.cells(frame)
            assert np.unique(labels[labels > 0]).tolist() == cells

    def look_at_centroids(self):
        document = self.project.document
        for frame in range(SHAPE[0]):
            with document.guard:
                found, labels = self.project.centroids(frame), document.labels(frame)
            assert same(found, Centroids.of(labels))


def same(one, other):
    names = ("labels", "y", "x", "areas")
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def reopened(project):
    """The document that the journal alone gives."""
    project.history.journal.sync()
    with Project.open(project.folder, write=False) as other:
        return state(other.document)


def check(project):
    assert faults(project.document) == []
    assert [*project.faults()] == []
    for frame in range(SHAPE[0]):
        labels = project.document.labels(frame)
        assert same(project.centroids(frame), Centroids.of(labels))
    assert reopened(project) == state(project.document)


def test_eight_threads_edit_while_others_look(project):
    team = Team(project)
    jobs = [lambda seed=seed: team.edit(seed) for seed in range(THREADS)]
    made = team.work(*jobs, watch=(team.look_at_labels, team.look_at_centroids))
    assert sum(made) > EDITS
    assert project.history.journal.last == sum(made)
    check(project)


def test_a_run_is_adopted_and_steps_are_undone_meanwhile(project):
    team = Team(project)
    jobs = [lambda seed=seed: team.edit(seed) for seed in range(THREADS)]
    *made, _, _ = team.work(
        *jobs,
        team.adopt,
        team.turn,
        watch=(team.look_at_labels, team.look_at_centroids),
    )
    assert sum(made) > EDITS
    check(project)


def test_every_change_is_told_in_the_thread_that_made_it(project):
    told = []

    def hear(touched):
        told.append((threading.get_ident(), touched))

    project.changed.connect(hear)
    team = Team(project)
    made = team.work(
        *(
            lambda seed=seed: (threading.get_ident(), team.edit(seed))
            for seed in (1, 2)
        ),
        watch=(),
    )
    for thread, edits in made:
        of_it = [touched for ident, touched in told if ident == thread]
        assert 0 < len(of_it) <= edits
        # A mark that a place has no cell touches none, and is told all the same.
        assert any(touched.frames or touched.labels for touched in of_it)
