"""One child process: its pipes, its last words and its end. No Qt, no torch."""

import os
import queue
import signal
import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from pydantic import ValidationError

from ..errors import ComputeError
from .messages import (
    Failed,
    Finished,
    FollowEnded,
    LookDone,
    Message,
    Previewed,
    Ready,
    Request,
    Resegmented,
    TeachEnded,
    lines_of,
    read_message,
)

# Lines of the child's standard error that explain a crash, and characters of each.
LAST_WORDS, LINE = 60, 300
# Seconds that a killed process may take to be gone.
GONE = 10.0

# Looks, some ten a second, at a child that somebody stopped until it is given up. Time
# itself does not count: this process may have been stopped together with it.
STOPPED_LOOKS = 50

# Messages that end the answer to a request, but for an error.
LAST = (Finished, FollowEnded, Previewed, Ready, Resegmented, LookDone, TeachEnded)

# Exit codes of Windows from here on are crashes.
_WINDOWS_CRASH = 0x8000_0000
# What tells of a stopped child; not on Windows, nor in every Python on macOS.
_wait_for: Callable[[int, int, int], object] | None = getattr(os, "waitid", None)
_OUTSIDE = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")


@dataclass
class Task:
    """A request that was sent, and whether it was answered to its end."""

    request: Request
    ended: threading.Event = field(default_factory=threading.Event)
    # Whether it is killed once its patience has run out.
    forced: bool = False
    cancelled: bool = False

    def hears(self, message: Message) -> bool:
        """Tell whether a message answers it; note it when that is the last one."""
        if message.ticket != self.request.ticket:
            return False
        if isinstance(message, (*LAST, Failed)):
            self.ended.set()
        return True


@dataclass
class _Shared:
    """What the threads that read the pipes share with the one that asks."""

    messages: "queue.Queue[Message | None]" = field(default_factory=queue.Queue)
    words: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_WORDS))
    task: Task | None = None


class ChildProcess:
    """A child that runs; it ends with this object at the latest.

    Parameters
    ----------
    command
        Program and arguments.

    Raises
    ------
    ComputeError
        When it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._popen = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # A crash in native code says where it was.
                env=os.environ | {"PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1"},
                # On Windows no console pops up.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise ComputeError(
                f"The computing process {command[0]} could not be started: "
                f"{error.strerror}. Install napari-semiconv again."
            ) from error
        self._shared = _Shared()
        self._killed = ""
        self._stopped = 0
        readers = (
            threading.Thread(target=target, args=(pipe, self._shared), daemon=True)
            for target, pipe in (
                (_read_messages, self._popen.stdout),
                (_read_words, self._popen.stderr),
            )
        )
        self._readers = tuple(readers)
        for reader in self._readers:
            reader.start()
        self._finalizer = weakref.finalize(self, _end, self._popen, self._readers)

    @property
    def words(self) -> tuple[str, ...]:
        """The last lines that it wrote to its standard error."""
        return tuple(self._shared.words)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def begin(self, task: Task) -> None:
        """Send a request whose answers are wanted from now on."""
        self._shared.task = task
        self.send(task.request)

    def send(self, request: Request) -> None:
        """Send a request; a child that is gone is noticed by the one who listens."""
        pipe = self._popen.stdin
        with suppress(OSError, ValueError):
            if pipe is not None:
                # One write, unbuffered: a signal handler may do it too.
                os.write(pipe.fileno(), request.model_dump_json().encode() + b"\n")

    def take(self, seconds: float) -> Message | None:
        """Wait for the next message so long; None when there was none.

        Raises
        ------
        EOFError
            When the child is gone and all it said was taken.
        """
        try:
            message = self._shared.messages.get(timeout=seconds)
        except queue.Empty:
            self._give_up_if_stopped()
            return None
        if message is None:
            self._shared.messages.put(None)
            raise EOFError
        return message

    def _give_up_if_stopped(self) -> None:
        """End it when somebody stopped it, as Ctrl+Z does, and it does not go on."""
        if _wait_for is None:
            return
        stopped = None
        with suppress(OSError):
            how = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
            stopped = _wait_for(os.P_PID, self._popen.pid, how)
        self._stopped = 0 if stopped is None else self._stopped + 1
        if self._stopped > STOPPED_LOOKS:
            self.kill("was stopped from outside, did not go on and was ended")

    def kill(self, why: str = "") -> None:
        """End it at once; ``why`` tells what it did, for `end`."""
        self._killed = self._killed or why
        with suppress(OSError):
            self._popen.kill()

    def close(self, patience: float) -> int:
        """Let it end by itself, kill it after some seconds; return its exit code."""
        with suppress(OSError, ValueError):
            if self._popen.stdin is not None:
                self._popen.stdin.close()
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill("answered no more and was ended")
        self._finalizer()
        code: int = self._popen.returncode
        return code

    def end(self, code: int) -> tuple[str, str]:
        """Say how it ended that should not have, and the way on; see `describe_end`."""
        if self._killed:
            return self._killed, "Start it again"
        return describe_end(code, self.words)


def describe_end(code: int, words: Sequence[str]) -> tuple[str, str]:
    """Say how a process ended that should not have, and the way on.

    Parameters
    ----------
    code
        Exit code, negative for a signal.
    words
        Its last lines.
    """
    memory = (
        "Close other programs, or give a larger cell size, which makes the frames "
        "smaller for the network"
    )
    if code < 0:
        name = _signal_name(-code)
        if name == "SIGKILL":
            what = "was ended by the system (SIGKILL), most likely for want of memory"
            return what, memory
        if name in _OUTSIDE:
            return f"was ended from outside ({name})", "Start it again"
        return f"crashed ({name})", f"If it does so again, report it. {memory}"
    if code >= _WINDOWS_CRASH:
        return f"crashed (0x{code:08X})", f"If it does so again, report it. {memory}"
    last = next((line.strip() for line in reversed(words) if line.strip()), "nothing")
    return f"ended unexpectedly (code {code}) and said last: {last}", "Try it again"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read_messages(pipe: IO[bytes], shared: _Shared) -> None:
    with suppress(OSError, ValueError):
        for line in lines_of(pipe):
            try:
                message = read_message(line)
            except ValidationError:
                # Of a library that found the pipe by its number.
                shared.words.append(_text(line))
                continue
            if shared.task is not None and shared.task.hears(message):
                shared.messages.put(message)
    if shared.task is not None:
        shared.task.ended.set()
    shared.messages.put(None)


def _read_words(pipe: IO[bytes], shared: _Shared) -> None:
    with suppress(OSError, ValueError):
        for line in lines_of(pipe):
            shared.words.append(_text(line))


def _text(line: bytes) -> str:
    return line[: 4 * LINE].decode(errors="replace").rstrip()[:LINE]


def _end(popen: "subprocess.Popen[bytes]", readers: Sequence[threading.Thread]) -> None:
    """Kill a process if it still runs, and let go of all that belongs to it."""
    with suppress(OSError):
        popen.kill()
    with suppress(subprocess.TimeoutExpired):
        popen.wait(GONE)
    for reader in readers:
        reader.join(GONE)
    for pipe in (popen.stdin, popen.stdout, popen.stderr):
        with suppress(OSError, ValueError):
            if pipe is not None:
                pipe.close()
