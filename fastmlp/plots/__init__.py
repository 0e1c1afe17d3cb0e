"""Pictures of data, training, answers and networks (floor 9).

Every function draws on the Axes that it is given, or on a new figure, and returns what it drew on, so that titles,
sizes and files stay matplotlib's own matter. Text has the colour of matplotlib's settings, and what is drawn suits it:
with a dark style pictures are dark. Nothing is said by colour alone, and colours are told apart by the colour-blind.

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

from .confusion import confusion_matrix
from .curves import history
from .diagram import activations
from .look import theme
from .samples import mistakes, predictions, sample_grid
from .timings import benchmarks
from .weights import weights

__all__ = [
    "activations",
    "benchmarks",
    "confusion_matrix",
    "history",
    "mistakes",
    "predictions",
    "sample_grid",
    "theme",
    "weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
