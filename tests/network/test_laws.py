"""Laws of the losses: shifts, gradients, neighbours by brute force, odd label clips."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_semiconv.network import losses
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.kernels import GaussianKernel
from napari_semiconv.network.losses import Cells
from napari_semiconv.network.semiconv import add_coordinates, pixel_grid
from napari_semiconv.settings import NetworkSettings

SHALLOW = NetworkSettings(
    stacks=1, channels=(4, 4), memory="none", embedding_size=3, offsets=True
)
STRIDE, MARGIN = SHALLOW.stride, 12  # px; wider than the field that padding reaches


@pytest.fixture
def shifted_by():
    """Maps of one picture and of the same picture moved by a shift, borders cut off."""
    torch.manual_seed(0)
    network = Embedder(SHALLOW).eval()
    network.heads.draw(0.1)
    picture = torch.randn(1, 1, 64, 64)

    def cut(maps, shift):
        y, x = MARGIN + shift[0], MARGIN + shift[1]
        side = 64 - 2 * MARGIN - 8
        return maps[..., y : y + side, x : x + side]

    def run(shift):
        moved = torch.roll(picture, shift, (2, 3))
        with torch.no_grad():
            one, other = network(picture)[0], network(moved)[0]
        return cut, one, other

    return run


@pytest.mark.parametrize("shift", [(STRIDE, 0), (0, 3 * STRIDE), (2 * STRIDE, STRIDE)])
def test_a_convolutional_embedding_moves_with_the_picture(shifted_by, shift):
    cut, one, other = shifted_by(shift)
    pairs = [(one.embedding, other.embedding)]
    pairs += [(one.maps[name], other.maps[name]) for name in one.maps]
    assert len(pairs) > 2
    for before, after in pairs:
        torch.testing.assert_close(cut(before, (0, 0)), cut(after, shift))


@pytest.mark.parametrize("shift", [(STRIDE, 0), (0, 3 * STRIDE), (2 * STRIDE, STRIDE)])
def test_a_semi_convolutional_one_moves_and_grows_by_the_shift(shifted_by, shift):
    cut, one, other = shifted_by(shift)
    before = cut(add_coordinates(one.offset), (0, 0))
    after = cut(add_coordinates(other.offset), shift)
    expected = torch.tensor(shift).reshape(1, 2, 1, 1).expand_as(before).float()
    torch.testing.assert_close(after - before, expected, atol=1e-4, rtol=0)


def test_a_shift_by_less_than_the_stride_breaks_the_law(shifted_by):
    cut, one, other = shifted_by((1, 0))
    gap = cut(one.embedding, (0, 0)) - cut(other.embedding, (1, 0))
    assert gap.abs().max() > 1e-3


def cells_of(labels):
    return [c for c in labels.unique().tolist() if c > 0]


def circle_rule(labels, radius):
    """The rule of 2018, cell by cell and pixel by pixel."""
    ids = cells_of(labels)
    found = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    for i, one in enumerate(ids):
        centre = torch.nonzero(labels == one)[:, 1:].float().mean(0)
        for j, other in enumerate(ids):
            place = torch.nonzero(labels == other)[:, 1:].float()
            square = (place - centre).square().sum(1)
            found[i, j] = i != j and bool((square <= radius**2).any())
    return found


def region_rule(labels, radius, dilation):
    """The rule of 2019: a region painted for each cell and frame, then looked into."""
    ids, frames = cells_of(labels), len(labels)
    found = torch.zeros(len(ids), len(ids), dtype=torch.bool)
    y, x = torch.meshgrid(*map(torch.arange, labels.shape[1:]), indexing="ij")

    def dilated(mask):
        out = torch.zeros_like(mask)
        for py, px in torch.nonzero(mask).tolist():
            out |= (y - py) ** 2 + (x - px) ** 2 <= dilation**2
        return out

    for i, one in enumerate(ids):
        lives = [t for t in range(frames) if (labels[t] == one).any()]
        cy, cx = torch.nonzero(labels == one)[:, 1:].float().mean(0)
        circle = (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
        for t in range(max(0, lives[0] - 1), min(frames, lives[-1] + 2)):
            nearest = min(max(t, lives[0]), lives[-1])
            region = circle | dilated(labels[nearest] == one)
            touched = labels[t][region].unique().tolist()
            for j, other in enumerate(ids):
                found[i, j] |= i != j and other in touched
    return found


def blobs(seed, frames=4, side=20, density=0.5):
    """Clip of squares that may overlap, vanish for a frame, or cover one another."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random((frames, side, side)) < 0.1, -1, 0)
    for label in rng.choice(np.arange(1, 90), rng.integers(1, 7), replace=False):
        y, x = rng.integers(0, side, 2)
        size = int(rng.integers(1, 9))
        for t in range(frames):
            if rng.random() < density:
                dy, dx = (max(0, at + rng.integers(-2, 3)) for at in (y, x))
                labels[t, dy : dy + size, dx : dx + size] = label
    return torch.from_numpy(labels).long()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.5, 3.0, 7.5, 40.0]))
