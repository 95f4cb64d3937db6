"""Lengths in um and times in s, from the units that files are written with."""

import math

_UM = {
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("micrometers", "micrometres"), 1.0),
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers"), 1e-3),
    **dict.fromkeys(("å", "angstrom"), 1e-4),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("in", "inch"), 25_400.0),
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
}


def um(value: float, unit: str) -> float | None:
    """Convert a length to um; None when the unit or the value means nothing."""
    return _convert(value, unit, _UM)


def seconds(value: float, unit: str) -> float | None:
    """Convert a time to s; None when the unit or the value means nothing."""
    return _convert(value, unit, _SECONDS)


def _convert(value: float, unit: str, factors: dict[str, float]) -> float | None:
    # ImageJ spells the micro sign out; files hold either of the two mu letters.
    name = unit.strip().replace("\\u00B5", "u").casefold().replace("μ", "u")
    factor = factors.get(name)
    if factor is None or not math.isfinite(value) or value <= 0:
        return None
    return value * factor
