"""Kernels: values, products, and gradients at zero distance and far away."""

import math

import pytest
import torch

from napari_semiconv.network.kernels import (
    BilateralKernel,
    GaussianKernel,
    Kernel,
    LaplacianKernel,
    separation,
)

KINDS = [LaplacianKernel, GaussianKernel]


@pytest.mark.parametrize(
    ("kind", "at_sigma"), [(LaplacianKernel, -1.0), (GaussianKernel, -0.5)]
)
def test_values_at_zero_and_at_one_width(kind, at_sigma):
    value = kind(3.0)(torch.tensor([0.0, 3.0]))
    torch.testing.assert_close(value, torch.tensor([1.0, math.exp(at_sigma)]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_width_is_a_learned_logarithm(kind):
    kernel = kind(2.0)
    kernel(torch.tensor([2.0])).sum().backward()
    assert kernel.log_sigma.grad > 0  # a wider kernel has a higher value
    assert dict(kernel.named_parameters()).keys() == {"log_sigma"}
    assert kernel.sigma.item() == pytest.approx(2)


def test_two_gaussians_make_the_kernel_of_the_whole_embedding():
    torch.manual_seed(0)
    one, other = torch.randn(9, 6), torch.randn(9, 6)
    kernel = BilateralKernel(GaussianKernel(1.0), GaussianKernel(1.0))
    whole = torch.exp(-0.5 * (one - other).square().sum(1))
    torch.testing.assert_close(kernel(one, other), whole)


def test_the_bilateral_kernel_is_a_product_of_its_parts():
    torch.manual_seed(1)
    one, other = torch.randn(4, 5), torch.randn(4, 5)
    near, alike = LaplacianKernel(3.0), GaussianKernel(0.5)
    product = near(separation(one[:, :2], other[:, :2])) * alike(
        separation(one[:, 2:], other[:, 2:])
    )
    torch.testing.assert_close(BilateralKernel(near, alike)(one, other), product)


def test_pixels_that_look_different_are_apart_though_they_vote_for_one_place():
    kernel = BilateralKernel(LaplacianKernel(4.0), LaplacianKernel(0.1))
    vote = torch.tensor([[5.0, 5.0, 1.0], [5.0, 5.0, -1.0]])
    assert kernel(vote[0], vote[0]).item() == 1
    assert kernel(vote[0], vote[1]).item() < 1e-6


@pytest.mark.parametrize("far", [0.0, 1e-20, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_at_zero_distance_and_far_away(kind, far):
    one = torch.zeros(1, 4, requires_grad=True)
    other = torch.full((1, 4), far, requires_grad=True)
    kernel = BilateralKernel(kind(2.0), kind(0.5))
    kernel(one, other).sum().backward()
    given = (one, other, kernel.geometric.log_sigma, kernel.appearance.log_sigma)
    assert all(torch.isfinite(tensor.grad).all() for tensor in given)


def test_gradients_agree_with_finite_differences():
    torch.manual_seed(2)
    kernel = BilateralKernel(LaplacianKernel(2.0), GaussianKernel(0.7)).double()
    points = [torch.randn(5, 4, dtype=torch.double, requires_grad=True) for _ in "ab"]
    assert torch.autograd.gradcheck(kernel, points)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_the_width_agree_with_finite_differences(kind):
    kernel = kind(2.0).double()
    distance = torch.rand(6, dtype=torch.double) * 5

    def value(log_sigma):
        return torch.func.functional_call(kernel, {"log_sigma": log_sigma}, (distance,))

    log_sigma = kernel.log_sigma.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(value, (log_sigma,))


def test_the_base_has_no_shape_of_its_own():
    with pytest.raises(NotImplementedError):
        Kernel()(torch.zeros(1))
