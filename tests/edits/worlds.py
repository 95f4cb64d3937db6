"""Small movies to edit, states to compare, and edits by chance."""

import numpy as np

from napari_semiconv.edits.confirming import Confirm, Unconfirm
from napari_semiconv.edits.divisions import MarkDivision, UnmarkDivision
from napari_semiconv.edits.document import Document
from napari_semiconv.edits.links import Link, Move, Relabel, Swap, Unlink
from napari_semiconv.edits.masks import (
    CopyMask,
    Erase,
    Fill,
    FillHoles,
    MergeMasks,
    NewCell,
    Paint,
    Redraw,
)
from napari_semiconv.edits.region import Region
from napari_semiconv.edits.removing import (
    DeleteCell,
    DeleteTrack,
    MarkEmpty,
    UnmarkEmpty,
)
from napari_semiconv.edits.resegment import Resegment
from napari_semiconv.edits.results import AdoptFrame, AdoptTracks
from napari_semiconv.edits.shaping import Interpolate, SplitByLine, SplitByPoints
from napari_semiconv.tracking.invariants import faults_of_frame, faults_of_lineage
from napari_semiconv.tracking.lineage import Lineage, Track

SHAPE = (6, 24, 32)


class MemoryMasks:
    """Masks in memory; pixels hold stored numbers, (T, Y, X), int32."""

    def __init__(self, pixels):
        self.pixels = pixels

    @property
    def shape(self):
        return self.pixels.shape

    def read(self, frame):
        pixels = self.pixels[frame]
        pixels.flags.writeable = False
        return pixels

    def write(self, frame, y, x, numbers):
        height, width = numbers.shape
        self.pixels[frame, y : y + height, x : x + width] = numbers


def family_pixels():
    """Cell 1 divides in frame 3 into 2 and 3; 4 has a gap in frame 2; 5 comes late.

    ::

        1 111.../ 2 ...222 / 3 ...333     parent 1
        4 11.111
        5 ....55
    """
    pixels = np.zeros(SHAPE, np.int32)
    pixels[0:3, 2:8, 2:10] = 1
    pixels[3:6, 2:8, 2:6] = 2
    pixels[3:6, 2:8, 7:11] = 3
    for t in (0, 1, 3, 4, 5):
        pixels[t, 12:18, 3 + t : 10 + t] = 4
    pixels[4:6, 14:20, 22:28] = 5
    return pixels


def family_lineage():
    return Lineage(
        [
            Track.of(1, range(3)),
            Track.of(2, range(3, 6), 1),
            Track.of(3, range(3, 6), 1),
            Track.of(4, (0, 1, 3, 4, 5)),
            Track.of(5, (4, 5)),
        ]
    )


def family():
    return Document(MemoryMasks(family_pixels()), family_lineage())


def shown(document):
    """Labels of all frames, (T, Y, X)."""
    return np.stack([document.labels(t) for t in range(document.shape[0])])


def state(document):
    """All that an undo must restore, to compare with ==."""
    frames = range(document.shape[0])
    return (
        [document.masks.read(t).tobytes() for t in frames],
        {t: list(document.names(t)) for t in document.named_frames()},
        dict(document.lineage.tracks),
        set(document.absences),
        document.next_number,
    )


def faults(document):
    frames = document.shape[0]
    found = list(faults_of_lineage(document.lineage, frames))
    for t in range(frames):
        found += faults_of_frame(document.lineage, t, document.labels(t))
    tracks = document.lineage.tracks.values()
    for track in tracks:
        daughters = sorted(t.label for t in tracks if t.parent == track.label)
        if document.lineage.daughters_of(track.label) != daughters:
            found.append(f"The daughters of {track.label} are not kept.")
    used = max([*document.lineage.tracks, int(max(p.max() for p in pixels(document)))])
    if document.next_number <= used:
        found.append("A number that is used may be given again.")
    return found


def pixels(document):
    return [document.masks.read(t) for t in range(document.shape[0])]


def block(random, shape=SHAPE[1:]):
    """A region by chance, which may stick out of the frame."""
    height, width = random.randint(1, 9), random.randint(1, 9)
    mask = np.ones((height, width), bool)
    if random.random() < 0.3 and height > 2 and width > 2:
        mask[1:-1, 1:-1] = False
    y, x = random.randint(-3, shape[0] - 1), random.randint(-3, shape[1] - 1)
    return Region(y, x, mask)


def by_chance(random, document):
    """An edit by chance, which may be impossible."""
    frames, height, width = document.shape
    labels = sorted(document.lineage.tracks) or [1]
    label, other = random.choice(labels), random.choice(labels)
    t, u = random.randrange(frames), random.randrange(frames)
    y, x = random.randrange(height), random.randrange(width)
    track = document.lineage.tracks.get(label)
    if track and random.random() < 0.8:
        t = random.choice(track.frames)
    points = tuple((random.randrange(height), random.randrange(width)) for _ in "ab")
    if track and random.random() < 0.8 and track.has(t):
        mask = Region.where(document.labels(t) == label)
        points = tuple(
            (mask.y + random.random() * mask.mask.shape[0],
             mask.x + random.random() * mask.mask.shape[1])
            for _ in "ab"
        )  # fmt: skip
    makers = [
        lambda: Paint(t, random.choice([label, 99]), block(random), t % 2 == 0),
        lambda: NewCell(t, block(random)),
        lambda: Erase(t, block(random), random.choice([None, label])),
        lambda: Fill(t, y, x, random.choice([0, label])),
        lambda: FillHoles(t, label),
        lambda: MergeMasks(t, (label, other)),
        lambda: Redraw(t, label, block(random), random.random() < 0.5),
        lambda: CopyMask(t, label, u),
        lambda: SplitByPoints(t, label, points),
        lambda: SplitByLine(t, label, points),
        lambda: Interpolate(label, random.choice([None, u])),
        lambda: DeleteCell(t, label),
        lambda: DeleteTrack(label, random.choice([None, t])),
        lambda: MarkEmpty(t, y, x),
        lambda: UnmarkEmpty(*random.choice(sorted(document.absences) or [(0, 0, 0)])),
        lambda: Move(label, t, random.choice([None, other]), random.random() < 0.5),
        lambda: Link(label, t, other, u),
        lambda: Unlink(label, t),
        lambda: Swap(label, other, t),
        lambda: Relabel(label, random.choice([other, 50, 51])),
        lambda: MarkDivision(label, (label, other), t),
        lambda: UnmarkDivision(label),
        lambda: Confirm(random.choice([None, label]), t, max(t, u)),
        lambda: Unconfirm(random.choice([None, label])),
        lambda: AdoptFrame(t, found(random, document), {1: label, 2: 60}, {60: other}),
        lambda: exchange(document, t),
        lambda: Resegment(t, 2, 3, found(random, document)[2:, 3:], (label,)),
    ]  # fmt: skip
    return random.choice(makers)()


def found(random, document):
    """What a network may have found in a frame."""
    labels = np.zeros(document.shape[1:], np.int32)
    for number in range(1, random.randint(2, 5)):
        y, x = random.randrange(18), random.randrange(26)
        labels[y : y + 5, x : x + 6] = number
    return labels


def exchange(document, t):
    """All cells of a frame trade labels in a ring, as a solver may want."""
    cells = document.lineage.cells(t)
    ring = dict(zip(cells, [*cells[1:], *cells[:1]], strict=True))
    return AdoptTracks({t: ring})
