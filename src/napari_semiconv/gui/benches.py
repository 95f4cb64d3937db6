"""The workbench of each viewer, as long as its window is open."""

from typing import Any

from ..compute.supervisor import Supervisor
from .workbench import Workbench

BENCHES: dict[int, Workbench] = {}


def workbench_of(viewer: Any, supervisor: Supervisor | None = None) -> Workbench:
    """Give the workbench of a viewer; the first time it is made.

    Parameters
    ----------
    viewer
        The viewer, or what napari hands to plugins in its place.
    supervisor
        Runs the computing process of a new one.
    """
    known = bench_of(viewer)
    if known is not None:
        return known
    viewer = _unwrapped(viewer)
    key = id(viewer)
    BENCHES[key] = bench = Workbench(viewer, supervisor)
    bench.closed.connect(lambda: BENCHES.pop(key, None))
    return bench


def bench_of(viewer: Any) -> Workbench | None:
    """Give the workbench of a viewer if it has one."""
    return BENCHES.get(id(_unwrapped(viewer)))


def _unwrapped(viewer: Any) -> Any:
    # napari wraps the viewer for plugins; the layers in it would be wrapped anew each
    # time they are looked at. Only what is public is used, which a test guards.
    return getattr(viewer, "__wrapped__", viewer)
