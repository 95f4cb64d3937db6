"""Width per cell and Lovasz hinge: minima, a loop over masks, finite differences."""

import math

import pytest
import torch
import torch.nn.functional as F

from napari_semiconv.network import losses
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.heads.bandwidth import SIGMA
from napari_semiconv.network.kernels import GaussianKernel, kernel_of
from napari_semiconv.network.losses import Cells
from napari_semiconv.network.semiconv import pixel_grid
from napari_semiconv.settings import NETWORK_PRESETS

TINY = NETWORK_PRESETS["tiny"]


def one_mask(score, truth):
    """The hinge of one mask, term by term (Berman et al. 2018, METHODS 7.1)."""
    signs = [1 if t else -1 for t in truth]
    errors = [1 - f * y for f, y in zip(score, signs, strict=True)]
    ranked = sorted(zip(errors, signs, strict=True), key=lambda pair: -pair[0])
    positives = sum(truth)
    loss, before, inside, outside = 0.0, 0.0, 0, 0
    for error, sign in ranked:
        inside, outside = inside + (sign > 0), outside + (sign < 0)
        jaccard = 1 - (positives - inside) / (positives + outside)
        loss += max(error, 0) * (jaccard - before)
        before = jaccard
    return loss


def test_many_masks_at_once_equal_a_loop_over_masks():
    torch.manual_seed(0)
    group = torch.randint(0, 6, (300,))
    score, truth = torch.randn(300, dtype=torch.double), torch.rand(300) > 0.6
    truth[group == 2] = False  # a mask without a pixel of its own
    found = losses.lovasz_hinge(score, truth, group, 7)
    for i in range(6):
        mine = group == i
        expected = one_mask(score[mine].tolist(), truth[mine].tolist())
        assert found[i].item() == pytest.approx(expected)
    assert found[6].item() == 0


def test_hard_scores_cost_twice_the_jaccard_loss():
    """Scores of 1 and -1 have errors 0 or 2: two times 1 - IoU remains."""
    truth = torch.tensor([1, 1, 1, 1, 0, 0, 0]).bool()
    guess = torch.tensor([1, 1, 1, 0, 1, 0, 0]).bool()
    score = torch.where(guess, 1.0, -1.0)
    loss = losses.lovasz_hinge(score, truth, torch.zeros(7, dtype=torch.long), 1)
    assert loss.item() == pytest.approx(2 * (1 - 3 / 5))


def test_gradients_of_the_hinge_agree_with_finite_differences():
    torch.manual_seed(1)
    group, truth = torch.randint(0, 3, (20,)), torch.rand(20) > 0.5
    score = torch.randn(20, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda s: losses.lovasz_hinge(s, truth, group, 3), (score,)
    )


def two_cells():
    labels = torch.zeros(2, 10, 16, dtype=torch.long)
    labels[:, 2:8, 1:7], labels[:, 2:8, 9:15] = 4, 9
    return labels


def perfect_votes(labels, centres):
    """Votes of every pixel: for its cell's centre, else far away, (T, 2, Y, X)."""
    votes = torch.full((len(labels), 2, *labels.shape[1:]), 1e3)
    for label, centre in centres.items():
        votes.movedim(1, -1)[labels == label] = torch.tensor(centre)
    return votes


def lovasz_of(votes, labels):
    cells = Cells.of(labels)
    at_cells = votes.movedim(1, -1).flatten(0, 2)[cells.pixel]
    centre = losses.centres_of("mean", at_cells, at_cells, cells)
    return losses.lovasz_loss(votes, labels, centre, cells, GaussianKernel(1.0))


def test_perfect_votes_cost_nothing_and_misplaced_pixels_do():
    labels = two_cells()
    votes = perfect_votes(labels, {4: (5.0, 4.0), 9: (5.0, 12.0)})
    assert lovasz_of(votes, labels).item() == pytest.approx(0, abs=1e-6)
    votes[:, :, 0, :4] = torch.tensor([5.0, 4.0]).reshape(1, 2, 1)
    assert lovasz_of(votes, labels) > 0.05
    unknown = labels.clone()
    unknown[:, 0] = -1  # what is not annotated cannot be wrong
    assert lovasz_of(votes, unknown).item() == pytest.approx(0, abs=1e-6)


