"""The cosine embedding (Payer et al. 2018, 2019), one of each stack."""

import torch.nn.functional as F
from torch import Tensor

from ...settings import NetworkSettings
from .. import losses
from .base import Example, Head, register


class EmbeddingHead(Head):
    """Directions: alike within a cell over time, orthogonal in cells side by side.

    Each stack has a layer of its own for it, since the next one sees its embedding.
    """

    name = "embedding"

    def channels(self, settings: NetworkSettings) -> int:
        """Have those of the embedding."""
        return settings.embedding_size

    def read(self, maps: Tensor) -> Tensor:
        """Bring embeddings to unit length."""
        return F.normalize(maps, dim=1, eps=1e-4)

    def losses(self, example: Example) -> dict[str, Tensor]:
        """Take the cosine loss of every stack."""
        return {
            f"cosine {stack}" if stack else "cosine": losses.cosine_embedding_loss(
                embedding,
                example.labels,
                example.adjacent,
                pull=example.choices.pull,
                fixed_background=example.choices.background == "fixed",
                targets=example.targets,
            )
            for stack, embedding in enumerate(example.embeddings)
        }


register(EmbeddingHead())
