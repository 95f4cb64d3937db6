"""A movie, projects of it, and computing processes without a network."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.compute.conftest import write_cells
from tests.edits.worlds import SHAPE, family_lineage, family_pixels
from tests.stand_in_child import command

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.io.cells.tracked import TrackedMovie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project

ROOT = Path(__file__).resolve().parents[2]
# A child whose labels depend on all that went before, and that can be gone on with.
CHAIN = """
import sys
from napari_semiconv.compute.__main__ import main
from tests.compute.chain import ChainTools
from tests.stand_in_child import TROUBLE
if sys.argv[1] == "crash at 7":
    class Tools(ChainTools):
        def _work(self, done):
            if done == 7:
                TROUBLE["crash"]()
    main(Tools)
else:
    main(lambda: ChainTools(sys.argv[1]))
"""


@pytest.fixture
def choice(tmp_path):
    """A movie of two still cells in four frames."""
    return write_cells(tmp_path / "two-cells.zarr", 4)


@pytest.fixture
def long_choice(tmp_path):
    """The same in twelve frames."""
    return write_cells(tmp_path / "long.zarr", 12)


def supervisor_of(words):
    # Starting takes long on a busy computer.
    return Supervisor(words, patience=60.0)


@pytest.fixture(scope="module")
def started():
    """Supervisors by command, closed when all is over."""
    known = {}
    yield known
    for supervisor in known.values():
        supervisor.close()


@pytest.fixture
def start(started):
    """Supervise a child: a quick one serves all tests, others are used once."""
    own = []

    def one(*words):
        if words[-1] == "quick":
            return started.setdefault(words, supervisor_of(words))
        own.append(supervisor_of(words))
        return own[-1]

    yield one
    for supervisor in own:
        supervisor.close()


@pytest.fixture
def blobs(start):
    """Supervise children that find blobs."""
    return lambda mode="quick": start(*command(mode))


@pytest.fixture(scope="session")
def script(tmp_path_factory):
    """The program of children whose labels depend on all that went before."""
    path = tmp_path_factory.mktemp("chain") / "chain_child.py"
    path.write_text(CHAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        yield path


@pytest.fixture
def chain(start, script):
    """Supervise such children."""
    return lambda mode="quick": start(sys.executable, str(script), mode)


@pytest.fixture
def family(tmp_path):
    """A project of some cells that were found before."""
    movie = movie_from_array(np.zeros(SHAPE, np.uint8), "TYX", "family")
    pixels = family_pixels()
    found = TrackedMovie("family", SHAPE, pixels.__getitem__, family_lineage())
    with Project.create(tmp_path / "family.semiconv", movie, found) as project:
        yield project
