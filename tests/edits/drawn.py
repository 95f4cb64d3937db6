"""Drawn documents to edit, and what they look like afterwards."""

import re

import numpy as np
import pytest
from tests.edits.worlds import MemoryMasks, faults, shown, state
from tests.worlds import draw

from napari_semiconv.edits.base import plan
from napari_semiconv.edits.codec import decode, encode
from napari_semiconv.edits.document import Document
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import EditError
from napari_semiconv.io.cells.tracked import lineage_of_labels
from napari_semiconv.tracking.lineage import Lineage, Track


def movie(*lines, parents=None):
    """A document, drawn as frames side by side."""
    return document_of(draw(*lines), parents)


def document_of(pixels, parents=None):
    """A document of label images, (T, Y, X)."""
    lineage = lineage_of_labels(enumerate(pixels), parents)
    return Document(MemoryMasks(pixels.copy()), lineage)


def scored(document):
    """Give each cell the scores 100 * label + frame and its half."""
    tracks = [
        Track(t.label, t.intervals, t.parent, scores=scores_of(t.label, t))
        for t in document.lineage.tracks.values()
    ]
    document.lineage = Lineage(tracks, ("sure", "half"))
    return document


def scores_of(label, track):
    values = np.full((track.end - track.begin + 1, 2), np.nan, np.float32)
    for t in track.frames:
        values[t - track.begin] = 100 * label + t, 50 * label + t / 2
    return values.tobytes()


def scores(document, label):
    """First score of each frame of a track, None where there is none."""
    found = document.lineage.scores(label)[:, 0].tolist()
    return [None if value != value else int(value) for value in found]


def do(document, *edits):
    """Make edits as the journal does, all invariants checked; the last change."""
    change = None
    for edit in edits:
        before = state(document)
        change = plan(edit, document)
        assert state(document) == before, "planning changed something"
        change = decode(encode(change), document.shape)
        document.apply(change)
        assert faults(document) == []
    return change


def refuse(document, edit, words):
    """Make sure that an edit is refused with some words and changes nothing."""
    before = state(document)
    with pytest.raises(EditError, match=re.escape(words)) as caught:
        plan(edit, document)
    assert state(document) == before
    assert str(caught.value).endswith(".")


def assert_shows(document, *lines):
    assert np.array_equal(shown(document), draw(*lines)), shown(document)


def stroke(*rows):
    """Pixels of one frame, drawn with #."""
    return Region.where([[mark == "#" for mark in row] for row in rows])


def frames(document, label):
    track = document.lineage.tracks.get(label)
    return track.frames if track else []


def parents(document):
    tracks = document.lineage.tracks.values()
    return {t.label: t.parent for t in tracks if t.parent}


def confirmed(document, label):
    track = document.lineage.tracks[label]
    return [t for t in track.frames if track.is_confirmed(t)]


def sure(document):
    """Labels whose parent, or that there is none, is confirmed."""
    tracks = document.lineage.tracks.values()
    return {t.label for t in tracks if t.parent_confirmed}
