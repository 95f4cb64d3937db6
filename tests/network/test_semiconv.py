"""Operators: what is added, the learned form's start, and how they follow a shift."""

import pytest
import torch
from torch import nn

from napari_semiconv.network.semiconv import (
    LearnedOperator,
    add_coordinates,
    parts_of,
    pixel_grid,
)


@pytest.fixture
def features():
    torch.manual_seed(0)
    return torch.randn(2, 5, 6, 7)


def test_the_position_is_added_to_the_geometric_part_alone(features):
    before, after = parts_of(features), parts_of(add_coordinates(features))
    torch.testing.assert_close(
        after.geometric - before.geometric, pixel_grid(features).expand(2, 2, 6, 7)
    )
    assert torch.equal(after.appearance, before.appearance)


def test_two_channels_have_no_appearance(features):
    assert parts_of(add_coordinates(features[:, :2])).appearance.shape == (2, 0, 6, 7)


@pytest.mark.parametrize("channels", [2, 5])
def test_the_learned_form_begins_as_the_additive_one(features, channels):
    given = features[:, :channels]
    torch.testing.assert_close(LearnedOperator(channels)(given), add_coordinates(given))


def test_the_learned_form_learns_what_the_additive_one_cannot():
    """Every vote at (20, 30) from features that say nothing: it needs f(0, u) = c."""
    torch.manual_seed(0)
    operator, nothing = LearnedOperator(2), torch.zeros(1, 2, 8, 8)
    aim = torch.tensor([20.0, 30.0]).reshape(1, 2, 1, 1)
    optimiser = torch.optim.Adam(operator.parameters(), 0.01)
    first = (operator(nothing) - aim).square().mean().item()
    for _ in range(120):
        optimiser.zero_grad()
        loss = (operator(nothing) - aim).square().mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.02 * first


def test_the_learned_form_differs_from_place_to_place(features):
    operator = LearnedOperator(5)
    nn.init.normal_(operator.out.weight)
    change = operator(torch.zeros_like(features)) - add_coordinates(features * 0)
    assert (change[..., 0, 0] - change[..., 5, 6]).abs().max() > 1e-3
    # A position means the same in a larger frame.
    larger = operator(torch.zeros(1, 5, 12, 14))[..., :6, :7]
    torch.testing.assert_close(operator(torch.zeros(1, 5, 6, 7)), larger)


def test_gradients_of_the_learned_form():
    torch.manual_seed(1)
    operator = LearnedOperator(3, hidden=4).double()
    nn.init.normal_(operator.out.weight)
    given = torch.randn(1, 3, 2, 3, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(operator, (given,))
