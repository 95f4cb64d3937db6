"""The command `segment`: from a movie to a project or an export of one."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.cli.stand_in import Here, Threshold

from napari_semiconv.cli import main
from napari_semiconv.cli.result_folder import REPLACED
from napari_semiconv.cli.segment import describe
from napari_semiconv.errors import DeviceError, UnreadableFrameError
from napari_semiconv.io.cells.ctc.folder import check_masks, read_ctc
from napari_semiconv.movie import movie_from_array
from napari_semiconv.project.project import Project
from napari_semiconv.synthetic import SyntheticSettings, simulate

FRAMES = 4


@pytest.fixture
def movie(tmp_path):
    """One bright square that moves, (T, Y, X)."""
    images = np.zeros((FRAMES, 16, 16), np.uint8)
    for t in range(FRAMES):
        images[t, 4:9, 2 + t : 7 + t] = 200
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, images, metadata={"axes": "TYX"}, photometric="minisblack")
    return path


@pytest.fixture
def output(tmp_path):
    return tmp_path / "result"


@pytest.fixture
def use(monkeypatch):
    def choose(tools):
        monkeypatch.setattr(
            "napari_semiconv.workflows.segmenting.Supervisor", lambda: Here(tools)
        )
        return tools

    return choose


def segment(movie, output, *options):
    return main(["segment", str(movie), "--output", str(output), *options])


def record_in(output):
    return json.loads((output / "segmentation.json").read_text("utf-8"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def interrupt_at(frame):
    def at_frame(now):
        if now == frame:
            signal.raise_signal(signal.SIGINT)

    return at_frame


def test_a_movie_becomes_a_challenge_folder(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output) == 0
    masks = [f"mask{t:03d}.tif" for t in range(FRAMES)]
    assert names(output) == [*masks, "res_track.txt", "segmentation.json"]
    assert (output / "res_track.txt").read_text("utf-8").split() == ["1", "0", "3", "0"]
    shown = capsys.readouterr()
    assert shown.out.startswith("4 of 4 frames, 1 track, 0 divisions")
    assert shown.out.count("\n") == 1, "a pipe gets the summary alone"


def test_a_movie_becomes_one_tiff(movie, output, use):
    use(Threshold())
    assert segment(movie, output, "--format", "tiff") == 0
    with tifffile.TiffFile(output / "labels.tif") as opened:
        assert opened.series[0].axes == "TYX"
        labels = opened.asarray()
    assert np.array_equal(labels > 0, tifffile.imread(movie) > 100)


def test_the_record_tells_how_to_repeat_it(movie, output, use):
    tools = use(Threshold())
    assert segment(movie, output, "--engine", "hdbscan", "--model", "other") == 0
    record = json.loads((output / "segmentation.json").read_text("utf-8"))
    assert record["movie"] == str(movie)
    assert record["model"] == {"name": "other", "sha256": "0" * 64}
    assert record["settings"]["engine"] == "hdbscan"
    assert record["settings"]["cell_size"] == 12.0, "the estimated size is kept"
    assert tools.sizes == [12.0]


def test_a_given_cell_size_is_not_estimated(movie, output, use):
    tools = use(Threshold())
    assert segment(movie, output, "--cell-size", "7") == 0
    assert tools.sizes == [7.0]


def test_only_the_frames_asked_for_are_computed(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output, "--frames", "1:3") == 0
    assert [n for n in names(output) if n.startswith("mask")] == [
        "mask000.tif",
        "mask001.tif",
    ]
    record = json.loads((output / "segmentation.json").read_text("utf-8"))
    assert (record["first_frame"], record["frames"]) == (1, 2)
    assert capsys.readouterr().out.startswith("2 of 2 frames")


def test_frames_that_the_movie_has_not_are_an_error(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output, "--frames", "9:12") == 1
    assert (
        "Frames 9:12: expected at least one of the movie's 4" in capsys.readouterr().err
    )
    assert not output.exists()


def project_of(output):
    """Where a run that did not come to its end is kept."""
    return output.with_name(f"{output.name}.semiconv")


def contents(folder):
    """All files of a folder, byte by byte."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("form", ["ctc", "tiff"])
def test_it_is_a_project_that_is_exported(movie, tmp_path, use, form, capsys):
    """To the last byte; of the project nothing is left."""
    use(Threshold())
    assert segment(movie, tmp_path / "one", "--format", form) == 0
    project, other = tmp_path / "p.semiconv", tmp_path / "other"
    assert segment(movie, project, "--format", "project") == 0
    other.mkdir()
    target = other if form == "ctc" else other / "labels.tif"
    if form == "ctc":
        other.rmdir()
    assert main(["export", str(project), "--to", form, str(target)]) == 0
    found = contents(tmp_path / "one")
    del found["segmentation.json"]
    assert found == contents(other)
    assert names(tmp_path) == ["movie.tif", "one", "other", "p.semiconv"]
    assert str(tmp_path / "one") in capsys.readouterr().out


