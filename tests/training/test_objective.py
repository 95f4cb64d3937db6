"""The sum of losses: every choice counts, and every clip is defined under each."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_semiconv.network.embedder import Embedder
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.clips import Clip
from napari_semiconv.training.objective import clip_losses, clip_neighbours
from napari_semiconv.training.settings import TrainSettings

CPU = torch.device("cpu")
TINY = NETWORK_PRESETS["tiny"]
USUAL = TrainSettings(cell_size=8.0, precision="float32")
PLAIN = {"cosine", "attraction", "kernel", "motion", "seed", "foreground"}
CHOICES = {
    "usual": {},
    "published 2018": {"background": "mean"},
    "published 2019": {"pull": "cos2", "neighbour_rule": "2019"},
    "few targets": {"most_cells": 2},
    "centroid": {"centre": "centroid"},
    "medoid": {"centre": "medoid"},
    "repulsion": {"repulsion": 1.0, "repulsion_margin": 1.5},
    "lovasz": {"cell_loss": "lovasz"},
    "embedseg": {"cell_loss": "lovasz", "centre": "medoid"},
}


# What a training meets: nothing, little, half of it, gaps in numbers and in time, more
# cells than most_cells takes.
KINDS = ("usual", "empty", "none annotated", "one pixel", "half annotated")
KINDS += ("gap", "many")


def network(bandwidth="shared", kernel="laplacian"):
    torch.manual_seed(0)
    shape = {"bandwidth": bandwidth, "kernel": kernel}
    return Embedder(TINY.model_copy(update=shape))


def clip_of(labels):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(len(labels), 2, *labels.shape[1:])).astype(np.float32)
    return Clip(images, labels, {12: 3}, "a clip", warm=False)


def some_labels(kind="usual"):
    if kind == "gap":
        return with_gaps()
    if kind == "many":
        return np.broadcast_to(squares(4), (2, 16, 16)).copy()
    labels = np.zeros((2, 16, 16), np.int64)
    labels[:, 1:6, 1:6], labels[:, 1:6, 7:12], labels[1, 8:14, 3:9] = 3, 7, 12
    labels[0, 8:14, 3:5], labels[0, 8:14, 6:8] = 900, 901
    if kind == "empty":
        labels[:] = 0
    if kind == "none annotated":
        labels[:] = -1
    if kind == "one pixel":
        labels[:] = 0
        labels[1, 8, 8] = 4
    if kind == "half annotated":
        labels[0][labels[0] == 0] = -1
        labels[1, :8] = -1
    return labels


def with_gaps():
    """Numbers far apart, and a cell that misses the frame in the middle."""
    labels = np.zeros((3, 16, 16), np.int64)
    labels[:, 1:6, 1:6], labels[:, 8:14, 8:14] = 3, 70_000
    labels[::2, 1:6, 8:14] = 12
    return labels


def squares(side):
    """Cells of side x side px that touch, 1, 2, ..., (16, 16)."""
    y, x = np.indices((16, 16)) // side
    return (y * (16 // side) + x + 1).astype(np.int64)


def found_with(settings=USUAL, bandwidth="shared", kind="usual", kernel="laplacian"):
    clip = clip_of(some_labels(kind))
    found = clip_losses(network(bandwidth, kernel), clip, settings, CPU)
    return {name: loss.item() for name, loss in found.items()}


def check_finite(kind, choice, **shape):
    settings = USUAL.model_copy(update=CHOICES[choice])
    model = network(**shape)
    found = clip_losses(model, clip_of(some_labels(kind)), settings, CPU)
    torch.stack(list(found.values())).sum().backward()
    assert all(torch.isfinite(loss) for loss in found.values())
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert grads
    assert all(torch.isfinite(grad).all() for grad in grads)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_choice_gives_finite_losses_and_gradients(kind, choice):
    check_finite(kind, choice)


@pytest.mark.parametrize("choice", ["usual", "embedseg"])
@pytest.mark.parametrize("kernel", ["laplacian", "gaussian", "bilateral"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kernel_with_a_width_for_each_cell_does_so_too(kind, kernel, choice):
    check_finite(kind, choice, bandwidth="cell", kernel=kernel)


@pytest.mark.parametrize("rule", ["2018", "2019"])
def test_a_cell_that_misses_a_frame_is_one_cell_with_gaps_in_its_numbers(rule):
    """The same cells numbered 1, 2, 3 cost the same."""
    labels = with_gaps()
    renamed = np.searchsorted([0, 3, 12, 70_000], labels)
    settings = USUAL.model_copy(update={"neighbour_rule": rule})
    one, other = (
        clip_losses(network(), replace(clip_of(each), parents=parents), settings, CPU)
        for each, parents in ((labels, {12: 3}), (renamed, {2: 1}))
    )
    assert {k: v.item() for k, v in one.items()} == {
        k: v.item() for k, v in other.items()
    }


def test_of_many_cells_some_are_targets_and_the_others_still_neighbours():
    """Of sixteen cells two are targets: the embedding loss is that of the two."""
    labels = squares(4)[None]
    clip, model = clip_of(labels), network()
    few = USUAL.model_copy(update={"most_cells": 2, "background": "fixed"})
    found = clip_losses(model, clip, few, CPU)["cosine"]
    with torch.no_grad():
        output = model(torch.from_numpy(clip.images))[0].embedding[0].flatten(1).T
    unit = torch.nn.functional.normalize(output, dim=1)
    owner = torch.from_numpy(labels).flatten()
    adjacent = clip_neighbours(clip, few, CPU)
    each = []
    for i in range(16):
        mean = torch.nn.functional.normalize(output[owner == i + 1].mean(0), dim=0)
        others = torch.isin(owner, torch.nonzero(adjacent[i]).flatten() + 1)
        pull = 1 - (unit[owner == i + 1] @ mean).mean()
        each.append(pull + (unit[others] @ mean).square().mean())
    pairs = [(a + b) / 2 for i, a in enumerate(each) for b in each[:i]]
    assert min(abs(found.item() - pair.item()) for pair in pairs) < 1e-5


def test_the_usual_settings_are_those_of_the_default_model():
    assert found_with().keys() == PLAIN
    # What the paper of 2018 pulls with, and the fixed background of 2019.
    explicit = TrainSettings(
        cell_size=8.0,
        precision="float32",
        pull="cos",
        background="fixed",
        neighbour_rule="2018",
        centre="mean",
        cell_loss="attraction",
    )
    assert found_with(explicit) == found_with()


@pytest.mark.parametrize(
    ("change", "losses"),
    [
        ({"background": "mean"}, {"cosine"}),
        ({"pull": "cos2"}, {"cosine"}),
        (
            {
                "neighbour_rule": "2019",
                "neighbour_radius": 0.01,
                "neighbour_dilation": 1,
            },
            {"cosine"},
        ),
        ({"most_cells": 1}, {"cosine"}),
        ({"centre": "centroid"}, {"attraction", "kernel", "motion", "seed"}),
        ({"centre": "medoid"}, {"attraction", "kernel", "motion", "seed"}),
        ({"repulsion": 1.0, "repulsion_margin": 3.0}, {"repulsion"}),
        ({"cell_loss": "lovasz"}, {"attraction", "kernel", "lovasz"}),
        ({"precision": "bfloat16"}, PLAIN),
    ],
)
def test_a_choice_changes_its_own_losses_and_no_others(change, losses):
    before, after = found_with(), found_with(USUAL.model_copy(update=change))
    names = before.keys() | after.keys()
    assert {n for n in names if before.get(n) != after.get(n)} == losses


@pytest.mark.parametrize("kernel", ["gaussian", "bilateral"])
def test_the_kernel_of_the_network_is_the_one_of_the_losses(kernel):
    before, after = found_with(), found_with(kernel=kernel)
    assert {n for n in before if before[n] != after[n]} == {"kernel", "seed"}
    lovasz = USUAL.model_copy(update={"cell_loss": "lovasz"})
    before, after = found_with(lovasz), found_with(lovasz, kernel=kernel)
    assert {n for n in before if before[n] != after[n]} == {"lovasz", "seed"}


def test_the_bilateral_kernel_teaches_votes_and_embedding_alike():
    model, clip = network(kernel="bilateral"), clip_of(some_labels())
    loss = clip_losses(model, clip, USUAL, CPU)["kernel"]
    loss.backward()
    for weights in (model.embed[0].weight, model.heads.offset.weight):
        assert weights.grad.abs().max() > 0
    widths = [model.kernel.geometric.log_sigma, model.kernel.appearance.log_sigma]
    assert all(width.grad.abs() > 0 for width in widths)


def test_neighbours_of_a_whole_recording_are_cut_to_those_seen():
    labels = some_labels()
    pairs = np.array([[3, 7], [7, 3], [12, 3], [3, 99], [99, 12], [50, 60]])
    clip = replace(clip_of(labels), neighbours=pairs)
    found = clip_neighbours(clip, USUAL, CPU)
    present = [3, 7, 12, 900, 901]
    seen = {(present[i], present[j]) for i, j in torch.nonzero(found).tolist()}
    assert seen == {(3, 7), (7, 3), (12, 3)}
    nothing = replace(clip, labels=np.zeros_like(labels))
    assert clip_neighbours(nothing, USUAL, CPU).shape == (0, 0)


def test_a_width_for_each_cell_adds_its_smoothness():
    assert found_with(bandwidth="cell").keys() == PLAIN | {"smoothness"}
    lovasz = found_with(USUAL.model_copy(update={"cell_loss": "lovasz"}), "cell")
    assert lovasz.keys() == (PLAIN - {"attraction", "kernel"}) | {
        "smoothness",
        "lovasz",
    }


def test_the_weight_of_repulsion_is_a_factor():
    one, two = (
        found_with(USUAL.model_copy(update={"repulsion": w, "repulsion_margin": 3.0}))
        for w in (1.0, 2.0)
    )
    assert one["repulsion"] > 0
    assert two["repulsion"] == pytest.approx(2 * one["repulsion"])


def test_the_targets_of_a_clip_are_drawn_the_same_again():
    few = USUAL.model_copy(update={"most_cells": 2})
    assert found_with(few) == found_with(few)
    assert found_with(USUAL.model_copy(update={"most_cells": 5})) == found_with()


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["lovasz", "embedseg", "repulsion", "centroid"])
@pytest.mark.parametrize("bandwidth", ["shared", "cell"])
def test_every_recipe_learns_a_clip(choice, bandwidth):
    settings = USUAL.model_copy(update=CHOICES[choice])
    model, clip = network(bandwidth), clip_of(some_labels())
    labels = torch.from_numpy(clip.labels).float()
    clip.images[:] = np.asarray(labels > 0, np.float32)[:, None]
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    totals = []
    for _ in range(120):
        optimiser.zero_grad()
        total = torch.stack(list(clip_losses(model, clip, settings, CPU).values()))
        total.sum().backward()
        optimiser.step()
        totals.append(total.sum().item())
    assert totals[-1] < 0.5 * totals[0]
