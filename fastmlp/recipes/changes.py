"""Recipes with another activation, dropout or loss (floor 9; imports errors, model)."""

from collections.abc import Callable
from dataclasses import replace

from ..errors import ArgumentError, unknown_name
from ..model.activations import ACTIVATIONS
from ..model.architecture import Dense
from .recipe import Recipe

HIDDEN_ACTIVATIONS = tuple(name for name in ACTIVATIONS if name not in ("softmax", "exponential"))
"""Activations for hidden layers; the two left out are for outputs."""

OUTPUT_OF_LOSS = {
    "cross_entropy": "softmax",
    "binary_cross_entropy": "sigmoid",
    "squared_error": "sigmoid",
    "absolute_error": "sigmoid",
    "huber": "sigmoid",
}
"""Losses that tell ten digits apart, and the output activation that comes with each."""


def with_activation(recipe: Recipe, name: str) -> Recipe:
    """Return the recipe with this activation in all hidden layers.

    Raises
    ------
    ArgumentError
        The name is not one of `HIDDEN_ACTIVATIONS`.

    Examples
    --------
    >>> from fastmlp import recipes
    >>> with_activation(recipes.get("keras"), "tanh").facts()["network"]
    '784-128-128-10, tanh hidden, softmax output'
    """
    if not isinstance(name, str) or name not in HIDDEN_ACTIVATIONS:
        raise unknown_name("activation", name, HIDDEN_ACTIVATIONS)
    return replace(_changed(recipe, lambda layer: replace(layer, activation=None)), hidden=name)


def with_dropout(recipe: Recipe, share: float) -> Recipe:
    """Return the recipe with this dropout after every hidden layer.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no hidden layer, or the share does not lie in [0, 1).

    Examples
    --------
    >>> from fastmlp import recipes
    >>> with_dropout(recipes.get("keras"), 0.2).layers
    (784, Dense(128, dropout=0.2), Dense(128, dropout=0.2), 10)
    """
    if len(recipe.layers) == 2:
        raise ArgumentError("dropout needs a hidden layer, and this network has none")
    return _changed(recipe, lambda layer: replace(layer, dropout=share))


def with_loss(recipe: Recipe, name: str) -> Recipe:
    """Return the recipe with this loss, and with the output activation of `OUTPUT_OF_LOSS` where it is a new one.

    Raises
    ------
    ArgumentError
        The name is not in `OUTPUT_OF_LOSS`.

    Examples
    --------
    >>> from fastmlp import recipes
    >>> with_loss(recipes.get("nielsen"), "cross_entropy").output
    'softmax'
    """
    if not isinstance(name, str) or name not in OUTPUT_OF_LOSS:
        raise unknown_name("loss", name, OUTPUT_OF_LOSS)
    return recipe if name == recipe.loss else replace(recipe, loss=name, output=OUTPUT_OF_LOSS[name])


def _changed(recipe: Recipe, change: Callable[[Dense], Dense]) -> Recipe:
    """Return the recipe with changed hidden layers."""
    inputs, *hidden, outputs = recipe.layers
    layers = [change(layer if isinstance(layer, Dense) else Dense(layer)) for layer in hidden]
    return replace(recipe, layers=(inputs, *layers, outputs))
