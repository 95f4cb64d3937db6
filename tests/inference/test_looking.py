"""What the network says is turned into images of the size of the movie's frames."""

from dataclasses import replace

import numpy as np

from napari_semiconv.inference.looking import pictures_of

from .perfect import perfect_output


def cells():
    labels = np.zeros((40, 60), np.int32)
    labels[5:17, 5:17], labels[5:17, 17:29], labels[22:34, 40:52] = 1, 2, 3
    return labels


def test_each_cell_has_one_colour_and_the_background_none():
    labels = cells()
    found = pictures_of(perfect_output(labels), labels.shape)["embeddings"]
    assert found.shape == (40, 60, 3)
    assert not found[labels == 0].any()
    colours = [np.unique(found[labels == n], axis=0) for n in (1, 2, 3)]
    assert [len(one) for one in colours] == [1, 1, 1]
    one, two, three = (colour[0].astype(int) for colour in colours)
    assert all(np.abs(a - b).max() > 60 for a, b in ((one, two), (two, three)))


def test_a_cell_keeps_its_colour_where_it_goes():
    labels = cells()
    moved = np.roll(labels, (3, 4), (0, 1))
    first, then = (
        pictures_of(perfect_output(one), one.shape)["embeddings"]
        for one in (labels, moved)
    )
    apart = np.roll(first, (3, 4), (0, 1)).astype(int) - then
    assert np.abs(apart).max() <= 1


def test_all_pictures_have_the_size_of_the_movie():
    labels = cells()
    found = pictures_of(perfect_output(labels), (80, 120))
    assert {*found} == {"embeddings", "foreground", "votes", "seeds", "certainty"}
    assert {one.shape[:2] for one in found.values()} == {(80, 120)}
    double = labels.repeat(2, 0).repeat(2, 1)
    assert np.array_equal(found["foreground"] > 0, double > 0)
    assert np.array_equal(found["certainty"] > 0, double > 0)


def test_votes_fall_into_the_middle_of_the_cells():
    labels = cells()
    votes = pictures_of(perfect_output(labels), labels.shape)["votes"]
    y, x = np.unravel_index(int(votes.argmax()), votes.shape)
    assert labels[y, x]
    assert votes[10:12, 10:12].mean() > 10 * votes[5, 5]
    assert not votes[:2].any()


def test_models_without_votes_show_what_they_have():
    labels = cells()
    output = replace(perfect_output(labels), offset=None, motion=None, seed=None)
    assert {*pictures_of(output, labels.shape)} == {"embeddings", "foreground"}


def test_a_frame_without_cells_is_dark():
    empty = np.zeros((40, 60), np.int32)
    found = pictures_of(perfect_output(empty), empty.shape)
    assert not any(one.any() for one in found.values())
