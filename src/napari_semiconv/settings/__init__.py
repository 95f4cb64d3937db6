"""Settings as values: one frozen class per stage.

They are the form on screen, the command-line options, the record kept with a result
and the page in the documentation.
"""

from .base import Settings, setting
from .network import (
    NETWORK_PRESETS,
    Bandwidth,
    KernelName,
    Layout,
    MemoryKind,
    NetworkSettings,
    Operator,
    Proposals,
    RegionSettings,
)
from .segmenting import (
    DeviceName,
    EngineName,
    HdbscanSettings,
    LinkSettings,
    LookAhead,
    PayerSettings,
    Position,
    PrecisionName,
    Resize,
    SegmentSettings,
    VotesSettings,
)

__all__ = [
    "NETWORK_PRESETS",
    "Bandwidth",
    "DeviceName",
    "EngineName",
    "HdbscanSettings",
    "KernelName",
    "Layout",
    "LinkSettings",
    "LookAhead",
    "MemoryKind",
    "NetworkSettings",
    "Operator",
    "PayerSettings",
    "Position",
    "PrecisionName",
    "Proposals",
    "RegionSettings",
    "Resize",
    "SegmentSettings",
    "Settings",
    "VotesSettings",
    "setting",
]
