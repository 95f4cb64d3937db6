"""What is observed along the borders of segments, and what it makes likely."""

import itertools

import numpy as np
import pytest
import torch

from napari_semiconv.inference.engines.regions import find_regions
from napari_semiconv.inference.engines.tensors import FINE, to_tensors
from napari_semiconv.inference.engines.votes.borders import (
    AREA,
    WEIGHTS,
    Borders,
    join,
    log_odds,
    measure_borders,
)
from napari_semiconv.inference.engines.votes.peaks import Peaks
from napari_semiconv.inference.stream.stream import FrameOutput


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
    """Neighbouring pixels of different segments, found one by one."""
    for y, x in itertools.product(*map(range, labels.shape)):
        for dy, dx in ((0, 1), (1, 0)):
            v, u = y + dy, x + dx
            if v < labels.shape[0] and u < labels.shape[1]:
                one, other = labels[y, x], labels[v, u]
                if one != other and one and other:
                    yield tuple(sorted((int(one), int(other)))), (y, x), (v, u)


def observe(labels, peaks, of_segment, output):
    """What is measured on segments, each of which stands on a peak, numbered from 1."""
    planes = to_tensors(output, labels > 0, torch.device("cpu"))
    regions = find_regions(torch.from_numpy(labels))
    of_peak = torch.tensor(of_segment)[regions.labels[: regions.cells] - 1] - 1
    return measure_borders(regions, of_peak, peaks, planes), regions


def two_peaks(passes=(), heights=(0.9, 0.6)):
    none = torch.zeros(0, dtype=torch.int64)
    pairs = torch.tensor([[0, 1]] * len(passes), dtype=torch.int64).reshape(-1, 2)
    return Peaks(none, none, torch.tensor(heights), pairs, torch.tensor(passes))


def test_borders_are_those_found_pixel_by_pixel(rng):
    labels = rng.integers(0, 5, (9, 11)).astype(np.int32)
    output = random_output(rng, labels.shape)
    passes, heights = rng.random(6) / 2, 0.5 + rng.random(4) / 2
    pairs = [*itertools.combinations(range(4), 2)]
    none = torch.zeros(0, dtype=torch.int64)
    peaks = Peaks(none, none, *map(torch.tensor, (heights, pairs, passes)))
    found, regions = observe(labels, peaks, [1, 2, 3, 4], output)
    number = regions.image.numpy() + 1
    number[labels == 0] = 0
    kinds = regions.labels.numpy()
    mean = [output.embedding[:, number == n].sum(1) for n in range(1, number.max() + 1)]
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    seeds, jumps = {}, {}
    for pair, here, there in faces(number):
        seeds.setdefault(pair, []).append(min(output.seed[here], output.seed[there]))
        vote = [np.array(p) + output.offset[(slice(None), *p)] for p in (here, there)]
        jumps.setdefault(pair, []).append(np.linalg.norm(vote[1] - vote[0]) / 6)
    assert [tuple(pair) for pair in found.pairs.tolist()] == sorted(seeds)
    for row, pair in enumerate(sorted(seeds)):
        one, other = pair
        assert found.seed[row] == pytest.approx(np.mean(seeds[pair]), abs=1 / FINE)
        assert found.jump[row] == pytest.approx(np.mean(jumps[pair]), abs=1 / FINE)
        both = sorted(kinds[[one - 1, other - 1]] - 1)
        flat = passes[pairs.index(tuple(both))] / heights[both].min()
        assert found.flat[row] == pytest.approx(flat)
        alike = mean[one - 1] @ mean[other - 1]
        assert found.alike[row] == pytest.approx(alike, abs=2 / FINE)
        area = np.isin(number, pair).sum() / (np.pi / 4 * 36)
        assert found.area[row] == pytest.approx(np.log(area))


def test_segments_whose_peaks_do_not_meet_have_no_pass(rng):
    labels = np.repeat([[1, 1, 2, 2]], 3, 0).astype(np.int32)
    found, _ = observe(labels, two_peaks(), [1, 2], random_output(rng, (3, 4)))
    assert found.flat.tolist() == [0.0]


def test_the_pass_between_peaks_is_over_the_lower_one(rng):
    labels = np.repeat([[1, 1, 2, 2]], 3, 0).astype(np.int32)
    found, _ = observe(labels, two_peaks([0.3]), [1, 2], random_output(rng, (3, 4)))
    assert found.flat.tolist() == pytest.approx([0.5])


