"""The table of commands: what the manifest, the menus and the documentation offer."""

from dataclasses import dataclass

PLUGIN = "napari-semiconv"


@dataclass(frozen=True)
class Command:
    """One thing that can be asked for from a menu or the command palette.

    Parameters
    ----------
    name
        Its id, without the name of the plugin.
    title
        What the user reads.
    function
        Name of the function.
    menus
        Menus of napari that list it.
    module
        File in ``gui`` that holds the function.
    """

    name: str
    title: str
    function: str
    menus: tuple[str, ...] = ()
    module: str = "plugin"

    @property
    def identifier(self) -> str:
        """The id in the manifest."""
        return f"{PLUGIN}.{self.name}"

    @property
    def python_name(self) -> str:
        """Where the manifest finds the function."""
        return f"napari_semiconv.gui.{self.module}:{self.function}"


COMMANDS = (
    Command(
        "segment_and_track",
        "Segment and track cells",
        "make_panel",
        ("napari/layers/segment", "napari/layers/track"),
    ),
    Command("read", "Read cell movies and tracking results", "get_reader"),
    Command("sample_nuclei", "Load simulated nuclei", "sample_nuclei"),
    Command("sample_phase", "Load simulated phase contrast cells", "sample_phase"),
    Command(
        "project_of_layers", "New project from labels", "make_project", module="making"
    ),
)
