"""What the source says of itself: lines, imports, circles, names, long functions.

`python -m benchmarks house` prints it; the tests of the architecture hold it.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "napari_semiconv"
PACKAGE = ROOT / "src" / NAME
# A part imports only from parts of a lower rank; `errors` may be imported by all.
RANK = {
    "errors": 0,
    "guard": 0,
    "safe": 0,
    "labels": 0,
    "settings": 0,
    "movie": 1,
    "synthetic": 1,
    "network": 2,
    "tracking": 2,
    "edits": 3,
    "inference": 3,
    "io": 3,
    "project": 4,
    "training": 4,
    "teaching": 5,
    "compute": 6,
    "workflows": 7,
    "gui": 9,
    "cli": 10,
}
FREE = "errors"
# Words that were replaced, with the word of the field that is used now.
STRUCK = {
    "said": "constraints",
    "told": "constraints, notes or found",
    "honour": "enforce",
    "honoured": "enforced",
    "settle": "enforce (constraints), solve (tracks)",
    "settled": "solved",
    "settling": "solving",
    "agreeing": "must-link, cannot-link",
    "ties": "union-find",
    "parting": "split",
    "planting": "grow from clicks",
    "taking": "adopt",
    "taker": "adopt",
    "telling": "history text",
    "making": "create",
    "posing": "formulate",
    "naming": "assign labels",
    "book": "run writer",
    "keeper": "run writer",
    "ahead": "prefetch",
    "hill": "peak",
    "hills": "peaks",
    "kin": "joint match",
    "solveagain": "resegment",
    "lineages": "problem",
    "resolve": "resegment",
}
# Where a struck word has another, usual meaning: what the panel makes of its choices.
FREE_WORDS = {"gui": {"resolve"}}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True)
class Source:
    """One file of the package.

    Parameters
    ----------
    path
        Where it lies.
    package
        The folder of the package it belongs to.
    """

    path: Path
    package: Path = PACKAGE

    @property
    def name(self) -> str:
        """Path within the package, with slashes."""
        return self.path.relative_to(self.package).as_posix()

    @property
    def part(self) -> str:
        """The folder or file of the package that it belongs to: its room."""
        return self.path.relative_to(self.package).parts[0].removesuffix(".py")

    @property
    def module(self) -> str:
        """Dotted name."""
        names = self.path.relative_to(self.package).with_suffix("").parts
        return ".".join([NAME, *(n for n in names if n != "__init__")])

    @cached_property
    def text(self) -> str:
        """What is written in it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        """What Python reads in it."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Full dotted names of all that it imports, wherever in the file it does."""
        return frozenset(self._imported(self.nodes))

    @cached_property
    def imports_at_run_time(self) -> frozenset[str]:
        """As `imports`, without those that are for the type checker alone."""
        typing = {
            inner
            for node in self.nodes
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        return frozenset(self._imported(n for n in self.nodes if n not in typing))

    def _imported(self, nodes: "Iterator[ast.AST] | tuple[ast.AST, ...]") -> set[str]:
        place = (NAME, *self.path.relative_to(self.package).parts[:-1])
        found: set[str] = set()
        for node in nodes:
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = place[: len(place) - node.level + 1] if node.level else ()
                base = ".".join([*above, *([node.module] if node.module else [])])
                # What is imported from a folder may itself be a file.
                found.update(f"{base}.{alias.name}" for alias in node.names)
                found.update([base] if node.module else [])
        return found

    @property
    def libraries(self) -> set[str]:
        """Names of the libraries that it imports, wherever in the file it does."""
        return {module.partition(".")[0] for module in self.imports}

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that it gives: files, classes, functions, arguments, variables."""
        found = {self.path.parent.name, self.path.stem}
        for node in self.nodes:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
        return frozenset(found)


@lru_cache(maxsize=1)
def sources(package: Path = PACKAGE) -> tuple[Source, ...]:
    """Every file of the package, in order."""
    return tuple(Source(path, package) for path in sorted(package.rglob("*.py")))


def words(name: str) -> set[str]:
    """Words of a name, in small letters: of ``SolveAgain``, solve and again."""
    return {word.lower() for word in _WORDS.findall(name)} | {name.lower().strip("_")}


def struck(source: Source) -> set[str]:
    """Struck words among the names that a file gives."""
    used = set().union(*(words(name) for name in source.names))
    return used & set(STRUCK) - FREE_WORDS.get(source.part, set())


def violations(
    files: tuple[Source, ...], rank: Mapping[str, int] = RANK
) -> set[tuple[str, str]]:
    """Pairs of a file and a part that it imports though its rank is not lower."""
    return {
        (source.name, other)
        for source in files
        if source.part in rank
        for module in source.imports
        if module.startswith(f"{NAME}.")
        for other in [module.split(".")[1]]
        if other in rank and other not in {source.part, FREE}
        if rank[other] >= rank[source.part]
    }


def circles(files: tuple[Source, ...]) -> list[list[str]]:
    """Find groups of files that import one another, wherever in the file they do it."""
    known = {source.module: source for source in files}
    reached = {
        module: {_nearest(name, known) for name in source.imports_at_run_time}
        - {"", module}
        for module, source in known.items()
    }
    # Warshall: all that can be reached from a file, by any way.
    for middle in known:
        for module in known:
            if middle in reached[module]:
                reached[module] = reached[module] | reached[middle]
    groups = {
        tuple(sorted(m for m in reached[module] if module in reached[m]))
        for module in known
        if module in reached[module]
    }
    return sorted(list(group) for group in groups)


def _nearest(name: str, known: Mapping[str, Source]) -> str:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return "" if name == NAME else name


def public_classes(files: tuple[Source, ...]) -> dict[str, list[str]]:
    """Files in which each public class, at the top of a file, is defined."""
    found: dict[str, list[str]] = {}
    for source in files:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(source.name)
    return found


def functions(source: Source) -> Iterator[tuple[str, int]]:
    """Each function of a file with its number of lines, without its docstring."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            first = body[0].lineno if body else node.lineno
            yield node.name, (node.end_lineno or first) - first + 1
