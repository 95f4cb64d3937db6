import sys
from dataclasses import replace
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from tests.gui.movies import project_of

from napari_semiconv.edits.masks import Paint
from napari_semiconv.edits.region import Region
from napari_semiconv.errors import BadSettingsError
from napari_semiconv.gui.choices import Choices, size_hint, with_setting
from napari_semiconv.gui.resolve import (
    Pace,
    axes_choices,
    describe,
    duration,
    resolve_find,
    resolve_movie,
    resolve_share,
    resolve_status,
    resolve_title,
)
from napari_semiconv.gui.state import START, Offer, Sentence
from napari_semiconv.inference.presets import with_preset
from napari_semiconv.io.cells.formats import format_of, writable
from napari_semiconv.movie import movie_from_array
from napari_semiconv.settings import SegmentSettings
from napari_semiconv.workflows.jobs import Job
from napari_semiconv.workflows.progress import Progress


@pytest.fixture
def movie():
    pixels = np.zeros((9, 20, 30), np.uint8)
    facts = {"pixel_size": (0.5, 0.5), "frame_interval": 300.0}
    return movie_from_array(pixels, "TYX", "dish", notes=("T was a guess.",), **facts)


@pytest.fixture
def project(tmp_path, movie):
    labels = np.zeros((9, 20, 30), np.int32)
    labels[:, 3:6, 3:6] = 1
    with project_of(tmp_path / "dish.semiconv", movie, labels) as project:
        yield project


def of_movie(movie, **facts):
    usual = {"idle": True, "has_project": False, "layer": "", "read_as": lambda _: None}
    return resolve_movie(movie, **{**usual, **facts})


def of_find(movie, project=None, choices=None, **facts):
    usual = {"job": None, "measuring": False, "unfinished": False, "place": None}
    return resolve_find(movie, project, choices or Choices(), **{**usual, **facts})


def test_an_empty_panel_says_how_to_start():
    state = of_movie(None, layer="nuclei")
    assert (state.facts, state.known, state.layer) == (START, False, "nuclei")
    find = of_find(None)
    assert not (find.can_preview)
    assert not (find.can_run)
    assert not (find.can_go_on)
    assert not (find.can_stop)
    assert find.folder == ""
    assert resolve_title(None, None).name == ""


def test_a_long_step_back_is_told_in_the_title_and_bars_others(project):
    project.do(Paint(0, 1, Region(0, 0, np.ones((1, 2), bool))))
    assert resolve_title(project, None).can_undo
    job = Job("undo", "Undo: find and follow cells")
    title = resolve_title(project, None, job)
    assert title.saved == "Undo: find and follow cells …"
    assert not title.can_undo
    assert not title.can_redo
    assert not of_find(None, project, job=job).can_stop


def test_a_movie_is_described_with_the_sizes_of_its_axes(movie):
    assert describe(movie) == "dish\nT 9 · Y 20 · X 30 · uint8"
    state = of_movie(movie)
    assert state.known
    assert (state.pixel_size, state.frame_interval) == (0.5, 300.0)
    unknown = of_movie(movie_from_array(np.zeros((2, 4, 4)), "TYX"))
    assert (unknown.pixel_size, unknown.frame_interval) == (0.0, 0.0)


def test_a_guess_comes_with_the_button_that_mends_it(movie):
    asked = []
    slices = movie.with_choices(axes="ZYX")
    (note,) = of_movie(slices, read_as=asked.append).notes
    assert (note.text, note.kind) == ("T was a guess.", "note")
    assert [offer.text for offer in note.offers] == [
        "Read as 9 frames",
        "Read as 9 channels",
    ]
    note.offers[0].act()
    assert asked == ["TYX"]


def test_a_movie_with_cells_is_read_as_it_was(movie, project):
    state = of_movie(movie, has_project=True)
    assert not state.can_reread
    assert state.notes[0].offers == ()


def test_every_reading_of_the_axes_is_offered(movie):
    assert axes_choices(movie) == (
        ("TYX", "9 frames"),
        ("ZYX", "9 slices"),
        ("CYX", "9 channels"),
    )
    still = movie_from_array(np.zeros((4, 5)), "YX")
    assert axes_choices(still) == (("YX", "1 frame"),)
    big = movie_from_array(np.zeros((2, 3, 4, 5)), "TCYX")
    assert len(axes_choices(big)) == 6
    single = movie_from_array(np.zeros((2, 1, 4, 5)), "TZYX")
    assert dict(axes_choices(single))["TZYX"] == "2 frames, 1 slice"
    assert dict(axes_choices(big))["ZTYX"] == "2 slices, 3 frames"


def test_all_frames_are_computed_unless_some_are_chosen(movie):
    assert (of_find(movie).frames, of_find(movie).last) == ((0, 8), 8)
    assert of_find(movie, choices=Choices(frames=(2, 3))).frames == (2, 3)


