"""The window's end of the computing child process."""

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal  # type: ignore[attr-defined]

from ..compute.messages import (
    Cancel,
    Request,
    child_command,
    read_message,
)

# Milliseconds a cancelled child may take to finish its frame before it is killed.
PATIENCE = 2000
# Lines of the child's last words that are kept to explain a crash.
LAST_WORDS = 5


class ChildRunner(QObject):
    """Starts the child when it is needed, speaks with it and notices when it dies."""

    answered = Signal(object)
    ended = Signal(str)
    killed = Signal()

    def __init__(self, command: list[str] | None = None) -> None:
        super().__init__()
        self._command = command or child_command()
        self._process: QProcess | None = None
        self._words: list[str] = []
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self.kill)

    def ask(self, request: Request) -> None:
        """Send a request, starting the child if there is none."""
        process = self._process or self._start()
        process.write(request.model_dump_json().encode() + b"\n")

    def cancel(self, ticket: int) -> None:
        """Ask the child to stop; end it if it does not in time."""
        if self._process is not None:
            self.ask(Cancel(ticket=ticket))
            self._patience.start(PATIENCE)

    def forgive(self) -> None:
        """Note that the child has done as it was told."""
        self._patience.stop()

    def kill(self) -> None:
        """End the child at once; what it wrote stays."""
        if self._drop():
            self.killed.emit()

    def close(self) -> None:
        """End the child because the window closes."""
        self._drop()

    def _start(self) -> QProcess:
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._listen)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._on_trouble)
        process.start(self._command[0], self._command[1:])
        self._process, self._words = process, []
        return process

    def _drop(self) -> bool:
        """Let go of the child and end it; return whether there was one."""
        self._patience.stop()
        process, self._process = self._process, None
        if process is None:
            return False
        process.blockSignals(True)
        process.closeWriteChannel()
        process.kill()
        process.waitForFinished(1000)
        process.deleteLater()
        return True

    def _read(self) -> None:
        # An answer may lead to the end of this very child.
        process = self._process
        while process is not None and process.canReadLine():
            line = process.readLine().data()
            self.answered.emit(read_message(line))
            process = self._process

    def _listen(self) -> None:
        if self._process is None:
            return
        text = self._process.readAllStandardError().data().decode(errors="replace")
        self._words = [*self._words, *text.splitlines()][-LAST_WORDS:]

    def _on_end(self) -> None:
        self._read()
        self._listen()
        self._tell_end()

    def _on_trouble(self, error: QProcess.ProcessError) -> None:
        # A crash is also reported as an end; only a failed start is not.
        if error == QProcess.ProcessError.FailedToStart:
            self._tell_end()

    def _tell_end(self) -> None:
        last = next((w for w in reversed(self._words) if w.strip()), "nothing")
        if self._drop():
            self.ended.emit(last)
