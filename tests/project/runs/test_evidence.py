"""Evidence files: whole or none, whatever lies there instead."""

import shutil
from dataclasses import fields, replace

import numpy as np
import pytest

from napari_semiconv.errors import SaveError
from napari_semiconv.project.runs.evidence import (
    MOST_BYTES,
    STORED,
    evidence_file,
    forget_evidence,
    read_evidence,
    write_evidence,
)
from napari_semiconv.tracking.evidence import Evidence

NAMES = [field.name for field in fields(Evidence)]


def evidence(count=3, size=4):
    random = np.random.default_rng(count)
    floats = [random.random(count).astype(np.float32) for _ in range(3)]
    floats[1][:1] = np.nan
    return Evidence(
        np.arange(2, 2 + count),
        random.random((count, size)).astype(np.float32),
        random.random((count, 2)).astype(np.float32),
        *floats,
        **joint(count),
    )


def joint(count):
    """Of which cell of the frame before each is the same, where that was found."""
    return {
        "joint_match": np.arange(count),
        "joint_overlap": np.full(count, 0.5, np.float32),
    }


def same(one, other):
    return all(
        np.array_equal(
            getattr(one, n),
            getattr(other, n),
            equal_nan=n not in ("labels", "joint_match"),
        )
        for n in NAMES
    )


def put(folder, frame=0, **changed):
    """Write a file by hand, some of its arrays others, or left out with None."""
    values = {name: getattr(evidence(), name) for name in NAMES} | changed
    values = {
        STORED.get(name, name): value
        for name, value in values.items()
        if value is not None
    }
    path = evidence_file(folder, frame)
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **values)
    return path


def left(folder):
    return sorted(path.name for path in evidence_file(folder, 0).parent.iterdir())


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("size", [0, 16])
def test_what_is_written_is_read(tmp_path, count, size):
    write_evidence(tmp_path, 12, evidence(count, size))
    found = read_evidence(tmp_path, 12)
    assert same(found, evidence(count, size))
    assert found.embeddings.dtype == np.float32
    assert left(tmp_path) == ["000012.npz"]


def test_nothing_known_is_kept_too(tmp_path):
    write_evidence(tmp_path, 0, Evidence.none(8))
    assert read_evidence(tmp_path, 0).embeddings.shape == (0, 8)


def test_a_frame_is_replaced(tmp_path):
    write_evidence(tmp_path, 1, evidence(2))
    write_evidence(tmp_path, 1, evidence(5))
    assert same(read_evidence(tmp_path, 1), evidence(5))


def test_frames_beyond_a_million_have_names_too(tmp_path):
    write_evidence(tmp_path, 1_234_567, evidence())
    assert same(read_evidence(tmp_path, 1_234_567), evidence())
    forget_evidence(tmp_path, 1_000_000)
    assert left(tmp_path) == []


def test_what_is_missing_is_none(tmp_path):
    assert read_evidence(tmp_path, 0) is None
    assert read_evidence(tmp_path / "nowhere", 0) is None
    write_evidence(tmp_path, 1, evidence())
    assert read_evidence(tmp_path, 0) is None


@pytest.mark.parametrize("kind", ["folder", "text", "empty", "npy", "zip"])
def test_what_is_foreign_is_none(tmp_path, kind):
    path = evidence_file(tmp_path, 0)
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "npy":
        np.save(path.with_suffix(".npy"), np.ones(3))
        path.with_suffix(".npy").rename(path)
    elif kind == "zip":
        (tmp_path / "inside").mkdir()
        (tmp_path / "inside" / "labels.npy").write_text("no array")
        made = shutil.make_archive(str(tmp_path / "made"), "zip", tmp_path / "inside")
        shutil.move(made, path)
    else:
        path.write_text("" if kind == "empty" else "labels: 1, 2, 3")
    assert read_evidence(tmp_path, 0) is None


