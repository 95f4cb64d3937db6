"""Worms and leaves: the simulators, the clustering, the training, the figures."""

import numpy as np
import pytest
import torch
from benchmarks.experiments import stills
from benchmarks.experiments.panels import TINTS, tint
from benchmarks.experiments.pictures import leaves, worms
from benchmarks.experiments.stills import METHODS, Plan, Trial
from benchmarks.experiments.suite import leaves as leaves_experiment
from benchmarks.experiments.suite import worms as worms_experiment
from scipy import ndimage

from napari_semiconv.settings import RegionSettings

TINY = Plan(
    worms,
    side=48,
    steps=2,
    batch=2,
    pictures=4,
    held_out=3,
    channels=(8, 8, 8),
    radius=24,
    smallest=10,
    region=RegionSettings(crop=8, hidden=8),
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
    found = stills.cluster(codes, TINY)
    assert [len(set(found[:180][truth == k])) for k in range(3)] == [1, 1, 1]
    assert len(set(found)) == 3
    assert found[-1] == found[60]


def test_few_pixels_are_one_cell():
    assert stills.cluster(np.zeros((5, 2)), TINY).tolist() == [1] * 5


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_labels_the_foreground(method):
    network = stills.train(method, TINY, 0, "cpu")
    again = stills.train(method, TINY, 0, "cpu")
    for one, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    (picture,) = stills.test_pictures(TINY)[:1]
    labels = stills.take_apart(method, network, picture, TINY)
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


def trials_of(pictures, score, found):
    return [Trial(m, s, score(pictures, found), found) for m in METHODS for s in (0, 1)]


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
    assert len(figure.axes) == 3 * 6 + 2


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
