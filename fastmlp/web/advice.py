"""What to do when learning stalls, explodes or overfits (floor 10)."""

import math
from collections.abc import Sequence

from .settings import Settings

_Row = dict[str, float | None]


def advice(settings: Settings, rows: Sequence[_Row], *, is_over: bool = False, diverged: bool = False) -> str:
    """Return a remedy for what a training's epochs show, or nothing.

    Parameters
    ----------
    settings : Settings
    rows : sequence of dict
        An epoch each, with ``loss``, ``accuracy`` and, where there was validation, ``val_loss``.
    is_over : bool
        Whether the training has ended.
    diverged : bool
        Whether it ended because its loss was not finite.

    Returns
    -------
    str
        One or two sentences; empty where nothing is wrong.
    """
    if diverged or any(row.get("loss") is None for row in rows):
        return (
            f"The loss is no longer finite: the steps are too large. Divide the learning rate by 10, to "
            f"{settings.learning_rate / 10:g}."
        )
    if len(rows) < 3:
        return ""
    losses = [_number(row, "loss") for row in rows]
    for found in (_growing(settings, losses), _stalled(settings, rows, losses), _overfitting(rows)):
        if found:
            return found
    judged = [_number(row, "val_loss") for row in rows] if "val_loss" in rows[-1] else losses
    if is_over and judged[-1] < 0.97 * judged[-2]:
        return "The loss was still falling quickly at the end. Train for more epochs."
    return ""


def _growing(settings: Settings, losses: Sequence[float]) -> str:
    if losses[-1] < 1.3 * min(losses) or losses[-1] < 1.05 * losses[0]:
        return ""
    return (
        f"The loss has grown from {min(losses):.2f} to {losses[-1]:.2f}: the steps are too large. Divide the learning "
        f"rate by 10, to {settings.learning_rate / 10:g}."
    )


def _stalled(settings: Settings, rows: Sequence[_Row], losses: Sequence[float]) -> str:
    accuracy = rows[-1].get("accuracy")
    if accuracy is None or accuracy > 0.3 or max(losses) - min(losses[1:]) > 0.05 * max(losses):
        return ""
    stays = f"The loss stays at {losses[-1]:.2f}"
    if settings.loss == "cross_entropy" and abs(losses[-1] - math.log(10)) < 0.05:
        stays += ", which is guessing one of ten digits (the logarithm of 10)"
    if settings.activation in ("sigmoid", "tanh") and len(settings.hidden) > 1:
        cause = "gradients vanish in several layers of this activation. Use relu, or one hidden layer"
    elif settings.activation == "relu" and settings.learning_rate >= 0.5:
        cause = (
            f"large steps may have turned every unit off. Divide the learning rate by 10, to "
            f"{settings.learning_rate / 10:g}"
        )
    else:
        cause = (
            f"the steps are too small, or so large that the units are saturated. Try a learning rate of "
            f"{settings.learning_rate * 10:g}, then one of {settings.learning_rate / 10:g}"
        )
    return f"{stays}: {cause}."


def _overfitting(rows: Sequence[_Row]) -> str:
    validated = [_number(row, "val_loss") for row in rows]
    if not all(map(math.isfinite, validated)):
        return ""
    best = validated.index(min(validated))
    if best + 3 > len(rows) or validated[-1] < 1.1 * validated[best] or _number(rows[-1], "loss") > validated[best]:
        return ""
    return (
        f"Validation loss was lowest after epoch {best + 1} and has risen since: the network overfits. Train on more "
        "rows, stop earlier, or add dropout (0.2) or an L2 penalty (0.0001)."
    )


def _number(row: _Row, name: str) -> float:
    value = row.get(name)
    return math.nan if value is None else value
