"""Every edit is on the disk before the next one, however the disk behaves."""

import errno
import os
import time

import pytest

from napari_semiconv.edits import journal as module
from napari_semiconv.edits.journal import Journal
from napari_semiconv.errors import BadInputError, SaveError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.bin"


def filled(path, count=3):
    """A journal with some entries; where each of them ends in the file."""
    ends = [0]
    with Journal(path) as journal:
        for number in range(1, count + 1):
            journal.append({"what": f"edit {number} µ"}, bytes([number]) * number)
            ends.append(path.stat().st_size)
    return ends


def told(journal):
    return [(e.number, e.head["what"], journal.body(e)) for e in journal.entries]


def entries(count):
    return [(n, f"edit {n} µ", bytes([n]) * n) for n in range(1, count + 1)]


class Disk:
    """Counts and breaks what the journal asks of the system."""

    def __init__(self, monkeypatch):
        self.synced = []
        self.broken = None
        self._fsync = os.fsync
        monkeypatch.setattr(module.os, "fsync", self.fsync)

    def fsync(self, number):
        if self.broken:
            raise OSError(self.broken, os.strerror(self.broken))
        self.synced.append(time.monotonic())
        self._fsync(number)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


class Shy:
    """A file that writes a few bytes at a time, and at some byte fails."""

    def __init__(self, file, most=3, full_at=None):
        self._file = file
        self._most = most
        self.full_at = full_at

    def __getattr__(self, name):
        return getattr(self._file, name)

    def write(self, data):
        if self.full_at is not None and self._file.tell() >= self.full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(bytes(data[: self._most]))


def wait_until(condition, seconds=5):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_entries_come_back(path):
    filled(path)
    with Journal(path) as journal:
        assert told(journal) == entries(3)
        assert journal.torn == 0


def test_an_entry_is_in_the_file_before_append_returns(path):
    with Journal(path) as journal:
        journal.append({"what": "edit 1 µ"}, b"\1")
        with Journal(path, writable=False) as other:
            assert told(other) == entries(1)


def test_bodies_can_be_read_between_appends(path):
    with Journal(path) as journal:
        first = journal.append({}, b"first")
        journal.append({}, b"second")
        assert journal.body(first) == b"first"
        third = journal.append({}, b"third")
        assert journal.body(third) == b"third"


def test_a_journal_cut_anywhere_gives_all_whole_entries(path, tmp_path):
    ends = filled(path)
    data = path.read_bytes()
    for size in range(len(data) + 1):
        torn = tmp_path / "torn.bin"
        torn.write_bytes(data[:size])
        whole = max(n for n, end in enumerate(ends) if end <= size)
        with Journal(torn) as journal:
            assert told(journal) == entries(whole)
            assert journal.torn == size - ends[whole]
        assert torn.stat().st_size == ends[whole]


def test_after_a_torn_entry_the_journal_goes_on(path):
    ends = filled(path)
    os.truncate(path, ends[3] - 2)
    with Journal(path) as journal:
        journal.append({"what": "edit 3 µ"}, b"\3\3\3")
    with Journal(path) as journal:
        assert told(journal) == entries(3)


def test_a_reader_leaves_a_torn_end_alone(path):
    ends = filled(path)
    os.truncate(path, ends[3] - 2)
    with Journal(path, writable=False) as journal:
        assert told(journal) == entries(2)
        assert journal.torn > 0
    assert path.stat().st_size == ends[3] - 2


def test_whole_entries_behind_a_damaged_one_are_kept_beside(path):
    ends = filled(path)
    data = bytearray(path.read_bytes())
    data[ends[1] + 25] ^= 255  # in the head of the second entry
    path.write_bytes(data)
    with Journal(path) as journal:
        assert told(journal) == entries(1)
    assert path.with_name("journal.bin.damaged").read_bytes() == data[ends[1] :]


def test_a_torn_entry_is_not_worth_a_file(path, tmp_path):
    ends = filled(path)
    os.truncate(path, ends[3] - 1)
    Journal(path).close()
    assert [p.name for p in tmp_path.iterdir()] == ["journal.bin"]


def test_a_damaged_body_is_told(path):
    ends = filled(path)
    data = bytearray(path.read_bytes())
    data[ends[2] - 1] ^= 1
    path.write_bytes(data)
    with Journal(path) as journal:
        assert [journal.is_sound(e) for e in journal.entries] == [True, False, True]
        with pytest.raises(BadInputError, match="entry 2 is damaged: expected what"):
            journal.body(journal.entries[1])


def test_entries_after_one_are_cut_off(path):
    ends = filled(path)
    with Journal(path) as journal:
        journal.cut_after(1)
        assert path.stat().st_size == ends[1]
        journal.append({"what": "edit 2 µ"}, b"\2\2")
    with Journal(path) as journal:
        assert told(journal) == entries(2)


def test_another_file_is_no_journal(path):
    path.write_bytes(b"x" * 100)
    with pytest.raises(BadInputError, match="expected the journal of a project, found"):
        Journal(path)
    assert path.read_bytes() == b"x" * 100


def test_a_missing_journal_cannot_be_read(path):
    with pytest.raises(BadInputError, match="journal of a project, found no file"):
        Journal(path, writable=False)
    assert not path.exists()


def test_a_reader_adds_nothing(path):
    filled(path)
    with (
        Journal(path, writable=False) as journal,
        pytest.raises(SaveError, match="opened to be read only"),
    ):
        journal.append({})
    assert journal.last == 3


