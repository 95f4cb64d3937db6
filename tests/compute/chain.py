"""Tools without a network whose labels depend on all that went before.

Each bright blob is a cell. A cell keeps its label for three frames; then it ends, and
a daughter with the next free label goes on in its place.
"""

import json
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from tests.stand_in_child import BlobTools, FrameResult

from napari_semiconv.errors import BadModelError
from napari_semiconv.tracking.lineage import Lineage, Track

LIFE = 3


@dataclass(frozen=True)
class ChainState:
    frame: int
    labels: tuple[int, ...]
    rows: tuple

    @property
    def lineage(self):
        return Lineage(Track(a, tuple(map(tuple, b)), c) for a, b, c in self.rows)


class ChainTools(BlobTools):
    """What fails can be set: ``fail`` maps a frame to an error."""

    def __init__(self, mode="quick", fail=None):
        super().__init__(mode)
        self.fail = fail or {}
        self.computed = []

    def run(self, movie, model, settings, frames, resume_from=None, constraints=None):
        state = resume_from or ChainState(frames.start - 1, (), ())
        lineage = state.lineage
        for frame in range(state.frame + 1, frames.stop):
            done = frame - frames.start + 1
            self._work(done)
            if frame in self.fail:
                raise self.fail[frame]
            self.computed.append(frame)
            blobs, count = ndimage.label(movie.frame(frame) > 0)
            labels = state.labels or (0,) * count
            if (frame - frames.start) % LIFE == 0:
                parents, first = labels, max([*labels, *lineage.tracks], default=0) + 1
                labels = tuple(range(first, first + count))
                for label, parent in zip(labels, parents, strict=True):
                    lineage.observe(frame, label, parent)
            else:
                for label in labels:
                    lineage.observe(frame, label)
            rows = tuple(
                (t.label, t.intervals, t.parent) for t in lineage.tracks.values()
            )
            state = replace(state, frame=frame, labels=labels, rows=rows)
            image = np.array([0, *labels], np.int32)[blobs]
            yield FrameResult(
                frame, done, len(frames), image, lineage, state=lambda s=state: s
            )

    def save_state(self, path, state):
        path.write_text(json.dumps(vars(state)))

    def load_state(self, path):
        try:
            return ChainState(**json.loads(path.read_text()))
        except ValueError as error:
            raise BadModelError(f"{path}: damaged.") from error
