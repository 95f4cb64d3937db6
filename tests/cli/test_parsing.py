import re
import shlex
from pathlib import Path

import pytest

from napari_semiconv import __version__
from napari_semiconv.cli.entry import build_parser, main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONG = "x" * 300
COMMAND = re.compile(r"^\$ napari-semiconv (.*)$", re.MULTILINE)


def parse(line):
    return build_parser().parse_args(shlex.split(line))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_on_every_page_are_understood(page):
    for line in COMMAND.findall(page.read_text(encoding="utf-8")):
        assert callable(parse(line).run)


def test_segment_takes_all_that_it_promises():
    line = (
        "segment movie.tif --output out --model other --engine hdbscan --device cpu "
        "--frames 2:9 --cell-size 21.5 --format tiff --axes tyx --channel 1 --z 3 "
        "--skip-unreadable --memory-span 4 --pixel-size 0.65 --frame-interval 300"
    )
    given = parse(line)
    assert (given.memory_span, given.pixel_size, given.frame_interval) == (4, 0.65, 300)
    assert (given.movie, given.output) == (Path("movie.tif"), Path("out"))
    assert (given.model, given.engine, given.device) == ("other", "hdbscan", "cpu")
    assert given.frames == slice(2, 9)
    assert (given.cell_size, given.format, given.skip_unreadable) == (
        21.5,
        "tiff",
        True,
    )
    assert (given.axes, given.channel, given.z) == ("TYX", 1, 3)


def test_segment_needs_only_movie_and_output():
    given = parse("segment movie.tif --output out")
    assert (given.model, given.device) == ("default", "auto")
    assert (given.engine, given.preset, given.memory_span) == (None,) * 3
    assert (given.pixel_size, given.frame_interval) == (None, None)
    assert given.frames is None
    assert (given.cell_size, given.axes, given.channel, given.z) == (None,) * 4
    assert given.format == "ctc"


@pytest.mark.parametrize(
    ("text", "span"),
    [("5:", slice(5, None)), (":5", slice(None, 5)), ("-10:", slice(-10, None))],
)
def test_either_end_of_the_frames_may_be_left_out(text, span):
    assert parse(f"segment m --output o --frames={text}").frames == span


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("segment m --output o --frames 5", "expected A:B such as 0:50, found '5'"),
        ("segment m --output o --frames a:b", "expected whole numbers in A:B"),
        ("segment m --output o --cell-size 0", "expected a number above 0, found '0'"),
        ("segment m --output o --cell-size nan", "expected a number above 0"),
        ("segment m --output o --cell-size big", "expected a number above 0"),
        ("segment m --output o --channel -1", "expected a whole number from 0"),
        ("segment m --output o --z min", "expected a whole number from 0, found 'min'"),
        ("segment m --output o --engine magic", "invalid choice: 'magic'"),
        ("segment m", "the following arguments are required: --output"),
        ("train f --output o --steps 0", "expected a whole number from 1, found '0'"),
        ("train --output o", "the following arguments are required: FOLDER"),
        ("", "the following arguments are required: COMMAND"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_was_expected(words, sentence, capsys):
    with pytest.raises(SystemExit) as ending:
        main(shlex.split(words))
    assert ending.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    "words",
    [
        ("segment", LONG, "--output", "out"),
        ("segment", "movie.tif", "--output", LONG),
        ("check", LONG),
        ("run", LONG),
        ("import", LONG, "--movie", "movie.tif", "--output", "p"),
        ("export", "p", "--to", "ctc", LONG),
        ("evaluate", LONG, "01_GT"),
        ("open", LONG),
        ("check", "/"),
    ],
)
def test_names_that_no_disk_holds_are_told_in_a_sentence(words, capsys):
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "found one of 300" in said or "found the root of a disk" in said


def test_the_folder_one_is_in_is_called_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("of the user")
    assert main(["segment", ".", "--output", "out"]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path.name}: expected frames")
