"""What the pages say is tried."""

import re
import shlex
from pathlib import Path

import pytest
from benchmarks import registry

from napari_semiconv.cli.entry import build_parser

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^\$ (.+?)(?:  +#.*)?$", re.MULTILINE)
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
