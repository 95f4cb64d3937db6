"""Worms and leaves: the simulators, the clustering, the training, the figures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.experiments import apart, stills, trials
from benchmarks.experiments.apart import Reading
from benchmarks.experiments.panels import TINTS, tint
from benchmarks.experiments.pictures import leaves, worms
from benchmarks.experiments.stills import METHODS, Plan
from benchmarks.experiments.suite import leaves as leaves_experiment
from benchmarks.experiments.suite import worms as worms_experiment
from benchmarks.experiments.trials import Trial
from scipy import ndimage

from napari_semiconv.settings import RegionHeadSettings

TINY = Plan(
    worms,
    side=48,
    steps=2,
    batch=2,
    pictures=4,
    held_out=3,
    channels=(8, 8, 8),
    radius=24,
    tuning=2,
    quick=True,
    region=RegionHeadSettings(crop=8, hidden=8),
)


@pytest.mark.parametrize("simulate", [worms, leaves])
def test_pictures_depend_on_the_seed_alone(simulate):
    one, same, other = (simulate(np.random.default_rng(seed), 96) for seed in (1, 1, 2))
    assert np.array_equal(one.image, same.image)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("simulate", [worms, leaves])
def test_every_picture_has_several_cells_that_can_be_seen(simulate):
    random = np.random.default_rng(3)
    for _ in range(10):
        picture = simulate(random, 96)
        areas = np.bincount(picture.labels.ravel())[1:]
        assert len(areas) >= 3
        assert areas.min() > 15
        assert np.isfinite(picture.image).all()


def test_worms_are_seen_as_bare_foreground_and_some_are_cut_in_two():
    random = np.random.default_rng(4)
    pieces = []
    for _ in range(20):
        picture = worms(random, 96)
        assert np.array_equal(picture.image, picture.labels > 0)
        pieces += [
            ndimage.label(picture.labels == label, np.ones((3, 3)))[1]
            for label in np.unique(picture.labels)[1:]
        ]
    assert 0.05 < np.mean(np.array(pieces) > 1) < 0.5


def test_clustering_parts_far_apart_codes_and_gives_noise_to_the_nearest():
    random = np.random.default_rng(5)
    truth = np.repeat([0, 1, 2], 60)
    codes = random.normal(size=(180, 2)) * 0.5 + truth[:, None] * 30
    codes = np.concatenate([codes, [[28.0, 22.0]]])  # nearest to the second
    found = apart.cluster(codes, 10, 4000)
    assert [len(set(found[:180][truth == k])) for k in range(3)] == [1, 1, 1]
    assert len(set(found)) == 3
    assert found[-1] == found[60]


def test_few_pixels_are_one_cell():
    assert apart.cluster(np.zeros((5, 2)), 10, 4000).tolist() == [1] * 5


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_labels_the_foreground(method):
    network = stills.train(method, TINY, 0, "cpu")
    again = stills.train(method, TINY, 0, "cpu")
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    (picture,) = stills.test_pictures(TINY)[:1]
    labels = apart.take_apart(method, network, picture, Reading(least=10))
    assert labels.shape == picture.labels.shape
    assert not labels[picture.labels == 0].any()
    if method != "region":  # a region that was not proposed is not labelled
        assert labels[picture.labels > 0].all()


def test_cells_of_two_pictures_are_no_neighbours():
    """One picture twice costs what it costs once."""
    torch.manual_seed(0)
    network = stills.build("cosine", TINY).eval()
    picture = stills.draw_pictures(TINY, 1, (0,))[0]
    image = torch.from_numpy(picture.image)[None, None]
    labels = torch.from_numpy(picture.labels).long()[None]
    once = stills.loss_of("cosine", network, image, labels, TINY)
    shifted = torch.where(labels > 0, labels + 50, 0)
    both = torch.cat([image, image]), torch.cat([labels, shifted])
    twice = stills.loss_of("cosine", network, *both, TINY)
    torch.testing.assert_close(once, twice)


def test_attraction_alone_is_the_vote_loss_without_its_margin():
    """Published votes have no repulsion, so their loss is less or equal."""
    torch.manual_seed(0)
    network = stills.build("semi-conv", TINY).eval()
    picture = stills.draw_pictures(TINY, 1, (0,))[0]
    image = torch.from_numpy(picture.image)[None, None]
    labels = torch.from_numpy(picture.labels).long()[None]

    def loss(method, plan=TINY):
        return float(stills.loss_of(method, network, image, labels, plan).detach())

    assert loss("attraction") < loss("semi-conv")
    apart_already = replace(TINY, margin=0.1)
    assert loss("attraction") == pytest.approx(loss("semi-conv", apart_already))


def test_the_rate_of_one_cycle_rises_and_falls_to_nothing():
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], 1.0)
    schedule = stills._schedule(optimiser, replace(TINY, steps=40))
    rates = []
    for _ in range(40):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates.index(max(rates)) in (3, 4)
    assert max(rates) == 1
    assert rates[0] == 0.25
    assert rates[-1] < 0.01


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_tuned_among_as_many_settings(method):
    readings = apart.readings(method)
    assert len(readings) == len(set(readings)) == 16
    assert len({reading.told(method) for reading in readings}) == 16


def test_the_settings_that_do_best_on_other_pictures_are_chosen():
    network = stills.train("semi-conv", TINY, 0, "cpu")
    known = stills.tuning_pictures(TINY)
    assert not any(
        np.array_equal(one.labels, test.labels)
        for one in known
        for test in stills.test_pictures(TINY)
    )

    def cells(_, found):
        return float(sum(labels.max() for labels in found))

    def few(pictures, found):
        return -cells(pictures, found)

    most = apart.tune("semi-conv", network, known, cells)
    least = apart.tune("semi-conv", network, known, few)
    assert most.least < least.least


def test_foreground_that_no_region_takes_can_join_the_nearest_cell(monkeypatch):
    network = stills.train("region", TINY, 0, "cpu")
    painted = torch.nn.functional.one_hot(torch.tensor(3), 48).repeat(48, 1)
    monkeypatch.setattr(apart, "paint", lambda *_: (painted, [1.0]))
    picture = stills.test_pictures(TINY)[0]
    bare, filled = (
        apart.take_apart("region", network, picture, Reading(fill=fill))
        for fill in (False, True)
    )
    assert not bare[:, 4:].any()
    assert np.array_equal(filled > 0, picture.labels > 0)


def test_a_trained_network_is_kept_and_read_again(tmp_path, monkeypatch):
    one, seconds = trials.trained("joint", TINY, 0, "cpu", tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".safetensors"
    monkeypatch.setattr(stills, "train", None)  # would fail if it were called
    again, told = trials.trained("joint", TINY, 0, "cpu", tmp_path)
    assert told == seconds > 0
    for old, new in zip(one.parameters(), again.parameters(), strict=True):
        assert torch.equal(old, new)
    with pytest.raises(TypeError):
        trials.trained("joint", replace(TINY, steps=3), 0, "cpu", tmp_path)


def test_all_methods_are_tried_and_what_was_chosen_is_told(tmp_path):
    plan = replace(TINY, steps=1, held_out=1, tuning=1)
    score = worms_experiment.score
    found = trials.compare(plan, [4], torch.device("cpu"), score, "mean", tmp_path)
    assert [trial.method for trial in found] == list(METHODS)
    told = trials.told(plan, found)
    assert told["training seeds"] == 1
    assert all(f"chosen for {method}" in told for method in METHODS)
    assert "least cluster (px)" not in told


def test_votes_that_fall_together_are_told():
    """Without offsets cells vote for their centroids; one place for all is no gap."""
    network = stills.build("attraction", TINY).eval()
    torch.nn.init.zeros_(network.heads.offset.weight)
    labels = np.zeros((48, 48), np.int32)
    labels[4:7, 4:7], labels[4:7, 24:27], labels[34:37, 4:7] = 1, 2, 3
    picture = stills.Picture(np.float32(labels > 0), labels)
    assert apart.votes_apart(network, [picture]) == pytest.approx((20 + 20 + 30) / 3)
    grid = torch.stack(torch.meshgrid(*[torch.arange(48.0)] * 2, indexing="ij"))
    network.heads.register_forward_hook(
        lambda *said: {**said[2], "offset": -grid[None]}
    )
    assert apart.votes_apart(network, [picture]) == pytest.approx(0)
    assert apart.votes_apart(stills.build("cosine", TINY), [picture]) is None


def trials_of(pictures, score, found):
    return [Trial(m, s, score(pictures, found), found) for m in METHODS for s in (0, 1)]


def test_the_table_of_worms_has_every_threshold():
    pictures = stills.test_pictures(TINY)
    found = [picture.labels for picture in pictures]
    tried = trials_of(pictures, worms_experiment.score, found)
    row = worms_experiment._row(tried, "joint")
    named = [f"AP {0.5 + 0.05 * i:.2f}".rstrip("0") for i in range(10)]
    assert list(row) == ["method", *named, "mean AP", "± mean AP", "votes apart (px)"]
    assert row["mean AP"] == row["AP 0.95"] == 1


@pytest.mark.parametrize("experiment", [worms_experiment, leaves_experiment])
def test_the_truth_scores_best_and_is_drawn(experiment, tmp_path):
    pictures = stills.test_pictures(TINY)
    perfect = [picture.labels for picture in pictures]
    empty = [np.zeros_like(labels) for labels in perfect]
    best, worst = (experiment.score(pictures, found) for found in (perfect, empty))
    assert best.get("mean", best.get("SBD")) == 1
    assert worst.get("mean", worst.get("SBD")) == 0
    figure = experiment.draw(pictures, trials_of(pictures, experiment.score, perfect))
    figure.savefig(tmp_path / "figure.png", dpi=20)
    assert len(figure.axes) == 3 * (2 + len(METHODS)) + 2


def test_cells_are_coloured_like_their_true_cells():
    truth = np.zeros((4, 6), np.int32)
    truth[:, :2], truth[:, 4:] = 1, 2
    found = np.zeros_like(truth)
    found[:, :2], found[:2, 4:], found[2:3, 4:] = 7, 3, 5
    picture = tint(found, truth)
    assert (picture[0, 0] == TINTS[1]).all()
    assert (picture[0, 5] == TINTS[2]).all()
    assert (picture[2, 5] == TINTS[3]).all()  # a part too many
    assert not picture[:, 2:4].any()
