"""Importing the package costs next to nothing."""

import subprocess
import sys
import time

import pytest

WINDOWS = {"napari", "qtpy", "superqt", "magicgui", "vispy"}
HEAVY = {
    *WINDOWS, "torch", "numba", "zarr", "tifffile", "scipy", "skimage", "sklearn",
    "hdbscan", "pandas", "dask", "matplotlib",
}  # fmt: skip
WITHOUT_TORCH = [
    "errors", "settings", "movie", "synthetic", "tracking.measures.evaluate",
    "io.movies.opener", "io.cells.ctc.folder", "io.cells.tiff", "io.evaluation",
    "project.project", "compute.child", "workflows.session", "cli",
]  # fmt: skip
ROUNDS = 5


def loaded_by(*modules):
    imports = ", ".join(modules)
    code = (
        f"import sys, {imports}; print(*{{n.partition('.')[0] for n in sys.modules}})"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def seconds(code):
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


@pytest.mark.parametrize("module", ["napari_semiconv", "napari_semiconv.cli"])
def test_importing_loads_nothing_heavy(module):
    assert not loaded_by(module) & HEAVY


def test_opening_saving_and_measuring_work_without_torch_and_windows():
    loaded = loaded_by(*(f"napari_semiconv.{name}" for name in WITHOUT_TORCH))
    assert not loaded & {"torch", *WINDOWS}
    assert "zarr" in loaded, "the modules were imported"


def test_importing_takes_less_than_a_third_of_a_second():
    # The best of several rounds, against a bare start: a busy machine slows both.
    bare = min(seconds("pass") for _ in range(ROUNDS))
    package = min(seconds("import napari_semiconv") for _ in range(ROUNDS))
    assert package - bare <= 0.3
