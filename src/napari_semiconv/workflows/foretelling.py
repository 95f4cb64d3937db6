"""What is said of how good masks are expected to be."""

# Below this expected overlap a movie is unlike what the model knows.
POOR = 0.5


def in_words(masks: float) -> str:
    """Say how well masks are expected to overlap the true ones (SEG, 0 to 1)."""
    return f"expected overlap with true outlines about {100 * masks:.0f} %"


def warning_of(masks: float) -> str:
    """Say what to do where a model is out of its depth; empty where it is not."""
    if masks >= POOR:
        return ""
    return (
        f"This movie is unlike what the model knows ({in_words(masks)}): check the "
        f"cell size on a cell, try another model, or correct 20 cells and teach."
    )
