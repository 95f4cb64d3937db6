"""Tiny drawn movies, each named after what is in it.

Frames lie side by side, a dot is background. A digit is a track: the world is drawn
as it truly is, and tests hide from the code under test what it shall find out.
"""

import numpy as np
from numpy.typing import NDArray


def draw(*lines: str) -> NDArray[np.int32]:
    """Draw a label movie, (T, Y, X)."""
    rows = [[list(strip) for strip in line.split()] for line in lines]  # (Y, T, X)
    cells = np.char.replace(np.array(rows), ".", "0").astype(np.int32)
    return cells.swapaxes(0, 1)


def enlarge(world: NDArray[np.int32], factor: int = 4) -> NDArray[np.int32]:
    """Give each drawn pixel ``factor`` by ``factor`` pixels, (T, Y, X)."""
    return np.kron(world, np.ones((1, factor, factor), np.int32))


empty = draw(
    ".....  .....  .....",
    ".....  .....  .....",
)

one_division = draw(
    "........  ........  ........  ........",
    "..1111..  ..1111..  .22..33.  22....33",
    "..1111..  ..1111..  .22..33.  22....33",
    "..1111..  ..1111..  .22..33.  22....33",
    "........  ........  ........  ........",
)

two_divisions = draw(
    "..............  ..............  ..............",
    "..............  ..............  .........555..",
    "..111....222..  ..111....222..  .33.44...555..",
    "..111....222..  ..111....222..  .33.44........",
    "..111....222..  ..111....222..  .33.44...666..",
    "..............  ..............  .........666..",
    "..............  ..............  ..............",
)

# They pass each other; nowhere nearer to the other's place than to their own.
crossing = draw(
    "11.......  ..11.....  ....11...  ......11.",
    "11.......  ..11.....  ....11...  ......11.",
    ".........  .........  .........  .........",
    ".......22  .....22..  ...22....  .22......",
    ".......22  .....22..  ...22....  .22......",
)

gap = draw(
    ".........  .........  .........  .........",
    ".11...22.  .11......  .11......  .11...22.",
    ".11...22.  .11......  .11......  .11...22.",
    ".........  .........  .........  .........",
)

enters = draw(
    ".11......  .11......  .11......",
    ".11.....2  .11....22  .11...22.",
    "........2  .......22  ......22.",
)

leaves = draw(
    ".11...22.  .11....22  .11.....2  .11......",
    ".11...22.  .11....22  .11.....2  .11......",
)

touching = draw(
    ".......  .......  .......",
    ".11122.  .11222.  .1222..",
    ".11122.  .11222.  .1222..",
    ".11122.  .11222.  .1222..",
)

# The small cell vanishes under the large one for a frame: no division when it returns.
merge = draw(
    ".........  .........  .........",
    ".111122..  .111111..  .111122..",
    ".111122..  .111111..  .111122..",
    ".111122..  .111111..  .111122..",
    ".........  .........  .........",
)

# A new cell lies beside one that goes on as before: that is no division.
newcomer = draw(
    "...........  ...........  ...........",
    ".1111......  .1111......  .111122....",
    ".1111......  .1111......  .111122....",
    ".1111......  .1111......  .1111......",
    "...........  ...........  ...........",
)

# A crumb breaks off: too small to be a daughter.
crumb = draw(
    "........  ........  ........",
    ".11111..  .11111..  .11112..",
    ".11111..  .11111..  .1111...",
    ".11111..  .11111..  .1111...",
    "........  ........  ........",
)
