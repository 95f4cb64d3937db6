"""Long work in a child process: requests come in, one JSON message a line goes out.

The window starts ``python -m napari_semiconv.compute`` and speaks with it over its
standard input and output, so that it never freezes, that cancel is real, and that all
memory comes back when the child ends. No image goes through the pipe: finished frames
are written to the run folder and read from there.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import TextIO

from .child import Child, serve
from .messages import Message
from .tools import NetworkTools, Tools


def _claim_stdout() -> TextIO:
    """Keep the pipe for messages; what anything else prints goes to standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return own


def main(make_tools: Callable[[], Tools] = NetworkTools) -> None:
    """Run the child process.

    Parameters
    ----------
    make_tools
        Makes what the child computes with.
    """
    # The terminal sends its interrupt to the window too, which then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        # The window goes first.
        os.nice(5)
    pipe = _claim_stdout()

    def say(message: Message) -> None:
        pipe.write(message.model_dump_json() + "\n")
        pipe.flush()

    serve(sys.stdin.buffer, Child(say, make_tools))


if __name__ == "__main__":
    main()
