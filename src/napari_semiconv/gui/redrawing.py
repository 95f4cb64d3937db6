"""Draw layers anew, once for all that changes at a time."""

from collections.abc import Callable

from napari.components import ViewerModel
from napari.layers import Layer


class Redrawing:
    """Has layers of a viewer read and drawn anew.

    Parameters
    ----------
    viewer
        Whose layers.
    last
        Does something when nothing else waits.
    """

    def __init__(
        self, viewer: ViewerModel, last: Callable[[Callable[[], None]], None]
    ) -> None:
        self._viewer, self._last = viewer, last
        self._stale: list[Layer] = []

    def ask(self, layer: Layer | None) -> None:
        """Have a layer drawn in a moment, if it is still shown then."""
        if layer is None or layer in self._stale:
            return
        self._stale.append(layer)
        if len(self._stale) == 1:
            self._last(self._draw)

    def _draw(self) -> None:
        stale, self._stale = self._stale, []
        for layer in stale:
            if layer in self._viewer.layers:
                layer.refresh(thumbnail=False, highlight=False, extent=False)
