"""The window keeps to what napari offers in public."""

import ast
from pathlib import Path

import pytest

import napari_semiconv.gui as gui

FILES = sorted(Path(gui.__file__).parent.rglob("*.py"))
OWN = {"self", "cls", "other"}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_an_objects_own_attributes_are_private(path):
    tree = ast.parse(path.read_text("utf-8"))
    found = [
        f"{node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in OWN)
        and ast.unparse(node.value) != "super()"
    ]
    assert found == []
