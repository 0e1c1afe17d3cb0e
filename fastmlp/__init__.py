"""Train multilayer perceptrons fast on a CPU, in readable Python.

``Network`` is the thing to start from: ``Network([784, 30, 10]).fit(X, y, epochs=10)``. Importing fastmlp is fast: a
name is looked up when it is first used, and none but those of the compiled engine needs more than NumPy.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .data.augmentation import Augmentation
    from .data.samples import Scaling
    from .datasets import load_mnist
    from .engines.gradient_check import GradientCheck
    from .engines.trace import LayerTrace, Trace
    from .ensemble import Ensemble
    from .interop import from_keras, from_sklearn, from_torch, to_keras_weights, to_sklearn_weights, to_torch_state
    from .many import Fitted, fit_many
    from .model.architecture import Dense
    from .model.history import Evaluation, History
    from .model.initializers import Normal, Uniform, VarianceScaling, Zeros
    from .model.optimizers import SGD, Adam, AdamW, RMSprop
    from .model.own import register_activation, register_loss
    from .model.schedules import Constant, Cosine, Exponential, Linear, OneCycle, Schedule, Step, WarmUp
    from .network import Network, load
    from .rate_search import LearningRateSearch, find_learning_rate
    from .training.callbacks import Callback, EarlyStopping
    from .training.checkpoints import Checkpoint
    from .training.csv_log import CSVLogger
    from .training.plateau import ReduceOnPlateau

__version__ = "0.1.0"
"""The one place that says it: the build and ``fastmlp --version`` read it here."""

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Augmentation",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Constant",
    "Cosine",
    "Dense",
    "EarlyStopping",
    "Ensemble",
    "Evaluation",
    "Exponential",
    "Fitted",
    "GradientCheck",
    "History",
    "LayerTrace",
    "LearningRateSearch",
    "Linear",
    "Network",
    "Normal",
    "OneCycle",
    "RMSprop",
    "ReduceOnPlateau",
    "Scaling",
    "Schedule",
    "Step",
    "Trace",
    "Uniform",
    "VarianceScaling",
    "WarmUp",
    "Zeros",
    "__version__",
    "errors",
    "find_learning_rate",
    "fit_many",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "load",
    "load_mnist",
    "register_activation",
    "register_loss",
    "to_keras_weights",
    "to_sklearn_weights",
    "to_torch_state",
]

_HOMES = {
    "data.augmentation": ("Augmentation",),
    "data.samples": ("Scaling",),
    "datasets": ("load_mnist",),
    "engines.gradient_check": ("GradientCheck",),
    "engines.trace": ("LayerTrace", "Trace"),
    "ensemble": ("Ensemble",),
    "interop": (
        "from_keras",
        "from_sklearn",
        "from_torch",
        "to_keras_weights",
        "to_sklearn_weights",
        "to_torch_state",
    ),
    "many": ("Fitted", "fit_many"),
    "model.architecture": ("Dense",),
    "model.history": ("Evaluation", "History"),
    "model.initializers": ("Normal", "Uniform", "VarianceScaling", "Zeros"),
    "network": ("Network", "load"),
    "rate_search": ("LearningRateSearch", "find_learning_rate"),
    "model.optimizers": ("SGD", "Adam", "AdamW", "RMSprop"),
    "model.own": ("register_activation", "register_loss"),
    "model.schedules": ("Constant", "Cosine", "Exponential", "Linear", "OneCycle", "Schedule", "Step", "WarmUp"),
    "training.callbacks": ("Callback", "EarlyStopping"),
    "training.checkpoints": ("Checkpoint",),
    "training.csv_log": ("CSVLogger",),
    "training.plateau": ("ReduceOnPlateau",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = ("datasets", "errors", "estimators", "formats", "images", "model_selection", "plots", "recipes")


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        value: Any = importlib.import_module(f".{name}", __name__)
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    # Whoever lists names may look at each: estimators can't be had without scikit-learn.
    missing = {"estimators", "model_selection"} if importlib.util.find_spec("sklearn") is None else set()
    return sorted({*__all__, *_ROOMS} - missing)
