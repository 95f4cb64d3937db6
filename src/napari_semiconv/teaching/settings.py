"""Settings of teaching."""

from typing import Literal

from ..settings import DeviceName, Settings, setting
from ..training.settings import TrainSettings

Trust = Literal["confirmed", "all"]
Depth = Literal["heads", "decoder", "all"]
# Share of clips that are cut anywhere: of a field that is mostly empty the background
# is soon forgotten otherwise.
ANYWHERE = 0.3
# Higher, where fewer weights learn.
RATES: dict[Depth, float] = {"heads": 2e-3, "decoder": 2e-3, "all": 1.5e-3}


class TeachSettings(Settings):
    """How a model is taught."""

    model: str = setting(
        "",
        "Model",
        "What is taught, by name or folder.",
        empty="that of the project's last run",
    )
    trust: Trust = setting(
        "confirmed",
        "Trust",
        "Learn from cells that were corrected or confirmed, or take every mask as "
        "truth.",
    )
    depth: Depth = setting(
        "all",
        "What learns",
        "The whole network, its last levels, or its heads alone.",
        choices={
            "all": ("Whole network", "Learns most; some minutes."),
            "decoder": (
                "Last levels",
                "Learns more than the heads, in about half the time of all.",
            ),
            "heads": ("Heads alone", "Quickest, and changes least."),
        },
    )
    steps: int = setting(
        600, "Steps", "Clips to learn from, each at a step.", "steps", ge=1
    )
    replay: float = setting(
        1 / 3,
        "Replay",
        "Share of clips of simulated cells, so that what the model knew stays.",
        ge=0,
        lt=1,
    )
    seed: int = setting(0, "Seed", "Seed of every random choice.", ge=0)
    device: DeviceName = setting("auto", "Device", "Where the network is taught.")

    def training(self, cell_size: float) -> TrainSettings:
        """Give the settings of the training that this is.

        Parameters
        ----------
        cell_size
            Diameter that the model expects of cells, px.
        """
        return TrainSettings(
            cell_size=cell_size,
            steps=self.steps,
            batch=1,
            learning_rate=RATES[self.depth],
            warm_up=min(20, self.steps // 5),
            average=0.97,
            anywhere=ANYWHERE,
            simulated=self.replay,
            seed=self.seed,
            device=self.device,
        )
