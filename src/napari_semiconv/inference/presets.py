"""Published parameters of each data set, chosen by name."""

from ..errors import BadSettingsError
from ..settings import (
    PAYER_2018,
    PAYER_2019,
    EngineInfo,
    EngineName,
    PayerSettings,
    Resize,
    SegmentSettings,
)

# What a preset decides; model, device and cell size stay as they are.
DECIDED = ("engine", "resize", "memory_span", PAYER_2018.part)

# The movies of the Cell Tracking Challenge that the parameters were published for.
DATA_SETS = {
    "dic": "HeLa cells under interference contrast (DIC-C2DH-HeLa)",
    "msc": "long mesenchymal stem cells, fluorescent (Fluo-C2DL-MSC)",
    "gowt1": "nuclei of mouse stem cells, fluorescent (Fluo-N2DH-GOWT1)",
    "sim": "simulated nuclei (Fluo-N2DH-SIM+)",
    "hela": "small crowded nuclei of HeLa cells, fluorescent (Fluo-N2DL-HeLa)",
    "u373": "flat glioma cells under phase contrast (PhC-C2DH-U373)",
    "psc": "small crowded pancreatic stem cells, phase contrast (PhC-C2DL-PSC)",
}

# Payer et al. 2018, in frames of 256 x 256 px: c, m, smoothing, ignore border in x and
# y, parent dilation, parent frames.
TABLE_2018: dict[str, tuple[float, int, float, int, int, int, int]] = {
    "dic": (0.02, 1000, 2, 25, 25, 0, 8),
    "msc": (0.01, 500, 2, 10, 16, 0, 8),
    "gowt1": (0.001, 50, 2, 12, 12, 5, 2),
    "sim": (0.001, 100, 2, 0, 0, 5, 2),
    "hela": (0.01, 25, 1, 12, 18, 3, 2),
    "u373": (0.005, 500, 2, 18, 24, 0, 8),
}
# Payer et al. 2019: size of the network's frame, least cell, ignore border in px of the
# movie, parent dilation, parent frames, shortest track. The smoothing of 2019 is not
# known: that of 2018 is taken, for PSC that of the small cells of HeLa.
TABLE_2019: dict[str, tuple[Resize, int, int, int, int, int]] = {
    "dic": ("256x256", 500, 50, 0, 8, 2),
    "msc": ("256x256", 100, 50, 0, 8, 2),
    "gowt1": ("512x512", 100, 50, 5, 2, 2),
    "sim": ("512x512", 100, 0, 5, 2, 2),
    "hela": ("700x1100", 50, 25, 3, 2, 2),
    "u373": ("384x512", 500, 50, 0, 8, 2),
    "psc": ("576x720", 50, 25, 0, 2, 5),
}


def _preset_2018(name: str) -> SegmentSettings:
    c, m, smoothing, border_x, border_y, dilation, frames = TABLE_2018[name]
    payer = PayerSettings(
        coordinate_weight=c,
        smallest=m,
        smoothing=smoothing,
        border_x=border_x,
        border_y=border_y,
        parent_dilation=dilation,
        parent_frames=frames,
        most_pixels=0,
    )
    return _published(PAYER_2018, payer, "256x256")


def _preset_2019(name: str) -> SegmentSettings:
    resize, smallest, border, dilation, frames, shortest = TABLE_2019[name]
    payer = PayerSettings(
        coordinate_weight=0.005,
        smallest=smallest,
        smoothing=TABLE_2018.get(name, TABLE_2018["hela"])[2],
        border_x=border,
        border_y=border,
        parent_dilation=dilation,
        parent_frames=frames,
        shortest_track=shortest,
    )
    return _published(PAYER_2019, payer, resize)


def _published(
    engine: EngineInfo[PayerSettings], own: PayerSettings, resize: Resize = "cells"
) -> SegmentSettings:
    settings = SegmentSettings(engine=engine.name, resize=resize, memory_span=0)
    return settings.model_copy(update={engine.part: own})


# Without a data set in the name: the procedure with the usual values of
# `PayerSettings`, on frames rescaled by cell size, so that any model can be tried.
PAPER_PRESETS: dict[str, SegmentSettings] = {
    "payer2018": _published(PAYER_2018, PayerSettings()),
    **{f"payer2018-{name}": _preset_2018(name) for name in TABLE_2018},
    "payer2019": _published(
        PAYER_2019, PayerSettings(coordinate_weight=0.005, shortest_track=2)
    ),
    **{f"payer2019-{name}": _preset_2019(name) for name in TABLE_2019},
}
PRESETS: dict[str, SegmentSettings] = {"usual": SegmentSettings(), **PAPER_PRESETS}


def with_preset(settings: SegmentSettings, name: str) -> SegmentSettings:
    """Take over what a preset decides.

    Parameters
    ----------
    settings
        What to change.
    name
        One of `PRESETS`.

    Raises
    ------
    BadSettingsError
        When there is no such preset.
    """
    if name not in PRESETS:
        raise BadSettingsError(
            f"Preset '{name}': expected one of {', '.join(PRESETS)}. Choose one of "
            f"these names."
        )
    return settings.model_copy(update=_decided(PRESETS[name]))


def with_engine(settings: SegmentSettings, engine: EngineName) -> SegmentSettings:
    """Change the engine, and what goes with a published one.

    A published procedure comes with the memory span and parameters of the preset of its
    name; these go again when another engine is chosen. Between engines that are not
    published all else stays as it is.

    Parameters
    ----------
    settings
        What to change.
    engine
        The engine wanted.
    """
    if engine == settings.engine:
        return settings
    if engine in PRESETS:
        return with_preset(settings, engine)
    if settings.engine in PRESETS:
        settings = with_preset(settings, "usual")
    return settings.model_copy(update={"engine": engine})


def preset_title(name: str) -> str:
    """Name a preset as the window shows it: the paper, and the movies it is for."""
    if name == "usual":
        return "Usual"
    procedure, _, data = name.partition("-")
    year = procedure.removeprefix("payer")
    movies = DATA_SETS[data].rpartition("(")[2].rstrip(")") if data else "any movie"
    return f"Payer {year}: {movies}"


def describe_preset(name: str) -> str:
    """Say in one line what a preset is for; empty when there is none of that name."""
    if name not in PRESETS:
        return ""
    if name == "usual":
        return "The usual way of this program, for any movie."
    procedure, _, data = name.partition("-")
    year = procedure.removeprefix("payer")
    published = f"As published by Payer et al. {year}"
    if not data:
        return f"{published}, for any movie: frames are rescaled by cell size."
    size = PRESETS[name].resize.replace("x", " x ")
    return (
        f"{published} for {DATA_SETS[data]}: frames are resized to {size} px, the cell "
        f"size is not used."
    )


def preset_of(settings: SegmentSettings) -> str:
    """Name of the preset that settings agree with, empty when there is none."""
    decided = _decided(settings)
    matching = (name for name, p in PRESETS.items() if _decided(p) == decided)
    return next(matching, "")


def _decided(settings: SegmentSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in DECIDED}
