"""Divisions are weighed by masks alone, and a jump of the stage is taken off first."""

import numpy as np
import pytest

from napari_semiconv.inference.linking.candidates import common_shift
from napari_semiconv.inference.linking.divisions import (
    FEATURES,
    division_features,
    list_divisions,
    possible_divisions,
    terms_of,
    weigh,
)
from napari_semiconv.inference.linking.solve import Solver
from napari_semiconv.settings import LinkSettings

SHAPE = (90, 120)


def discs(*cells):
    """Draw discs: label, row, column and radius, px."""
    labels = np.zeros(SHAPE, np.int32)
    y, x = np.indices(SHAPE)
    for label, row, column, radius in cells:
        labels[np.hypot(y - row, x - column) <= radius] = label
    return labels


def solved(*frames):
    solver = Solver(LinkSettings(), 18.0)
    for t, labels in enumerate(frames):
        solver.push(t, labels)
    return solver.solve()


OTHERS = ((7, 20, 20, 9), (8, 70, 20, 9), (9, 20, 100, 9))


def test_a_mother_who_rounded_up_before_she_divides_is_known():
    before = discs((1, 45, 60, 8), *OTHERS)
    after = discs((2, 45, 48, 8), (3, 45, 72, 8), *OTHERS)
    found = solved(before, before, after, after)
    (mother,) = {found.parents[track] for track in found.parents}
    names = found.names(1)
    assert mother == names[1]
    assert set(found.parents) == {found.names(2)[2], found.names(2)[3]}


def test_a_cell_that_stays_beside_a_new_one_divides_not():
    before = discs((1, 45, 60, 9), *OTHERS)
    after = discs((1, 45, 60, 9), (2, 45, 80, 9), *OTHERS)
    assert not solved(before, before, after, after).parents


def test_a_jump_of_the_stage_is_found_and_taken_off():
    before = discs((1, 45, 60, 8), *OTHERS)
    after = np.roll(before, (12, -9), (0, 1))
    assert common_shift(before, after).tolist() == [12, -9]
    found = solved(before, before, after)
    assert found.names(2) == found.names(1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (discs((1, 45, 60, 9)), discs((1, 45, 80, 9))),
        (discs(*OTHERS), discs((7, 20, 44, 9), (8, 45, 20, 9), (9, 45, 95, 9))),
        (discs(*OTHERS), discs()),
    ],
    ids=["one cell moves", "each its own way", "none is left"],
)
def test_no_jump_is_seen_where_cells_move_by_themselves(before, after):
    assert not common_shift(before, after).any()


def test_each_feature_and_term_has_a_weight():
    features = np.zeros((2, len(FEATURES)))
    features[:, list(FEATURES).index("apart")] = 1.0
    assert weigh(features).shape == (2,)
    assert all(len(values) == 2 for values in terms_of(features).values())
    # Two cells far apart are hardly daughters of one.
    far = features.copy()
    far[:, list(FEATURES).index("apart")] = 3.5
    assert (weigh(far) < weigh(features)).all()


def test_halves_that_are_unlike_are_none(monkeypatch):
    seen = []

    def spy(scene, links):
        seen.append((scene, list_divisions(scene, links)))
        return seen[-1][1]

    monkeypatch.setattr(
        "napari_semiconv.inference.linking.gatherer.list_divisions", spy
    )
    before = discs((1, 45, 60, 10), *OTHERS)
    solved(before, discs((2, 45, 56, 10), (3, 45, 70, 3), *OTHERS))
    scene, divisions = seen[0]
    rows = possible_divisions(scene)
    assert division_features(scene, *rows).shape == (len(rows[0]), len(FEATURES))
    areas = scene.bodies.areas
    ratio = areas[divisions.first] / areas[divisions.second]
    unlike = np.minimum(ratio, 1 / ratio) < LinkSettings().daughter_ratio
    assert unlike.any()
    assert np.isneginf(divisions.evidence[unlike]).all()
