"""The votes engine: the same bits on every device, and how sure it is of a cell."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_semiconv.inference.engines.tensors import (
    pack,
    places,
    to_tensors,
    unpack,
)
from napari_semiconv.inference.engines.votes.engine import VotesEngine, segments_of
from napari_semiconv.inference.engines.votes.segments import find_segments
from napari_semiconv.inference.stream.stream import FrameOutput
from napari_semiconv.settings import VotesSettings

from .perfect import perfect_output, same_partition


def crowd(seed=0, side=160, spacing=20):
    """Noisy votes and embeddings of touching cells: peaks merge, split and stray."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((side, side))
    jitter = rng.normal(0, 2, (2, side // spacing, side // spacing))
    place = np.indices(jitter.shape[1:]) * spacing + spacing / 2
    centres = (place + jitter).reshape(2, -1)
    apart = np.hypot(y[..., None] - centres[0], x[..., None] - centres[1])
    cells = np.where(apart.min(-1) < 0.55 * spacing, apart.argmin(-1) + 1, 0)
    output = perfect_output(cells.astype(np.int32), cell_size=float(spacing))
    noise = rng.normal(size=output.embedding.shape) * 0.3
    embedding = output.embedding + noise
    embedding /= np.linalg.norm(embedding, axis=0)
    offset = output.offset * 0.8 + rng.normal(0, 1.2, output.offset.shape)
    seed_map = output.seed * rng.random(output.seed.shape)
    single = np.float32
    return replace(
        output,
        embedding=embedding.astype(single),
        offset=offset.astype(single),
        seed=seed_map.astype(single),
    )


@pytest.fixture
def only_deterministic():
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def same_bits(one, other):
    same = np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return same and one.dtype == other.dtype


def check_same(one, other):
    """Labels and scores of two runs are the same to the last bit."""
    assert same_bits(one[0], other[0])
    for name in ("numbers", "votes", "borders", "persistence"):
        assert same_bits(getattr(one[1], name), getattr(other[1], name))


@pytest.mark.usefixtures("only_deterministic")
def test_only_deterministic_operations_are_used():
    engine = VotesEngine(VotesSettings())
    first, again = (engine.cluster([crowd()])[0] for _ in range(2))
    assert len(first[1].numbers) > 30
    check_same(first, again)


def test_every_tensor_is_made_where_the_maps_are():
    """A tensor made elsewhere meets none of them; no card is needed to find that."""
    engine = VotesEngine(VotesSettings())
    wanted = engine.cluster([crowd()])[0]
    with torch.device("meta"):
        found = engine.cluster([crowd()])[0]
    check_same(wanted, found)


def test_a_card_lists_the_same_places():
    chosen = torch.rand(40, 50) > 0.7
    assert torch.equal(places(chosen), chosen.flatten().nonzero()[:, 0])


def test_the_number_of_threads_changes_nothing_and_is_given_back():
    output, threads = crowd(1), torch.get_num_threads()
    planes = to_tensors(output, output.foreground > 0.6, torch.device("cpu"))
    try:
        found = []
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(find_segments(planes, VotesSettings()))
        VotesEngine(VotesSettings()).cells(output)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    one, other = found
    assert torch.equal(one.density, other.density)
    assert torch.equal(one.regions.image, other.regions.image)
    assert same_bits(one.borders.observed, other.borders.observed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA card")
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_card_finds_what_the_cpu_finds_bit_by_bit(seed, strict):
    output = crowd(seed)
    host, card = (VotesEngine(VotesSettings(), d) for d in ("cpu", "cuda"))
    wanted = host.cluster([output])[0]
    torch.use_deterministic_algorithms(strict)
    try:
        found = card.cluster([output])[0]
    finally:
        torch.use_deterministic_algorithms(False)
    check_same(wanted, found)
    inside = output.foreground > 0.6
    one, other = (
        find_segments(to_tensors(output, inside, torch.device(d)), VotesSettings())
        for d in ("cpu", "cuda")
    )
    assert torch.equal(one.density, other.density.cpu())
    assert torch.equal(one.peaks.passes, other.peaks.passes.cpu())
    assert same_bits(one.borders.observed, other.borders.observed)


def test_the_cpu_reads_the_arrays_themselves_and_leaves_them():
    output = crowd()
    before = [output.offset.copy(), output.seed.copy(), output.embedding.copy()]
    inside = output.foreground > 0.6
    planes = to_tensors(output, inside, torch.device("cpu"))
    assert np.shares_memory(planes.embedding.numpy(), output.embedding)
    VotesEngine(VotesSettings()).cells(output)
    for array, kept in zip(
        (output.offset, output.seed, output.embedding), before, strict=True
    ):
        assert same_bits(array, kept)


def test_what_travels_to_a_card_is_what_the_cpu_reads():
    output = crowd()
    inside = output.foreground > 0.6
    read = to_tensors(output, inside, torch.device("cpu"))
    packed = pack(output, inside)
    assert packed.shape == (len(output.embedding) + 4, *output.shape)
    sent = unpack(torch.from_numpy(packed), output.cell_size)
    for name in ("inside", "offset", "seed", "embedding"):
        assert torch.equal(getattr(read, name), getattr(sent, name))


def test_arrays_that_may_not_be_written_to_are_read():
    output = crowd()
    wanted = VotesEngine(VotesSettings()).cells(output)
    for array in (output.offset, output.seed, output.embedding):
        array.setflags(write=False)
    assert same_bits(VotesEngine(VotesSettings()).cells(output), wanted)


def test_segments_are_numbered_in_the_order_of_rows():
    output = crowd()
    labels, borders = segments_of(output, output.foreground > 0.6, VotesSettings())
    assert labels.dtype == np.int32
    assert ((labels > 0) == (output.foreground > 0.6)).all()
    _, first = np.unique(labels[labels > 0], return_index=True)
    assert (np.diff(first) > 0).all()
    assert borders.pairs.max() <= labels.max()


def square_cells(gap):
    labels = np.zeros((30, 60), np.int32)
    labels[8:20, 8:20], labels[8:20, 20 + gap : 32 + gap] = 1, 2
    return labels


def certainty_of(output):
    return VotesEngine(VotesSettings()).cluster([output])[0][1]


def test_perfect_cells_that_stand_alone_are_sure():
    found = certainty_of(perfect_output(square_cells(gap=6)))
    assert found.numbers.tolist() == [1, 2]
    for score in (found.votes, found.borders, found.persistence, found.margin):
        assert score.tolist() == [1.0, 1.0]


def test_scores_belong_to_the_cells_that_are_found():
    labels, found = VotesEngine(VotesSettings()).cluster([crowd()])[0]
    assert found.numbers.tolist() == [n for n in np.unique(labels).tolist() if n]
    for score in (found.votes, found.borders, found.persistence, found.margin):
        assert score.shape == found.numbers.shape
        assert ((score >= 0) & (score <= 1)).all()


def test_votes_that_run_together_make_cells_less_sure():
    """The nearer the votes of two cells fall to one another, the lower the pass."""
    labels = square_cells(gap=0)
    rng = np.random.default_rng(0)
    found = []
    for spread in (0.3, 2.0):
        output = perfect_output(labels)
        noise = rng.normal(0, spread, output.offset.shape).astype(np.float32)
        both = certainty_of(replace(output, offset=output.offset + noise))
        assert len(both.numbers) == 2
        found.append(both)
    sharp, blurred = found
    # Where both share a peak, nothing is known of either.
    assert (np.nan_to_num(blurred.persistence) < sharp.persistence).all()
    assert (blurred.votes < sharp.votes).all()


def test_a_border_near_the_threshold_is_a_doubtful_one():
    output = perfect_output(square_cells(gap=0))
    sure = certainty_of(output).borders
    chance = segments_of(output, output.foreground > 0.6, VotesSettings())[1].chance[0]
    near = VotesEngine(VotesSettings(join=float(chance) * 1.01))
    assert (near.cluster([output])[0][1].borders < 0.05).all()
    assert (sure > 0.5).all()


def test_a_frame_without_cells_has_no_scores():
    labels, found = VotesEngine(VotesSettings()).cluster(
        [perfect_output(np.zeros((16, 16), np.int32))]
    )[0]
    assert not labels.any()
    assert len(found.numbers) == len(found.margin) == 0


def test_foreground_without_any_vote_is_no_cell():
    output = perfect_output(square_cells(gap=6))
    blind = replace(output, seed=np.zeros_like(output.seed))
    labels, found = VotesEngine(VotesSettings()).cluster([blind])[0]
    assert not labels.any()
    assert len(found.numbers) == 0


def test_a_cell_larger_than_the_map_expects_is_found():
    """Smoothing as wide as a cell reaches beyond the margin of the map."""
    labels = square_cells(gap=6)
    wide = VotesSettings(smoothing=2.0, least_votes=0.0)
    found = VotesEngine(wide).cells(perfect_output(labels))
    assert same_partition(found > 0, labels > 0)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_a_network_says_cells_are_connected_and_scored(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 26, 2))
    embedding = rng.normal(size=(3, *shape))
    output = FrameOutput(
        foreground=rng.random(shape).astype(np.float32),
        embedding=(embedding / np.linalg.norm(embedding, axis=0)).astype(np.float32),
        offset=rng.normal(0, rng.choice([0, 1, 5, 500]), (2, *shape)).astype("f4"),
        motion=None,
        seed=(rng.random(shape) * rng.choice([0, 1e-3, 1])).astype(np.float32),
        cell_size=float(rng.choice([1, 3, 8, 24])),
    )
    settings = VotesSettings(
        foreground=float(rng.choice([0.1, 0.5])),
        least_votes=float(rng.choice([0, 0.3, 0.8])),
        smallest=float(rng.choice([0, 0.15])),
        join=float(rng.choice([0, 0.3, 1])),
        smoothing=float(rng.choice([0.01, 0.05, 0.5])),
    )
    labels, found = VotesEngine(settings).cluster([output])[0]
    assert found.numbers.tolist() == [n for n in np.unique(labels).tolist() if n]
    for number in found.numbers:
        assert ndimage.label(labels == number)[1] == 1
    known = found.persistence[~np.isnan(found.persistence)]
    for score in (found.votes, found.borders, known):
        assert ((score >= 0) & (score <= 1)).all()
