"""The benchmark of the cell size: which frames it looks at, and how it fits."""

import json

import numpy as np
import pytest
import tifffile
from benchmarks import __main__ as command
from benchmarks.annotated import find_annotated
from benchmarks.suite import sizes
from benchmarks.suite.sizes import Case, Seen

from napari_semiconv.cli.demo import write_truth
from napari_semiconv.inference.sizing import Belief, Look
from napari_semiconv.movie import movie_from_array
from napari_semiconv.synthetic import SyntheticSettings, simulate

SETTINGS = SyntheticSettings(frames=10, height=48, width=48, cells=4, diameter=14)


@pytest.fixture
def data(tmp_path):
    """A movie of ten frames and five stills, with their truth."""
    simulated = simulate(SETTINGS, 0)
    write_truth(tmp_path / "film" / "01_GT", simulated)
    (tmp_path / "film" / "01").mkdir()
    for name in ("images", "labels"):
        (tmp_path / "stills" / name).mkdir(parents=True)
    for t, image in enumerate(simulated.images):
        tifffile.imwrite(tmp_path / "film" / "01" / f"t{t:03d}.tif", image)
    for t in range(5):
        images, labels = simulated.images, simulated.labels
        tifffile.imwrite(tmp_path / "stills" / "images" / f"{t}.tif", images[t])
        tifffile.imwrite(tmp_path / "stills" / "labels" / f"{t}.tif", labels[t])
    return tmp_path


def test_it_fits_on_some_frames_and_checks_on_others(data):
    film, stills = find_annotated(data, None)
    fit = list(sizes.cases_of(film, 3, held_out=False))
    assert [(c.frames.start, c.frames.stop) for c in fit] == [(0, 8), (2, 8), (3, 8)]
    held = list(sizes.cases_of(film, 3, held_out=True))
    assert {(c.frames.start, c.frames.stop) for c in held} == {(8, 10)}
    assert fit[0].true == pytest.approx(SETTINGS.diameter, rel=0.3)
    names = [c.movie.name for c in sizes.cases_of(stills, 9, held_out=False)]
    assert names == ["0.tif", "1.tif", "2.tif", "3.tif"]
    assert [c.movie.name for c in sizes.cases_of(stills, 9, held_out=True)] == ["4.tif"]


def seen(name, *found, true=30.0):
    """Cells that are found this much larger than they are, at two scales."""
    case = Case(name, movie_from_array(np.zeros((1, 4, 4)), "TYX"), range(1), true)
    area = np.pi / 4 * (np.array(found) * true) ** 2
    looks = [Look(true / 2, area, 1.0), Look(true * 2, area, 1.0)]
    return Seen(case, looks, 24.0)


def test_the_fit_finds_how_much_larger_cells_appear():
    larger = float(np.exp(0.1))
    rows = sizes.fitted([seen("film", larger), seen("stills", larger)])
    assert rows[0]["larger"] == pytest.approx(0.1)
    assert rows[0]["off"] == pytest.approx(0, abs=1e-9)
    assert rows[-1].items() >= vars(Belief()).items(), "the usual ones are shown too"


def test_a_row_sums_up_a_data_set():
    row = sizes.row_of([seen("film", 1.0), seen("film", 2.0)])
    assert (row["video"], row["estimates"], row["true_px"]) == ("film", 2, 30.0)
    assert row["least_px"] < row["found_px"] < row["most_px"]
    assert row["worst"] > row["off"] > 0


def test_it_estimates_with_the_model_and_prints_a_table(data, monkeypatch, capsys):
    monkeypatch.setenv("SEMICONV_DATA", str(data))
    words = ["sizes", "--videos", "stills", "--samples", "1", "--json"]
    assert command.main(words) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["video"], row["estimates"]) == ("stills", 1)
    assert row["off"] < 0.5


def test_without_videos_it_is_skipped(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SEMICONV_DATA", str(tmp_path / "absent"))
    assert command.main(["sizes"]) == 0
    assert "Skipped" in capsys.readouterr().out
