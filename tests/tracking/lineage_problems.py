"""Small random problems of linking cells, and their best lineages by trying all."""

import itertools

import numpy as np

from napari_semiconv.tracking.solver.problem import Options, Problem


def problem_of(frame, rows, gain, **more):
    """A problem of options given as rows of before, after and sister or -1."""
    before, after, sister = np.array(rows, np.int64).reshape(-1, 3).T
    options = Options(before, after, sister, np.asarray(gain, float))
    return Problem(np.asarray(frame), options, **more)


def random_options(rng, cells):
    """Frames of cells, and up to a dozen links and divisions of them."""
    frame = np.sort(rng.integers(0, 4, cells))
    pairs = [
        (i, j) for i in range(cells) for j in range(cells)
        if 0 < frame[j] - frame[i] <= 2
    ]  # fmt: skip
    options = [(i, j, -1) for i, j in pairs]
    options += [
        (i, j, k) for (i, j), (h, k) in itertools.combinations(pairs, 2)
        if i == h and frame[j] == frame[k]
    ]  # fmt: skip
    count = min(len(options), int(rng.integers(3, 12)))
    return frame, [options[i] for i in rng.permutation(len(options))[:count]]


def random_problem(seed, *, fixed=False, cells=9):
    rng = np.random.default_rng(seed)
    frame, rows = random_options(rng, cells)
    closed = rng.random((2, cells)) < (0.1 if fixed else 0)
    return problem_of(
        frame,
        rows,
        rng.normal(1.5, 2, len(rows)),
        fixed=rng.random(len(rows)) < (0.15 if fixed else 0),
        closed_before=closed[0],
        closed_after=closed[1],
    )


def is_lineage(problem, taken):
    """Whether no end is used twice, or though it is closed."""
    ends = problem.options.ends(len(problem.frame))[taken]
    used = ends[ends >= 0]
    return len(set(used.tolist())) == len(used) and not problem.closed[used].any()


def all_lineages(problem):
    """Each possible choice of options and its worth."""
    free = np.flatnonzero(~problem.fixed)
    taken = np.tile(problem.fixed, (2 ** len(free), 1))
    taken[:, free] = np.array(list(itertools.product([False, True], repeat=len(free))))
    good = taken[[is_lineage(problem, row) for row in taken]]
    return good, good @ problem.options.gain


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
    return problem_of(frame, values[:, :3], values[:, 3])


def after_next(gain, step, cell):
    return (step[cell] == 1) & (gain[cell] > -1)
