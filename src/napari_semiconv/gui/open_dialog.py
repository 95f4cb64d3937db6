"""One dialog for everything that can be opened: files and folders alike."""

from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QPushButton, QWidget

from ..workflows.opening import WHOLE

TITLE = "Open a movie, project or tracking result"


class OpenDialog(QFileDialog):
    """Chooses a file or a folder; folders that are one thing open like files.

    The dialogs of the system take either files or folders, so this is Qt's own.

    Parameters
    ----------
    parent
        What it lies over.
    folder
        Where it begins; where it was last when None.
    """

    def __init__(self, parent: QWidget | None, folder: Path | None = None) -> None:
        super().__init__(parent, TITLE, str(folder or ""))
        self.setOption(QFileDialog.Option.DontUseNativeDialog)
        self.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._take = QPushButton("Open this folder")
        self._take.setToolTip(
            "Open the folder that is picked, or the one in view: frames as single "
            "files, or masks of the Cell Tracking Challenge."
        )
        self._take.setAutoDefault(False)
        self._take.clicked.connect(self._take_folder)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self._take)
        self.chosen: Path | None = None

    def accept(self) -> None:
        """Take a file or whole folder; look into any other folder."""
        picked = self.selectedFiles()
        path = Path(picked[0]) if picked else None
        if path is not None and (path.is_file() or path.suffix in WHOLE):
            self._choose(path)
        elif path is not None and path.is_dir():
            self.setDirectory(str(path))

    def _take_folder(self) -> None:
        picked = [Path(p) for p in self.selectedFiles()]
        folders = [p for p in picked if p.is_dir()]
        self._choose(folders[0] if folders else Path(self.directory().absolutePath()))

    def _choose(self, path: Path) -> None:
        self.chosen = path
        self.done(int(QFileDialog.DialogCode.Accepted))


def ask_what_to_open(parent: QWidget | None, folder: Path | None = None) -> Path | None:
    """Ask for anything that can be opened; None when nothing was chosen."""
    dialog = OpenDialog(parent, folder)
    dialog.exec()
    return dialog.chosen
