"""Candidate links of two frames, and what each is worth."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ...labels import Labels
from ...settings import LinkSettings
from ...tracking.solver.problem import Options
from .features import Bodies, Floats, FrameCells, Integers, Known

# Log-odds that two cells are one and the same; what stays alone gains nothing. Fitted
# to the links and the mistakes in frames that the default model was trained on and in
# simulated movies: of cells in successive frames, what overlap lacks and what a cell of
# distance takes off; of cells with frames between them in which neither is seen, the
# same by distance alone, and for each frame beyond the first.
DIRECT, UNMET, APART = 7.0, 4.5, 2.0
AFTER_GAP, APART_AFTER_GAP, LONGER_GAP = 2.5, 4.0, 0.3
# Off for a change of area by a factor e, at the border too, and for another embedding.
CHANGE, CHANGE_AT_BORDER, UNLIKE = 1.6, 0.7, 2.0
# So much less where a cell may have come in, or a track gone out, over the edge.
BORDER_WORTH = 0.5
# Share of a distance that counts where the motion is a guess, not predicted.
GUESSED = 0.6
# Least IoU on the shared frame of jointly clustered frames (Payer et al. 2018).
SHARED_IOU = 0.25
# Cosine that is taken for that of cells whose embeddings are not known.
UNKNOWN = 0.9
# A shift of all cells together is believed of so many cells or more, when it lets so
# much more of them overlap, and so large a share of all of them.
TOGETHER, CLEARLY, MOST = 3, 1.25, 0.6
# Candidates kept for each cell, best first.
MOST_CANDIDATES = 6


@dataclass(frozen=True)
class Scene:
    """All that bears on linking one frame to the tracks before.

    Parameters
    ----------
    cells, bodies
        Cells of this frame and their shapes.
    known
        Tracks that may go on.
    gaps
        Frames each track has been missing, (m,).
    image
        Labels of the previous frame: row of the track plus 1, (Y, X); without pixels
        when no track was seen in it.
    shared
        The previous frame in this frame's cell numbers, (Y, X), or None.
    cell_size
        Usual diameter, px.
    settings
        Limits of links and divisions.
    """

    cells: FrameCells
    bodies: Bodies
    known: Known
    gaps: Integers
    image: Labels
    shared: Labels | None
    cell_size: float
    settings: LinkSettings

    @property
    def origins(self) -> Floats:
        """Where each cell is thought to have lain a frame ago, (n, 2), px."""
        known = np.isfinite(self.cells.origins)
        if known.all():
            return self.cells.origins
        return np.where(known, self.cells.origins, self.cells.centres - self.shift)

    @cached_property
    def shift(self) -> Floats:
        """How far all cells moved together, as when the stage did: y and x, px."""
        return common_shift(self.image, self.cells.labels)

    @cached_property
    def by_masks(self) -> "Scene":
        """The same without what a network says of motion."""
        unknown = np.full_like(self.cells.origins, np.nan)
        return replace(self, cells=replace(self.cells, origins=unknown))

    @cached_property
    def pixels(self) -> tuple[Floats, Integers, Integers]:
        """Pixels shared by cells, moved back, and tracks, (n, m); areas of both, px."""
        return _shared(self)

    @property
    def expected(self) -> Floats:
        """Where each track should have lain in the previous frame, (m, 2), px."""
        return self.known.bodies.centres + self.known.drifts * self.gaps[:, None]


def common_shift(before: Labels, now: Labels) -> Floats:
    """Find how far the masks of a frame lie from those of the frame before.

    Parameters
    ----------
    before, now
        Labels of both, (Y, X).

    Returns
    -------
    NDArray
        y and x, (2,), px; 0 where there are few cells, or where most masks do not fit
        far better for it.
    """
    few = min(int(labels.max(initial=0)) for labels in (before, now)) < TOGETHER
    if few or before.shape != now.shape:
        return np.zeros(2)
    one, other = (np.fft.rfft2(labels > 0) for labels in (before, now))
    shared = np.fft.irfft2(other * np.conj(one), now.shape)
    all_of_them = min(np.count_nonzero(before), np.count_nonzero(now))
    if shared.max() < max(CLEARLY * shared[0, 0], MOST * all_of_them):
        return np.zeros(2)
    place = np.array(np.unravel_index(shared.argmax(), shared.shape), float)
    size = np.array(shared.shape)
    # What is beyond the middle is a shift the other way.
    return np.where(place > size / 2, place - size, place)


def overlaps(scene: Scene) -> Floats:
    """IoU of each cell, moved back, with each track of the previous frame, (n, m)."""
    both, sizes, areas = scene.pixels
    either = sizes[:, None] + areas - both
    iou: Floats = both / np.maximum(either, 1)
    return iou


def find_holders(scene: Scene) -> Integers:
    """Find the cell, moved back, that covers most of each track, (m,); -1 is none."""
    both, _, areas = scene.pixels
    if not both.size:
        return np.full(len(areas), -1)
    most = both.argmax(0)
    covered = 2 * both[most, np.arange(len(areas))] > areas
    return np.where(covered, most, -1)


def _shared(scene: Scene) -> tuple[Floats, Integers, Integers]:
    """Pixels shared by cells, moved back, and tracks, (n, m); areas of both, px."""
    count, known = len(scene.cells.areas), len(scene.known.labels)
    if not scene.image.size:
        return np.zeros((count, known)), np.zeros(count, int), np.zeros(known, int)
    if scene.shared is None:
        y, x, cell = _moved_back(scene)
    else:
        y, x = np.nonzero(scene.shared)
        cell = scene.shared[y, x]
    track = scene.image[y, x]
    shape = (count + 1, known + 1)
    pairs = np.bincount(cell * shape[1] + track, minlength=shape[0] * shape[1])
    both = pairs.reshape(shape)[1:, 1:].astype(float)
    sizes = np.bincount(cell, minlength=count + 1)[1:]
    areas = np.bincount(scene.image.ravel(), minlength=known + 1)[1:]
    return both, sizes, areas


def _moved_back(scene: Scene) -> tuple[Integers, Integers, Labels]:
    """Pixels of all cells, moved to where they are thought to have been."""
    y, x = np.nonzero(scene.cells.labels)
    cell = scene.cells.labels[y, x]
    step = np.round(scene.origins - scene.cells.centres).astype(np.int64)
    y, x = y + step[cell - 1, 0], x + step[cell - 1, 1]
    height, width = scene.image.shape
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return y[inside], x[inside], cell[inside]


def list_links(scene: Scene) -> Options:
    """List the links that gain something, the best few of each cell."""
    overlap = overlaps(scene)
    cell, track = _candidates(scene, overlap)
    iou, gap = overlap[cell, track], scene.gaps[track]
    distance = _distances(scene, cell, track)
    near = distance <= scene.settings.most_distance
    if scene.shared is None:
        allowed = near | ((gap == 0) & (iou >= scene.settings.least_overlap))
        direct = DIRECT - UNMET * (1 - iou) - APART * distance
    else:
        allowed = np.where(gap > 0, near, iou >= SHARED_IOU)
        direct = DIRECT - UNMET * (1 - iou)
    late = AFTER_GAP - APART_AFTER_GAP * distance - LONGER_GAP * (gap - 1)
    gain = np.where(gap > 0, late, direct) - _unlikeness(scene, cell, track)
    gain -= BORDER_WORTH * scene.bodies.at_border[cell]
    gain -= BORDER_WORTH * scene.known.bodies.at_border[track]
    keep = allowed & (gain > 0)
    return _best_of_each(Options.links(track[keep], cell[keep], gain[keep]))


def with_joint(
    scene: Scene, links: Options, cell: Integers, track: Integers, iou: Floats
) -> Options:
    """Let cells that were found together with a track count as overlapping so much.

    Parameters
    ----------
    scene
        Cells and tracks of two successive frames.
    links
        Links of them.
    cell, track
        Rows of cells and of the tracks that they were found together with, (K,).
    iou
        IoU of each pair on the frame that was clustered with both, (K,).
    """
    gain = DIRECT - UNMET * (1 - iou) - _unlikeness(scene, cell, track)
    gain -= BORDER_WORTH * scene.bodies.at_border[cell]
    gain -= BORDER_WORTH * scene.known.bodies.at_border[track]
    worth = np.zeros((len(scene.cells.areas), len(scene.known.labels)))
    worth[links.after, links.before] = links.gain
    worth[cell, track] = np.maximum(worth[cell, track], gain)
    found = np.nonzero(worth)
    return Options.links(found[1], found[0], worth[found])


def _candidates(scene: Scene, overlap: Floats) -> tuple[Integers, Integers]:
    """Pairs of cell and track that overlap or lie near each other, each (V,)."""
    drift = np.hypot(*scene.known.drifts.T).max(initial=0)
    reach = scene.settings.most_distance * scene.cell_size + drift
    near = cKDTree(scene.expected).query_ball_point(scene.origins, reach)
    cell = np.repeat(np.arange(len(near)), [len(tracks) for tracks in near])
    track = np.array([row for tracks in near for row in tracks], np.int64)
    found = overlap > 0
    found[cell, track] = True
    pairs = np.nonzero(found)
    return pairs[0], pairs[1]


def _distances(scene: Scene, cell: Integers, track: Integers) -> Floats:
    """How far a cell lies from where its track should be, (V,), in cells."""
    apart = scene.origins[cell] - scene.expected[track]
    # The motion head knows the last step; without it the track's drift is the guess.
    guessed = np.isnan(scene.cells.origins[cell])
    if guessed.any() and not scene.shift.any():
        apart -= np.where(guessed, 0.5 * scene.known.drifts[track], 0)
    distance: Floats = np.hypot(apart[:, 0], apart[:, 1]) / scene.cell_size
    return np.where(guessed[:, 0], GUESSED * distance, distance)


def _unlikeness(scene: Scene, cell: Integers, track: Integers) -> Floats:
    """Cost of differing in area and embedding, (V,)."""
    known, area = scene.known, scene.bodies.areas[cell]
    change = np.minimum(
        np.abs(np.log(area / known.bodies.areas[track])),
        np.abs(np.log(area / known.usual_areas[track])),
    )
    cut_off = scene.bodies.at_border[cell] | known.bodies.at_border[track]
    cost = np.where(cut_off, CHANGE_AT_BORDER, CHANGE) * change
    if scene.cells.embeddings.shape[1]:
        likeness = (scene.cells.embeddings[cell] * known.embeddings[track]).sum(1)
        # Of a cell that was drawn by hand no embedding is known.
        cost += UNLIKE * (1 - np.where(np.isnan(likeness), UNKNOWN, likeness))
    return cost


def _best_of_each(links: Options) -> Options:
    """Keep the best links of each cell, so that crowds stay quick."""
    order = np.lexsort((-links.gain, links.after))
    cell = links.after[order]
    place = np.arange(len(cell)) - np.searchsorted(cell, cell)
    return links.take(order[place < MOST_CANDIDATES])
