"""`napari-semiconv demo`: the whole way on a simulated movie, in one command."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..safe import saving, write_text_safely
from ..settings import SegmentSettings
from .draft import Draft
from .progress import tell
from .segmenting import segment_movie
from .window import has_display, show

if TYPE_CHECKING:
    from ..synthetic import SyntheticMovie

FOLDER = Path("demo-output")
FRAMES, SIZE, CELLS, SEED = 20, 256, 20, 1
# What a usual microscope and schedule would give.
PIXEL_SIZE, INTERVAL = 0.65, 300.0


def demo(arguments: argparse.Namespace) -> None:
    """Simulate a movie, segment and track it, compare it with the truth and show it."""
    from ..io.evaluation import evaluate_folders
    from ..io.images import open_movie
    from ..synthetic import SyntheticSettings, simulate

    movie_path, truth, result = (FOLDER / n for n in ("movie.tif", "01_GT", "01_RES"))
    tell(f"Simulating {FRAMES} frames ...")
    shape = SyntheticSettings(frames=FRAMES, height=SIZE, width=SIZE, cells=CELLS)
    simulated = simulate(shape, SEED)
    with saving(FOLDER):
        write_movie(movie_path, simulated)
        write_truth(truth, simulated)
    tell("Segmenting and tracking ...")
    movie = open_movie(movie_path)
    draft = Draft(result, overwrite=True)
    segment_movie(movie, range(len(movie)), SegmentSettings(), draft, "ctc")
    scores = evaluate_folders(result, truth)
    print(f"Compared with the truth: SEG {scores.SEG:.3f}, TRA {scores.TRA:.3f}")
    print(f"Movie, truth and result are in {FOLDER.resolve()}")
    if arguments.no_window:
        return
    if not has_display():
        tell("There is no display to open napari on.")
        return
    tell("Opening napari; close its window to end.")
    show(movie_path, result)


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
