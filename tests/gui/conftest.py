"""What all tests of the window share."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_remembered(tmp_path_factory, monkeypatch):
    """What the user opened last is neither read nor changed."""
    qtcore = pytest.importorskip("qtpy.QtCore")
    settings = qtcore.QSettings
    folder = str(tmp_path_factory.mktemp("settings"))
    settings.setPath(settings.Format.IniFormat, settings.Scope.UserScope, folder)
