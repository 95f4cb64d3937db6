"""Whatever a file holds, the answer is cells, or one sentence: soon, in little memory.

A child process opens the files, so that its memory and time can be measured and its
end survived. It counts every attempt to write.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.io.bombs import BOMBS, ODD
from tests.io.fuzzing import SEEDS, make_cases, read_results, save_cases

MOST_SECONDS = 5
MOST_BYTES = 2**30
CHILD = Path(__file__).with_name("fuzz_child.py")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux"
)


def run(cases, folder, seconds=120, **environment):
    """Open all cases in a child; returns how each ended."""
    save_cases(cases, folder / "cases.json")
    child = subprocess.run(
        [sys.executable, CHILD, folder / "cases.json", folder / "results"],
        cwd=folder,
        env=os.environ | {"MALLOC_ARENA_MAX": "2"} | environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    found = read_results(folder / "results")
    assert child.returncode == 0, (cases[max(found)], child.stderr[-3000:])
    return found


def faults_of(found):
    """What is wrong with the way a case ended."""
    if found["end"] == "raised":
        yield found["error"]
    if found["changes"]:
        yield f"it wrote: {found['changes']}"
    if found["seconds"] > MOST_SECONDS:
        yield f"it took {found['seconds']:.1f} s"
    if found["bytes"] > MOST_BYTES:
        yield f"it took {found['bytes'] / 2**20:.0f} MiB"
    sentence = found.get("sentence", "A sentence.")
    if not is_sentence(sentence):
        yield f"no sentence: {sentence[:1000]!r}"


def is_sentence(text):
    """Tell whether a text is short and ends as a sentence does, without a traceback."""
    whole = text.endswith(".") and len(text) < 900 and "\n" not in text
    return whole and "Traceback" not in text


def assert_all_well(cases, found):
    assert sorted(found) == list(range(len(cases)))
    faults = [
        f"{reader} {path}: {fault}"
        for number, (reader, path) in enumerate(cases)
        for fault in faults_of(found[number])
    ]
    assert not faults, f"{len(faults)} faults\n\n" + "\n\n".join(faults[:20])


def test_damaged_files_of_every_format(tmp_path):
    cases = make_cases(tmp_path, 8)
    found = run(cases, tmp_path)
    assert_all_well(cases, found)
    ends = [found[n]["end"] for n in range(len(cases))]
    good = [n for n, (_, path) in enumerate(cases) if "damaged" not in path.parts]
    assert [ends[n] for n in good] == ["read"] * len(SEEDS)
    # Or the damage would not be worth its name.
    assert ends.count("refused") > len(ends) / 3


@pytest.mark.slow
@pytest.mark.parametrize("round_", range(10))
def test_many_damaged_files(tmp_path, round_):
    cases = make_cases(tmp_path, 100, first=1000 * (round_ + 1))
    assert_all_well(cases, run(cases, tmp_path, 1200))


def made(files, folder):
    """Make files that mislead, each in a folder of its own."""
    cases = []
    for name, (reader, file, make) in files.items():
        place = folder / name
        place.mkdir()
        make(place / file)
        cases.append((reader, place / file))
    return cases


def assert_refused(files, folder, **environment):
    cases = made(files, folder)
    found = run(cases, folder, **environment)
    assert_all_well(cases, found)
    ends = {name: found[n]["end"] for n, name in enumerate(files)}
    assert ends == dict.fromkeys(files, "refused")


def test_files_that_are_made_to_mislead(tmp_path):
    assert_refused(BOMBS, tmp_path)


def test_images_that_mislead_where_python_unpacks_them(tmp_path):
    images = {name: case for name, case in BOMBS.items() if "tif" in case[1]}
    assert_refused(images, tmp_path, WITHOUT_IMAGECODECS="yes")


def test_odd_names_are_as_good_as_others(tmp_path):
    cases = made(ODD, tmp_path)
    found = run(cases, tmp_path)
    assert [found[n].get("sentence", "") for n in range(len(cases))] == [""] * len(ODD)
    assert {found[n]["end"] for n in range(len(cases))} == {"read"}
