"""What can be set for a training on the page, and the recipe it makes (floor 10; imports checks, errors, datasets,
model, recipes).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import recipes
from ..checks import check_size, check_whole
from ..datasets import Dataset
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.architecture import Architecture, Dense
from ..model.optimizers import OPTIMIZERS, Optimizer
from ..recipes import Recipe, RecipeData
from ..recipes.changes import HIDDEN_ACTIVATIONS, OUTPUT_OF_LOSS
from . import limits


@dataclass(frozen=True)
class Settings:
    """The settings of a training; what they leave open is as in the recipe they start from.

    Attributes
    ----------
    recipe : str
    hidden : tuple of int
        Units of the hidden layers.
    activation : str
        Of the hidden layers.
    dropout : float
        Of the hidden layers.
    loss, optimizer : str
    learning_rate : float
    l2 : float
        Penalty on the weights.
    batch_size, epochs : int
    rows : int
        How many of the recipe's training rows to train on, from the first.
    seed : int

    Examples
    --------
    >>> Settings.of(recipes.get("nielsen")).hidden
    (30,)
    """

    recipe: str
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    loss: str
    optimizer: str
    learning_rate: float
    l2: float
    batch_size: int
    epochs: int
    rows: int
    seed: int = 0

    @classmethod
    def of(cls, recipe: Recipe) -> "Settings":
        """Return the settings of a recipe as it is."""
        dropout = [layer.dropout for layer in recipe.layers[1:-1] if isinstance(layer, Dense)]
        kind = type(recipe.optimizer)
        return cls(
            recipe=recipe.name,
            hidden=recipe.sizes[1:-1],
            activation=recipe.hidden,
            dropout=float(max(dropout, default=0.0)),
            loss=recipe.loss,
            optimizer=next(name for name, known in OPTIMIZERS.items() if known is kind),
            learning_rate=float(recipe.optimizer.learning_rate),
            l2=float(recipe.l2),
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            rows=recipe.train_rows,
        )

    @classmethod
    def read(cls, wanted: Mapping[str, Any]) -> "Settings":
        """Return the settings that a page sent.

        Parameters
        ----------
        wanted : mapping
            Names of `Settings` to values; those that are missing are the recipe's, and the recipe the default one.

        Returns
        -------
        Settings

        Raises
        ------
        ArgumentError, ArgumentTypeError
            An unknown name, a value that can't be used, or more than `limits` allow.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in wanted:
            if name not in names:
                raise unknown_name("setting", name, names)
        start = cls.of(recipes.get(wanted.get("recipe", recipes.DEFAULT)))
        hidden = wanted.get("hidden", start.hidden)
        if not isinstance(hidden, list | tuple):
            raise ArgumentTypeError(f"hidden must be a list of numbers of units such as [128, 64], got {hidden!r}")
        if len(hidden) > limits.MAX_HIDDEN_LAYERS:
            raise ArgumentError(f"hidden may have {limits.MAX_HIDDEN_LAYERS} layers at most here, got {len(hidden)}")
        for name, known in (("activation", HIDDEN_ACTIVATIONS), ("loss", OUTPUT_OF_LOSS), ("optimizer", OPTIMIZERS)):
            if name in wanted and (not isinstance(wanted[name], str) or wanted[name] not in known):
                raise unknown_name(name, wanted[name], known)
        checked = {
            "hidden": tuple(
                check_whole(units, f"units of hidden layer {number}", 1, limits.MAX_UNITS)
                for number, units in enumerate(hidden, start=1)
            ),
            "batch_size": check_whole(wanted.get("batch_size", start.batch_size), "batch_size", 1, limits.MAX_BATCH),
            "epochs": check_whole(wanted.get("epochs", start.epochs), "epochs", 1, limits.MAX_EPOCHS),
            "rows": check_whole(wanted.get("rows", start.rows), "rows", 1, start.rows),
            "l2": check_size(wanted.get("l2", start.l2), "l2"),
            "seed": check_whole(wanted.get("seed", start.seed), "seed", 0, 2**53),
        }
        settings = dataclasses.replace(start, **{**wanted, **checked})
        settings.changed_recipe()  # for what only an optimizer or a layer can find wrong
        return settings

    def changed_recipe(self) -> Recipe:
        """Return the recipe with these settings.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A value that can't be used, or a network of too many parameters.
        """
        recipe = recipes.get(self.recipe)
        hidden = [Dense(units, self.activation, self.dropout) for units in self.hidden]
        changed = dataclasses.replace(
            recipe,
            layers=(recipe.sizes[0], *hidden, recipe.layers[-1]),
            hidden=self.activation,
            output=recipe.output if self.loss == recipe.loss else OUTPUT_OF_LOSS[self.loss],
            loss=self.loss,
            optimizer=_optimizer(recipe.optimizer, self.optimizer, self.learning_rate),
            l2=self.l2,
            batch_size=self.batch_size,
            epochs=self.epochs,
        )
        built = Architecture.build(
            list(changed.layers), hidden=changed.hidden, output=changed.output, loss=changed.loss, bias=changed.bias
        )
        if built.n_parameters > limits.MAX_PARAMETERS:
            raise ArgumentError(
                f"a network may have {limits.MAX_PARAMETERS:,} parameters at most here, and {changed.shape} has "
                f"{built.n_parameters:,}; take fewer units"
            )
        return changed

    def data(self, dataset: Dataset) -> RecipeData:
        """Return the rows to train, validate and test on.

        A recipe that validates on none is given validation rows here, for overfitting shows in them: the training rows
        that are left over, `limits.VALIDATION_ROWS` at most, where `rows` leaves any.
        """
        recipe = recipes.get(self.recipe)
        data = recipe.data(dataset, rows=self.rows)
        left = slice(self.rows, min(recipe.train_rows, self.rows + limits.VALIDATION_ROWS))
        if data.X_val is None and left.start < left.stop:
            every = recipe.data(dataset)
            data = data._replace(X_val=every.X_train[left], y_val=every.y_train[left])
        return data

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON has them."""
        return {**dataclasses.asdict(self), "hidden": list(self.hidden)}


def choices() -> dict[str, Any]:
    """Return what the page offers to choose from, as JSON has it."""
    return {
        "recipes": [
            {
                "name": recipe.name,
                "title": recipe.title,
                "source": str(recipe.source),
                "description": recipe.description,
                "target": recipe.target,
                "settings": Settings.of(recipe).to_json(),
            }
            for recipe in recipes.RECIPES.values()
        ],
        "default": recipes.DEFAULT,
        "activations": list(HIDDEN_ACTIVATIONS),
        "losses": list(OUTPUT_OF_LOSS),
        "optimizers": {name: kind().learning_rate for name, kind in OPTIMIZERS.items()},
        "limits": {
            "layers": limits.MAX_HIDDEN_LAYERS,
            "units": limits.MAX_UNITS,
            "batch_size": limits.MAX_BATCH,
            "epochs": limits.MAX_EPOCHS,
        },
    }


def _optimizer(present: Optimizer, name: str, learning_rate: float) -> Optimizer:
    """Return the recipe's optimizer with this learning rate, or one of another kind with its defaults."""
    kind = OPTIMIZERS[name]
    return dataclasses.replace(present if type(present) is kind else kind(), learning_rate=learning_rate)
