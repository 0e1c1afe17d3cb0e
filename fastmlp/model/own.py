"""Activations and losses of a user's own, in NumPy (floor 1; imports numpy, checks, errors).

`register_activation` and `register_loss` add a function to the registry under a name, which then goes wherever the
built-in names go. What is registered is compared with numeric differences first: a wrong derivative trains a network
badly and says nothing. The NumPy engine runs such functions, and the engine of loops those that are given for one
number too; the formulas of the SIMD engine are compiled in.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_switch, naming
from ..errors import ArgumentError, ArgumentTypeError
from .activations import ACTIVATIONS, Activation, get_activation
from .architecture import Architecture
from .initializers import get_initializer
from .losses import LOSSES, Loss, get_loss

Array = NDArray[Any]

_BUILT_IN_ACTIVATIONS, _BUILT_IN_LOSSES = frozenset(ACTIVATIONS), frozenset(LOSSES)

_STEP, _TOLERANCE = 1e-6, 1e-5
"""Step of the numeric differences, and the largest error of a derivative, both for numbers of size one."""

_ROWS, _UNITS = 6, 3


def register_activation(
    name: str,
    forward: Callable[[Array], Array],
    backward: Callable[[Array, Array, Array], Array],
    *,
    initializer: str = "xavier_uniform",
    scalar: tuple[Callable[[float], float], Callable[[float, float], float]] | None = None,
    check: bool = True,
) -> None:
    """Add an activation of your own, which networks and estimators then take by its name.

    Networks that have it run on the NumPy engine, which ``engine="auto"`` chooses for them; that is slower than
    ``engine="numba"``, which refuses such networks. With `scalar` they run with ``engine="loops"`` too.

    Parameters
    ----------
    name : str
        Letters, digits and underscores; not the name of a built-in activation. A name that you registered before gets
        the new functions, in networks that are there already too.
    forward : callable
        ``a = forward(z)``: the activations of the weighted inputs, both of shape (samples, units) and of the same
        dtype, float32 or float64.
    backward : callable
        ``dz = backward(z, a, da)``: the chain rule. It turns the derivative of the loss by ``a`` into that by ``z``;
        where each unit is on its own, ``da`` times the derivative of ``forward`` at ``z``.
    initializer : str, default "xavier_uniform"
        What the initializer "auto" stands for in front of this activation; "he_uniform" suits functions like relu.
    scalar : tuple of two callables, optional
        The same for one unit: ``f(z)``, and its derivative ``derivative(z, a)`` where ``a = f(z)``. Numba compiles
        them: use Python's operators and ``math``.
    check : bool, default True
        Whether to compare `backward` with numeric differences of `forward` at some random points.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The name is built in or can't be a name, a result has another shape or dtype, or is not finite, or the
        derivative is wrong; nothing was registered.

    See Also
    --------
    register_loss : The same for a loss.

    Notes
    -----
    Files and pickles of networks hold the name, not the functions: register it in the program that loads them, before
    it loads.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp
    >>> def forward(z):
    ...     return np.sqrt(z * z + 1) + z
    >>> def backward(z, a, da):
    ...     return da * (z / np.sqrt(z * z + 1) + 1)
    >>> fastmlp.register_activation("bent", forward, backward)
    >>> net = fastmlp.Network([2, 8, 1], hidden="bent", loss="squared_error", seed=0)
    >>> history = net.fit(np.eye(2), np.array([0.0, 1.0]), epochs=3, verbose=0)
    >>> net
    Network([2, Dense(8, 'bent'), Dense(1, 'identity')], loss='squared_error', seed=0)

    A wrong derivative is refused:

    >>> fastmlp.register_activation("cube", lambda z: z**3, lambda z, a, da: da * z**2)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    fastmlp.errors.ArgumentError: backward of the activation 'cube' gives ...
    """
    _check_name(name, "activation", _BUILT_IN_ACTIVATIONS)
    _check_callables({"forward": (forward, "z"), "backward": (backward, "z, a, da")})
    with naming("initializer"):
        get_initializer(initializer)
    if not isinstance(initializer, str):
        raise ArgumentTypeError(f"initializer must be a name, such as 'he_uniform'; got {initializer!r}")
    for dtype in (np.float32, np.float64):
        z, da = _random(dtype)
        a = forward(z.copy())
        _check_result(a, z, f"forward of the activation {name!r}")
        _check_result(backward(z.copy(), a.copy(), da.copy()), z, f"backward of the activation {name!r}")
    own = _check_scalar(scalar)
    if check_switch(check, "check"):
        dz = backward(z, forward(z), da)
        numeric = _numeric(lambda moved: float((da * forward(moved)).sum()), z)
        _compare_derivative(dz, numeric, f"backward of the activation {name!r}", "forward")
    if own is not None:
        a, derivative = forward(z), backward(z, forward(z), np.ones_like(z))
        _compare_scalar(own[0], (z,), a, f"scalar[0] of the activation {name!r}", "forward")
        _compare_scalar(own[1], (z, a), derivative, f"scalar[1] of the activation {name!r}", "backward")
    ACTIVATIONS[name] = Activation(name, forward, backward, initializer, own)


def register_loss(
    name: str,
    value: Callable[[Array, Array], Array],
    gradient: Callable[[Array, Array], Array],
    *,
    output: str = "identity",
    scalar: tuple[Callable[[float, float], float], Callable[[float, float], float]] | None = None,
    check: bool = True,
) -> None:
    """Add a loss of your own, which networks then take by its name.

    Networks that have it run on the NumPy engine, which ``engine="auto"`` chooses for them; that is slower than
    ``engine="numba"``, which refuses such networks. With `scalar` they run with ``engine="loops"`` too.

    Parameters
    ----------
    name : str
        As in `register_activation`.
    value : callable
        ``value(a, y)``: the loss of each sample, shape (samples,), from outputs and targets, each of shape (samples,
        outputs) and of the same dtype, float32 or float64. Labels come as one-hot rows.
    gradient : callable
        ``gradient(a, y)``: its derivative by ``a``, shape (samples, outputs).
    output : str, default "identity"
        The activation of the output layer where the network names none.
    scalar : tuple of two callables, optional
        The same for one output, where the loss is a sum over outputs: ``f(a, y)``, and its derivative by ``a``,
        ``derivative(a, y)``. Numba compiles them: use Python's operators and ``math``.
    check : bool, default True
        Whether to compare `gradient` with numeric differences of `value`, at random outputs between 0 and 1.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        As in `register_activation`; or `output` is no activation.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp
    >>> def value(a, y):
    ...     return np.log(np.cosh(a - y)).sum(axis=1)
    >>> def gradient(a, y):
    ...     return np.tanh(a - y)
    >>> fastmlp.register_loss("log_cosh", value, gradient)
    >>> net = fastmlp.Network([2, 8, 1], loss="log_cosh", seed=0)
    >>> history = net.fit(np.eye(2), np.array([0.0, 1.0]), epochs=3, verbose=0)
    >>> net.evaluate(np.eye(2), np.array([0.0, 1.0])).loss < history.loss[0]
    True
    """
    _check_name(name, "loss", _BUILT_IN_LOSSES)
    _check_callables({"value": (value, "a, y"), "gradient": (gradient, "a, y")})
    if not isinstance(output, str) or output not in ACTIVATIONS:
        raise ArgumentError(f"output must be the name of an activation ({', '.join(ACTIVATIONS)}), got {output!r}")
    for dtype in (np.float32, np.float64):
        a, y = (0.1 + 0.8 / (1 + np.exp(-numbers)) for numbers in _random(dtype))
        _check_result(value(a.copy(), y.copy()), a[:, 0], f"value of the loss {name!r}")
        _check_result(gradient(a.copy(), y.copy()), a, f"gradient of the loss {name!r}")
    own = _check_scalar(scalar)
    if check_switch(check, "check"):
        numeric = _numeric(lambda moved: float(value(moved, y).sum()), a)
        _compare_derivative(gradient(a, y), numeric, f"gradient of the loss {name!r}", "value")
    if own is not None:
        sums = np.array([sum(map(own[0], row.tolist(), wanted.tolist())) for row, wanted in zip(a, y, strict=True)])
        _compare(sums, value(a, y), f"scalar[0] of the loss {name!r}, summed over outputs,", "value")
        _compare_scalar(own[1], (a, y), gradient(a, y), f"scalar[1] of the loss {name!r}", "gradient")
    functions = (lambda z, a, y: value(a, y)), (lambda z, a, y: gradient(a, y))
    LOSSES[name] = Loss(name, *functions, output, scalar=own)


def own_functions(architecture: Architecture, without_scalar: bool = False) -> list[str]:
    """Say which registered functions a network has, such as ``["the activation 'bent'"]``; none is the empty list.

    `without_scalar`: only those that are not given for one number too.
    """
    found = own_activations(architecture, without_scalar)
    loss = architecture.loss
    if loss not in _BUILT_IN_LOSSES and not (without_scalar and get_loss(loss).scalar):
        found.append(f"the loss {loss!r}")
    return found


def own_activations(architecture: Architecture, without_scalar: bool = False) -> list[str]:
    """Say which of them are activations."""
    names = sorted({layer.activation for layer in architecture.layers} - _BUILT_IN_ACTIVATIONS)
    return [
        f"the activation {name!r}" for name in names if not (without_scalar and get_activation(name).scalar is not None)
    ]


def _check_name(name: object, kind: str, built_in: frozenset[str]) -> None:
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name must be text, got {name!r}")
    if not name.isidentifier() or len(name) > 100:
        raise ArgumentError(f"name must be letters, digits and underscores, such as 'my_{kind}'; got {name[:100]!r}")
    if name in built_in:
        raise ArgumentError(f"the {kind} {name!r} is built in; choose another name")


def _check_callables(functions: Mapping[str, tuple[object, str]]) -> None:
    """Say so where one is no function, or can't be called with the arguments that it gets."""
    for argument, (function, taken) in functions.items():
        if not callable(function):
            raise ArgumentTypeError(f"{argument} must be a function, got {function!r}")
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # functions written in C may have none
            continue
        try:
            signature.bind(*taken.split(", "))
        except TypeError as error:
            raise ArgumentTypeError(
                f"{argument} is called as {argument}({taken}), which this function can't be: {error}"
            ) from None


