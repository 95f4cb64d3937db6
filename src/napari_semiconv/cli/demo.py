"""`napari-semiconv demo`: the whole way on a simulated movie, in one command."""

import argparse
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..safe import saving, write_text_safely
from .options import add_command
from .progress import follow, tell
from .run import summary_of
from .segment import SUFFIX
from .window import has_display, show

if TYPE_CHECKING:
    from ..synthetic import SyntheticMovie

FOLDER = Path("demo-output")
FRAMES, SIZE, CELLS, SEED = 20, 256, 20, 1
# What a usual microscope and schedule would give.
PIXEL_SIZE, INTERVAL = 0.65, 300.0


def add(commands: Any) -> None:
    """Add the command."""
    summary = "simulate a movie, segment and track it, and compare with the truth"
    command = add_command(commands, "demo", demo, summary)
    command.add_argument(
        "--no-window", action="store_true", help="do not show the result in napari"
    )


def demo(arguments: argparse.Namespace) -> None:
    """Simulate a movie, segment and track it, compare it with the truth and show it."""
    from ..io.movies.opener import open_movie
    from ..synthetic import SyntheticSettings, simulate
    from ..workflows.evaluating import evaluate
    from ..workflows.exporting import export
    from ..workflows.segmenting import segment

    movie_path, truth, result = (FOLDER / n for n in ("movie.tif", "01_GT", "01_RES"))
    folder = FOLDER / f"movie{SUFFIX}"
    tell(f"Simulating {FRAMES} frames ...")
    shape = SyntheticSettings(frames=FRAMES, height=SIZE, width=SIZE, cells=CELLS)
    with saving(FOLDER):
        # What an earlier demo left is made anew.
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(result, ignore_errors=True)
        simulated = simulate(shape, SEED)
        write_movie(movie_path, simulated)
        write_truth(truth, simulated)
    tell("Segmenting and tracking ...")
    start = time.perf_counter()
    outcome = follow(lambda stop: segment(open_movie(movie_path), folder, stop=stop))
    with outcome.project as project:
        print(f"{summary_of(outcome, time.perf_counter() - start)}: {folder}")
        if outcome.cancelled:
            raise KeyboardInterrupt
        follow(lambda stop: export(project, "ctc", result, stop=stop))
    scores = evaluate(result, truth).scores
    print(f"Compared with the truth: SEG {scores.SEG:.3f}, TRA {scores.TRA:.3f}")
    print(f"Movie, truth, project and export are in {FOLDER.resolve()}")
    if not arguments.no_window:
        _show(folder)


def _show(folder: Path) -> None:
    if not has_display():
        tell("There is no display to open napari on.")
        return
    tell("Opening napari; close its window to end.")
    show(folder)


def write_movie(path: Path, simulated: "SyntheticMovie") -> None:
    """Write a simulated movie as an ImageJ TIFF, (T, Y, X), with its units.

    Parameters
    ----------
    path
        File to write; its folder is made.
    simulated
        The movie.
    """
    from tifffile import imwrite

    path.parent.mkdir(parents=True, exist_ok=True)
    imwrite(
        path,
        simulated.images,
        imagej=True,
        resolution=(1 / PIXEL_SIZE, 1 / PIXEL_SIZE),
        metadata={"axes": "TYX", "unit": "um", "finterval": INTERVAL},
    )


def write_truth(folder: Path, simulated: "SyntheticMovie") -> None:
    """Write the truth of a simulated movie as a Cell Tracking Challenge folder.

    Parameters
    ----------
    folder
        Such as ``01_GT``; gets the folders TRA and SEG.
    simulated
        The movie.
    """
    from tifffile import imwrite

    for kind, name in (("TRA", "man_track"), ("SEG", "man_seg")):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for frame, labels in enumerate(simulated.labels.astype("uint16")):
            path = folder / kind / f"{name}{frame:03d}.tif"
            imwrite(path, labels, compression="zlib")
    rows = "\n".join(" ".join(map(str, row)) for row in simulated.table)
    write_text_safely(folder / "TRA" / "man_track.txt", f"{rows}\n")
