"""What was opened last, remembered from one start of napari to the next."""

from pathlib import Path

from qtpy.QtCore import QSettings

MOST = 8
KEY = "recent"


def settings() -> QSettings:
    """Where it is remembered: a file of the user's own settings."""
    return QSettings(
        QSettings.Format.IniFormat,
        QSettings.Scope.UserScope,
        "napari-semiconv",
        "napari-semiconv",
    )


def remembered() -> tuple[Path, ...]:
    """Give what was opened last, the latest first; what is gone is left out."""
    stored = settings().value(KEY, [])
    # A list of one comes back as its text.
    names = [stored] if isinstance(stored, str) else list(stored or [])
    return tuple(path for path in map(Path, names) if path.exists())


def remember(path: Path) -> None:
    """Put a path at the top."""
    path = path.absolute()
    known = [str(path), *(str(p) for p in remembered() if p != path)]
    settings().setValue(KEY, known[:MOST])