def _check_scalar(scalar: Any) -> tuple[Callable[..., float], Callable[..., float]] | None:
    """Return the two functions of one number, or say that there must be two."""
    if scalar is None:
        return None
    if not isinstance(scalar, tuple | list) or len(scalar) != 2 or not all(map(callable, scalar)):
        raise ArgumentTypeError(f"scalar must be a pair of functions, (f, derivative), got {scalar!r}")
    return scalar[0], scalar[1]


def _random(dtype: Any) -> tuple[Array, Array]:
    """Return two tables of numbers of both signs, always the same ones."""
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(2, _ROWS, _UNITS))
    return first.astype(dtype), second.astype(dtype)


def _check_result(result: object, like: Array, what: str) -> None:
    """Say so where a function's result is not an array of the shape and dtype of `like`, or not finite."""
    if not isinstance(result, np.ndarray) or result.shape != like.shape:
        shape = result.shape if isinstance(result, np.ndarray) else type(result).__name__
        raise ArgumentError(f"{what} must return an array of shape {like.shape} for {_ROWS} samples, got {shape}")
    if result.dtype != like.dtype:
        raise ArgumentError(
            f"{what} must return {like.dtype} for {like.dtype}, got {result.dtype}; write constants as plain Python "
            "numbers, or end with .astype(z.dtype)"
        )
    if not np.isfinite(result).all():
        raise ArgumentError(f"{what} must return finite numbers; it gave {result[~np.isfinite(result)][0]}")


