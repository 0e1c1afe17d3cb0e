"""How large gradients are in each layer, where they may vanish or explode (floor 9; imports matplotlib, numpy, checks,
engines, errors).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import explained
from ..engines.trace import LayerTrace, Trace
from ..errors import ArgumentError, ArgumentTypeError
from .answers import network_of
from .look import Colours, axes_or_new, check_canvas, colours_of, matplotlib_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

_PERCENTILES = (5, 25, 75, 95)
_BESIDE = 0.13
"""From the middle of a layer to what is drawn of it."""
_ABOVE = 0.12
"""Room for the legend, as a share of the height."""


class _Layer(NamedTuple):
    """What is drawn of a layer: the absolute values of its gradient, and of its deltas where they are known."""

    caption: str
    by_weights: Array
    deltas: Array | None


@explained
def gradients(model: Any, X: Any = None, y: Any = None, *, ax: Any = None) -> "Axes":
    """Draw the sizes of gradients layer by layer: where they shrink towards the first layer, they vanish.

    Circles are the mean of ``|dW|``, the absolute derivatives of the loss by the weights of a layer; squares that of
    ``|δ|``, by its ``z``, over all samples and units. Thick bars hold half of the values that are not zero, thin ones
    90% of them. Below stands the share of zeros in ``dW``, if there are any: of ReLU's inactive units, for instance.

    Parameters
    ----------
    model : Network, estimator of fastmlp, Trace, or what `Network.gradient` returned
        A network needs `X` and `y`. Deltas are drawn of a network and of a trace; `Network.gradient` has none.
    X : array_like, shape (n_samples, inputs), optional
    y : array_like, shape (n_samples,) or (n_samples, outputs), optional
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With a logarithmic scale.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Nothing that has gradients; a network without samples, or with samples that it doesn't take.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import Network, plots
    >>> generator = np.random.default_rng(0)
    >>> X, y = generator.normal(size=(100, 4)), generator.integers(0, 2, 100)
    >>> network = Network([4, 16, 16, 16, 2], hidden="sigmoid", seed=0)
    >>> axes = plots.gradients(network.gradient(X, y))
    >>> [f"{size:.4f}" for size in axes.lines[0].get_ydata()]
    ['0.0003', '0.0021', '0.0125', '0.1175']
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    layers = _layers(model, X, y)
    canvas = axes_or_new(ax, max(4.6, 1.6 + 0.85 * len(layers)), 3.8)
    colours = colours_of(canvas)
    drawn = [("mean |dW|", [layer.by_weights for layer in layers], "o", "-", colours.first)]
    if all(layer.deltas is not None for layer in layers):
        drawn.append(("mean |δ|", [layer.deltas for layer in layers], "s", "--", colours.second))  # type: ignore[misc]
    for number, (label, values, marker, line, colour) in enumerate(drawn):
        places = np.arange(1, len(layers) + 1) + (0 if len(drawn) == 1 else (2 * number - 1) * _BESIDE)
        _draw_sizes(canvas, places, values, colour, {"marker": marker, "linestyle": line, "label": label})
    _finish(canvas, layers, colours)
    return canvas


def _layers(model: Any, X: Any, y: Any) -> list[_Layer]:
    """Return the layers of a trace, of a gradient, or of a network on samples."""
    if isinstance(model, Trace):
        if model.y is None:
            raise ArgumentError("this trace has no gradients, since it was made without y; give net.trace(X, y)")
        return [_traced(layer) for layer in model.layers]
    if isinstance(model, tuple | list):
        with_objective = len(model) == 2 and isinstance(model[0], int | float | np.number)
        return _of_gradient(model[1] if with_objective else model)
    network = network_of(model)
    if X is None or y is None:
        raise ArgumentError("gradients of a network need samples; give X and y: plots.gradients(net, X, y)")
    return [_traced(layer) for layer in network.trace(X, y).layers]


def _traced(layer: LayerTrace) -> _Layer:
    assert layer.dW is not None and layer.delta is not None
    return _Layer(f"{layer.number}\n{layer.activation}", np.abs(layer.dW).ravel(), np.abs(layer.delta).ravel())


def _of_gradient(pairs: Any) -> list[_Layer]:
    try:
        sizes = [np.abs(np.asarray(dW, dtype=float)).ravel() for dW, _ in pairs]
    except (TypeError, ValueError):
        sizes = []
    if not sizes:
        raise ArgumentTypeError(
            "model must be a Network, a Trace, or what net.gradient(X, y) returned: a pair of the objective and a list "
            "of (dW, db)"
        )
    return [_Layer(str(number), values, None) for number, values in enumerate(sizes, start=1)]


def _draw_sizes(axes: "Axes", places: Array, values: Sequence[Array], colour: str, look: dict[str, Any]) -> None:
    """Draw the mean size of each layer, and bars of percentiles behind it; means of zero are left out."""
    means = np.array([float(part.mean(dtype=float)) for part in values])
    axes.plot(places, np.where(means > 0, means, np.nan), color=colour, linewidth=1.6, markersize=7, zorder=3, **look)
    for place, part in zip(places, values, strict=True):
        above = part[part > 0]
        if len(above):
            least, low, high, most = np.percentile(above, _PERCENTILES)
            axes.vlines(place, least, most, color=colour, linewidth=1.2, alpha=0.6)
            axes.vlines(place, low, high, color=colour, linewidth=7, alpha=0.3)


def _finish(axes: "Axes", layers: Sequence[_Layer], colours: Colours) -> None:
    first, last = (float(layer.by_weights.mean(dtype=float)) for layer in (layers[0], layers[-1]))
    axes.set_yscale("log")
    axes.set_xticks(np.arange(1, len(layers) + 1), [_with_zeros(layer) for layer in layers])
    axes.set(xlim=(0.5, len(layers) + 0.5), xlabel="layer", ylabel="absolute value")
    if len(layers) > 1 and last > 0:
        axes.set_title(f"Gradient of layer 1: {_part(first / last)} that of layer {len(layers)}")
    elif last == 0:
        axes.set_title("All gradients of the last layer are 0")
    else:
        axes.set_title("Gradient of the only layer")
    if not any(layer.by_weights.any() for layer in layers):
        axes.yaxis.set_major_locator(matplotlib_part("ticker").NullLocator())
    axes.grid(axis="y", color=colours.quiet, alpha=0.3, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** _ABOVE)
    axes.legend(frameon=False, labelcolor=colours.ink, fontsize=9, loc="upper left", ncols=2)


def _with_zeros(layer: _Layer) -> str:
    zeros = 1 - np.count_nonzero(layer.by_weights) / max(1, layer.by_weights.size)
    return layer.caption if zeros == 0 else f"{layer.caption}\n{_share(zeros)} zero"


def _share(share: float) -> str:
    return "<1%" if share < 0.01 else f"{share:.0%}"


def _part(ratio: float) -> str:
    """Return a ratio in words.

    Examples
    --------
    >>> _part(0.0000123), _part(0.25), _part(12.34), _part(0.0)
    ('1/81,000 of', '0.25 times', '12 times', '0 times')
    """
    if 0 < ratio < 0.1:
        return f"1/{float(f'{1 / ratio:.2g}'):,.0f} of"
    return f"{float(f'{ratio:.2g}'):g} times"
