"""A suspect: a place of a project that is worth a look."""

from dataclasses import dataclass

from .reasons import Kind

# The tool that most likely mends each kind, by the name of its action.
TOOLS: dict[Kind, str] = {
    "appears": "link",
    "vanishes": "link",
    "merged": "split",
    "gap": "fill_gap",
    "jump": "unlink",
    "unsure link": "unlink",
    "division": "no_division",
    "area jump": "redraw",
    "tiny": "delete",
    "short": "delete_track",
    "unsure cell": "redraw",
    "left out": "new",
}
TITLES: dict[Kind, str] = {
    "appears": "appears",
    "vanishes": "vanishes",
    "merged": "two in one",
    "gap": "gap",
    "jump": "jump",
    "unsure link": "unsure link",
    "division": "division",
    "area jump": "area jump",
    "tiny": "tiny",
    "short": "short track",
    "unsure cell": "unsure cell",
    "left out": "left out",
}


@dataclass(frozen=True)
class Suspect:
    """A place that is worth a look.

    Parameters
    ----------
    kind
        What is suspect.
    frame, last
        First and last frame of it.
    labels
        The cell, and with a division its daughters; empty for what is hidden.
    y, x
        Where it lies in the first frame, px.
    chance
        Probability that something is wrong there.
    cost
        How much it spoils: 1 for one frame, 1 more for every ten times as many.
    looked_at
        Whether the user has looked at it as it is now.
    before
        Frame in which the cell was before; None when there is none.
    number
        Stored number of a cell that is hidden; the label otherwise.
    """

    kind: Kind
    frame: int
    last: int
    labels: tuple[int, ...]
    y: float
    x: float
    chance: float
    cost: float
    looked_at: bool
    before: int | None
    number: int

    @property
    def rank(self) -> float:
        """What it is worth to look: probability times cost."""
        return self.chance * self.cost

    @property
    def key(self) -> tuple[int, int]:
        """Frame and number, by which it is known again."""
        return self.frame, self.number

    @property
    def title(self) -> str:
        """What is suspect, in a word or two."""
        return TITLES[self.kind]

    @property
    def tool(self) -> str:
        """Name of the action that most likely mends it."""
        return TOOLS[self.kind]
