"""The command `train` with a stand-in for the training itself."""

import signal

import pytest

from napari_semiconv.cli import main
from napari_semiconv.errors import NonFiniteLossError
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training import checkpoint, loop
from napari_semiconv.training.loop import TrainProgress
from napari_semiconv.training.settings import TrainSettings


class Training:
    """Takes the steps the settings ask for; notes what it was asked and when closed."""

    def __init__(self, first=1, at_step=lambda step: None):
        self.first = first
        self.at_step = at_step
        self.asked = None
        self.closed_after = None

    def __call__(self, folders, output, settings, *, resume=False):
        self.asked = list(folders), output, settings, resume
        step = self.first - 1
        try:
            for step in range(self.first, settings.steps + 1):
                self.at_step(step)
                yield TrainProgress(step, settings.steps, {"seed": 0.5}, {"AP50": 0.9})
        finally:
            self.closed_after = step


@pytest.fixture
def use(monkeypatch):
    def choose(training):
        monkeypatch.setattr(loop, "train", training)
        return training

    return choose


def train(tmp_path, *options):
    folders = [str(tmp_path / name) for name in ("a", "b")]
    return main(["train", *folders, "--output", str(tmp_path / "run"), *options])


def test_a_model_to_start_from_reaches_the_training(tmp_path, use, capsys):
    training = use(Training())
    assert train(tmp_path, "--model", "default", "--steps", "1") == 0
    assert training.asked[2] == TrainSettings(start="default", steps=1)
    with pytest.raises(SystemExit):
        train(tmp_path, "--model", "default", "--preset", "tiny")
    assert "not allowed with" in capsys.readouterr().err


def test_folders_and_choices_reach_the_training(tmp_path, use, capsys):
    training = use(Training())
    options = ("--preset", "tiny", "--steps", "5", "--device", "cpu", "--seed", "7")
    assert train(tmp_path, *options) == 0
    folders, output, settings, resume = training.asked
    assert folders == [tmp_path / "a", tmp_path / "b"]
    assert output == tmp_path / "run"
    assert settings == TrainSettings(preset="tiny", steps=5, device="cpu", seed=7)
    assert not resume
    model = tmp_path / "run" / "model"
    assert capsys.readouterr().out == f"5 of 5 steps done; model in {model}.\n"


def test_nothing_chosen_means_the_usual_settings(tmp_path, use):
    training = use(Training(first=TrainSettings().steps))
    assert train(tmp_path) == 0
    assert training.asked[2] == TrainSettings()


def test_resuming_keeps_the_settings_of_the_checkpoint(tmp_path, use, monkeypatch):
    before = TrainSettings(preset="tiny", steps=9, crop=64, seed=3)
    facts = checkpoint.TrainFacts(
        settings=before, network=NETWORK_PRESETS["tiny"], folders=("a", "b")
    )
    monkeypatch.setattr(checkpoint, "saved_facts", lambda folder: facts)
    training = use(Training(first=5))
    assert train(tmp_path, "--resume") == 0
    assert training.asked[2] == before
    assert training.asked[3]


def test_an_interrupt_ends_after_the_step_and_closes_training(tmp_path, use, capsys):
    def at_step(step):
        if step == 3:
            signal.raise_signal(signal.SIGINT)

    training = use(Training(at_step=at_step))
    assert train(tmp_path, "--steps", "9") == 130
    assert training.closed_after == 3
    assert capsys.readouterr().out.startswith("3 of 9 steps done")


def test_a_training_that_is_done_says_so(tmp_path, use, capsys):
    use(Training(first=6))
    assert train(tmp_path, "--steps", "5") == 0
    assert "Nothing to do: all 5 steps" in capsys.readouterr().out


def test_an_error_is_one_sentence(tmp_path, use, capsys):
    def at_step(step):
        raise NonFiniteLossError("Training stopped at step 0.")

    use(Training(at_step=at_step))
    assert train(tmp_path) == 1
    assert capsys.readouterr().err == "Training stopped at step 0.\n"
