"""The networks of well-known tutorials, by name, on MNIST (floor 9; imports errors).

A `Recipe` says which network its source trains, from which start, on which rows, with which optimizer and for how long,
what accuracy the source reports and which one we require. The mathematics are the source's; where its code or its data
cannot be followed, `Recipe.differences` says so. A recipe is a description: nothing is loaded or computed before
`Recipe.network`, `Recipe.data` or `Recipe.run` is called.

``recipes.get("nielsen").run()`` trains a recipe and tests it. ``run(rows=1000, epochs=5, engine="numpy", seed=1)``
trains it on fewer rows and in another way. ``print(recipes.get("nielsen").script())`` prints a Python script that
trains the recipe with `Network`.
"""

from ..errors import unknown_name
from .descriptions import RECIPES
from .recipe import Recipe, RecipeData, RecipeRun, Source

__all__ = ["DEFAULT", "RECIPES", "Recipe", "RecipeData", "RecipeRun", "Source", "get", "names"]

DEFAULT = "keras"
"""The recipe that is trained when none is named."""


def get(name: str) -> Recipe:
    """Return the recipe of this name.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    Recipe

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.

    Examples
    --------
    >>> get("keras").shape
    '784-128-128-10'
    >>> network, history, evaluation = get("nielsen").run(rows=1000, epochs=5, verbose=0)
    >>> evaluation.accuracy > 0.5
    True
    """
    if not isinstance(name, str) or name not in RECIPES:
        raise unknown_name("recipe", name, RECIPES)
    return RECIPES[name]


def names() -> list[str]:
    """Return the names of all recipes.

    Examples
    --------
    >>> names()[:2]
    ['nielsen', 'nielsen-cross-entropy']
    """
    return list(RECIPES)


def __dir__() -> list[str]:
    return sorted(__all__)
