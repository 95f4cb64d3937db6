"""Which cells must differ: both published rules (Payer et al. 2018, 2019).

Both need only the outlines of cells: of all pixels of a cell, the one nearest to a
point outside it lies on its outline.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .cells import Cells, mean_by

FRAMES = 8  # of a movie that are looked at together
BLOCK = 2**24  # pairs of a pixel and a centre that are looked at together


def neighbours(labels: Tensor, radius: float) -> Tensor:
    """Find which cells must differ: the published rule with a circle (2018).

    A cell is a neighbour of another when any of its pixels, in any frame, lies within
    the radius of the other's centre of mass over the whole clip.

    Parameters
    ----------
    labels
        Label clip, (T, Y, X).
    radius
        Neighbour radius r_N, px.

    Returns
    -------
    Tensor
        Boolean matrix, (K, K): row i marks the neighbours of cell i; empty diagonal.
    """
    cells = Cells.of(labels)
    always = torch.ones(
        (len(labels), cells.count), dtype=torch.bool, device=labels.device
    )
    number = _numbered(labels, cells)
    centre = _lives(cells, labels).centre
    return _without_itself(_in_circle(number, centre, radius, always))


def neighbours_2019(labels: Tensor, radius: float, dilation: int = 5) -> Tensor:
    """Find which cells must differ: the published rule with dilated masks (2019).

    In each frame a cell's region is its mask dilated by a disc and, from one frame
    before its first to one after its last, a circle around its centre of mass over the
    whole clip; in those two frames more, the dilated mask of the frame beside them.
    Every other cell with a pixel in the region in that frame is a neighbour.

    As published the whole movie is looked at, see `movie_neighbours`. A clip alone does
    not know the frames beside it, nor where its cells are the rest of their lives.

    Parameters
    ----------
    labels
        Label clip, (T, Y, X).
    radius
        Radius of the circle, px.
    dilation
        Radius of the disc, px.

    Returns
    -------
    Tensor
        Boolean matrix, (K, K): row i marks the neighbours of cell i; empty diagonal.
    """
    cells = Cells.of(labels)
    if not cells.count:
        return torch.zeros((0, 0), dtype=torch.bool, device=labels.device)
    found = _in_region(
        _numbered(labels, cells), _lives(cells, labels), radius, dilation
    )
    return _without_itself(found)


def movie_neighbours(
    frames: Sequence[Tensor], radius: float, dilation: int
) -> tuple[Tensor, Tensor]:
    """Find which cells of a whole movie must differ: the rule of 2019 as published.

    Parameters
    ----------
    frames
        Labels of each frame, (Y, X).
    radius
        Radius of the circle, px.
    dilation
        Radius of the disc, px.

    Returns
    -------
    tuple
        Labels of the cells, ascending, (K,); matrix as of `neighbours_2019`, (K, K).
    """
    label = torch.unique(torch.cat([torch.unique(frame) for frame in frames]))
    label = label[label > 0]
    found = torch.zeros((len(label), len(label)), dtype=torch.bool)
    if not len(label):
        return label, found
    lives = _movie_lives(frames, label)
    for begin in range(0, len(frames), FRAMES):
        # The frames beside them, too, for cells that are born or end there.
        start = max(0, begin - 1)
        some = frames[start : begin + FRAMES + 1]
        number = torch.stack([_numbered_by(label, frame) for frame in some])
        found |= _in_region(number, lives.since(start), radius, dilation)
    return label, _without_itself(found)


@dataclass(frozen=True)
class Lives:
    """Where and when cells live.

    Parameters
    ----------
    centre
        Centre of mass over all frames, (K, 2), px.
    first, last
        First and last frame, (K,).
    """

    centre: Tensor
    first: Tensor
    last: Tensor

    def since(self, frame: int) -> "Lives":
        """Count frames from another one."""
        return Lives(self.centre, self.first - frame, self.last - frame)


def crowding(adjacent: Tensor) -> int:
    """Bound how many cells must all differ from one another.

    Embeddings of D channels have D orthogonal directions, one of which the background
    takes: where this reaches D, not all neighbours may find one of their own.

    Parameters
    ----------
    adjacent
        Neighbour matrix, (K, K).

    Returns
    -------
    int
        Most neighbours that any cell has, and itself; 0 without cells.
    """
    if not len(adjacent):
        return 0
    return int((adjacent | adjacent.T).sum(1).max()) + 1


def _numbered(labels: Tensor, cells: Cells) -> Tensor:
    """Clip of cell numbers from 1, (T, Y, X); 0 where there is no cell."""
    number = torch.zeros(labels.numel(), dtype=torch.long, device=labels.device)
    number[cells.pixel] = cells.cell + 1
    return number.reshape(labels.shape)


def _without_itself(found: Tensor) -> Tensor:
    return found & ~torch.eye(len(found), dtype=torch.bool, device=found.device)


def _lives(cells: Cells, labels: Tensor) -> Lives:
    """Lives of the cells of a clip, (T, Y, X)."""
    width = labels.shape[-1]
    place = cells.pixel % labels[0].numel()
    position = torch.stack([place // width, place % width], 1).float()  # (P, 2) px
    first = cells.frame.new_full((cells.count,), len(labels))
    last = cells.frame.new_full((cells.count,), -1)
    return Lives(
        mean_by(position, cells.cell, cells.count),
        first.scatter_reduce(0, cells.owner, cells.frame, "amin"),
        last.scatter_reduce(0, cells.owner, cells.frame, "amax"),
    )


def _movie_lives(frames: Sequence[Tensor], label: Tensor) -> Lives:
    """Lives of the cells of a movie, by label, one frame at a time."""
    size = torch.zeros(len(label), dtype=torch.double)
    total = torch.zeros((2, len(label)), dtype=torch.double)
    first = torch.full((len(label),), len(frames))
    last = torch.full((len(label),), -1)
    for time, frame in enumerate(frames):
        number = _numbered_by(label, frame)
        place = torch.nonzero(number).T
        own = number[tuple(place)] - 1
        here = torch.bincount(own, minlength=len(label))
        size += here
        total += torch.stack([own.bincount(at, len(label)) for at in place.double()])
        first[(here > 0) & (first > time)] = time
        last[here > 0] = time
    return Lives((total / size).T.float(), first, last)


def _numbered_by(label: Tensor, frame: Tensor) -> Tensor:
    """Numbers from 1 in the order of some labels, (Y, X); 0 where there is no cell."""
    number: Tensor = torch.searchsorted(label, frame) + 1
    return number * (frame > 0)


def _outline(number: Tensor) -> Tensor:
    """Cell pixels beside another number or the border of the frame, (T, Y, X)."""
    around = F.pad(number, (1, 1, 1, 1), value=-1)
    shifts = (
        around[:, :-2, 1:-1],
        around[:, 2:, 1:-1],
        around[:, 1:-1, :-2],
        around[:, 1:-1, 2:],
    )
    inside = number == shifts[0]
    for shift in shifts[1:]:
        inside &= number == shift
    return (number > 0) & ~inside


def _in_region(number: Tensor, lives: Lives, radius: float, reach: int) -> Tensor:
    """Cells in each cell's region of the rule of 2019, (K, K)."""
    frames = torch.arange(len(number), device=number.device)[:, None]
    window = (frames >= lives.first - 1) & (frames <= lives.last + 1)  # (T, K)
    circle = _in_circle(number, lives.centre, radius, window)
    return circle | _in_mask(number, lives, reach)


