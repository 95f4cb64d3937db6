"""Centres of votes, and their repulsion."""

import pytest
import torch

from napari_semiconv.network import losses
from napari_semiconv.network.losses import Cells, centres

RING = torch.zeros(2, 9, 9, dtype=torch.long)
RING[:, 1:8, 1:8] = 5
RING[:, 3:6, 3:8] = 0  # a C, whose centroid lies outside it


def place_of(labels):
    cells = Cells.of(labels)
    return cells, losses.positions(cells, torch.zeros(labels.shape))


def test_the_centroid_of_a_bent_cell_lies_outside_it_and_its_medoid_inside():
    cells, place = place_of(RING)
    centroid = losses.centres_of("centroid", place + 3, place, cells)
    torch.testing.assert_close(centroid[0], place[cells.instance == 0].mean(0))
    y, x = centroid[0].round().long()
    assert RING[0, y, x] == 0
    for y, x in losses.centres_of("medoid", place + 3, place, cells).long():
        assert RING[0, y, x] == 5


def test_the_mean_follows_the_votes_and_carries_their_gradient():
    cells, place = place_of(RING)
    votes = (place + 3).requires_grad_()
    mean = losses.centres_of("mean", votes, place, cells)
    centroid = losses.centres_of("centroid", votes, place, cells)
    torch.testing.assert_close(mean, centroid + 3)
    assert mean.requires_grad
    assert not centroid.requires_grad


@pytest.mark.parametrize("block", [1, 50, 2**22])
def test_medoids_equal_brute_force(block, monkeypatch):
    monkeypatch.setattr(centres, "BLOCK", block)
    torch.manual_seed(0)
    labels = torch.randint(-1, 4, (2, 9, 11))
    cells, place = place_of(labels)
    found = losses.centres_of("medoid", place, place, cells)
    for m in range(len(cells.frame)):
        mine = place[cells.instance == m].double()
        cost = torch.cdist(mine, mine).sum(1)
        chosen = (mine == found[m].double()).all(1)
        assert chosen.sum() == 1
        assert cost[chosen].item() == pytest.approx(cost.min().item())


def test_a_cell_of_one_pixel_is_its_own_medoid():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    labels[0, 2, 3] = 8
    cells, place = place_of(labels)
    found = losses.centres_of("medoid", place, place, cells)
    assert found.tolist() == [[2.0, 3.0]]


def test_attraction_to_the_centroid_is_not_free_to_shift():
    cells, place = place_of(RING)
    centroid = losses.centres_of("centroid", place, place, cells)
    votes = centroid[cells.instance] + torch.tensor([3.0, 4.0])
    free, _ = losses.attraction_loss(votes, cells)
    bound, centre = losses.attraction_loss(votes, cells, centroid)
    assert free.item() == pytest.approx(0, abs=2e-3)
    assert bound.item() == pytest.approx(5, abs=1e-3)
    assert torch.equal(centre, centroid)


THREE = torch.tensor([[[1, 2, 3]], [[1, 0, 3]]])
NEXT = torch.tensor([[0, 1, 0], [0, 0, 0], [0, 0, 0]]).bool()  # 1 and 2 are neighbours


def test_only_neighbours_of_one_frame_nearer_than_the_margin_repel():
    cells = Cells.of(THREE)
    centre = torch.zeros(5, 2)
    centre[1] = torch.tensor([3.0, 4.0])  # 5 px from the first; the third lies on it
    loss = losses.repulsion_loss(centre, cells, NEXT, 7.0)
    assert loss.item() == pytest.approx((7 - 5) ** 2)
    assert losses.repulsion_loss(centre, cells, NEXT.T, 7.0) == loss
    assert losses.repulsion_loss(centre, cells, NEXT, 5.0).item() == 0
    nobody = torch.zeros(3, 3, dtype=torch.bool)
    assert losses.repulsion_loss(centre, cells, nobody, 7.0).item() == 0
    all_pairs = ~torch.eye(3, dtype=torch.bool)  # three pairs, then one in frame 1
    expected = (4 + 49 + 4 + 49) / 4
    assert losses.repulsion_loss(centre, cells, all_pairs, 7.0) == expected


def test_gradients_of_repulsion_agree_with_finite_differences():
    torch.manual_seed(1)
    centre = torch.randn(5, 2, dtype=torch.double, requires_grad=True)
    pairs = ~torch.eye(3, dtype=torch.bool)
    cells = Cells.of(THREE)
    assert torch.autograd.gradcheck(
        lambda c: losses.repulsion_loss(c, cells, pairs, 4.0), (centre,)
    )


def test_centres_on_one_another_have_a_finite_gradient():
    centre = torch.zeros(5, 2, requires_grad=True)
    losses.repulsion_loss(centre, Cells.of(THREE), NEXT, 7.0).backward()
    assert torch.isfinite(centre.grad).all()
