"""Projects on the command line: made, gone on with, imported, exported, told of."""

import json

import numpy as np
import pytest
import tifffile
from tests.edits.worlds import shown
from tests.old_results import write_old_result
from tests.stand_in_child import command
from tests.tracked_worlds import PARENTS, lively

from napari_semiconv.cli import main
from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.io.cells.formats import writable
from napari_semiconv.project.project import Project

FRAMES = 5


@pytest.fixture
def movie(tmp_path):
    images = np.zeros((FRAMES, 16, 16), np.uint8)
    images[:, 2:6, 2:6] = 9
    images[:, 9:13, 8:14] = 9
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, images, imagej=True, metadata={"axes": "TYX"})
    return path


@pytest.fixture
def child(monkeypatch):
    def use(mode):
        monkeypatch.setattr(
            "napari_semiconv.compute.supervisor.child_command", lambda: command(mode)
        )

    use("quick")
    return use


@pytest.fixture
def folder(tmp_path, movie, child, capsys):
    path = tmp_path / "p.semiconv"
    words = ["segment", movie, "--format", "project", "--output", path]
    assert main([str(word) for word in words]) == 0
    assert "5 of 5 frames, 2 tracks, 0 divisions" in capsys.readouterr().out
    return path


def run(*words):
    return main([str(word) for word in words])


def test_a_movie_becomes_a_project(folder):
    with Project.open(folder) as project:
        assert sorted(project.lineage.tracks) == [1, 2]
        assert project.lineage.cells(4) == [1, 2]


def test_an_output_with_files_is_refused(folder, movie, capsys):
    assert run("segment", movie, "--format", "project", "--output", folder) == 1
    assert "expected a new or empty folder" in capsys.readouterr().err


def test_a_crash_is_told_and_run_goes_on(tmp_path, movie, child, capsys):
    child("crash")
    path = tmp_path / "p"
    assert run("segment", movie, "--format", "project", "--output", path) == 1
    assert "1 frame is finished" in capsys.readouterr().err
    assert run("check", path) == 0
    capsys.readouterr()
    child("quick")
    assert run("run", path) == 0
    assert "5 of 5 frames" in capsys.readouterr().out
    with Project.open(path) as project:
        assert project.lineage.cells(4) == [1, 2]


def test_run_without_anything_to_go_on_with_asks_for_frames(folder, capsys):
    assert run("run", folder) == 1
    assert "--frames 0:5" in capsys.readouterr().err
    assert run("run", folder, "--frames", "1:3") == 0
    assert "2 of 2 frames, 2 tracks" in capsys.readouterr().out
    assert run("run", folder, "--from", 3) == 0
    assert "2 of 2 frames" in capsys.readouterr().out
    assert run("run", folder, "--from", 3, "--frames", "1:3") == 1
    assert "expected one of them, found both" in capsys.readouterr().err
    assert run("run", folder, "--from", 5) == 1
    assert run("run", folder, "--frames", "9:12") == 1
    assert "movie's 5 frames" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["ctc", "tiff"])
def test_what_is_exported_can_be_imported(folder, movie, tmp_path, form, capsys):
    out = tmp_path / ("01_RES" if form == "ctc" else "labels.tif")
    assert run("export", folder, "--to", form, out) == 0
    assert run("import", out, "--movie", movie, "--output", tmp_path / "q") == 0
    assert "2 tracks in 5 frames" in capsys.readouterr().out
    with Project.open(folder) as one, Project.open(tmp_path / "q") as other:
        assert np.array_equal(shown(one.document), shown(other.document))


def test_tables_are_exported_also_when_the_movie_is_gone(
    folder, movie, tmp_path, capsys
):
    movie.rename(tmp_path / "moved.tif")
    assert run("export", folder, "--to", "csv", tmp_path / "tables") == 0
    assert "What is measured of its pixels is left out" in capsys.readouterr().err
    words = "--movie", tmp_path / "moved.tif"
    assert run("export", folder, "--to", "csv", tmp_path / "more", *words) == 0
    cells = [(tmp_path / name / "cells.csv").read_text() for name in ("tables", "more")]
    assert len(cells[1].splitlines()[0]) > len(cells[0].splitlines()[0])


def test_an_existing_file_is_not_overwritten(folder, tmp_path, capsys):
    out = tmp_path / "labels.tif"
    out.write_bytes(b"mine")
    assert run("export", folder, "--to", "tiff", out) == 1
    assert out.read_bytes() == b"mine"
    assert "labels.tif" in capsys.readouterr().err


def test_a_sound_project_is_told_sound_and_a_damaged_one_is_not(folder, capsys):
    assert run("check", folder) == 0
    assert "is sound: 5 frames, 2 tracks, 6 edits in" in capsys.readouterr().out
    chunk = folder / "labels.zarr" / "c" / "3" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-3])
    assert run("check", folder) == 1
    told = capsys.readouterr()
    # Its file is that of the run as well.
    assert told.out.count("masks of frame 3 are damaged") == 2
    assert "found 2 faults." in told.err


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize(
    ("name", "words"),
    [("journal.bin", "the journal lacks its last entry"),
     ("runs/0001/tracks.json", "expected a run with tracks.json, found none that")],
    ids=["journal", "tracks of a run"],
)  # fmt: skip
def test_damage_that_hinders_nobody_yet_is_told(folder, name, words, capsys):
    cut(folder / name)
    assert run("check", folder) == 1
    told = capsys.readouterr()
    assert words in told.out
    assert "found 1 fault." in told.err


def test_a_torn_end_of_the_journal_is_told(folder, capsys):
    with (folder / "journal.bin").open("ab") as stream:
        stream.write(b"SCJ1 and then the power")
    size = (folder / "journal.bin").stat().st_size
    assert run("check", folder) == 1
    told = capsys.readouterr()
    assert "written in part, 23 bytes, and is left out" in told.out
    assert told.err.count("\n") == 1
    assert (folder / "journal.bin").stat().st_size == size


