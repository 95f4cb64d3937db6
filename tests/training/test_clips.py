"""Clips: deterministic, consistent through time, varied in light."""

import numpy as np
import pytest

from napari_semiconv.training.augment import Warp, change_light, drifts
from napari_semiconv.training.clips import Clips
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.truth import Recording, read_recordings

SETTINGS = TrainSettings(crop=48, cell_size=16)


@pytest.fixture(scope="module")
def clips(annotated):
    recordings, _ = read_recordings([annotated], 0, 32)
    return Clips(recordings, SETTINGS, channels=2)


def test_a_step_gives_the_same_clip_whenever_it_is_drawn(clips):
    first, again, other = clips.draw(5), clips.draw(5), clips.draw(6)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, other.images)


def test_clips_are_finite_and_show_cells(clips):
    drawn = [clips.draw(i) for i in range(20)]
    assert all(np.isfinite(clip.images).all() for clip in drawn)
    assert {clip.images.shape for clip in drawn} == {(3, 2, 48, 48)}
    assert all((clip.labels > 0).any() for clip in drawn)


def test_image_and_labels_are_cut_alike():
    """A movie whose grey levels are its labels stays one after any transform."""
    y, x = np.indices((96, 96))
    labels = ((y // 12 + x // 12) % 5).astype(np.int32)
    rng = np.random.default_rng(0)
    warp = Warp.draw(
        rng, np.array([48.0, 48.0]), labels.shape, TrainSettings(crop=32), 1.0
    )
    image, cut = warp.apply((labels == 2).astype(np.float32), labels, np.zeros(2))
    # Only the interpolated border pixels may differ.
    inside = cut >= 0
    assert ((image > 0.5) == (cut == 2))[inside].mean() > 0.9
    assert inside.mean() > 0.5


def test_outside_the_frame_nothing_is_annotated():
    labels = np.ones((20, 20), np.int32)
    rng = np.random.default_rng(0)
    warp = Warp.draw(
        rng, np.array([10.0, 10.0]), labels.shape, TrainSettings(crop=64), 1.0
    )
    _, cut = warp.apply(np.ones((20, 20), np.float32), labels, np.zeros(2))
    assert set(np.unique(cut)) == {-1, 1}


def test_stills_become_clips_that_drift():
    labels = np.zeros((80, 80), np.int32)
    labels[30:50, 30:50] = 1
    still = Recording(
        "still", [labels.astype(np.float32)], [labels], [True], np.zeros((0, 4)), 20.0
    )
    clip = Clips([still], SETTINGS, 2).draw(0)
    assert not np.array_equal(clip.labels[0], clip.labels[1])
    assert drifts(3, np.random.default_rng(0), still=True).shape == (3, 2)


def test_light_changes_but_stays_in_range():
    rng = np.random.default_rng(0)
    flat = np.linspace(100, 200, 3 * 32 * 32, dtype=np.float32).reshape(3, 32, 32)
    for _ in range(30):
        lit = change_light(flat, [(150.0, 100.0)] * 3, rng)
        assert np.isfinite(lit).all()
        assert np.abs(np.median(lit)) < 1.5
