"""Evidence on the cells of a run, ``evidence/NNNNNN.npz``, one small file a frame."""

import re
import tokenize
import zipfile
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np

from ...errors import BadInputError
from ...guard import check_regular
from ...safe import draft_of, saving
from ...tracking.evidence import Evidence

EVIDENCE = "evidence"
# What files that exist call some of it.
STORED = {"joint_match": "kin", "joint_overlap": "kin_overlap"}
# A frame of 100,000 cells with 64 channels; nothing larger was ever written.
MOST_BYTES = 2**25
UNREADABLE = (
    BadInputError,
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    # What zipfile says of a damaged directory, and numpy of a damaged header.
    RuntimeError,
    TypeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)

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
    draft = draft_of(path)
    values = {
        STORED.get(field.name, field.name): getattr(evidence, field.name)
        for field in fields(evidence)
    }
    with saving(path):
        path.parent.mkdir(exist_ok=True)
        try:
            with draft.open("wb") as stream:
                np.savez(stream, **values)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


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
        if check_regular(path) > MOST_BYTES or _unpacked(path) > MOST_BYTES:
            return None
        with np.load(path) as stored:
            found = Evidence(**{n: stored[STORED.get(n, n)] for n in names})
    except UNREADABLE:
        return None
    return found if _is_sound(found) else None


def _unpacked(path: Path) -> int:
    """Bytes that the file has once it is unpacked."""
    with zipfile.ZipFile(path) as file:
        return sum(part.file_size for part in file.infolist())


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
