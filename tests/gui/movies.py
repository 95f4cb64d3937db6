"""Small drawn movies as files and projects."""

import numpy as np
import tifffile

from napari_semiconv.io.cells.tracked import TrackedMovie, lineage_of_labels
from napari_semiconv.project.project import Project


def dish(frames, size=64):
    """Four bright cells that move down slowly, (T, Y, X)."""
    movie = np.zeros((frames, size, size), np.uint8)
    step = size // 2
    for frame in range(frames):
        for y in (4, 4 + step):
            for x in (4, 4 + step):
                top = y + min(frame, step // 4)
                movie[frame, top : top + step // 3, x : x + step // 3] = 200
    return movie


def write_dish(path, frames, size=64):
    """Write the movie as a TIFF that names its axes and units."""
    tifffile.imwrite(
        path,
        dish(frames, size),
        imagej=True,
        resolution=(2.0, 2.0),
        metadata={"axes": "TYX", "finterval": 300.0, "unit": "um"},
    )
    return path


def project_of(folder, movie, labels):
    """Make a project of labels, (T, Y, X), in which a number is a cell; it is open."""
    lineage = lineage_of_labels(enumerate(labels))
    found = TrackedMovie(movie.name, labels.shape, labels.__getitem__, lineage)
    return Project.create(folder, movie, found)
