"""Boxes: made, compared, thinned out and cut, against brute force."""

import itertools

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from napari_semiconv.network.losses import Cells
from napari_semiconv.network.region import rois


def some_boxes(count, height=20, width=30):
    corner = torch.rand(count, 2) * torch.tensor([height * 0.6, width * 0.6])
    side = torch.rand(count, 2) * torch.tensor([height, width]) * 0.4 + 0.5
    return torch.cat([corner, corner + side], 1)


def test_the_box_of_a_cell_ends_at_the_rims_of_its_pixels():
    labels = torch.zeros(2, 6, 8, dtype=torch.long)
    labels[0, 1, 2] = 4
    labels[1, 2:5, 3:8], labels[1, 0, 0] = 4, 9
    cells = Cells.of(labels)
    boxes = rois.boxes_of(cells, (6, 8)).tolist()
    where = zip(cells.frame.tolist(), cells.owner.tolist(), strict=True)
    assert dict(zip(where, boxes, strict=True)) == {
        (0, 0): [0.5, 1.5, 1.5, 2.5],
        (1, 0): [1.5, 2.5, 4.5, 7.5],
        (1, 1): [-0.5, -0.5, 0.5, 0.5],
    }


def test_no_cell_has_no_box():
    cells = Cells.of(torch.zeros(1, 4, 4, dtype=torch.long))
    assert rois.boxes_of(cells, (4, 4)).shape == (0, 4)


def test_box_iou_equals_counting_points():
    torch.manual_seed(0)
    one, other = some_boxes(6), some_boxes(6)
    fine = 20  # points per px
    points = torch.stack(
        torch.meshgrid(
            *(torch.arange(n * fine) / fine + 0.5 / fine for n in (20, 30)),
            indexing="ij",
        )
    )
    found = rois.box_iou(one[:, None], other[None])
    for i, j in itertools.product(range(6), repeat=2):
        a, b = (
            (points[0] > t) & (points[0] < u) & (points[1] > s) & (points[1] < v)
            for t, s, u, v in (one[i], other[j])
        )
        truth = (a & b).sum() / (a | b).sum()
        assert found[i, j].item() == pytest.approx(truth.item(), abs=0.02)


def test_suppression_keeps_the_best_of_each_heap():
    torch.manual_seed(1)
    boxes, scores = some_boxes(40), torch.rand(40)
    kept = rois.suppress(boxes, scores, 0.3, 40)
    assert kept.tolist() == brute_force_nms(boxes, scores, 0.3)
    assert 1 < len(kept) < 40
    assert torch.equal(rois.suppress(boxes, scores, 0.3, 2), kept[:2])
    assert rois.suppress(boxes[:0], scores[:0], 0.3, 40).tolist() == []


def brute_force_nms(boxes, scores, most):
    left = scores.argsort(descending=True).tolist()
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if rois.box_iou(boxes[best], boxes[i]) <= most]
    return kept


def test_region_crops_equal_bilinear_interpolation():
    torch.manual_seed(2)
    features = torch.randn(2, 3, 20, 30)
    boxes = torch.cat([some_boxes(5), torch.tensor([[-0.5, -0.5, 19.5, 29.5]])])
    image = torch.tensor([0, 1, 1, 0, 1, 0])
    crops = rois.crop_regions(features, boxes, image, 7)
    for crop, (top, left, bottom, right), b in zip(crops, boxes, image, strict=True):
        step = (np.arange(7) + 0.5) / 7
        y = top.item() + (bottom - top).item() * step
        x = left.item() + (right - left).item() * step
        grid = np.meshgrid(y, x, indexing="ij")
        for channel, found in zip(features[b].numpy(), crop.numpy(), strict=True):
            # Beyond the rim the rim goes on.
            truth = map_coordinates(channel, grid, order=1, mode="nearest")
            np.testing.assert_allclose(found, truth, atol=1e-5)


def test_region_crops_pass_gradients_on():
    torch.manual_seed(3)
    features = torch.randn(1, 2, 5, 6, dtype=torch.double, requires_grad=True)
    boxes = torch.tensor([[0.2, 0.7, 3.1, 4.4]]).double()
    image = torch.zeros(1, dtype=torch.long)
    assert torch.autograd.gradcheck(
        lambda x: rois.crop_regions(x, boxes, image, 3), features
    )
    assert rois.crop_regions(features, boxes[:0], image[:0], 3).shape == (0, 2, 3, 3)


def test_crop_masks_say_which_points_lie_in_the_cell():
    labels = torch.zeros(1, 6, 6, dtype=torch.long)
    labels[0, 1:3, 1:4], labels[0, 4], labels[0, :, 5] = 3, 7, -1
    box = torch.tensor([[-0.5, -0.5, 5.5, 5.5]])
    mask = rois.crop_masks(labels, torch.tensor([3]), box, 6)[0]
    assert torch.equal(mask == 1, labels[0] == 3)
    assert torch.equal(mask == -1, labels[0] == -1)


def test_boxes_are_cut_at_the_rim():
    boxes = rois.clip_boxes(torch.tensor([[-3.0, 2.0, 9.0, 40.0]]), (8, 10))
    assert boxes.tolist() == [[-0.5, 2.0, 7.5, 9.5]]
