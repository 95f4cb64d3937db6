"""The global solver in drawn worlds: hidden labels, what is confirmed, odd evidence."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests import worlds
from tests.inference.hidden import (
    assert_followed,
    hide,
    names_of,
    say,
    solve,
    solver_of,
)
from tests.inference.test_linker import follow

from napari_semiconv.errors import BadInputError
from napari_semiconv.inference.linking.solve import Fixed, Solver, notes_of
from napari_semiconv.settings import LinkSettings
from napari_semiconv.tracking.evidence import SCORES
from napari_semiconv.tracking.invariants import faults_of_frame, faults_of_lineage

FEW = examples(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
# World, cell size, its tracks, and who is whose daughter.
TRUTHS = {
    "one_division": (12.0, {}, (1, 2, 3), {1: (2, 3)}),
    "two_divisions": (12.0, {}, (1, 2, 3, 4, 5, 6), {1: (3, 4), 2: (5, 6)}),
    "crossing": (8.0, {"most_distance": 3}, (1, 2), {}),
    "gap": (12.0, {}, (1, 2), {}),
    "enters": (12.0, {}, (1, 2), {}),
    "leaves": (12.0, {}, (1, 2), {}),
    "touching": (12.0, {}, (1, 2), {}),
    "merge": (12.0, {}, (1, 2), {}),
    "newcomer": (12.0, {}, (1, 2), {}),
    "crumb": (12.0, {}, (1, 2), {}),
}
# A cell that is cut in two for a frame.
cut_in_two = worlds.draw(
    "..........  ..........  ..........  ..........",
    ".11111111.  .1111.222.  .11111111.  .11111111.",
    ".11111111.  .1111.222.  .11111111.  .11111111.",
    ".11111111.  .1111.222.  .11111111.  .11111111.",
    "..........  ..........  ..........  ..........",
)
# Cell 1 is missed in frame 1, in which another one comes up beside its place.
misled = worlds.draw(
    "............  ............  ............  ............",
    ".111........  ....222.....  .111222.....  .111222.....",
    ".111........  ....222.....  .111222.....  .111222.....",
    ".111........  ....222.....  .111222.....  .111222.....",
    "............  ............  ............  ............",
)


def still(*numbers, frames=3):
    """Cells side by side that stay where they are, (T, Y, X)."""
    row = ".".join(str(n) * 3 for n in numbers)
    rest = "." * len(row)
    return worlds.enlarge(
        worlds.draw(*("  ".join([line] * frames) for line in (rest, row, row, rest)))
    )


def assert_sound(solved, movie, frames=None):
    """No fault in the lineage, and every cell of every frame in exactly one track."""
    lineage, frames = solved.lineage, frames or range(len(movie))
    assert list(faults_of_lineage(lineage, frames.stop)) == []
    for frame, labels in zip(frames, movie, strict=True):
        names = solved.names(frame)
        assert sorted(names) == np.unique(labels[labels > 0]).tolist()
        assert len(set(names.values())) == len(names)
        lookup = np.zeros(int(labels.max()) + 1, np.int64)
        lookup[list(names)] = list(names.values())
        assert list(faults_of_frame(lineage, frame, lookup[labels])) == []


# What is true is found


@pytest.mark.parametrize("name", TRUTHS)
def test_the_true_lineage_is_found(name):
    size, settings, tracks, families = TRUTHS[name]
    solved, found = solve(getattr(worlds, name), size, **settings)
    assert_followed(found, *tracks)
    label = {true: names_of(found, true).pop() for true in tracks}
    born = {label[m]: sorted(label[d] for d in ds) for m, ds in families.items()}
    assert solved.lineage.daughters() == born


@pytest.mark.parametrize("name", TRUTHS)
def test_label_numbers_do_not_matter(name):
    size, settings, _, _ = TRUTHS[name]
    partitions = set()
    for seed in range(4):
        random = np.random.default_rng(seed)
        solved, found = solve(getattr(worlds, name), size, random, **settings)
        groups = {}
        for cell, track in found.items():
            groups.setdefault(track, set()).add(cell)
        parents = {(min(groups[d]), max(groups[m])) for d, m in solved.parents.items()}
        tracks = frozenset(frozenset(cells) for cells in groups.values())
        partitions.add((tracks, frozenset(parents)))
    assert len(partitions) == 1


def test_a_world_without_cells_has_no_tracks():
    solved, found = solve(worlds.empty)
    assert found == {}
    assert dict(solved.lineage.tracks) == {}
    assert solved.scores.shape == (0, len(SCORES))


def test_nothing_seen_is_nothing_solved():
    assert dict(Solver(LinkSettings(), 12.0).solve().lineage.tracks) == {}


def test_a_gap_is_bridged_and_its_scores_are_empty_there():
    solved, found = solve(worlds.gap)
    (label,) = names_of(found, 2)
    assert solved.lineage.tracks[label].frames == [0, 3]
    scores = solved.lineage.scores(label)
    assert scores.shape == (4, len(SCORES))
    assert np.isnan(scores[1:3]).all()


def test_a_cell_that_is_missing_too_long_is_another():
    _, found = solve(worlds.gap, most_gap=1)
    assert len(names_of(found, 2)) == 2


def test_divisions_can_be_switched_off():
    assert not solve(worlds.one_division, divisions=False)[0].parents


def test_a_cell_cut_in_two_for_a_frame_is_no_division():
    solved, found = solve(cut_in_two, size=20.0)
    assert_followed(found, 1)
    assert not solved.parents


def test_a_cell_that_was_two_before_is_no_mother():
    again = np.concatenate([cut_in_two[1:2], worlds.draw(
        "..........  ..........",
        ".11111111.  .111..222.",
        ".11111111.  .111..222.",
        ".11111111.  .111..222.",
        "..........  ..........",
    )])  # fmt: skip
    solved, found = solve(again, size=20.0)
    assert not solved.parents
    assert_followed(found, 1, 2)


def test_a_gap_is_closed_over_a_wrong_continuation():
    _, found = solve(misled, size=12.0)
    assert_followed(found, 1, 2)


def test_what_is_told_above_cannot_be_known_frame_by_frame():
    greedy, _ = follow(cut_in_two, size=20.0)
    assert greedy.lineage.daughters()
    _, found = follow(misled, size=12.0)
    assert found[0, 1] == found[1, 2]


def test_frames_are_numbered_as_in_the_movie():
    movie = still(1, 2)
    solved = solver_of(movie, frames=range(5, 8)).solve()
    assert solved.names(6) == {1: 1, 2: 2}
    assert solved.names(2) == {}
    assert solved.lineage.tracks[1].frames == [5, 6, 7]


def test_frames_that_are_not_there_count_as_a_gap():
    movie = still(1, 2)[:2]
    solver = Solver(LinkSettings(most_gap=2), 12.0)
    solver.push(0, movie[0])
    solver.push(3, movie[1])
    assert solver.solve().lineage.tracks[1].frames == [0, 3]
    solver = Solver(LinkSettings(most_gap=1), 12.0)
    solver.push(0, movie[0])
    solver.push(3, movie[1])
    assert len(solver.solve().lineage.tracks) == 4


def test_divisions_are_found_after_frames_that_are_not_there():
    movie = worlds.enlarge(worlds.one_division)
    solver = Solver(LinkSettings(), 12.0)
    solver.push(0, movie[0])
    for frame in range(1, 4):
        solver.push(frame + 2, movie[frame])
    assert solver.solve().lineage.daughters() == {1: [2, 3]}


# What the user confirmed


def test_a_confirmed_link_is_kept_against_a_better_one():
    movie = still(1, 2)
    fixed = Fixed(links=frozenset({((0, 1), (1, 2))}))
    solved = solver_of(movie).solve(fixed)
    assert solved.names(0)[1] == solved.names(1)[2]
    assert_sound(solved, movie)


def test_a_confirmed_link_may_be_longer_than_any_that_is_thought_of():
    movie = still(1, frames=8)
    movie[1:7] = 0
    fixed = Fixed(links=frozenset({((0, 1), (7, 1))}))
    solver = solver_of(movie)
    assert len(solver.solve().lineage.tracks) == 2
    assert solver.solve(fixed).lineage.tracks[1].frames == [0, 7]


def test_a_confirmed_link_to_the_far_end_of_the_frame_is_kept():
    movie = still(1, *"234567")
    fixed = Fixed(links=frozenset({((1, 1), (2, 7))}))
    solved = solver_of(movie).solve(fixed)
    assert solved.names(1)[1] == solved.names(2)[7]
    assert_sound(solved, movie)


def test_a_confirmed_link_rules_out_a_division():
    movie = worlds.enlarge(worlds.one_division)
    fixed = Fixed(links=frozenset({((1, 1), (2, 2))}))
    solved = solver_of(movie).solve(fixed)
    assert not solved.parents
    assert solved.names(1)[1] == solved.names(2)[2]


def test_what_begins_has_nothing_before_it():
    movie = still(1, 2)
    solved = solver_of(movie).solve(Fixed(born=frozenset({(1, 1)})))
    assert solved.names(0)[1] != solved.names(1)[1]
    assert solved.names(0)[2] == solved.names(1)[2]


def test_what_ends_has_nothing_after_it():
    movie = worlds.enlarge(worlds.one_division)
    solved = solver_of(movie).solve(Fixed(ended=frozenset({(1, 1)})))
    assert not solved.parents
    assert solved.lineage.tracks[solved.names(1)[1]].end == 1


def test_cells_that_are_not_there_say_nothing():
    places = (9, 9), (8, 1)
    fixed = Fixed(frozenset({places}), frozenset(places), frozenset(places))
    movie = still(1, 2)
    assert solver_of(movie).solve(fixed).lineage == solver_of(movie).solve().lineage


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        (
            Fixed(links=frozenset({((0, 1), (1, 1)), ((0, 1), (1, 2))})),
            "expected one after the cell in frame 0, found two, to cells in frames 1",
        ),
        (
            Fixed(links=frozenset({((0, 1), (2, 1)), ((1, 1), (2, 1))})),
            "expected one before the cell in frame 2, found two, to cells in frames 0",
        ),
        (
            Fixed(frozenset({((0, 1), (1, 1))}), born=frozenset({(1, 1)})),
            "expected nothing before the cell in frame 1, as was confirmed, found a",
        ),
        (
            Fixed(frozenset({((0, 1), (1, 1))}), ended=frozenset({(0, 1)})),
            "expected nothing after the cell in frame 0, as was confirmed, found a",
        ),
        (
            Fixed(links=frozenset({((2, 1), (1, 1))})),
            "Option of a cell in frame 2: expected a later cell",
        ),
    ],
)
def test_contradictions_are_told_with_their_frames(fixed, words):
    with pytest.raises(BadInputError) as caught:
        solver_of(still(1, 2)).solve(fixed)
    sentence = str(caught.value)
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


# What is told besides

# Two cells come together as one, and stay so.
merging = worlds.draw(
    "............  ............  ............  ............",
    ".1111.22....  .1111.22....  .1111111....  .1111111....",
    ".1111.22....  .1111.22....  .1111111....  .1111111....",
    ".1111.22....  .1111.22....  .1111111....  .1111111....",
    "............  ............  ............  ............",
)


@pytest.mark.parametrize("name", [*TRUTHS, "merging"])
def test_asking_for_merges_changes_no_track(name):
    size, settings, *_ = TRUTHS.get(name, (12.0, {}))
    world = merging if name == "merging" else getattr(worlds, name)
    movie, _ = hide(worlds.enlarge(world), np.random.default_rng(0))
    plain = solver_of(movie, size, **settings).solve()
    asked = solver_of(movie, size, merges=True, **settings).solve()
    assert asked.lineage == plain.lineage
    assert plain.merged == {}


def test_a_track_that_ends_in_another_cell_is_told():
    movie = worlds.enlarge(merging)
    solved = solver_of(movie, merges=True).solve()
    assert solved.merged == {(1, 2): 1}
    assert notes_of(solved) == {
        1: ["Merge: cell 2 of frame 1 seems to go into cell 1."]
    }


def test_a_confirmed_end_is_no_merge():
    fixed = Fixed(ended=frozenset({(1, 2)}))
    assert solver_of(worlds.enlarge(merging), merges=True).solve(fixed).merged == {}


def doubtful(fixed=None, **settings):
    """A cell that stays, and another in one frame that the network is not sure of."""
    movie = still(1, 2)
    movie[0][movie[0] == 2] = movie[2][movie[2] == 2] = 0
    solver = Solver(LinkSettings(**settings), 12.0)
    for frame, labels in enumerate(movie):
        there = np.unique(labels[labels > 0]).tolist()
        sure = np.array([0.9 if n == 1 else 0.4 for n in there], np.float32)
        solver.push(frame, labels, say(there, sure=sure))
    return solver.solve(fixed)


def test_a_doubtful_cell_seen_once_is_left_out_when_that_is_asked():
    assert doubtful().names(1).keys() == {1, 2}
    assert not doubtful(least_sure=0.3).left_out
    solved = doubtful(least_sure=0.5)
    assert solved.names(1)[2] == 0
    assert list(solved.lineage.tracks) == [solved.names(1)[1]]
    assert notes_of(solved) == {
        1: ["Left out: cell 2 of frame 1, seen in one frame only, sure to 40 %."]
    }


@pytest.mark.parametrize(
    "fixed",
    [
        Fixed(cells=frozenset({(1, 2)})),
        Fixed(born=frozenset({(1, 2)})),
        Fixed(ended=frozenset({(1, 2)})),
        Fixed(links=frozenset({((0, 1), (1, 2))})),
    ],
)
def test_a_cell_of_which_anything_was_confirmed_is_never_left_out(fixed):
    assert not doubtful(fixed, least_sure=0.5).left_out


# What the network says


def test_cells_of_which_nothing_is_said_link_all_the_same():
    movie = still(1, 2)
    bare = solver_of(movie).solve()
    solver = Solver(LinkSettings(), 12.0, channels=4)
    codes = np.eye(2, 4, dtype=np.float32)
    solver.push(0, movie[0], say([1, 2], codes))
    solver.push(1, movie[1])
    solver.push(2, movie[2], say([2], codes[1:]))
    solved = solver.solve()
    assert [solved.names(t) for t in range(3)] == [bare.names(t) for t in range(3)]
    assert np.isnan(solved.scores[2:4, SCORES.index("sure")]).all()


def test_embeddings_decide_between_cells_equally_far():
    rest = "........  ........"
    world = worlds.draw(rest, ".12.....  ..12....", ".12.....  ..12....", rest)
    movie = worlds.enlarge(world)
    codes = np.array([[1, 0], [-1, 0]], np.float32)
    blind = solver_of(movie, size=8.0).solve()
    assert blind.names(0)[2] == blind.names(1)[1]
    solver = Solver(LinkSettings(), 8.0, channels=2)
    for frame in range(2):
        solver.push(frame, movie[frame], say([1, 2], codes))
    solved = solver.solve()
    assert all(solved.names(t) == {1: 1, 2: 2} for t in range(2))


def test_motion_overrules_nearness():
    movie = still(1, 2, frames=2)
    motion = np.array([[0, 16], [0, -16]], np.float32)
    solver = Solver(LinkSettings(), 12.0)
    solver.push(0, movie[0])
    solver.push(1, movie[1], say([1, 2], motion=motion))
    solved = solver.solve()
    assert solved.names(0)[1] == solved.names(1)[2]
    assert solved.names(0)[2] == solved.names(1)[1]


def test_evidence_of_labels_that_are_not_there_says_nothing():
    movie = still(1, 2)
    solver = Solver(LinkSettings(), 12.0)
    for frame in range(3):
        solver.push(frame, movie[frame], say([2, 7, 9], sure=np.full(3, 0.5, "f4")))
    solved = solver.solve()
    assert_sound(solved, movie)
    sure = solved.scores[:, SCORES.index("sure")]
    assert np.array_equal(np.isnan(sure), solved.label == 1)


def test_evidence_of_another_network_says_nothing_of_likeness():
    movie = still(1, 2)
    solver = Solver(LinkSettings(), 12.0, channels=4)
    for frame in range(3):
        codes = np.eye(2, 4 if frame < 2 else 6, dtype=np.float32)
        solver.push(frame, movie[frame], say([1, 2], codes))
    assert_sound(solver.solve(), movie)


# Scores


def test_scores_arrive_under_their_names():
    movie = still(1, 2)
    solver = Solver(LinkSettings(), 12.0)
    for frame in range(3):
        said = say([1, 2], sure=np.array([0.25, 0.75], np.float32))
        solver.push(frame, movie[frame], said)
    lineage = solver.solve(Fixed(links=frozenset({((0, 1), (1, 1))}))).lineage
    assert lineage.score_names == SCORES
    scores = dict(zip(SCORES, lineage.scores(1).T, strict=True))
    assert scores["sure"].tolist() == [0.25] * 3
    assert np.isnan(scores["margin"]).all()
    assert np.isnan(scores["link"][0])
    assert scores["link"][1] == 1.0
    assert 0 < scores["link"][2] < 1
    assert (lineage.scores(2)[:, 0] == 0.75).all()


def test_a_doubtful_link_scores_lower_than_a_clear_one():
    rest = "..........  .........."
    clear = worlds.draw(rest, ".111......  .111......", ".111......  .111......", rest)
    crowd = worlds.draw(rest, ".111222...  ..111.222.", ".111222...  ..111.222.", rest)
    link = SCORES.index("link")
    scores = [solve(world)[0].scores[-1, link] for world in (clear, crowd)]
    assert scores[0] > scores[1] > 0


def test_both_daughters_have_the_score_of_their_division():
    solved, found = solve(worlds.one_division)
    link = SCORES.index("link")
    daughters = [solved.lineage.scores(found[2, n])[0, link] for n in (2, 3)]
    assert daughters[0] == daughters[1] > 0


# Large frames


def test_tiny_cells_are_kept_in_large_frames():
    movie = np.zeros((3, 200, 240), np.int32)
    movie[:, 20:120, 20:120] = 3
    movie[:, 151, 153] = 1
    movie[:, 161:163, 171] = 9
    solved = solver_of(movie, size=100.0).solve()
    assert_sound(solved, movie)
    assert all(solved.names(t) == {1: 1, 3: 3, 9: 9} for t in range(3))


def test_tiny_cells_side_by_side_are_all_kept_in_large_frames():
    movie = np.zeros((2, 200, 240), np.int32)
    movie[:, 20:120, 20:120] = 3
    for label, (y, x) in enumerate([(151, 153), (151, 154), (150, 153)], 5):
        movie[:, y, x] = label
    movie[:, 148, 148] = 11
    movie[:, 149, 149] = 12
    solved = solver_of(movie, size=100.0).solve()
    assert_sound(solved, movie)


def test_tiny_cells_inside_large_ones_are_kept():
    movie = np.zeros((2, 200, 240), np.int32)
    movie[:, 20:120, 20:120] = 3
    movie[:, 61, 61] = 4
    movie[:, 62, 62] = 5
    assert_sound(solver_of(movie, size=100.0).solve(), movie)


def test_a_frame_of_nothing_but_crumbs_is_sound():
    movie = np.arange(1, 65, dtype=np.int32).reshape(1, 8, 8).repeat(2, 0)
    assert_sound(solver_of(movie, size=100.0).solve(), movie)


def test_fewer_pixels_find_the_same_tracks():
    for name in ("one_division", "gap", "merge"):
        world = getattr(worlds, name)
        _, small = solve(world)
        movie, truths = hide(worlds.enlarge(world, 24), np.random.default_rng(0))
        solved = solver_of(movie, size=72.0).solve()
        large = {
            (t, truth[n]): track
            for t, truth in enumerate(truths)
            for n, track in solved.names(t).items()
        }
        pairs = {(small[cell], large[cell]) for cell in small}
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


def test_large_labels_take_no_table_of_their_size():
    movie = still(1, 2)
    movie[movie == 2] = 2**31 - 1
    for size in (12.0, 60.0):
        solved = solver_of(movie, size).solve()
        assert all(set(solved.names(t).values()) == {1, 2**31 - 1} for t in range(3))


# Movies by chance


@st.composite
def movies(draw):
    """A few frames of blocks by chance, with labels by chance."""
    frames = draw(st.integers(1, 5))
    movie = np.zeros((frames, 24, 28), np.int32)
    for frame in range(frames):
        for _ in range(draw(st.integers(0, 5))):
            y, x = draw(st.integers(0, 23)), draw(st.integers(0, 27))
            height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
            label = draw(st.integers(1, 12))
            movie[frame, y : y + height, x : x + width] = label
    return movie


@FEW
@given(movies(), st.sampled_from([4.0, 8.0, 50.0, 200.0]), st.integers(0, 3))
def test_any_movie_has_a_sound_lineage(movie, size, gap):
    solved = solver_of(movie, size, most_gap=gap).solve()
    assert_sound(solved, movie)
    assert all(len(pair) == 2 for pair in solved.lineage.daughters().values())
    for track in solved.lineage.tracks.values():
        assert all(last - first < gap for first, last in track.gaps)


@FEW
@given(movies(), st.randoms(use_true_random=False))
def test_whatever_the_user_said_is_kept(movie, random):
    cells = [
        (t, n) for t, frame in enumerate(movie) for n in np.unique(frame).tolist() if n
    ]
    links, used = set(), (set(), set())
    for _ in range(4 if cells else 0):
        one, other = random.choice(cells), random.choice(cells)
        if one[0] < other[0] and one not in used[0] and other not in used[1]:
            links.add((one, other))
            used[0].add(one)
            used[1].add(other)
    born = {c for c in cells if c not in used[1] and random.random() < 0.2}
    ended = {c for c in cells if c not in used[0] and random.random() < 0.2}
    fixed = Fixed(frozenset(links), frozenset(born), frozenset(ended))
    solved = solver_of(movie, 8.0).solve(fixed)
    assert_sound(solved, movie)
    tracks = solved.lineage.tracks
    track = {(t, n): tracks[solved.names(t)[n]] for t, n in cells}
    for one, other in links:
        assert track[one] is track[other]
        assert not any(one[0] < t < other[0] for t in track[one].frames)
    assert all(track[t, n].begin == t and not track[t, n].parent for t, n in born)
    mothers = {t.parent for t in tracks.values()}
    for t, n in ended:
        assert track[t, n].end == t
        assert track[t, n].label not in mothers


@FEW
@given(movies())
def test_solving_is_deterministic_and_pushing_on_is_possible(movie):
    solver = solver_of(movie, 8.0)
    first, second = solver.solve(), solver.solve()
    assert first.lineage == second.lineage
    solver.push(len(movie), movie[-1])
    again = np.concatenate([movie, movie[-1:]])
    assert_sound(solver.solve(), again)


def test_cells_found_together_are_linked_where_masks_say_nothing():
    """Alone, the left cell is the same; matched, the one that stepped over it."""
    rest = "............  ............"
    world = worlds.enlarge(
        worlds.draw(
            rest, ".11.........  ........11..", ".11.........  ........11..", rest
        )
    )
    alone = Solver(LinkSettings(), 8.0)
    joint = Solver(LinkSettings(), 8.0)
    for frame, labels in enumerate(world):
        said = say([1])
        match = np.array([frame], np.int64)  # of the first frame there is none
        alone.push(frame, labels, said)
        joint.push(
            frame,
            labels,
            replace(said, joint_match=match, joint_overlap=np.float32([1])),
        )
    assert len({*alone.solve().track.tolist()}) == 2
    assert len({*joint.solve().track.tolist()}) == 1
