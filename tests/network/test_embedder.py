"""Laws of the network: sizes of the papers, memory, gradients, clear refusals."""

import pytest
import torch

from napari_semiconv.errors import BadInputError
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.memory import ConvGRU, ConvLSTM
from napari_semiconv.settings import NETWORK_PRESETS, NetworkSettings

SMALL = {"channels": (8, 8, 8), "embedding_size": 4}


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("choice", "count"),
    [
        ({}, 4_088_352),
        ({"memory": "lstm"}, 5_121_440),
        ({"memory": "none"}, 1_506_080),
        ({"layout": "mia"}, 4_136_608),
        ({"layout": "mia", "memory": "lstm"}, 5_169_696),
        ({"layout": "mia", "memory": "none"}, 1_554_336),
        ({"embedding_size": 32}, 4_116_032),
        ({"image_channels": 3}, 4_090_656),
        ({"channels": (32,) * 4}, 587_104),
        (SMALL, 27_752),
    ],
    ids=str,
)
def test_the_network_has_as_many_weights_as_the_paper_says(choice, count):
    assert parameters(Embedder(NetworkSettings(**choice))) == count


def test_presets_of_the_papers_are_the_published_networks():
    assert parameters(Embedder(NETWORK_PRESETS["payer2018"])) == 4_088_352
    assert parameters(Embedder(NETWORK_PRESETS["payer2019"])) == 4_136_608


def test_the_compact_network_fits_in_sixteen_megabytes():
    assert parameters(Embedder(NETWORK_PRESETS["compact"])) * 4 < 16e6


def test_a_new_gru_keeps_half_of_nothing_and_takes_half_of_the_frame():
    gru = ConvGRU(4)
    x = torch.randn(2, 4, 6, 6)
    fresh = torch.relu(gru.candidate(torch.cat([x, torch.zeros_like(x)], 1)))
    out, state = gru(x, None)
    torch.testing.assert_close(out, fresh / 2)
    assert out is state


def test_the_update_gate_keeps_the_old_state():
    gru = ConvGRU(4)
    torch.nn.init.constant_(gru.update.bias, 50.0)
    old = torch.rand(1, 4, 5, 5)
    out, _ = gru(torch.randn(1, 4, 5, 5), old)
    torch.testing.assert_close(out, old)


def test_a_bounded_state_stays_bounded_however_long_the_movie():
    free, bounded = ConvGRU(2), ConvGRU(2, limit=3.0)
    for gru in (free, bounded):
        torch.nn.init.constant_(gru.candidate.weight, 1.0)  # it feeds itself
    x, states = torch.rand(1, 2, 6, 6), [None, None]
    for _ in range(200):
        states = [gru(x, s)[1] for gru, s in zip((free, bounded), states, strict=True)]
    assert not torch.isfinite(states[0]).all()
    assert 0 <= states[1].min() <= states[1].max() <= 3


def test_an_open_lstm_remembers_its_cell():
    lstm = ConvLSTM(3)
    for p in lstm.parameters():
        torch.nn.init.zeros_(p)
    cell = torch.randn(1, 3, 4, 4)
    out, state = lstm(
        torch.zeros(1, 3, 4, 4), torch.cat([cell, torch.zeros_like(cell)], 1)
    )
    kept = cell * torch.sigmoid(
        torch.tensor(1.0)
    )  # forget bias 1, all gates else one half
    torch.testing.assert_close(state[:, :3], kept)
    torch.testing.assert_close(out, 0.5 * torch.tanh(kept))


NETWORKS = {
    "miccai gru": NetworkSettings(**SMALL),
    "miccai lstm": NetworkSettings(**SMALL, memory="lstm"),
    "mia none": NetworkSettings(**SMALL, layout="mia", memory="none"),
    "tiny": NETWORK_PRESETS["tiny"],
    "late memory": NetworkSettings(
        channels=(8, 16, 16), memory_from=1, convolutions=2, offsets=True, stacks=1
    ),
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request):
    torch.manual_seed(0)
    return Embedder(request.param)


def clip_for(network, frames=3):
    return torch.randn(frames, 1, network.settings.image_channels, 32, 16)


def test_maps_have_the_shape_of_the_frame(network):
    output, state = network(clip_for(network)[0])
    size = network.settings.embedding_size
    assert all(e.shape == (1, size, 32, 16) for e in output.embeddings)
    assert len(state) == network.settings.stacks * len(network.settings.channels)
    if network.heads is not None:
        shapes = {name: tuple(one.shape) for name, one in output.maps.items()}
        assert shapes["offset"] == shapes["motion"] == (1, 2, 32, 16)
        assert shapes["seed"] == shapes["foreground"] == (1, 1, 32, 16)


def test_frames_of_a_batch_do_not_mix(network):
    """Two clips side by side, frame by frame, equal each clip on its own."""
    a, b = clip_for(network), clip_for(network)
    state, together = None, []
    for frames in zip(a, b, strict=True):
        output, state = network(torch.cat(frames), state)
        together.append(output.embedding)
    for place, clip in enumerate((a, b)):
        state, alone = None, []
        for frame in clip:
            output, state = network(frame, state)
            alone.append(output.embedding[0])
        torch.testing.assert_close(
            torch.stack([t[place] for t in together]),
            torch.stack(alone),
            atol=1e-4,
            rtol=1e-4,
        )


def test_stopping_and_going_on_from_the_state_changes_nothing(network):
    clip = clip_for(network, 4)
    state = None
    for frame in clip:
        whole, state = network(frame, state)
    state = None
    for frame in clip[:2]:
        _, state = network(frame, state)
    state = [s.detach().clone() for s in state]
    for frame in clip[2:]:
        part, state = network(frame, state)
    assert torch.equal(whole.embedding, part.embedding)


def test_memory_makes_the_past_matter_and_its_absence_does_not(network):
    clip = clip_for(network)
    _, state = network(clip[0])
    after, _ = network(clip[1], state)
    alone, _ = network(clip[1])
    differs = not torch.allclose(after.embedding, alone.embedding, atol=1e-6)
    assert differs == (network.settings.memory != "none")


def test_a_gradient_reaches_every_weight(network):
    state, total = None, 0
    for frame in clip_for(network):
        output, state = network(frame, state)
        total = total + sum(e.square().sum() for e in output.embeddings)
        if network.heads is not None:
            for name in ("offset", "motion", "seed", "foreground"):
                total = total + (output.maps[name] + 1).square().sum()
    if network.kernel is not None:
        total = total + network.kernel.sigma
    total.backward()
    missing = [n for n, p in network.named_parameters() if p.grad is None]
    assert not missing
    # The gates of a new GRU have zero weights, but their gradient is not zero.
    assert all(p.grad.abs().sum() > 0 for _, p in network.named_parameters())


def test_a_frame_off_the_stride_is_refused_with_the_shape_to_pad_to():
    with pytest.raises(
        BadInputError, match=r"multiples of 4 px, found 30 x 16.*32 x 16"
    ):
        Embedder(NetworkSettings(**SMALL))(torch.zeros(1, 1, 30, 16))
