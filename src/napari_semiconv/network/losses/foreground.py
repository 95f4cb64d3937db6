"""Loss of the foreground map."""

import torch.nn.functional as F
from torch import Tensor


def foreground_loss(logit: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of cells against background.

    Parameters
    ----------
    logit
        Foreground logits, (T, Y, X).
    labels
        Label clip, (T, Y, X); -1 takes no part.

    Returns
    -------
    Tensor
        Sum of both, ().
    """
    known = labels >= 0
    if not known.any():
        return logit.sum() * 0
    truth, share = (labels > 0).to(logit.dtype), known.to(logit.dtype)
    # Weights, not a gathered part: gathering costs more than what it saves.
    entropy = (
        F.binary_cross_entropy_with_logits(logit, truth, share, reduction="sum")
        / share.sum()
    )
    chance = logit.sigmoid() * share
    dice = 1 - (2 * (chance * truth).sum() + 1) / (chance.sum() + truth.sum() + 1)
    return entropy + dice
