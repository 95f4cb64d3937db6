"""What all tests share."""

import multiprocessing.process
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SEMICONV_DATA", ROOT.parent / "shared" / "data"))


# Tests that start a process, train, open a window, damage files by chance, or take a
# whole movie through the network. All others are unit tests: fast, and run first.
SYSTEM = (
    "cli", "compute", "edits/test_codec.py::test_a_change_comes_back_as_it_was",
    "edits/test_rebase.py", "edits/test_sequences.py", "gui",
    "inference/test_constraints_engines.py", "inference/test_new_engine.py",
    "inference/test_pipeline.py", "inference/test_published.py",
    "inference/test_region_engine.py",
    "inference/test_resegment.py", "inference/test_run_state.py",
    "inference/test_sizing.py", "inference/test_state.py", "inference/test_stream.py",
    "inference/test_tiling.py", "io/test_formats.py::test_the_table_is_light",
    "io/test_fuzz.py", "project/test_full_disk.py", "project/test_kills.py",
    "project/test_project.py::test_a_second_window_opens_to_read_only",
    "project/suspects/test_suspects.py::test_after_any_edits_all_is_as_measured_anew",
    "project/test_solving.py::test_whatever_was_edited",
    "project/test_solving_around.py::test_whatever_was_edited",
    "test_benchmark", "test_documentation.py", "test_experiments",
    "test_import_time.py", "teaching/test_teach.py",
    "test_labels.py::test_importing_loads_no_image_library",
    "tracking/test_challenge_measures.py", "training/test_loop.py",
    "training/test_loading.py", "training/test_new_head.py",
    "training/test_precision.py", "workflows",
)  # fmt: skip
TESTS = Path(__file__).parent


def pytest_ignore_collect(collection_path, config):
    # What only system tests load is not loaded for the unit tests alone.
    alone = config.getoption("markexpr", "").startswith("unit")
    if alone and is_system(collection_path.relative_to(TESTS).as_posix()):
        return True
    return None


def pytest_collection_modifyitems(items):
    mark = pytest.mark.skip(reason="no display; `make test` brings a virtual one")
    for item in items:
        tier = "unit" if is_unit(item) else "system"
        item.add_marker(tier)
        if item.get_closest_marker("gui") and not has_display():
            item.add_marker(mark)
    # Stable: within a tier they stay as they are.
    items.sort(key=lambda item: item.get_closest_marker("system") is not None)


def is_unit(item):
    place = f"{item.path.relative_to(TESTS).as_posix()}::{item.name}"
    apart = any(item.get_closest_marker(name) for name in ("gui", "slow", "gpu"))
    return not apart and not is_system(place)


def is_system(place):
    return place.startswith(SYSTEM)


def pytest_runtest_setup(item):
    # What is wrong in a unit is told at once, not after minutes of whole movies.
    if item.get_closest_marker("system") and getattr(
        item.session, "unit_failed", False
    ):
        item.session.shouldstop = "unit tests failed; system tests: ARGS='-m system'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed and item.get_closest_marker("unit"):
        item.session.unit_failed = True
    return report


@pytest.fixture(autouse=True)
def _unit_tests_start_no_process(request, monkeypatch):
    if not request.node.get_closest_marker("unit"):
        return

    def refuse(*_, **__):
        pytest.fail("a unit test starts no process; name its file in tests/conftest.py")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", refuse)


def has_display():
    if not sys.platform.startswith("linux"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in names)


@pytest.fixture(scope="session")
def data():
    """Folder of the real videos; tests that need it are skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the real videos are not here; say where with SEMICONV_DATA")
    return DATA


@pytest.fixture
def random():
    """Random numbers that are the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_weights_every_run():
    # Only where a test has imported torch already: opening and saving go without it.
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)
