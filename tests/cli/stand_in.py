"""A stand-in for the network, so that commands are tested in milliseconds."""

from dataclasses import dataclass

import numpy as np

from napari_semiconv.tracking.lineage import Lineage


@dataclass
class Result:
    frame: int
    done: int
    total: int
    labels: np.ndarray
    lineage: Lineage
    unreadable: str | None = None
    note: str = ""
    final: bool = True


class Threshold:
    """Every bright pixel is cell 1. `at_frame` is called before each frame.

    Frame ``damaged`` is said to have been skipped.
    """

    def __init__(self, at_frame=lambda frame: None, damaged=None):
        self.at_frame = at_frame
        self.damaged = damaged
        self.sizes = []

    def load(self, settings):
        return settings.model

    def facts(self, model):
        return {"name": model, "sha256": "0"}

    def size(self, movie, model, frames):
        return 12.0

    def run_whole(self, movie, model, settings, frames, stop):
        self.sizes.append(settings.cell_size)
        lineage = Lineage()
        for done, frame in enumerate(frames, 1):
            self.at_frame(frame)
            labels = (movie.frame(frame) > 100).astype(np.int32)
            lineage.observe(frame, 1)
            reason = "frame 1 is damaged." if frame == self.damaged else None
            yield Result(frame, done, len(frames), labels, lineage, reason)
            if stop():
                return
