"""Small random problems of linking cells, and their best lineages by trying all."""

import itertools

import numpy as np

from napari_semiconv.tracking.problem import Problem


def random_problem(seed, *, merges=False, rest=0, fixed=False, spare=True, cells=9):
    rng = np.random.default_rng(seed)
    frame = np.sort(rng.integers(0, 4, cells))
    pairs = [
        (i, j) for i in range(cells) for j in range(cells)
        if 0 < frame[j] - frame[i] <= 2
    ]  # fmt: skip
    options = [(i, j, -1, False) for i, j in pairs]
    options += [
        (i, j, k, False) for (i, j), (h, k) in itertools.combinations(pairs, 2)
        if i == h and frame[j] == frame[k]
    ]  # fmt: skip
    if merges:
        options += [(i, j, -1, True) for i, j in pairs]
    count = min(len(options), int(rng.integers(3, 12)))
    chosen = [options[i] for i in rng.permutation(len(options))[:count]]
    before, after, sister, merge = (
        (list(x) for x in zip(*chosen, strict=True)) if (chosen) else ([], [], [], [])
    )
    closed = rng.random((2, cells)) < (0.1 if fixed else 0)
    return Problem(
        frame=frame,
        before=np.array(before, int),
        after=np.array(after, int),
        sister=np.array(sister, int),
        gain=rng.normal(1.5, 2, count),
        alone=rng.choice([0, 1], cells) * rng.random(cells) * 3,
        spare=rng.random(cells) * 3 if spare else None,
        fixed=rng.random(count) < (0.15 if fixed else 0),
        closed_before=closed[0],
        closed_after=closed[1],
        merge=np.array(merge, bool),
        rest=rest,
    )


def is_lineage(problem, taken):
    rows = np.flatnonzero(taken).tolist()
    future, past = {}, {}
    for row in rows:
        i, j, k = (int(x[row]) for x in (problem.before, problem.after, problem.sister))
        if i in future or problem.closed_after[i]:
            return False
        future[i] = row
        if problem.merge[row]:
            continue
        for daughter in (j, k) if k >= 0 else (j,):
            if daughter in past or problem.closed_before[daughter]:
                return False
            past[daughter] = row
    return merges_hold(problem, rows, past) and rests(problem, rows, past)


def merges_hold(problem, rows, past):
    for row in rows:
        if problem.merge[row] and not problem.fixed[row]:
            link = past.get(int(problem.after[row]))
            if link is None or problem.sister[link] >= 0:
                return False
    return True


def rests(problem, rows, past):
    for row in rows:
        if problem.sister[row] < 0:
            continue
        mother = cell = int(problem.before[row])
        way = [row]
        while cell in past and problem.sister[past[cell]] < 0:
            way.append(past[cell])
            cell = int(problem.before[past[cell]])
        if cell not in past:
            continue
        way.append(past[cell])
        hasty = problem.frame[mother] - problem.frame[cell] < problem.rest
        if hasty and not problem.fixed[way].all():
            return False
    return True


def worth(problem, taken):
    linked = np.zeros(len(problem.frame), bool)
    for cells in (problem.before, problem.after, problem.sister):
        linked[cells[taken & (cells >= 0)]] = True
    spare = problem.spare if problem.spare is not None else np.inf
    closed = problem.closed_before | problem.closed_after
    cost = np.minimum(problem.alone, np.where(closed, np.inf, spare))
    return problem.gain[taken].sum() - cost[~linked].sum()


def all_lineages(problem):
    """Each possible choice of options and its worth."""
    free = np.flatnonzero(~problem.fixed)
    taken = np.tile(problem.fixed, (2 ** len(free), 1))
    taken[:, free] = np.array(list(itertools.product([False, True], repeat=len(free))))
    good = np.array([is_lineage(problem, row) for row in taken])
    return taken[good], np.array([worth(problem, row) for row in taken[good]])


def crowd(frames, count, *, seed, spread=1.2):
    """Options of links, gaps and divisions among points that wander."""
    rng = np.random.default_rng(seed)
    size = spread * np.sqrt(count)
    points = [rng.uniform(0, size, (count, 2))]
    for _ in range(frames - 1):
        points.append(points[-1] + rng.normal(0, 0.2, (count, 2)))
    seen = [p[rng.random(count) > 0.05] for p in points]
    frame = np.repeat(np.arange(frames), [len(p) for p in seen])
    place = np.concatenate(seen)
    apart = np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))
    step = frame[None] - frame[:, None]
    gain = 3 - (apart / 0.4) ** 2 - (step - 1)
    before, after = np.nonzero((gain > 0) & (step > 0) & (step < 3))
    rows = [(i, j, -1, gain[i, j]) for i, j in zip(before, after, strict=True)]
    pairs = [
        (i, j, k, gain[i, j] + gain[i, k] - 2.5)
        for i in range(len(frame))
        for j, k in itertools.combinations(np.flatnonzero(after_next(gain, step, i)), 2)
    ]
    values = np.array(rows + [x for x in pairs if x[3] > 0])
    before, after, sister = values[:, :3].astype(int).T
    n = len(frame)
    alone, spare = np.full(n, 0.5), np.full(n, 0.4)
    return Problem(frame, before, after, sister, values[:, 3], alone, spare)


def after_next(gain, step, cell):
    return (step[cell] == 1) & (gain[cell] > -1)
