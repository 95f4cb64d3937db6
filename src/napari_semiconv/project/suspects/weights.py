"""How much each reason says of an error, as fitted on recordings with truth."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .reasons import MAKES, REASONS

# What adds less than this to the log odds is no reason to look.
LEAST_DOUBT = 0.05
FITTED = Path(__file__).parent / "weights.json"
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Weights:
    """A logistic model of the odds that a place is wrong.

    Parameters
    ----------
    bias
        Log odds of a place of which nothing is strange.
    weights
        What a unit of each reason adds, (reasons,), none below 0.
    usual
        Value of each reason where it is not known, (reasons,).
    least
        Places less likely to be wrong than this are not listed.
    errors
        True errors that a listed place stands for, per probability.
    unlisted
        True errors without a suspect, per error with one.
    left_out
        Probability that a cell is one that the solver left out.
    """

    bias: float
    weights: Floats
    usual: Floats
    least: float
    errors: float
    unlisted: float
    left_out: float

    @classmethod
    def read(cls, path: Path) -> "Weights":
        """Read fitted weights; a reason that the file does not name weighs nothing."""
        known = json.loads(path.read_text(encoding="utf-8"))
        weights, usual = known["weights"], known["usual"]
        return cls(
            known["bias"],
            np.array([weights.get(r.name, 0.0) for r in REASONS], np.float32),
            np.array([usual.get(r.name, 0.0) for r in REASONS], np.float32),
            known["least"],
            known["errors"],
            known["unlisted"],
            known["left_out"],
        )

    def as_dict(self) -> dict[str, Any]:
        """Give them as JSON values, as `read` takes them."""
        names = [reason.name for reason in REASONS]
        weights, usual = (
            dict(zip(names, np.round(values.astype(float), 4).tolist(), strict=True))
            for values in (self.weights, self.usual)
        )
        rest = ("bias", "least", "errors", "unlisted", "left_out")
        numbers = {name: round(float(getattr(self, name)), 4) for name in rest}
        return {**numbers, "weights": weights, "usual": usual}

    def added(self, reasons: Floats) -> Floats:
        """Say what each reason adds to the log odds of each place, (n, reasons)."""
        known = np.where(np.isnan(reasons), self.usual, reasons)
        return np.asarray(known * self.weights, np.float32)

    def chances(self, added: Floats) -> Floats:
        """Probability that each place is wrong, (n,)."""
        odds = self.bias + added.sum(1, dtype=np.float64)
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def doubts(self, reasons: Floats) -> Floats:
        """Say what each kind adds to the log odds of each place, (n, kinds).

        Reasons that are not known make no kind.
        """
        known = np.where(np.isnan(reasons), 0, reasons) * self.weights
        return np.asarray(known @ MAKES, np.float32)

    def listed(self, reasons: Floats) -> NDArray[np.bool_]:
        """Tell which places are worth a look, (n,)."""
        likely = self.chances(self.added(reasons)) >= self.least
        return np.asarray(likely & (self.doubts(reasons) >= LEAST_DOUBT).any(1))


@cache
def fitted() -> Weights:
    """Give the weights that come with the program."""
    return Weights.read(FITTED)
