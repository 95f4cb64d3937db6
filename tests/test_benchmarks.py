import ast
import json
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import __main__ as command
from benchmarks import registry
from benchmarks.annotated import find_annotated, held_out_frames
from benchmarks.report import Report, as_json, as_markdown, as_text, machine, table

from napari_semiconv.errors import BadSettingsError

ROOT = Path(__file__).resolve().parents[1]


def test_list_names_every_benchmark(capsys):
    assert command.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == registry.names()
    assert {"accuracy", "import", "preview", "segment"} <= set(registry.names())


@pytest.mark.parametrize("name", registry.names())
def test_every_benchmark_says_what_it_measures(name):
    said = registry.description(name)
    assert said.endswith(".")
    assert len(said) > 20


@pytest.mark.parametrize("name", registry.names())
def test_every_benchmark_can_be_run(name):
    # Read, not imported: listing must not cost the import of the network.
    source = (registry.SUITE / f"{name}.py").read_text(encoding="utf-8")
    functions = {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    assert {"add_options", "run"} <= functions


def test_an_unknown_name_says_which_there_are(capsys):
    assert command.main(["nonsense"]) == 2
    said = capsys.readouterr().err
    assert "Benchmark 'nonsense': expected one of accuracy, biologist, " in said
    assert "found no benchmark of that name" in said


def test_a_missing_name_is_a_usage_error():
    with pytest.raises(SystemExit) as stop:
        command.main([])
    assert stop.value.code == 2


def test_listing_loads_no_network():
    code = (
        "import sys; from benchmarks.__main__ import main; main(['list']); "
        "print(*{'torch', 'napari', 'skimage'} & {*sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == ""


REPORT = Report(
    rows=[{"video": "a", "SEG": 0.81234, "cells": 7}, {"video": "bb", "SEG": None}],
    settings={"seed": 3},
    notes=["A sentence."],
)


def test_a_report_as_markdown_is_a_table_with_all_that_it_rests_on():
    lines = as_markdown("name", REPORT).splitlines()
    assert "python -m benchmarks name --markdown" in lines[0]
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(REPORT.rows)
    assert len({row.count("|") for row in rows}) == 1
    assert lines[-1].startswith("Settings: ")


def test_a_report_as_json_tells_all():
    told = json.loads(as_json("name", REPORT))
    assert told["rows"][0]["SEG"] == 0.81234
    assert told["rows"][1]["SEG"] is None
    assert told["settings"] == {"seed": 3}
    assert told["notes"] == ["A sentence."]
    assert {"processor", "cores"} <= set(told["machine"])
    assert {"napari-semiconv", "torch"} <= set(told["versions"])


def test_a_report_as_text_is_a_table():
    assert table(REPORT.rows) == [
        "video    SEG  cells",
        "a      0.812      7",
        "bb         -      -",
    ]
    text = as_text("name", REPORT)
    assert "Note: A sentence." in text
    assert "Settings: seed 3" in text


def test_no_report_names_the_computer():
    assert platform.node() not in {str(value) for value in machine().values()}


def test_peak_memory_grows_with_what_is_held():
    # In a process of its own: other tests may have held more than this one does.
    code = (
        "import numpy as np; from benchmarks.report import peak_memory;"
        "before = peak_memory(); held = np.ones(60 * 2**20, np.uint8);"
        "print(peak_memory() - before, held.any())"
    )
    run = [sys.executable, "-c", code]
    told = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(told.stdout.split()[0]) > 20


def test_the_last_fifth_of_the_frames_is_held_out():
    assert held_out_frames(65) == range(52, 65)
    assert held_out_frames(48) == range(38, 48)


def test_annotated_videos_are_found_by_name(tmp_path):
    for place in ("film/01", "film/01_GT/TRA", "pictures/images", "pictures/labels"):
        (tmp_path / place).mkdir(parents=True)
    for i in range(7):
        (tmp_path / "pictures" / "labels" / f"{i}.tif").touch()
    film, pictures = find_annotated(tmp_path, None)
    assert film.images == tmp_path / "film" / "01"
    assert film.silver.name == "01_ST"
    assert pictures.held_out() == ["4.tif"]
    assert find_annotated(tmp_path, "pic") == [pictures]
    with pytest.raises(BadSettingsError, match="expected one of film, pictures"):
        find_annotated(tmp_path, "other")


def test_without_videos_accuracy_is_skipped(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.setenv("SEMICONV_DATA", str(tmp_path / "absent"))
    assert command.main(["accuracy", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] == []
    assert told["notes"][0].startswith("Skipped")


def test_outlines_are_drawn_in_their_colours(tmp_path):
    from benchmarks.overlays import write_overlay
    from skimage.io import imread

    truth, found = np.zeros((2, 9, 9), np.uint16)
    truth[1:5, 1:5] = 1
    found[1:5, 1:4] = 3
    path = tmp_path / "new" / "frame.png"
    write_overlay(path, np.arange(81.0).reshape(9, 9), truth, found)
    picture = imread(path)
    assert picture.shape == (18, 18, 3)
    assert picture[2, 2].tolist() == [255, 255, 255]
    assert picture[4, 9].tolist() == [0, 255, 0]
    assert picture[4, 7].tolist() == [255, 0, 255]
