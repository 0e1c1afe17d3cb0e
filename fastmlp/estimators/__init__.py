"""`MLPClassifier`, `MLPRegressor` and ensembles of them: estimators with scikit-learn's names and contract (floor 9;
imports errors).

They take the place of those of ``sklearn.neural_network``: change the import, and the same parameters give the same
mathematics. What scikit-learn has not is said with each class.
"""

import importlib.util

from ..errors import require

if importlib.util.find_spec("sklearn") is None:
    raise require("sklearn", "scikit-learn")

from .classifier import MLPClassifier
from .ensembles import MLPEnsembleClassifier, MLPEnsembleRegressor
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPEnsembleClassifier", "MLPEnsembleRegressor", "MLPRegressor"]


def __dir__() -> list[str]:
    return sorted(__all__)
