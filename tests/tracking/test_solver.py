"""The best lineage: exact against trying all, in windows, with margins and in words."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize

from napari_semiconv.errors import BadInputError
from napari_semiconv.tracking.solver.choice import choose
from napari_semiconv.tracking.solver.problem import Options, Problem
from napari_semiconv.tracking.solver.solve import solve, windows

from .lineage_problems import (
    all_lineages,
    crowd,
    is_lineage,
    problem_of,
    random_problem,
)


def problems(fixed, count):
    """Small problems that do not contradict themselves."""
    found = 0
    for seed in range(4 * count):
        try:
            problem = random_problem(seed, fixed=fixed)
        except BadInputError:
            assert fixed
            continue
        found += 1
        yield problem
        if found == count:
            return


@pytest.mark.parametrize("fixed", [False, True])
def test_no_lineage_is_better(fixed):
    for problem in problems(fixed, 12):
        solution = solve(problem)
        assert is_lineage(problem, solution.taken)
        assert solution.taken[problem.fixed].all()
        _, values = all_lineages(problem)
        assert solution.value == pytest.approx(values.max(), abs=1e-6)
        assert solution.gap == 0


@pytest.mark.parametrize("fixed", [False, True])
def test_no_lineage_without_an_option_loses_less_than_its_margin(fixed):
    exact = []
    for problem in problems(fixed, 8):
        solution = solve(problem)
        taken, values = all_lineages(problem)
        for row in np.flatnonzero(solution.taken & ~problem.fixed):
            loss = values.max() - values[~taken[:, row]].max()
            assert 0 <= solution.margin[row] <= loss + 1e-6
            exact.append(solution.margin[row] >= loss - 1e-6)
        assert np.isinf(solution.margin[problem.fixed]).all()
        assert np.isnan(solution.margin[~solution.taken]).all()
    assert np.mean(exact) > 0.6


def test_an_exchange_of_two_cells_loses_what_both_links_gain_over_it():
    rows = [(0, 2, -1), (1, 3, -1), (0, 3, -1), (1, 2, -1)]
    solution = solve(problem_of([0, 0, 1, 1], rows, [5, 5, 4, 3]))
    assert solution.taken.tolist() == [True, True, False, False]
    assert solution.margin[:2].tolist() == pytest.approx([3, 3])


# Mothers with a daughter in common, two by two: half of each is worth more than one.
three_mothers = problem_of(
    [0, 0, 0, 1, 1, 1], [(0, 3, 4), (1, 4, 5), (2, 3, 5)], [3, 3, 3.1]
)


def test_where_the_relaxation_is_not_whole_integers_decide():
    solution = solve(three_mothers)
    assert solution.taken.tolist() == [False, False, True]
    assert solution.value == pytest.approx(3.1)
    assert solution.gap == 0
    assert solution.margin[2] == pytest.approx(0.1, abs=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_crowds_with_many_divisions_are_solved_exactly(seed):
    """As integers all at once find it."""
    from scipy import optimize, sparse

    problem = crowd(6, 25, seed=seed)
    ends = problem.options.ends(len(problem.frame))
    row, column = np.nonzero(ends >= 0)
    uses = sparse.csr_array((np.ones(len(row)), (ends[row, column], row)))
    best = optimize.milp(
        -problem.options.gain,
        integrality=1,
        bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(uses, -np.inf, 1),
        options={"mip_rel_gap": 0},
    )
    assert solve(problem).value == pytest.approx(-best.fun, abs=1e-6)


def shuffled(problem, seed):
    order = np.random.default_rng(seed).permutation(len(problem.options.gain))
    options = problem.options.take(order)
    return order, replace(problem, options=options, fixed=problem.fixed[order])


def test_the_order_of_options_does_not_matter():
    problem = crowd(8, 25, seed=3)
    # Many equal gains: ties are broken by the order of the cells.
    gain = np.round(problem.options.gain)
    problem = replace(problem, options=replace(problem.options, gain=gain))
    first = solve(problem)
    for seed in range(3):
        order, other = shuffled(problem, seed)
        second = solve(other)
        np.testing.assert_array_equal(second.taken, first.taken[order])
        np.testing.assert_allclose(second.margin, first.margin[order])


@pytest.mark.parametrize("seed", range(3))
def test_windows_agree_with_the_whole(seed):
    problem = crowd(40, 12, seed=seed, spread=3.0)
    told = []
    whole = solve(problem)
    parts = solve(problem, window=50, tell=lambda *x: told.append(x))
    assert len(told) > 4
    np.testing.assert_array_equal(parts.taken, whole.taken)


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_are_too_short_still_make_a_lineage(seed):
    problem = crowd(30, 20, seed=seed)
    whole, parts = solve(problem), solve(problem, window=1, overlap=1)
    assert is_lineage(problem, parts.taken)
    assert 0.99 * whole.value < parts.value <= whole.value + 1e-6


def test_windows_overlap_by_frames_and_decide_every_option_once():
    start = np.repeat(np.arange(30), 10)
    parts = list(windows(start, 100, 4))
    assert parts[0] == (0, 60, 100)
    assert [begin for begin, _, _ in parts[1:]] == [end for _, end, _ in parts[:-1]]
    assert parts[-1][1:] == (300, 300)
    short = list(windows(start, 1, 4))
    assert all(end - begin >= 80 for begin, _, end in short[:-1])
    assert list(windows(start, 1000, 4)) == [(0, 300, 300)]
    assert list(windows(start[:0], 1000, 4)) == []


def chain(**more):
    """Two cells in frame 0, one in each of frames 1 and 3."""
    rows = [(0, 2, -1), (1, 2, -1), (2, 3, -1)]
    return problem_of([0, 0, 1, 3], rows, [2.0, 1.0, 1.0], **more)


def test_what_was_confirmed_is_taken():
    solution = solve(chain(fixed=np.array([False, True, False])))
    assert solution.taken.tolist() == [False, True, True]
    assert solution.value == pytest.approx(2)


def test_a_closed_end_stays_open():
    solution = solve(chain(closed_before=np.array([False, False, True, False])))
    assert solution.taken.tolist() == [False, False, True]


def test_what_gains_nothing_is_not_taken():
    solution = solve(problem_of([0, 1], [(0, 1, -1)], [-1.0]))
    assert solution.taken.tolist() == [False]
    assert solution.value == 0


def test_without_options_there_is_nothing_to_take():
    told = []
    solution = solve(problem_of([0, 1], [], []), tell=lambda *x: told.append(x))
    assert len(solution.taken) == 0
    assert told == [(0, 0)]


def test_confirmed_links_to_one_cell_are_refused():
    with pytest.raises(
        BadInputError, match="one before the cell in frame 1, found two"
    ):
        chain(fixed=np.array([True, True, False]))


def test_a_confirmed_link_to_a_closed_cell_is_refused():
    closed = np.array([False, False, False, True])
    with pytest.raises(BadInputError, match="nothing before the cell in frame 3"):
        chain(fixed=np.array([False, False, True]), closed_before=closed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame": np.array([1, 0, 1, 3])}, "in order of frame"),
        ({"gain": np.array([1, np.nan, 1])}, "expected finite numbers"),
        ({"after": np.array([2, 1, 3])}, "expected a later cell"),
        ({"sister": np.array([2, -1, -1])}, "two different later daughters"),
        ({"after": np.array([2, 2, 4])}, "rows of cells from 0 to 3"),
        ({"before": np.array([0, 1])}, "expected 3 rows of cells each"),
        ({"fixed": np.zeros(2, bool)}, "expected 3 values"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    good = chain()
    names = {*vars(good.options)} & {*change}
    options = replace(good.options, **{name: change.pop(name) for name in names})
    with pytest.raises(BadInputError, match=said):
        replace(good, **{"options": options, "fixed": None, **change})


def test_options_are_put_together_and_counted_from_elsewhere():
    one = Options.links(np.array([0]), np.array([1]), np.array([2.0]))
    two = Options(*(np.array([n]) for n in (0, 1, 2)), np.array([3.0]))
    both = Options.joined([one, two]).shifted(10, 20)
    assert both.before.tolist() == [10, 10]
    assert both.after.tolist() == [21, 21]
    assert both.sister.tolist() == [-1, 22]
    assert both.ends(100).tolist() == [[10, 121, -1], [10, 121, 122]]
    assert len(Options.joined().gain) == 0


def test_a_choice_that_takes_too_long_tells_what_it_may_miss(monkeypatch):
    ends = three_mothers.options.ends(6)
    assert choose(three_mothers.options.gain, ends).gap == 0
    milp = scipy.optimize.milp

    def hurried(*given, **more):
        """As if time had run out before the best was proven."""
        found = milp(*given, **more)
        found.status, found.mip_dual_bound = 1, found.fun - 0.5
        return found

    monkeypatch.setattr(scipy.optimize, "milp", hurried)
    assert choose(three_mothers.options.gain, ends).gap == pytest.approx(0.5)
    assert solve(three_mothers).gap == pytest.approx(0.5)


def test_progress_is_told_and_may_stop_the_work():
    told = []
    problem = crowd(30, 12, seed=0)
    solve(problem, window=50, overlap=4, tell=lambda *x: told.append(x))
    count = len(problem.options.gain)
    assert len(told) > 3
    assert told[-1] == (count, count)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(problem, tell=stop)


def test_a_problem_without_cells_is_one():
    none = np.zeros(0, int)
    assert solve(Problem(none, Options.joined())).value == 0
