"""A computing child without a network: bright blobs are cells, in a known pace.

Run as ``python stand_in_child.py MODE``; MODE is ``quick``, ``steady`` (some frames a
second), ``stuck`` (the second frame takes for ever) or ``crash`` (dies in the second).
"""

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_semiconv.compute.__main__ import main
from napari_semiconv.errors import BadModelError
from napari_semiconv.tracking.lineage import Lineage

SECONDS = {"quick": 0.0, "steady": 0.1, "stuck": 0.0, "crash": 0.0}


@dataclass(frozen=True)
class FrameResult:
    frame: int
    done: int
    total: int
    labels: np.ndarray
    lineage: Lineage
    unreadable: str | None = None
    final: bool = True


class BlobTools:
    def __init__(self, mode="quick"):
        self.mode = mode

    def models(self):
        return ("default", "other")

    def devices(self):
        return ("auto", "cpu")

    def load(self, settings):
        if settings.model == "missing":
            raise BadModelError("Model 'missing': expected a folder, found none.")
        sys.stdout.write("chatter on standard output\n")
        return settings.model

    def facts(self, model):
        return {"name": model, "sha256": "0" * 64}

    def size(self, movie, model, frames):
        return 4.0

    def run(self, movie, model, settings, frames):
        lineage = Lineage()
        for done, frame in enumerate(frames, 1):
            self._work(done)
            labels, cells = ndimage.label(movie.frame(frame) > 0)
            for label in range(1, cells + 1):
                lineage.observe(frame, label)
            yield FrameResult(
                frame, done, len(frames), labels.astype(np.int32), lineage
            )

    def _work(self, done):
        if self.mode == "stuck" and done == 2:
            threading.Event().wait()
        if self.mode == "crash" and done == 2:
            sys.stderr.write("out of everything\n")
            sys.stderr.flush()
            os._exit(3)
        threading.Event().wait(SECONDS[self.mode])


def command(mode):
    return [sys.executable, str(Path(__file__).resolve()), mode]


if __name__ == "__main__":
    main(lambda: BlobTools(sys.argv[1]))
