"""Train multilayer perceptrons on a CPU, fast, in Python that can be read.

``Network`` is the thing to start from: ``Network([784, 30, 10]).fit(X, y, epochs=10)``. Importing fastmlp is fast: a
name is looked up when it is first used, and none but those of the compiled engine needs more than NumPy.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .architecture import Dense
    from .augmentation import Augmentation
    from .callbacks import Callback, EarlyStopping
    from .checkpoints import Checkpoint
    from .datasets import load_mnist
    from .exchange import from_keras, from_sklearn, from_torch, to_keras_weights, to_sklearn_weights, to_torch_state
    from .history import Evaluation, History
    from .initializers import Normal, Uniform, VarianceScaling, Zeros
    from .inputs import Scaling
    from .network import Network, load
    from .optimizers import SGD, Adam, AdamW, RMSprop
    from .plateau import ReduceOnPlateau
    from .schedules import Constant, Cosine, Exponential, Linear, OneCycle, Schedule, Step, WarmUp

    __version__: str

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Augmentation",
    "Callback",
    "Checkpoint",
    "Constant",
    "Cosine",
    "Dense",
    "EarlyStopping",
    "Evaluation",
    "Exponential",
    "History",
    "Linear",
    "Network",
    "Normal",
    "OneCycle",
    "RMSprop",
    "ReduceOnPlateau",
    "Scaling",
    "Schedule",
    "Step",
    "Uniform",
    "VarianceScaling",
    "WarmUp",
    "Zeros",
    "__version__",
    "errors",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "load",
    "load_mnist",
    "to_keras_weights",
    "to_sklearn_weights",
    "to_torch_state",
]

_HOMES = {
    "architecture": ("Dense",),
    "augmentation": ("Augmentation",),
    "callbacks": ("Callback", "EarlyStopping"),
    "checkpoints": ("Checkpoint",),
    "datasets": ("load_mnist",),
    "exchange": (
        "from_keras",
        "from_sklearn",
        "from_torch",
        "to_keras_weights",
        "to_sklearn_weights",
        "to_torch_state",
    ),
    "history": ("Evaluation", "History"),
    "initializers": ("Normal", "Uniform", "VarianceScaling", "Zeros"),
    "inputs": ("Scaling",),
    "network": ("Network", "load"),
    "optimizers": ("SGD", "Adam", "AdamW", "RMSprop"),
    "plateau": ("ReduceOnPlateau",),
    "schedules": ("Constant", "Cosine", "Exponential", "Linear", "OneCycle", "Schedule", "Step", "WarmUp"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = _version()
    elif name == "errors":
        value = importlib.import_module(".errors", __name__)
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("fastmlp")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return "0+unknown"