def _in_circle(number: Tensor, centre: Tensor, radius: float, window: Tensor) -> Tensor:
    """Cells with a pixel in each cell's circle in the frames of window, (K, K)."""
    count = len(centre)
    frame, y, x = torch.nonzero(_outline(number)).T
    own = number[frame, y, x] - 1
    key, instance = torch.unique(frame * max(count, 1) + own, return_inverse=True)
    frame_of, owner = key // max(count, 1), key % max(count, 1)
    found = number.new_zeros((count, count), dtype=torch.bool)
    several = max(1, BLOCK // max(1, len(own)))
    for some in torch.split(torch.arange(count, device=number.device), several):
        gap_y = y[:, None] - centre[some, 0]
        gap_x = x[:, None] - centre[some, 1]
        near = (gap_y.square() + gap_x.square() <= radius**2).float()  # (E, S)
        hits = near.new_zeros((len(key), len(some))).index_add_(0, instance, near) > 0
        member, column = torch.nonzero(hits & window[frame_of][:, some]).T
        found[some[column], owner[member]] = True
    return found | _over_centre(number, centre, radius, window)


def _over_centre(
    number: Tensor, centre: Tensor, radius: float, window: Tensor
) -> Tensor:
    """Cells that cover each cell's centre: their outline may lie outside its circle."""
    y, x = nearest = centre.round().long().T
    covers = number[:, y, x]  # (T, K)
    close = (nearest.T - centre).square().sum(1) <= radius**2
    found = number.new_zeros((len(centre), len(centre)), dtype=torch.bool)
    frame, cell = torch.nonzero((covers > 0) & window & close).T
    found[cell, covers[frame, cell] - 1] = True
    return found


def _in_mask(number: Tensor, lives: Lives, reach: int) -> Tensor:
    """Cells within reach of each cell's mask, in its frames and beside them, (K, K)."""
    side = len(lives.first) + 1  # number 0, no cell, is dropped at the end
    around = F.pad(number, [reach] * 4)
    width, area = around.shape[-1], around[0].numel()
    flat = around.reshape(-1)
    found = number.new_zeros(side * side, dtype=torch.bool)

    def look(mask: Tensor, shifts: list[tuple[int, int]]) -> None:
        frame, y, x, own = _sources(number, mask, lives)
        start = frame * area + (y + reach) * width + x + reach
        for dy, dx in shifts:
            found[own * side + flat[start + dy * width + dx]] = True

    look(_outline(number), _disc(reach))
    # Cells of different frames may overlap wholly, outlines far from one another.
    look(number > 0, [(0, 0)])
    return found.reshape(side, side)[1:, 1:]


def _disc(reach: int) -> list[tuple[int, int]]:
    """Shifts (y, x) of at most reach, px."""
    steps = range(-reach, reach + 1)
    return [(y, x) for y in steps for x in steps if y * y + x * x <= reach * reach]


def _sources(number: Tensor, mask: Tensor, lives: Lives) -> Tensor:
    """Pixels of a mask with the frame they act in: frame, y, x, number, (4, S).

    Those of a cell's first and last frame act in the frame before and after, too.
    """
    frame, y, x = torch.nonzero(mask).T
    own = number[frame, y, x]
    there = torch.stack([frame, y, x, own])
    before = there[:, (frame == lives.first[own - 1]) & (frame > 0)]
    after = there[:, (frame == lives.last[own - 1]) & (frame < len(number) - 1)]
    step = there.new_tensor([1, 0, 0, 0])[:, None]
    return torch.cat([there, before - step, after + step], 1)
