"""The region version as an engine: trained by its preset, run, linked, refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch

from napari_semiconv.cli import main
from napari_semiconv.inference.constraints.check import violations
from napari_semiconv.inference.constraints.model import Constraints
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.inference.sizing import estimate_cell_size, look_at
from napari_semiconv.movie import movie_from_array
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model, load_model
from napari_semiconv.settings import (
    NETWORK_PRESETS,
    REGION,
    RegionSettings,
    SegmentSettings,
)
from napari_semiconv.synthetic import SyntheticSettings, simulate

SIZE = 16  # px, of a usual cell
SHAPE = NETWORK_PRESETS["region"]
KNOWN = SegmentSettings.model_validate(
    {"engine": "region", "cell_size": SIZE, "device": "cpu"}
)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """An annotated folder of six frames of 64 x 64 px."""
    folder = tmp_path_factory.mktemp("region") / "film"
    settings = SyntheticSettings(frames=6, height=64, width=64, cells=6, diameter=SIZE)
    movie = simulate(settings, 3)
    for place in ("01", "01_GT/TRA", "01_GT/SEG"):
        (folder / place).mkdir(parents=True)
    for t, (image, labels) in enumerate(zip(movie.images, movie.labels, strict=True)):
        masks = labels.astype(np.uint16)
        tifffile.imwrite(folder / f"01/t{t:03d}.tif", image)
        tifffile.imwrite(folder / f"01_GT/TRA/man_track{t:03d}.tif", masks)
        tifffile.imwrite(folder / f"01_GT/SEG/man_seg{t:03d}.tif", masks)
    np.savetxt(folder / "01_GT/TRA/man_track.txt", movie.table, fmt="%d")
    return folder


def train(film, output, steps, crop):
    return main([
        "train", str(film), "--output", str(output), "--preset", "region",
        "--steps", str(steps), "--frames", "2", "--crop", str(crop),
        "--cell-size", str(SIZE), "--simulated", "0", "--held-out", "0",
        "--learning-rate", "5e-3", "--warm-up", "5", "--average", "0.9",
        "--device", "cpu",
    ])  # fmt: skip


def segment(film, output, *options):
    given = ["segment", str(film / "01"), "--output", str(output), *options]
    return main([*given, "--cell-size", str(SIZE), "--device", "cpu"])


@pytest.fixture(scope="module")
def trained(film):
    """Output folder of a training of two steps."""
    output = film.parent / "trained"
    assert train(film, output, 2, 32) == 0
    return output


def test_the_preset_trains_a_model_that_says_what_it_is(trained):
    told = json.loads((trained / "model" / "settings.json").read_text())
    assert told["network"]["region"] == SHAPE.region.model_dump(mode="json")
    model = load_model(trained, "cpu")
    assert model.info.network == SHAPE
    assert model.network.region is not None
    losses = (trained / "log.csv").read_text().partition("\n")[0]
    for name in ("objectness", "box", "region mask", "region kernel", "cosine"):
        assert f"loss: {name}" in losses


def test_what_was_trained_segments_a_movie(film, trained, tmp_path):
    assert (
        segment(film, tmp_path / "out", "--model", str(trained), "--engine", "region")
        == 0
    )
    assert len(list((tmp_path / "out").glob("mask*.tif"))) == 6
    assert (tmp_path / "out" / "res_track.txt").is_file()


def test_a_model_and_an_engine_that_do_not_fit_are_refused(
    film, trained, tmp_path, capsys
):
    assert segment(film, tmp_path / "one", "--engine", "region") != 0
    told = capsys.readouterr().err
    assert "The engine 'region' needs a model with the heads of the region" in told
    assert segment(film, tmp_path / "other", "--model", str(trained)) != 0
    told = capsys.readouterr().err
    assert "The engine 'votes' needs a model with semi-convolutional heads" in told
    assert "region" in told  # the way on
    assert not list(tmp_path.iterdir())


@pytest.fixture
def model(tmp_path):
    """An untrained network that takes all of a box for a cell."""
    torch.manual_seed(1)
    network = Embedder(SHAPE).eval()
    torch.nn.init.constant_(network.region.score.out.bias, 3.0)
    torch.nn.init.constant_(network.heads.foreground.bias, 3.0)
    return Model(ModelInfo("boxes", tmp_path, SHAPE, SIZE, "", ""), network)


def test_cells_are_linked_and_told_with_their_scores(film, model):
    movie = movie_from_array(
        np.stack([tifffile.imread(path) for path in sorted((film / "01").glob("*"))]),
        "TYX",
    )
    results = list(segment_and_track(movie, model, KNOWN))
    found = [set(np.unique(r.labels)) - {0} for r in results]
    assert all(found)
    assert set.union(*found) == set(results[-1].lineage.tracks)
    assert found[0] & found[1]  # followed from frame to frame
    for result in results:
        persistence = result.evidence.persistence
        assert len(persistence) == len(set(np.unique(result.labels)) - {0})
        assert ((persistence > 0) & (persistence < 1)).all()


def test_constraints_are_held(film, model):
    frames = [tifffile.imread(film / "01" / f"t{t:03d}.tif") for t in range(3)]
    movie = movie_from_array(np.stack(frames), "TYX")
    free = list(segment_and_track(movie, model, KNOWN))
    constraints = {}
    for result in free:
        labels = result.labels
        areas = np.bincount(labels.ravel())[1:]
        places = np.argwhere(labels == areas.argmax() + 1)
        empty = np.zeros(labels.shape, bool)
        empty[tuple(places[len(places) // 2])] = True
        constraints[result.frame] = Constraints(
            labels.shape, cannot_link=[places[[0, -1]]], empty=empty
        )
        assert violations(labels, constraints[result.frame])
    held = list(segment_and_track(movie, model, KNOWN, constraints=constraints))
    for result in held:
        assert violations(result.labels, constraints[result.frame]) == []
        named = set(np.unique(result.labels)) - {0}
        assert named <= set(held[-1].lineage.tracks)


def test_its_settings_decide_what_is_found(film, model):
    frame = tifffile.imread(film / "01" / "t000.tif")[None]
    movie = movie_from_array(frame, "TYX")

    def cells(**changes):
        own = RegionSettings(**changes).model_dump()
        settings = KNOWN.model_copy(update={REGION.part: RegionSettings(**own)})
        (result,) = segment_and_track(movie, model, settings)
        return [int((result.labels == n).sum()) for n in np.unique(result.labels)[1:]]

    usual = cells()
    assert usual
    assert not cells(least_score=0.99)
    assert len(cells(most_regions=1)) == 1
    assert not cells(smallest=10_000)
    assert max(cells(mask=0.9)) < max(usual)


def test_the_cell_size_is_estimated_from_its_own_cells(film, model):
    """The areas are those of the cells that a run finds."""
    frame = tifffile.imread(film / "01" / "t000.tif").astype(np.float32)
    look = look_at([frame], model, SIZE)
    (result,) = segment_and_track(movie_from_array(frame[None], "TYX"), model, KNOWN)
    areas = np.unique(result.labels[result.labels > 0], return_counts=True)[1]
    assert sorted(look.areas) == sorted(areas)
    bare = SHAPE.model_copy(update={"region": None})
    other = Model(replace(model.info, network=bare), Embedder(bare).eval())
    assert estimate_cell_size(movie_from_array(frame[None], "TYX"), other) == SIZE


@pytest.mark.slow
def test_it_learns_to_find_and_follow_cells(film, tmp_path, capsys):
    assert train(film, tmp_path / "run", 120, 48) == 0
    model = ["--model", str(tmp_path / "run"), "--engine", "region"]
    assert segment(film, tmp_path / "out", *model) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "out"), str(film / "01_GT"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["SEG"] > 0.3
    assert scores["TRA"] > 0.5