def test_an_interrupt_keeps_the_finished_frames_in_a_project(
    movie, output, use, capsys
):
    use(Threshold(interrupt_at(2)))
    assert segment(movie, output) == 130
    assert not output.exists()
    said, kept = capsys.readouterr(), project_of(output)
    assert "3 of 4 frames, 1 track, 0 divisions, " in said.out
    assert str(kept) in said.out
    assert f"To go on: napari-semiconv run {kept}" in said.err
    with Project.open(kept) as project:
        assert project.lineage.tracks[1].frames == [0, 1, 2]


def test_what_was_interrupted_can_be_gone_on_with_and_exported(
    movie, output, tmp_path, use, capsys
):
    use(Threshold(interrupt_at(2)))
    assert segment(movie, output) == 130
    use(Threshold())
    assert main(["run", str(project_of(output))]) == 0
    assert "4 of 4 frames" in capsys.readouterr().out
    assert main(["export", str(project_of(output)), "--to", "ctc", str(output)]) == 0
    assert segment(movie, tmp_path / "whole") == 0
    whole = contents(tmp_path / "whole")
    del whole["segmentation.json"]
    assert contents(output) == whole


def test_an_interrupt_does_not_replace_an_earlier_result(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output) == 0
    before = contents(output)
    use(Threshold(interrupt_at(1)))
    assert segment(movie, output, "--overwrite") == 130
    assert str(project_of(output)) in capsys.readouterr().out
    assert contents(output) == before


def test_a_project_that_is_kept_is_not_written_into(movie, output, use):
    use(Threshold(interrupt_at(1)))
    assert segment(movie, output) == 130
    before = contents(project_of(output))
    use(Threshold())
    assert segment(movie, output) == 0
    assert contents(project_of(output)) == before
    assert names(output.parent) == ["movie.tif", "result", "result.semiconv"]


def test_a_second_run_is_refused_before_anything_is_computed(
    movie, output, use, capsys
):
    tools = use(Threshold())
    assert segment(movie, output) == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    assert segment(movie, output, "--format", "tiff") == 1
    said = capsys.readouterr().err
    assert "found an earlier result" in said
    assert "--overwrite" in said
    assert len(tools.sizes) == 1
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_a_project_is_never_replaced(movie, output, capsys):
    assert segment(movie, output, "--format", "project", "--overwrite") == 1
    assert "corrections are never overwritten" in capsys.readouterr().err
    assert not output.exists()


def test_a_complete_run_may_replace_an_earlier_result(movie, output, use):
    use(Threshold())
    assert segment(movie, output) == 0
    assert segment(movie, output, "--format", "tiff", "--overwrite") == 0
    assert "labels.tif" in names(output)
    assert not [name for name in names(output) if name.startswith("mask")]


def failing_at(frame):
    def fail(now):
        if now == frame:
            raise DeviceError("The device is out of memory.")

    return fail


def test_an_error_before_any_frame_is_one_sentence_and_leaves_nothing(
    movie, output, use, capsys
):
    use(Threshold(failing_at(0)))
    assert segment(movie, output) == 1
    assert capsys.readouterr().err == "The device is out of memory.\n"
    assert names(output.parent) == ["movie.tif"]


def test_an_error_later_keeps_the_finished_frames_in_a_project(
    movie, output, use, capsys
):
    use(Threshold(failing_at(2)))
    assert segment(movie, output) == 1
    said = capsys.readouterr()
    assert "The device is out of memory." in said.err
    assert "Traceback" not in said.err
    assert not output.exists()
    use(Threshold())
    assert main(["run", str(project_of(output))]) == 0
    assert "4 of 4 frames, 1 track" in capsys.readouterr().out


def test_an_error_leaves_an_earlier_result_untouched(movie, output, use):
    use(Threshold())
    assert segment(movie, output) == 0
    before = {path.name: path.read_bytes() for path in output.iterdir()}

    def fail(frame):
        raise UnreadableFrameError("Frame 0 cannot be read.", 0)

    use(Threshold(fail))
    assert segment(movie, output, "--overwrite") == 1
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before


def test_a_folder_of_somebody_else_is_refused(movie, output, use, capsys):
    use(Threshold())
    output.mkdir()
    (output / "thesis.docx").write_text("years of work", encoding="utf-8")
    assert segment(movie, output) == 1
    assert "found 'thesis.docx'" in capsys.readouterr().err
    assert names(output) == ["thesis.docx"]


