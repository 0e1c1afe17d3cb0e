"""Parts of a recipe in words (floor 9; imports model, data)."""

from dataclasses import fields
from typing import Any

from ..data.augmentation import get_augmentation
from ..model.architecture import Dense
from ..model.initializers import Initializer, Normal, Uniform, Zeros, get_initializer
from ..model.optimizers import Optimizer


def optimizer_in_words(optimizer: Optimizer) -> str:
    """Return an optimizer with its learning rate and what else is not its default.

    Examples
    --------
    >>> from fastmlp import SGD, Adam
    >>> optimizer_in_words(SGD(3.0)), optimizer_in_words(Adam(0.001, epsilon=1e-7))
    ('SGD(3)', 'Adam(0.001, epsilon=1e-07)')
    """
    others = [
        f"{field.name}={value if isinstance(value, bool) else format(value, 'g')}"
        for field in fields(optimizer)
        if field.name != "learning_rate" and (value := getattr(optimizer, field.name)) != field.default
    ]
    return f"{type(optimizer).__name__}({', '.join([f'{optimizer.learning_rate:g}', *others])})"


def initializer_in_words(initializer: str | Initializer) -> str:
    """Return an initializer as mathematics write it, where they do.

    Examples
    --------
    >>> initializer_in_words("normal"), initializer_in_words("he_uniform")
    ('N(0, 1)', 'he_uniform')
    """
    resolved = get_initializer(initializer)
    if isinstance(resolved, Zeros):
        return "zero"
    if isinstance(resolved, Normal):
        return f"N({resolved.mean:g}, {resolved.std:g})"
    if isinstance(resolved, Uniform):
        return f"uniform from {resolved.low:g} to {resolved.high:g}"
    return initializer if isinstance(initializer, str) else repr(initializer)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "epoch"), counted(1000, "epoch")
    ('1 epoch', '1,000 epochs')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def facts_of(recipe: Any) -> dict[str, str]:
    """Return a recipe's settings in words; see `Recipe.facts`."""
    activations = (
        f"{recipe.hidden} hidden, {recipe.output} output" if len(recipe.layers) > 2 else f"{recipe.output} output"
    )
    dropout = [f"{layer.dropout:g}" for layer in recipe.layers if isinstance(layer, Dense) and layer.dropout]
    start = f"weights {initializer_in_words(recipe.initializer)}"
    start += f", biases {initializer_in_words(recipe.bias_initializer)}" if recipe.bias else ", no biases"
    rows = [f"{recipe.train_rows:,} training", f"{recipe.test_rows:,} test"]
    if recipe.validation_rows:
        rows.insert(1, f"{recipe.validation_rows:,} validation")
    schedule = "" if recipe.schedule is None else f", schedule {recipe.schedule}"
    distortion = "" if recipe.augment is None else str(get_augmentation(recipe.augment))
    penalty = f", L2 penalty {recipe.l2:g}" if recipe.l2 else ""
    return {
        "source": str(recipe.source),
        "network": f"{recipe.shape}, {activations}" + (f", dropout {', '.join(dropout)}" if dropout else ""),
        "loss": recipe.loss.replace("_", " ") + penalty,
        "start": start,
        "pixels": {"pixels": "0 to 1", "centred_pixels": "-1 to 1"}.get(recipe.scaling, recipe.scaling),
        "rows": ", ".join(rows),
        "training": f"{optimizer_in_words(recipe.optimizer)}{schedule}, batch {recipe.batch_size}, "
        + counted(recipe.epochs, "epoch")
        + ("" if recipe.shuffle else ", rows in order"),
        **({"images": f"distorted anew in each epoch: {distortion}"} if distortion else {}),
        "reported": "no figure" if recipe.reported is None else f"{recipe.reported:.2%}",
        "target": f"{recipe.target:.1%} on the test rows, mean of 3 seeds",
    }
