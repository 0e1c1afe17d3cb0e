"""Training samples that come block by block, as somebody reads them (floor 4; imports errors, model)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Architecture
from .dataset import Dataset, check_pair, labelled, present, settle
from .samples import Scaling
from .targets import Labels


@dataclass(frozen=True)
class Blocks:
    """What gives the blocks of an epoch, every time it is asked.

    Parameters
    ----------
    source : iterable or callable
        A list or another object that can be iterated over again and again, or a function that returns a new iterator.
        A block is a tuple ``(X, y)`` or ``(X, y, sample_weight)``.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Samples without targets, neither of the two, or an iterator, which can be used once only.

    Examples
    --------
    >>> [X for X, y, sample_weight in Blocks(lambda: iter([("rows", "labels")]))]
    ['rows']
    """

    source: Iterable[Any] | Callable[[], Iterator[Any]]

    def __post_init__(self) -> None:
        source = self.source
        if hasattr(source, "shape") or isinstance(source, str | bytes | dict):
            raise ArgumentError(
                "y is missing; give fit(X, y, ...), or in the place of both an iterable of blocks (X, y), as in a list"
            )
        if callable(source):
            return
        if not isinstance(source, Iterable):
            raise ArgumentTypeError(
                f"without y, X must be an iterable of blocks (X, y), or a function that returns one; got {source!r}"
            )
        if isinstance(source, Iterator):
            raise ArgumentTypeError(
                f"X is an iterator ({type(source).__name__}), which gives its blocks once, but every epoch needs them "
                "anew; give a list, an object with __iter__, or the function that makes the iterator"
            )

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Samples, targets and weights, or None, of every block of an epoch."""
        source = self.source() if callable(self.source) else self.source
        if not isinstance(source, Iterable):
            raise ArgumentTypeError(f"the function given as X must return an iterator over blocks, got {source!r}")
        number = 0
        for number, block in enumerate(source, start=1):
            if not isinstance(block, tuple | list) or len(block) not in (2, 3):
                raise ArgumentTypeError(
                    f"block {number} must be a tuple (X, y) or (X, y, sample_weight), got {_short(block)}; "
                    "if it is a row of X, y is missing"
                )
            yield block[0], block[1], (block[2] if len(block) == 3 else None)
        if number == 0:
            raise ArgumentError("X gave no blocks; an epoch needs at least one")


def block_data(
    architecture: Architecture,
    source: Any,
    *,
    labels: Labels | None,
    scaling: str | Scaling,
    X_val: Any = None,
    y_val: Any = None,
    **unknown: Any,
) -> tuple[Dataset, Labels, Callable[[], Iterator[Dataset]]]:
    """Check samples that come in blocks, of which the first decides what labels and scaling there are.

    Parameters
    ----------
    architecture : Architecture
    source : iterable or callable
        See `Blocks`.
    labels, scaling, X_val, y_val
        As in `training_data`.
    **unknown
        By name, arguments that would need all rows before the first block is trained on; None where they weren't given.

    Returns
    -------
    first : Dataset
        The first block, with the validation data.
    labels : Labels
    blocks : callable
        ``blocks()`` gives the checked blocks of an epoch.
    """
    check_pair(X_val, y_val)
    for name, value in unknown.items():
        if value is not None:
            remedy = {"validation_split": "X_val and y_val"}.get(
                name, "a third entry in the blocks, (X, y, sample_weight)"
            )
            raise ArgumentError(f"{name} needs all samples at once, but they come in blocks; use {remedy} instead")
    given = Blocks(source)

    def checked(
        number: int, block: tuple[Any, Any, Any], labels: Labels | None, scaling: Scaling | None
    ) -> tuple[Dataset, Labels]:
        X, y, sample_weight = block
        names = f"X of block {number}", f"y of block {number}", f"sample_weight of block {number}"
        return labelled(
            architecture,
            X,
            y,
            labels=labels,
            scaling=scaling,
            sample_weight=sample_weight,
            names=names,
            proportions=False,
        )

    first, known = checked(1, next(iter(given)), labels, present(scaling))
    settled = settle(scaling, first)
    first = first.scaled(settled)
    if X_val is not None:
        names = "X_val", "y_val", "sample_weight_val"
        judged = labelled(architecture, X_val, y_val, labels=known, scaling=settled, names=names)
        first = replace(first, validation=judged[0])

    def blocks() -> Iterator[Dataset]:
        for number, block in enumerate(given, start=1):
            yield checked(number, block, known, settled)[0]

    return first, known, blocks


def _short(value: Any) -> str:
    text = repr(value)
    return f"a {type(value).__name__}" if len(text) > 60 else text
