"""Tracked movies to and from OME-Zarr: labels inside their image, tracks with them."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import zarr

from ...errors import BadInputError, UnreadableFrameError
from ...guard import brief
from ...movie import Movie
from ...tracking.invariants import faults_of_lineage
from ...tracking.lineage import Lineage
from ..movies.zarr_store import DAMAGED, open_guarded
from .label_stacks import open_stack
from .measuring import channels_of
from .own_tracks import OWN, own_facts, read_own_facts
from .staging import new_target
from .tracked import TrackedMovie, lineage_of_labels

VERSION = "0.5"
LABELS, CELLS, LEVEL = "labels", "cells", "0"
SUFFIXES = (".ome.zarr", ".zarr")

Facts = Mapping[str, Any]


def write_ome_zarr(
    tracked: TrackedMovie,
    target: Path,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write a new OME-Zarr 0.5 image with the labels inside, as ``labels/cells``.

    The image is the chosen channel of the movie; frames of it that cannot be read stay
    black. Without a movie the labels are written alone. Parents and what was confirmed
    lie in the attributes of the labels.

    Parameters
    ----------
    tracked
        What to write.
    target
        The folder, such as ``NAME.ome.zarr``; it may not exist.
    progress
        Told the number of frames done and of all.

    Raises
    ------
    SaveError
        When the folder exists, or the disk fails.
    BadInputError
        When the movie is not that of the cells.
    """
    channels_of(tracked)
    with new_target(target) as draft:
        movie, folder = tracked.movie, draft
        if movie is not None:
            image = _new_image(draft, tracked, movie.dtype.newbyteorder("="), {})
            _new_group(draft / LABELS, {"ome": {"version": VERSION, "labels": [CELLS]}})
            folder = draft / LABELS / CELLS
        labels = new_label_image(folder, tracked, inside=movie is not None)
        for frame in range(len(tracked)):
            labels[frame] = tracked.read(frame)
            if movie is not None:
                _copy_frame(movie, frame, image)
            if progress is not None:
                progress(frame + 1, len(tracked))


def new_label_image(
    folder: Path, tracked: TrackedMovie, *, inside: bool = False
) -> "zarr.Array[Any]":
    """Make a label image without labels yet, with our tracks in its attributes.

    Parameters
    ----------
    folder
        New folder for it.
    tracked
        What it will hold.
    inside
        Whether it lies inside of its image, in ``labels/NAME``.

    Returns
    -------
    zarr.Array
        Its only level, (T, Y, X), to be filled frame by frame.
    """
    source = {"source": {"image": "../../"}} if inside else {}
    own = own_facts(tracked.name, tracked.lineage)
    facts = {"ome": {"image-label": source}, OWN: own}
    return _new_image(folder, tracked, np.dtype(np.uint32), facts)


def _new_image(
    folder: Path, tracked: TrackedMovie, dtype: "np.dtype[Any]", facts: Facts
) -> "zarr.Array[Any]":
    height, width = tracked.pixel_size or (1.0, 1.0)
    axes: list[dict[str, str]] = [{"name": "t", "type": "time"}]
    axes += [{"name": name, "type": "space"} for name in "yx"]
    if tracked.frame_interval:
        axes[0]["unit"] = "second"
    if tracked.pixel_size:
        axes[1]["unit"] = axes[2]["unit"] = "micrometer"
    scale = [tracked.frame_interval or 1.0, height, width]
    steps = [{"type": "scale", "scale": [float(step) for step in scale]}]
    level = {"path": LEVEL, "coordinateTransformations": steps}
    images = [{"name": tracked.name, "axes": axes, "datasets": [level]}]
    ome = {"version": VERSION, "multiscales": images, **facts.get("ome", {})}
    return _new_group(folder, {**facts, "ome": ome}).create_array(
        LEVEL,
        shape=tracked.shape,
        chunks=(1, *tracked.frame_shape),
        dtype=dtype,
        fill_value=0,
        dimension_names=("t", "y", "x"),
    )


def _new_group(folder: Path, attributes: Facts) -> zarr.Group:
    # Without line breaks: there may be many tracks.
    with zarr.config.set({"json_indent": None}):
        return zarr.create_group(folder, zarr_format=3, attributes=dict(attributes))


def _copy_frame(movie: Movie, frame: int, image: "zarr.Array[Any]") -> None:
    try:
        image[frame] = movie.frame(frame)
    except UnreadableFrameError:
        return


