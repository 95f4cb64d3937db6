"""Folders of runs from others: refused in one sentence, and no code in them is run."""

import json
import tracemalloc

import numpy as np
import pytest
import zarr
from tests.project.hostile import CODECS, FAR, read_json, write_json
from tests.worlds import one_division

from napari_semiconv.errors import BadInputError
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.runs.evidence import evidence_file, read_evidence
from napari_semiconv.project.runs.store import RunStore
from napari_semiconv.tracking.lineage import Lineage, Track

SHAPE = one_division.shape


@pytest.fixture
def folder(tmp_path):
    movie = movie_from_array(one_division, "TYX")
    store = RunStore.create(tmp_path / "0001", movie, {}, {})
    for t, frame in enumerate(one_division):
        store.write_frame(t, frame)
    store.write_lineage(Lineage([Track(1, ((0, 1),))]))
    return tmp_path / "0001"


def tracks(folder, *rows):
    path = folder / "tracks.json"
    named = [dict(zip(("label", "frames", "parent"), row, strict=True)) for row in rows]
    write_json(path, read_json(path) | {"tracks": named})


def masks(folder, **values):
    path = folder / "labels.zarr" / "zarr.json"
    write_json(path, read_json(path) | values)


def info(folder, **values):
    write_json(folder / "run.json", read_json(folder / "run.json") | values)


def run_by_numcodecs(folder):
    """Let chunks be unpacked by what runs programs: zarr 2, with a filter."""
    description = folder / "labels.zarr" / "zarr.json"
    description.unlink()
    text = {
        "zarr_format": 2, "shape": SHAPE, "chunks": [1, *SHAPE[1:]], "dtype": "|O",
        "compressor": None, "filters": [{"id": "pickle"}], "fill_value": 0,
        "order": "C",
    }  # fmt: skip
    write_json(folder / "labels.zarr" / ".zarray", text)


HOSTILE = {
    "a codec that runs code": lambda f: masks(f, codecs=CODECS),
    "a filter that runs code": run_by_numcodecs,
    "labels of another shape": lambda f: masks(f, shape=[9, *SHAPE[1:]]),
    "labels of one pixel a chunk": lambda f: masks(
        f,
        chunk_grid={"name": "regular", "configuration": {"chunk_shape": [1, 1, 1]}},
    ),
    "a track without end": lambda f: tracks(f, [1, [[0, FAR]], 0]),
    "a track without frames": lambda f: tracks(f, [1, [], 0]),
    "a negative label": lambda f: tracks(f, [-1, [[0, 1]], 0]),
    "a label of no pixel": lambda f: tracks(f, [2**40, [[0, 1]], 0]),
    "a parent of itself": lambda f: tracks(f, [1, [[0, 1]], 1]),
    "one label twice": lambda f: tracks(f, [1, [[0, 0]], 0], [1, [[1, 1]], 0]),
    "tracks on many levels": lambda f: (f / "tracks.json").write_text("[" * 10**6),
    "facts on many levels": lambda f: (f / "run.json").write_text("[" * 10**6),
    "negative frames": lambda f: info(f, frames=[-5, 2]),
    "a movie without frames": lambda f: info(
        f, movie=read_json(f / "run.json")["movie"] | {"shape": [0, 9, 9]}
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_run_is_refused_in_one_sentence(folder, name):
    HOSTILE[name](folder)
    tracemalloc.start()
    try:
        with pytest.raises(BadInputError) as caught:
            RunStore.open(folder)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_the_run_that_is_spoiled_is_sound(folder):
    assert RunStore.open(folder).done == (0, 1, 2, 3)[: SHAPE[0]]


def test_no_codec_of_a_run_is_asked(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(zarr, "open_array", lambda *args, **_: asked.append(args))
    masks(folder, codecs=CODECS)
    with pytest.raises(BadInputError, match=r"labels.zarr are missing or damaged"):
        RunStore.open(folder)
    assert asked == []


def test_evidence_that_unpacks_to_much_is_none(folder):
    path = evidence_file(folder, 0)
    path.parent.mkdir()
    np.savez_compressed(path, labels=np.zeros(10**7, np.int64))
    assert path.stat().st_size < 10**5
    assert read_evidence(folder, 0) is None


def test_a_description_is_json_of_bounded_size(folder):
    (folder / "tracks.json").write_text(json.dumps({"tracks": "x" * 2**26}))
    with pytest.raises(BadInputError, match=r"tracks.json, found none that can be"):
        RunStore.open(folder)
