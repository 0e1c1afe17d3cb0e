"""How much of a kernel has to be kept in mind: bounds that are lowered when kernels get smaller, and never raised."""

import ast
from pathlib import Path

import pytest

import fastmlp

KERNELS = Path(fastmlp.__file__).parent / "kernels"

MOST_ARGUMENTS = 8
STILL_WIDER = {
    "augment": 16,
    "pair_forward": 15,
    "forward_rows": 13,
    "loss_row": 13,
    "loss_backward": 12,
    "between_pixels": 12,
    "part_rows": 10,
    "_python_part_blocks": 10,
    "_compiled_part_blocks": 10,
    "read_row": 9,
    "list_columns": 9,
    "add_shift_gradient": 9,
    "add_shift": 9,
}
"""Arguments of the functions that have more: those whose turn has not come."""

MOST_LINES = 80
EMITTERS = ("dense/microkernels.py", "sparse/microkernels.py")
"""Files that write LLVM's intermediate code."""

FUNCTIONS = [
    (path.relative_to(KERNELS).as_posix(), node)
    for path in sorted(KERNELS.rglob("*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef)
]
every_function = pytest.mark.parametrize(
    ("path", "function"), FUNCTIONS, ids=[f"{path}:{node.name}" for path, node in FUNCTIONS]
)


@every_function
def test_a_function_has_few_arguments(path, function):
    names = [argument.arg for argument in function.args.args if argument.arg != "typingctx"]
    assert len(names) <= STILL_WIDER.get(function.name, MOST_ARGUMENTS)


@every_function
def test_a_function_can_be_seen_whole(path, function):
    assert function.end_lineno - function.lineno < MOST_LINES or path in EMITTERS


@pytest.mark.parametrize("path", sorted((KERNELS.parent / "engines").rglob("*.py")), ids=lambda path: path.name)
def test_the_engines_functions_can_be_seen_whole(path):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert all(node.end_lineno - node.lineno < MOST_LINES for node in functions)


def test_no_function_stays_on_the_list_that_has_become_narrow():
    wide = {node.name for _, node in FUNCTIONS if len(node.args.args) > MOST_ARGUMENTS}
    assert STILL_WIDER.keys() <= wide
