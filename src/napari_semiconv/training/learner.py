"""One network that learns from clips, step by step."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..errors import NonFiniteLossError
from ..network.embedder import Embedder, Output
from ..network.losses import crowding
from .batch import is_half, run_batch
from .clips import Clip
from .objective import clip_neighbours, losses_of
from .settings import TrainSettings
from .start import learning_rate, optimiser_of

LARGEST_GRADIENT = 2.0


class Learner:
    """A network, the average of its weights, and its optimiser.

    Parameters
    ----------
    network
        What learns; weights that need no gradient stay.
    settings
        How to train.
    device
        Where.
    stays
        What the user still has when a loss is not a number, as a sentence.
    """

    def __init__(
        self,
        network: Embedder,
        settings: TrainSettings,
        device: torch.device,
        stays: str,
    ) -> None:
        # Channels laid together are faster with every precision.
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = optimiser_of(self.network, settings)
        self.step = 0
        self.healthy = True
        self._settings, self._device, self._stays = settings, device, stays
        self.half = is_half(settings, device)
        self._note: str | None = None
        self._warned = False

    def learn(self, batch: Sequence[Clip]) -> dict[str, float]:
        """Take one optimiser step on clips and return their mean losses.

        Raises
        ------
        NonFiniteLossError
            When a loss is not a number; names the clip.
        """
        self.network.train()
        outputs = run_batch(self.network, batch, self._device, half=self.half)
        return self.follow(batch, outputs)

    def follow(
        self, batch: Sequence[Clip], outputs: Sequence[Output]
    ) -> dict[str, float]:
        """Take one optimiser step, from what the network says of clips.

        Parameters
        ----------
        batch
            The clips.
        outputs
            What it says of each, see `run_batch`.

        Raises
        ------
        NonFiniteLossError
            When a loss is not a number; names the clip.
        """
        rate = learning_rate(self.step, self._settings)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        sums: dict[str, Tensor] = {}
        for clip, output in zip(batch, outputs, strict=True):
            for name, loss in self._losses(clip, output).items():
                sums[name] = sums[name] + loss if name in sums else loss
        losses = {name: loss / len(batch) for name, loss in sums.items()}
        self.optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        size = nn.utils.clip_grad_norm_(
            self.network.parameters(), LARGEST_GRADIENT, foreach=True
        )
        if not bool(torch.isfinite(size)):
            self._refuse("gradient", batch)
        self.optimiser.step()
        self.step += 1
        self._average()
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def take_note(self) -> str | None:
        """Tell a warning that has not been told yet."""
        note, self._note = self._note, None
        return note

    def _losses(self, clip: Clip, output: Output) -> dict[str, Tensor]:
        adjacent = clip_neighbours(clip, self._settings, self._device)
        if not self._warned:
            self._warn(clip, crowding(adjacent))
        found = losses_of(
            self.network, [output], clip, self._settings, self._device, adjacent
        )
        total = torch.stack(list(found.values())).sum()
        if not bool(torch.isfinite(total)):
            self._refuse("loss", [clip])
        return found

    def _warn(self, clip: Clip, crowd: int) -> None:
        """Warn where cells may need more directions than the embedding has."""
        channels = self.network.settings.embedding_size
        if crowd < channels:
            return
        self._warned = True
        self._note = (
            f"In the clip '{clip.name}' up to {crowd} cells must all differ from one "
            f"another, while an embedding of {channels} channels has {channels - 1} "
            f"directions besides that of the background: choose a smaller neighbour "
            f"radius or a larger embedding, if neighbours are joined."
        )

    def _average(self) -> None:
        # Early averages would be slow to forget the random start.
        decay = min(self._settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.average.parameters()),
                list(self.network.parameters()),
                1 - decay,
            )

    def _refuse(self, what: str, clips: Sequence[Clip]) -> None:
        self.healthy = False
        names = ", ".join(f"'{clip.name}'" for clip in clips)
        where = f"clip {names}" if len(clips) == 1 else f"clips {names}"
        raise NonFiniteLossError(
            f"Training stopped at step {self.step}: the {what} on the {where} is not a "
            f"number. {self._stays}; check that recording or lower the learning rate."
        )
