"""Laws of the region version: seeds, kernel, gradient scale, losses, no cells."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_semiconv.errors import BadInputError
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.losses import Cells
from napari_semiconv.network.region import (
    Instance,
    find_instances,
    paint,
    region_losses,
)
from napari_semiconv.network.region import losses as learn
from napari_semiconv.network.region.network import (
    boxes_seen,
    embedding_of,
    hard_seed,
    scale_gradient,
    seed_distance,
    soft_seed,
)
from napari_semiconv.network.semiconv import LaplacianKernel, pixel_grid
from napari_semiconv.settings import (
    NetworkSettings,
    RegionHeadSettings,
    RegionSettings,
)

SMALL = NetworkSettings(
    image_channels=1, stacks=1, channels=(8, 8, 8), normalise=True, memory="none",
    embedding_size=4, region=RegionHeadSettings(hidden=8, crop=8, embedding_size=4),
)  # fmt: skip
READING = RegionSettings(smallest=8)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Embedder(SMALL)


def crossing():
    """Three cells, of which a long one crosses another's box, (1, 32, 32)."""
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[0, 4:20, 4:9], labels[0, 10:13, 2:30], labels[0, 20:29, 14:27] = 2, 5, 9
    return labels


def frame_of(labels):
    return (labels > 0).float()[:, None]


def test_the_gradient_scale_is_exact_and_the_value_unchanged():
    x = torch.randn(3, 4, requires_grad=True)
    out = scale_gradient(x, 0.1)
    torch.testing.assert_close(out, x)
    (out * 3).sum().backward()
    torch.testing.assert_close(x.grad, torch.full((3, 4), 0.3))


def test_the_backbone_gets_a_tenth_of_the_embedding_gradient(network):
    with torch.no_grad():
        network.region.embed.out.weight.normal_()  # it begins near zero

    def gradient(factor):
        network.zero_grad()
        network.region.embed.gradient = factor
        torch.manual_seed(1)
        output, _ = network(torch.randn(1, 1, 16, 16))
        output.maps["instance"].square().mean().backward()
        return network.stacks[0].down[0][0].conv.weight.grad.clone()

    whole = gradient(1.0)
    assert whole.abs().max() > 0
    rounding = 1e-5 * float(whole.abs().max())  # of sums, another in each processor
    torch.testing.assert_close(gradient(0.1), whole * 0.1, rtol=1e-4, atol=rounding)


def test_a_sure_score_makes_soft_and_hard_seeds_equal():
    torch.manual_seed(2)
    embedding = torch.randn(5, 4, 6, 6)
    score = torch.randn(5, 6, 6)
    peak = torch.zeros_like(score).flatten(1)
    peak[torch.arange(5), score.flatten(1).argmax(1)] = 100
    torch.testing.assert_close(
        soft_seed(score + peak.view_as(score), embedding), hard_seed(score, embedding)
    )


def test_an_even_score_makes_the_seed_the_mean():
    embedding = torch.randn(2, 3, 4, 4)
    seed = soft_seed(torch.zeros(2, 4, 4), embedding)
    torch.testing.assert_close(seed, embedding.mean((2, 3)))


