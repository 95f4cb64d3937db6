"""Ties the panel to the workspace: resolve, compare, show."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import BadModelError
from ..inference.presets import with_engine, with_preset
from ..settings import SegmentSettings
from ..workspace import Workspace
from .exporter import Exporter
from .model_folder import model_in
from .movie_controller import MovieController
from .panel_state import PanelState, resolve_panel
from .run_controller import RunController
from .segment_panel import SegmentPanel

CHANGED = "Settings changed: preview or segment again to see what they do."


class Controller:
    """Shows the workspace in the panel and passes on what the user asks for.

    Parameters
    ----------
    workspace
        What the panel shows.
    panel
        The view.
    movies
        Opens and corrects movies.
    runs
        Previews and runs.
    exporter
        Saves results in other formats.
    """

    def __init__(
        self,
        workspace: Workspace,
        panel: SegmentPanel,
        movies: MovieController,
        runs: RunController,
        exporter: Exporter,
    ) -> None:
        self._workspace = workspace
        self._panel = panel
        self._runs = runs
        self.movies = movies
        self._exporter = exporter
        self._wants_to_run = False
        self._shown: PanelState | None = None
        self._connect()
        workspace.events.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the workspace, if anything that is seen has changed."""
        state = resolve_panel(self._workspace)
        if state != self._shown:
            self._shown = state
            self._panel.show_state(state)

    def preview(self) -> None:
        """Find the cells of the frame in view."""
        self._runs.preview()

    def run(self) -> None:
        """Segment and track; ask first where results go if there is no place yet."""
        if self._workspace.result_folder is None:
            self._wants_to_run = True
            self._panel.run.ask_folder()
            self._wants_to_run = False
        else:
            self._runs.run()

    def set_folder(self, folder: Path) -> None:
        """Keep results in this folder from now on."""
        self._workspace.result = None
        self._workspace.result_folder = folder
        if self._wants_to_run:
            self._runs.run()

    def set_setting(self, name: str, value: Any) -> None:
        """Change one setting, named with dots, as in ``votes.foreground``."""
        old = self._workspace.settings
        if name == "engine":
            new = with_engine(old, value)
            self._use(new, carried_along(old, new))
            return
        data = old.model_dump()
        *way, last = name.split(".")
        inner = data
        for step in way:
            inner = inner[step]
        inner[last] = value
        try:
            new = SegmentSettings.model_validate(data)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            self._workspace.error = f"Setting {name}: {reason}; found {value}."
            return
        self._use(new)

    def set_preset(self, name: str) -> None:
        """Take over a procedure with its parameters; model and device stay."""
        self._use(with_preset(self._workspace.settings, name))

    def set_model_folder(self, chosen: Path) -> None:
        """Take the model in a folder that the user points at, and offer it from now."""
        workspace = self._workspace
        try:
            folder = str(model_in(chosen).absolute())
        except BadModelError as error:
            workspace.error = str(error)
            return
        if folder not in workspace.models:
            workspace.models = (*workspace.models, folder)
        self.set_setting("model", folder)

    def _use(self, new: SegmentSettings, note: str = "") -> None:
        workspace, old = self._workspace, self._workspace.settings
        if new == old:
            return
        workspace.settings = new
        workspace.error = ""
        # What was said of a preview or run was said of other settings.
        if note or workspace.message:
            workspace.message = note or CHANGED
        if new.model != old.model:
            workspace.estimate = None
        if (new.model, new.device) != (old.model, old.device):
            self._runs.warm()

    def set_frames(self, first: int, last: int) -> None:
        """Compute only these frames, both included."""
        self._workspace.frames = (min(first, last), max(first, last))

    def close(self) -> None:
        """End all work, because the panel is gone."""
        self._workspace.events.disconnect(self.refresh, missing_ok=True)
        self.movies.close()
        self._exporter.close()
        self._runs.close()

    def _connect(self) -> None:
        movie, choices, run = self._panel.movie, self._panel.choices, self._panel.run
        movie.open_requested.connect(self.movies.open)
        movie.layer_requested.connect(self.movies.use_layer)
        movie.axes_requested.connect(self.movies.set_axes)
        movie.pixel_size_requested.connect(self.movies.set_pixel_size)
        movie.interval_requested.connect(self.movies.set_interval)
        movie.channel_requested.connect(self.movies.set_channel)
        movie.z_requested.connect(self.movies.set_z)
        choices.preset_requested.connect(self.set_preset)
        choices.model_folder_requested.connect(self.set_model_folder)
        choices.setting_requested.connect(self.set_setting)
        choices.frames_requested.connect(self.set_frames)
        run.preview_requested.connect(self.preview)
        run.run_requested.connect(self.run)
        run.cancel_requested.connect(self._runs.cancel)
        run.folder_requested.connect(self.set_folder)
        run.save_requested.connect(self._exporter.save)


def carried_along(old: SegmentSettings, new: SegmentSettings) -> str:
    """Say which settings in view changed with the engine; empty when none did."""
    names = [n for n in ("resize", "memory_span") if getattr(old, n) != getattr(new, n)]
    titles = {name: SegmentSettings.model_fields[name].title for name in names}
    told = [f"{titles[name]} is now {getattr(new, name)}" for name in names]
    return f"With this engine: {', '.join(told)}." if told else ""
