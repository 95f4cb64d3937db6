"""The command `train` with a stand-in for the training itself."""

import signal

import pytest

from napari_semiconv.cli import main, train_options
from napari_semiconv.errors import NonFiniteLossError
from napari_semiconv.settings import NETWORK_PRESETS
from napari_semiconv.training import checkpoint
from napari_semiconv.training.loop import TrainProgress
from napari_semiconv.training.settings import TrainSettings
from napari_semiconv.workflows import training as workflow


class Training:
    """Takes the steps the settings ask for; notes what it was asked and when closed."""

    def __init__(self, first=1, at_step=lambda step: None, notes=None):
        self.first = first
        self.at_step = at_step
        self.notes = notes or {}
        self.asked = None
        self.closed_after = None

    def __call__(self, folders, output, settings, *, resume=False, read=None):
        self.asked = list(folders), output, settings, resume
        step = self.first - 1
        try:
            for step in range(self.first, settings.steps + 1):
                self.at_step(step)
                known = {"seed": 0.5}, {"AP50": 0.9}, self.notes.get(step)
                yield TrainProgress(step, settings.steps, *known)
        finally:
            self.closed_after = step


@pytest.fixture
def use(monkeypatch):
    def choose(training):
        monkeypatch.setattr(workflow, "steps_of_training", training)
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


def test_every_setting_of_training_can_be_chosen_and_is_explained_in_its_own_words(
    capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "10000")
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    offered = {*train_options.USUAL, *sum(train_options.GROUPS.values(), ())}
    assert offered | {"preset", "start"} == set(TrainSettings.model_fields)
    for name, field in TrainSettings.model_fields.items():
        if name != "start":
            assert f"--{name.replace('_', '-')}" in shown
            assert field.description.removesuffix(".")[1:] in shown
    # What most people never touch comes after what they do.
    assert (
        shown.index("--steps") < shown.index("for experiments") < shown.index("--pull")
    )


def test_choices_of_losses_and_network_reach_the_training(tmp_path, use):
    training = use(Training())
    line = (
        "--steps 1 --pull cos2 --background mean --neighbour-rule 2019 "
        "--neighbour-radius 1.5 --neighbour-dilation 0 --most-cells 9 "
        "--cell-loss lovasz --centre medoid --repulsion 0.5 --repulsion-margin 1.25 "
        "--operator learned --bandwidth cell --kernel bilateral --embedding-size 16 "
        "--memory lstm --precision bfloat16 --optimiser adam --schedule step"
    )
    assert train(tmp_path, *line.split()) == 0
    expected = TrainSettings(
        steps=1,
        pull="cos2",
        background="mean",
        neighbour_rule="2019",
        neighbour_radius=1.5,
        neighbour_dilation=0,
        most_cells=9,
        cell_loss="lovasz",
        centre="medoid",
        repulsion=0.5,
        repulsion_margin=1.25,
        operator="learned",
        bandwidth="cell",
        kernel="bilateral",
        embedding_size=16,
        memory="lstm",
        precision="bfloat16",
        optimiser="adam",
        schedule="step",
    )
    assert training.asked[2] == expected


@pytest.mark.parametrize(
    ("preset", "pull", "background", "rule"),
    [("payer2018", "cos", "mean", "2018"), ("payer2019", "cos2", "fixed", "2019")],
)
def test_a_published_preset_is_trained_as_published_unless_chosen_otherwise(
    tmp_path, use, preset, pull, background, rule
):
    training = use(Training())
    assert train(tmp_path, "--preset", preset, "--steps", "1") == 0
    found = training.asked[2]
    assert (found.pull, found.background, found.neighbour_rule) == (
        pull,
        background,
        rule,
    )
    assert (found.steps, found.learning_rate, found.schedule) == (1, 1e-4, "step")
    other = "cos2" if pull == "cos" else "cos"
    assert train(tmp_path, "--preset", preset, "--steps", "1", "--pull", other) == 0
    assert training.asked[2] == found.model_copy(update={"pull": other})


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--neighbour-radius", "0", "a number above 0"),
        ("--learning-rate", "inf", "a number above 0"),
        ("--held-out", "1", "a number from 0 and below 1"),
        ("--cool-down", "1.5", "a number above 0 to 1"),
        ("--embedding-size", "1", "a whole number from 2"),
        ("--most-cells", "some", "a whole number from 0"),
    ],
)
def test_values_beyond_the_limits_of_a_setting_are_refused(
    tmp_path, option, value, expected, capsys
):
    with pytest.raises(SystemExit):
        train(tmp_path, option, value)
    assert f"expected {expected}, found '{value}'" in capsys.readouterr().err


def test_a_note_of_the_training_is_shown_beside_the_work(tmp_path, use, capsys):
    use(Training(notes={2: "Cells may be joined."}))
    assert train(tmp_path, "--steps", "3") == 0
    told = capsys.readouterr()
    assert told.err == "Cells may be joined.\n"
    assert told.out.startswith("3 of 3 steps done")


def test_a_folder_that_cannot_be_used_leaves_no_trace(tmp_path, capsys):
    (tmp_path / "a").mkdir()
    assert train(tmp_path) == 1
    assert "expected sub-folders 01 and 01_GT" in capsys.readouterr().err
    assert main(["train", "nowhere", "--output", str(tmp_path / "run" / "deep")]) == 1
    assert "nowhere: expected a folder" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
