"""How much of a function has to be kept in mind: bounds that are lowered when functions get smaller, never raised."""

import ast
from pathlib import Path

import pytest

import fastmlp

PACKAGE = Path(fastmlp.__file__).parent

MOST_ARGUMENTS, FEW_ARGUMENTS = 8, ("kernels",)
"""Arguments, at most, of the functions in these folders."""

OF_THE_COMPILER = {"context", "builder", "sig", "typingctx", "self"}
"""What functions that emit code are given beside the arguments of the kernel that they make."""

MOST_LINES, SHORT = 80, ("kernels", "engines")
"""Lines, at most, of the functions in these folders."""


def every_function(*folders):
    """Parametrize a test by the functions in these folders, nested ones and methods too."""
    paths = sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))
    functions = [
        pytest.param(node, id=f"{path.relative_to(PACKAGE).as_posix()}:{node.name}:{node.lineno}")
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    return pytest.mark.parametrize("function", functions)


@every_function(*FEW_ARGUMENTS)
def test_a_function_has_few_arguments(function):
    of = function.args
    names = {argument.arg for argument in (*of.posonlyargs, *of.args, *of.kwonlyargs)} - OF_THE_COMPILER
    assert len(names) <= MOST_ARGUMENTS


@every_function(*SHORT)
def test_a_function_can_be_seen_whole(function):
    assert function.end_lineno - function.lineno < MOST_LINES