# Writing


def test_a_disk_that_writes_a_few_bytes_at_a_time_gets_all(path):
    with Journal(path) as journal:
        journal._file = Shy(journal._file)
        journal.append({"what": "edit 1 µ"}, b"\1")
        journal.append({"what": "edit 2 µ"}, b"\2\2")
    with Journal(path) as journal:
        assert told(journal) == entries(2)


def test_a_full_disk_is_told_and_leaves_the_journal_as_it_was(path):
    ends = filled(path, 2)
    with Journal(path) as journal:
        shy = journal._file = Shy(journal._file, full_at=ends[2] + 9)
        with pytest.raises(SaveError, match="the disk is full"):
            journal.append({"what": "edit 3 µ"}, b"\3\3\3")
        assert journal.last == 2
        assert path.stat().st_size == ends[2]
        shy.full_at = None
        journal.append({"what": "edit 3 µ"}, b"\3\3\3")
    with Journal(path) as journal:
        assert told(journal) == entries(3)


# Bringing to the disk


def test_an_entry_is_on_the_disk_within_a_second(path, disk):
    with Journal(path) as journal:
        begin = time.monotonic()
        journal.append({})
        assert disk.synced == []
        wait_until(lambda: disk.synced)
        assert disk.synced[0] - begin <= 1


def test_entries_one_after_the_other_do_not_put_it_off(path, disk, monkeypatch):
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.05)
    with Journal(path) as journal:
        begin = time.monotonic()
        while not disk.synced and time.monotonic() < begin + 5:
            journal.append({})
            time.sleep(0.005)
        assert disk.synced[0] - begin < 1


def test_an_entry_made_while_the_disk_is_busy_is_brought_there_next(
    path, disk, monkeypatch
):
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.02)
    with Journal(path) as journal:
        for count in (1, 2, 3):
            journal.append({})
            wait_until(lambda count=count: len(disk.synced) >= count)


def test_nothing_is_brought_to_the_disk_when_nothing_was_written(path, disk):
    with Journal(path) as journal:
        time.sleep(0.05)
        assert disk.synced == []
        assert journal._timer is None


def test_closing_brings_all_to_the_disk(path, disk):
    journal = Journal(path)
    journal.append({})
    journal.close()
    assert len(disk.synced) == 1
    journal.close()


def test_a_disk_that_failed_unseen_is_told_at_the_next_entry(path, disk, monkeypatch):
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.02)
    with Journal(path) as journal:
        disk.broken = errno.ENOSPC
        journal.append({"what": "edit 1 µ"}, b"\1")
        wait_until(lambda: journal._late)
        with pytest.raises(SaveError, match="the disk is full"):
            journal.append({"what": "edit 2 µ"}, b"\2\2")
        assert journal.last == 1
        disk.broken = None
        journal.append({"what": "edit 2 µ"}, b"\2\2")
        assert not journal._late
    with Journal(path) as journal:
        assert told(journal) == entries(2)


def test_what_a_failed_sync_lost_is_written_again(path, disk, monkeypatch):
    """Some systems forget what they could not bring to the disk."""
    monkeypatch.setattr(module, "SYNC_SECONDS", 0.02)
    ends = filled(path, 1)
    with Journal(path) as journal:
        disk.broken = errno.EIO
        journal.append({"what": "edit 2 µ"}, b"\2\2")
        wait_until(lambda: journal._late)
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(ends[1])
            file.write(bytes(size - ends[1]))
        disk.broken = None
        journal.append({"what": "edit 3 µ"}, b"\3\3\3")
    with Journal(path) as journal:
        assert told(journal) == entries(3)


def test_a_file_that_cannot_be_brought_to_the_disk_is_closed_all_the_same(path, disk):
    journal = Journal(path)
    journal.append({})
    disk.broken = errno.EIO
    with pytest.raises(SaveError):
        journal.close()
    assert journal._file.closed


# Making it small


def test_only_bodies_that_are_needed_are_kept(path):
    filled(path)
    with Journal(path) as journal:
        journal.compact({2})
        assert told(journal) == [
            (1, "edit 1 µ", b""),
            (2, "edit 2 µ", b"\2\2"),
            (3, "edit 3 µ", b""),
        ]
        journal.append({"what": "edit 4 µ"}, b"\4")
    with Journal(path) as journal:
        assert journal.last == 4
        assert journal.body(journal.entries[3]) == b"\4"


def test_a_full_disk_leaves_a_journal_that_was_to_be_made_small(path, tmp_path, disk):
    filled(path)
    with Journal(path) as journal:
        disk.broken = errno.ENOSPC
        with pytest.raises(SaveError, match="the disk is full"):
            journal.compact({2})
        disk.broken = None
        assert told(journal) == entries(3)
        journal.append({"what": "edit 4 µ"}, b"\4" * 4)
    with Journal(path) as journal:
        assert told(journal) == entries(4)
    assert [p.name for p in tmp_path.iterdir()] == ["journal.bin"]


def test_a_damaged_journal_is_not_made_small(path, tmp_path):
    ends = filled(path)
    data = bytearray(path.read_bytes())
    data[ends[2] - 1] ^= 1
    path.write_bytes(data)
    with Journal(path) as journal, pytest.raises(BadInputError, match="entry 2 is"):
        journal.compact({1, 2, 3})
    assert path.read_bytes() == data
    assert [p.name for p in tmp_path.iterdir()] == ["journal.bin"]
