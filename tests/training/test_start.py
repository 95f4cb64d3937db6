"""What a training begins with: network, optimiser, rate, folder; what is refused."""

import pytest
import torch

from napari_semiconv.errors import (
    BadSettingsError,
    DeviceError,
    NonFiniteLossError,
    SaveError,
)
from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.weights import save_model
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training.published import PUBLISHED
from napari_semiconv.training.settings import OF_NETWORK, TrainSettings
from napari_semiconv.training.start import (
    check_kept,
    check_precision,
    first_network,
    fresh_folder,
    learning_rate,
    optimiser_of,
)

TINY = TrainSettings(preset="tiny", cell_size=12)
CHOSEN = {
    "operator": "learned",
    "bandwidth": "cell",
    "kernel": "bilateral",
    "embedding_size": 5,
    "memory": "lstm",
}


def changed(**choices):
    return TINY.model_copy(update=choices)


def test_a_new_network_is_that_of_the_preset_with_what_was_chosen():
    assert first_network(TINY).settings == NETWORK_PRESETS["tiny"]
    found = first_network(changed(**CHOSEN)).settings
    assert found == NETWORK_PRESETS["tiny"].model_copy(update=CHOSEN)
    assert set(CHOSEN) == set(OF_NETWORK)


def test_the_lovasz_hinge_comes_with_the_gaussian_unless_chosen_otherwise():
    lovasz = changed(cell_loss="lovasz")
    assert first_network(lovasz).settings.kernel == "gaussian"
    laplacian = changed(cell_loss="lovasz", kernel="laplacian")
    assert first_network(laplacian).settings.kernel == "laplacian"


@pytest.fixture
def model(tmp_path):
    network = Embedder(NETWORK_PRESETS["tiny"])
    torch.nn.init.constant_(network.kernel.log_sigma, 0.5)
    folder = tmp_path / "mine"
    save_model(folder, network, cell_size=12, description="", card="")
    return str(folder)


def test_a_trained_network_may_change_what_its_weights_fit(model):
    same = first_network(changed(start=model))
    assert same.settings == NETWORK_PRESETS["tiny"]
    other = first_network(changed(start=model, kernel="gaussian"))
    assert other.settings.kernel == "gaussian"
    assert other.kernel.log_sigma.item() == 0.5
    with pytest.raises(BadSettingsError, match="embedding size, memory that it was"):
        first_network(changed(start=model, embedding_size=5, memory="lstm"))


@pytest.mark.parametrize(
    "choice", [{"kernel": "gaussian"}, {"repulsion": 1.0}, {"centre": "medoid"}]
)
def test_a_network_without_votes_has_no_choice_about_them(choice):
    settings = TrainSettings(preset="payer2019", **choice)
    with pytest.raises(BadSettingsError, match="'payer2019': expected a network with"):
        first_network(settings)


def test_an_unknown_preset_is_refused_with_those_there_are():
    with pytest.raises(BadSettingsError, match=r"expected one of compact, .*tiny"):
        first_network(changed(preset="huge"))


def test_published_settings_are_usual_values_that_a_choice_overrides():
    for preset, published in PUBLISHED.items():
        found = TrainSettings(preset=preset)
        assert {name: getattr(found, name) for name in published} == published
        assert TrainSettings(preset=preset, pull="cos").pull == "cos"
        assert TrainSettings.model_validate(found.model_dump()) == found
    assert TrainSettings(preset="tiny") == TrainSettings().model_copy(
        update={"preset": "tiny"}
    )


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("payer2018", ("nadam", "cos", "mean", "2018", 10, 256, 16, 40_000, 8)),
        ("payer2019", ("adam", "cos2", "fixed", "2019", 8, 256, 31, 40_000, 6)),
    ],
)
def test_the_published_recipes_hold_the_published_numbers(preset, expected):
    found = TrainSettings(preset=preset)
    names = ("optimiser", "pull", "background", "neighbour_rule", "frames", "crop")
    names += ("most_cells", "steps", "elastic_nodes")
    assert tuple(getattr(found, name) for name in names) == expected
    assert (found.learning_rate, found.weight_decay) == (1e-4, 1e-5)


def test_the_published_rate_is_a_tenth_from_half_of_the_steps():
    published = TrainSettings(preset="payer2019")
    rates = [learning_rate(step, published) for step in (0, 19_999, 20_000, 39_999)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])


def test_the_usual_rate_rises_and_falls():
    settings = changed(steps=100, warm_up=10, cool_down=0.5, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in (0, 9, 49, 75, 99)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.5, 0.02])


@pytest.mark.parametrize("name", ["adam", "nadam"])
def test_the_published_decay_is_a_loss_on_kernels_alone(name):
    """With a loss of zero the first step of Adam goes against the decay's gradient."""
    network = torch.nn.Conv2d(1, 1, 1)
    torch.nn.init.ones_(network.weight), torch.nn.init.ones_(network.bias)
    settings = changed(optimiser=name, weight_decay=1e-5)
    optimiser = optimiser_of(network, settings)
    for group in optimiser.param_groups:
        group["lr"] = 1e-2
    (network(torch.zeros(1, 1, 1, 1)) * 0).sum().backward()
    optimiser.step()
    assert network.weight.item() < 0.999
    assert network.bias.item() == 1
    kinds = {"adam": torch.optim.Adam, "nadam": torch.optim.NAdam}
    assert type(optimiser) is kinds[name]


@pytest.mark.parametrize(
    "change", [{"kernel": "gaussian"}, {"optimiser": "adam"}, {"preset": "compact"}]
)
def test_a_resumed_training_keeps_what_its_weights_hang_on(change, tmp_path):
    check_kept(TINY, changed(steps=7, precision="bfloat16"), tmp_path)
    with pytest.raises(
        BadSettingsError, match=f"expected the {next(iter(change))} that"
    ):
        check_kept(TINY, TINY.model_copy(update=change), tmp_path)


def test_half_precision_is_refused_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    check_precision(torch.device("cpu"), TINY)
    with pytest.raises(DeviceError, match="Choose float32"):
        check_precision(torch.device("cpu"), changed(precision="bfloat16"))


def fail_in(folder, leaving=()):
    with fresh_folder(folder):
        assert folder.is_dir()
        for name in leaving:
            (folder / name).touch()
        raise NonFiniteLossError


def test_a_folder_is_gone_again_when_what_follows_fails(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(NonFiniteLossError):
        fail_in(tmp_path / "there/a/b")
    assert list(tmp_path.iterdir()) == [tmp_path / "there"]
    with fresh_folder(tmp_path / "there/a/b"):
        pass
    assert (tmp_path / "there/a/b").is_dir()


def test_a_folder_with_something_in_it_stays(tmp_path):
    with pytest.raises(NonFiniteLossError):
        fail_in(tmp_path / "a/b", leaving=("file",))
    assert (tmp_path / "a/b/file").is_file()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="could not be written"):
        fresh_folder(tmp_path / "file" / "run").__enter__()
