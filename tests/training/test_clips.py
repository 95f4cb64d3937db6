"""Clips: deterministic, consistent through time, varied in light."""

import numpy as np
import pytest

from napari_semiconv.training.augment import Warp, drifts
from napari_semiconv.training.clips import Clips
from napari_semiconv.training.light import (
    CHANGES,
    Sight,
    add_debris,
    add_halos,
    change_light,
    dim,
    invert,
)
from napari_semiconv.training.sampling import any_place
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.training.truth import Recording, read_recordings

SETTINGS = TrainSettings(crop=48, cell_size=16)
DISK = np.hypot(*(np.indices((32, 32)) - 16.0)) < 7
SIGHT = Sight(np.stack([DISK.astype(np.int32)] * 3), 16.0, 1.5)


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
    assert np.mean([(clip.labels > 0).any() for clip in drawn]) > 0.8


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
        lit = change_light(flat, [(150.0, 100.0)] * 3, SIGHT, rng)
        assert lit.dtype == np.float32
        assert np.isfinite(lit).all()
        assert np.abs(np.median(lit)) < 1.5


@pytest.mark.parametrize(
    "change", [change for _, change in CHANGES], ids=lambda change: change.__name__
)
def test_each_change_of_light_changes_it_and_hangs_on_the_seed_alone(change):
    flat = np.where(SIGHT.labels > 0, 0.8, 0.1) + np.linspace(0, 0.2, 32)
    flat = flat.astype(np.float32)
    lit, again, other = (
        change(flat, SIGHT, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert lit.shape == flat.shape
    assert np.isfinite(lit).all()
    assert np.array_equal(lit, again)
    assert not np.array_equal(lit, flat)
    if change is not invert:
        assert not np.array_equal(lit, other)


def test_dim_cells_stay_above_the_noise_in_a_small_part_of_the_range():
    flat = np.where(SIGHT.labels > 0, 1.0, 0.0).astype(np.float32)
    inside, outside = SIGHT.labels > 0, SIGHT.labels == 0
    heights, ratios = [], []
    for seed in range(60):
        lit = dim(flat, SIGHT, np.random.default_rng(seed))
        height = np.median(lit[inside]) - np.median(lit[outside])
        spread = np.subtract(*np.percentile(lit[outside], [75, 25])) / 1.35
        heights.append(height)
        ratios.append(height / max(spread, 1e-6))
    assert min(heights) > 0.02
    assert max(heights) < 0.55
    assert min(ratios) > 2


def test_dirt_lies_on_the_background_alone():
    flat = np.zeros(SIGHT.labels.shape, np.float32)
    for seed in range(10):
        dirty = add_debris(flat, SIGHT, np.random.default_rng(seed))
        # Tails of the pieces reach in, their bodies do not.
        assert np.abs(dirty[SIGHT.labels == 0]).max() > 0.15
        assert np.abs(dirty).mean(where=SIGHT.labels > 0) < 0.1


def test_halos_are_brighter_than_the_background_around_dark_cells():
    dark = np.where(SIGHT.labels > 0, -0.5, 0.0).astype(np.float32)
    lit = add_halos(dark, SIGHT, np.random.default_rng(0))
    assert np.array_equal(lit[SIGHT.labels > 0], dark[SIGHT.labels > 0])
    assert (lit >= 0)[SIGHT.labels == 0].all()
    assert lit.max() > 0.05


def bend(settings, draws=20):
    """How far drawn transforms are from straight, root mean square, px."""
    shape, middle = (200, 200), np.array([100.0, 100.0])
    bent = []
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        source = Warp.draw(rng, middle, shape, settings, 1.0).source
        y, x = np.indices(source.shape[1:]).reshape(2, -1)
        plane = np.stack([np.ones(len(y)), y, x], 1)
        flat = source.reshape(2, -1).T
        fit = np.linalg.lstsq(plane, flat, rcond=None)[0]
        bent.append(np.sqrt(np.square(flat - plane @ fit).mean()))
    return bent


def test_elastic_deformation_is_as_strong_and_as_frequent_as_told():
    always = {"crop": 64, "elastic_share": 1.0}
    none = bend(TrainSettings(crop=64, elastic_share=0.0))
    weak, strong = (bend(TrainSettings(elastic=s, **always)) for s in (1.0, 5.0))
    assert max(none) < 1e-6
    assert min(weak) > 0.2
    np.testing.assert_allclose(strong, 5 * np.array(weak), rtol=1e-6)
    some = bend(TrainSettings(crop=64, elastic_share=0.5), 60)
    assert 15 < np.count_nonzero(np.array(some) > 1e-6) < 45
    published = bend(TrainSettings(preset="payer2018", crop=64), 5)
    assert np.shape(published) == (5,)


def test_no_blur_leaves_frames_sharp():
    """Noise is added after the blur, so only its absence shows."""
    frames = np.zeros((1, 32, 32), np.float32)
    frames[:, ::2] = 1.0
    sharp, soft = (
        [
            np.abs(np.diff(lit[0], axis=0)).mean()
            for lit in (
                change_light(
                    frames,
                    [(0.0, 1.0)],
                    Sight(np.zeros((1, 32, 32), np.int32), 16.0, blur),
                    np.random.default_rng(s),
                )
                for s in range(40)
            )
        ]
        for blur in (0.0, 4.0)
    )
    blurred = np.count_nonzero(np.array(soft) < 0.9 * np.array(sharp))
    assert 5 <= blurred <= 20  # three of ten


def test_the_rule_of_2019_sees_the_whole_recording():
    """Two cells that never share a clip of one frame are neighbours in the movie."""
    labels = [np.zeros((60, 60), np.int32) for _ in range(6)]
    for t, frame in enumerate(labels):
        frame[20:40, 20:40] = 1
        frame[20:40, 42:58] = 2 if t < 3 else 3
    images = [frame.astype(np.float32) for frame in labels]
    movie = Recording("film", images, labels, [True] * 6, np.zeros((0, 4)), 20.0)
    settings = SETTINGS.model_copy(
        update={"cell_size": 20.0, "neighbour_rule": "2019", "neighbour_radius": 0.1}
    )
    clip = Clips([movie], settings, 2).draw(0)
    # Cells 2 and 3 touch only in the frame beside their lives.
    assert {tuple(pair) for pair in clip.neighbours.tolist()} == {
        (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2),
    }  # fmt: skip
    one_frame = settings.model_copy(update={"frames": 1})
    assert (Clips([movie], one_frame, 2).draw(0).neighbours == clip.neighbours).all()
    assert Clips([movie], SETTINGS, 2).draw(0).neighbours is None


def test_a_clip_from_anywhere_shows_what_is_known():
    labels = np.full((200, 200), -1, np.int32)
    labels[20:24, 150:160] = 0
    rng = np.random.default_rng(0)
    places = np.array([any_place(labels, rng) for _ in range(50)])
    assert ((places >= (19, 149)) & (places <= (24, 160))).all()
    assert len(np.unique(places, axis=0)) == 50
    unknown = np.array([any_place(labels * 0 - 1, rng) for _ in range(50)])
    assert unknown.min() < 40
    assert unknown.max() > 160


def test_clips_are_cut_anywhere_as_often_as_asked(annotated):
    (recording, *_), _ = read_recordings([annotated], 0.0, 16)
    empty = np.zeros_like(recording.labels[0])
    empty[:8, :8] = 1  # one cell in a corner
    recording.labels = [empty] * len(recording.labels)

    def with_cells(share):
        settings = SETTINGS.model_copy(update={"anywhere": share, "simulated": 0.0})
        clips = Clips([recording], settings, channels=2)
        return np.mean([(clips.draw(step).labels > 0).any() for step in range(40)])

    assert with_cells(0.0) > with_cells(0.5) > with_cells(1.0)
