import numpy as np
import pytest
from tests.tracked_worlds import PARENTS, WORLDS, lively, tracked_of

from napari_semiconv.errors import BadInputError
from napari_semiconv.io.cells.cell_graph import (
    NO_CELL,
    graph_of_lineage,
    origins_of_links,
    tracks_of_graph,
)
from napari_semiconv.tracking.lineage import Lineage, Track


def called(place):
    return f"cell {'abcdef'[place]}"


def origins(frames, links):
    links = np.array(links, np.int64).reshape(-1, 2)
    return origins_of_links(np.array(frames), links, "x.geff", called)


def tracks(frames, links, *names):
    labels, lineage = tracks_of_graph(
        np.array(frames), origins(frames, links), *(np.array(n) for n in names)
    )
    found = {k: (t.intervals, t.parent) for k, t in sorted(lineage.tracks.items())}
    return labels.tolist(), found


@pytest.mark.parametrize("world", WORLDS)
def test_tracks_to_a_graph_and_back(world):
    lineage = tracked_of(*WORLDS[world]).lineage
    graph = graph_of_lineage(lineage)
    labels, found = tracks_of_graph(graph.frames, graph.origins, graph.labels)
    assert found == lineage
    assert labels.tolist() == graph.labels.tolist()


def test_cells_are_sorted_by_frame_and_found_by_it():
    graph = graph_of_lineage(tracked_of(lively, PARENTS).lineage)
    for frame in range(8):
        there = np.unique(lively[frame]).tolist()[1:] if frame < 6 else []
        places = graph.places(frame)
        assert graph.labels[places].tolist() == there
        assert set(graph.frames[places]) <= {frame}


def test_a_link_skips_frames_without_the_cell():
    graph = graph_of_lineage(Lineage([Track.of(7, [0, 3, 4])]))
    assert graph.frames.tolist() == [0, 3, 4]
    assert graph.links().tolist() == [[0, 1], [1, 2]]


def test_paths_are_maximal_and_families_whole():
    # 1 goes on as 2, which divides into 3 and 4; 5 is of another family.
    ends = {1: (0, 1), 2: (2, 3), 3: (4, 5), 4: (4, 4), 5: (1, 2)}
    parents = {2: 1, 3: 2, 4: 2}
    graph = graph_of_lineage(
        Lineage(Track(k, (run,), parents.get(k, 0)) for k, run in ends.items())
    )
    of_label = dict(zip(graph.labels.tolist(), graph.branches().tolist(), strict=True))
    assert of_label[1] == of_label[2]
    assert len(set(of_label.values())) == 4
    families = dict(zip(graph.labels.tolist(), graph.families().tolist(), strict=True))
    assert families == {1: 1, 2: 1, 3: 1, 4: 1, 5: 2}


def test_links_are_taken_as_they_lie_in_time():
    assert origins([0, 1, 2], [(1, 0), (1, 2)]).tolist() == [NO_CELL, 0, 1]


@pytest.mark.parametrize(
    ("frames", "links", "sentence"),
    [
        ([0, 0], [(0, 1)], "from cell a to cell b, both of frame 0"),
        ([0, 0, 1], [(0, 2), (1, 2)], "two of cell c: cell a and cell b"),
        ([0, 1], [(0, 1), (1, 0)], "from cell a to cell b again"),
    ],
)
def test_links_that_no_lineage_has(frames, links, sentence):
    with pytest.raises(BadInputError, match=sentence):
        origins(frames, links)


def test_names_tell_the_tracks_where_they_can():
    named = tracks([0, 1, 2], [(0, 1), (1, 2)], [5, 5, 3])
    assert named == ([5, 5, 3], {3: (((2, 2),), 5), 5: (((0, 1),), 0)})


@pytest.mark.parametrize(
    "names",
    [
        [4, 5, 4, 6],  # one name on two paths
        [4, 4, 4, 6],  # goes on after its daughter was born
        [0, 0, 5, 6],  # not a label
        [2**31, 2**31, 5, 6],
    ],
)
def test_where_names_do_not_tell_the_paths_are_the_tracks(names):
    frames, links = [0, 1, 2, 2], [(0, 1), (1, 2), (1, 3)]
    found = {1: (((0, 1),), 0), 2: (((2, 2),), 1), 3: (((2, 2),), 1)}
    assert tracks(frames, links, names) == ([1, 1, 2, 3], found)


def test_the_first_names_that_tell_are_taken():
    frames, links = [0, 1], [(0, 1)]
    assert tracks(frames, links, [0, 0], [8, 8], [9, 9])[0] == [8, 8]


def test_cells_may_come_in_any_order():
    labels, found = tracks([2, 0, 1], [(1, 2), (2, 0)], [0, 0, 0])
    assert (labels, found) == ([1, 1, 1], {1: (((0, 2),), 0)})


def test_no_cells():
    assert tracks([], [], []) == ([], {})
    assert tracks([], []) == ([], {})
    assert len(graph_of_lineage(Lineage())) == 0
    assert graph_of_lineage(Lineage()).families().tolist() == []
