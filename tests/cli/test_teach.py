"""The command `teach` with a stand-in for the teaching itself."""

import pytest
from tests.gui.movies import project_of, write_dish
from tests.teaching.test_corrections import labels
from tests.teaching.test_teach import record

from napari_semiconv.cli import main
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.teaching.record import ScoreRecord
from napari_semiconv.teaching.settings import TeachSettings
from napari_semiconv.workflows import teaching
from napari_semiconv.workflows.progress import Progress


@pytest.fixture
def folders(tmp_path):
    found = []
    for name in ("one", "two"):
        movie = open_movie(write_dish(tmp_path / f"{name}.tif", 6))
        folder = tmp_path / f"{name}.semiconv"
        project_of(folder, movie, labels()).close()
        found.append(str(folder))
    return found


@pytest.fixture
def teach(monkeypatch):
    asked = {}

    def steps(projects, output, settings, *, frames=None, stop=None):
        asked.update(
            names=[project.folder.name for project in projects],
            read_only=all(project.read_only for project in projects),
            output=output.name,
            settings=settings,
            frames=frames,
        )
        yield Progress("teaching", 1, 2, scores={"loss": 1.0})
        return asked.get("outcome", record())

    monkeypatch.setattr(teaching, "teach", steps)
    return asked


def test_projects_are_taught_with_and_the_verdict_is_printed(
    folders, teach, tmp_path, capsys
):
    output = tmp_path / "new-model"
    words = ["--depth", "heads", "--trust", "all", "--frames", "1,3", "--seed", "5"]
    assert main(["teach", *folders, "--output", str(output), *words]) == 0
    assert teach["names"] == ["one.semiconv", "two.semiconv"]
    assert teach["read_only"]
    assert (teach["output"], teach["frames"]) == ("new-model", [1, 3])
    assert teach["settings"] == TeachSettings(
        depth="heads", trust="all", seed=5, device="auto"
    )
    printed = capsys.readouterr().out
    assert "0.60 before, 0.80 now. It is better: keep it. Model in" in printed


def test_a_model_that_is_no_better_is_said_to_be_none(folders, teach, tmp_path, capsys):
    worse = ScoreRecord(cells=4, found=2.0)
    teach["outcome"] = record(better=False, after=worse)
    assert main(["teach", folders[0], "--output", str(tmp_path / "new")]) == 0
    told = capsys.readouterr()
    assert "It is no better: discard it" in told.out
    assert "'default' does as well or better here" in told.err


def test_frames_are_named_by_number(folders, capsys):
    for words in ("a", "1,,2", "1:5", "-1"):
        with pytest.raises(SystemExit):
            main(["teach", folders[0], "--output", "new", "--frames", words])
    assert "expected a whole number from 0" in capsys.readouterr().err