def dense_lovasz(votes, labels, centre, sigma, cells, name):
    """All pixels of each frame for each instance, instance by instance."""
    total = 0.0
    present = torch.unique(labels[labels > 0])
    for m, (frame, owner) in enumerate(zip(cells.frame, cells.owner, strict=True)):
        known = labels[frame] >= 0
        away = (votes[frame] - centre[m][:, None, None])[:, known]
        gap, looks = away[:2].norm(dim=0), away[2:].norm(dim=0)
        score = 2 * torch.exp(log_kernel(name, gap, looks, sigma[m])) - 1
        truth = (labels[frame] == present[owner])[known]
        total += one_mask(score.tolist(), truth.tolist())
    return total / len(cells.frame)


@pytest.mark.parametrize(
    ("name", "near"), [("gaussian", 1e-6), ("bilateral", 1e-6), ("laplacian", 1e-3)]
)
def test_pixels_out_of_reach_may_be_left_out(name, near):
    torch.manual_seed(2)
    labels = torch.randint(-1, 4, (2, 12, 12))
    cells = Cells.of(labels)
    votes = torch.randn(2, 5, 12, 12).double()
    votes[:, :2] = votes[:, :2] * 4 + 6
    centre = torch.rand(len(cells.frame), 5).double()
    centre[:, :2] *= 12
    sigma = torch.rand(len(cells.frame)).double() + 0.1  # some reach only a few pixels
    found = losses.lovasz_loss(votes, labels, centre, cells, kernel_of(name), sigma)
    expected = dense_lovasz(votes, labels, centre, sigma, cells, name)
    assert found.item() == pytest.approx(expected, abs=near)


