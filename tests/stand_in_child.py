"""A computing child without a network: bright blobs are cells, in a known pace.

Run as ``python stand_in_child.py MODE``; MODE is ``quick``, ``steady`` (some frames a
second), or says what happens in the second frame: ``stuck`` (it takes for ever),
``asleep`` (so, in native code that lets no other thread run), ``crash``, ``segv``,
``killed`` (as by the system, for want of memory), ``memory`` (an allocation fails).
"""

import ctypes
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import ndimage

from napari_semiconv.compute.__main__ import main
from napari_semiconv.errors import BadInputError, BadModelError
from napari_semiconv.tracking.lineage import Lineage

SECONDS = {"steady": 0.1}


@dataclass(frozen=True)
class FrameResult:
    frame: int
    done: int
    total: int
    labels: np.ndarray
    lineage: Lineage
    unreadable: str | None = None
    note: str = ""
    final: bool = True
    state: object = None
    evidence: object = None


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

    def run(self, movie, model, settings, frames, resume_from=None, constraints=None):
        lineage = Lineage()
        for done, frame in enumerate(frames, 1):
            self._work(done)
            labels, _ = ndimage.label(movie.frame(frame) > 0)
            fixed = constraints or {}
            for y, x in fixed[frame].absent if frame in fixed else ():
                labels[labels == labels[y, x]] = 0
            for label in np.unique(labels[labels > 0]).tolist():
                lineage.observe(frame, label)
            yield FrameResult(
                frame, done, len(frames), labels.astype(np.int32), lineage
            )

    def cache(self):
        return Kept()

    def replay(self, movie, model, settings, frames, state=None):
        for done, frame in enumerate(frames, 1):
            self._work(done)
            yield movie.frame(frame)

    def resegment(self, output, labels, constraints, settings, seed=None):
        """Cells that are joined become one; pixels go to the nearest that is parted.

        At a seed a cell of 2 x 2 px is added, if the movie is not dark there.
        """
        after = labels.copy()
        if seed is not None:
            if not output[seed]:
                raise BadInputError("The network sees no cell there. Draw it.")
            y, x = seed
            after[y : y + 2, x : x + 2] = labels.max() + 1
        for group in constraints.must_link:
            cells = labels[tuple(group.T)]
            after[np.isin(after, cells[cells > 0])] = cells[0]
        for group in constraints.cannot_link:
            places = np.argwhere(after == after[tuple(group[0])])
            far = np.linalg.norm(places[:, None] - group[None], axis=2)
            nearest = far.argmin(1)
            new = nearest + labels.max()
            after[tuple(places[nearest > 0].T)] = new[nearest > 0]
        for y, x in constraints.absent:
            after[after == after[y, x]] = 0
        return (slice(0, labels.shape[0]), slice(0, labels.shape[1])), after

    def pictures(self, output, shape, settings):
        return {
            "embeddings": np.stack([output] * 3, 2).astype(np.uint8),
            "foreground": (output > 0).astype(np.float32),
        }

    def follower(self, labels, label, output, settings):
        return Shadow(labels == label)

    def _work(self, done):
        if done == 2 and self.mode in TROUBLE:
            TROUBLE[self.mode]()
        threading.Event().wait(SECONDS.get(self.mode, 0.0))


@dataclass
class Shadow:
    """A cell stays where it is, as far as the movie is bright there."""

    mask: np.ndarray

    def step(self, output):
        share = (output[self.mask] > 0).mean()
        self.mask = self.mask & (output > 0)
        return SimpleNamespace(mask=self.mask, agreement=float(share))


class Kept(dict):
    """What was made once is there."""

    def get(self, key, make):
        if key not in self:
            self[key] = make()
        return self[key]


def crash():
    sys.stderr.write("out of everything\n")
    sys.stderr.flush()
    os._exit(3)


def sleep_natively():
    ctypes.PyDLL(None).sleep(600)


def fail_to_allocate():
    raise MemoryError


TROUBLE = {
    "stuck": lambda: threading.Event().wait(),
    "asleep": sleep_natively,
    "crash": crash,
    "segv": lambda: ctypes.string_at(0),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "memory": fail_to_allocate,
}


def command(mode):
    return [sys.executable, str(Path(__file__).resolve()), mode]


if __name__ == "__main__":
    main(lambda: BlobTools(sys.argv[1]))
