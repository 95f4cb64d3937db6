import numpy as np
import pytest
from tests.cli.stand_in import Here, Threshold

from napari_semiconv.cli import demo, main
from napari_semiconv.io.movies.opener import open_movie
from napari_semiconv.movie import movie_from_array
from napari_semiconv.synthetic import SyntheticSettings, simulate


class Bright(Threshold):
    """Simulated movies have a background: what is above it is a cell."""

    def run(self, movie, *rest):
        level = movie.frame(0).mean()
        images = np.stack([movie.frame(t) > 1.5 * level for t in range(len(movie))])
        bright = movie_from_array(images.astype(np.uint8), "TYX")
        yield from super().run(bright, *rest)


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "napari_semiconv.workflows.segmenting.Supervisor", lambda: Here(Bright())
    )
    for name, value in {"FRAMES": 3, "SIZE": 64, "CELLS": 3}.items():
        monkeypatch.setattr(demo, name, value)
    return tmp_path / "demo-output"


def test_the_demo_goes_the_whole_way(small, capsys):
    assert main(["demo", "--no-window"]) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 frames" in shown
    assert "Compared with the truth: SEG 0." in shown
    assert str(small) in shown
    assert sorted(path.name for path in small.iterdir()) == [
        "01_GT",
        "01_RES",
        "movie.semiconv",
        "movie.tif",
    ]


def test_the_demo_can_be_run_again(small):
    assert main(["demo", "--no-window"]) == 0
    assert main(["demo", "--no-window"]) == 0


def test_without_a_display_no_window_is_opened(small, monkeypatch, capsys):
    monkeypatch.setattr(demo, "has_display", lambda: False)
    assert main(["demo"]) == 0
    assert "no display" in capsys.readouterr().err


def test_with_a_display_the_project_is_shown(small, monkeypatch):
    shown = []
    monkeypatch.setattr(demo, "has_display", lambda: True)
    monkeypatch.setattr(demo, "show", lambda *paths: shown.append(paths))
    assert main(["demo"]) == 0
    assert [[path.name for path in paths] for paths in shown] == [["movie.semiconv"]]


def test_the_project_and_its_export_show_the_same(small, tmp_path):
    assert main(["demo", "--no-window"]) == 0
    words = ["export", str(small / "movie.semiconv"), "--to", "ctc"]
    assert main([*words, str(tmp_path / "again")]) == 0
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (small / "01_RES" / path.name).read_bytes()


def test_the_movie_keeps_its_axes_and_units(tmp_path):
    simulated = simulate(SyntheticSettings(frames=4, height=32, width=48), seed=0)
    demo.write_movie(tmp_path / "movie.tif", simulated)
    movie = open_movie(tmp_path / "movie.tif")
    assert movie.axes == "TYX"
    assert (len(movie), movie.frame_shape) == (4, (32, 48))
    assert movie.pixel_size == pytest.approx((0.65, 0.65), rel=1e-3)
    assert movie.frame_interval == 300.0
