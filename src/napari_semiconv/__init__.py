"""Find, follow and correct cells in time-lapse videos, in napari and without it."""

from importlib import import_module
from typing import Any

__version__: str

# Loaded on first use, so that importing the package costs next to nothing.
_HOME = {
    "Lineage": "tracking.lineage",
    "Model": "network.weights",
    "Movie": "movie",
    "Progress": "workflows.progress",
    "Project": "project.project",
    "SegmentSettings": "settings",
    "SemiconvError": "errors",
    "SyntheticSettings": "synthetic",
    "TrainSettings": "training.settings",
    "add_cell": "workflows.correcting",
    "compute_again": "workflows.computing_again",
    "correct": "workflows.correcting",
    "evaluate": "workflows.evaluating",
    "export": "workflows.exporting",
    "finish": "workflows.progress",
    "go_on": "workflows.segmenting",
    "import_tracked": "workflows.importing",
    "list_models": "network.model_folder",
    "load_model": "network.weights",
    "movie_from_array": "movie",
    "open_movie": "io.movies.opener",
    "run": "workflows.segmenting",
    "segment": "workflows.segmenting",
    "simulate": "synthetic",
    "solve": "workflows.solving",
    "train": "workflows.training",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
