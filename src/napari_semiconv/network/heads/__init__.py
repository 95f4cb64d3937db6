"""What the network predicts for every pixel: one file a head.

Every file of this folder is imported, so that a new head is known by being here.
"""

from importlib import import_module
from pkgutil import iter_modules

from .base import HEADS, Example, Head, LossChoices, register

for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")

__all__ = ["HEADS", "Example", "Head", "LossChoices", "register"]
