import pytest
from napari_semiconv.cli.draft import RECORD, Draft

from napari_semiconv.errors import SaveError


def write(folder, name, text="new"):
    (folder / name).write_text(text, encoding="utf-8")


def earlier_result(folder):
    folder.mkdir()
    for name in ("mask000.tif", "mask001.tif", "res_track.txt", RECORD):
        write(folder, name, "old")


def contents(folder):
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_a_new_result_appears_only_when_published(tmp_path):
    draft = Draft(tmp_path / "deep" / "result")
    write(draft.path, "mask000.tif")
    assert not draft.replaces
    draft.publish()
    assert contents(draft.folder) == {"mask000.tif": "new"}


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path):
    earlier_result(tmp_path / "result")
    draft = Draft(tmp_path / "result", overwrite=True)
    write(draft.path, "mask000.tif")
    write(draft.path, RECORD)
    assert draft.replaces
    draft.publish()
    assert contents(draft.folder) == {"mask000.tif": "new", RECORD: "new"}


def test_discarding_leaves_an_earlier_result_as_it_was(tmp_path):
    earlier_result(tmp_path / "result")
    before = contents(tmp_path / "result")
    draft = Draft(tmp_path / "result", overwrite=True)
    write(draft.path, "mask000.tif")
    draft.discard()
    assert contents(draft.folder) == before


def test_discarding_leaves_nothing_where_nothing_was(tmp_path):
    draft = Draft(tmp_path / "result")
    write(draft.path, "mask000.tif")
    draft.discard()
    assert not draft.folder.exists()


def test_an_unfinished_result_does_not_stand_in_the_way(tmp_path):
    killed = Draft(tmp_path / "result")
    write(killed.path, "mask000.tif")
    draft = Draft(tmp_path / "result")
    assert contents(draft.path) == {}


def test_an_earlier_result_is_refused_unless_it_may_be_replaced(tmp_path):
    earlier_result(tmp_path / "result")
    before = contents(tmp_path / "result")
    with pytest.raises(SaveError, match=r"found an earlier result in .*--overwrite"):
        Draft(tmp_path / "result")
    assert contents(tmp_path / "result") == before


def test_the_kept_frames_of_a_stopped_run_are_refused_too(tmp_path):
    stopped = Draft(tmp_path / "result")
    write(stopped.path, RECORD)
    with pytest.raises(SaveError, match=r"earlier result in .*unfinished"):
        Draft(tmp_path / "result")
    assert contents(stopped.path) == {RECORD: "new"}
    assert contents(Draft(tmp_path / "result", overwrite=True).path) == {}


@pytest.mark.parametrize("name", ["notes.txt", "t000.tif", "mask000.tif"])
def test_a_folder_of_somebody_else_is_refused_and_kept(tmp_path, name):
    write(tmp_path, name, "precious")
    with pytest.raises(SaveError, match=f"found '{name}'. Choose another folder"):
        Draft(tmp_path)
    assert contents(tmp_path) == {name: "precious"}


def test_a_stray_file_beside_an_earlier_result_is_kept(tmp_path):
    earlier_result(tmp_path / "result")
    write(tmp_path / "result", "notes.txt")
    with pytest.raises(SaveError, match=r"notes\.txt"):
        Draft(tmp_path / "result")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    write(tmp_path, "result")
    with pytest.raises(SaveError, match="expected a folder, found a file"):
        Draft(tmp_path / "result")


def test_a_folder_that_happens_to_be_called_unfinished_is_kept(tmp_path):
    (tmp_path / "unfinished").mkdir()
    write(tmp_path / "unfinished", "novel.txt", "precious")
    with pytest.raises(SaveError, match=r"novel\.txt"):
        Draft(tmp_path)
    assert contents(tmp_path / "unfinished") == {"novel.txt": "precious"}