@pytest.mark.parametrize("name", NAMES)
def test_what_lacks_a_part_or_has_another_shape_or_kind_is_none(tmp_path, name):
    whole = getattr(evidence(), name)
    for other in (
        None,
        whole[:-1],
        whole[None],
        whole.astype(str),
        whole.astype(object),
        np.float32(3),
    ):
        put(tmp_path, **{name: other})
        assert read_evidence(tmp_path, 0) is None
    put(tmp_path, **{name: whole})
    assert read_evidence(tmp_path, 0) is not None


@pytest.mark.parametrize("name", ["embeddings", "motion", "sure"])
def test_numbers_without_end_are_none(tmp_path, name):
    whole = getattr(evidence(), name).copy()
    whole.flat[0] = np.inf
    put(tmp_path, **{name: whole})
    assert read_evidence(tmp_path, 0) is None


def test_a_file_that_is_far_too_large_is_not_read(tmp_path):
    path = put(tmp_path)
    with path.open("r+b") as stream:
        stream.truncate(MOST_BYTES + 1)
    assert read_evidence(tmp_path, 0) is None


def test_a_file_that_unpacks_to_far_too_much_is_not_read(tmp_path, monkeypatch):
    values = {name: getattr(evidence(), name) for name in NAMES}
    values["embeddings"] = np.zeros((3, MOST_BYTES // 8), np.float32)
    path = evidence_file(tmp_path, 0)
    path.parent.mkdir()
    np.savez_compressed(path, **values)
    assert path.stat().st_size < MOST_BYTES // 100
    monkeypatch.setattr(np, "load", None)
    assert read_evidence(tmp_path, 0) is None


def test_a_file_damaged_anywhere_is_none_or_reads(tmp_path):
    write_evidence(tmp_path, 0, evidence(1, 1))
    path = evidence_file(tmp_path, 0)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for place in random.choice(len(whole), 300, replace=False).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= int(random.integers(1, 256))
        path.write_bytes(bytes(damaged))
        read_evidence(tmp_path, 0)
    for end in range(0, len(whole), 61):
        path.write_bytes(whole[:end])
        assert read_evidence(tmp_path, 0) is None


def test_what_comes_after_a_frame_is_forgotten(tmp_path):
    for frame in range(4):
        write_evidence(tmp_path, frame, evidence())
    forget_evidence(tmp_path, 1)
    assert left(tmp_path) == ["000000.npz", "000001.npz"]
    forget_evidence(tmp_path, -1)
    assert left(tmp_path) == []
    forget_evidence(tmp_path / "nowhere", 0)


def test_half_written_drafts_are_forgotten_and_never_read(tmp_path):
    path = put(tmp_path, 3)
    path.rename(path.with_name("000003.npz.part"))
    assert read_evidence(tmp_path, 3) is None
    forget_evidence(tmp_path, 5)
    assert left(tmp_path) == []


def test_files_of_others_stay(tmp_path):
    put(tmp_path, 3)
    for name in ("notes.txt", "3.npz", "000003.npz.bak"):
        (evidence_file(tmp_path, 0).parent / name).write_text("mine")
    forget_evidence(tmp_path, 0)
    assert left(tmp_path) == ["000003.npz.bak", "3.npz", "notes.txt"]


def test_a_failing_disk_leaves_what_was_there(tmp_path, monkeypatch):
    write_evidence(tmp_path, 0, evidence(2))

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(SaveError, match="the disk is full"):
        write_evidence(tmp_path, 0, evidence(5))
    assert left(tmp_path) == ["000000.npz"]
    assert same(read_evidence(tmp_path, 0), evidence(2))


def test_cells_are_chosen_and_named_in_order():
    said = evidence(3)
    chosen = said.take(np.array([True, False, True])).named(np.array([9, 4]))
    assert chosen.labels.tolist() == [4, 9]
    assert np.array_equal(chosen.sure, said.sure[[2, 0]])
    assert np.array_equal(chosen.embeddings, said.embeddings[[2, 0]])
    assert same(said, replace(said))
