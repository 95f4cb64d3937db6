"""How large a usual cell is, of the sizes that are believed in the one that fits best.

What is made of looks at several scales (see `sizing`) hangs on weights and cells: large
cells in pieces ask for other constants than small ones. So two readings of the same
looks are taken, and where they differ it is asked how good masks would be at each (see
`outlook`). Cells that are joined agree well, too: of sizes that promise enough, the
smallest is right.
"""

import numpy as np

from ..movie import Movie
from ..network.weights import Model
from .outlook import outlook
from .sizing import BELIEFS, believe, finder_of, look_around

# Logarithm of the ratio from which on two sizes differ.
DIFFER = 0.14
# Overlap with true masks that is worth having.
ENOUGH = 0.5


def estimate_cell_size(
    movie: Movie, model: Model, frames: range | None = None
) -> float:
    """Estimate the diameter of a usual cell.

    The network was trained on cells of one size, so it is tried at several scales; the
    size is right where the cells that it finds have the size that it was told.

    Parameters
    ----------
    movie
        The movie.
    model
        A model with the heads of the votes or the region engine; one without expects
        its own size.
    frames
        Frames to look at; the first and the middle one of them are used.

    Returns
    -------
    float
        Diameter, px; that of the model when no cell is found. A model that was taught
        expects the cells that it was taught with: what was measured on cells that
        somebody outlined is not guessed anew.
    """
    if model.info.taught_size is not None:
        return model.info.taught_size
    usual = model.info.cell_size
    if finder_of(model) is None:
        return usual
    frames = frames or range(len(movie))
    looks = look_around(movie, model, frames)
    first, *others = (believe(looks, usual, belief) for belief in BELIEFS)
    sizes = [first]
    for size in others:
        if all(abs(np.log(size / known)) > DIFFER for known in sizes):
            sizes.append(size)
    if len(sizes) == 1:
        return first
    promised = {size: outlook(movie, model, size, frames) or 0.0 for size in sizes}
    enough = [size for size, masks in promised.items() if masks >= ENOUGH]
    return min(enough) if enough else max(sizes, key=lambda size: promised[size])
