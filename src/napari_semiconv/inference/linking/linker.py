"""Cells of successive frames become tracks, a frame at a time, while a run goes on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...labels import Labels
from ...settings import LinkSettings
from ...tracking.lineage import Lineage
from ...tracking.solver.choice import choose
from ...tracking.solver.problem import Options
from .candidates import SHARED_IOU, Scene, list_links, overlaps
from .divisions import SWALLOWED, list_divisions
from .features import (
    Bodies,
    Floats,
    FrameCells,
    Integers,
    Known,
    known_after,
    measure_bodies,
)


@dataclass(frozen=True)
class LinkState:
    """All that linking remembers after a frame.

    Parameters
    ----------
    lineage
        All tracks so far.
    known
        Tracks that may go on; None before the first frame.
    image
        The last frame that was linked, (Y, X), in its own cell numbers.
    frame
        Its index; -1 before the first.
    last_label
        The highest label that was given.
    """

    lineage: Lineage
    known: Known | None
    image: Labels
    frame: int
    last_label: int


class Linker:
    """Gives each cell its track label, one frame after the other.

    Each frame is decided by the best total of all links and divisions together, and
    never changed later. Memory does not grow with the movie, but for the lineage.

    Parameters
    ----------
    settings
        Limits of overlap, distance, gaps and divisions.
    cell_size
        Usual diameter of a cell, px.
    """

    def __init__(self, settings: LinkSettings, cell_size: float) -> None:
        self.lineage = Lineage()
        self._settings = settings
        self._cell_size = cell_size
        self._known: Known | None = None
        self._image: Labels = np.zeros((0, 0), np.int32)
        self._frame = -1
        self._last_label = 0
        self.joint_match: tuple[Integers, Floats] = np.zeros(0, np.int64), np.zeros(0)

    def link(
        self, frame: int, cells: FrameCells, shared: Labels | None = None
    ) -> Integers:
        """Decide which track each cell of the next frame belongs to.

        Parameters
        ----------
        frame
            Index of the frame; larger than that of the frame before.
        cells
            Cells of this frame.
        shared
            The previous frame as clustered together with this one, in this frame's
            cell numbers, (Y, X). When given, overlap on it replaces the motion.

        Returns
        -------
        NDArray
            Track label of each cell, (n,).
        """
        bodies = measure_bodies(cells.labels, cells.centres, cells.areas)
        scene = self._scene(cells, bodies, shared)
        self.joint_match = find_joint_match(scene, len(cells.areas))
        chosen = _best_options(scene) if scene else Options.joined([])
        track = np.full(len(cells.areas), -1)  # row of the track each cell continues
        goes_on = chosen.sister < 0
        track[chosen.after[goes_on]] = chosen.before[goes_on]
        labels = self._labels_of(track)
        parents = np.zeros(len(labels), np.int64)
        if self._known is not None:
            mothers = self._known.labels[chosen.before[~goes_on]]
            parents[chosen.after[~goes_on]] = mothers
            parents[chosen.sister[~goes_on]] = mothers
        for label, parent in zip(labels.tolist(), parents.tolist(), strict=True):
            self.lineage.observe(frame, label, parent)
        self._remember(frame, cells, bodies, labels, track, chosen.before)
        return labels

    def snapshot(self) -> LinkState:
        """Note all that is remembered, to go on from here later with `restore`."""
        lineage = Lineage(self.lineage.tracks)
        return LinkState(
            lineage, self._known, self._image, self._frame, self._last_label
        )

    def restore(self, state: LinkState) -> None:
        """Go on as after the frame that ``state`` was noted at."""
        self.lineage = Lineage(state.lineage.tracks)
        self._known, self._image = state.known, state.image
        self._frame, self._last_label = state.frame, state.last_label

    def _scene(
        self, cells: FrameCells, bodies: Bodies, shared: Labels | None
    ) -> Scene | None:
        if self._known is None:
            return None
        gaps = self._frame - self._known.seen
        return Scene(
            cells,
            bodies,
            self._known,
            gaps,
            self._image,
            shared,
            self._cell_size,
            self._settings,
        )

    def _labels_of(self, track: Integers) -> Integers:
        labels = np.zeros(len(track), np.int64)
        if self._known is not None:
            labels[track >= 0] = self._known.labels[track[track >= 0]]
        fresh = np.flatnonzero(labels == 0)
        labels[fresh] = self._last_label + 1 + np.arange(len(fresh))
        self._last_label += len(fresh)
        return labels

    def _remember(
        self,
        frame: int,
        cells: FrameCells,
        bodies: Bodies,
        labels: Integers,
        track: Integers,
        used: Integers,
    ) -> None:
        old, on = self._known, np.flatnonzero(track >= 0)
        past = [] if old is None else [old]
        known = known_after(frame, labels, cells, bodies, past, (track[on], on))
        if old is not None:
            lost = np.ones(len(old.labels), bool)
            lost[used] = False
            lost &= frame - old.seen <= self._settings.most_gap
            known = known.and_also(old.take(np.flatnonzero(lost)))
        self._known, self._image, self._frame = known, cells.labels, frame


def _best_options(scene: Scene) -> Options:
    """Options of largest total gain in which no track and no cell is used twice."""
    options = list_links(scene)
    if scene.settings.divisions:
        divisions = list_divisions(scene, options)
        doubt = SWALLOWED * _has_swallowed(scene).astype(float)
        options = Options.joined([options, divisions.options(doubt[divisions.mother])])
    ends = options.ends(len(scene.known.labels))
    return options.take(choose(options.gain, ends).taken)


def _has_swallowed(scene: Scene) -> NDArray[np.bool_]:
    """Whether a track lost in the previous frame lies under a track seen there, (m,).

    Two cells taken for one and then two again look like a division.
    """
    swallowed = np.zeros(len(scene.known.labels) + 1, bool)
    lost = scene.expected[scene.gaps > 0]
    y, x = np.round(lost).astype(np.int64).T
    height, width = scene.image.shape
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    swallowed[scene.image[y[inside], x[inside]]] = True
    return swallowed[1:]


def find_joint_match(scene: Scene | None, count: int) -> tuple[Integers, Floats]:
    """Find the track that each of ``count`` cells was found together with.

    Parameters
    ----------
    scene
        Cells and tracks, with the shared frame where frames were clustered in pairs.
    count
        Cells of this frame, n.

    Returns
    -------
    tuple
        Label of the track, 0 for none, and the IoU on the shared frame, both (n,).
    """
    none = np.zeros(count, np.int64), np.zeros(count)
    if scene is None or scene.shared is None or not len(scene.known.labels):
        return none
    overlap = overlaps(scene)
    best = overlap.argmax(1)
    iou = overlap[np.arange(count), best]
    found = iou >= SHARED_IOU
    return np.where(found, scene.known.labels[best], 0), np.where(found, iou, 0)
