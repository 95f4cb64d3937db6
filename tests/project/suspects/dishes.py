"""Drawn dishes in which one thing is strange, and projects of them."""

from dataclasses import replace

import numpy as np

from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.evidence import SCORES
from napari_semiconv.tracking.lineage import Lineage

FRAMES, HEIGHT, WIDTH = 9, 200, 300
RADIUS = 10
# Cells by label: row and column in frame 0; all wander to the right.
PLACES = {1: (40, 60), 2: (40, 160), 3: (110, 60), 4: (110, 160), 5: (160, 110)}
SPEED = 4


class Dish:
    """Round cells that wander to the right, all alike.

    Parameters
    ----------
    cells
        By frame and label: row, column and radius, px.
    """

    def __init__(self):
        self.cells = {
            (t, label): (y, x + SPEED * t, RADIUS)
            for t in range(FRAMES)
            for label, (y, x) in PLACES.items()
        }
        self.parents = {}
        self.scores = {}

    def without(self, label, *frames):
        """Take a cell out of some frames."""
        for t in frames:
            del self.cells[t, label]
        return self

    def put(self, label, frames, place, radius=RADIUS):
        """Put a cell somewhere in some frames."""
        y, x = place
        for t in frames:
            self.cells[t, label] = (y, x + SPEED * t, radius)
        return self

    def sized(self, label, frame, radius):
        """Give a cell another radius in a frame."""
        y, x, _ = self.cells[frame, label]
        self.cells[frame, label] = (y, x, radius)
        return self

    def unsure(self, name, label, frame):
        """Let a score be low; all others are high."""
        self.scores[label, frame] = name
        return self

    def masks(self):
        """Paint all frames, (T, Y, X)."""
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        out = np.zeros((FRAMES, HEIGHT, WIDTH), np.int32)
        for (t, label), (cy, cx, r) in self.cells.items():
            out[t][(y - cy) ** 2 + (x - cx) ** 2 <= r**2] = label
        return out

    def lineage(self, masks):
        """Tell the tracks, with scores where any is low."""
        found = lineage_of_labels(enumerate(masks), self.parents)
        if not self.scores:
            return found
        tracks = []
        for track in found.tracks.values():
            table = np.full((track.end - track.begin + 1, len(SCORES)), 0.95, "f4")
            for (label, frame), name in self.scores.items():
                if label == track.label:
                    table[frame - track.begin, SCORES.index(name)] = 0.1
            tracks.append(replace(track, scores=table.tobytes()))
        return Lineage(tracks, SCORES)

    def project(self, folder, movie=None):
        """Make a project of it, and of a black movie."""
        masks = self.masks()
        movie = movie or movie_from_array(np.zeros(masks.shape, np.uint8), "TYX")
        lineage = self.lineage(masks)
        found = TrackedMovie("dish", masks.shape, masks.__getitem__, lineage)
        return Project.create(folder, movie, found)


def divided(daughters=((100, 48), (122, 48)), radius=7):
    """Let cell 3 divide after frame 4."""
    dish = Dish().without(3, *range(5, FRAMES))
    for label, place in enumerate(daughters, 6):
        dish.put(label, range(5, FRAMES), place, radius)
        dish.parents[label] = 3
    return dish
