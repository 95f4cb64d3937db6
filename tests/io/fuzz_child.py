"""Open files that may be anything, in a process of its own, and write what came of it.

``python fuzz_child.py CASES RESULTS``: CASES holds a list of reader and path as JSON;
RESULTS gets one JSON line when a case begins and one when it is over.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import numpy as np

# Most users do not have it: then Python unpacks what it would.
if os.environ.get("WITHOUT_IMAGECODECS"):
    sys.modules["imagecodecs"] = None

from napari_semiconv.errors import SemiconvError
from napari_semiconv.io.cells import formats
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.project.runs.store import RunStore

# A safety belt only: the memory that a case truly took is measured.
MOST_BYTES = 6 * 2**30
MOST_SECONDS = 20
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGING = {
    "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link",
    "os.truncate", "shutil.rmtree", "shutil.move", "shutil.copyfile",
}  # fmt: skip


class TooSlowError(BaseException):
    """A case took too long."""


def read_movie(path):
    """Open a movie and look at its first frames and its last one."""
    movie = open_movie(path)
    for frame in sorted({0, 1, len(movie) - 1} & set(range(min(len(movie), 10**6)))):
        found = movie.frame(frame)
        assert found.shape == movie.frame_shape


def read_cells(path):
    """Import cells, all of whose frames are looked at, and look at some again."""
    found = formats.read(path)
    for frame in range(min(len(found), 2)):
        assert found.read(frame).shape == found.frame_shape
        assert found.read(frame).dtype == np.int32


def read_result(path):
    """Open a result folder."""
    RunStore.open(path)


READERS = {
    "movie": read_movie,
    "cells": read_cells,
    "result": read_result,
}


def main(cases, results):
    """Go through all cases."""
    changes = []
    results = Path(results).open("w", encoding="utf-8")  # noqa: SIM115

    def watch(event, arguments):
        flags = arguments[2] if event == "open" else 0
        if event in CHANGING or (isinstance(flags, int) and flags & WRITING):
            changes.append(f"{event} {arguments[0]!r}")

    limit_memory()
    signal.signal(signal.SIGALRM, give_up)
    sys.addaudithook(watch)
    for number, (reader, path) in enumerate(json.loads(Path(cases).read_text("utf-8"))):
        tell(results, {"number": number})
        forget_peak()
        changes.clear()
        found = attempt(READERS[reader], Path(path))
        tell(results, {"number": number, "changes": changes[:3], **found})


def attempt(read, path):
    """Read one case, and say how it ended."""
    # Not by the clock: other programs may keep the computer busy.
    before, begin = peak(), time.process_time()
    signal.alarm(MOST_SECONDS)
    try:
        read(path)
        found = {"end": "read"}
    except SemiconvError as error:
        found = {"end": "refused", "sentence": str(error)}
    except BaseException as error:  # noqa: BLE001 - the test tells of whatever it is
        text = "".join(traceback.format_exception(error)[-8:])
        found = {"end": "raised", "error": f"{type(error).__name__}: {error}\n{text}"}
    finally:
        signal.alarm(0)
    taken = {"seconds": time.process_time() - begin, "bytes": peak() - before}
    return found | taken


def give_up(number, frame):
    """Stop a case that takes too long."""
    raise TooSlowError(f"more than {MOST_SECONDS} s")


def limit_memory():
    """Have the system refuse this process what would endanger others."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def forget_peak():
    """Begin to measure the most memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak():
    """Most memory held since it was forgotten, in bytes."""
    text = Path("/proc/self/status").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def tell(stream, value):
    """Write a line that is there even if the process ends now."""
    stream.write(json.dumps(value) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
