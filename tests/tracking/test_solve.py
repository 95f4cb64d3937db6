from dataclasses import replace

import numpy as np
import pytest

from napari_semiconv.errors import BadInputError
from napari_semiconv.tracking import margins
from napari_semiconv.tracking.problem import Problem
from napari_semiconv.tracking.reasons import Reason
from napari_semiconv.tracking.solve import solve

from .lineage_problems import all_lineages, crowd, is_lineage, random_problem, worth

SMALL = {
    "plain": {},
    "spared": {"spare": True},
    "merges": {"merges": True},
    "rest": {"rest": 2},
    "confirmed": {"fixed": True},
    "all": {"merges": True, "rest": 1, "fixed": True},
}


def solved(kind, count=10):
    """Small problems that do not contradict themselves, and their solutions."""
    found = 0
    for seed in range(4 * count):
        problem = random_problem(seed, **({"spare": False} | SMALL[kind]))
        try:
            solution = solve(problem)
        except BadInputError:
            assert problem.fixed.any()
            continue
        found += 1
        yield problem, solution
        if found == count:
            return


@pytest.mark.parametrize("kind", SMALL)
def test_no_lineage_is_better(kind):
    for problem, solution in solved(kind):
        assert is_lineage(problem, solution.taken)
        _, values = all_lineages(problem)
        assert solution.value == pytest.approx(values.max(), abs=1e-6)
        assert solution.value == pytest.approx(worth(problem, solution.taken))
        assert solution.gap == 0


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("exact", [True, False])
def test_margins_are_losses_without_the_option(kind, exact, monkeypatch):
    monkeypatch.setattr(margins, "EXACT_OPTIONS", 30 if exact else 0)
    for problem, solution in solved(kind, 6):
        taken, values = all_lineages(problem)
        for row in np.flatnonzero(solution.taken & ~problem.fixed):
            loss = values.max() - values[~taken[:, row]].max()
            assert solution.margin_exact[row] == exact
            if exact:
                assert solution.margin[row] == pytest.approx(loss, abs=1e-5)
            assert solution.margin[row] >= max(loss - 1e-5, 0)
        assert np.isinf(solution.margin[problem.fixed]).all()
        assert np.isnan(solution.margin[~solution.taken]).all()


def shuffled(problem, seed):
    order = np.random.default_rng(seed).permutation(len(problem.gain))
    names = ("before", "after", "sister", "gain", "fixed", "merge")
    held = {k: getattr(problem, k) for k in names}
    rows = {k: v[order] for k, v in held.items() if v is not None}
    return order, replace(problem, **rows)


def test_the_order_of_options_does_not_matter():
    problem = crowd(8, 25, seed=3)
    # Many equal gains: ties are broken by the order of the cells.
    problem = replace(problem, gain=np.round(problem.gain))
    first = solve(problem)
    for seed in range(3):
        order, other = shuffled(problem, seed)
        second = solve(other)
        np.testing.assert_array_equal(second.taken, first.taken[order])
        np.testing.assert_allclose(second.margin, first.margin[order])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rest", [0, 3])
def test_windows_agree_with_the_whole(seed, rest):
    problem = replace(crowd(40, 12, seed=seed, spread=3.0), rest=rest)
    whole = solve(problem, window=1000)
    parts = solve(problem, window=12, overlap=9)
    assert parts.statistics.windows > 5
    assert whole.gap == 0
    np.testing.assert_array_equal(parts.taken, whole.taken)
    assert parts.bound >= whole.value - 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_are_too_short_still_make_a_lineage(seed):
    problem = crowd(30, 20, seed=seed)
    whole, parts = solve(problem, window=1000), solve(problem, window=6, overlap=4)
    assert is_lineage(filled(problem), parts.taken)
    assert parts.value <= whole.value + 1e-6
    assert parts.bound >= whole.value - 1e-6
    assert parts.gap < 0.05 * whole.value


def filled(problem):
    n, v = len(problem.frame), len(problem.gain)
    none = np.zeros(n, bool)
    return replace(
        problem,
        fixed=np.zeros(v, bool),
        merge=np.zeros(v, bool),
        closed_before=none,
        closed_after=none,
    )


def chain(**more):
    """Two cells in frame 0, one in each of frames 1 and 3."""
    return Problem(
        frame=np.array([0, 0, 1, 3]),
        before=np.array([0, 1, 2]),
        after=np.array([2, 2, 3]),
        sister=np.full(3, -1),
        gain=np.array([2.0, 1.0, 1.0]),
        **more,
    )


def test_what_was_confirmed_is_taken():
    solution = solve(chain(fixed=np.array([False, True, False])))
    assert solution.taken.tolist() == [False, True, True]
    assert solution.value == pytest.approx(2)


def test_a_closed_end_stays_open():
    solution = solve(chain(closed_before=np.array([False, False, True, False])))
    assert solution.taken.tolist() == [False, False, True]


def test_confirmed_links_to_one_cell_are_refused():
    with pytest.raises(
        BadInputError, match="one before the cell in frame 1, found two"
    ):
        solve(chain(fixed=np.array([True, True, False])))


def test_a_confirmed_link_to_a_closed_cell_is_refused():
    closed = np.array([False, False, False, True])
    with pytest.raises(BadInputError, match="nothing before the cell in frame 3"):
        solve(chain(fixed=np.array([False, False, True]), closed_before=closed))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame": np.array([1, 0, 1, 3])}, "in order of frame"),
        ({"gain": np.array([1, np.nan, 1])}, "expected finite numbers"),
        ({"after": np.array([2, 1, 3])}, "expected a later cell"),
        ({"after": np.array([2, 2, 4])}, "rows of cells from 0 to 3"),
        ({"alone": np.full(4, -1.0)}, "expected numbers from 0"),
        ({"alone": np.zeros(3)}, "expected 4 values"),
        ({"alone": np.full(4, np.inf)}, "may stay alone or be left out"),
    ],
)
def test_what_does_not_fit_is_refused(change, said):
    with pytest.raises(BadInputError, match=said):
        solve(replace(chain(), **change))


def test_every_cell_that_is_left_out_has_a_reason():
    problem = chain(alone=np.full(4, 3.0), spare=np.full(4, 0.5))
    only = solve(problem).left_out
    assert [(x.cell, x.reason, x.option, x.rival) for x in only] == [
        (1, Reason.RIVAL, 1, 0)
    ]
    nothing = solve(
        Problem(
            *(np.zeros(k, t) for k, t in [(1, int), *[(0, int)] * 3, (0, float)]),
            alone=np.ones(1),
            spare=np.zeros(1),
        )
    )
    assert nothing.left_out[0].reason is Reason.NO_OPTION
    poor = solve(replace(problem, gain=np.full(3, -9.0)))
    assert {x.reason for x in poor.left_out} == {Reason.NOT_WORTH}
    shut = replace(problem, closed_before=np.array([False, False, True, False]))
    assert {x.reason for x in solve(shut).left_out} == {Reason.CONFIRMED}


def test_without_time_the_gap_is_told():
    problem = crowd(8, 25, seed=1)
    best, hasty = solve(problem), solve(problem, seconds=0)
    assert is_lineage(filled(problem), hasty.taken)
    assert hasty.value < best.value
    assert hasty.gap > 0
    assert hasty.bound >= best.value - 1e-6


def test_progress_is_told_and_may_stop_the_work():
    told = []
    problem = crowd(12, 12, seed=0)
    solve(problem, window=8, overlap=4, tell=lambda *x: told.append(x))
    assert told[-1] == (len(problem.gain), len(problem.gain))
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        solve(problem, tell=stop)
