"""What an engine costs: one file, and one line in the table with its settings."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from napari_semiconv.settings import ENGINES

ROOT = Path(__file__).resolve().parents[2]
# Cells are where the foreground is, in bands of some height.
ENGINE = """
from dataclasses import dataclass
import numpy as np

from ...settings import ENGINES


@dataclass
class Bands:
    height: int
    window: int = 1
    foreground: float = 0.5

    def cluster(self, outputs):
        rows = np.indices(outputs[0].shape)[0] // self.height + 1
        found = rows * (outputs[0].foreground > self.foreground)
        return [(found.astype(np.int32), None)]


def build(settings, model):
    return Bands(ENGINES["bands"].own(settings).height)
"""
TABLE = '''
class BandsSettings(Settings):
    """Bands."""

    height: int = setting(4, "Height", "Height of a band.", "px", ge=1)


BANDS = EngineInfo(
    "bands",
    "Bands",
    "Cells are bands of the foreground.",
    module="bands",
    part="bands",
    settings=BandsSettings,
)

ENGINES:'''
USED = """
import contextlib, io, json, sys
from pathlib import Path

import numpy as np

sys.path[:0] = [ROOT, ROOT + "/docs"]
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.cli import main

told = io.StringIO()
with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
    main(["segment", "--help"])
light = "torch" not in sys.modules

from hooks import on_page_markdown
from napari_semiconv.inference.pipeline import segment_and_track
from napari_semiconv.movie import movie_from_array
from tests.inference.tiny import tiny_model

settings = SegmentSettings.model_validate(
    {"engine": "bands", "bands": {"height": 9}, "cell_size": 24, "device": "cpu"}
)
movie = movie_from_array(np.random.default_rng(0).random((2, 32, 32)), "TYX")
results = list(segment_and_track(movie, tiny_model(Path.cwd()), settings))
print(json.dumps({
    "light": light,
    "help": told.getvalue(),
    "page": on_page_markdown("<!-- engines: settings -->"),
    "cells": [np.unique(r.labels).tolist() for r in results],
    "tracks": len(results[-1].lineage.tracks),
}))
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """What the program says with one engine more, in a copy of its source."""
    source = tmp_path_factory.mktemp("source")
    package = source / "napari_semiconv"
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "napari_semiconv", package, ignore=leave)
    (package / "inference" / "engines" / "bands.py").write_text(ENGINE)
    table = package / "settings" / "engines.py"
    text = table.read_text(encoding="utf-8")
    assert text.count("\nENGINES:") == text.count(", PAYER_2019)") == 1
    text = text.replace("\nENGINES:", TABLE).replace(
        ", PAYER_2019)", ", PAYER_2019, BANDS)"
    )
    table.write_text(text, encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-c", f"ROOT = {str(ROOT)!r}\n{USED}"],
        env={**os.environ, "PYTHONPATH": str(source)},
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def test_it_can_be_chosen_on_the_command_line_without_pytorch(used):
    assert "bands" in used["help"]
    assert used["light"]


def test_its_page_in_the_documentation_is_made(used):
    assert "| `height` | Height | Height of a band. | 4 px |" in used["page"]
    assert "*Bands*: Cells are bands of the foreground." in used["page"]


def test_the_pipeline_runs_it_and_links_its_cells(used):
    first, second = used["cells"]
    assert len(first) > 2
    assert used["tracks"] >= len(second) - 1


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.name)
def test_every_engine_of_the_table_tells_what_it_is(engine):
    assert engine.title
    assert engine.summary.endswith(".")
    assert bool(engine.heads) == bool(engine.heads_are)
    assert engine.misfit(engine.heads) == ""
