"""Plots of data, training, predictions and networks (floor 9).

Every function returns what it drew on, so that titles, sizes and files stay matplotlib's own matter. A function that
draws one panel takes ``ax=``, the Axes to draw on; `history`, which may draw two, takes ``axes=``. Without them there
is a new figure. Text has the colour of matplotlib's settings, and what is drawn suits it: with a dark style pictures
are dark. Nothing is said by colour alone, and colours are told apart by the colour-blind.

Examples
--------
>>> from fastmlp import History, plots
>>> history = History()
>>> history.append(epoch=1, loss=0.5)
>>> history.append(epoch=2, loss=0.25)
>>> with plots.theme("dark"):
...     (axes,) = plots.history(history)
>>> axes.figure.savefig("history.png")  # doctest: +SKIP
>>> import matplotlib.pyplot
>>> matplotlib.pyplot.close(axes.figure)
"""

from .boundary import decision_boundary
from .confusion import confusion_matrix
from .curves import history
from .diagram import activations
from .gradients import gradients
from .look import theme
from .rates import learning_rates
from .samples import mistakes, predictions, sample_grid
from .surface import loss_surface
from .timings import benchmarks
from .weights import weights

__all__ = [
    "activations",
    "benchmarks",
    "confusion_matrix",
    "decision_boundary",
    "gradients",
    "history",
    "learning_rates",
    "loss_surface",
    "mistakes",
    "predictions",
    "sample_grid",
    "theme",
    "weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
