import errno

import pytest
import tifffile
from tests.tracked_worlds import PARENTS, UNITS, WORLDS, lively, tracked_of
from tests.worlds import one_division

from napari_semiconv.errors import BadSettingsError, SaveError
from napari_semiconv.io.cells.formats import format_of, names, writable
from napari_semiconv.io.cells.geff.write import labels_beside
from napari_semiconv.io.cells.tiff import tracks_beside
from napari_semiconv.tracking.lineage import Track

NAMES = names(writable())


@pytest.fixture(params=NAMES)
def form(request):
    return format_of(request.param)


def target_of(folder, form):
    return folder / f"Zellen 細胞{form.suffix}"


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_is_written_and_every_frame_told(tmp_path, form, world):
    told = []
    tracked = tracked_of(*WORLDS[world], **UNITS)
    form.write(tracked, target_of(tmp_path, form), lambda *step: told.append(step))
    assert target_of(tmp_path, form).exists()
    assert told[-1] == (len(tracked), len(tracked))
    assert not list(tmp_path.glob("*.part"))


def test_nobody_needs_to_be_told(tmp_path, form):
    form.write(tracked_of(lively, PARENTS), target_of(tmp_path, form), None)


def test_a_name_that_is_taken_is_refused_and_kept(tmp_path, form):
    target = target_of(tmp_path, form)
    target.write_text("mine")
    with pytest.raises(SaveError):
        form.write(tracked_of(lively, PARENTS), target, None)
    assert target.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_is_written_through_a_link(tmp_path, form):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    here = tmp_path / "here"
    here.mkdir()
    target = target_of(here, form)
    beside = [tracks_beside(target), labels_beside(target)]
    for path in (target, *beside):
        path.with_name(f"{path.name}.part").symlink_to(elsewhere / "mine")
    form.write(tracked_of(lively, PARENTS), target, None)
    assert (elsewhere / "mine").read_text() == "mine"
    assert len(list(elsewhere.iterdir())) == 1


def test_a_stop_in_the_middle_leaves_nothing(tmp_path, form):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        form.write(tracked_of(lively, PARENTS), target_of(tmp_path, form), stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["ctc", "tiff"])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, name):
    def full_disk(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", full_disk)
    form = format_of(name)
    with pytest.raises(SaveError, match="disk is full"):
        form.write(tracked_of(lively, PARENTS), target_of(tmp_path, form), None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_lost_is_said_in_sentences(form):
    tracked = tracked_of(lively, PARENTS, **UNITS)
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 4),), scores=bytes(12)))
    for sentence in form.lost(tracked):
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")


def test_only_what_is_there_can_be_lost():
    plain = tracked_of(one_division)
    assert format_of("tiff").lost(plain) == []
    assert not any("gap" in sentence for sentence in format_of("ctc").lost(plain))
    assert any(
        "2 tracks have gaps" in s for s in format_of("ctc").lost(tracked_of(lively))
    )


def test_confirmations_are_lost_where_they_are_not_written():
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 4),)))
    telling = {
        n for n in NAMES if any("confirmed" in s for s in format_of(n).lost(tracked))
    }
    assert telling >= {"ctc", "tiff", "rois"}
    assert "csv" not in telling


def test_a_format_that_does_not_exist():
    with pytest.raises(BadSettingsError, match="'avi': expected one of ctc"):
        format_of("avi")
