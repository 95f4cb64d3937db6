"""The rules of the house that no linter knows."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "napari_semiconv"
RANK = {
    "errors": 0,
    "settings": 1,
    "safe": 1,
    "labels": 1,
    "movie": 2,
    "synthetic": 2,
    "network": 3,
    "tracking": 3,
    "edits": 4,
    "inference": 4,
    "io": 5,
    "training": 6,
    "project": 6,
    "compute": 7,
    "workspace": 7,
    "workflows": 8,
    "gui": 9,
    "cli": 10,
}
TORCH_PARTS = {"network", "inference", "training"}
WINDOW_LIBRARIES = {
    "napari", "qtpy", "superqt", "magicgui", "PyQt5", "PyQt6", "PySide2", "PySide6",
}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_modules(path):
    """Full dotted names of all that a file imports, wherever in the file it does."""
    place = ("napari_semiconv", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = place[: len(place) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from .. import errors` names a module, `from ..errors import X` does not.
            names = [alias.name for alias in node.names]
            yield from ([f"{base}.{n}" for n in names] if not node.module else [base])


def imported_libraries(path):
    return {name.partition(".")[0] for name in imported_modules(path)}


@pytest.fixture(params=FILES, ids=name_of)
def path(request):
    return request.param


def test_every_part_has_a_rank():
    assert {part_of(path) for path in FILES} - {"__init__"} <= set(RANK)


def test_imports_point_down(path):
    part = part_of(path)
    if part == "__init__":
        return
    for module in imported_modules(path):
        package, _, rest = module.partition(".")
        other = rest.partition(".")[0]
        if package == "napari_semiconv" and other in RANK:
            assert other == part or RANK[other] < RANK[part], f"{part} imports {other}"


def test_the_import_rule_sees_relative_imports():
    found = set(imported_modules(PACKAGE / "movie.py"))
    assert "napari_semiconv.errors" in found


def test_torch_stays_where_tensors_are(path):
    if part_of(path) not in TORCH_PARTS:
        assert "torch" not in imported_libraries(path)


def test_windows_stay_in_gui(path):
    if part_of(path) != "gui":
        assert not imported_libraries(path) & WINDOW_LIBRARIES


def test_no_file_is_a_drawer_for_odds_and_ends():
    assert not {p.stem for p in FILES} & {"utils", "util", "helpers", "common", "misc"}


def test_files_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def calls(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {k.arg: k.value for k in node.keywords}


def test_no_file_that_can_run_code_is_loaded(path):
    assert not imported_libraries(path) & {"pickle", "dill", "cloudpickle", "joblib"}
    for function, options in calls(path):
        if function.endswith("torch.load"):
            safe = options.get("weights_only")
            assert isinstance(safe, ast.Constant)
            assert safe.value is True
        if function in {"np.load", "numpy.load"}:
            assert "allow_pickle" not in options


def test_errors_for_users_are_semiconv_errors():
    from napari_semiconv import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(issubclass(kind, errors.SemiconvError) for kind in kinds)
    assert all(kind.__doc__ for kind in kinds)


@pytest.fixture(scope="module")
def provided():
    return packages_distributions()


def test_only_declared_libraries_are_imported(path, provided):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    declared = {plain(line) for line in project["project"]["dependencies"]}
    for library in imported_libraries(path) - {"napari_semiconv", "__future__"}:
        if library not in sys.stdlib_module_names:
            names = {plain(name) for name in provided.get(library, [library])}
            assert names & declared, f"{library} is not among the dependencies"


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


def test_the_documentation_shows_these_ranks():

    text = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    for part, rank in RANK.items():
        if (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").is_file():
            rows = [row for row in text.splitlines() if row.startswith(f"| {rank} |")]
            assert rows, f"rank {rank} is not documented"
            assert f"`{part}`" in rows[0]