def test_gradients_of_votes_and_width_agree_with_finite_differences():
    torch.manual_seed(3)
    labels = torch.randint(-1, 3, (2, 4, 5))
    cells = Cells.of(labels)

    def total(offset, log_sigma):
        votes = offset + pixel_grid(offset)
        at_cells = votes.movedim(1, -1).flatten(0, 2)[cells.pixel]
        centre = losses.centres_of("mean", at_cells, at_cells, cells)
        _, sigma = losses.smoothness_loss(log_sigma.flatten()[cells.pixel], cells)
        return losses.lovasz_loss(votes, labels, centre, cells, GaussianKernel(), sigma)

    offset = torch.randn(2, 2, 4, 5, dtype=torch.double, requires_grad=True)
    log_sigma = torch.rand(2, 4, 5, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(total, (offset, log_sigma), atol=1e-5)


def test_an_even_width_map_costs_nothing_and_gives_its_width():
    cells = Cells.of(two_cells())
    even = torch.where(cells.cell == 0, math.log(3), math.log(5)).requires_grad_()
    loss, sigma = losses.smoothness_loss(even, cells)
    assert loss.item() == pytest.approx(0, abs=1e-9)
    torch.testing.assert_close(sigma, torch.tensor([3.0, 5.0, 3.0, 5.0]))


def test_an_uneven_width_map_costs_its_variance_with_the_mean_held_fixed():
    cells = Cells.of(torch.ones(1, 1, 2, dtype=torch.long))
    log_sigma = torch.tensor([0.0, 2.0], requires_grad=True)
    loss, sigma = losses.smoothness_loss(log_sigma, cells)
    loss.backward()
    assert loss.item() == pytest.approx(1)
    assert sigma.item() == pytest.approx(math.e)
    assert log_sigma.grad.tolist() == [-1.0, 1.0]


def test_a_width_for_each_cell_takes_the_place_of_the_kernels():
    labels = two_cells()
    cells = Cells.of(labels)
    votes = losses.positions(cells, torch.zeros(10, 16))
    centre = losses.centres_of("centroid", votes, votes, cells)
    kernel = Embedder(TINY).kernel
    same = losses.kernel_loss(votes, centre, cells, kernel)
    given = losses.kernel_loss(votes, centre, cells, kernel, torch.full((4,), SIGMA))
    torch.testing.assert_close(same, given)


def test_the_seed_target_is_the_kernel_of_the_vote():
    labels = two_cells()
    cells = Cells.of(labels)
    near = torch.linspace(0.01, 0.99, len(cells.pixel), requires_grad=True)
    seed = torch.full(labels.shape, -30.0)
    seed.view(-1)[cells.pixel] = torch.logit(near.detach())
    seed.requires_grad_()
    loss = losses.seed_loss(seed, labels, near, cells)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    losses.seed_loss(seed + 1, labels, near, cells).backward()
    assert near.grad is None  # the target is held fixed


def test_only_the_choice_adds_a_width_map_and_it_begins_even():
    frame = torch.zeros(1, 2, 16, 16)
    plain = Embedder(TINY)
    own = Embedder(TINY.model_copy(update={"bandwidth": "cell"}))
    assert list(plain(frame)[0].maps) == ["offset", "motion", "seed", "foreground"]
    width = own(frame)[0].maps["bandwidth"]
    assert width.shape == (1, 1, 16, 16)
    torch.testing.assert_close(
        width.exp(), torch.full_like(width, SIGMA), rtol=0.05, atol=0
    )


def test_the_learned_operator_adds_keys_and_begins_as_the_additive_one():
    torch.manual_seed(0)
    plain = Embedder(TINY)
    learned = Embedder(TINY.model_copy(update={"operator": "learned"}))
    missing = learned.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing
    assert all(key.startswith("heads.offset.operator.") for key in missing)
    frame = F.pad(torch.ones(1, 2, 8, 8), (4, 4, 4, 4))
    torch.testing.assert_close(
        learned(frame)[0].offset, plain(frame)[0].offset, atol=1e-4, rtol=0
    )


KERNELS = ("laplacian", "gaussian", "bilateral")


def log_kernel(name, gap, looks, sigma):
    """The kernels as published, worked out by hand; looks have the usual width."""
    if name == "laplacian":
        return -gap / sigma
    alike = -0.5 * (looks / 0.5) ** 2 if name == "bilateral" else 0.0
    return -0.5 * (gap / sigma) ** 2 + alike


@pytest.mark.parametrize("name", KERNELS)
def test_the_kernel_loss_equals_a_loop_over_pixels(name):
    torch.manual_seed(4)
    labels = torch.randint(-1, 4, (3, 5, 6))
    labels[2] = torch.where(labels[2] > 0, 2, 0)  # a frame with one cell
    cells = Cells.of(labels)
    instances = len(cells.frame)
    votes, centre = (
        torch.cat([torch.randn(n, 2) * 4, torch.randn(n, 3) * 0.2], 1)
        for n in (len(cells.pixel), instances)
    )
    sigma = torch.rand(instances) + 1
    terms = [[] for _ in range(instances)]
    for vote, mine in zip(votes, cells.instance.tolist(), strict=True):
        gap = (vote - centre)[:, :2].norm(dim=1)
        looks = (vote - centre)[:, 2:].norm(dim=1)
        others = (cells.frame == cells.frame[mine]) & (torch.arange(instances) != mine)
        term = -log_kernel(name, gap[mine], looks[mine], sigma[mine])
        if others.any():
            near = gap.masked_fill(~others, math.inf).argmin()
            far = gap[near].clamp(min=0.1)
            value = log_kernel(name, far, looks[near], sigma[near]).exp()
            term = term - torch.log1p(-value.clamp(max=1 - 1e-4))
        terms[mine].append(term)
    expected = torch.stack([torch.stack(each).mean() for each in terms]).mean()
    found = losses.kernel_loss(votes, centre, cells, kernel_of(name), sigma)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", KERNELS)
def test_the_learned_widths_serve_where_cells_have_none(name):
    torch.manual_seed(5)
    labels = two_cells()
    cells, kernel = Cells.of(labels), kernel_of(name)
    votes = torch.randn(2, 5, 10, 16)
    at_cells = votes.movedim(1, -1).flatten(0, 2)[cells.pixel]
    centre = losses.mean_by(at_cells, cells.instance, 4)
    width = kernel.geometric.sigma.expand(4)
    learned, given = (
        losses.kernel_loss(at_cells, centre, cells, kernel, w)
        + losses.lovasz_loss(votes, labels, centre, cells, kernel, w)
        for w in (None, width)
    )
    torch.testing.assert_close(learned, given)
    learned.backward()
    grads = [p.grad for p in kernel.parameters()]
    assert len(grads) == (2 if name == "bilateral" else 1)
    assert all(torch.isfinite(grad) and grad != 0 for grad in grads)
