"""Every edit is on the disk before the next one, however the disk behaves."""

import errno
import os
import struct
import time
import zlib

import pytest
from benchmarks.interrupting import Interrupter

from napari_semiconv.edits import journal as module
from napari_semiconv.edits.journal import Journal
from napari_semiconv.edits.records import record_of
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


def damaged(path, place, count=1):
    """Change bytes of the file, whatever they were."""
    data = bytearray(path.read_bytes())
    for at in range(place, place + count):
        data[at] ^= 255
    path.write_bytes(data)
    return bytes(data)


def heads(journal):
    sound = journal.is_sound
    return [(e.number, e.head.get("what"), sound(e)) for e in journal.entries]


# In the mark, both lengths, both checks, the head and the body of the second entry.
PLACES = {"mark": 0, "head size": 4, "body size": 8, "head check": 12, "body check": 16,
          "head": 25, "body": -1}  # fmt: skip


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_entries_behind_a_damaged_one_are_found_again(path, place):
    ends = filled(path, 4)
    damaged(path, ends[1 if place >= 0 else 2] + place)
    for writable in (False, True):
        with Journal(path, writable=writable) as journal:
            first, second, *others = heads(journal)
            assert first == (1, "edit 1 µ", True)
            # A wrong length is mended: the next entry tells where it ends.
            assert second in ((2, None, False), (2, "edit 2 µ", place == 8))
            assert others == [(3, "edit 3 µ", True), (4, "edit 4 µ", True)]
            assert journal.torn == 0
    with Journal(path) as journal:
        journal.append({"what": "edit 5 µ"}, b"\5" * 5)
    with Journal(path) as journal:
        assert heads(journal)[2:] == [(n, f"edit {n} µ", True) for n in (3, 4, 5)]


def test_every_flipped_bit_spares_the_other_entries(path, tmp_path):
    ends = filled(path, 4)
    data, whole = path.read_bytes(), entries(4)
    for bit in range(ends[1] * 8, ends[3] * 8, 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        hit = 2 if bit // 8 < ends[2] else 3
        with Journal(path, writable=False) as journal:
            assert [e.number for e in journal.entries] == [1, 2, 3, 4]
            entry = journal.entries.pop(hit - 1)
            assert entry.lost or entry.head["what"] == f"edit {hit} µ"
            rest = [e.head["what"] for e in journal.entries]
            assert rest == [what for n, what, _ in whole if n != hit]


def test_a_destroyed_stretch_leaves_the_numbers_of_later_entries(path):
    ends = filled(path, 6)
    damaged(path, ends[1] + 3, ends[4] - ends[1])
    with Journal(path) as journal:
        numbers = [(e.number, e.lost) for e in journal.entries]
        lost = [(n, True) for n in (2, 3, 4, 5)]
        assert numbers == [(1, False), *lost, (6, False)]
        with pytest.raises(BadInputError, match="entry 3 is damaged"):
            journal.body(journal.entries[2])


def test_a_journal_of_marks_alone_is_refused_at_once(path):
    head = struct.pack("<4sIIII", b"SCJ1", 10**6, 0, 0, 0)
    path.write_bytes(head * 100_000)
    begin = time.monotonic()
    with Journal(path, writable=False) as journal:
        assert journal.entries == []
    assert time.monotonic() - begin < 5


def test_a_number_that_cannot_be_is_not_believed(path):
    filled(path, 1)
    with path.open("ab") as stream:
        stream.write(b"?" * 30 + record_of(10**9, {"what": "all"}, b""))
    with Journal(path, writable=False) as journal:
        assert told(journal) == entries(1)


def test_a_journal_of_an_older_release_has_no_numbers(path):
    body, heads = b"body", [b'{"what":"edit %d"}' % n for n in (1, 2, 3)]
    records = [
        struct.pack("<4sIIII", b"SCJ1", len(h), 4, zlib.crc32(h), zlib.crc32(body))
        + h
        + body
        for h in heads
    ]
    path.write_bytes(b"".join(records))
    damaged(path, len(records[0]) + 22)
    with Journal(path) as journal:
        found = [(e.number, e.head.get("what"), e.lost) for e in journal.entries]
        assert found == [(1, "edit 1", False), (2, None, True), (3, "edit 3", False)]
        assert journal.append({}).number == 4


@pytest.mark.parametrize("line", range(1, 60, 2))
def test_an_interrupted_entry_is_there_or_not(path, line):
    ends = filled(path)
    with Journal(path) as journal:
        Interrupter(line).run(lambda: journal.append({"what": "edit 4 µ"}, b"\4" * 4))
        count = journal.last
        assert told(journal) == entries(count)
        assert count in (3, 4)
        journal.append({"what": "n"}, b"next")
    with Journal(path) as journal:
        assert told(journal) == [*entries(count), (count + 1, "n", b"next")]
        assert journal.torn == 0
    assert ends[3] < path.stat().st_size


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
    data = path.read_bytes()
    with Journal(path) as journal:
        journal.forget_after(1)
        assert path.stat().st_size == ends[3]
        journal.cut()
        assert path.stat().st_size == ends[1]
        kept = path.with_name("journal.bin.damaged").read_bytes()
        assert kept == data[ends[1] :]
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
