"""`napari-semiconv solve`: what it says, changes and refuses."""

import os
import re
import signal

import numpy as np
import pytest
from tests import worlds
from tests.edits.worlds import faults, shown, state
from tests.project.test_solving import exchanged, project_of, still

from napari_semiconv.cli import main
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.errors import SaveError
from napari_semiconv.inference.linking.solve import Solver
from napari_semiconv.project.project import Project


@pytest.fixture
def folder(tmp_path):
    """A project in which two labels are exchanged in frame 2 of 4."""
    path = tmp_path / "p.semiconv"
    project_of(path, exchanged(still(1, 2, 3), 1, 2, [2])).close()
    return path


def run(*words):
    return main([str(word) for word in words])


def seen(folder):
    with Project.open(folder, write=False) as project:
        assert faults(project.document) == []
        return shown(project.document), state(project.document)


def test_it_mends_and_says_what_changed(folder, capsys):
    assert run("solve", folder) == 0
    told = capsys.readouterr()
    assert told.out.strip() == f"3 tracks, 0 divisions, 2 changed: {folder}"
    assert told.err == ""
    assert np.array_equal(seen(folder)[0], still(1, 2, 3))


def test_tracks_that_trade_their_ends_have_changed(tmp_path, capsys):
    """They have cells in the same frames as before."""
    project_of(tmp_path / "p", exchanged(still(1, 2), 1, 2, [3])).close()
    assert run("solve", tmp_path / "p") == 0
    assert "2 tracks, 0 divisions, 2 changed" in capsys.readouterr().out


def test_a_division_found_counts(tmp_path, capsys):
    project_of(tmp_path / "p", worlds.enlarge(worlds.one_division)).close()
    assert run("solve", tmp_path / "p") == 0
    assert "3 tracks, 1 division, 2 changed" in capsys.readouterr().out


def test_the_second_time_nothing_changes(folder, capsys):
    run("solve", folder)
    before = seen(folder)[1]
    capsys.readouterr()
    assert run("solve", folder) == 0
    assert "3 tracks, 0 divisions, 0 changed" in capsys.readouterr().out
    assert seen(folder)[1] == before


def test_it_is_one_entry_of_the_history_and_can_be_undone(folder, capsys):
    before = seen(folder)[1]
    run("solve", folder)
    capsys.readouterr()
    assert run("history", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "solve tracks" in lines[0]
    with Project.open(folder) as project:
        project.undo()
        assert state(project.document) == before


def test_what_is_confirmed_stays(folder, capsys):
    with Project.open(folder) as project:
        project.do(Confirm())
    before = seen(folder)[0]
    assert run("solve", folder) == 0
    assert "0 changed" in capsys.readouterr().out
    assert np.array_equal(seen(folder)[0], before)


def test_frames_that_were_not_asked_for_stay(folder, capsys):
    before = seen(folder)[0]
    assert run("solve", folder, "--frames", "0:1") == 0
    assert "0 changed" in capsys.readouterr().out
    assert np.array_equal(seen(folder)[0], before)
    assert run("solve", folder, "--frames", "1:4") == 0
    assert np.array_equal(seen(folder)[0], still(1, 2, 3))


def sentence(capsys):
    """The one sentence that was told, and nothing on standard output."""
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    return told.err.strip()


def test_frames_that_are_not_there_are_refused(folder, capsys):
    before = seen(folder)[1]
    assert run("solve", folder, "--frames", "9:12") == 1
    assert "movie's 4 frames" in sentence(capsys)
    assert seen(folder)[1] == before


def test_a_project_without_cells_is_refused(tmp_path, capsys):
    project_of(tmp_path / "p", np.zeros((3, 8, 8), np.int32)).close()
    assert run("solve", tmp_path / "p") == 1
    told = sentence(capsys)
    assert "expected cells to be linked, found none. Run the network first" in told
    assert "\n" not in told


def test_what_is_no_project_is_refused(tmp_path, capsys):
    assert run("solve", tmp_path / "nothing") == 1
    assert "expected a project with project.json" in sentence(capsys)


def test_a_project_that_is_open_elsewhere_is_refused(folder, capsys):
    with Project.open(folder) as project:
        before = state(project.document)
        assert run("solve", folder) == 1
        assert state(project.document) == before
    told = sentence(capsys)
    assert "Close it where it is open" in told


def test_a_failing_disk_leaves_it_as_it_was(folder, capsys, monkeypatch):
    before = seen(folder)[1]

    def fail(*_):
        raise SaveError("journal.bin could not be written: the disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("napari_semiconv.edits.journal.Journal.append", fail)
        assert run("solve", folder) == 1
    assert "the disk is full" in sentence(capsys)
    assert seen(folder)[1] == before


@pytest.mark.parametrize("at", [0, 2, 3])
def test_ctrl_c_leaves_it_as_it_was(folder, capsys, monkeypatch, at):
    before, push = seen(folder)[1], Solver.push

    def pressed(self, frame, *rest):
        push(self, frame, *rest)
        if frame == at:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Solver, "push", pressed)
    assert run("solve", folder) == 130
    assert re.search(r"\d+ changed", capsys.readouterr().out) is None
    assert seen(folder)[1] == before


def test_ctrl_c_while_all_is_weighed_leaves_it_as_it_was(folder, capsys, monkeypatch):
    before, whole = seen(folder)[1], Solver.solve

    def pressed(self, *rest, **more):
        os.kill(os.getpid(), signal.SIGINT)
        return whole(self, *rest, **more)

    monkeypatch.setattr(Solver, "solve", pressed)
    assert run("solve", folder) == 130
    assert capsys.readouterr().out == ""
    assert seen(folder)[1] == before


def test_what_was_solved_can_be_undone_and_redone(folder, capsys):
    before = seen(folder)[1]
    run("solve", folder)
    solved = seen(folder)[1]
    assert solved != before
    capsys.readouterr()
    assert run("undo", folder) == 0
    assert (
        capsys.readouterr().out == "Undone: 1 edit, the last of them 'solve tracks'.\n"
    )
    assert seen(folder)[1] == before
    assert run("redo", folder) == 0
    assert seen(folder)[1] == solved
    assert run("redo", folder) == 1
    assert "nothing to redo" in capsys.readouterr().err