def test_segments_that_share_a_peak_have_no_pass_between_them(rng):
    labels = np.repeat([[1, 1, 2, 2]], 3, 0).astype(np.int32)
    found, _ = observe(labels, two_peaks(), [1, 1], random_output(rng, (3, 4)))
    assert found.flat.tolist() == [1.0]


def test_segments_that_do_not_touch_are_not_weighed(rng):
    labels = np.array([[1, 0, 2]], np.int32)
    found, _ = observe(labels, two_peaks(), [1, 2], random_output(rng, (1, 3)))
    assert found.pairs.shape == (0, 2)
    assert found.chance.shape == (0,)


def test_a_frame_one_pixel_wide_is_stepped_through_downwards(rng):
    labels = np.array([[1], [2]], np.int32)
    output = random_output(rng, (2, 1))
    output.offset[:] = 0
    found, _ = observe(labels, two_peaks(), [1, 2], output)
    assert found.jump.tolist() == pytest.approx([1 / 6], abs=1 / FINE)


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


def join_segments(labels, borders, chance):
    """Cells, (Y, X), numbered by the smallest segment of each."""
    return join(np.bincount(labels.ravel()), borders, chance).group[labels]


def row_of(segments, side=4):
    """Squares in a row, (Y, X), numbered from 1."""
    return np.repeat(np.repeat([np.arange(1, segments + 1)], side, 0), side, 1).astype(
        np.int32
    )


def alike(segments, area):
    """Segments in a row; each pair looks like one cell of a common area."""
    count = segments - 1
    pairs = np.stack([np.arange(1, segments), np.arange(2, segments + 1)], 1)
    values = {"flat": 0.9, "alike": 1.0, "seed": 0.5, "jump": 0.01, "area": area}
    return Borders(pairs, **{k: np.full(count, v) for k, v in values.items()})


def test_segments_that_are_likely_one_cell_become_one():
    assert (join_segments(row_of(3), alike(3, -1.0), 0.5) == 1).all()


def test_a_chain_of_likely_pairs_does_not_become_a_giant():
    """Two usual cells' worth of segments may be one; twenty are not."""
    borders = alike(60, -1.0)
    found = join_segments(row_of(60), borders, 0.5)
    largest = np.bincount(found.ravel()).max() / 16
    assert 1 < largest < 60
    weight = -WEIGHTS[-1]
    odds = borders.odds[0] + weight * np.log(2)
    assert largest <= np.exp(odds / weight) + 1


@pytest.mark.parametrize(("chance", "cells"), [(0.0, 1), (1.0, 3)])
def test_the_extremes_join_all_and_nothing(chance, cells):
    assert len(np.unique(join_segments(row_of(3), alike(3, 5.0), chance))) == cells


def test_frames_without_segments_stay_empty():
    none = np.zeros((0, 2), np.int64)
    borders = Borders(none, *[np.zeros(0)] * 5)
    assert not join_segments(np.zeros((3, 4), np.int32), borders, 0.5).any()


def joined_one_by_one(areas, borders, chance):
    """The surest pair first, one after the other; smallest segment of each cell."""
    group, total = np.arange(len(areas)), areas.astype(float)
    odds, least = borders.odds, log_odds(chance)
    for row in np.argsort(-odds, kind="stable"):
        low, high = sorted(group[borders.pairs[row]])
        if odds[row] <= least or low == high:
            continue
        growth = np.log((total[low] + total[high]) / areas[borders.pairs[row]].sum())
        if odds[row] + WEIGHTS[AREA] * growth > least:
            group[group == high] = low
            total[low] += total[high]
    return group


@pytest.mark.parametrize("seed", range(20))
def test_pairs_decided_at_once_end_as_one_by_one(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 60))
    pairs = np.unique(np.sort(rng.integers(1, count + 1, (3 * count, 2)), 1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    areas = np.append(0, rng.integers(1, 200, count))
    # Few values, so that there are ties.
    seen = [rng.integers(0, 4, len(pairs)) / 3 for _ in range(3)]
    jump = np.zeros(len(pairs))
    borders = Borders(pairs, *seen, jump, np.log(areas[pairs].sum(1) / 100))
    for chance in (0.0, 0.3, 0.6, 1.0):
        found = join(areas, borders, chance)
        assert (found.group == joined_one_by_one(areas, borders, chance)).all()
        total = np.bincount(found.group, areas, len(areas))
        ends = found.group == np.arange(len(areas))
        assert (found.areas[ends] == total[ends]).all()
