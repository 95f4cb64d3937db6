"""The keys of all actions, in napari's own table: its preferences can change them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.components import ViewerModel
from napari.settings import get_settings
from napari.utils.action_manager import action_manager

from .actions import ACTIONS, Action

if TYPE_CHECKING:
    from ..workbench import Workbench

    BenchOf = Callable[[ViewerModel], Workbench | None]

PREFIX = "napari-semiconv"
# Groups of actions that change no cell: they are done while another layer is drawn on.
LOOKING = {"Move", "Review"}
_KNOWN: set[str] = set()


def register_keys(bench_of: "BenchOf") -> None:
    """Let napari know all actions and their keys; once is enough.

    They are those of the viewer, so that they work whichever layer is selected; napari
    asks the layer first. Keys that the user chose in napari's preferences hold.

    Parameters
    ----------
    bench_of
        Gives the workbench of a viewer, if it has one.
    """
    chosen = get_settings().shortcuts.shortcuts
    for action in ACTIONS:
        name = f"{PREFIX}:{action.name}"
        if name in _KNOWN:
            continue
        _KNOWN.add(name)
        action_manager.register_action(
            name,
            _command(action, bench_of),
            f"Cells: {action.hint[0].lower()}{action.hint[1:].rstrip('.')}",
            ViewerModel,
            action.repeats,
        )
        for key in chosen.get(name, action.keys):
            action_manager.bind_shortcut(name, key)


def _command(action: Action, bench_of: "BenchOf") -> Callable[[ViewerModel], None]:
    def run(viewer: ViewerModel) -> None:
        bench = bench_of(viewer)
        # Without cells of ours the keys are nobody's.
        if bench is None or bench.session.project is None:
            return
        other = None if action.group in LOOKING else bench.layers.drawn_on()
        if other is None:
            bench.corrector.run(action.do)
        else:
            bench.corrector.refuse(
                f"{action.title}: expected the layer of the cells, found that you draw "
                f"on {other.name}. Select the cells in the list of layers first."
            )

    # napari tells by this name which keys may be held down.
    run.__name__ = f"cells_{action.name}"
    return run
