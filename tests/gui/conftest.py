"""What all tests of the window share."""

import gc

import pytest


@pytest.fixture(autouse=True)
def _nothing_remembered(tmp_path_factory, monkeypatch):
    """What the user opened last is neither read nor changed."""
    qtcore = pytest.importorskip("qtpy.QtCore")
    settings = qtcore.QSettings
    folder = str(tmp_path_factory.mktemp("settings"))
    settings.setPath(settings.Format.IniFormat, settings.Scope.UserScope, folder)


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_is_not_looked_through():
    """Leave out of garbage collection what earlier tests imported and made.

    napari collects several times after each window: after thousands of tests in one
    process that takes longer than the test, and freezes windows that are timed.
    """
    gc.collect()
    gc.freeze()
