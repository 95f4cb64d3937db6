import errno

import pytest

from napari_semiconv.errors import SaveError
from napari_semiconv.io.cells.staging import new_target


def test_a_file_gets_its_name_at_the_end(tmp_path):
    target = tmp_path / "new" / "cells.zip"
    with new_target(target) as draft:
        draft.write_text("whole")
        assert not target.exists()
    assert [p.name for p in target.parent.iterdir()] == ["cells.zip"]


def test_a_folder_too(tmp_path):
    with new_target(tmp_path / "tables") as draft:
        draft.mkdir()
        (draft / "a.csv").write_text("1")
    assert (tmp_path / "tables" / "a.csv").read_text() == "1"


def write_half(target, error):
    with new_target(target) as draft:
        draft.mkdir()
        (draft / "half").write_text("1")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_left_by_an_error_nothing_is_there(tmp_path, error):
    with pytest.raises(error):
        write_half(tmp_path / "t", error)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(SaveError, match="the disk is full"):
        write_half(tmp_path / "t", full)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path):
    (tmp_path / "t").write_text("mine")
    with (
        pytest.raises(SaveError, match="expected a name that is free"),
        new_target(tmp_path / "t"),
    ):
        pass
    assert (tmp_path / "t").read_text() == "mine"


def test_links_are_never_written_through(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "t.part").symlink_to(elsewhere)
    with new_target(tmp_path / "t") as draft:
        draft.write_text("new")
    assert elsewhere.read_text() == "mine"
    (tmp_path / "dangling").symlink_to(tmp_path / "not there")
    with pytest.raises(SaveError), new_target(tmp_path / "dangling"):
        pass
    assert not (tmp_path / "not there").exists()


def test_what_a_killed_run_left_is_cleared(tmp_path):
    (tmp_path / "t.part").mkdir()
    (tmp_path / "t.part" / "half").write_text("1")
    with new_target(tmp_path / "t") as draft:
        draft.mkdir()
    assert list((tmp_path / "t").iterdir()) == []
