"""Candidate links and divisions of two frames, and what each is worth."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from ...labels import Labels
from ...settings import LinkSettings
from ...tracking.solver.problem import Options
from .features import (
    Bodies,
    Floats,
    FrameCells,
    Integers,
    Known,
    division_evidence,
    possible_divisions,
)

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
# One unit of division evidence in units of gain, and the most it can add.
EVIDENCE, MOST_EVIDENCE = 0.7, 3.0
# Off the evidence where a track lost a moment ago lies under the mother.
SWALLOWED = 4.0
# Cosine that is taken for that of cells whose embeddings are not known.
UNKNOWN = 0.9
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
        return np.where(known, self.cells.origins, self.cells.centres)

    @cached_property
    def pixels(self) -> tuple[Floats, Integers, Integers]:
        """Pixels shared by cells, moved back, and tracks, (n, m); areas of both, px."""
        return _shared(self)

    @property
    def expected(self) -> Floats:
        """Where each track should have lain in the previous frame, (m, 2), px."""
        return self.known.bodies.centres + self.known.drifts * self.gaps[:, None]


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


@dataclass(frozen=True)
class Divisions:
    """Possible divisions before all that speaks against them is known.

    Parameters
    ----------
    mother, first, second
        Rows of the track and of two cells, (P,).
    better
        What the better of both gains as the mother going on, (P,).
    evidence
        How likely they are her daughters, (P,), above 0 is likely.
    """

    mother: Integers
    first: Integers
    second: Integers
    better: Floats
    evidence: Floats

    @classmethod
    def joined(cls, parts: Sequence["Divisions"]) -> "Divisions":
        """Put them one after another; none when there are no parts."""
        none = np.zeros(0, np.int64)
        parts = [cls(none, none, none, np.zeros(0), np.zeros(0)), *parts]
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    def shifted(self, before: int, after: int) -> "Divisions":
        """Count the rows of mothers and daughters from other numbers than 0."""
        return replace(
            self,
            mother=self.mother + before,
            first=self.first + after,
            second=self.second + after,
        )

    def options(self, doubt: Floats) -> Options:
        """Weigh them, less what is doubtful of each, (P,)."""
        evidence = self.evidence - doubt
        # A division must beat the better of the two as the mother going on.
        gain = self.better + np.minimum(EVIDENCE * evidence, MOST_EVIDENCE)
        keep = (evidence > 0) & (gain > 0)
        return Options(self.mother, self.first, self.second, gain).take(keep)


def list_divisions(scene: Scene, links: Options) -> Divisions:
    """List possible divisions, given the links of the same scene."""
    present = np.flatnonzero(scene.gaps == 0)
    mothers = scene.known.bodies.take(present)
    mother, first, second = possible_divisions(mothers, scene.bodies, scene.origins)
    evidence = division_evidence(
        mothers.take(mother),
        scene.bodies.take(first),
        scene.bodies.take(second),
        scene.settings,
    )
    mother = present[mother]
    evidence -= _origin_misfit(scene, mother, first)
    evidence -= _origin_misfit(scene, mother, second)
    single = np.zeros((len(scene.cells.areas), len(scene.known.labels)))
    single[links.after, links.before] = links.gain
    better = np.maximum(single[first, mother], single[second, mother])
    return Divisions(mother, first, second, better, evidence)


def _origin_misfit(scene: Scene, mother: Integers, cell: Integers) -> Floats:
    """Evidence against a daughter whose motion points elsewhere, (P,)."""
    apart = scene.cells.origins[cell] - scene.known.bodies.centres[mother]
    distance = np.hypot(*apart.T) / scene.known.bodies.diameters[mother]
    misfit: Floats = np.nan_to_num(6 * np.maximum(distance - 0.4, 0))
    return misfit