class Killed(BaseException):
    """Ends a run as a kill does: nothing is tidied up after it."""


def test_a_result_that_a_killed_run_was_replacing_is_put_back(
    movie, output, use, monkeypatch, capsys
):
    use(Threshold())
    assert segment(movie, output) == 0
    before = contents(output)
    rename = Path.rename

    def killed(self, target):
        moved = rename(self, target)
        if target.name == REPLACED:
            raise Killed
        return moved

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(Killed):
            segment(movie, output, "--overwrite")
    assert not output.exists()
    capsys.readouterr()
    assert segment(movie, output) == 1
    said = capsys.readouterr().err
    assert "put back" in said
    assert "found an earlier result" in said
    assert contents(output) == before
    assert segment(movie, output, "--format", "tiff", "--overwrite") == 0
    assert names(output) == ["labels.tif", "labels_tracks.csv", "segmentation.json"]


def test_a_second_interrupt_keeps_frames_that_were_found(movie, output, use, capsys):
    """Also of a procedure whose frames stay only when all were seen."""

    def at_frame(now):
        if now == 2:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    use(Twice(at_frame))
    assert segment(movie, output) == 130
    project = project_of(output)
    assert f"To go on: napari-semiconv run {project}" in capsys.readouterr().err
    use(Twice())
    assert main(["run", str(project)]) == 0
    assert "4 of 4 frames" in capsys.readouterr().out


def test_a_second_interrupt_before_any_frame_says_that_nothing_is_kept(
    movie, output, use, capsys
):
    def at_frame(now):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    use(Threshold(at_frame))
    assert segment(movie, output) == 130
    assert "nothing is kept" in capsys.readouterr().err
    assert names(output.parent) == ["movie.tif"]


@pytest.mark.parametrize("form", ["ctc", "tiff", "project"])
@pytest.mark.parametrize("suffix", [".old", ".part", ".semiconv"])
def test_what_lies_beside_the_output_is_nobody_s_but_the_user_s(
    movie, output, use, form, suffix
):
    use(Threshold())
    mine = output.with_name(f"{output.name}{suffix}") / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("precious")
    assert segment(movie, output, "--format", form) == 0
    assert mine.read_text() == "precious"
    assert not [*output.parent.glob("*-*.part")]


def test_the_folder_that_a_link_leads_to_is_meant(movie, output, use, tmp_path):
    use(Threshold())
    (tmp_path / "real").mkdir()
    output.symlink_to(tmp_path / "real")
    assert segment(movie, output) == 0
    assert output.is_symlink()
    assert "res_track.txt" in names(tmp_path / "real")


def test_this_very_folder_can_be_the_output(movie, tmp_path, use, monkeypatch):
    use(Threshold())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert segment(movie, ".") == 0
    assert "res_track.txt" in names(tmp_path / "here")


def test_what_somebody_puts_into_the_output_meanwhile_stays(movie, output, use, capsys):
    def put(frame):
        output.mkdir(exist_ok=True)
        (output / "mine.txt").write_text("precious")

    use(Threshold(put))
    assert segment(movie, output) == 1
    assert names(output) == ["mine.txt"]
    told = capsys.readouterr().err
    assert "found 'mine.txt'" in told
    assert f"To write it: napari-semiconv export {output}.semiconv --to ctc" in told


def test_a_movie_that_is_not_there_is_an_error(tmp_path, output, use, capsys):
    use(Threshold())
    assert segment(tmp_path / "nothing.tif", output) == 1
    assert "nothing.tif" in capsys.readouterr().err
    assert not output.exists()


def test_axes_that_do_not_fit_are_an_error(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output, "--axes", "TZYX") == 1
    assert "expected one axis letter for each of its 3 axes" in capsys.readouterr().err


def test_the_movie_is_described_as_it_is_understood():
    movie = movie_from_array(
        np.zeros((5, 2, 3, 8, 9), np.uint16),
        "TCZYX",
        "cells",
        channel=1,
        z=2,
        pixel_size=(0.5, 0.25),
        frame_interval=300.0,
    )
    assert describe(movie) == (
        "cells: T=5 C=2 Z=3 Y=8 X=9, uint16, channel 1, z slice 2, "
        "pixel 0.5 x 0.25 um, a frame every 300 s"
    )


def test_a_skipped_frame_is_told(movie, output, use, capsys):
    use(Threshold(damaged=1))
    assert segment(movie, output, "--skip-unreadable") == 0
    assert "Skipped: frame 1 is damaged." in capsys.readouterr().err
    assert record_in(output)["skipped"] == [{"frame": 1, "why": "frame 1 is damaged."}]


