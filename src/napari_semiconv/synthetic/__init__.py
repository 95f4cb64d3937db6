"""Simulated cell videos with their truth: for the demo, the tests and pre-training."""

from .conditions import CELL_KINDS, CellKind, SyntheticSettings, random_settings
from .movies import SyntheticMovie, simulate

__all__ = [
    "CELL_KINDS",
    "CellKind",
    "SyntheticMovie",
    "SyntheticSettings",
    "random_settings",
    "simulate",
]