def test_the_history_is_told_in_three_ways(folder, capsys):
    with Project.open(folder) as project:
        project.do(Paint(2, 7, Region(0, 0, np.ones((2, 2), bool))))
    assert run("history", folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert "paint: frame 2, label 7" in lines[-1]
    assert run("history", folder, "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[-1]["what"]["region"] == {"y": 0, "x": 0, "pixels": 4}
    assert run("history", folder, "--csv") == 0
    assert capsys.readouterr().out.startswith("number,at,by,do,words,kind,state,what")


def test_a_correction_tells_the_cells_that_come_of_it(folder, capsys):
    assert run("correct", folder, "--frame", 2, "--apart", "10,8", "10,13") == 0
    assert capsys.readouterr().out.splitlines() == [
        "cell 2: 12 px, was 24 px",
        "cell 3: 12 px, new",
    ]
    assert run("correct", folder, "--frame", 2, "--apart", "10,8", "10,13") == 0
    assert "cell 3: 12 px, as it was" in capsys.readouterr().out
    assert run("correct", folder, "--frame", 2, "--together", "10,8", "10,13") == 0
    assert capsys.readouterr().out.splitlines() == [
        "cell 2: 24 px, was 12 px",
        "cell 3: gone",
    ]
    assert run("correct", folder, "--frame", 2, "--none", "3,3") == 0
    assert capsys.readouterr().out == "cell 1: gone\n"
    assert run("correct", folder, "--frame", 2, "--add", "3,3") == 0
    assert capsys.readouterr().out == "cell 4: 4 px, new\n"
    words = ("correct", folder, "--frame", 2, "--follow", 4)
    assert run(*words, "--until", 3) == 0
    assert capsys.readouterr().out == "frame 3: cell 4, 4 px, agrees to 100 %\n"
    with Project.open(folder) as project:
        assert project.document.labels(3)[3, 3] == 4
    assert run("correct", folder, "--frame", 2, "--none", "3,3", "--until", 3) == 1
    assert "expected it with --follow" in capsys.readouterr().err
    assert run("correct", folder, "--frame", 2, "--count", 1, "--at", "10,8") == 0
    assert capsys.readouterr().out == "cell 2: 24 px, as it was\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--frame", 9, "--none", "3,3"], "expected one of the movie's 5 frames"),
        (["--frame", 2, "--apart", "3,3", "3,3"], "expected two pixels or more"),
        (["--frame", 2, "--count", 2], "expected both or neither"),
        (["--frame", 2, "--count", 2, "--at", "0,0"], "expected a cell there"),
        (["--frame", 2, "--none", "99,0"], "lies outside the frame"),
    ],
)
def test_a_correction_that_cannot_be_meant_is_told(folder, words, told, capsys):
    assert run("correct", folder, *words) == 1
    assert told in capsys.readouterr().err


def test_a_crash_while_correcting_is_told_and_changes_nothing(folder, child, capsys):
    with Project.open(folder) as project:
        before = shown(project.document)
    child("crash")
    assert run("correct", folder, "--frame", 2, "--apart", "10,8", "10,13") == 1
    assert "The computing process ended unexpectedly" in capsys.readouterr().err
    with Project.open(folder) as project:
        assert np.array_equal(shown(project.document), before)


@pytest.mark.parametrize("verb", ["check", "history", "run"])
def test_what_is_no_project_is_told(tmp_path, verb, capsys):
    assert run(verb, tmp_path / "nothing") == 1
    assert "expected a project with project.json" in capsys.readouterr().err


@pytest.mark.parametrize("form", writable(), ids=lambda form: form.name)
def test_every_format_can_be_exported(folder, tmp_path, form):
    target = tmp_path / f"cells{form.suffix}"
    assert run("export", folder, "--to", form.name, target) == 0
    assert target.exists()


def test_solving_tells_where_nothing_is_known_of_the_network(folder, capsys):
    """The stand-in keeps no evidence, as a run whose files were damaged."""
    assert main(["solve", str(folder)]) == 0
    said = capsys.readouterr().err
    assert "Of 5 frames, the first of them 0, no readable prediction" in said


@pytest.mark.parametrize("command", ["check", "run", "solve", "history"])
def test_cells_that_are_no_project_yet_are_told_from_one(tmp_path, command, capsys):
    old = write_old_result(tmp_path / "dish.semiconv", lively, PARENTS)
    assert run(command, old) == 1
    said = capsys.readouterr().err
    assert f"napari-semiconv import {old} --movie MOVIE" in said
    assert said.count("\n") == 1


def test_undo_goes_to_a_step_by_its_number(folder, capsys):
    with Project.open(folder) as project:
        before = shown(project.document)
        square = Region(12, 1, np.ones((2, 2), bool))
        for frame in (1, 2, 3):
            project.do(Paint(frame, 1, square))
        after = shown(project.document)
        numbers = [step[0].number for step in project.history.timeline[0]]
    capsys.readouterr()
    assert run("undo", folder, "--to", numbers[0]) == 0
    assert capsys.readouterr().out == (
        "Went 3 steps through the history; the last one done is now "
        "'find and follow cells'.\n"
    )
    with Project.open(folder) as project:
        np.testing.assert_array_equal(shown(project.document), before)
    assert run("undo", folder, "--to", numbers[-1]) == 0
    with Project.open(folder) as project:
        np.testing.assert_array_equal(shown(project.document), after)
    assert run("undo", folder, "--to", 9999) == 1
    assert "Step 9999: expected one that can be undone" in capsys.readouterr().err
