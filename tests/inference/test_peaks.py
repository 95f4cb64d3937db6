"""Peaks of votes: every vote counts once, belongs to one peak, and ties go by index."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.segmentation import watershed

from napari_semiconv.inference.engines.votes.peaks import (
    FOOT,
    Peaks,
    Votes,
    find_peaks,
    nearest_peak,
    vote_map,
)

NONE = torch.zeros(0)
NO_PAIRS = torch.zeros((0, 2), dtype=torch.int64)


def at(rows, columns, width):
    return torch.tensor(rows) * width + torch.tensor(columns)


def bumpy(seed=0, shape=(60, 80), blur=2.5):
    """Random peaks, apart from the border."""
    rng = np.random.default_rng(seed)
    rough = ndimage.gaussian_filter(rng.normal(size=shape), blur, mode="constant")
    rough = np.clip(rough / rough.std(), 0, None)
    rough[:6] = rough[-6:] = 0
    rough[:, :6] = rough[:, -6:] = 0
    return rough.astype(np.float32)


def number_map(peaks, shape):
    found = np.zeros(shape, int)
    found.ravel()[peaks.spots.numpy()] = peaks.number.numpy() + 1
    return found


def test_every_vote_counts_once_in_the_map():
    rng = np.random.default_rng(0)
    spots = at(rng.integers(8, 24, 50), rng.integers(8, 24, 50), 32)
    total = vote_map(Votes(spots, spots, (32, 32)), torch.ones(50), 1.0)
    assert float(total.sum()) == pytest.approx(50, rel=1e-3)


def test_the_blur_is_a_gauss_bell():
    spots = at([12], [15], 30)
    found = vote_map(Votes(spots, spots, (25, 30)), torch.ones(1), 1.7).numpy()
    dot = np.zeros((25, 30), np.float32)
    dot[12, 15] = 1
    assert found == pytest.approx(
        ndimage.gaussian_filter(dot, 1.7, truncate=3), abs=1e-6
    )


def test_peaks_are_nearly_those_of_a_watershed():
    density = bumpy()
    highest = ndimage.maximum_filter(density, 5)
    peaks, count = ndimage.label(
        (density == highest) & (density > 0.8), np.ones((3, 3))
    )
    wanted = watershed(-density, peaks, mask=density > FOOT * 0.8)
    peaks = find_peaks(torch.from_numpy(density), 2, 0.8)
    found = number_map(peaks, density.shape)
    assert count > 10
    assert len(peaks.heights) == count
    assert ((found > 0) == (wanted > 0)).all()
    assert (found == wanted).mean() > 0.97


def test_passes_are_the_highest_between_two_peaks():
    density = bumpy(1)
    peaks = find_peaks(torch.from_numpy(density), 2, 0.8)
    number = number_map(peaks, density.shape)
    wanted = {}
    for step in ((0, 1), (1, 0)):
        ahead = np.s_[step[0] :, step[1] :]
        here = np.s_[: number.shape[0] - step[0], : number.shape[1] - step[1]]
        one, other = number[here], number[ahead]
        height = np.minimum(density[here], density[ahead])
        for y, x in np.argwhere((one > 0) & (other > 0) & (one != other)):
            pair = tuple(sorted((int(one[y, x]) - 1, int(other[y, x]) - 1)))
            wanted[pair] = max(wanted.get(pair, 0), height[y, x])
    pairs = [tuple(pair) for pair in peaks.pairs.tolist()]
    assert len(pairs) > 5
    assert pairs == sorted(wanted)
    assert peaks.passes.tolist() == [wanted[pair] for pair in pairs]


def test_of_a_plateau_the_first_pixel_is_the_only_peak():
    density = torch.zeros(20, 20)
    density[6:10, 6:14] = 1.0
    peaks = find_peaks(density, 2, 0.5)
    assert peaks.heights.tolist() == [1.0]
    assert len(peaks.spots) == 32


def test_two_peaks_nearer_than_the_least_distance_are_one_peak():
    density = torch.zeros(20, 20)
    density[10, 5:15] = 0.5
    density[10, 7], density[10, 12] = 1.0, 0.9
    assert len(find_peaks(density, 2, 0.7).heights) == 2
    assert len(find_peaks(density, 5, 0.7).heights) == 1


def test_what_is_too_low_goes_over_its_highest_pass():
    density = torch.zeros(9, 30)
    row = [0, 0, 1.0, 0.3, 0.5, 0.2, 0.6, 0.4, 0.5, 0.3, 1.0, 0, 0.5, 0]
    density[4, 8:22] = torch.tensor(row)
    peaks = find_peaks(density, 1, 0.8)
    # The middle ones join to the right, over 0.4 and 0.3; the last one stands alone.
    number = number_map(peaks, (9, 30))[4, 8:22].tolist()
    assert number[2:11] == [1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert number[12] == 0
    assert peaks.passes.tolist() == pytest.approx([0.2])


def test_a_map_without_a_high_peak_has_no_peak():
    peaks = find_peaks(torch.full((12, 12), 0.0), 2, 0.5)
    assert len(peaks.heights) == len(peaks.spots) == 0


def test_votes_beyond_the_peaks_join_the_nearest_one():
    rng = np.random.default_rng(3)
    number = np.where(rng.random((40, 50)) < 0.02, rng.integers(1, 9, (40, 50)), 0)
    number[:, 20:] = 0  # far away from any peak
    spots = torch.from_numpy(np.flatnonzero(number))
    peaks = Peaks(
        spots, torch.from_numpy(number.ravel()[spots]), torch.ones(9), NO_PAIRS, NONE
    )
    everywhere = torch.arange(number.size)
    votes = Votes(everywhere, everywhere, number.shape)
    found = nearest_peak(votes, peaks).numpy()
    y, x = np.divmod(np.arange(number.size), 50)
    peak_y, peak_x = np.divmod(spots.numpy(), 50)
    apart = (y[:, None] - peak_y) ** 2 + (x[:, None] - peak_x) ** 2
    # argmin takes the first of equal ones, and spots rise.
    assert (found == number.ravel()[spots[apart.argmin(1)]]).all()
