"""The sum of losses: every choice counts, and every clip is defined under each."""

import numpy as np
import pytest
import torch

from napari_semiconv.network.embedder import Embedder
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.clips import Clip
from napari_semiconv.training.objective import clip_losses
from napari_semiconv.training.settings import TrainSettings

CPU = torch.device("cpu")
TINY = NETWORK_PRESETS["tiny"]
USUAL = TrainSettings(cell_size=8.0)
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


def network(bandwidth="shared"):
    torch.manual_seed(0)
    return Embedder(TINY.model_copy(update={"bandwidth": bandwidth}))


def clip_of(labels):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(len(labels), 2, *labels.shape[1:])).astype(np.float32)
    return Clip(images, labels, {12: 3}, "a clip", warm=False)


def some_labels(kind="usual"):
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


def found_with(settings=USUAL, bandwidth="shared", kind="usual"):
    found = clip_losses(network(bandwidth), clip_of(some_labels(kind)), settings, CPU)
    return {name: loss.item() for name, loss in found.items()}


@pytest.mark.parametrize("bandwidth", ["shared", "cell"])
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(
    "kind", ["usual", "empty", "none annotated", "one pixel", "half annotated"]
)
def test_every_choice_gives_finite_losses_and_gradients(kind, choice, bandwidth):
    settings = USUAL.model_copy(update=CHOICES[choice])
    model = network(bandwidth)
    found = clip_losses(model, clip_of(some_labels(kind)), settings, CPU)
    torch.stack(list(found.values())).sum().backward()
    assert all(torch.isfinite(loss) for loss in found.values())
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    assert grads
    assert all(torch.isfinite(grad).all() for grad in grads)


def test_the_usual_settings_are_those_of_the_default_model():
    assert found_with().keys() == PLAIN
    # What the paper of 2018 pulls with, and the fixed background of 2019.
    explicit = TrainSettings(
        cell_size=8.0,
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
    ],
)
def test_a_choice_changes_its_own_losses_and_no_others(change, losses):
    before, after = found_with(), found_with(USUAL.model_copy(update=change))
    names = before.keys() | after.keys()
    assert {n for n in names if before.get(n) != after.get(n)} == losses


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
