"""Laws of the region version: seeds, kernel, gradient scale, losses, no cells."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_semiconv.errors import BadInputError, BadSettingsError
from napari_semiconv.network import region_losses as learn
from napari_semiconv.network.losses import Cells
from napari_semiconv.network.proposals import seed_proposals
from napari_semiconv.network.region import (
    Instances,
    RegionNetwork,
    hard_seed,
    scale_gradient,
    seed_distance,
    soft_seed,
)
from napari_semiconv.network.semiconv import LaplacianKernel
from napari_semiconv.settings import NetworkSettings, RegionSettings

SMALL = NetworkSettings(
    image_channels=1, stacks=1, channels=(8, 8, 8), normalise=True, memory="none",
    embedding_size=4,
)  # fmt: skip
WITH_SEEDS = SMALL.model_copy(update={"offsets": True})
HEADS = RegionSettings(hidden=8, crop=8, embedding_size=4)
SEEDS = HEADS.model_copy(update={"proposals": "seeds"})


@pytest.fixture
def network():
    torch.manual_seed(0)
    return RegionNetwork(SMALL, HEADS)


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
        network.embed.out.weight.normal_()  # it begins near zero

    def gradient(factor):
        network.zero_grad()
        network.embed.gradient = factor
        torch.manual_seed(1)
        output, _ = network(torch.randn(1, 1, 16, 16))
        output.embedding.square().mean().backward()
        return network.backbone.stacks[0].down[0][0].conv.weight.grad.clone()

    whole = gradient(1.0)
    assert whole.abs().max() > 0
    torch.testing.assert_close(gradient(0.1), whole * 0.1, rtol=1e-4, atol=1e-7)


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
    y, x = output.embedding[0, :2]
    assert y[5, 7].item() == pytest.approx(5, abs=0.5)
    assert x[5, 7].item() == pytest.approx(7, abs=0.5)
    assert output.embedding.shape == (1, 4, 16, 24)


def votes_for(labels, kernel_far=50.0):
    """Embedding in px with which each cell has its own far place, (B, 4, Y, X)."""
    out = torch.zeros(len(labels), 4, *labels.shape[1:])
    out[:, 0] = labels * kernel_far
    return out


def test_perfect_embeddings_cost_nothing():
    labels = crossing()
    regions = learn.Regions.around(labels, Cells.of(labels), 8)
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


def test_true_boxes_cost_nothing_and_are_wholly_trusted(network):
    labels = crossing()
    cells = Cells.of(labels)
    output, _ = network(frame_of(labels))
    true = learn.boxes_of(cells, (32, 32))
    boxes = torch.zeros(32 * 32, 4)
    boxes[cells.pixel] = true[cells.piece]
    sure = torch.where(labels > 0, 30.0, -30.0)
    perfect = type(output)(output.pixel, sure, boxes.view(1, 32, 32, 4), None)
    objectness, box = learn.proposal_losses(perfect, labels, cells)
    assert objectness < 1e-4
    assert box < 1e-4
    moved = type(output)(output.pixel, sure, perfect.boxes + 3, None)
    objectness, box = learn.proposal_losses(moved, labels, cells)
    assert objectness > 0.5
    assert box > 0.2


def test_points_that_are_not_annotated_take_no_part():
    masks = torch.tensor([[[1.0, -1.0], [0.0, -1.0]]])
    logit = torch.tensor([[[2.0, 9.0], [-1.0, -9.0]]])
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))) / 2
    assert learn.mask_loss(logit, masks).item() == pytest.approx(expected, abs=1e-6)


EMPTY = torch.zeros(2, 16, 16, dtype=torch.long)
ONE_PIXEL = EMPTY.clone()
ONE_PIXEL[0, 5, 5] = 7
WHOLE = EMPTY + 3
UNKNOWN = EMPTY - 1
HALF = crossing()[:, :16, :16].repeat(2, 1, 1)
HALF[:, 8:] = -1


@pytest.mark.parametrize("heads", [HEADS, SEEDS], ids=["boxes", "seeds"])
@pytest.mark.parametrize(
    "labels",
    [EMPTY, ONE_PIXEL, WHOLE, UNKNOWN, HALF],
    ids=["empty", "one pixel", "whole", "unknown", "half"],
)
def test_losses_and_gradients_are_finite(heads, labels):
    network = RegionNetwork(WITH_SEEDS, heads)
    output, _ = network(torch.randn(2, 1, 16, 16))
    found = learn.region_losses(network, output, labels)
    sum(found.values()).backward()
    assert all(torch.isfinite(loss) for loss in found.values())
    for weight in network.parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all()


def test_the_same_source_of_randomness_gives_the_same_regions():
    labels = crossing()
    cells = Cells.of(labels)
    one, other = (
        learn.Regions.around(
            labels, cells, 8, jitter=0.2, generator=torch.Generator().manual_seed(5)
        )
        for _ in range(2)
    )
    assert torch.equal(one.boxes, other.boxes)
    assert not torch.equal(one.boxes, learn.boxes_of(cells, (32, 32)))


@pytest.mark.parametrize("heads", [HEADS, SEEDS], ids=["boxes", "seeds"])
def test_a_frame_without_a_sure_proposal_has_no_cell(heads):
    network = RegionNetwork(WITH_SEEDS, heads).eval()
    torch.nn.init.constant_(network.propose.out.bias, -9)
    for head in network.backbone.heads.heads:
        torch.nn.init.constant_(network.backbone.heads.layer(head.name).bias, -9)
    output, _ = network(torch.zeros(1, 1, 16, 16))
    (found,) = network.instances(output)
    assert found.masks.shape == (0, 16, 16)
    assert len(found.scores) == len(found.boxes) == 0
    assert network.paint(found).max() == 0


def test_the_kernel_cuts_the_mask_where_the_score_does_not(network):
    """A region full of score is divided by the embedding alone."""
    labels = crossing()
    torch.nn.init.zeros_(network.score.out.weight)
    torch.nn.init.constant_(network.score.out.bias, 3.0)
    output, _ = network(frame_of(labels))
    # Around cell 2, which cell 5 crosses; its first sample lies inside the cell.
    box = torch.tensor([3.5, 4.0, 19.5, 8.5])
    cut = type(output)(
        output.pixel,
        torch.full((1, 32, 32), 5.0),
        box.expand(1, 32, 32, 4),
        votes_for(labels),
    )
    (found,) = network.instances(cut)
    assert len(found.masks) == 1
    window = torch.zeros(32, 32, dtype=torch.bool)
    window[4:20, 4:9] = True
    assert torch.equal(found.masks[0], window & (labels[0] == 2))


def test_proposals_from_seeds_are_boxes_around_the_votes():
    labels = crossing()
    network = RegionNetwork(WITH_SEEDS, SEEDS)
    output, _ = network(frame_of(labels))
    grid = torch.stack(torch.meshgrid(*[torch.arange(32.0)] * 2, indexing="ij"))
    offset, seed = torch.zeros(2, 32, 32), torch.full((32, 32), -9.0)
    for label in (2, 5, 9):
        mask = labels[0] == label
        centre = grid[:, mask].mean(1)
        y, x = torch.nonzero(mask)[len(torch.nonzero(mask)) // 2]
        offset[:, mask] = centre[:, None] - grid[:, mask]
        seed[y, x] = 4 + label / 10
    pixel = type(output.pixel)(
        output.pixel.embeddings,
        {
            "offset": offset[None],
            "seed": seed[None, None],
            "foreground": (labels[:, None] > 0) * 10.0 - 5,
        },
        output.features,
    )
    kernel = LaplacianKernel(1.0)
    boxes, scores = seed_proposals(pixel, 0, kernel, SEEDS)
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    true = learn.boxes_of(Cells.of(labels), (32, 32))
    torch.testing.assert_close(boxes, true.flip(0))


def test_the_higher_score_is_painted_on_top(network):
    masks = torch.zeros(3, 8, 8, dtype=torch.bool)
    masks[0, :4], masks[1, 2:8], masks[2, :4, :4] = True, True, True
    labels = network.paint(Instances(torch.zeros(3, 4), torch.ones(3), masks))
    assert labels[:4].unique().tolist() == [1]
    assert labels[4:].unique().tolist() == [2]  # the third had nothing left


def test_seeds_need_a_network_that_has_them():
    with pytest.raises(BadSettingsError, match="expected a network with semi-conv"):
        RegionNetwork(SMALL, SEEDS)


def test_a_frame_that_does_not_fit_is_refused(network):
    with pytest.raises(BadInputError, match="multiples of 4 px"):
        network(torch.zeros(1, 1, 30, 32))


def test_saved_weights_give_the_same_cells(network, tmp_path):
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    torch.manual_seed(9)
    other = RegionNetwork(SMALL, HEADS)
    frame = torch.randn(1, 1, 16, 16)
    assert not torch.equal(other(frame)[0].boxes, network(frame)[0].boxes)
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    one, same = (n.instances(n(frame)[0])[0] for n in (network, other))
    assert torch.equal(one.masks, same.masks)
    assert torch.equal(one.scores, same.scores)


def train(network, labels, steps, rate=3e-3):
    frame = frame_of(labels)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    totals = []
    for _ in range(steps):
        output, _ = network(frame)
        total = sum(learn.region_losses(network, output, labels).values())
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
@pytest.mark.parametrize("heads", [HEADS, SEEDS], ids=["boxes", "seeds"])
def test_one_picture_can_be_learned_whole(heads):
    torch.manual_seed(0)
    labels = crossing()
    wide = WITH_SEEDS.model_copy(update={"channels": (16, 24, 32)})
    network = RegionNetwork(wide, heads.model_copy(update={"crop": 20, "hidden": 16}))
    train(network, labels, 250)
    found = network.instances(network(frame_of(labels))[0])[0]
    painted = network.paint(found)
    for label in (2, 5, 9):
        mask = labels[0] == label
        best = max(
            ((painted == one) & mask).sum() / ((painted == one) | mask).sum()
            for one in range(1, int(painted.max()) + 1)
        )
        assert best > 0.9
