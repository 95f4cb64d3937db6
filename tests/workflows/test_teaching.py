"""Teaching with projects: the real network in its process, and what is refused."""

import shutil

import numpy as np
import psutil
import pytest
from tests.gui.movies import project_of, write_dish
from tests.inference.tiny import tiny_model
from tests.teaching.test_corrections import labels

from napari_semiconv.compute.supervisor import Supervisor
from napari_semiconv.edits.confirming import Confirm
from napari_semiconv.errors import BadInputError, BadModelError, ComputeError, SaveError
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.network.weights import load_model, save_model
from napari_semiconv.project.project import Project
from napari_semiconv.project.runs.run import last_settings
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.teaching.record import PICTURES, read_record
from napari_semiconv.teaching.settings import TeachSettings
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.workflows.progress import StoppedError, finish
from napari_semiconv.workflows.segmenting import run
from napari_semiconv.workflows.teaching import free_model_folder, teach
from napari_semiconv.workflows.training import train


@pytest.fixture
def project(tmp_path):
    movie = open_movie(write_dish(tmp_path / "dish.tif", 6))
    with project_of(tmp_path / "dish.semiconv", movie, labels()) as made:
        for label in (1, 2, 3, 4):
            made.do(Confirm(label, 1, 2))
        yield made


@pytest.fixture
def settings(tmp_path):
    model = tiny_model(".")
    # It finds next to nothing: sorting out what a random network finds takes long.
    model.network.heads.layer("foreground").bias.data.fill_(-4.0)
    folder = tmp_path / "little"
    save_model(folder, model.network, cell_size=24, description="", card="")
    return TeachSettings(model=str(folder), steps=2, replay=0, device="cpu")


def test_a_model_is_taught_kept_and_used(project, settings, tmp_path):
    folder = free_model_folder(project)
    assert folder == project.folder / "models" / "taught-1"
    told = []
    record = finish(teach([project], folder, settings), told.append)
    assert [step.stage for step in told if step.total][-2:] == ["teaching", "checking"]
    assert read_record(folder) == record
    assert record.parent == "little"
    assert record.projects == ("dish.semiconv",)
    assert record.facts == {"cells": 8, "tracks": 4, "frames": 2, "held_out": 1}
    assert record.before.cells == record.after.cells == 2
    with np.load(folder / PICTURES) as pictures:
        assert pictures["image0"].shape == pictures["after0"].shape == (64, 64)
    taught = load_model(folder, "cpu")
    assert taught.info.taught_size == pytest.approx(11.3, abs=0.1)
    assert free_model_folder(project).name == "taught-2"
    # And the project can be computed with it; what is confirmed stays.
    before = project.document.labels(1).copy()
    chosen = SegmentSettings(model=str(folder), cell_size=11.3, device="cpu")
    finish(run(project, chosen, range(2)))
    after = project.document.labels(1)
    assert (after[before > 0] == before[before > 0]).all()
    # Where the project is moved to, its model is found.
    elsewhere = shutil.copytree(project.folder, tmp_path / "moved.semiconv")
    shutil.rmtree(folder)
    with Project.open(elsewhere) as moved:
        model = last_settings(moved).model
    assert model == str(elsewhere / "models" / "taught-1")


def test_stopped_it_leaves_nothing_behind(project, settings):
    folder = free_model_folder(project)
    asked = iter([False] * 3)
    steps = teach(
        [project],
        folder,
        settings.model_copy(update={"steps": 1000}),
        stop=lambda: next(asked, True),
    )
    with pytest.raises(StoppedError):
        finish(steps)
    assert not folder.exists()
    assert list(folder.parent.glob("*")) == []


def test_what_was_given_back_to_nothing_is_refused_before_anything_starts(
    project, settings, tmp_path
):
    with pytest.raises(SaveError, match="expected a name that is free"):
        finish(teach([project], tmp_path, settings))
    missing = settings.model_copy(update={"model": str(tmp_path / "none")})
    with pytest.raises(BadModelError, match="expected one of"):
        finish(teach([project], tmp_path / "new", missing))
    with pytest.raises(BadInputError, match="frames from 0 to 5"):
        finish(teach([project], tmp_path / "new", settings, frames=[7]))
    with pytest.raises(BadInputError, match="found none"):
        finish(teach([project], tmp_path / "new", settings, frames=[4]))


def test_without_its_movie_a_project_cannot_teach(project, settings, tmp_path):
    folder = project.folder
    project.close()
    (tmp_path / "dish.tif").unlink()
    with (
        Project.open(folder, write=False) as again,
        pytest.raises(BadInputError, match=r"dish\.tif"),
    ):
        finish(teach([again], tmp_path / "new", settings))


def test_a_damaged_model_stays_in_use_and_that_is_said(project, settings, tmp_path):
    (tmp_path / "little" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ComputeError, match="checksum"):
        finish(teach([project], tmp_path / "new", settings))
    assert not (tmp_path / "new").exists()


def test_training_reads_projects_like_annotated_folders(project, tmp_path):
    project.save()
    settings = TrainSettings(
        preset="tiny", steps=1, batch=1, crop=64, simulated=0, workers=0, device="cpu"
    )
    done = finish(train([project.folder], tmp_path / "run", settings))
    assert done == 1
    card = (tmp_path / "run" / "model" / "README.md").read_text(encoding="utf-8")
    assert "on: dish.semiconv." in card
    assert "| dish.semiconv |" in card  # held out


@pytest.mark.slow
def test_a_hundred_teachings_in_a_row_neither_drift_nor_grow(project, settings):
    memory, found = [], []
    with Supervisor() as supervisor:
        for _ in range(100):
            folder = free_model_folder(project)
            record = finish(teach([project], folder, settings, supervisor=supervisor))
            # Each is taught from the one before.
            settings = settings.model_copy(update={"model": str(folder)})
            # The computing process is the largest of those that belong to this one.
            sizes = [c.memory_info().rss for c in psutil.Process().children()]
            memory.append(max(sizes))
            found.append(record.after.masks)
    assert memory[-1] < 1.1 * memory[9]
    weights = load_model(folder, "cpu").network.state_dict()
    assert all(tensor.isfinite().all() for tensor in weights.values())
    assert found[-1] >= found[0]
    assert len(list((project.folder / "models").iterdir())) == 100