def test_circle_neighbours_equal_brute_force(seed, radius):
    labels = blobs(seed)
    assert torch.equal(losses.neighbours(labels, radius), circle_rule(labels, radius))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10**6), st.sampled_from([0.0, 3.0, 9.0]), st.sampled_from([0, 2, 5])
)
def test_region_neighbours_equal_brute_force(seed, radius, dilation):
    labels = blobs(seed)
    found = losses.neighbours_2019(labels, radius, dilation)
    assert torch.equal(found, region_rule(labels, radius, dilation))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 3.3, 9.1]), st.sampled_from([0, 3]))
def test_neighbours_over_a_movie_equal_brute_force(seed, radius, dilation):
    """Longer than what is looked at together, with cells that miss frames."""
    labels = blobs(seed, frames=19, side=12, density=0.2)
    label, found = losses.movie_neighbours(list(labels), radius, dilation)
    assert label.tolist() == cells_of(labels)
    assert torch.equal(found, region_rule(labels, radius, dilation))


def test_a_movie_without_cells_has_no_neighbours():
    label, found = losses.movie_neighbours([torch.full((4, 4), -1)] * 3, 5.0, 1)
    assert label.tolist() == []
    assert found.shape == (0, 0)


def test_the_regions_reach_one_frame_before_birth_and_after_the_end_but_no_farther():
    labels = torch.zeros(5, 6, 30, dtype=torch.long)
    labels[2, 2:4, 10:14] = 1
    for t, label in enumerate([5, 6, 7, 8, 9]):
        labels[t, 2:4, 16:18] = label  # 3 px beside the cell, a new one each frame
    row = losses.neighbours_2019(labels, 1.0, 5)[0]
    assert row.tolist() == [False, False, True, True, True, False]
    # The rule of 2018 does not ask in which frame.
    assert losses.neighbours(labels, 9.0)[0, 1:].all()


@pytest.mark.parametrize(
    ("rows", "most"),
    [([[0, 0], [0, 0]], 1), ([[0, 1, 1], [0, 0, 0], [0, 0, 0]], 3), ([], 0)],
)
def test_crowding_counts_neighbours_either_way_and_the_cell(rows, most):
    adjacent = torch.tensor(rows, dtype=torch.bool).reshape(len(rows), len(rows))
    assert losses.crowding(adjacent) == most


def test_a_clique_needs_a_direction_for_each_and_the_background():
    """With D orthogonal directions D - 1 mutual neighbours cost nothing, D do not."""
    size = 4
    for count, free in ((size - 1, True), (size, False)):
        labels = torch.arange(count + 1).reshape(1, 1, -1)
        adjacent = ~torch.eye(count, dtype=torch.bool)
        directions = torch.eye(size)[torch.arange(count + 1) % size]
        cost = losses.cosine_embedding_loss(
            directions.T.reshape(1, size, 1, -1), labels, adjacent
        )
        assert (cost.item() < 1e-5) == free
        assert (losses.crowding(adjacent) + 1 <= size) == free


def targets_of(labels, most, seed=0):
    count = len(cells_of(labels))
    return losses.sample_cells(count, most, torch.Generator().manual_seed(seed))


def test_fewer_targets_than_cells_are_drawn_and_seeded():
    labels = torch.arange(1, 21).reshape(1, 4, 5)
    one, again, other = (targets_of(labels, 6, seed) for seed in (1, 1, 2))
    assert len(one) == len(one.unique()) == 6
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert targets_of(labels, 0) is None
    assert targets_of(labels, 20) is None


def test_cells_that_are_no_targets_stay_neighbours_and_out_of_the_background():
    torch.manual_seed(0)
    labels = torch.randint(0, 5, (2, 9, 9))
    embedding = torch.randn(2, 4, 9, 9, requires_grad=True)
    adjacent = ~torch.eye(4, dtype=torch.bool)

    def loss(targets):
        return losses.cosine_embedding_loss(
            embedding, labels, adjacent, targets=targets
        )

    singles = [loss(torch.tensor([i])) for i in range(4)]
    # The background term is common to all; the rest is the mean over the targets.
    torch.testing.assert_close(torch.stack(singles).mean(), loss(None))
    (grad,) = torch.autograd.grad(singles[0], embedding)
    assert all(grad.movedim(1, -1)[labels == c].abs().sum() > 0 for c in range(5))


