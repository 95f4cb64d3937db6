"""What is observed along the borders of pieces, and what it makes likely."""

import itertools

import numpy as np
import pytest

from napari_semiconv.inference.borders import (
    WEIGHTS,
    Borders,
    Hills,
    join_pieces,
    measure_borders,
)
from napari_semiconv.inference.stream import FrameOutput


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_output(rng, shape):
    embedding = rng.normal(size=(4, *shape)).astype(np.float32)
    return FrameOutput(
        foreground=np.ones(shape, np.float32),
        embedding=embedding / np.linalg.norm(embedding, axis=0),
        offset=rng.normal(size=(2, *shape)).astype(np.float32),
        motion=None,
        seed=rng.random(shape).astype(np.float32),
        cell_size=6.0,
    )


def faces(labels):
    """Neighbouring pixels of different pieces, found one by one."""
    for y, x in itertools.product(*map(range, labels.shape)):
        for dy, dx in ((0, 1), (1, 0)):
            v, u = y + dy, x + dx
            if v < labels.shape[0] and u < labels.shape[1]:
                one, other = labels[y, x], labels[v, u]
                if one != other and one and other:
                    yield tuple(sorted((int(one), int(other)))), (y, x), (v, u)


def test_borders_are_those_found_pixel_by_pixel(rng):
    labels = rng.integers(0, 5, (9, 11)).astype(np.int32)
    output = random_output(rng, labels.shape)
    density = rng.random(labels.shape).astype(np.float32)
    found = measure_borders(labels, Hills(labels, density, np.arange(1, 5)), output)
    mean = [output.embedding[:, labels == n].sum(1) for n in range(1, 5)]
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    seeds, jumps, passes = {}, {}, {}
    for pair, here, there in faces(labels):
        seeds.setdefault(pair, []).append(min(output.seed[here], output.seed[there]))
        vote = [np.array(p) + output.offset[(slice(None), *p)] for p in (here, there)]
        jumps.setdefault(pair, []).append(np.linalg.norm(vote[1] - vote[0]) / 6)
        passes.setdefault(pair, []).append(min(density[here], density[there]))
    pairs = [tuple(pair) for pair in found.pairs.tolist()]
    assert pairs == sorted(seeds)
    height = {n: density[labels == n].max() for n in range(1, 5)}
    for row, (one, other) in enumerate(pairs):
        pair = one, other
        assert found.seed[row] == pytest.approx(np.mean(seeds[pair]), rel=1e-5)
        assert found.jump[row] == pytest.approx(np.mean(jumps[pair]), rel=1e-5)
        lower = min(height[one], height[other])
        assert found.flat[row] == pytest.approx(max(passes[pair]) / lower, rel=1e-5)
        alike = mean[one - 1] @ mean[other - 1]
        assert found.alike[row] == pytest.approx(alike, abs=1e-5)
        area = np.isin(labels, pair).sum() / (np.pi / 4 * 36)
        assert found.area[row] == pytest.approx(np.log(area))


def test_pieces_whose_hills_do_not_meet_have_no_pass(rng):
    labels = np.repeat([[1, 1, 2, 2]], 3, 0).astype(np.int32)
    apart = np.repeat([[1, 0, 0, 2]], 3, 0).astype(np.int32)
    density = rng.random((3, 4)).astype(np.float32)
    hills = Hills(apart, density, np.array([1, 2]))
    found = measure_borders(labels, hills, random_output(rng, (3, 4)))
    assert found.flat.tolist() == [0.0]


def test_pieces_that_share_a_hill_have_no_pass_between_them(rng):
    labels = np.repeat([[1, 1, 2, 2]], 3, 0).astype(np.int32)
    density = rng.random((3, 4)).astype(np.float32)
    hills = Hills(np.ones((3, 4), np.int32), density, np.array([1, 1]))
    found = measure_borders(labels, hills, random_output(rng, (3, 4)))
    assert found.flat.tolist() == [1.0]


def test_pieces_that_do_not_touch_are_not_weighed(rng):
    labels = np.array([[1, 0, 2]], np.int32)
    hills = Hills(labels, np.ones((1, 3), np.float32), np.array([1, 2]))
    found = measure_borders(labels, hills, random_output(rng, (1, 3)))
    assert found.pairs.shape == (0, 2)
    assert found.chance.shape == (0,)


def borders(**changes):
    usual = {"flat": 0.8, "alike": 0.8, "seed": 0.4, "jump": 0.02, "area": 0.0}
    values = {k: np.array([v]) for k, v in (usual | changes).items()}
    return float(Borders(np.array([[1, 2]]), **values).chance[0])


def test_the_chance_follows_each_observation():
    middle = borders()
    assert 0.05 < middle < 0.95
    for more in ({"flat": 0.9}, {"alike": 1.0}, {"seed": 0.8}):
        assert borders(**more) > middle
    for less in ({"jump": 0.1}, {"area": 1.0}):
        assert borders(**less) < middle


def row_of(pieces, side=4):
    """Squares in a row, (Y, X), numbered from 1."""
    return np.repeat(np.repeat([np.arange(1, pieces + 1)], side, 0), side, 1).astype(
        np.int32
    )


def alike(pieces, area):
    """Pieces in a row; each pair looks like one cell of a common area."""
    count = pieces - 1
    pairs = np.stack([np.arange(1, pieces), np.arange(2, pieces + 1)], 1)
    values = {"flat": 0.9, "alike": 1.0, "seed": 0.5, "jump": 0.01, "area": area}
    return Borders(pairs, **{k: np.full(count, v) for k, v in values.items()})


def test_pieces_that_are_likely_one_cell_become_one():
    assert (join_pieces(row_of(3), alike(3, -1.0), 0.5) == 1).all()


def test_a_chain_of_likely_pairs_does_not_become_a_giant():
    """Two usual cells' worth of pieces may be one; twenty are not."""
    borders = alike(60, -1.0)
    found = join_pieces(row_of(60), borders, 0.5)
    largest = np.bincount(found.ravel()).max() / 16
    assert 1 < largest < 60
    weight = -WEIGHTS[-1]
    odds = borders.odds[0] + weight * np.log(2)
    assert largest <= np.exp(odds / weight) + 1


@pytest.mark.parametrize(("chance", "cells"), [(0.0, 1), (1.0, 3)])
def test_the_extremes_join_all_and_nothing(chance, cells):
    assert len(np.unique(join_pieces(row_of(3), alike(3, 5.0), chance))) == cells


def test_frames_without_pieces_stay_empty():
    none = np.zeros((0, 2), np.int64)
    borders = Borders(none, *[np.zeros(0)] * 5)
    assert not join_pieces(np.zeros((3, 4), np.int32), borders, 0.5).any()
