"""The order of the gallery's examples: the first ideas first, then data, then what is done with a trained network."""

from pathlib import Path

ORDER = (
    "xor",
    "linear_collapse",
    "equal_weights",
    "learning_rates",
    "vanishing_gradients",
    "loss_surface",
    "regularisation",
    "saliency",
    "own_digits",
    "class_imbalance",
    "calibration",
    "quantile_regression",
    "categories",
    "sparse_text",
    "larger_than_memory",
    "many_networks",
    "own_callback",
    "logging",
    "optuna",
    "export",
)


class TeachingOrder:
    """Sorts the files of a folder as `ORDER` has them; one that is not there comes last.

    Parameters
    ----------
    folder : str
        What sphinx-gallery gives; the names are enough.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self, file: str) -> tuple[int, str]:
        """Return the place of a file."""
        name = Path(file).stem.removeprefix("plot_")
        return (ORDER.index(name) if name in ORDER else len(ORDER)), name
