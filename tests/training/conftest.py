"""A small annotated movie on disk, as users keep theirs."""

import numpy as np
import pytest
import tifffile

from napari_semiconv.synthetic import SyntheticSettings, simulate


@pytest.fixture(scope="session")
def annotated(tmp_path_factory):
    """Folder with 01, 01_GT/TRA and 01_GT/SEG; outlines in frames 1, 3, 5 ..."""
    folder = tmp_path_factory.mktemp("annotated") / "film"
    settings = SyntheticSettings(frames=8, height=64, width=64, cells=6, diameter=16)
    movie = simulate(settings, 3)
    for place in ("01", "01_GT/TRA", "01_GT/SEG"):
        (folder / place).mkdir(parents=True)
    for t, (image, labels) in enumerate(zip(movie.images, movie.labels, strict=True)):
        masks = labels.astype(np.uint16)
        tifffile.imwrite(folder / f"01/t{t:03d}.tif", image)
        tifffile.imwrite(folder / f"01_GT/TRA/man_track{t:03d}.tif", masks)
        if t % 2:
            tifffile.imwrite(folder / f"01_GT/SEG/man_seg{t:03d}.tif", masks)
    np.savetxt(folder / "01_GT/TRA/man_track.txt", movie.table, fmt="%d")
    return folder