def test_gradients_of_the_soft_seed_agree_with_finite_differences():
    torch.manual_seed(3)
    kernel = LaplacianKernel(2.0).double()
    masks = (torch.rand(2, 3, 3) > 0.5).double()

    def total(score, embedding):
        distance = seed_distance(soft_seed(score, embedding), embedding)
        logit = score + kernel.log(distance)
        return learn.mask_loss(logit, masks) + learn.kernel_mask_loss(
            distance, masks, kernel
        )

    score = torch.randn(2, 3, 3, dtype=torch.double, requires_grad=True)
    embedding = torch.randn(2, 4, 3, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(total, (score, embedding), atol=1e-5)


def test_the_embedding_begins_as_the_identity_grid(network):
    output, _ = network(torch.zeros(1, 1, 16, 24))
    embedding = embedding_of(output.maps)
    y, x = embedding[0, :2]
    assert y[5, 7].item() == pytest.approx(5, abs=0.5)
    assert x[5, 7].item() == pytest.approx(7, abs=0.5)
    assert embedding.shape == (1, 4, 16, 24)


def votes_for(labels, kernel_far=50.0):
    """Embedding in px with which each cell has its own far place, (B, 4, Y, X)."""
    out = torch.zeros(len(labels), 4, *labels.shape[1:])
    out[:, 0] = labels * kernel_far
    return out


def test_perfect_embeddings_cost_nothing():
    labels = crossing()
    regions = learn.RegionTargets.around(labels, Cells.of(labels), 8)
    cell = torch.tensor([2, 5, 9])
    embedding = torch.stack([regions.masks * 1e3] * 2, 1)
    score = regions.masks * 40 - 20
    distance = seed_distance(soft_seed(score, embedding), embedding)
    kernel = LaplacianKernel(4.0)
    assert regions.masks.shape == (len(cell), 8, 8)
    assert learn.mask_loss(score + kernel.log(distance), regions.masks) < 1e-3
    assert learn.kernel_mask_loss(distance, regions.masks, kernel) < 1e-3
    flat = torch.zeros_like(distance)
    assert learn.kernel_mask_loss(flat, regions.masks, kernel) > 0.2


def said(objectness, boxes, embedding=None):
    """Maps that say some boxes, (B, Y, X, 4), and embeddings, (B, D, Y, X), all px."""
    here, boxes = pixel_grid(objectness), boxes.movedim(-1, 1)
    sides = torch.cat([here - boxes[:, :2], boxes[:, 2:] - here], 1)
    maps = {"objectness": objectness[:, None], "sides": sides}
    if embedding is not None:
        geometric = embedding[:, :2] - here
        maps["instance"] = torch.cat([geometric, embedding[:, 2:]], 1)
    return maps


def test_true_boxes_cost_nothing_and_are_wholly_trusted():
    labels = crossing()
    cells = Cells.of(labels)
    true = learn.boxes_of(cells, (32, 32))
    boxes = torch.zeros(32 * 32, 4)
    boxes[cells.pixel] = true[cells.instance]
    sure = torch.where(labels > 0, 30.0, -30.0)
    perfect = said(sure, boxes.view(1, 32, 32, 4))
    torch.testing.assert_close(boxes_seen(perfect)[0].flatten(0, 1), boxes)
    objectness, box = learn.proposal_losses(perfect, labels, cells)
    assert objectness < 1e-4
    assert box < 1e-4
    moved = said(sure, boxes.view(1, 32, 32, 4) + 3)
    objectness, box = learn.proposal_losses(moved, labels, cells)
    assert objectness > 0.5
    assert box > 0.2


def test_points_that_are_not_annotated_take_no_part():
    masks = torch.tensor([[[1.0, -1.0], [0.0, -1.0]]])
    logit = torch.tensor([[[2.0, 9.0], [-1.0, -9.0]]])
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    assert learn.mask_loss(logit, masks).item() == pytest.approx(expected, abs=1e-6)


def losses_of(network, output, labels):
    return region_losses(network.region, output.maps, labels)


def cells_of(network, output, maps=None):
    found = dict(output.maps) | (maps or {})
    return find_instances(network.region, found, READING)


EMPTY = torch.zeros(2, 16, 16, dtype=torch.long)
ONE_PIXEL = EMPTY.clone()
ONE_PIXEL[0, 5, 5] = 7
WHOLE = EMPTY + 3
UNKNOWN = EMPTY - 1
HALF = crossing()[:, :16, :16].repeat(2, 1, 1)
HALF[:, 8:] = -1


@pytest.mark.parametrize(
    "labels",
    [EMPTY, ONE_PIXEL, WHOLE, UNKNOWN, HALF],
    ids=["empty", "one pixel", "whole", "unknown", "half"],
)
def test_losses_and_gradients_are_finite(network, labels):
    output, _ = network(torch.randn(2, 1, 16, 16))
    found = losses_of(network, output, labels)
    sum(found.values()).backward()
    assert all(torch.isfinite(loss) for loss in found.values())
    for weight in network.parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all()


def test_the_same_source_of_randomness_gives_the_same_regions():
    labels = crossing()
    cells = Cells.of(labels)
    one, other = (
        learn.RegionTargets.around(
            labels, cells, 8, jitter=0.2, generator=torch.Generator().manual_seed(5)
        )
        for _ in range(2)
    )
    assert torch.equal(one.boxes, other.boxes)
    assert not torch.equal(one.boxes, learn.boxes_of(cells, (32, 32)))


def test_a_frame_without_a_sure_proposal_has_no_cell(network):
    torch.nn.init.constant_(network.region.propose.out.bias, -9)
    output, _ = network(torch.zeros(1, 1, 16, 16))
    assert cells_of(network, output) == []
    labels, scores = paint([], (16, 16), READING)
    assert labels.shape == (16, 16)
    assert not labels.any()
    assert scores == []


def test_the_kernel_cuts_the_mask_where_the_score_does_not(network):
    """A region full of score is divided by the embedding alone."""
    labels = crossing()
    torch.nn.init.zeros_(network.region.score.out.weight)
    torch.nn.init.constant_(network.region.score.out.bias, 3.0)
    output, _ = network(frame_of(labels))
    # Around cell 2, which cell 5 crosses; its first sample lies inside the cell.
    box = torch.tensor([3.5, 4.0, 19.5, 8.5])
    cut = said(
        torch.full((1, 32, 32), 5.0), box.expand(1, 32, 32, 4), votes_for(labels)
    )
    (found,) = cells_of(network, output, cut)
    assert found.window == (slice(4, 20), slice(4, 9))
    assert torch.equal(found.mask, labels[0][found.window] == 2)


def test_the_higher_score_is_painted_on_top():
    rows = [slice(0, 4), slice(2, 8), slice(0, 4)]
    found = [
        Instance(
            torch.zeros(4),
            score,
            (own, slice(0, width)),
            torch.ones(own.stop - own.start, width, dtype=torch.bool),
        )
        for own, width, score in zip(rows, (8, 8, 4), (0.9, 0.8, 0.7), strict=True)
    ]
    labels, scores = paint(found, (8, 8), READING)
    assert labels[:4].unique().tolist() == [1]
    assert labels[4:].unique().tolist() == [2]  # the third had nothing left
    assert scores == [0.9, 0.8]


def test_a_frame_that_does_not_fit_is_refused(network):
    with pytest.raises(BadInputError, match="multiples of 4 px"):
        network(torch.zeros(1, 1, 30, 32))


def test_saved_weights_give_the_same_cells(network, tmp_path):
    torch.nn.init.constant_(network.region.score.out.bias, 3.0)  # something is found
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(9)
    other = Embedder(SMALL)
    frame = torch.randn(1, 1, 16, 16)
    one, same = network(frame)[0], other(frame)[0]
    assert not torch.equal(one.maps["sides"], same.maps["sides"])
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    found, again = cells_of(network, one), cells_of(other, other(frame)[0])
    assert found
    for cell, twin in zip(found, again, strict=True):
        assert torch.equal(cell.mask, twin.mask)
        assert cell.score == twin.score


def train(network, labels, steps, rate=3e-3):
    frame = frame_of(labels)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    totals = []
    for _ in range(steps):
        output, _ = network(frame)
        total = sum(losses_of(network, output, labels).values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        totals.append(total.item())
    return totals


def test_training_lowers_the_loss(network):
    torch.manual_seed(4)
    totals = train(network, crossing(), 12)
    assert totals[-1] < 0.8 * totals[0]


@pytest.mark.slow
def test_one_picture_can_be_learned_whole():
    torch.manual_seed(0)
    labels = crossing()
    heads = RegionHeadSettings(crop=20, hidden=16, embedding_size=4)
    wide = {"channels": (16, 24, 32), "region": heads}
    network = Embedder(SMALL.model_copy(update=wide))
    train(network, labels, 250)
    output, _ = network(frame_of(labels))
    painted, _ = paint(cells_of(network, output), (32, 32), READING)
    for label in (2, 5, 9):
        mask = labels[0] == label
        best = max(
            ((painted == one) & mask).sum() / ((painted == one) | mask).sum()
            for one in range(1, int(painted.max()) + 1)
        )
        assert best > 0.9
