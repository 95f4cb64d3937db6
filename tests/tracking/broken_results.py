"""A small true movie, and ways in which a result can be wrong."""

from dataclasses import dataclass

import numpy as np
import tifffile

TRACKS = {  # label: first frame, last frame, parent, start (y, x), step per frame
    1: (0, 4, 0, (12, 12), (0.5, 1)),
    2: (5, 9, 1, (8, 20), (0, 0.7)),
    3: (5, 11, 1, (22, 20), (0.5, 0.3)),
    4: (10, 11, 2, (8, 18), (0, -1)),
    5: (10, 11, 2, (8, 32), (0, 1)),
    6: (0, 11, 0, (50, 14), (0.5, 1)),
    7: (0, 6, 0, (14, 60), (1, 0)),
    8: (7, 11, 7, (18, 50), (0.5, 0)),
    9: (7, 11, 7, (18, 66), (0.5, 0.4)),
    10: (2, 9, 0, (66, 60), (-1, 0)),
    11: (3, 7, 0, (70, 35), (0, -1)),
    12: (9, 11, 11, (70, 30), (0, -1)),
    13: (0, 3, 0, (40, 40), (0, 0)),
    14: (4, 9, 13, (36, 36), (0, 0)),
    15: (4, 9, 13, (46, 46), (0, 0)),
    16: (10, 11, 14, (32, 32), (0, 0)),
    17: (10, 11, 14, (40, 42), (0, 0)),
}


@dataclass(frozen=True)
class Drawn:
    """A label movie in memory: masks (T, Y, X) and track rows (N, 4)."""

    masks: np.ndarray
    table: np.ndarray

    @property
    def frames(self):
        return len(self.masks)

    def labels(self, frame):
        return self.masks[frame]

    @property
    def parents(self):
        return {row[0]: row[3] for row in self.table.tolist() if row[3]}


def true_movie():
    masks = np.zeros((12, 80, 80), np.uint16)
    y, x = np.mgrid[:80, :80]
    for label, (begin, end, _, start, step) in TRACKS.items():
        for t in range(begin, end + 1):
            at = np.add(start, np.multiply(step, t - begin))
            disc = (y - at[0]) ** 2 + (x - at[1]) ** 2 <= 30
            masks[t][disc & (masks[t] == 0)] = label
    rows = [(label, *track[:3]) for label, track in TRACKS.items()]
    return Drawn(masks, np.array(rows))


def as_result(masks, parents):
    """Write tracks for painted masks as the format asks: a gap begins a new track."""
    masks, rows, fresh = masks.copy(), [], int(masks.max()) + 1
    last_piece, later = {}, []
    for label in np.unique(masks[masks > 0]).tolist():
        seen = np.flatnonzero((masks == label).any((1, 2)))
        runs = np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1)
        name, parent = label, parents.get(label, 0)
        for run in runs:
            if run is not runs[0]:
                name, parent, fresh = fresh, name, fresh + 1
                piece = masks[run]
                piece[piece == label] = name
                masks[run] = piece
                later.append(name)
            rows.append([name, run[0], run[-1], parent])
        last_piece[label] = name
    ends = {row[0]: row[2] for row in rows}
    for row in rows:
        if row[3] and row[0] not in later:
            row[3] = last_piece.get(row[3], 0)
        if row[3] and ends[row[3]] >= row[1]:
            row[3] = 0
    return Drawn(masks, np.array(rows).reshape(-1, 4))


def cells_of(masks):
    return [
        (t, label)
        for t, frame in enumerate(masks)
        for label in np.unique(frame[frame > 0]).tolist()
    ]


def drop_cells(movie, random, share=0.12):
    masks = movie.masks.copy()
    for t, label in cells_of(masks):
        if random.random() < share:
            masks[t][masks[t] == label] = 0
    return as_result(masks, movie.parents)


def split_cells(movie, random, share=0.15):
    masks, fresh = movie.masks.copy(), int(movie.masks.max()) + 1
    for t, label in cells_of(masks):
        if random.random() < share:
            rows = np.flatnonzero((masks[t] == label).any(1))
            cut = random.choice(rows)
            half = masks[t] == label
            half[:cut] = False
            masks[t][half] = fresh
            fresh += 1
    return as_result(masks, movie.parents)


def merge_cells(movie, random, share=0.5):
    masks = movie.masks.copy()
    for t in range(len(masks)):
        labels = np.unique(masks[t][masks[t] > 0])
        if len(labels) > 1 and random.random() < share:
            one, other = random.choice(labels, 2, replace=False)
            masks[t][masks[t] == one] = other
    return as_result(masks, movie.parents)


def swap_labels(movie, random, times=4):
    masks = movie.masks.copy()
    for _ in range(times):
        t = int(random.integers(1, len(masks)))
        labels = np.unique(masks[t][masks[t] > 0])
        if len(labels) > 1:
            one, other = random.choice(labels, 2, replace=False)
            rest = masks[t:].copy()
            masks[t:][rest == one] = other
            masks[t:][rest == other] = one
    return as_result(masks, movie.parents)


def miss_divisions(movie, random, share=0.6):
    masks, parents = movie.masks.copy(), dict(movie.parents)
    for label in list(parents):
        if random.random() < share:
            mother = parents.pop(label)
            if random.random() < 0.5 and not (masks[masks == label] == mother).any():
                masks[masks == label] = mother
    return as_result(masks, parents)


