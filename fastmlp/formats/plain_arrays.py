"""Arrays that somebody saved without a network: what there is, and what can be made of it (floor 6).

Weights alone don't say which activations a network has, so such files are not read, but told with the lines that do it.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

Shape = tuple[int, ...]

MOST_NAMES = 1000
"""Of how many arrays of a file the shapes are looked up."""

_MOST_TOLD = 12


def told(shapes: Mapping[str, Shape | None]) -> str:
    """Return an error message for a file with these arrays; None is the shape of what are no numbers.

    Examples
    --------
    >>> print(told({"W1": (784, 30), "b1": (30,), "W2": (30, 10), "b2": (10,)}))
    arrays, but no network that fastmlp saved: W1 (784, 30), b1 (30,), W2 (30, 10), b2 (10,). They don't say which \
activations belong between them; if they are the weights of a network, make it and give them to it: \
Network([784, 30, 10], hidden=..., output=...).set_weights([(W1, b1), (W2, b2)])
    """
    if not shapes:
        return "no network that fastmlp saved, and there are no arrays in it"
    listed = [f"{name} {'objects' if shape is None else shape}" for name, shape in shapes.items()]
    more = f" and {len(listed) - _MOST_TOLD} more" if len(listed) > _MOST_TOLD else ""
    sizes, pairs = _chain(shapes)
    network = f"Network({sizes}, hidden=..., output=...)" if sizes else "Network([...])"
    given = ", ".join(pairs) or "(W, b), ..."
    return (
        f"arrays, but no network that fastmlp saved: {', '.join(listed[:_MOST_TOLD])}{more}. They don't say which "
        "activations belong between them; if they are the weights of a network, make it and give them to it: "
        f"{network}.set_weights([{given}])"
    )


def shape_of_lists(value: Any) -> Shape | None:
    """Return the shape of nested lists of numbers, judged by the first of each; None for what are none."""
    shape: list[int] = []
    while isinstance(value, list) and len(shape) < 8:
        shape.append(len(value))
        value = value[0] if value else 0
    return tuple(shape) if shape and isinstance(value, int | float) else None


def _chain(shapes: Mapping[str, Shape | None]) -> tuple[list[int], list[str]]:
    """Return sizes and ``(W, b)`` of a network whose weights these could be; nothing where there is no such one."""
    matrices = [(name, shape) for name, shape in shapes.items() if shape and len(shape) == 2 and 1 not in shape]
    matrices += [] if matrices else [(name, shape) for name, shape in shapes.items() if shape and len(shape) == 2]
    for turned in (False, True):
        forms = [shape[::-1] if turned else shape for _, shape in matrices]
        if forms and all(before[1] == after[0] for before, after in itertools.pairwise(forms)):
            biases = _biases(shapes, [name for name, _ in matrices], [form[1] for form in forms])
            pairs = [f"({name}{'.T' * turned}, {bias})" for (name, _), bias in zip(matrices, biases, strict=True)]
            return [forms[0][0], *(form[1] for form in forms)], pairs
    return [], []


def _biases(shapes: Mapping[str, Shape | None], weights: Sequence[str], units: Sequence[int]) -> list[str]:
    """Return the names of arrays, in order, that have a number for each unit of a layer."""
    left = {name: shape for name, shape in shapes.items() if name not in weights and shape}
    found = []
    for count in units:
        name = next((name for name, shape in left.items() if shape in ((count,), (1, count), (count, 1))), None)
        shape = left.pop(name) if name else ()
        found.append("None" if name is None else name if len(shape) == 1 else f"{name}.ravel()")
    return found
