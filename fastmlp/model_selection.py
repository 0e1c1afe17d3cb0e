"""scikit-learn's searches, whose fits run in threads (floor 10; imports joblib, sklearn, errors, estimators,
executors, many).

A search trains hundreds of networks. scikit-learn runs them in processes, which have to be started and given the data.
Kernels release Python's lock, so threads of one process do: nothing is started, and the data are there. Everything
else, from the splits to the scores, is scikit-learn's own code.
"""

import importlib.util
from typing import Any, Self

from .errors import ArgumentTypeError, require

if importlib.util.find_spec("sklearn") is None:
    raise require("sklearn", "scikit-learn")

import joblib
from joblib.parallel import ThreadingBackend
from sklearn import model_selection as theirs
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV as _TheirHalvingRandomSearchCV
from sklearn.pipeline import Pipeline

from .estimators.base import BaseMLP
from .estimators.fold_memory import FoldMemory
from .estimators.many_fits import ManyFits
from .estimators.together import FitsByExecutor
from .executors import check_executor, check_travels, workers_of
from .many import at_once

__all__ = ["GridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"]


def __dir__() -> list[str]:
    return sorted(__all__)


class _Threads(ThreadingBackend):
    """Threads in which a fit has one thread of its own; Ctrl-C ends the fits under way."""

    def __init__(self, many: ManyFits) -> None:
        super().__init__()
        self._many = many

    def configure(self, n_jobs: int = 1, **options: Any) -> Any:
        jobs = super().configure(n_jobs=n_jobs, **options)
        self._many.threads = 1
        return jobs

    def abort_everything(self, ensure_ready: bool = True) -> None:
        self._many.stop()
        super().abort_everything(ensure_ready=ensure_ready)

    def terminate(self) -> None:
        super().terminate()
        self._many.leave_alone()  # the last fit, with the best parameters, has the machine for itself


class _Search:
    """What all searches have of their own."""

    estimator: Any

    def fit(self, X: Any, y: Any = None, *, executor: Any = None, **params: Any) -> Self:
        """Try all candidates on all splits, and fit the best one on all samples.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        y : array_like, shape (n_samples,) or (n_samples, n_outputs)
        executor : Executor, optional
            Has its workers fit the networks, with the same results; see `fastmlp.fit_many`. The steps before the
            network are fitted in this process.
        **params
            As in scikit-learn: ``groups`` for the splits, and what `fit` of the estimator takes, such as
            ``sample_weight``.

        Returns
        -------
        The search.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            The estimator is none of fastmlp, nor a pipeline that ends in one; or it can't travel to a worker.
        """
        check_executor(executor)
        given, many, jobs = self.estimator, ManyFits(is_search=True), at_once(0, 2**16, "auto")
        if executor is not None:
            check_travels([("estimator", given)])
            many, jobs = FitsByExecutor(executor), 2 * workers_of(executor)
        self.estimator = _sharing(given, many)
        try:
            with joblib.parallel_config(backend=_Threads(many), n_jobs=jobs):
                super().fit(X, y, **params)  # type: ignore[misc]
        finally:
            self.estimator = given
        best = getattr(self, "best_estimator_", None)
        if best is not None:
            vars(_last_of(best)).pop("_many", None)
            if isinstance(best, Pipeline):
                best.memory = given.memory
        return self


def _sharing(estimator: Any, many: ManyFits) -> Any:
    """Return a clone whose clones share what many fits share."""
    if not isinstance(_last_of(estimator), BaseMLP):
        raise ArgumentTypeError(
            "estimator must be an MLPClassifier or MLPRegressor of fastmlp.estimators, or a Pipeline that ends in one, "
            f"got {estimator!r}; for others use sklearn.model_selection"
        )
    cloned = clone(estimator)
    _last_of(cloned)._many = many
    if isinstance(cloned, Pipeline) and cloned.memory is None:
        cloned.memory = FoldMemory()
    return cloned


def _last_of(estimator: Any) -> Any:
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


class GridSearchCV(_Search, theirs.GridSearchCV):
    """scikit-learn's `GridSearchCV` for networks: the same parameters, attributes and scores, in less time.

    Fits run in threads of this process. In a pipeline, the steps before the network are fitted once for each fold, and
    not for each candidate.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
        Of `fastmlp.estimators`; a pipeline ends in one.
    param_grid : dict or list of dict
    n_jobs : int or None, default None
        How many fits run at a time; None is as many as there are processors. The result does not depend on it.
    scoring, refit, cv, verbose, pre_dispatch, error_score, return_train_score
        As in scikit-learn.

    Attributes
    ----------
    cv_results_, best_estimator_, best_score_, best_params_, best_index_, scorer_, n_splits_, refit_time_, \
multimetric_, classes_, n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.estimators import MLPClassifier
    >>> from fastmlp.model_selection import GridSearchCV
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = X[:, 0] * X[:, 1] > 0
    >>> network = MLPClassifier(16, max_iter=100, random_state=0)
    >>> search = GridSearchCV(network, {"learning_rate_init": [1e-4, 0.05]}, cv=3).fit(X, y)
    >>> search.best_params_
    {'learning_rate_init': 0.05}
    """


class RandomizedSearchCV(_Search, theirs.RandomizedSearchCV):
    """scikit-learn's `RandomizedSearchCV` for networks; see `GridSearchCV`.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
    param_distributions : dict or list of dict
    n_iter : int, default 10
    n_jobs : int or None, default None
        As in `GridSearchCV`.
    scoring, refit, cv, verbose, pre_dispatch, random_state, error_score, return_train_score
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform
    >>> from fastmlp.estimators import MLPRegressor
    >>> from fastmlp.model_selection import RandomizedSearchCV
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> network = MLPRegressor(hidden_layer_sizes=8, max_iter=20, random_state=0)
    >>> rates = {"learning_rate_init": loguniform(1e-3, 1e-1)}
    >>> search = RandomizedSearchCV(network, rates, n_iter=4, cv=2, random_state=0).fit(X, X[:, 0])
    >>> len(search.cv_results_["params"])
    4
    """


class HalvingRandomSearchCV(_Search, _TheirHalvingRandomSearchCV):
    """scikit-learn's `HalvingRandomSearchCV` for networks; see `GridSearchCV`.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor or Pipeline
    param_distributions : dict or list of dict
    resource : str, default "n_samples"
        What each round has more of; ``"max_iter"`` gives the better candidates more epochs.
    n_jobs : int or None, default None
        As in `GridSearchCV`.
    n_candidates, factor, max_resources, min_resources, aggressive_elimination, cv, scoring, refit, error_score, \
return_train_score, random_state, verbose
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform
    >>> from fastmlp.estimators import MLPClassifier
    >>> from fastmlp.model_selection import HalvingRandomSearchCV
    >>> X = np.random.default_rng(0).normal(size=(120, 2))
    >>> network = MLPClassifier(8, random_state=0)
    >>> rates = {"learning_rate_init": loguniform(1e-4, 1e-1)}
    >>> more_epochs = {"resource": "max_iter", "min_resources": 5, "max_resources": 20}
    >>> search = HalvingRandomSearchCV(network, rates, n_candidates=4, factor=2, cv=2, random_state=0, **more_epochs)
    >>> search.fit(X, X[:, 0] > 0).n_iterations_
    3
    """
