"""A recipe as a Python script with the public interface (floor 9; imports errors, model).

The script says in full what the recipe says: it needs nothing of this folder, so its reader can change every line.
"""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from ..errors import ArgumentTypeError
from ..model.architecture import Dense
from ..model.optimizers import OPTIMIZERS

_ALL_TEST_ROWS = 10_000

_LEADING = (Dense, *OPTIMIZERS.values())
"""Classes whose first argument goes without its name."""


def script_of(recipe: Any, seed: int) -> str:
    """Return the script; see `Recipe.script`."""
    code = _Code()
    network = _call("net = Network", [code(list(recipe.layers))], _of_network(recipe, seed, code))
    fit = _call("history = net.fit", _rows("X", "y", 0, recipe.train_rows), _of_fit(recipe, code))
    test = _rows("X_test", "y_test", 0, recipe.test_rows) if recipe.test_rows < _ALL_TEST_ROWS else ["X_test", "y_test"]
    imported = ["Network", "load_mnist", *code.classes]
    imported.sort(key=lambda name: (not name.isupper(), name[0].islower(), name))  # SGD, Adam, load_mnist
    return f'''"""{recipe.title}.

{textwrap.fill(str(recipe.source), 100)}
"""

from fastmlp import {", ".join(imported)}

X, y, X_test, y_test = load_mnist()

{network}
print(net.summary())

{fit}
print(net.evaluate({", ".join(test)}))
net.save("{recipe.name}.npz")
'''


def _of_network(recipe: Any, seed: int, code: "_Code") -> Iterator[str]:
    if len(recipe.layers) > 2:
        yield f"hidden={code(recipe.hidden)}"
    yield f"output={code(recipe.output)}"
    yield f"loss={code(recipe.loss)}"
    if not recipe.bias:
        yield "bias=False"
    yield f"initializer={code(recipe.initializer)}"
    if recipe.bias and recipe.bias_initializer != "zeros":
        yield f"bias_initializer={code(recipe.bias_initializer)}"
    if recipe.l2:
        yield f"l2={code(recipe.l2)}"
    yield f"scaling={code(recipe.scaling)}"
    yield f"seed={seed}"


def _of_fit(recipe: Any, code: "_Code") -> Iterator[str]:
    if recipe.validation_rows:
        last = recipe.train_rows + recipe.validation_rows
        X, y = _rows("X", "y", recipe.train_rows, last)
        yield f"X_val={X}"
        yield f"y_val={y}"
    yield f"epochs={recipe.epochs}"
    yield f"batch_size={recipe.batch_size}"
    yield f"optimizer={code(recipe.optimizer)}"
    if recipe.schedule is not None:
        yield f"schedule={code(recipe.schedule)}"
    if not recipe.shuffle:
        yield "shuffle=False"
    if recipe.augment is not None:
        yield f"augment={code(recipe.augment)}"
    yield "verbose=2"


def _rows(X: str, y: str, first: int, last: int) -> list[str]:
    rows = f"[{first:_}:{last:_}]" if first else f"[:{last:_}]"
    return [X + rows, y + rows]


def _call(what: str, by_place: list[str], by_name: Iterator[str]) -> str:
    """Write a call, an argument a line."""
    lines = "".join(f"    {argument},\n" for argument in [*by_place, *by_name])
    return f"{what}(\n{lines})"


class _Code:
    """Writes values as Python, and notes which classes of fastmlp they need.

    Attributes
    ----------
    classes : list of str
    """

    def __init__(self) -> None:
        self.classes: list[str] = []

    def __call__(self, value: Any) -> str:
        """Return what is to be written for a value."""
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)  # in double quotes
        if isinstance(value, list):
            return f"[{', '.join(map(self, value))}]"
        if isinstance(value, tuple):
            return f"({', '.join(map(self, value))}{',' * (len(value) == 1)})"
        if value is None or isinstance(value, bool | int | float):
            return repr(value)
        return self._object(value)

    def _object(self, value: Any) -> str:
        """Write a dataclass with those of its arguments that are not its defaults."""
        kind = type(value)
        if not is_dataclass(value) or not kind.__module__.startswith("fastmlp."):
            raise ArgumentTypeError(
                f"a script can't hold {value!r}, which is of a class of your own; train the recipe from Python"
            )
        if kind.__name__ not in self.classes:
            self.classes.append(kind.__name__)
        arguments = []
        for number, field in enumerate(fields(value)):
            given = getattr(value, field.name)
            if number == 0 and issubclass(kind, _LEADING):
                arguments.append(self(given))
            elif field.default is MISSING or given != field.default:
                arguments.append(f"{field.name}={self(given)}")
        return f"{kind.__name__}({', '.join(arguments)})"
