"""The experiments: their registry, what they write, dots, the limit and the memory."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.experiments import __main__ as command
from benchmarks.experiments import noisy
from benchmarks.experiments.finding import Finding, Scale, write
from benchmarks.experiments.noisy import Labelled, Noise, Trail
from benchmarks.experiments.pooled import Pooled, count_apart, objects_on_grid
from benchmarks.experiments.suite import dots, limit, memory
from benchmarks.experiments.suite.memory import WAYS, Trial
from matplotlib.figure import Figure

from napari_semiconv.inference.result import FrameResult
from napari_semiconv.tracking.lineage import Lineage, Track

PAGES = command.PAGES


def test_list_names_every_experiment(capsys):
    assert command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == command.names()
    assert {"dots", "limit", "memory"} <= set(command.names())


def test_an_unknown_experiment_is_named(capsys):
    assert command.main(["dotz"]) == 2
    said = capsys.readouterr().err
    assert "Experiment 'dotz': expected one of" in said
    assert "found no experiment of that name" in said


def test_trained_networks_are_kept_unless_a_fresh_run_is_asked_for(
    monkeypatch, tmp_path
):
    asked = []

    class Asked:
        def run(self, scale):
            asked.append(scale)
            return Finding([{"way": "one"}], {}, lambda: Figure(figsize=(1, 1)))

    monkeypatch.setattr(command, "load", lambda _: Asked())
    for words in ((), ("--fresh",)):
        assert command.main(["dots", "--output", str(tmp_path), *words]) == 0
    assert [scale.kept for scale in asked] == [command.KEPT / "dots", None]


@pytest.mark.parametrize("name", command.names())
def test_every_experiment_says_what_it_asks_and_can_be_run(name):
    assert command.question(name).endswith(".")
    assert callable(command.load(name).run)


@pytest.mark.parametrize("name", command.names())
def test_every_committed_table_was_written_by_its_experiment(name):
    facts = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    assert facts["experiment"] == name
    with (PAGES / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert rows
    first = (PAGES / f"{name}.table.md").read_text(encoding="utf-8").splitlines()[0]
    escaped = [name.replace("|", r"\|") for name in header]
    assert first == f"| {' | '.join(escaped)} |"
    assert (PAGES / f"{name}.png").stat().st_size > 1000


def test_a_finding_becomes_table_numbers_facts_and_figure(tmp_path):
    rows = [{"way": "one", "|x|": 0.5}, {"way": "two", "|x|": None, "more": 3}]
    finding = Finding(rows, {"steps": 7}, lambda: Figure(figsize=(1, 1)))
    write("trial", finding, Scale(full=True, seed=4), tmp_path)
    table = (tmp_path / "trial.table.md").read_text().splitlines()
    assert table[:4] == [
        r"| way | \|x\| | more |",
        "|---|---|---|",
        "| one | 0.500 | - |",
        "| two | - | 3 |",
    ]
    assert "--full`: seed 4, cpu, steps 7." in table[-1]
    assert (tmp_path / "trial.csv").read_text() == "way,|x|,more\none,0.5,\ntwo,,3\n"
    facts = json.loads((tmp_path / "trial.json").read_text())
    assert (facts["scale"], facts["seed"], facts["settings"]) == (
        "full", 4, {"steps": 7},
    )  # fmt: skip
    assert (tmp_path / "trial.png").is_file()


def test_objects_are_identical_and_lie_on_a_grid():
    scene = objects_on_grid(2, 3, spacing=9, radius=3)
    assert scene.image.shape == (1, 1, 18, 27)
    image, labels = scene.image[0, 0], scene.labels[0]
    assert torch.equal(image, image.roll((9, 9), (0, 1)))
    assert torch.equal(labels > 0, image > 0)
    assert torch.bincount(labels.ravel())[1:].tolist() == [29] * 6
    assert objects_on_grid(1, 3, 9, 3).image.shape == (1, 1, 1, 27)


@pytest.mark.parametrize(("poolings", "dimensions"), [(1, 1), (2, 2), (3, 2)])
def test_a_pooled_network_repeats_with_its_period_and_not_before(poolings, dimensions):
    torch.manual_seed(0)
    network = Pooled(poolings, dimensions).double()
    period = 2**poolings
    image = torch.rand(1, 1, 1 if dimensions == 1 else 32, 32, dtype=torch.double)
    with torch.no_grad():
        found = network(image)
        for shift in range(1, period + 1):
            moved = network(image.roll(shift, 3)).roll(-shift, 3)
            same = torch.allclose(moved, found, atol=1e-10)
            assert same == (shift == period)


def test_objects_near_one_another_count_as_one():
    codes = np.array([[0.0, 0.0], [0.0, 0.9], [0.0, 1.8], [5.0, 0.0]])
    assert count_apart(codes, 1.0) == 2
    assert count_apart(codes, 0.5) == 4


DOTS = dots.Plan(side=4, radius=3, steps=40, width=8)
EQUAL = replace(dots.PLACES[0], spacing=12)


@pytest.mark.parametrize("seed", [0, 1])
def test_identical_dots_need_the_semi_convolutional_embedding(seed):
    """The decisive case of Novotny et al. 2018: conv must fail, semi-conv succeed."""
    conv = dots.compare(DOTS, EQUAL, "conv", seed)
    semi = dots.compare(DOTS, EQUAL, "semi-conv", seed)
    alone = dots.compare(DOTS, EQUAL, "places alone", seed)
    assert conv.known < 0.05
    assert conv.new.rand < 0.05
    assert conv.new.gap < 1e-3
    assert semi.known == semi.new.rand == 1
    assert semi.new.gap > 3 * alone.new.gap


def test_dots_are_tabled_and_drawn(tmp_path):
    verdict = dots.Verdict(0.5, 2.0, np.eye(4, dtype=np.int64))
    trials = [
        dots.Trial(place, embedding, 0.25, verdict)
        for place in dots.PLACES
        for embedding in dots.EMBEDDINGS
    ]
    rows = dots.rows_of(trials)
    assert len(rows) == 9
    assert (rows[0]["learned grid"], rows[0]["new grid"]) == (0.25, 0.5)
    dots.draw(trials).savefig(tmp_path / "figure.png", dpi=20)


@pytest.mark.parametrize(
    ("dimensions", "poolings"), [(1, 0), (1, 1), (1, 3), (2, 0), (2, 1), (2, 2)]
)
def test_no_more_objects_than_the_bound_differ_and_as_many_do(dimensions, poolings):
    torch.manual_seed(1)
    rows = 8 if dimensions == 2 else 1
    scene = objects_on_grid(rows, 8 if dimensions == 2 else 16, 9, 3)
    network = Pooled(poolings, dimensions)
    assert limit.count_distinct(network, scene) == 2 ** (dimensions * poolings)


def test_trained_objects_are_counted_and_drawn(tmp_path):
    plan = limit.Plan({1: (1,)}, objects=8, steps=120)
    trial = limit.count_objects(plan, 1, 1, seed=0)
    assert (trial.bound, trial.distinct, trial.trained) == (2, 2, 2)
    (row,) = limit.rows_of([trial, replace(trial, trained=1)])
    assert row["apart after training"] == "1 to 2"
    limit.draw([trial]).savefig(tmp_path / "figure.png", dpi=20)


TINY = memory.Plan(steps=2, frames=2, crop=32, noise=Noise(side=64, frames=4, movies=1))


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMICONV_DATA", str(tmp_path / "none"))


def test_noise_is_as_strong_as_said_and_always_the_same():
    clean = [np.tile(np.linspace(0, 100, 200, dtype=np.float32), (200, 1))] * 2
    one, same = (Noise(0.5).add(clean, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one[0], one[1])
    assert np.isclose((one - clean[0]).std(), 50, rtol=0.05)


def test_without_real_movies_only_simulated_ones_are_used(nowhere):
    train, tests = noisy.movies_for(TINY.noise)
    assert [recording.name for recording in train] == ["simulated nuclei"]
    assert [test.name for test in tests] == ["simulated"]
    assert tests[0].images.shape == (4, 64, 64)
    assert not np.array_equal(train[0].images[0], tests[0].images[0])


def test_a_cell_that_shrinks_to_nothing_keeps_a_pixel():
    labels = np.zeros((40, 40), np.int32)
    labels[:20, :20], labels[30, 33] = 1, 2
    small = noisy.shrink(labels, 0.25)
    assert small.shape == (10, 10)
    assert small[7, 8] == 2
    assert (small == 1).sum() == 25


def test_the_wide_way_has_as_many_weights_as_the_gru():
    none, wide, gru, lstm = (
        sum(p.numel() for p in memory.build(TINY, way).parameters()) for way in WAYS
    )
    assert none < wide < lstm
    assert abs(wide - gru) < 0.01 * gru


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_way_learns_and_is_scored(way, nowhere):
    train, tests = noisy.movies_for(TINY.noise)
    (trial,) = memory.compare(TINY, way, 0, "cpu", train, tests)
    assert trial.way == way.name
    assert set(trial.scores) == {*memory.MEASURES.values(), "divisions"}


def test_the_truth_scores_best_and_an_empty_result_worst(nowhere):
    _, (test,) = noisy.movies_for(replace(TINY.noise, frames=12))
    tracks = {
        label: Track.of(label, range(begin, end + 1), parent)
        for label, begin, end, parent in test.truth.table.tolist()
    }
    perfect, empty = (
        test.score(
            FrameResult(t, t + 1, 12, factor * test.truth.labels(t), Lineage(known), 12)
            for t in test.scored
        )
        for factor, known in ((1, tracks), (0, {}))
    )
    assert perfect.SEG == perfect.TRA == 1
    assert empty.SEG == empty.TRA == 0


def test_memory_is_tabled_with_mean_and_spread_and_drawn(tmp_path):
    scores = {"SEG": 0.4, "TRA": 0.6, "division F1": None, "divisions": 0}
    trials = [
        Trial(way.name, "simulated", 10, scores | {"SEG": value})
        for way in WAYS
        for value in (0.2, 0.6)
    ]
    rows = memory.rows_of(trials)
    assert [row["memory"] for row in rows] == [way.name for way in WAYS]
    assert rows[0]["SEG"] == pytest.approx(0.4)
    assert rows[0]["± SEG"] == pytest.approx(0.2)
    assert rows[0]["division F1"] is None
    assert rows[0]["true divisions"] == 0
    empty = Labelled({}, 1, np.zeros((0, 4), np.int64))
    test = Trail("simulated", np.zeros((1, 4, 4), np.float32), 0, range(1), empty, {})
    memory.draw(trials, [test]).savefig(tmp_path / "figure.png", dpi=20)