def test_the_cell_size_is_told_in_um_too(movie):
    assert size_hint(Choices(), movie) == "estimated from the movie"
    assert size_hint(Choices(estimate=23.44), movie) == "estimated 23.4 px, 11.7 µm"
    assert size_hint(Choices(estimate=23.44), None) == "estimated 23.4 px"
    given = Choices(settings=SegmentSettings(cell_size=20.0))
    assert size_hint(given, movie) == "= 10 µm"
    assert size_hint(given, None) == ""
    resized = Choices(settings=with_preset(SegmentSettings(), "payer2019-psc"))
    assert size_hint(resized, movie) == "not used: resized to 576x720 px"
    assert not of_find(movie, choices=resized).can_measure


def test_nothing_can_be_changed_while_something_goes_on(movie, project):
    job = Job("segment", "Finding and following cells")
    assert not of_movie(movie, idle=False).enabled
    state = of_find(movie, project, job=job, unfinished=True)
    assert state.can_stop
    assert not (state.enabled)
    assert not (state.can_preview)
    assert not (state.can_run)
    assert not (state.can_go_on)
    job.stop()
    assert not of_find(movie, project, job=job).can_stop


def test_a_stopped_run_can_go_on(movie, project):
    assert of_find(movie, project, unfinished=True).can_go_on
    assert not of_find(movie, project).can_go_on


def test_the_project_or_where_it_will_be_is_told(movie, project):
    assert of_find(movie, project).folder == str(project.folder)
    assert not of_find(movie, project).can_choose_folder
    assert of_find(movie, place=Path("/lab")).folder == "/lab"
    assert of_find(movie).folder == "You will be asked for a folder."


def test_progress_tells_what_is_done_and_the_time_left():
    job = Job("segment", "Finding and following cells")
    assert resolve_status(job, Sentence(), None).progress.startswith("Finding and")
    job.progress = Progress("frames", 1, 9)
    status = resolve_status(job, Sentence(), 80.0)
    assert status.progress == "Finding cells · 1 of 9 · 1 min 20 s left"
    assert (status.busy, status.done, status.total) == (True, 1, 9)
    job.notes.append("Skipped: frame 0 is damaged.")
    assert resolve_status(job, Sentence(), None).sentence == Sentence(
        "Skipped: frame 0 is damaged.", "note"
    )
    job.stop()
    assert resolve_status(job, Sentence(), None).progress.startswith("Stopping after")
    said = Sentence("Done.")
    assert resolve_status(None, said, None) == replace(
        resolve_status(None, Sentence(), None), sentence=said
    )


def test_the_first_frame_does_not_count_for_the_pace():
    pace = Pace()
    pace.advance(1, 9, None)
    assert pace.seconds_left is None
    pace.advance(1, 9, 10.0)
    assert pace.seconds_left == 80.0
    pace.advance(2, 9, 1.0)
    assert pace.seconds_left == 7.0
    pace.advance(3, 9, 2.0)
    assert pace.seconds_left == pytest.approx(6 * 1.2)


def test_the_title_tells_that_edits_are_saved(movie, project):
    state = resolve_title(project, movie)
    assert (state.name, state.saved) == ("dish.semiconv", "All edits saved")
    assert not (state.can_undo)
    assert not (state.can_redo)


@pytest.mark.parametrize("form", writable(), ids=lambda form: form.name)
def test_each_format_tells_what_it_keeps_and_loses(form, project):
    state = resolve_share(form, form.lost(project.tracked()), can_export=True)
    assert [title for _, title in state.formats] == [f.title for f in writable()]
    assert state.keeps.startswith(f"Masks: {form.keeps.masks}\n")
    assert all(lost in state.loses for lost in form.lost(project.tracked()))


def test_nothing_lost_is_not_mentioned():
    assert resolve_share(format_of("geff"), [], can_export=False).loses == ""


def test_a_setting_changes_by_its_name():
    settings, said = with_setting(SegmentSettings(), "votes.foreground", 0.25)
    assert (settings.votes.foreground, said) == (0.25, "")
    with pytest.raises(BadSettingsError, match=r"Setting votes\.foreground: .*found 7"):
        with_setting(settings, "votes.foreground", 7.0)


def test_an_engine_says_what_it_brings_along():
    hela = with_preset(SegmentSettings(), "payer2018-hela")
    settings, said = with_setting(hela, "engine", "votes")
    assert (settings.resize, settings.memory_span) == ("cells", 8)
    assert said == "With this engine: Frame size is now cells, Memory span is now 8."
    settings, said = with_setting(settings, "engine", "payer2019")
    assert said == "With this engine: Memory span is now 0."
    settings, _ = with_setting(SegmentSettings(), "memory_span", 3)
    settings, said = with_setting(settings, "engine", "hdbscan")
    assert (settings.memory_span, said) == (3, "")


def test_offers_are_the_same_when_they_read_the_same():
    assert Offer("Go on", lambda: None) == Offer("Go on", lambda: None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"),
     (7380, "2 h 3 min")],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_the_rules_of_the_panel_need_no_window():
    code = (
        "import sys, napari_semiconv.gui.resolve\n"
        "print(*{'torch', 'napari', 'qtpy'} & {*sys.modules})"
    )
    told = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""