def divide_late(movie, random, share=0.7):
    """Paint daughters as their mother in the frame of birth, as one cell."""
    masks = movie.masks.copy()
    for label, begin, _, parent in movie.table.tolist():
        if parent and random.random() < share:
            masks[begin][masks[begin] == label] = parent
    return as_result(masks, movie.parents)


def divide_early(movie, random, share=0.7):
    """Cut mothers in two in their last frame."""
    masks = movie.masks.copy()
    for mother in sorted(set(movie.parents.values())):
        born = [label for label, parent in movie.parents.items() if parent == mother]
        seen = np.flatnonzero((masks == mother).any((1, 2)))
        if len(born) == 2 and len(seen) > 1 and random.random() < share:
            frame = masks[seen[-1]]
            y, x = np.nonzero(frame == mother)
            first = y <= np.percentile(y, 40)
            frame[y[first], x[first]] = born[0]
            frame[y[~first], x[~first]] = born[1]
    return as_result(masks, movie.parents)


def invent_divisions(movie, random, times=3):
    parents = dict(movie.parents)
    rows = movie.table[movie.table[:, 1] > 0]
    for row in random.permutation(rows)[:times]:
        earlier = movie.table[movie.table[:, 2] < row[1]]
        if len(earlier):
            parents[int(row[0])] = int(random.choice(earlier)[0])
    return as_result(movie.masks, parents)


def empty_frames(movie, random):
    masks = movie.masks.copy()
    masks[random.choice(len(masks), 2, replace=False)] = 0
    return as_result(masks, movie.parents)


def extra_tracks(movie, random, times=6):
    masks, fresh = movie.masks.copy(), int(movie.masks.max()) + 1
    for label in range(fresh, fresh + times):
        begin = int(random.integers(0, len(masks)))
        height, width = masks.shape[1:]
        y, x = random.integers(0, height - 6), random.integers(0, width - 6)
        for frame in masks[begin : begin + int(random.integers(1, 6))]:
            patch = frame[y : y + 6, x : x + 6]
            patch[patch == 0] = label
    return as_result(masks, movie.parents)


def gaps(movie, random, times=4):
    masks = movie.masks.copy()
    for label in random.permutation(np.unique(masks[masks > 0]))[:times]:
        seen = np.flatnonzero((masks == label).any((1, 2)))
        if len(seen) > 3:
            begin = int(random.choice(seen[1:-2]))
            hole = masks[begin : begin + 2]
            hole[hole == label] = 0
    return as_result(masks, movie.parents)


def shifted_outlines(movie, random):
    masks = movie.masks.copy()
    for t in range(len(masks)):
        masks[t] = np.roll(masks[t], random.integers(-3, 4, 2), (0, 1))
    return as_result(masks, movie.parents)


def other_numbers(movie, random):
    names = np.unique(movie.masks[movie.masks > 0])
    new = dict(zip(names.tolist(), random.permutation(names).tolist(), strict=True))
    table = np.zeros(int(names.max()) + 1, movie.masks.dtype)
    table[list(new)] = list(new.values())
    parents = {new[label]: new[parent] for label, parent in movie.parents.items()}
    return as_result(table[movie.masks], parents)


def everything(movie, random):
    mild = (
        lambda m: drop_cells(m, random, 0.03),
        lambda m: split_cells(m, random, 0.03),
        lambda m: merge_cells(m, random, 0.1),
        lambda m: swap_labels(m, random, 1),
        lambda m: divide_late(m, random, 0.3),
        lambda m: divide_early(m, random, 0.3),
        lambda m: invent_divisions(m, random, 1),
        lambda m: extra_tracks(m, random, 2),
        lambda m: other_numbers(m, random),
    )
    for breakage in mild:
        movie = breakage(movie)
    return movie


BREAKAGES = (
    drop_cells,
    split_cells,
    merge_cells,
    swap_labels,
    miss_divisions,
    divide_late,
    divide_early,
    invent_divisions,
    empty_frames,
    extra_tracks,
    gaps,
    shifted_outlines,
    other_numbers,
    everything,
)


def cut(movie, frames):
    """Keep some frames of a movie that has no tracks across the cut to lose."""
    inside = movie.table[
        (movie.table[:, 2] >= frames.start) & (movie.table[:, 1] < frames.stop)
    ]
    parents = {row[0]: row[3] for row in inside.tolist() if row[1] >= frames.start}
    return as_result(movie.masks[frames.start : frames.stop], parents)


def write_folders(folder, result, truth, outlines=None):
    """Write a result and its truth as Cell Tracking Challenge folders."""
    outlines = outlines or truth
    places = folder / "01_RES", folder / "01_GT" / "TRA", folder / "01_GT" / "SEG"
    for place in places:
        place.mkdir(parents=True)
    for t in range(truth.frames):
        for place, name, movie in zip(
            places,
            ("mask", "man_track", "man_seg"),
            (result, truth, outlines),
            strict=True,
        ):
            tifffile.imwrite(place / f"{name}{t:03d}.tif", movie.masks[t])
    for path, movie in (
        (places[0] / "res_track.txt", result),
        (places[1] / "man_track.txt", truth),
    ):
        lines = [" ".join(map(str, row)) for row in movie.table.tolist()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "01_RES", folder / "01_GT"
