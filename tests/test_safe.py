import errno
import json
import os
from pathlib import Path

import pytest
from benchmarks.interrupting import Interrupter

from napari_semiconv.errors import BadInputError, SaveError
from napari_semiconv.safe import (
    checked,
    named,
    write_checked_json,
    write_json_safely,
    write_text_safely,
)


def test_a_file_is_written_whole(tmp_path):
    path = tmp_path / "細胞.json"
    write_json_safely(path, {"name": "µ", "size": [1, 2]})
    assert '"µ"' in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "not allowed"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failing_disk_keeps_the_earlier_file(
    tmp_path, monkeypatch, number, reason, step
):
    path = tmp_path / "notes.txt"
    write_text_safely(path, "first")

    def fail(*args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(step, fail)
    with pytest.raises(SaveError, match=reason) as caught:
        write_text_safely(path, "second")
    assert str(path) in str(caught.value)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_told(tmp_path):
    path = tmp_path / "none" / "notes.txt"
    with pytest.raises(SaveError, match="No such file"):
        write_text_safely(path, "text")


def test_the_device_that_is_always_full(tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full here")
    path = tmp_path / "notes.txt"
    full = Path("/dev/full")
    monkeypatch.setattr("napari_semiconv.safe.new_file", lambda _: full.open("wb"))
    with pytest.raises(SaveError, match="the disk is full"):
        write_text_safely(path, "text")
    assert not path.exists()


def test_no_link_is_followed_to_be_written_to(tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("mine")
    path = tmp_path / "notes.txt"
    for name in ("notes.txt", "notes.txt.part"):
        (tmp_path / name).symlink_to(other)
    write_text_safely(path, "text")
    assert other.read_text() == "mine"
    assert (path.is_symlink(), path.read_text()) == (False, "text")


def test_a_path_ends_in_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert named("movie.tif") == Path("movie.tif")
    assert named(".") == tmp_path
    assert named("..") == tmp_path.parent
    with pytest.raises(BadInputError, match="found the root of a disk"):
        named(tmp_path.anchor)


@pytest.mark.parametrize("letter", ["x", "細"])
def test_a_name_that_no_disk_holds_is_refused(tmp_path, letter):
    most = 255 // len(letter.encode())
    named(tmp_path / (letter * most))
    with pytest.raises(BadInputError, match=r"at most 255 bytes, found one of 25[68]"):
        named(tmp_path / (letter * (most + 1)) / "movie.tif")


VALUES = {"name": "µ", "size": (1, 2.5), "none": None, "by frame": {1: 0.1, 10: 2}}


def test_values_come_back_when_their_check_sum_is_right(tmp_path):
    path = tmp_path / "facts.json"
    write_checked_json(path, VALUES)
    value = json.loads(path.read_text("utf-8"))
    assert checked(value) == json.loads(json.dumps(VALUES))
    # However they are laid out.
    again = json.loads(json.dumps(dict(reversed(value.items())), indent=3))
    assert checked(again) == checked(value)


def test_values_without_a_check_sum_are_taken_as_they_are():
    assert checked({"name": "µ"}) == {"name": "µ"}


def test_no_flipped_bit_of_checked_values_is_taken(tmp_path):
    path = tmp_path / "facts.json"
    write_checked_json(path, VALUES)
    data = path.read_bytes()
    right = json.loads(json.dumps(VALUES))
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = checked(json.loads(flipped))
        except ValueError:
            continue
        # Of the name of the check sum, which readers refuse, or of a space.
        assert right.items() <= found.items()


def test_bytes_that_are_no_text_come_back(tmp_path):
    path = tmp_path / "facts.json"
    name = os.fsdecode(b"/data/Zelle\xfc\xff.tif")
    write_checked_json(path, {"path": name, "other": "µ"})
    found = checked(json.loads(path.read_text("utf-8")))
    assert os.fsencode(found["path"]) == b"/data/Zelle\xfc\xff.tif"
    assert found["other"] == "µ"


# A file that was just opened is closed when nobody knows it any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_file_is_as_it_was(tmp_path):
    path = tmp_path / "notes.txt"
    write_text_safely(path, "first")
    for line in range(1, 30, 2):
        Interrupter(line).run(lambda: write_text_safely(path, "second"))
        assert path.read_text() in ("first", "second")
