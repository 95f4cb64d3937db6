"""The rules of the house that no linter knows."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from benchmarks.source import (
    RANK,
    STRUCK,
    Source,
    circles,
    public_classes,
    sources,
    struck,
    violations,
    words,
)

ROOT = Path(__file__).resolve().parents[1]
TORCH_PARTS = {"network", "inference", "training", "teaching"}
WINDOW_LIBRARIES = {
    "napari", "qtpy", "superqt", "magicgui", "PyQt5", "PyQt6", "PySide2", "PySide6",
}  # fmt: skip


def made_of(tmp_path, **files):
    """Sources of a package of the given files; `a__b` is the file b in folder a."""
    for name, text in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(Source(p, tmp_path) for p in sorted(tmp_path.rglob("*.py")))


def test_every_part_has_a_rank():
    assert {source.part for source in sources()} - {"__init__"} <= set(RANK)


def test_imports_point_down():
    assert violations(sources()) == set()


def test_an_import_that_points_up_is_seen(tmp_path):
    files = made_of(
        tmp_path,
        movie="from .errors import BadInputError\nfrom .gui import panel\n",
        io__tiff="def read():\n    from ..edits import journal\n",
        gui__panel="from ..movie import Movie\nfrom .layers import show\n",
    )
    assert violations(files) == {("movie.py", "gui"), ("io/tiff.py", "edits")}


def test_errors_import_nothing_of_the_house():
    (errors,) = (source for source in sources() if source.name == "errors.py")
    assert "napari_semiconv" not in errors.libraries


def test_no_file_imports_in_a_circle():
    assert circles(sources()) == []


def test_a_circle_is_seen_also_where_a_function_hides_it(tmp_path):
    files = made_of(
        tmp_path,
        io__a="from .b import x\n",
        io__b="from . import c\n",
        io__c="def late():\n    from .a import y\n",
        io__d="from .a import y\n",
    )
    names = [f"napari_semiconv.io.{name}" for name in "abc"]
    assert circles(files) == [names]


def test_torch_stays_where_tensors_are():
    with_torch = {s.part for s in sources() if "torch" in s.libraries}
    assert with_torch <= TORCH_PARTS


def test_windows_stay_in_gui():
    with_windows = {s.part for s in sources() if s.libraries & WINDOW_LIBRARIES}
    assert with_windows <= {"gui"}


def test_no_file_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert not {source.path.stem for source in sources()} & drawers


def test_files_stay_short():
    assert [source.name for source in sources() if source.lines > 400] == []


def test_no_public_class_has_the_name_of_another():
    twice = {n: f for n, f in public_classes(sources()).items() if len(f) > 1}
    assert twice == {}


def test_no_name_uses_a_struck_word():
    # Where it is, the word, and what is used in its place.
    used = [(source.name, w, STRUCK[w]) for source in sources() for w in struck(source)]
    assert used == []


def test_a_struck_word_is_seen_in_every_kind_of_name(tmp_path):
    files = made_of(
        tmp_path,
        io__keeper="",
        io__a="class BookOfFrames:\n    pass\n",
        io__b="def find_hills(ahead):\n    kin = 1\n    return kin\n",
        io__c="notebook = skin = 'what was said'\n",
    )
    found = {source.name: struck(source) for source in files}
    assert found == {
        "io/keeper.py": {"keeper"},
        "io/a.py": {"book"},
        "io/b.py": {"hills", "ahead", "kin"},
        "io/c.py": set(),
    }
    assert words("SolveAgain") >= {"solve", "again", "solveagain"}


def calls(source):
    for node in source.nodes:
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: k.value for k in node.keywords}


def test_no_file_that_can_run_code_is_loaded():
    for source in sources():
        assert not source.libraries & {"pickle", "dill", "cloudpickle", "joblib"}
        for function, options in calls(source):
            if function.endswith("torch.load"):
                safe = options.get("weights_only")
                assert isinstance(safe, ast.Constant), source.name
                assert safe.value is True, source.name
            if function in {"np.load", "numpy.load"}:
                assert "allow_pickle" not in options, source.name


def test_errors_for_users_are_semiconv_errors():
    from napari_semiconv import errors

    here = [k for k in vars(errors).values() if isinstance(k, type)]
    kinds = [kind for kind in here if kind.__module__ == errors.__name__]
    assert kinds
    assert all(issubclass(kind, errors.SemiconvError) for kind in kinds)
    assert all(kind.__doc__ for kind in kinds)


def test_only_declared_libraries_are_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    lines = [*project["project"]["dependencies"], *(x for e in extras for x in e)]
    declared, provided = {plain(line) for line in lines}, packages_distributions()
    for source in sources():
        known = {"napari_semiconv", "__future__", *sys.stdlib_module_names}
        for library in source.libraries - known:
            names = {plain(name) for name in provided.get(library, [library])}
            assert names & declared, f"{library} of {source.name} is not declared"


def plain(requirement):
    name = requirement.partition(">")[0].partition("=")[0].partition("[")[0]
    return name.strip().lower().replace("_", "-")


def test_public_names_exist():
    import napari_semiconv

    assert set(napari_semiconv.__all__) <= set(dir(napari_semiconv))
    for name in napari_semiconv.__all__:
        assert getattr(napari_semiconv, name) is not None


def test_an_unknown_public_name_is_an_attribute_error():
    import napari_semiconv

    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        napari_semiconv.nonsense  # noqa: B018
