"""Read OME-Zarr images (0.4 and 0.5) and plain zarr arrays, plane by plane."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from ...errors import BadInputError
from ...guard import brief
from ...movie import Array, ArraySource
from .axes import check_slices, understand, unlabelled
from .image_file import ImageFile
from .units import seconds, um
from .zarr_store import DAMAGED, check_chunks, open_guarded

MARKERS = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


class ZarrSource(ArraySource):
    """Planes of a zarr array; what is damaged is said in a sentence."""

    def plane(self, position: Mapping[str, int]) -> Array:
        """Read one plane, (Y, X)."""
        try:
            return super().plane(position)
        except BadInputError as error:
            raise OSError(str(error).rstrip(".")) from error
        except DAMAGED as error:
            raise OSError(
                f"a chunk of the zarr array is damaged ({brief(error)})"
            ) from error


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr array or group."""
    return any((path / marker).is_file() for marker in MARKERS)


def read_zarr(path: Path) -> ImageFile:
    """Find the full-size image of a zarr folder, its axes and units.

    Parameters
    ----------
    path
        An OME-Zarr image, or a plain zarr array.

    Raises
    ------
    BadInputError
        When it is damaged, or a group that is no image.
    """
    try:
        node = open_guarded(path)
        if isinstance(node, zarr.Array):
            return _plain_array(path.name, node)
        return _image(path.name, node)
    except DAMAGED as error:
        raise BadInputError(
            f"{path.name} cannot be read as zarr ({brief(error)}). Copy it again, or "
            f"save it anew with the program that made it."
        ) from error


def _plain_array(name: str, array: "zarr.Array[Any]") -> ImageFile:
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")
    letters = unlabelled(array.shape)
    if isinstance(names, (list, tuple)) and all(names):
        letters = "".join(_letter(str(each)) for each in names)
    return _opened(name, array, letters)


def _image(name: str, group: zarr.Group) -> ImageFile:
    attributes: Any = group.attrs.asdict()
    facts = attributes.get("ome", attributes)
    if "multiscales" not in facts:
        return _first_series(name, group, facts)
    scales = facts["multiscales"][0]
    level = scales["datasets"][0]
    array = group[level["path"]]
    if not isinstance(array, zarr.Array):
        raise BadInputError(
            f"{name}: expected an array at {level['path']}, found a group. Save the "
            f"image anew with the program that made it."
        )
    axes = scales.get("axes") or list("tczyx"[-array.ndim :])
    axes = [{"name": axis} if isinstance(axis, str) else axis for axis in axes]
    letters = "".join(_letter(axis["name"], axis.get("type", "")) for axis in axes)
    opened = _opened(name, array, letters)
    steps = _scale(level, array.ndim) * _scale(scales, array.ndim)
    return _with_units(opened, name, letters, axes, steps.tolist())


def _first_series(name: str, group: zarr.Group, facts: Mapping[str, Any]) -> ImageFile:
    if "plate" in facts or "well" in facts:
        raise BadInputError(
            f"{name} is a plate or well of many images. Open the folder of one image "
            f"inside it, such as A/1/0."
        )
    # How Bio-Formats lays out files of several images.
    if "bioformats2raw.layout" in facts and isinstance(group.get("0"), zarr.Group):
        opened = _image(f"{name}/0", group["0"])  # type: ignore[arg-type]
        note = f"{name} may hold several images; the first one is opened."
        return ImageFile(
            opened.source,
            opened.pixel_size,
            opened.frame_interval,
            (note, *opened.notes),
        )
    raise BadInputError(
        f"{name}: expected an OME-Zarr image ('multiscales' in its metadata) or a zarr "
        f"array, found a group that is neither. Open the folder of the image inside it."
    )


def _opened(name: str, array: "zarr.Array[Any]", letters: str) -> ImageFile:
    if len(letters) != array.ndim:
        raise BadInputError(
            f"{name}: expected one axis name for each of its {array.ndim} axes, found "
            f"'{letters}'. Save it anew with the program that made it."
        )
    if np.dtype(array.dtype).kind not in "buif":
        raise BadInputError(
            f"{name}: expected grey values, found data of type {array.dtype}. Open a "
            f"folder that holds an image."
        )
    stored, notes = understand(name, letters, array.shape)
    check_chunks(name, array, [stored.index(axis) for axis in "YX"])
    source = ZarrSource(array, stored)
    notes += check_slices(name, source.axes, source.shape)
    return ImageFile(source, notes=tuple(notes))


def _letter(name: str, kind: str = "") -> str:
    """Axis letter of an OME axis or a dimension name; Q when it says nothing."""
    by_kind = {"time": "T", "channel": "C"}.get(kind)
    if by_kind:
        return by_kind
    first = name.strip().upper()[:1]
    words = {"TIME", "FRAME", "FRAMES", "CHANNEL", "CHANNELS"}
    known = len(name.strip()) == 1 or name.strip().upper() in words
    letter = "T" if name.strip().upper().startswith("FRAME") else first
    return letter if known and letter in "TCZYX" else "Q"


def _scale(holder: Mapping[str, Any], count: int) -> Any:
    for step in holder.get("coordinateTransformations", ()):
        if step.get("type") == "scale" and len(step["scale"]) == count:
            return np.array(step["scale"], float)
    return np.ones(count)


def _with_units(
    opened: ImageFile,
    name: str,
    letters: str,
    axes: list[dict[str, Any]],
    steps: list[float],
) -> ImageFile:
    """Add pixel size and frame interval; without a unit they are um and s, noted."""
    notes = list(opened.notes)
    known: dict[str, float | None] = {}
    for letter, axis, step in zip(letters, axes, steps, strict=True):
        if letter not in "TYX":
            continue
        usual, convert = ("s", seconds) if letter == "T" else ("um", um)
        unit = axis.get("unit")
        if unit is None and step != 1:
            notes.append(
                f"{name} gives no unit for its {letter} axis: {step:g} is taken as "
                f"{usual}."
            )
            unit = usual
        known[letter] = convert(step, unit) if unit else None
    size = known["Y"], known["X"]
    return ImageFile(
        opened.source,
        (size[0], size[1]) if size[0] and size[1] else None,
        known.get("T"),
        tuple(notes),
    )
