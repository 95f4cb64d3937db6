"""What the command palette runs: a function for each action, by its name."""

from collections.abc import Callable

from .actions import BY_NAME


def __getattr__(name: str) -> Callable[[], None]:
    """Give the command of an action.

    Raises
    ------
    AttributeError
        When there is no such action.
    """
    action = BY_NAME.get(name)
    if action is None:
        raise AttributeError(f"No action is called {name}.")

    def run() -> None:
        import napari

        from ..docking import open_panel

        viewer = napari.current_viewer()
        if viewer is not None:
            bench = open_panel(viewer).bench
            bench.corrector.run(action.do)

    return run
