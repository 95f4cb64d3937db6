"""Labels of tracks that were solved: as many cells as possible keep theirs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from tests.tracking.lineage_problems import problem_of

from napari_semiconv.inference.linking.assign import assign_labels


def labelled(frame, label, links=(), divisions=(), beyond=0):
    rows = [(a, b, -1) for a, b in links] + [*divisions]
    problem = problem_of(frame, rows, np.ones(len(rows)))
    taken = np.ones(len(rows), bool)
    labels, parents = assign_labels(problem, taken, np.array(label, np.int64), beyond)
    return labels.tolist(), parents


def test_without_cells_there_are_no_names():
    assert labelled([], []) == ([], {})


def test_a_track_keeps_the_label_of_all_its_cells():
    assert labelled([0, 1], [7, 7], [(0, 1)]) == ([7, 7], {})


def test_a_track_gets_the_label_that_most_of_its_cells_have():
    names, _ = labelled([0, 1, 2], [3, 5, 5], [(0, 1), (1, 2)])
    assert names == [5, 5, 5]


def test_two_tracks_that_exchange_cells_keep_what_most_have():
    frame, label = [0, 0, 1, 1, 2, 2], [1, 2, 2, 1, 2, 1]
    links = [(0, 2), (2, 4), (1, 3), (3, 5)]
    names, _ = labelled(frame, label, links)
    assert names == [2, 1, 2, 1, 2, 1]


def test_a_part_that_was_cut_off_gets_a_new_label():
    names, _ = labelled([0, 1, 2], [4, 4, 4], [(0, 1)])
    assert names == [4, 4, 5]


def test_new_labels_lie_beyond_all_that_were_there():
    names, _ = labelled([0, 1, 1], [4, 4, 9], [], beyond=0)
    assert sorted(names) == [4, 9, 10]
    names, _ = labelled([0, 1], [4, 4], [], beyond=50)
    assert sorted(names) == [4, 51]


def test_a_label_that_is_free_again_goes_to_the_next_best_track():
    # Track A has 1, 1, 2; track B has 2 alone and C has 1 alone.
    frame, label = [0, 1, 2, 3, 4], [1, 1, 2, 2, 1]
    names, _ = labelled(frame, label, [(0, 1), (1, 2)])
    assert names == [1, 1, 1, 2, 3]


def test_daughters_know_their_mother_by_her_name():
    frame, label = [0, 1, 2, 2], [8, 8, 8, 3]
    names, parents = labelled(frame, label, [(0, 1)], [(1, 2, 3)])
    assert names == [8, 8, 9, 3]
    assert parents == {9: 8, 3: 8}


def test_only_what_was_taken_counts():
    problem = problem_of([0, 1, 1], [(0, 1, -1), (0, 2, -1)], [1, 1])
    names, _ = assign_labels(problem, np.array([False, True]), np.array([1, 1, 2]))
    assert names.tolist() in ([1, 3, 1], [2, 1, 2])


@st.composite
def chains(draw):
    """Up to four tracks in few frames, and labels that differ in every frame."""
    frames, count = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    frame, label, links, last = [], [], [], {}
    for t in range(frames):
        there = [n for n in range(count) if draw(st.booleans())]
        labels = draw(st.permutations(range(1, 6)))
        for n in there:
            if n in last:
                links.append((last[n], len(frame)))
            last[n] = len(frame)
            frame.append(t)
            label.append(labels[n])
    return frame, label, links


@settings(max_examples=30, deadline=None, derandomize=True)
@given(chains(), st.integers(0, 20))
def test_no_two_tracks_share_a_label_and_new_ones_lie_beyond(chain, beyond):
    frame, label, links = chain
    names, _ = labelled(frame, label, links, beyond=beyond)
    track = list(range(len(frame)))
    for one, other in links:
        track[other] = track[one]
    assert len(set(zip(track, names, strict=True))) == len(set(track))
    assert len(set(names)) == len(set(track))
    assert all(n in label or n > max([beyond, *label]) for n in names)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(chains())
def test_as_many_cells_as_possible_keep_their_labels(chain):
    frame, label, links = chain
    names, _ = labelled(frame, label, links)
    track = list(range(len(frame)))
    for one, other in links:
        track[other] = track[one]
    numbers = sorted(set(track))
    shared = np.array(
        [
            [sum(t == n and a == b for t, a in zip(track, label, strict=True))
             for b in range(1, 6)]
            for n in numbers
        ]
    ).reshape(-1, 5)  # fmt: skip
    rows, columns = linear_sum_assignment(shared, maximize=True)
    kept = sum(a == b for a, b in zip(names, label, strict=True))
    assert kept == shared[rows, columns].sum()
