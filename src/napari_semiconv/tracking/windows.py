"""Movies solved window by window, so that memory depends on the window alone.

Decisions on which nothing beyond the window has a bearing are final and exact; other
options wait for the next window, which knows their rivals. Only options that have
waited for as many frames as windows overlap are decided early, and a bound then tells
what that may have cost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .deciding import (
    State,
    alone_costs,
    as_rule,
    continued,
    find_haste,
    possible,
    take,
)
from .packing import Clock, Effort, Packing, pack
from .problem import Integers, Lineages, Options
from .reduction import Part

# Options in a window where the caller names no number of frames.
WINDOW_OPTIONS = 60_000
# Frames of overlap where the caller names none.
OVERLAP = 6


@dataclass(frozen=True)
class Window:
    """Options that are looked at together.

    Parameters
    ----------
    rows
        Undecided options inside the window, (K,).
    beyond
        Undecided options that reach beyond it, (B,).
    end
        First frame beyond the window.
    due
        Options of cells before this frame have to be decided.
    horizon
        From this frame on cells have rivals beyond the window.
    fresh
        From this frame on its prices replace those of the window before.
    """

    rows: Integers
    beyond: Integers
    end: int
    due: int
    horizon: int
    fresh: int = 0


def choose_window(
    lineages: Lineages, window: int | None, overlap: int | None
) -> tuple[int, int]:
    """Choose frames of a window and of the overlap of two.

    Parameters
    ----------
    lineages
        What is to be solved.
    window, overlap
        What the caller asked for, frames, or None.
    """
    reach = _reach(lineages) + lineages.rest
    overlap = max(OVERLAP if overlap is None else overlap, 2 * reach, 1)
    frames = (
        int(lineages.frame[-1] - lineages.frame[0]) + 1 if len(lineages.frame) else 1
    )
    if window is None:
        share = WINDOW_OPTIONS / max(len(lineages.order), 1)
        window = frames if share >= 1 else max(int(frames * share), 2 * overlap)
    return max(window, overlap + 1), overlap


def _reach(lineages: Lineages) -> int:
    """Most frames from a mother to what follows her."""
    last = _last_frames(lineages, lineages.options)
    steps = last - lineages.frame[lineages.options.before]
    return int(steps.max(initial=1))


def _last_frames(lineages: Lineages, options: Options) -> Integers:
    """Frame of the last cell of each option, (K,)."""
    frame = lineages.frame
    second = np.where(options.sister >= 0, options.sister, options.after)
    last: Integers = np.maximum(frame[options.after], frame[second])
    return last


def windows(
    lineages: Lineages, state: State, window: int, overlap: int
) -> Iterator[Window]:
    """Move on through the movie; the caller decides in between.

    Parameters
    ----------
    lineages, state
        What is to be solved, and what is decided.
    window, overlap
        Frames.
    """
    frame, options = lineages.frame, lineages.options
    reach = _reach(lineages)
    starts = frame[options.before]
    stop, seen = int(frame[-1]) + 1, 0
    waiting = np.zeros(0, np.int64)
    end = fresh = int(frame[0])
    while end < stop:
        end = end + (window if end == frame[0] else window - overlap)
        final = end >= stop
        new = int(np.searchsorted(starts, end))
        waiting = np.concatenate([waiting, np.arange(seen, new)])
        seen = new
        waiting = waiting[state.undecided[waiting]]
        inside = _last_frames(lineages, options.take(waiting)) < end
        far = np.iinfo(np.int64).max
        yield Window(
            waiting[inside],
            waiting[~inside],
            end,
            far if final else end - overlap,
            far if final else end - reach - lineages.rest,
            fresh,
        )
        fresh = end - overlap // 2


def solve_window(
    lineages: Lineages, state: State, window: Window, clock: Clock, effort: Effort
) -> None:
    """Decide what a window can decide.

    Parameters
    ----------
    lineages
        What is to be solved.
    state
        Is changed.
    window
        Where to look.
    clock, effort
        When to stop, and what it took.
    """
    rows = window.rows[possible(lineages, state, window.rows)]
    state.undecided[window.rows] = False
    state.undecided[rows] = True
    part, cells = _part(lineages, state, window, rows)
    packing = pack(part, clock, effort)
    known: list[tuple[Integers, int]] = []
    while hasty := _broken(lineages, state, rows, packing):
        known += hasty
        if clock.left <= 0:
            packing = _repaired(part, packing, hasty)
            continue
        rules = (*part.rules, *known)
        packing = pack(_with_rules(part, rules), clock, effort)
    _apply(lineages, state, window, rows, part, packing, cells)


def _with_rules(part: Part, rules: tuple[tuple[Integers, int], ...]) -> Part:
    return Part(part.options, part.cost, part.continued, part.held, part.forced, rules)


def _part(
    lineages: Lineages, state: State, window: Window, rows: Integers
) -> tuple[Part, Integers]:
    """Cut out what a window looks at; also the rows of its cells."""
    options = lineages.options.take(rows)
    cells = np.unique(options.touches()[1])
    own = Options(
        np.searchsorted(cells, options.before),
        np.searchsorted(cells, options.after),
        np.where(options.sister >= 0, np.searchsorted(cells, options.sister), -1),
        options.gain,
        options.merge,
    )
    part = Part(
        own,
        alone_costs(lineages, state, cells),
        continued(lineages, state, cells),
        _last_frames(lineages, options) >= window.horizon,
        lineages.frame[options.before] < window.due,
    )
    return part, cells


def _broken(
    lineages: Lineages, state: State, rows: Integers, packing: Packing
) -> list[tuple[Integers, int]]:
    """Rules that a choice breaks."""
    hasty = find_haste(lineages, state, rows[packing.taken])
    options, rules = lineages.options.take(rows), []
    for haste in hasty:
        rule = as_rule(haste, options, rows, state)
        if not len(rule[0]):
            continue
        parts = np.array([haste.birth, haste.division, *haste.links])
        if (state.taken[parts] & ~lineages.fixed[parts]).any():
            state.certain = False
        rules.append(rule)
    return rules


def _repaired(
    part: Part, packing: Packing, rules: list[tuple[Integers, int]]
) -> Packing:
    """Leave one option of each broken rule out, and all that needs it."""
    taken, options = packing.taken.copy(), part.options
    for members, most in rules:
        chosen = members[taken[members]]
        if len(chosen) <= most:
            continue
        pairs = chosen[options.sister[chosen] >= 0]
        out = (pairs if len(pairs) else chosen)[-1]
        taken[out] = False
        if options.sister[out] < 0:
            taken &= ~(options.merge & (options.after == options.after[out]))
    gone = options.take(packing.taken & ~taken)
    lost = gone.gain.sum() + part.cost[gone.touches()[1]].sum()
    lost = packing.lost + max(0.0, float(lost))
    return replace(packing, taken=taken, lost=lost)


def _apply(
    lineages: Lineages,
    state: State,
    window: Window,
    rows: Integers,
    part: Part,
    packing: Packing,
    cells: Integers,
) -> None:
    final = packing.settled | part.forced
    chosen = final & packing.taken
    # A merge decided early brings the link along that it needs.
    goals = part.options.after[chosen & part.options.merge]
    chosen |= (
        packing.taken
        & ~part.options.merge
        & np.isin(part.options.after, goals)
        & (part.options.sister < 0)
    )
    state.certain &= not (part.forced & ~packing.settled).any()
    known = np.flatnonzero(np.isfinite(packing.prices))
    kind, cell = np.divmod(known, max(part.cells, 1))
    n = len(lineages.frame)
    place = kind * n + cells[cell]
    better = lineages.frame[cells[cell]] >= window.fresh
    better |= np.isnan(state.prices[place])
    state.prices[place[better]] = packing.prices[known[better]]
    state.lost += packing.lost
    take(lineages, state, rows[chosen])
    state.undecided[rows[final | chosen]] = False
