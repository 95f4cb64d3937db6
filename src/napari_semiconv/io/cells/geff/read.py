"""Read tracked movies from GEFF: a graph of cells that refers to labels."""

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadInputError
from ....guard import brief
from ....labels import Labels, labels_in
from ....tracking.intervals import intervals_of
from ....tracking.lineage import Lineage
from ...movies.units import seconds, um
from ..cell_graph import Numbers, origins_of_links, tracks_of_graph
from ..label_stacks import MOST_FRAMES, LabelStack, open_stack
from ..own_tracks import OWN, check_version
from ..tracked import TrackedMovie
from .arrays import GeffGroup, open_geff
from .write import CONFIRMED, FRAME, OWN_VERSION, PARENT_CONFIRMED, SEGMENT, TRACK

Facts = Mapping[str, Any]


def read_geff(source: Path) -> TrackedMovie:
    """Read a GEFF that refers to labels; frames lazily.

    Every frame is looked at once: each cell must have pixels. Pixels of no cell are
    background. Where the labels do not tell the tracks (each label one path, whose last
    cell alone has daughters), each unbranched path becomes a track with a new number.

    Parameters
    ----------
    source
        The GEFF, or the folder that holds it.

    Raises
    ------
    BadInputError
        When it is damaged, refers to no labels or to others, or cells merge.
    """
    group = open_geff(source)
    own = _own(group)
    path, key = _related(group)
    stack = open_stack(path)
    cells = _read_cells(group, own, key, math.prod(stack.labels.shape))
    _check_frames(group, cells, stack.labels)
    labels, lineage = tracks_of_graph(cells.frames, cells.origins, *cells.names)
    numbering = _Numbering(cells.frames, cells.segments, labels)
    exact = _check_pixels(group, stack.labels, numbering, cells)

    def read(frame: int) -> Labels:
        pixels = stack.labels.read(frame)
        return pixels if frame in exact else numbering.applied(frame, pixels)

    _confirm(group, own, cells.frames, labels, lineage)
    pixel_size, frame_interval = _steps(group)
    return TrackedMovie(
        str(own.get("name") or group.folder.resolve().name.removesuffix(".geff")),
        stack.labels.shape,
        read,
        lineage,
        pixel_size or stack.pixel_size,
        frame_interval or stack.frame_interval,
    )


@dataclass(frozen=True)
class _Cells:
    """Cells as they lie in the file, (N,) each."""

    ids: NDArray[Any]
    frames: Numbers
    segments: Numbers
    origins: Numbers
    names: tuple[Numbers, ...]


def _own(group: GeffGroup) -> Facts:
    """Facts that this program wrote; none in a file of another one."""
    extra = group.facts.get("extra") or {}
    own = extra.get(OWN, {}) if isinstance(extra, Mapping) else {}
    if not isinstance(own, Mapping):
        raise group.fault(f"'{OWN}' among its extra facts is no set of named values")
    if own:
        check_version(own, group.folder, OWN_VERSION)
    return own


def _read_cells(group: GeffGroup, own: Facts, key: str, pixels: int) -> _Cells:
    ids = group.ids()
    if len(ids) > pixels:
        raise group.fault(f"found {len(ids)} cells in {pixels} pixels of its labels")
    frames = _frames(group, len(ids))
    segments = ids if key in ("id", "node_id") else group.column(key, len(ids), "iu")
    segments = segments.astype(np.int64)
    _check_once(group, ids, frames, segments)

    def called(place: int) -> str:
        return f"node {ids[place]}"

    origins = origins_of_links(frames, group.links(ids), group.name, called)
    names = [segments]
    if own and group.has(TRACK):
        names = [group.column(TRACK, len(ids), "iu").astype(np.int64), segments]
    return _Cells(ids, frames, segments, origins, tuple(names))


def _frames(group: GeffGroup, count: int) -> Numbers:
    """Read the frame of each cell, (N,)."""
    times = [axis for axis in _axes(group) if axis.get("type") == "time"]
    named = [axis for axis in _axes(group) if axis.get("name") in (FRAME, "time")]
    found = times or named
    if not found and not group.has(FRAME):
        raise group.fault("none of its axes is time")
    name = str(found[0].get("name")) if found else FRAME
    values = group.column(name, count, "iuf")
    whole = np.isfinite(values) & (values >= 0) & (values < MOST_FRAMES)
    whole &= np.floor(np.where(whole, values, 0)) == np.where(whole, values, 0)
    if not whole.all():
        raise BadInputError(
            f"{group.name}: expected frames, whole numbers from 0 below {MOST_FRAMES}, "
            f"in '{brief(name)}', found {values[~whole][0]}. Write the file with "
            f"frames as unit of time."
        )
    return values.astype(np.int64)


def _axes(group: GeffGroup) -> list[Facts]:
    axes = group.facts.get("axes") or []
    if not isinstance(axes, list) or not all(isinstance(a, Mapping) for a in axes):
        raise group.fault("its axes are no list of named values")
    return axes


def _check_once(
    group: GeffGroup, ids: NDArray[Any], frames: Numbers, segments: Numbers
) -> None:
    order = np.lexsort((segments, frames))
    same = (np.diff(frames[order]) == 0) & (np.diff(segments[order]) == 0)
    for place in np.flatnonzero(same)[:1]:
        one, other = ids[order[place]], ids[order[place + 1]]
        raise BadInputError(
            f"{group.name}: expected cells of their own pixels, found the nodes {one} "
            f"and {other} with the label {segments[order[place]]} in frame "
            f"{frames[order[place]]}. Write the file anew."
        )


