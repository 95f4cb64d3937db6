"""Density clustering against the hdbscan package, and what weights and reach do."""

import numpy as np
import pytest
from hdbscan import HDBSCAN
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from napari_semiconv.inference.engines.hdbscan.density import (
    Points,
    cluster_points,
    core_distances,
    gaps_of,
    spanning_tree,
)
from napari_semiconv.inference.engines.hdbscan.hierarchy import Growth, cut
from napari_semiconv.inference.engines.hdbscan.superpixels import group_pixels

ignore_warnings = pytest.mark.filterwarnings("ignore")


def points_of(codes, weights=None, spread=None):
    """Points of which every pair are neighbours."""
    count = len(codes)
    one, other = np.triu_indices(count, 1)
    weights = np.ones(count, np.int64) if weights is None else np.array(weights)
    spread = np.zeros(count) if spread is None else np.array(spread, float)
    return Points(np.asarray(codes, float), weights, spread, one, other)


def in_order(numbers):
    """Renumber clusters by where they begin; 0 stays 0."""
    known = {0: 0}
    return [known.setdefault(int(n), len(known)) for n in numbers]


@st.composite
def crowds(draw):
    """Codes in a few clumps, and sizes to cluster them with."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    count, least = draw(st.integers(15, 120)), draw(st.integers(2, 11))
    clumps = 3 * rng.normal(size=(draw(st.integers(1, 6)), draw(st.integers(1, 5))))
    noise = rng.normal(size=(count, clumps.shape[1])) * rng.uniform(0.1, 1)
    return clumps[rng.integers(0, len(clumps), count)] + noise, least


@ignore_warnings
@settings(max_examples=40, deadline=None, derandomize=True)
@given(crowds())
def test_the_labels_are_those_of_the_package(crowd):
    """With one further sample no two distances are equal, so all labels are decided."""
    codes, least = crowd
    theirs = HDBSCAN(
        min_cluster_size=least, min_samples=1, algorithm="generic"
    ).fit_predict(codes)
    ours = cluster_points(points_of(codes), least, 1).numbers
    assert in_order(ours) == in_order(theirs + 1)


@ignore_warnings
@settings(max_examples=40, deadline=None, derandomize=True)
@given(crowds())
def test_hierarchy_and_cut_are_those_of_the_package_for_any_samples(crowd):
    """A sparse point between two clusters is equally far from both: a tie.

    Both are right then, so ties are broken as the package did, merge by merge.
    """
    codes, least = crowd
    package = HDBSCAN(min_cluster_size=least, min_samples=least, algorithm="generic")
    package.fit(codes)
    merges = package.single_linkage_tree_.to_numpy()
    points = points_of(codes)
    gaps = gaps_of(points)
    tree = spanning_tree(points, gaps, core_distances(points, gaps, least), None)
    np.testing.assert_allclose(tree.length, merges[:, 2], rtol=1e-9)
    growth = Growth(points.weights, np.ones(len(codes)), least)
    member = list(range(len(codes)))
    for one, other, distance, _ in merges:
        growth.merge(member[int(one)], member[int(other)], 1 / distance)
        member.append(member[int(one)])
    numbers, _ = cut(growth.hierarchy(), None)
    assert in_order(numbers) == in_order(package.labels_ + 1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(crowds())
def test_core_distances_count_neighbours(crowd):
    codes, samples = crowd
    points = points_of(codes)
    found = core_distances(points, gaps_of(points), samples)
    np.testing.assert_allclose(found, np.sort(cdist(codes, codes))[:, samples])


def test_neighbours_count_by_their_weight_evenly_between_two():
    points = points_of([[0.0], [1.0], [3.0]], weights=[1, 4, 10])
    gaps = gaps_of(points)
    assert core_distances(points, gaps, 4)[0] == pytest.approx(1)
    assert core_distances(points, gaps, 9)[0] == pytest.approx(2)
    assert core_distances(points, gaps, 15)[0] == np.inf


def test_a_heavy_point_has_a_density_of_its_own():
    points = points_of([[0.0], [9.0]], weights=[101, 101], spread=[0.5, 2])
    found = core_distances(points, gaps_of(points), 25)
    assert found.tolist() == pytest.approx([0.25, 1])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(crowds(), st.integers(2, 4))
def test_a_point_of_some_pixels_weighs_as_much_as_they_do(crowd, times):
    codes, least = crowd
    alone = cluster_points(points_of(codes), least, 1)
    weights = np.full(len(codes), times)
    # None of the pixels of a point counts for its own density here.
    heavy = cluster_points(points_of(codes, weights), times * least, 2 * times - 1)
    assert in_order(heavy.numbers) == in_order(alone.numbers)


def line(*places):
    return np.concatenate([np.linspace(p, p + 1, 11) for p in places])[:, None]


def test_within_reach_every_group_is_a_cluster_even_a_single_one():
    one = cluster_points(points_of(line(0)), 5, 2, reach=0.5)
    assert set(one.numbers) == {1}
    two = cluster_points(points_of(line(0, 1.6)), 5, 2, reach=0.5)
    assert in_order(two.numbers) == [1] * 11 + [2] * 11
    assert set(cluster_points(points_of(line(0, 1.6)), 12, 2, reach=0.5).numbers) == {0}


def test_dense_clusters_persist_more_and_margins_fall_towards_the_other_cluster():
    dense, sparse = np.linspace(0, 1, 51)[:, None], np.linspace(3, 4, 11)[:, None]
    found = cluster_points(points_of(np.concatenate([dense, sparse])), 5, 2, reach=1.0)
    assert found.numbers[0] != found.numbers[-1]
    first, second = found.persistence[found.numbers[[0, -1]] - 1]
    assert 0 < second < first < 1
    middle, edge = found.margin[25], found.margin[50]
    assert 0 < edge < middle <= 1


def test_noise_has_no_margin_but_a_nearest_cluster():
    codes = np.concatenate([line(0, 3), [[1.9]]])
    found = cluster_points(points_of(codes), 5, 2, reach=0.5)
    assert found.numbers[-1] == 0
    assert found.margin[-1] == 0
    assert found.nearest[-1] == found.numbers[0]


def test_groups_hold_every_pixel_once_and_neighbours_touch():
    rng = np.random.default_rng(1)
    place = rng.uniform(-20, 30, (2, 500)).astype(np.float32)
    embedding = rng.normal(size=(3, 500)).astype(np.float32)
    codes = np.concatenate([embedding, place])
    grouped = group_pixels(codes, place, embedding, 4.0)
    points = grouped.points
    assert points.weights.sum() == 500
    assert points.weights.tolist() == np.bincount(grouped.owner).tolist()
    own = grouped.owner == 7
    np.testing.assert_allclose(points.codes[7], codes[:, own].mean(1), rtol=1e-4)
    first = place.min(axis=1, keepdims=True)
    bins = np.zeros((2, len(points.weights)))
    bins[:, grouped.owner] = (place - first) // 4
    steps = np.abs(bins[:, :, None] - bins[:, None]).max(axis=0)
    pairs = {*map(frozenset, np.argwhere(np.triu(steps <= 1, 1)).tolist())}
    found = [
        frozenset(p)
        for p in zip(points.one.tolist(), points.other.tolist(), strict=True)
    ]
    assert len(found) == len(set(found))
    assert set(found) == pairs