def _numeric(function: Callable[[Array], float], at: Array) -> Array:
    """Return the derivative of a function by every number of a float64 table, by central differences."""
    derivative = np.empty_like(at)
    for place in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[place] += _STEP
        down[place] -= _STEP
        derivative[place] = (function(up) - function(down)) / (2 * _STEP)
    return derivative


def _compare_scalar(
    function: Callable[..., float], given: tuple[Array, ...], wanted: Array, what: str, of: str
) -> None:
    numbers = [function(*one) for one in zip(*(table.ravel().tolist() for table in given), strict=True)]
    _compare(np.reshape(numbers, wanted.shape), wanted, what, of)


def _compare_derivative(given: Array, numeric: Array, what: str, of: str) -> None:
    try:
        _compare(given, numeric, what, f"the numeric derivative of {of}")
    except ArgumentError as error:
        raise ArgumentError(f"{error}, or register it with check=False if that is intended") from None


def _compare(given: Array, wanted: Array, what: str, of: str) -> None:
    errors = np.abs(given - wanted) / np.maximum(1, np.abs(wanted))
    place = np.unravel_index(errors.argmax(), errors.shape)
    if not errors[place] <= _TOLERANCE:
        raise ArgumentError(f"{what} gives {given[place]:.6g} where {of} gives {wanted[place]:.6g}; mend one of them")
