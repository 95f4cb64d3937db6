"""Experiments on another device: what lies there is fetched before numpy sees it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.experiments import apart, crowds, pooled, stills, trials
from benchmarks.experiments.apart import Reading
from benchmarks.experiments.pictures import worms
from benchmarks.experiments.stills import METHODS, Plan
from benchmarks.experiments.suite import dots, limit, memory, radius

from napari_semiconv.settings import RegionHeadSettings

HERE = torch.device("cpu")
TINY = Plan(
    worms,
    side=48,
    steps=1,
    pictures=2,
    tuning=1,
    held_out=1,
    channels=(8, 8, 8),
    radius=24,
    quick=True,
    region=RegionHeadSettings(crop=8, hidden=8),
)


class Away(torch.Tensor):
    """A tensor as if on another device: numpy has no access before `cpu`."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("numpy", "__array__"):
            raise TypeError("can't convert a tensor of another device to numpy")
        found = super().__torch_function__(func, types, args, kwargs or {})
        return found.as_subclass(torch.Tensor) if name == "cpu" else found


def sent_away(network):
    """Make a network answer as if it were on another device."""

    def send(_, given):
        return (given[0].as_subclass(Away), *given[1:])

    network.register_forward_pre_hook(send)
    return network


@pytest.fixture
def picture():
    return stills.test_pictures(TINY)[0]


def test_the_pretended_device_refuses_numpy_until_fetched():
    far = torch.ones(3).as_subclass(Away) * 2
    with pytest.raises(TypeError, match="another device"):
        far.numpy()
    with pytest.raises(TypeError, match="another device"):
        np.asarray(far)
    assert far.cpu().double().numpy().tolist() == [2, 2, 2]


@pytest.mark.parametrize("method", METHODS)
def test_pictures_are_taken_apart_on_another_device(method, picture):
    torch.manual_seed(0)
    network = stills.build(method, TINY).eval()
    here = apart.take_apart(method, network, picture, Reading())
    away = apart.take_apart(method, sent_away(network), picture, Reading())
    assert np.array_equal(here, away)


def test_crowds_are_looked_at_on_another_device(picture):
    network = sent_away(stills.build("cosine", TINY).eval())
    (parts,) = crowds.look(network, [picture])
    assert np.isfinite(crowds.measure([parts], TINY).scores["ARI"])


@pytest.mark.parametrize("places", [False, True])
def test_dots_are_judged_on_another_device(places):
    network = sent_away(pooled.Pooled(1))
    scene = pooled.objects_on_grid(2, 2, 8, 2)
    verdict = dots.judge(network, scene, 0, places=places)
    assert verdict.found.shape == scene.labels.shape[1:]


def train_still(place):
    for method in METHODS:
        network, _ = trials.trained(method, TINY, 0, place, None)
        assert not network.training


def train_crowd(place):
    plan = replace(radius.SMALL, side=32, steps=1, pictures=2, held_out=1)
    assert radius.trial(replace(plan, channels=(8, 8, 8)), 0, place).scores


def train_dots(place):
    plan = dots.Plan(side=2, radius=2, steps=1, width=4)
    assert dots.compare(plan, dots.PLACES[0], "semi-conv", 0, place).new


def train_limit(place):
    plan = limit.Plan({1: (1,)}, objects=4, steps=1, width=4)
    assert limit.count_objects(plan, 1, 1, 0, place).bound == 2


def train_memory(place):
    noise = memory.Noise(side=64, frames=2, movies=1)
    plan = memory.Plan(steps=1, frames=2, crop=32, noise=noise)
    network = memory.build(plan, memory.WAYS[2]).eval()
    assert memory.model_of(network, plan, place).device == HERE


@pytest.mark.parametrize(
    "run", [train_still, train_crowd, train_dots, train_limit, train_memory]
)
def test_every_training_takes_a_device(run: Callable[[torch.device], None]):
    run(HERE)