def clip(kind):
    labels = torch.zeros(3, 12, 12, dtype=torch.long)
    if kind == "none annotated":
        labels[:] = -1
    elif kind == "one":
        labels[:, 3:7, 3:8] = 1
    elif kind == "one pixel":
        labels[1, 5, 5] = 7
    elif kind == "not consecutive":
        labels[:, :5, :5], labels[:, 6:, 6:], labels[:, :3, 8:] = 3, 70_000, 12
    elif kind == "gap":
        labels[0, 2:5, 2:5] = labels[2, 2:5, 2:5] = 4
        labels[:, 8:, 8:] = 9
    elif kind == "many":
        labels[:] = torch.arange(144).reshape(12, 12)
    elif kind == "half annotated":
        labels[:, :4, :4], labels[:, 5:9, 5:9] = 1, 2
        labels[0][labels[0] == 0] = -1
        labels[2] = -1
    return labels


KINDS = ("empty", "none annotated", "one", "one pixel", "not consecutive", "gap")
KINDS += ("many", "half annotated")


def every_loss(labels, embedding, offset, log_sigma, centre_kind, pull):
    """All losses of a clip, by name."""
    cells = Cells.of(labels)
    both = (losses.neighbours(labels, 4.0), losses.neighbours_2019(labels, 4.0))
    votes = offset + pixel_grid(offset)
    at_cells = votes.movedim(1, -1).flatten(0, 2)[cells.pixel]
    place = losses.positions(cells, offset)
    centre = losses.centres_of(centre_kind, at_cells, place, cells)
    smooth, sigma = losses.smoothness_loss(log_sigma.flatten()[cells.pixel], cells)
    attraction, _ = losses.attraction_loss(at_cells, cells, centre)
    cosine = [
        losses.cosine_embedding_loss(
            embedding,
            labels,
            adjacent,
            pull=pull,
            fixed_background=fixed,
            targets=targets_of(labels, 5),
        )
        for adjacent, fixed in zip(both, (True, False), strict=True)
    ]
    return {
        "2018": cosine[0],
        "2019": cosine[1],
        "attraction": attraction,
        "smoothness": smooth,
        "lovasz": losses.lovasz_loss(
            votes, labels, centre, cells, GaussianKernel(), sigma
        ),
        "repulsion": losses.repulsion_loss(centre, cells, both[0], 6.0),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("centre", "pull"), [("mean", "cos"), ("centroid", "cos2"), ("medoid", "cos")]
)
def test_every_loss_is_finite_with_finite_gradients(kind, centre, pull):
    torch.manual_seed(0)
    labels = clip(kind)
    maps = [torch.randn(3, c, 12, 12, requires_grad=True) for c in (4, 2, 1)]
    found = every_loss(labels, *maps, centre, pull)
    assert all(torch.isfinite(loss) and loss.shape == () for loss in found.values())
    torch.stack(list(found.values())).sum().backward()
    assert all(torch.isfinite(m.grad).all() for m in maps)
    unknown = labels[:, None] == -1
    assert all((m.grad[unknown.expand_as(m)] == 0).all() for m in maps)
    if not (labels > 0).any():
        assert all(found[k].item() == 0 for k in set(found) - {"2018", "2019"})
    if kind == "none annotated":
        assert found["2018"].item() == found["2019"].item() == 0


@pytest.mark.parametrize("kind", ["empty", "not consecutive", "half annotated"])
def test_dead_embeddings_of_zero_have_finite_gradients(kind):
    labels = clip(kind)
    embedding = torch.zeros(3, 4, 12, 12, requires_grad=True)
    for fixed in (True, False):
        losses.cosine_embedding_loss(
            embedding, labels, losses.neighbours(labels, 9.0), fixed_background=fixed
        ).backward()
    assert torch.isfinite(embedding.grad).all()


def test_label_numbers_mean_nothing_to_any_loss():
    torch.manual_seed(1)
    labels = clip("not consecutive")
    renamed = labels.clone()
    for new, old in enumerate((3, 12, 70_000), start=1):
        renamed[labels == old] = new
    maps = [torch.randn(3, c, 12, 12) for c in (4, 2, 1)]
    one, other = (every_loss(x, *maps, "mean", "cos") for x in (labels, renamed))
    assert {k: v.item() for k, v in one.items()} == {
        k: v.item() for k, v in other.items()
    }
