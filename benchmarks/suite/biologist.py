"""Edits, clicks and keys that bring the simulated demo movie to its truth.

A scripted biologist uses the real window with mouse and keys alone: opens the movie,
finds the cells, makes six edits and takes three back, closes, opens the project again,
corrects it, and exports it. Once the review queue leads, once it goes frame by frame.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import napari

from napari_semiconv.cli.demo import CELLS, FRAMES, SEED, SIZE, write_movie, write_truth
from napari_semiconv.errors import SemiconvError
from napari_semiconv.synthetic import SyntheticMovie, SyntheticSettings, simulate
from napari_semiconv.workflows.evaluating import evaluate

from ..biologist import Biologist
from ..person import Person
from ..report import Report, Row

ORDERS = ("queue first", "frame by frame")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of this benchmark."""
    parser.add_argument("--frames", type=int, default=FRAMES, help="how many")
    parser.add_argument("--size", type=int, default=SIZE, help="its side, px")
    parser.add_argument("--cells", type=int, default=CELLS, help="at the start")
    parser.add_argument("--seed", type=int, default=SEED, help="of the simulated movie")


def run(options: argparse.Namespace) -> Report:
    """Correct the movie in a napari window; a display, real or virtual, is needed."""
    shape = SyntheticSettings(
        frames=options.frames,
        height=options.size,
        width=options.size,
        cells=options.cells,
    )
    truth = simulate(shape, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        rows = [in_order(order, Path(folder), truth) for order in ORDERS]
    return Report(
        rows=rows,
        settings={
            "frames": options.frames,
            "side": f"{options.size} px",
            "cells": options.cells,
            "seed": options.seed,
            "model": "default",
        },
        notes=(
            "errors: what the run left and the first edits put in; a cell that is "
            "added must be linked, too. errors_after_queue: those not seen until every "
            "frame was looked at.",
            "clicks, lines and keys: all that was pressed to correct, steps from frame "
            "to frame included.",
        ),
    )


def in_order(
    order: str,
    folder: Path,
    truth: SyntheticMovie,
    make: Callable[[], napari.Viewer] = napari.Viewer,
) -> Row:
    """Go the whole way in one order, and say what it took.

    Parameters
    ----------
    order
        One of `ORDERS`.
    folder
        Folder for the movie, its project and all else.
    truth
        The movie.
    make
        Opens an empty napari.

    Raises
    ------
    SemiconvError
        When the tools cannot bring the movie to its truth, or an export is not it.
    """
    place = folder / order.replace(" ", "-")
    with opened(make) as person:
        find(person, place, truth)
        edit(Biologist(person, truth))
    project, cells = place / "movie.semiconv", place / "cells.geff"
    with opened(make) as person:
        person.press_for("Open…", project)
        person.tab("Correct")
        row = correct(person, truth, queue=order == ORDERS[0])
        export(person, cells)
    scores = evaluate(project, place / "01_GT").scores
    again = evaluate(cells, place / "01_GT").scores
    if again != scores:
        raise SemiconvError(f"The export is another: {again} in place of {scores}.")
    return {
        "order": order,
        **row,
        "SEG": scores.SEG,
        "TRA": scores.TRA,
        "links": scores.LNK,
        "divisions": scores.division_f1,
    }


@contextmanager
def opened(make: Callable[[], napari.Viewer]) -> Iterator[Person]:
    """Open an empty napari with the panel, as long as it is used."""
    person = Person(make())
    try:
        yield person
    finally:
        person.close()


def find(person: Person, place: Path, truth: SyntheticMovie) -> None:
    """Find the cells of a movie that is written first."""
    write_movie(place / "movie.tif", truth)
    write_truth(place / "01_GT", truth)
    person.press_for("Open…", place / "movie.tif")
    person.tab("Find")
    person.press("Find and follow")
    person.rest()
    person.tab("Correct")


def edit(who: Biologist) -> None:
    """Split, merge, delete, divide, swap and confirm what was right; undo three.

    Raises
    ------
    SemiconvError
        When an edit did not become one step.
    """
    person, frame = who.person, 1
    cells = who.right_cells(frame, frame + 1)
    if len(cells) < 8:
        raise SemiconvError("The movie has too few cells; try more cells.")
    begun = steps_done(who)
    halves = who.halves(frame, cells[0])
    who.split(frame, *halves)
    who.merge(frame, *who.neighbours(frame, cells[1:]))
    left = [n for n in cells[1:] if n in who.right_cells(frame, frame + 1)]
    who.delete(frame, left[0])
    who.divide(frame + 1, left[1], left[1], left[2])
    who.swap(frame + 1, left[3], left[4])
    who.select(frame, left[5])
    person.key("Shift+Y")
    made = steps_done(who) - begun
    for _ in range(3):
        person.key("Ctrl+Z")
    kept = steps_done(who) - begun
    if (made, kept) != (6, 3):
        raise SemiconvError(
            f"Expected 6 steps and 3 after undoing three, found {made} and {kept}: "
            f"{person.said}"
        )


def steps_done(who: Biologist) -> int:
    """How many steps of the project are done, and not undone."""
    return who.project.history.timeline[1]


def correct(person: Person, truth: SyntheticMovie, *, queue: bool) -> Row:
    """Bring the open project to the truth, and say what it took.

    Raises
    ------
    SemiconvError
        When the tools could not.
    """
    who = Biologist(person, truth)
    errors, steps = len(who.errors()), steps_done(who)
    begun = {name: getattr(person, name) for name in ("clicks", "lines", "keys")}
    looked, after, first = 0, errors, 0
    if queue:
        looked = who.follow_queue()
        after, first = len(who.errors()), steps_done(who) - steps
    who.look_at_all()
    left = who.errors()
    if left or who.given_up:
        kinds = dict(Counter(error.kind for error in left))
        raise SemiconvError(f"The tools left {kinds}; {', '.join(who.given_up)}.")
    return {
        "errors": errors,
        "suspects_looked_at": looked if queue else None,
        "errors_after_queue": after if queue else None,
        "edits_in_queue": first if queue else None,
        "edits": steps_done(who) - steps,
        **{name: getattr(person, name) - count for name, count in begun.items()},
    }


def export(person: Person, target: Path) -> None:
    """Export the open project as GEFF."""
    person.tab("Share")
    person.choose(person.panel.share_tab.format, "GEFF")
    person.press_for("Export…", target)
    if not target.exists():
        raise SemiconvError(f"{target.name} was not written: {person.said}")
