"""One table of formats: all that lists, reads or writes goes by it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tifffile
import zarr
from tests.tracked_worlds import PARENTS, UNITS, assert_same_masks, lively, tracked_of

from napari_semiconv.cli import main
from napari_semiconv.errors import BadInputError, BadSettingsError
from napari_semiconv.io.cells import formats
from napari_semiconv.io.cells.format import Format, Keeps
from napari_semiconv.io.cells.formats import TABLE, format_of
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.tracking.lineage import Track

ROOT = Path(__file__).resolve().parents[2]


def written(folder, form, name="Zellen 細胞"):
    target = folder / f"{name}{form.suffix}"
    form.write(tracked_of(lively, PARENTS, **UNITS), target)
    return target


@pytest.mark.parametrize("form", formats.writable(), ids=lambda form: form.name)
def test_what_is_written_is_found_to_be_of_its_format(tmp_path, form):
    assert formats.detect(written(tmp_path, form)) is form


@pytest.mark.parametrize("form", formats.writable(), ids=lambda form: form.name)
def test_what_is_written_surely_has_cells(tmp_path, form):
    assert formats.cells_in(written(tmp_path, form)) is form


def test_movies_have_no_cells(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", lively.astype(np.uint8), metadata=None)
    zarr.save(tmp_path / "x.zarr", lively)
    assert formats.cells_in(tmp_path / "x.tif") is None
    assert formats.cells_in(tmp_path / "x.zarr") is None
    assert formats.read(tmp_path / "x.tif").shape == lively.shape


@pytest.mark.parametrize("form", formats.writable(), ids=lambda form: form.name)
def test_what_can_be_read_comes_back_and_the_rest_is_refused(tmp_path, form):
    target = written(tmp_path, form)
    if not form.reader:
        with pytest.raises(BadInputError, match=f"found the format '{form.title}'"):
            formats.read(target)
        return
    found = formats.read(target)
    assert found.shape == lively.shape
    if form.name != "ctc":  # numbers its cells anew
        assert_same_masks(found, lively)
        assert found.lineage.tracks[2].parent == 1
    keeps_units = (found.pixel_size, found.frame_interval) == ((0.5, 0.25), 90)
    assert keeps_units == (form.keeps.units == "yes")


@pytest.mark.parametrize("form", formats.writable(), ids=lambda form: form.name)
def test_what_was_confirmed_comes_back_where_the_table_says_so(tmp_path, form):
    tracked = tracked_of(lively, PARENTS)
    tracked.lineage.put(Track(2, ((3, 5),), 1, ((3, 4),)))
    said = any("confirmed" in sentence for sentence in form.lost(tracked))
    assert said != form.keeps.confirmed
    if form.reader:
        target = tmp_path / f"x{form.suffix}"
        form.write(tracked, target)
        tracks = formats.read(target).lineage.tracks.values()
        assert any(track.confirmed for track in tracks) == form.keeps.confirmed


def test_a_format_that_is_only_read_is_not_written(tmp_path):
    (old,) = (form for form in TABLE if not form.writer)
    with pytest.raises(BadSettingsError, match="found one that is only read"):
        old.write(tracked_of(lively), tmp_path / "x")


def test_names_titles_and_suffixes_are_unlike():
    for values in ([f.name for f in TABLE], [f.title for f in TABLE]):
        assert len({*values}) == len(TABLE)
    suffixes = [form.suffix for form in formats.writable()]
    assert len({*suffixes}) == len(suffixes)


@pytest.mark.parametrize("name", ["nothing", "x.txt"])
def test_what_has_no_format(tmp_path, name):
    (tmp_path / "nothing").mkdir()
    (tmp_path / "x.txt").write_text("x")
    assert formats.detect(tmp_path / name) is None


def test_the_table_is_light():
    import subprocess

    code = (
        "import sys, napari_semiconv.io.cells.formats;"
        "heavy = {'numpy', 'zarr', 'tifffile', 'skimage', 'geff', 'torch'};"
        "print(*heavy & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def write_dummy(tracked, target, progress):
    """Write what a new format might: how many pixels each frame has."""
    counts = [int((tracked.read(t) > 0).sum()) for t in range(len(tracked))]
    target.write_text(" ".join(map(str, counts)))


@pytest.fixture
def dummy(monkeypatch):
    """A format as somebody would add one: a module, and a row in the table."""
    module = ModuleType("napari_semiconv.io.dummy")
    module.write_dummy = write_dummy
    module.is_dummy = lambda path: path.suffix == ".dummy"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    form = Format(
        "dummy",
        "Dummy counts",
        ".dummy",
        "Counts for a test.",
        Keeps("no", "no", "no", "no", confirmed=False),
        writer="dummy.write_dummy",
        detector="dummy.is_dummy",
    )
    monkeypatch.setattr(formats, "TABLE", [*TABLE, form])
    return form


def test_a_new_format_is_found_everywhere(tmp_path, dummy, capsys):
    assert format_of("dummy") is dummy
    assert "| **Dummy counts**, `dummy` | Counts for a test. |" in formats.table()
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    assert "dummy" in capsys.readouterr().out
    movie = movie_from_array(np.zeros(lively.shape, np.uint8), "TYX")
    folder = tmp_path / "x.semiconv"
    Project.create(folder, movie, tracked_of(lively, PARENTS)).close()
    target = tmp_path / "x.dummy"
    assert main(["export", str(folder), "--to", "dummy", str(target)]) == 0
    assert target.read_text() == " ".join(str(int((t > 0).sum())) for t in lively)
    assert formats.detect(target) is dummy
    assert "Dummy counts" in page("Formats: <!-- formats: table -->")


def page(text):
    """A page of the documentation as readers see it."""
    spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return hooks.on_page_markdown(text)


def test_the_page_of_formats_shows_all_of_them():
    shown = page((ROOT / "docs" / "formats.md").read_text(encoding="utf-8"))
    assert formats.table() in shown
