"""Worlds whose labels are hidden from the solver, to see whether it finds them."""

import numpy as np
from tests import worlds

from napari_semiconv.inference.linking.solve import Solver
from napari_semiconv.settings import LinkSettings
from napari_semiconv.tracking.evidence import Evidence


def hide(world, random):
    """Give the cells of each frame labels by chance; also the truth of each label."""
    hidden, truths = np.zeros_like(world), []
    for frame, labels in enumerate(world):
        true = np.unique(labels[labels > 0])
        names = random.choice(np.arange(1, 90), len(true), replace=False)
        lookup = np.zeros(int(true.max(initial=0)) + 1, np.int32)
        lookup[true] = names
        hidden[frame] = lookup[labels]
        truths.append(dict(zip(names.tolist(), true.tolist(), strict=True)))
    return hidden, truths


def say(labels, embeddings=None, motion=None, sure=None):
    """What a network may say of cells with these labels, ascending."""
    count = len(labels)
    rest = np.full(count, np.nan, np.float32)
    return Evidence(
        np.array(labels, np.int64),
        np.zeros((count, 0), np.float32) if embeddings is None else embeddings,
        np.full((count, 2), np.nan, np.float32) if motion is None else motion,
        np.ones(count, np.float32) if sure is None else sure,
        rest,
        rest,
        joint_match=np.zeros(count, np.int64),
        joint_overlap=np.zeros(count, np.float32),
    )


def solver_of(movie, size=12.0, frames=None, **settings):
    """A solver that has seen a movie, (T, Y, X)."""
    solver = Solver(LinkSettings(**settings), size)
    for frame, labels in zip(frames or range(len(movie)), movie, strict=True):
        solver.push(frame, labels)
    return solver


def solve(world, size=12.0, random=None, fixed=None, **settings):
    """Solve a drawn world; give what was found, and the track of each true cell."""
    movie, truths = hide(worlds.enlarge(world), random or np.random.default_rng(0))
    solved = solver_of(movie, size, **settings).solve(fixed)
    return solved, found_by_truth(solved, truths)


def found_by_truth(solved, truths):
    """Track of each (frame, true label)."""
    return {
        (frame, truth[label]): track
        for frame, truth in enumerate(truths)
        for label, track in solved.names(frame).items()
    }


def names_of(found, label):
    """All tracks that a true track was made part of."""
    return {track for (_, true), track in found.items() if true == label}


def assert_followed(found, *labels):
    """Each true track is one track, of its own."""
    names = [names_of(found, label) for label in labels]
    assert all(len(name) == 1 for name in names), names
    assert len(set.union(*names)) == len(labels)
