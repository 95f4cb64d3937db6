import subprocess
import sys

import pytest

from napari_semiconv.cli import main, window
from napari_semiconv.errors import SemiconvError
from napari_semiconv.inference.presets import PRESETS


def test_diagnose_names_versions_and_devices(capsys):
    assert main(["diagnose"]) == 0
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert {"Python", "napari", "torch", "devices"} <= set(rows)
    assert "cpu" in rows["devices"]


def test_models_lists_the_one_that_is_shipped(capsys):
    assert main(["models"]) == 0
    assert capsys.readouterr().out.startswith("default ")


def test_presets_lists_every_preset_with_what_it_is_for(capsys):
    assert main(["presets"]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in rows] == list(PRESETS)
    assert len({purpose for _, purpose in rows}) == len(PRESETS)
    purposes = dict(rows)
    assert "Fluo-N2DL-HeLa" in purposes["payer2018-hela"]
    assert "256 x 256 px" in purposes["payer2018-hela"]
    assert "rescaled by cell size" in purposes["payer2019"]


def test_no_display_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(window, "has_display", lambda: False)
    with pytest.raises(SemiconvError, match="expected a display, found none"):
        window.show(tmp_path)


def test_no_qt_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(window, "has_display", lambda: True)
    monkeypatch.setattr(window, "find_spec", lambda name: None)
    with pytest.raises(SemiconvError, match="expected a Qt library, found none"):
        window.show(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no broken pipes")
def test_a_reader_that_has_seen_enough_is_no_error_to_shout_about():
    code = """if True:
        import sys
        from napari_semiconv.cli import models
        from napari_semiconv.cli.entry import main
        models.models = lambda arguments: print("default")
        sys.exit(main(["models"]))
    """
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as run:
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 1
