"""Evidence on the cells of a run, ``evidence/NNNNNN.npz``, one small file a frame."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np

from ...errors import BadInputError
from ...guard import read_arrays
from ...safe import replacing, saving
from ...tracking.evidence import Evidence

EVIDENCE = "evidence"
# What files that exist call some of it.
STORED = {"joint_match": "kin", "joint_overlap": "kin_overlap"}
# A frame of 100,000 cells with 64 channels; nothing larger was ever written.
MOST_BYTES = 2**25

_NAME = re.compile(r"(\d{6,})\.npz(\.part)?")


def evidence_file(folder: Path, frame: int) -> Path:
    """Name the file of a frame in a run folder."""
    return folder / EVIDENCE / f"{frame:06}.npz"


def write_evidence(folder: Path, frame: int, evidence: Evidence) -> None:
    """Keep what the network predicts for the cells of a frame, whole or not at all.

    Parameters
    ----------
    folder
        The run folder.
    frame
        Index of the frame.
    evidence
        What it says.

    Raises
    ------
    SaveError
        When the disk is full or fails.
    """
    path = evidence_file(folder, frame)
    values = {
        STORED.get(field.name, field.name): getattr(evidence, field.name)
        for field in fields(evidence)
    }
    with saving(path):
        path.parent.mkdir(exist_ok=True)
    with replacing(path, sync=False) as stream:
        np.savez(stream, **values)


def forget_evidence(folder: Path, after: int) -> None:
    """Remove what was kept of the frames after one, and what a crash left."""
    place = folder / EVIDENCE
    for path in place.iterdir() if place.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match and (match[2] or int(match[1]) > after):
            path.unlink()


def read_evidence(folder: Path, frame: int) -> Evidence | None:
    """Read what the network predicts for the cells of a frame.

    Evidence helps to link and can always be computed again, so a missing or damaged
    file is the same as none.

    Parameters
    ----------
    folder
        The run folder.
    frame
        Index of the frame.

    Returns
    -------
    Evidence
        What it says, or None.
    """
    path = evidence_file(folder, frame)
    names = [field.name for field in fields(Evidence)]
    try:
        stored = read_arrays(path, MOST_BYTES)
        found = Evidence(**{n: stored[STORED.get(n, n)] for n in names})
    except (BadInputError, KeyError, ValueError):
        return None
    return found if _is_sound(found) else None


def _is_sound(evidence: Evidence) -> bool:
    count = len(np.atleast_1d(evidence.labels))
    shapes = {
        "embeddings": (count, *evidence.embeddings.shape[1:2]),
        "motion": (count, 2),
    }
    for field in fields(evidence):
        values = getattr(evidence, field.name)
        integers = field.name in ("labels", "joint_match")
        if values.dtype.kind not in ("iu" if integers else "f"):
            return False
        if values.shape != shapes.get(field.name, (count,)) or np.isinf(values).any():
            return False
    return evidence.embeddings.ndim == 2
