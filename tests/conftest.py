"""What all tests share."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SEMICONV_DATA", ROOT.parent / "shared" / "data"))


def pytest_collection_modifyitems(items):
    if has_display():
        return
    mark = pytest.mark.skip(reason="no display; `make test` brings a virtual one")
    for item in items:
        if item.get_closest_marker("gui"):
            item.add_marker(mark)


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
