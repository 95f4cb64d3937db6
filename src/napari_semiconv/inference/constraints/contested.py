"""A cell that several claim, split among them by what the network found."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...labels import Labels
from ..engines.regions import connected_components
from .grow import ConstrainedWindow
from .split import split_by_seeds
from .union_find import contacts_of, join_atoms

Mask = NDArray[np.bool_]
Integers = NDArray[np.int64]


def split_contested(scene: ConstrainedWindow, mask: Mask, owner: Labels) -> None:
    """Part a cell among those that claim pixels of it.

    It falls into the segments of the network's votes; those that several claim are
    split by votes, embedding and shape; then all are joined, the surest pair first,
    as far as no two claims forbid it.

    Parameters
    ----------
    scene
        The window; claims that come to share a cell are tied.
    mask
        The cell, (Y, X).
    owner
        Number of the claim, from 1, of each pixel, (Y, X); written to.
    """
    place = ndimage.find_objects(mask.astype(np.int8))[0]
    mask, seeds = mask[place], np.where(mask, scene.trees, 0)[place]
    rows, columns = (
        slice(part.start + at.start, part.start + at.stop)
        for part, at in zip(scene.window, place, strict=True)
    )
    segments, odds = scene.maps.segments((rows, columns), mask)
    codes = scene.maps.codes((rows, columns))
    atoms = _atoms(scene, segments, seeds, codes)
    pairs = np.unique(np.stack([atoms, seeds], -1)[seeds > 0], axis=0)
    claim_of = {int(atom): int(seed) - 1 for atom, seed in pairs}

    def may(one: int, other: int) -> bool:
        if one not in claim_of or other not in claim_of:
            return True
        return not scene.links.cannot_link(claim_of[one], claim_of[other])

    def joined(one: int, other: int) -> None:
        if one in claim_of and other in claim_of:
            scene.links.must_link(claim_of[one], claim_of[other])
        elif other in claim_of:
            claim_of[one] = claim_of[other]

    contacts = contacts_of(atoms.astype(np.int32), segments, odds)
    roots = join_atoms(int(atoms.max()), contacts, may, joined)
    claimed = np.array([claim_of.get(root, -1) + 1 for root in roots], np.int32)
    owner[place][mask] = claimed[atoms[mask]]


def _atoms(
    scene: ConstrainedWindow,
    segments: Labels,
    seeds: Labels,
    codes: NDArray[np.float32],
) -> Integers:
    """Give connected segments, (Y, X); those of claims that clash are split."""
    atoms, _ = connected_components(segments)
    kinds = np.zeros(segments.shape, np.int64)
    for atom in np.unique(atoms[seeds > 0]).tolist():
        inside = atoms == atom
        claims = (np.unique(seeds[inside & (seeds > 0)]) - 1).tolist()
        if scene.links.may_link(claims):
            for claim in claims:
                scene.links.must_link(claims[0], claim)
            continue
        roots = np.append(scene.links.roots + 1, 0)
        named = np.where(inside, roots[seeds - 1], 0).astype(np.int32)
        parts = split_by_seeds(inside, named, codes, scene.maps.cell_size)
        kinds[inside] = parts[inside]
    mask = segments > 0
    key = np.unique(np.stack([atoms, kinds], -1)[mask], axis=0, return_inverse=True)[1]
    image = np.zeros(segments.shape, np.int32)
    image[mask] = key.ravel() + 1
    found: Integers = connected_components(image)[0]
    return found
