"""What a perfect network would say of a drawn frame."""

import numpy as np

from napari_semiconv.inference.stream.stream import FrameOutput


def perfect_output(labels, cell_size=12.0, directions=None, motion=None):
    """Output whose votes fall on centroids and whose embeddings are one per cell.

    ``directions`` gives cells the number of their embedding; others have their own.
    """
    size = 8
    grid = np.indices(labels.shape, np.float32)
    offset = np.zeros((2, *labels.shape), np.float32)
    embedding = np.zeros((size, *labels.shape), np.float32)
    embedding[0][labels == 0] = 1
    for place, label in enumerate(n for n in np.unique(labels) if n):
        mask = labels == label
        offset[:, mask] = grid[:, mask].mean(1, keepdims=True) - grid[:, mask]
        direction = (directions or {}).get(label, place)
        embedding[1 + direction % (size - 1)][mask] = 1
    return FrameOutput(
        foreground=(labels > 0).astype(np.float32),
        embedding=embedding,
        offset=offset,
        motion=offset if motion is None else motion,
        seed=(labels > 0).astype(np.float32),
        cell_size=cell_size,
    )


def same_partition(one, other):
    """Whether two label images part the pixels alike, whatever the numbers."""
    pairs = {*zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)}
    lefts, rights = {a for a, _ in pairs}, {b for _, b in pairs}
    return (one == 0).tolist() == (other == 0).tolist() and len(pairs) == len(
        lefts
    ) == len(rights)


def cells_of(engine, outputs):
    """Cells that an engine finds in each frame."""
    return [labels for labels, _ in engine.cluster(outputs)]
