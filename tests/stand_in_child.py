"""A computing child without a network: bright blobs are cells, in a known pace.

Run as ``python stand_in_child.py MODE``; MODE is ``quick``, ``steady`` (some frames a
second), or says what happens in the second frame: ``stuck`` (it takes for ever),
``asleep`` (so, in native code that lets no other thread run), ``crash``, ``segv``,
``killed`` (as by the system, for want of memory), ``memory`` (an allocation fails).
In ``worse`` and ``unchecked`` it teaches models that are no better, or not checked.
"""

import ctypes
import hashlib
import json
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
from napari_semiconv.compute.messages import TeachEnded, TeachStep
from napari_semiconv.errors import BadInputError, BadModelError
from napari_semiconv.network.model_folder import (
    CARD,
    FORMAT,
    SETTINGS,
    VERSION,
    WEIGHTS,
    read_info,
)
from napari_semiconv.settings import NetworkSettings
from napari_semiconv.teaching.lesson import read_lesson
from napari_semiconv.teaching.record import (
    PICTURES,
    ScoreRecord,
    TeachRecord,
    write_record,
)
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

    def outlook(self, movie, model, size, frames):
        return 0.81

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

    def teach(self, request, model, stops):
        """Ten steps; the model has the name of its folder for weights."""
        read_lesson(request.lesson)
        for step in range(1, 11):
            self._work(step)
            held_out = 2.0 / step if step % 5 == 0 else None
            yield TeachStep(
                ticket=request.ticket,
                stage="learning",
                step=step,
                total=10,
                loss=1.0 / step,
                held_out=held_out,
            )
            if stops():
                yield TeachEnded(
                    ticket=request.ticket, output=request.output, cancelled=True
                )
                return
        write_model(request.output, request.model, self.mode, request.settings)
        yield TeachEnded(ticket=request.ticket, output=request.output)

    def _work(self, done):
        if done == 2 and self.mode in TROUBLE:
            TROUBLE[self.mode]()
        threading.Event().wait(SECONDS.get(self.mode, 0.0))


BETTER = {"worse": False, "unchecked": None}


def write_model(folder, parent, mode, settings):
    """A model folder as teaching writes it, with two pictures."""
    folder.mkdir(parents=True)
    weights = str(folder).encode()
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text("# A model\n")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "description": "Made up.",
        "cell_size": 24.0,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "network": NetworkSettings().model_dump(mode="json"),
    }
    (folder / SETTINGS).write_text(json.dumps(header))
    path = Path(parent)
    own = path.is_absolute()
    better = BETTER.get(mode, True)
    cells = 0 if better is None else 4
    found = 3.6 if better else 1.2
    record = TeachRecord(
        parent=path.name,
        parent_sha256=read_info(path).digest if own else "0" * 64,
        projects=("dish.semiconv",),
        facts={"cells": 12, "tracks": 4, "frames": 3, "held_out": 1},
        before=ScoreRecord(cells=cells, found=2.0 if cells else 0.0, false=1),
        after=ScoreRecord(cells=cells, found=found if cells else 0.0, false=0),
        settings=settings,
        step=10,
        better=better,
        cell_size=8.25,
        seconds=1.0,
        made="2026-01-02T03:04:05+00:00",
    )
    write_record(folder, record)
    pictures = {}
    for number, corrected in enumerate((True, False)):
        image = np.zeros((90, 120), np.float32)
        image[40:60, 50:80] = 1
        cell = (image > 0).astype(np.int32)
        pictures[f"image{number}"] = image
        pictures[f"truth{number}"] = cell if corrected else np.full_like(cell, -1)
        pictures[f"before{number}"] = np.roll(cell, 9, 1)
        pictures[f"after{number}"] = cell
        pictures[f"name{number}"] = np.array(f"dish.semiconv, frame {number}")
    np.savez_compressed(folder / PICTURES, **pictures)


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
