"""What the pages say is tried."""

import re
import shlex
from pathlib import Path
from pkgutil import resolve_name

import pytest
from benchmarks import registry
from benchmarks.source import PACKAGE, RANK

import napari_semiconv
from napari_semiconv.cli.entry import build_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^\$ (.+?)(?:  +#.*)?$", re.MULTILINE)
FENCED = re.compile(r"```.*?```", re.DOTALL)
IN_BACKTICKS = re.compile(r"`([\w.-]+(?:/[\w.-]*)*)`")
ROOMS = {part for part in RANK if (PACKAGE / part).is_dir()}
TOPS = {"src", "tests", "benchmarks", "docs", "models", *ROOMS}
LAYOUT = re.compile(r"^( *)([\w.]+/?)  ", re.MULTILINE)
SHOWN = re.compile(r"^::: (\S+)$", re.MULTILINE)
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
WITH_CODE = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_code_on_every_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def commands(program):
    """Words of each command of a program on the pages, once."""
    shown = {c for p in PAGES for c in COMMAND.findall(p.read_text(encoding="utf-8"))}
    return [
        pytest.param(shlex.split(command)[len(program.split()) :], id=command)
        for command in sorted(shown)
        if command.startswith(f"{program} ")
    ]


@pytest.mark.parametrize("words", commands("napari-semiconv"))
def test_every_command_on_a_page_is_one_that_can_be_given(words):
    # Wrong usage would leave with 2.
    assert callable(build_parser().parse_args(words).run)


def test_a_command_that_cannot_be_given_is_seen():
    with pytest.raises(SystemExit):
        build_parser().parse_args(["segment", "movie.tif", "--no-such-option"])


def test_the_pages_show_commands():
    assert len(commands("napari-semiconv")) > 20


@pytest.mark.parametrize("words", commands("python -m benchmarks"))
def test_every_benchmark_on_a_page_is_there(words):
    assert words[0] in {"NAME", "list", *registry.names()}


@pytest.mark.parametrize("words", commands("make"))
def test_every_target_on_a_page_is_in_the_makefile(words):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE)


def missing_paths(text):
    """Files and folders of the repository that a page names and that are not there."""
    named = IN_BACKTICKS.findall(FENCED.sub("", text))
    ours = [
        n for n in named if n.endswith(".py") or ("/" in n and n.split("/")[0] in TOPS)
    ]
    places = (ROOT, PACKAGE, ROOT / "tests")
    return [n for n in ours if not any((place / n).exists() for place in places)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_page_names_is_there(page):
    assert missing_paths(page.read_text(encoding="utf-8")) == []


def test_a_file_that_is_gone_is_seen():
    text = "`tests/test_movie.py` `io/cells/ctc/` `movie.py` `tests/gone.py` `io/gone/`"
    assert missing_paths(f"{text} `movie.tif` `gone.py`") == [
        "tests/gone.py",
        "io/gone/",
        "gone.py",
    ]


def laid_out(text):
    """Folders and files of the source in the block that shows the layout."""
    (block,) = re.findall(r"```text\nsrc/napari_semiconv/\n(.*?)^\w", text, re.M | re.S)
    shown, parents = [], []
    for indent, name in LAYOUT.findall(block):
        depth = len(indent) // 2 - 1
        parents[depth:] = [name]
        shown.append("".join(parents))
    return shown


def test_the_layout_shows_every_room_and_nothing_else():
    shown = laid_out(DEVELOPMENT)
    folders = {f"{p.parent.relative_to(PACKAGE)}/" for p in PACKAGE.rglob("*.py")}
    files = {p.name for p in PACKAGE.glob("*.py")}
    rooms = folders - {"./"} | files - {"__init__.py"}
    assert len(shown) == len(set(shown))
    assert rooms - set(shown) == set()
    # Single files within a room may be shown as well.
    gone = [path for path in shown if not (PACKAGE / path).exists()]
    assert gone == []


def test_the_table_of_ranks_names_every_part_and_nothing_else():
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", DEVELOPMENT, re.MULTILINE)
    table = {
        part: int(rank)
        for rank, parts in rows
        for part in re.findall("`(\\w+)`", parts)
    }
    assert table == RANK


def test_the_reference_shows_every_public_name():
    shown = [resolve_name(name) for name in SHOWN.findall(REFERENCE)]
    public = {n: getattr(napari_semiconv, n) for n in napari_semiconv.__all__}
    errors = vars(resolve_name("napari_semiconv.errors")).values()
    hidden = [
        name
        for name, value in public.items()
        if name != "__version__" and value not in [*shown, *errors]
    ]
    assert hidden == []