def test_a_run_in_which_all_was_read_records_that(movie, output, use):
    use(Threshold())
    assert segment(movie, output) == 0
    assert record_in(output)["skipped"] == []


def test_units_that_the_file_lacks_can_be_given(movie, output, use):
    use(Threshold())
    options = ("--pixel-size", "0.65", "--frame-interval", "300")
    assert segment(movie, output, *options) == 0
    record = record_in(output)
    assert record["pixel_size_um"] == [0.65, 0.65]
    assert record["frame_interval_s"] == 300


def test_a_preset_sets_the_procedure_and_its_parameters(movie, output, use):
    tools = use(Threshold())
    assert segment(movie, output, "--preset", "payer2018-msc") == 0
    settings = record_in(output)["settings"]
    assert (settings["engine"], settings["resize"]) == ("payer2018", "256x256")
    assert settings["memory_span"] == 0
    assert (settings["payer"]["smallest"], settings["payer"]["border_y"]) == (500, 16)
    assert tools.sizes == [None], "frames are resized whatever their cells"


@pytest.mark.parametrize("procedure", ["payer2018", "payer2019"])
def test_a_published_engine_is_the_preset_of_its_name(movie, tmp_path, use, procedure):
    use(Threshold())
    records = []
    for option in ("--engine", "--preset"):
        assert segment(movie, tmp_path / option, option, procedure) == 0
        records.append(record_in(tmp_path / option)["settings"])
    assert records[0] == records[1]
    assert records[0]["memory_span"] == 0


def test_a_cell_size_that_a_preset_would_not_use_is_refused(movie, output, use, capsys):
    use(Threshold())
    options = ("--preset", "payer2018-hela", "--cell-size", "20")
    assert segment(movie, output, *options) == 1
    said = capsys.readouterr().err
    assert "every frame is resized to 256 x 256 px" in said
    assert "the preset 'payer2018', which goes by it" in said
    assert not output.exists()


def test_a_single_frame_is_not_called_frames(movie, output, use, capsys):
    use(Threshold())
    assert segment(movie, output, "--frames", "1:2") == 0
    assert capsys.readouterr().out.startswith("1 of 1 frame, 1 track")


def test_what_is_said_besides_a_preset_holds(movie, output, use):
    use(Threshold())
    options = ("--preset", "payer2018", "--memory-span", "8", "--cell-size", "20")
    assert segment(movie, output, *options) == 0
    settings = record_in(output)["settings"]
    assert (settings["memory_span"], settings["cell_size"]) == (8, 20)


def test_an_unknown_preset_and_two_ways_at_once_are_wrong_usage(movie, output, capsys):
    for options in (
        ("--preset", "payer2020"),
        ("--preset", "payer2018", "--engine", "votes"),
    ):
        with pytest.raises(SystemExit, match="2"):
            segment(movie, output, *options)
    said = capsys.readouterr().err
    assert "'payer2020'" in said
    assert "not allowed with argument" in said


class Twice(Threshold):
    """Yields every frame to be looked at, all one cell, and then as it stays."""

    def run(self, *arguments):
        for result in super().run(*arguments):
            labels = np.ones_like(result.labels)
            yield replace(result, labels=labels, final=False)
        yield from super().run(*arguments)


def test_frames_that_come_twice_are_written_as_they_stay(movie, output, use, capsys):
    use(Twice())
    assert segment(movie, output) == 0
    for t, image in enumerate(tifffile.imread(movie)):
        assert np.array_equal(tifffile.imread(output / f"mask{t:03d}.tif"), image > 100)
    assert capsys.readouterr().out.startswith("4 of 4 frames, 1 track")


def test_an_interrupt_before_any_frame_stays_keeps_none(movie, output, use, capsys):
    use(Twice(interrupt_at(1)))
    assert segment(movie, output) == 130
    assert not output.exists()
    with Project.open(project_of(output)) as project:
        assert not project.lineage.tracks


def test_a_published_procedure_from_movie_to_result(tmp_path, output, capsys):
    """Nothing is stood in for: the default model on a simulated movie."""
    shape = SyntheticSettings(frames=3, height=64, width=64, cells=3, diameter=20)
    images = simulate(shape, 1).images
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, images, metadata={"axes": "TYX"}, photometric="minisblack")
    options = ("--preset", "payer2018", "--cell-size", "20", "--device", "cpu")
    assert segment(path, output, *options) == 0
    assert capsys.readouterr().out.startswith("3 of 3 frames")
    result = read_ctc(output)
    check_masks(result)
    assert any(result.labels(t).any() for t in range(3))
