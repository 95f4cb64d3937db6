"""What the network says of a frame, as images to look at."""

import numpy as np
from numpy.typing import NDArray

from ..settings import VotesSettings
from .constraints.maps import Maps
from .engines.tensors import one_thread, tensor_of, to_tensors
from .engines.votes.engine import VotesEngine
from .engines.votes.segments import find_segments
from .stream.stream import FrameOutput

Floats = NDArray[np.float32]
# Standard deviations that a colour spans either way.
SPAN = 2.0


def pictures_of(
    output: FrameOutput, shape: tuple[int, int], settings: VotesSettings | None = None
) -> dict[str, NDArray[np.float32 | np.uint8]]:
    """Turn the network's maps of a frame into images as large as the movie's frames.

    Parameters
    ----------
    output
        What the network predicts for the frame.
    shape
        Height and width of the movie's frames, px.
    settings
        How votes are clustered; the usual way when None.

    Returns
    -------
    dict
        ``embeddings``, (Y, X, 3), uint8: the more alike the colours, the more likely
        one cell; ``foreground``, (Y, X), the probability of being in a cell; from
        models with votes also ``votes``, the votes that fall on each pixel of the
        network, ``seeds``, how near the vote of a pixel falls to its cell's centre, 0
        to 1, and ``certainty``, how sure each cell is, 0 to 1.
    """
    settings = settings or VotesSettings()
    rows, columns = Maps.of(output, shape).places
    found: dict[str, NDArray[np.float32 | np.uint8]] = {
        "embeddings": _colours(output)[rows[:, None], columns],
        "foreground": output.foreground[rows[:, None], columns],
    }
    if output.offset is None or output.seed is None:
        return found
    seen = output.foreground > settings.foreground
    small = {
        "votes": _votes(output, seen, settings),
        "seeds": np.where(seen, output.seed, 0).astype(np.float32),
        "certainty": _certainty(output, settings),
    }
    return found | {name: one[rows[:, None], columns] for name, one in small.items()}


def _colours(output: FrameOutput) -> NDArray[np.uint8]:
    """Embeddings along the three directions in which cells differ most, (Y, X, 3)."""
    codes = output.embedding.reshape(len(output.embedding), -1).astype(np.float64)
    weight = output.foreground.ravel().astype(np.float64)
    centred = codes - (codes @ weight / max(weight.sum(), 1e-6))[:, None]
    spread, directions = np.linalg.eigh(centred * weight @ centred.T)
    chosen = np.argsort(-spread, kind="stable")[:3]
    directions = directions[:, chosen]
    # Of two opposite directions always the same one.
    largest = np.abs(directions).argmax(0)
    directions *= np.sign(directions[largest, np.arange(len(chosen))])
    deviation = np.sqrt(np.maximum(spread[chosen] / max(weight.sum(), 1e-6), 1e-12))
    along = directions.T @ centred / deviation[:, None]
    shade = np.clip(0.5 + along / (2 * SPAN), 0, 1)
    shade = np.pad(shade, ((0, 3 - len(shade)), (0, 0)))
    # Where no cell is, the embedding says nothing.
    colours = (255 * shade * weight).astype(np.uint8)
    return np.ascontiguousarray(colours.reshape(3, *output.shape).transpose(1, 2, 0))


def _votes(
    output: FrameOutput, seen: NDArray[np.bool_], settings: VotesSettings
) -> Floats:
    if not seen.any():
        return np.zeros(output.shape, np.float32)
    with one_thread():
        device = tensor_of(seen).device
        density = find_segments(to_tensors(output, seen, device), settings).density
    # Votes may fall beside the frame, on a margin as wide on each side.
    rows, columns = (
        slice((wide - side) // 2, (wide - side) // 2 + side)
        for wide, side in zip(density.shape, output.shape, strict=True)
    )
    inner: Floats = density.numpy()[rows, columns]
    return inner


def _certainty(output: FrameOutput, settings: VotesSettings) -> Floats:
    ((labels, scores),) = VotesEngine(settings).cluster([output])
    lookup = np.zeros(int(labels.max(initial=0)) + 1, np.float32)
    lookup[scores.numbers] = np.clip(scores.margin, 0, 1)
    painted: Floats = lookup[labels]
    return painted
