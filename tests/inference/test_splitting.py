"""Segments of two cells are parted by embedding; those of one stay whole."""

from dataclasses import replace

import numpy as np
import torch

from napari_semiconv.inference.engines.votes import splitting
from napari_semiconv.inference.engines.votes.engine import VotesEngine
from napari_semiconv.settings import VotesSettings

from .perfect import perfect_output, same_partition


def row_of_cells(count, side=12):
    """Touching square cells in a row, (Y, X), numbered from 1."""
    numbers = np.repeat(np.arange(1, count + 1), side)
    return np.pad(np.repeat([numbers], side, 0), 4).astype(np.int32)


def noisy(embedding, seed=0, amount=0.2):
    noise = np.random.default_rng(seed).normal(size=embedding.shape)
    told = embedding + amount * noise.astype(np.float32)
    return told / np.linalg.norm(told, axis=0)


def split_segments(labels, embedding, cell_size):
    """Parted segments, (Y, X), and the number that each had, both from 1."""
    inside = labels > 0
    owner = torch.from_numpy(labels[inside].astype(np.int64) - 1)
    codes = torch.from_numpy(embedding[:, inside].astype(np.float32))
    found, had = splitting.split_segments(codes, owner, int(labels.max()), cell_size)
    segments = np.zeros(labels.shape, np.int32)
    segments[inside] = found.numpy() + 1
    return segments, had.numpy() + 1


def test_two_cells_in_one_segment_are_parted():
    cells = row_of_cells(6)
    segments = ((cells + 1) // 2).astype(np.int32)
    found, owner = split_segments(
        segments, noisy(perfect_output(cells).embedding), 12.0
    )
    assert same_partition(found, cells)
    assert owner.tolist() == [1, 2, 3, 1, 2, 3]
    assert np.array_equal(np.concatenate([[0], owner])[found], segments)


def test_cells_of_one_embedding_stay_whole():
    cells = row_of_cells(3)
    found, owner = split_segments(cells, noisy(perfect_output(cells).embedding), 12.0)
    assert np.array_equal(found, cells)
    assert owner.tolist() == [1, 2, 3]


def test_even_a_noisy_cell_of_one_direction_stays_whole():
    cells = row_of_cells(1, side=20)
    embedding = noisy(perfect_output(cells).embedding, amount=0.35)
    assert same_partition(split_segments(cells, embedding, 20.0)[0], cells)


def test_specks_of_another_embedding_do_not_part_a_cell():
    cells = row_of_cells(1)
    output = perfect_output(cells)
    embedding = output.embedding.copy()
    embedding[:, 4:6, 4:6] = np.roll(embedding[:, 4:6, 4:6], 1, axis=0)
    assert np.array_equal(split_segments(cells, embedding, 12.0)[0], cells)


def test_a_frame_without_segments_stays_empty():
    labels = np.zeros((5, 7), np.int32)
    found, owner = split_segments(labels, np.zeros((3, 5, 7), np.float32), 12.0)
    assert not found.any()
    assert owner.shape == (0,)


def test_touching_cells_whose_votes_fall_together_are_parted():
    """What votes alone cannot do."""
    cells = row_of_cells(2)
    together = perfect_output((cells > 0).astype(np.int32))
    output = replace(together, embedding=perfect_output(cells).embedding)
    found = VotesEngine(VotesSettings()).cells(output)
    assert same_partition(found, cells)
