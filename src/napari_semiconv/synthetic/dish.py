"""A dish of simulated cells that move, grow, divide, enter and leave."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .conditions import SyntheticSettings

Floats = NDArray[np.float64]

# Share of the area above which cells stop dividing, as in a full dish.
FULL = 0.85


@dataclass
class Cell:
    """One living cell: where it is, how it moves and how it looks.

    Parameters
    ----------
    label
        Number of the cell, from 1; changes when it leaves for good.
    position, velocity
        (2,), y and x, px and px per frame.
    angle
        Direction of its long axis, in radians from the x axis.
    aspect
        Length over width.
    age
        Share of its cycle that has passed.
    cycle
        Its time from division to division, frames.
    born
        Whether it was born in the movie.
    brightness, height
        Of its light, 1 is usual; 0 is flat and 1 round.
    waves
        Amplitudes of the outline's waves 2 to 5, cosine and sine, (2, 4).
    arms
        Angle, length and bend of each protrusion, (3, 3).
    grain
        Place in the texture tile, (2,), px.
    buds
        Whether it lives on beside its daughters, under its own number.
    """

    label: int
    position: Floats
    velocity: Floats
    angle: float
    aspect: float
    age: float
    cycle: float
    born: bool
    brightness: float
    height: float
    waves: Floats
    arms: Floats
    grain: NDArray[np.int64]
    buds: bool = False

    def radius(self, diameter: float) -> float:
        """Radius of a disk of its area, px; the area doubles over a cycle.

        One that buds begins small, and has its full size from its first cycle on.
        """
        if self.buds:
            return diameter / 2 * float(0.4 + 0.6 * min(self.age, 1.0) ** 0.5)
        return diameter / 2 * float(((1 + min(self.age, 1.0)) / 1.5) ** 0.5)

    @property
    def rounding(self) -> float:
        """How far it has rounded up before or not yet flattened after division."""
        if self.buds:
            return 0.0
        before = (self.age - 1) * self.cycle / 2.5 + 1
        after = 0.7 - self.age * self.cycle * 0.35 if self.born else 0.0
        return min(max(before, after, 0.0), 1.0)


class Dish:
    """All cells in and around the view.

    The world is larger than the view by a margin and closed on itself, so that cells
    enter and leave and the view never empties.

    Parameters
    ----------
    settings
        What the movie shows.
    rng
        Source of chance.
    """

    def __init__(self, settings: SyntheticSettings, rng: np.random.Generator) -> None:
        self._settings = settings
        self._rng = rng
        self._margin = 2 * settings.diameter
        view = np.array([settings.height, settings.width], float)
        self._size = view + 2 * self._margin
        self._common = rng.uniform(0, np.pi) if settings.kind == "rods" else 0.0
        self.parents: dict[int, int] = {}
        count = round(settings.cells * float(self._size.prod() / view.prod()))
        self.cells = [self._new_cell() for _ in range(count)]
        self._spread_out(rounds=40)

    def step(self) -> None:
        """Move on by one frame."""
        for cell in self.cells:
            self._move(cell)
        areas = [np.pi * c.radius(self._settings.diameter) ** 2 for c in self.cells]
        full = sum(areas) > FULL * float(self._size.prod())
        self.cells = [new for cell in self.cells for new in self._grow(cell, full)]
        self._spread_out(rounds=6)

    def _new_label(self, parent: int = 0) -> int:
        label = len(self.parents) + 1
        self.parents[label] = parent
        return label

    def _new_cell(self, parent: int = 0) -> Cell:
        rng, settings = self._rng, self._settings
        first = rng.uniform(0, 2 * np.pi)
        arms = [
            (first, rng.uniform(0.7, 1.4), rng.normal(0, 0.3)),
            (first + np.pi + rng.normal(0, 0.4), rng.uniform(0.5, 1.3), 0.0),
            (rng.uniform(0, 2 * np.pi), max(0.0, rng.normal(0, 0.5)), 0.2),
        ]
        return Cell(
            label=self._new_label(parent),
            position=rng.uniform(0, self._size) - self._margin,
            velocity=self._kick(),
            angle=self._direction(),
            aspect=1 + (settings.elongation - 1) * rng.uniform(0.5, 1.5),
            age=rng.uniform(0, 1),
            cycle=settings.cycle * rng.uniform(0.7, 1.3),
            born=bool(parent),
            brightness=settings.spread ** rng.uniform(-0.5, 0.5),
            height=rng.beta(1, 2),
            waves=rng.normal(0, 1, (2, 4)),
            arms=np.array(arms),
            grain=rng.integers(0, 10_000, 2),
            buds=settings.kind == "budding",
        )

    def _direction(self) -> float:
        """Direction of a new cell: rods of a colony lie nearly alike."""
        if self._settings.kind == "rods":
            return float(self._common + self._rng.normal(0, 0.4))
        return float(self._rng.uniform(0, np.pi))

    def _kick(self) -> Floats:
        way = self._settings.speed * self._settings.diameter / 2**0.5
        return self._rng.normal(0, way, 2)

    def _move(self, cell: Cell) -> None:
        rng, keep = self._rng, self._settings.persistence
        fresh = (1 - keep**2) ** 0.5 * (1 - 0.8 * cell.rounding)
        cell.velocity = keep * cell.velocity + fresh * self._kick()
        self._place(cell, cell.position + cell.velocity)
        cell.angle += rng.normal(0, 0.03 if self._settings.kind == "rods" else 0.12)
        usual = self._settings.elongation
        cell.aspect += 0.03 * (usual - cell.aspect) + rng.normal(0, 0.04)
        cell.aspect = max(cell.aspect, 1.0)
        cell.waves = 0.93 * cell.waves + 0.37 * rng.normal(0, 1, (2, 4))
        cell.arms += rng.normal(0, 0.08, (3, 3))
        cell.arms[:, 1] = cell.arms[:, 1].clip(0, 1.6)
        cell.arms[:, 2] *= 0.95

    def _place(self, cell: Cell, position: Floats) -> None:
        inside = (position + self._margin) % self._size - self._margin
        if np.abs(inside - position).max() > 1:
            # It comes back on the other side of the world: to the viewer, another cell.
            cell.label = self._new_label()
        cell.position = inside

    def _grow(self, cell: Cell, full: bool) -> list[Cell]:
        before, cell.age = cell.age, cell.age + 1 / cell.cycle
        if int(cell.age) == int(before):
            return [cell]
        if full:
            cell.age -= 4 / cell.cycle
            return [cell]
        if cell.buds:
            return [cell, self._bud(cell)]
        return [self._daughter(cell, side) for side in (-1, 1)]

    def _daughter(self, mother: Cell, side: int) -> Cell:
        rng = self._rng
        axis = side * np.array([np.sin(mother.angle), np.cos(mother.angle)])
        radius = mother.radius(self._settings.diameter)
        if self._settings.kind == "rods":
            radius *= 1.6  # half of the mother's length, rather than of her width
        cell = self._new_cell(parent=mother.label)
        self._place(cell, mother.position + axis * radius * rng.uniform(0.5, 0.8))
        cell.velocity = axis * radius * rng.uniform(0.1, 0.4)
        rods = self._settings.kind == "rods"
        turn = rng.normal(0, 0.08) if rods else np.pi / 2 + rng.normal(0, 0.2)
        cell.angle = mother.angle + turn
        cell.age = rng.uniform(0, 0.05)
        cell.brightness = mother.brightness * rng.uniform(0.85, 1.15)
        cell.height = mother.height
        return cell

    def _bud(self, mother: Cell) -> Cell:
        """Make a small cell on the rim of another, which keeps its number."""
        cell = self._new_cell()
        way = self._rng.uniform(0, 2 * np.pi)
        apart = 0.9 * mother.radius(self._settings.diameter)
        apart += 0.9 * cell.radius(self._settings.diameter) * 0.4
        side = np.array([np.sin(way), np.cos(way)])
        self._place(cell, mother.position + apart * side)
        cell.velocity = np.zeros(2)
        cell.age = 0.0
        cell.brightness, cell.height = mother.brightness, mother.height
        return cell

    def _spread_out(self, rounds: int) -> None:
        """Push cells apart until they hardly overlap."""
        if len(self.cells) < 2:
            return
        touching = {"elongated": 0.6, "rods": 0.75}.get(self._settings.kind, 0.93)
        radii = np.array([c.radius(self._settings.diameter) for c in self.cells])
        places = np.array([c.position for c in self.cells])
        for done in range(rounds):
            if done % 5 == 0:  # neighbours change slowly
                pairs = self._near(places, 2.6 * touching * radii.max())
            first, second = pairs.T
            room = touching * (radii[first] + radii[second])
            apart = places[first] - places[second]  # (pairs, 2)
            apart -= self._size * np.round(apart / self._size)
            distance = np.hypot(apart[:, 0], apart[:, 1]).clip(0.1)
            push = (room - distance).clip(0) / distance * 0.4
            np.add.at(places, first, apart * push[:, None])
            np.subtract.at(places, second, apart * push[:, None])
        for cell, place in zip(self.cells, places, strict=True):
            self._place(cell, place)

    def _near(self, places: Floats, reach: float) -> NDArray[np.int64]:
        inside = np.mod(places, self._size)
        tree = cKDTree(np.where(inside < self._size, inside, 0.0), boxsize=self._size)
        pairs: NDArray[np.int64] = tree.query_pairs(reach, output_type="ndarray")
        return pairs