def _related(group: GeffGroup) -> tuple[Path, str]:
    """Find the labels, and the property that tells a cell's value in them."""
    listed = group.facts.get("related_objects") or []
    if not isinstance(listed, list) or not all(isinstance(r, Mapping) for r in listed):
        raise group.fault("its related objects are no list of named values")
    found = [
        (r.get("path"), r.get("node_prop") or r.get("label_prop") or SEGMENT)
        for r in listed
        if r.get("type") == "labels"
    ]
    if not found:
        raise BadInputError(
            f"{group.name}: expected labels that it refers to, found none: it holds "
            f"where the cells are, but not their pixels. Export it with its "
            f"segmentation, or import the labels themselves."
        )
    usable = [(path, key) for path, key in found if group.has(str(key))]
    path, key = (usable or found)[0]
    if not isinstance(path, str) or not path or Path(path).is_absolute():
        raise group.fault("the path of its labels is not relative to it")
    place = Path(os.path.normpath(group.folder.absolute() / path))
    if "\0" in path or "://" in path or not place.exists():
        raise BadInputError(
            f"{group.name}: expected its labels at {brief(path)}, found nothing there. "
            f"Put them back beside it."
        )
    return place, str(key)


def _check_frames(group: GeffGroup, cells: _Cells, stack: LabelStack) -> None:
    last = int(cells.frames.max(initial=-1))
    if last >= stack.shape[0]:
        raise BadInputError(
            f"{group.name}: expected cells in the {stack.shape[0]} frames of its "
            f"labels, found one in frame {last}. Put its own labels beside it."
        )
    for place in np.flatnonzero(cells.segments < 1)[:1]:
        raise BadInputError(
            f"{group.name}: expected labels from 1, found {cells.segments[place]} for "
            f"node {cells.ids[place]}. Write the file with the labels of its cells."
        )


class _Numbering:
    """Which label of a frame becomes which."""

    def __init__(self, frames: Numbers, segments: Numbers, labels: Numbers) -> None:
        self.order = np.lexsort((segments, frames))
        self._segments = segments[self.order]
        self._labels = labels[self.order].astype(np.int32)
        ordered = frames[self.order]
        self.frames, begins = np.unique(ordered, return_index=True)
        ends = np.append(begins, len(ordered))
        spans = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        self._spans = dict(zip(self.frames.tolist(), spans, strict=True))

    def of(self, frame: int) -> tuple[int, Numbers, Labels]:
        """Place of the first cell of a frame, its labels, ascending, and new ones."""
        begin, end = self._spans.get(frame, (0, 0))
        return begin, self._segments[begin:end], self._labels[begin:end]

    def applied(self, frame: int, pixels: Labels) -> Labels:
        """Give the labels, (Y, X), of a frame new numbers; those of no cell get 0."""
        _, old, new = self.of(frame)
        if not len(old):
            return np.zeros_like(pixels)
        places = np.minimum(np.searchsorted(old, pixels), len(old) - 1)
        found: Labels = np.where(old[places] == pixels, new[places], 0)
        return found


def _check_pixels(
    group: GeffGroup, stack: LabelStack, numbering: _Numbering, cells: _Cells
) -> set[int]:
    """Refuse cells without pixels; gives the frames that stay as they are."""
    exact, seen = set[int](), set[int]()
    for frame, pixels in stack.painted():
        present = np.array(labels_in(pixels), np.int64)
        begin, old, new = numbering.of(frame)
        seen.add(frame)
        lost = ~np.isin(old, present)
        if lost.any():
            raise _no_pixels(group, cells, numbering.order[begin + lost.argmax()])
        if len(old) == len(present) and np.array_equal(old, new):
            exact.add(frame)
    for frame in numbering.frames.tolist():
        if frame not in seen:
            begin, _, _ = numbering.of(frame)
            raise _no_pixels(group, cells, numbering.order[begin])
    return exact


def _no_pixels(group: GeffGroup, cells: _Cells, place: int) -> BadInputError:
    return BadInputError(
        f"{group.name}: expected pixels of every cell, found none with the label "
        f"{cells.segments[place]} of node {cells.ids[place]} in frame "
        f"{cells.frames[place]} of its labels. Put its own labels beside it."
    )


def _confirm(
    group: GeffGroup, own: Facts, frames: Numbers, labels: Numbers, lineage: Lineage
) -> None:
    """Take over what the user had confirmed."""
    if not own:
        return
    sure: dict[int, list[int]] = {}
    for place in _marked(group, CONFIRMED, len(frames)):
        sure.setdefault(int(labels[place]), []).append(int(frames[place]))
    for label, there in sure.items():
        lineage.put(replace(lineage.tracks[label], confirmed=intervals_of(there)))
    for place in _marked(group, PARENT_CONFIRMED, len(frames)):
        track = lineage.tracks[int(labels[place])]
        if track.begin == frames[place]:
            lineage.put(replace(track, parent_confirmed=True))


def _marked(group: GeffGroup, name: str, count: int) -> Iterator[int]:
    if group.has(name):
        yield from np.flatnonzero(group.column(name, count, "biu")).tolist()


def _steps(group: GeffGroup) -> tuple[tuple[float, float] | None, float | None]:
    """Read pixel size, in um, and frame interval, in s; None when unknown."""
    interval, sizes = None, list[float | None]()
    for axis in _axes(group):
        try:
            scale, unit = float(axis["scale"]), str(axis["scaled_unit"])
        except (KeyError, TypeError, ValueError, OverflowError):
            scale, unit = 0.0, ""
        if axis.get("type") == "time":
            interval = seconds(scale, unit)
        elif axis.get("type") == "space":
            sizes.append(um(scale, unit))
    height, width = (*sizes, None, None)[:2] if len(sizes) < 3 else sizes[-2:]
    return (height, width) if height and width else None, interval
