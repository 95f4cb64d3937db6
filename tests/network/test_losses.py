"""Laws of the losses: worked values of the papers, brute force, finite differences."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_semiconv.network import losses
from napari_semiconv.network.losses import Cells
from napari_semiconv.network.semiconv import (
    LaplacianKernel,
    add_coordinates,
    pixel_grid,
)

FOUR = torch.zeros(2, 8, 8, dtype=torch.long)
FOUR[:, :4, :4], FOUR[:, :4, 4:], FOUR[:, 4:, :4] = 3, 7, 9  # the fourth is background


def all_adjacent(count):
    return ~torch.eye(count, dtype=torch.bool)


def painted(labels, directions):
    """Embedding that has one direction per label, (T, D, Y, X)."""
    out = torch.zeros(*labels.shape, len(next(iter(directions.values()))))
    for label, direction in directions.items():
        out[labels == label] = torch.tensor(direction, dtype=torch.float32)
    return out.movedim(-1, 1)


ORTHOGONAL = {0: (1, 0, 0, 0), 3: (0, 1, 0, 0), 7: (0, 0, 1, 0), 9: (0, 0, 0, 1)}


@pytest.mark.parametrize("pull", ["cos", "cos2"])
def test_orthogonal_cells_and_background_cost_nothing(pull):
    loss = losses.cosine_embedding_loss(
        painted(FOUR, ORTHOGONAL), FOUR, all_adjacent(3), pull=pull
    )
    assert loss.item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("pull", ["cos", "cos2"])
@pytest.mark.parametrize("fixed", [True, False])
def test_one_direction_for_all_costs_one_for_cells_and_one_for_background(pull, fixed):
    same = dict.fromkeys(ORTHOGONAL, (1.0, 0, 0, 0))
    loss = losses.cosine_embedding_loss(
        painted(FOUR, same), FOUR, all_adjacent(3), pull=pull, fixed_background=fixed
    )
    assert loss.item() == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize(("pull", "value"), [("cos", 0.8), ("cos2", 0.0)])
def test_a_cell_of_opposite_directions(pull, value):
    labels = torch.ones(1, 1, 10, dtype=torch.long)
    embedding = torch.zeros(1, 2, 1, 10)
    embedding[:, 0] = torch.tensor([1.0] * 6 + [-1.0] * 4)
    loss = losses.cosine_embedding_loss(embedding, labels, all_adjacent(1), pull=pull)
    assert loss.item() == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("fixed", [True, False])
def test_one_direction_costs_the_background_one_whichever_it_is(fixed):
    direction = (0.6, 0.0, -0.8, 0.0)
    loss = losses.cosine_embedding_loss(
        painted(FOUR, dict.fromkeys(ORTHOGONAL, direction)),
        FOUR,
        torch.zeros(3, 3, dtype=torch.bool),  # without neighbours cells cost nothing
        pull="cos2" if fixed else "cos",
        fixed_background=fixed,
    )
    assert loss.item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("pull", "value"), [("cos", 1 + 1 / 8), ("cos2", 1.0)])
def test_random_directions_cost_one_and_for_the_2018_pull_one_over_d_more(pull, value):
    torch.manual_seed(0)
    labels = torch.ones(1, 200, 200, dtype=torch.long)
    labels[:, :, 100:] = 2
    loss = losses.cosine_embedding_loss(
        torch.randn(1, 8, 200, 200), labels, all_adjacent(2), pull=pull
    )
    assert loss.item() == pytest.approx(value, abs=0.02)


@pytest.mark.parametrize("fixed", [True, False])
def test_orthogonal_directions_cost_nothing_with_either_background(fixed):
    turned = ORTHOGONAL if fixed else ORTHOGONAL | {0: (0, 0, 0, 1), 9: (1, 0, 0, 0)}
    loss = losses.cosine_embedding_loss(
        painted(FOUR, turned), FOUR, all_adjacent(3), fixed_background=fixed
    )
    assert loss.item() == pytest.approx(0, abs=1e-5)


def test_a_positive_factor_changes_nothing():
    torch.manual_seed(0)
    embedding = torch.randn(2, 4, 8, 8)
    one, other = (
        losses.cosine_embedding_loss(embedding * f, FOUR, all_adjacent(3))
        for f in (1, 7)
    )
    torch.testing.assert_close(one, other)


def brute_force(embedding, labels, adjacent, pull):
    flat = embedding.movedim(1, -1).reshape(-1, embedding.shape[1])
    owner = labels.reshape(-1)
    cells = [c for c in owner.unique().tolist() if c > 0]
    means = {c: F.normalize(flat[owner == c].mean(0), dim=0) for c in cells}
    total = 0.0
    for i, cell in enumerate(cells):
        cos = F.normalize(flat[owner == cell], dim=1) @ means[cell]
        total += (1 - (cos if pull == "cos" else cos**2)).mean()
        others = [c for j, c in enumerate(cells) if adjacent[i, j]]
        if others:
            mask = torch.isin(owner, torch.tensor(others))
            total += (F.normalize(flat[mask], dim=1) @ means[cell]).square().mean()
    loss = total / len(cells)
    back = F.normalize(flat[owner == 0], dim=1)[:, 0]
    front = F.normalize(flat[owner > 0], dim=1)[:, 0]
    return loss + (1 - (back if pull == "cos" else back**2)).mean() + (front**2).mean()


@pytest.mark.parametrize("pull", ["cos", "cos2"])
def test_the_cosine_loss_equals_a_loop_over_cells(pull):
    torch.manual_seed(1)
    labels = torch.randint(-1, 6, (3, 12, 10))
    embedding = torch.randn(3, 5, 12, 10)
    adjacent = torch.rand(5, 5) > 0.5
    adjacent.fill_diagonal_(False)
    adjacent[2] = False  # a cell without neighbours has no push term
    found = losses.cosine_embedding_loss(embedding, labels, adjacent, pull=pull)
    torch.testing.assert_close(found, brute_force(embedding, labels, adjacent, pull))


def test_markers_only_have_no_background_term():
    labels = FOUR.masked_fill(FOUR == 0, -1)
    loss = losses.cosine_embedding_loss(
        painted(FOUR, ORTHOGONAL), labels, all_adjacent(3)
    )
    flipped = losses.cosine_embedding_loss(
        painted(FOUR, ORTHOGONAL | {0: (-1, 0, 0, 0)}), labels, all_adjacent(3)
    )
    assert loss.item() == flipped.item() == pytest.approx(0, abs=1e-5)


def test_neighbours_equal_brute_force():
    rng = np.random.default_rng(2)
    labels = torch.from_numpy(rng.choice([0, 0, 0, 1, 4, 6, 9], (2, 14, 20)))
    radius = 6.0
    found = losses.neighbours(labels, radius)
    ids = [1, 4, 6, 9]
    for i, one in enumerate(ids):
        centre = torch.nonzero(labels == one)[:, 1:].double().mean(0)
        for j, other in enumerate(ids):
            place = torch.nonzero(labels == other)[:, 1:].double()
            near = bool(((place - centre).norm(dim=1) <= radius).any())
            assert found[i, j] == (near and i != j)


@pytest.mark.parametrize("labels", [torch.zeros(2, 6, 6), torch.full((2, 6, 6), -1)])
def test_no_cell_gives_zero_or_background_but_never_nan(labels):
    labels = labels.long()
    cells = Cells.of(labels)
    embedding = torch.randn(2, 3, 6, 6, requires_grad=True)
    votes = torch.zeros(0, 2, requires_grad=True)
    attraction, centre = losses.attraction_loss(votes, cells)
    kernel = LaplacianKernel()
    mother = torch.zeros(0, dtype=torch.long)
    total = (
        losses.cosine_embedding_loss(embedding, labels, losses.neighbours(labels, 3))
        + attraction
        + losses.kernel_loss(votes, centre, cells, kernel)
        + losses.motion_loss(votes, centre, cells, mother)
        + losses.seed_loss(embedding[:, 0], labels, votes.sum(1), cells)
        + losses.foreground_loss(embedding[:, 0], labels)
    )
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(embedding.grad).all()


def test_a_cell_of_one_pixel_is_defined():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 1, 2] = 5
    embedding = torch.randn(1, 3, 4, 4, requires_grad=True)
    cells = Cells.of(labels)
    votes = losses.positions(cells, embedding) + embedding[:, :2, 1, 2]
    attraction, centre = losses.attraction_loss(votes, cells)
    loss = losses.cosine_embedding_loss(embedding, labels, losses.neighbours(labels, 2))
    kernel = losses.kernel_loss(votes, centre, cells, LaplacianKernel())
    (loss + attraction + kernel).backward()
    assert attraction.item() == pytest.approx(0, abs=2e-3)
    assert torch.isfinite(embedding.grad).all()


def offsets_to_centroid(labels):
    """Offsets that make every pixel vote for the centroid of its cell, (T, 2, Y, X)."""
    offset = torch.zeros(len(labels), 2, *labels.shape[1:])
    grid = pixel_grid(offset)
    for t, frame in enumerate(labels):
        for label in frame.unique():
            mask = frame == label
            offset[t][:, mask] = grid[:, mask].mean(1, keepdim=True) - grid[:, mask]
    return offset


def votes_of(offset, cells):
    place = losses.positions(cells, offset)
    return offset.movedim(1, -1).reshape(-1, 2)[cells.pixel] + place


def test_perfect_votes_cost_nothing_and_shifted_ones_neither():
    cells = Cells.of(FOUR)
    offset = offsets_to_centroid(FOUR)
    for shift in (0.0, 2.5):  # the centre is free: only agreement counts
        loss, _ = losses.attraction_loss(votes_of(offset + shift, cells), cells)
        assert loss.item() == pytest.approx(0, abs=2e-3)


def test_no_offsets_cost_the_mean_distance_from_the_centroid():
    cells = Cells.of(FOUR)
    loss, centre = losses.attraction_loss(
        votes_of(torch.zeros(2, 2, 8, 8), cells), cells
    )
    y, x = np.indices((4, 4)) - 1.5
    assert loss.item() == pytest.approx(np.hypot(y, x).mean(), abs=1e-4)
    assert len(centre) == 6  # three cells in two frames


def test_the_kernel_loss_falls_with_distance_between_cells():
    cells = Cells.of(FOUR)
    votes = votes_of(offsets_to_centroid(FOUR), cells)
    _, centre = losses.attraction_loss(votes, cells)
    near, far = (
        losses.kernel_loss(votes, centre, cells, LaplacianKernel(s)) for s in (8.0, 0.5)
    )
    assert far < near
    assert far.item() == pytest.approx(0, abs=0.01)


def test_motion_points_at_the_mother_of_a_new_cell():
    labels = torch.zeros(2, 4, 12, dtype=torch.long)
    labels[0, :, 4:8] = 1
    labels[1, :, 0:4], labels[1, :, 8:12] = 2, 3
    cells = Cells.of(labels)
    _, centre = losses.attraction_loss(
        votes_of(offsets_to_centroid(labels), cells), cells
    )
    mother = torch.tensor([-1, 0, 0])
    to_mother = centre[0].expand(len(cells.pixel), 2)
    assert losses.motion_loss(to_mother, centre, cells, mother).item() < 2e-3
    away = to_mother + torch.tensor([3.0, 4.0])
    assert losses.motion_loss(away, centre, cells, mother).item() == pytest.approx(
        5, abs=1e-3
    )
    orphan = torch.tensor([-1, -1, -1])
    assert losses.motion_loss(away, centre, cells, orphan).item() == 0


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(3)
    labels = torch.randint(-1, 4, (2, 4, 5))
    cells = Cells.of(labels)
    adjacent = losses.neighbours(labels, 3.0)
    kernel = LaplacianKernel(2.0).double()
    mother = torch.full((cells.count,), -1)
    # The target of the motion is held fixed, so it must not move with the offsets here.
    before = torch.randn(len(cells.frame), 2, dtype=torch.double)

    def total(embedding, offset):
        votes = votes_of(offset, cells)
        attraction, centre = losses.attraction_loss(votes, cells)
        return (
            losses.cosine_embedding_loss(embedding, labels, adjacent)
            + attraction
            + losses.kernel_loss(votes, centre, cells, kernel)
            + losses.motion_loss(votes + 1, before, cells, mother)
            + losses.foreground_loss(embedding[:, 0], labels)
        )

    embedding = torch.randn(2, 3, 4, 5, dtype=torch.double, requires_grad=True)
    offset = torch.randn(2, 2, 4, 5, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(total, (embedding, offset), atol=1e-5)


def test_adding_coordinates_makes_equal_features_different():
    out = add_coordinates(torch.zeros(1, 3, 4, 5))
    assert out[0, :, 2, 3].tolist() == [2.0, 3.0, 0.0]


def test_the_kernel_is_the_laplacian_and_learns_its_width():
    kernel = LaplacianKernel(2.0)
    value = kernel(torch.tensor([0.0, 2.0]))
    torch.testing.assert_close(value, torch.tensor([1.0, math.exp(-1)]))
    value.sum().backward()
    assert kernel.log_sigma.grad > 0
