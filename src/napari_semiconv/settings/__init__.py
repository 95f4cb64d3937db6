"""Settings as values: one frozen class per stage.

They are the form on screen, the command-line options, the record kept with a result
and the page in the documentation.
"""

from .base import Settings, choices_of, setting
from .engines import (
    ENGINES,
    HDBSCAN,
    PAYER_2018,
    PAYER_2019,
    REGION,
    VOTES,
    EngineInfo,
    HdbscanSettings,
    PayerSettings,
    Position,
    VotesSettings,
)
from .network import (
    NETWORK_PRESETS,
    Bandwidth,
    KernelName,
    Layout,
    MemoryKind,
    NetworkSettings,
    Operator,
)
from .region import RegionHeadSettings, RegionSettings
from .segmenting import (
    AFTER_NETWORK,
    DeviceName,
    EngineName,
    LinkSettings,
    PrecisionName,
    Resize,
    SegmentSettings,
)

__all__ = [
    "AFTER_NETWORK",
    "ENGINES",
    "HDBSCAN",
    "NETWORK_PRESETS",
    "PAYER_2018",
    "PAYER_2019",
    "REGION",
    "VOTES",
    "Bandwidth",
    "DeviceName",
    "EngineInfo",
    "EngineName",
    "HdbscanSettings",
    "KernelName",
    "Layout",
    "LinkSettings",
    "MemoryKind",
    "NetworkSettings",
    "Operator",
    "PayerSettings",
    "Position",
    "PrecisionName",
    "RegionHeadSettings",
    "RegionSettings",
    "Resize",
    "SegmentSettings",
    "Settings",
    "VotesSettings",
    "choices_of",
    "setting",
]