def has_labels(path: Path) -> bool:
    """Tell whether a zarr folder has labels of cells in it, or is one label image."""
    try:
        folder = _find_labels(path)
        return folder != path or "image-label" in _ome(_attributes(path))
    except (BadInputError, *DAMAGED):
        return False


def read_ome_zarr(source: Path) -> TrackedMovie:
    """Read labels of an OME-Zarr (0.4 or 0.5) or a plain zarr array; frames lazily.

    Every frame is looked at once, for which labels are in it. Parents are known where
    this program wrote them; else no track has one.

    Parameters
    ----------
    source
        An image with labels inside, its folder ``labels``, or one label image.

    Raises
    ------
    BadInputError
        When it is damaged, has no labels or several, or its tracks do not agree with
        its labels.
    """
    try:
        folder = _find_labels(source)
        own = _attributes(folder).get(OWN)
    except DAMAGED as error:
        raise BadInputError(
            f"{source} cannot be read as zarr ({brief(error)}). Copy it again, or save "
            f"it anew with the program that made it."
        ) from error
    stack = open_stack(folder)
    lineage = lineage_of_labels(stack.labels.painted())
    name = _name_of(source)
    if own is not None:
        name, known = read_own_facts(own, folder)
        _check(folder, known, lineage, stack.labels.shape[0])
        lineage = known
    return TrackedMovie(
        name,
        stack.labels.shape,
        stack.labels.read,
        lineage,
        stack.pixel_size,
        stack.frame_interval,
    )


def _find_labels(source: Path) -> Path:
    node = open_guarded(source)
    if isinstance(node, zarr.Array):
        return source
    facts = _ome(_attributes(source))
    if "image-label" in facts:
        return source
    inside, folder = _labels_of(facts), source
    if inside is None and isinstance(node.get(LABELS), zarr.Group):
        folder = source / LABELS
        inside = _labels_of(_ome(_attributes(folder)))
        if inside is None:
            inside = [key for key, _ in node[LABELS].groups()]  # type: ignore[union-attr]
    if inside is None and "multiscales" in facts:
        return source
    return folder / _only(source, inside or [], folder)


def _labels_of(facts: Facts) -> list[str] | None:
    found = facts.get("labels")
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(n, str) for n in found):
        raise ValueError("its list of labels is no list of names")
    return found


def _only(source: Path, names: list[str], folder: Path) -> str:
    if not names:
        raise BadInputError(
            f"{source.name}: expected an OME-Zarr image with labels, found none. "
            f"Choose the folder that holds 'labels', or the label image itself."
        )
    if CELLS in names and OWN in _attributes(folder / CELLS):
        return CELLS
    if len(names) > 1:
        raise BadInputError(
            f"{source.name}: expected one label image, found {len(names)} "
            f"({brief(', '.join(names))}). Choose the folder of one of them, as in "
            f"{LABELS}/{brief(names[0])}."
        )
    path = PurePosixPath(names[0])
    if path.is_absolute() or ".." in path.parts or "\\" in names[0]:
        raise ValueError("its labels lie outside of it")
    return names[0]


def _attributes(folder: Path) -> Facts:
    found: Facts = open_guarded(folder).attrs.asdict()
    return found


def _ome(attributes: Facts) -> Facts:
    """Facts of the format: named ``ome`` since 0.5, plain before."""
    found = attributes.get("ome", attributes)
    if not isinstance(found, Mapping):
        raise ValueError("its metadata are no named values")
    return found


def _check(folder: Path, known: Lineage, found: Lineage, frames: int) -> None:
    """Refuse tracks that are not those of the pixels."""
    for fault in _faults(known, found, frames):
        raise BadInputError(
            f"{folder}: {fault} Restore the folder, or take '{OWN}' out of its "
            f"attributes to read the labels without parents."
        )


def _faults(known: Lineage, found: Lineage, frames: int) -> Iterator[str]:
    for label in sorted(known.tracks.keys() | found.tracks.keys()):
        stored, seen = known.tracks.get(label), found.tracks.get(label)
        if stored is None or seen is None or stored.intervals != seen.intervals:
            yield (
                f"expected cell {label} in the frames of its track, found "
                f"other frames in its labels."
            )
    yield from faults_of_lineage(known, frames)


def _name_of(source: Path) -> str:
    name = source.resolve().name
    ending = next((s for s in SUFFIXES if name.lower().endswith(s)), "")
    return name[: -len(ending)] if len(ending) < len(name) and ending else name
