"""Pixel size and frame interval of a TIFF, from what OME and ImageJ write into it."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Any
from xml.etree import ElementTree

from tifffile import TiffFile, TiffPage

from .units import seconds, um

PixelSize = tuple[float, float]


def read_facts(tif: TiffFile) -> tuple[PixelSize | None, float | None]:
    """Read the pixel size, y and x in um, and the frame interval, in s, where known."""
    if tif.is_ome and tif.ome_metadata:
        return ome_facts(tif.ome_metadata)
    if tif.is_imagej and tif.imagej_metadata:
        return _imagej_facts(tif.imagej_metadata, tif.pages.first)
    return None, None


def ome_facts(xml: str) -> tuple[PixelSize | None, float | None]:
    """Read pixel size (um) and frame interval (s) of the first image of OME-XML."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None, None
    pixels = next(root.iterfind("{*}Image/{*}Pixels"), None)
    if pixels is None:
        return None, None
    size = [_ome_length(pixels, f"PhysicalSize{axis}") for axis in "YX"]
    interval = _ome_time(pixels, "TimeIncrement") or _interval_of_planes(pixels)
    return (size[0], size[1]) if size[0] and size[1] else None, interval


def ome_planes(xml: str | None) -> tuple[int, int]:
    """Count the planes of the largest image of OME-XML, and the files they lie in."""
    try:
        root = ElementTree.fromstring(xml or "")
    except ElementTree.ParseError:
        return 0, 1
    most = 0
    for pixels in root.iterfind("{*}Image/{*}Pixels"):
        sizes = (_number(pixels.get(f"Size{axis}")) for axis in "TCZ")
        # What is no number is for whoever reads it to tell.
        planes = math.prod(size or 1 for size in sizes)
        most = max(most, int(planes) if math.isfinite(planes) else 0)
    names = root.iterfind("{*}Image/{*}Pixels/{*}TiffData/{*}UUID")
    return most, max(1, len({name.get("FileName") for name in names}))


def _ome_length(element: ElementTree.Element, name: str) -> float | None:
    value = _number(element.get(name))
    # um and s are what the OME schema means when no unit is written.
    return value and um(value, element.get(f"{name}Unit", "um"))


def _ome_time(element: ElementTree.Element, name: str) -> float | None:
    value = _number(element.get(name))
    return value and seconds(value, element.get(f"{name}Unit", "s"))


def _interval_of_planes(pixels: ElementTree.Element) -> float | None:
    """Frame interval (s) as the median step between the times planes were taken at."""
    times = {}
    for plane in pixels.iterfind("{*}Plane"):
        if plane.get("TheC", "0") == "0" and plane.get("TheZ", "0") == "0":
            taken = _number(plane.get("DeltaT"))
            if taken is not None:
                unit = plane.get("DeltaTUnit", "s")
                times[int(plane.get("TheT", "0"))] = seconds(taken, unit) or 0.0
    steps = [times[t + 1] - times[t] for t in times if t + 1 in times]
    step = median(steps) if steps else 0.0
    return step if step > 0 else None


def _imagej_facts(
    facts: Mapping[str, Any], page: TiffPage
) -> tuple[PixelSize | None, float | None]:
    unit = str(facts.get("unit", ""))
    size = [um(_length_of_pixel(page, f"{axis}Resolution"), unit) for axis in "YX"]
    interval = _number(facts.get("finterval"))
    tunit = str(facts.get("tunit", "s"))
    return (
        (size[0], size[1]) if size[0] and size[1] else None,
        interval and seconds(interval, tunit),
    )


def _length_of_pixel(page: TiffPage, tag: str) -> float:
    found = page.tags.get(tag)
    if found is None or not found.value[0]:
        return 0.0
    pixels, units = found.value
    return float(units / pixels)


def _number(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None
