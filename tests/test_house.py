"""The rooms of the house: a file imports from floors below its own, and says from where in its first lines."""

import ast
import re
import sys
from pathlib import Path

import pytest

import fastmlp

PACKAGE = Path(__file__).parents[1] / "fastmlp"

FLOORS = (
    ("errors", "hints", "checks", "atomic_write", "placeholders", "tables"),
    ("model",),
    ("kernels",),
    ("datasets", "images"),
    ("data",),
    ("engines",),
    ("formats",),
    ("training",),
    ("network", "ensemble", "executors", "many", "many_parcels", "rate_search"),
    ("estimators", "recipes", "plots", "interop"),
    ("web", "measure", "model_selection"),
    ("cli",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path):
    """Rooms and outside packages that a file imports, wherever in the file it does."""
    folder = ("fastmlp", *path.relative_to(PACKAGE).parts[:-1])
    rooms, packages = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(folder[: len(folder) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [start, node.module]))
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "fastmlp" else [module]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "fastmlp":
                room = rest.split(".")[0]
                rooms |= {fastmlp._HOME_OF.get(room, room).split(".")[0]} - {"", "__version__"}
            elif first not in sys.stdlib_module_names:
                packages.add(first)
    return rooms - {room_of(path)}, packages


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_from_floors_below_and_says_from_where(path):
    floor = FLOOR_OF[room_of(path)]
    rooms, packages = imports_of(path)
    loose = path.parent == PACKAGE  # files outside of folders may use their neighbours
    assert [room for room in rooms if FLOOR_OF.get(room, 99) > floor - (not loose)] == []
    docstring = " ".join((ast.get_docstring(ast.parse(path.read_text())) or "").split())
    said = re.search(r"[(]floor (\d+)(?:; imports ([^)]*))?[)]", docstring)
    assert said, "no '(floor N; imports ...)' in the docstring"
    assert int(said[1]) == floor
    assert sorted((said[2] or "").split(", ")) == sorted([*rooms, *packages] or [""])
