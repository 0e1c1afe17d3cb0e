"""`MLPEnsembleClassifier` and `MLPEnsembleRegressor`: networks that answer together (floor 9; imports numpy, sklearn,
checks, errors, executors, model, data, ensemble, many).
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from ..checks import check_whole
from ..data.samples import as_samples
from ..data.scale import warn_if_badly_scaled
from ..ensemble import Ensemble
from ..errors import ArgumentError, ArgumentTypeError, unknown_name, warn
from ..executors import check_executor, check_travels
from ..many import at_once
from ..model.architecture import Array
from .base import SCALING_REMEDY, BaseMLP, for_each, keep_parameters, rules_for
from .classifier import MLPClassifier
from .regressor import MLPRegressor
from .together import Member, fit_all

RESAMPLINGS = ("seeds", "folds", "bootstrap")
"""How members differ."""

Rows = NDArray[np.int64]


class BaseEnsemble(MetaEstimatorMixin, BaseEstimator):
    """The base of both ensembles."""

    _member: type[BaseMLP]

    estimators_: list[Any]

    def fit(self, X: Any, y: Any, sample_weight: Any = None, executor: Any = None) -> Self:
        """Train all members, as many at a time as there are processors.

        Each member has the bits of its own `fit` on its rows. Ctrl-C ends the training with a warning: members that
        have finished an epoch stay. If there is none, the ensemble is what it was before.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        y : array_like, shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array_like, shape (n_samples,), optional
        executor : Executor, optional
            Has its workers train the members, with the same results; see `fastmlp.fit_many`.

        Returns
        -------
        MLPEnsembleClassifier or MLPEnsembleRegressor
            The ensemble.

        Raises
        ------
        ArgumentError, ArgumentTypeError, ValueError
            An argument that can't be used.
        DivergenceError
            Losses or weights of a member became infinite or NaN. The ensemble is what it was before.
        """
        prototype, n_members = self._prototype(), self._count()
        check_executor(executor)
        if executor is not None:
            check_travels([("estimator", prototype)])
        X, y = prototype._checked(X, y, reset=True)
        prototype._learned(y, goes_on=False, incremental=False, classes=None)
        weight = None if sample_weight is None else np.asarray(for_each(sample_weight, X.shape[0]))
        if weight is not None and weight.shape != (X.shape[0],):
            raise ArgumentError(
                f"sample_weight must have a number for each of {X.shape[0]} samples, got {weight.shape}"
            )
        if not prototype.standardize:
            names = getattr(prototype, "feature_names_in_", None)
            warn_if_badly_scaled(as_samples(X, X.shape[1], None, "X", np.dtype(X.dtype)), SCALING_REMEDY, names)
        random_state = check_random_state(self.random_state)
        seeds = random_state.randint(2**31 - 1, size=n_members)
        rows = self._resampled(X.shape[0], y, random_state)
        threads = at_once(self.n_threads or 0, n_members, "auto")
        # The rows of a member may lack a class.
        classes = prototype.classes_ if is_classifier(prototype) and y.ndim == 1 else None
        members = []
        for seed, own in zip(seeds.tolist(), rows, strict=True):
            member = self._prototype().set_params(random_state=seed)
            members.append(Member(member, own, classes))
        completed = fit_all(members, (X, y, weight), threads, executor)
        trained = [number for number, member in enumerate(members) if member.is_fitted]
        if not completed:
            warn(f"Training interrupted by user: {len(trained)} of {n_members} members have been trained.")
        if trained:
            self._keep(prototype, [members[number].estimator for number in trained])
            self._judge(X, y, weight, [rows[number] for number in trained])
        return self

    @property
    def ensemble_(self) -> Ensemble:
        """The members' networks as an `Ensemble`, which can be saved as one file."""
        check_is_fitted(self)
        for member in self.estimators_:
            member._take_over()
        return Ensemble([member.network_ for member in self.estimators_])

    def _prototype(self) -> Any:
        """Return an unfitted member."""
        if self.estimator is None:
            return self._member()
        if not isinstance(self.estimator, self._member):
            raise ArgumentTypeError(
                f"estimator must be a {self._member.__name__} of fastmlp.estimators, got {self.estimator!r}"
            )
        return clone(self.estimator)

    def _count(self) -> int:
        if not isinstance(self.resample, str) or self.resample not in RESAMPLINGS:
            raise unknown_name("resample", self.resample, RESAMPLINGS)
        count = check_whole(self.n_members, "n_members", 1, 2**16)
        if self.resample == "folds" and count < 2:
            raise ArgumentError("resample='folds' needs n_members of 2 or more: each member leaves out a fold")
        if self.n_threads is not None:
            check_whole(self.n_threads, "n_threads", 1, 2**16)
        return count

    def _resampled(self, n_rows: int, y: Any, random_state: np.random.RandomState) -> list[Rows | None]:
        """Return the rows that each member is trained on; None for all."""
        if self.resample == "seeds":
            return [None] * self.n_members
        if self.resample == "bootstrap":
            return [random_state.randint(n_rows, size=n_rows) for _ in range(self.n_members)]
        if n_rows < self.n_members:
            raise ArgumentError(
                f"resample='folds' needs n_samples of at least n_members={self.n_members}, got {n_rows}"
            )
        kind = StratifiedKFold if self._can_stratify(y) else KFold
        folds = kind(self.n_members, shuffle=True, random_state=random_state)
        return [train for train, _ in folds.split(np.zeros(n_rows), y)]

    def _can_stratify(self, y: Any) -> bool:
        """Whether every fold can have rows of every class."""
        return False

    def _keep(self, prototype: Any, members: list[Any]) -> None:
        """Become an ensemble of these members."""
        self.estimators_ = members
        self.n_features_in_ = prototype.n_features_in_
        for name in ("feature_names_in_", "oof_prediction_", "oof_score_"):
            if hasattr(self, name):
                delattr(self, name)
        if hasattr(prototype, "feature_names_in_"):
            self.feature_names_in_ = prototype.feature_names_in_

    def _judge(self, X: Any, y: Any, weight: Any, rows: Sequence[Rows | None]) -> None:
        """Predict every row by the members that it did not train, and score that."""
        if self.resample == "seeds":
            return
        n_rows = X.shape[0]
        total, count = None, np.zeros(n_rows)
        for member, own in zip(self.estimators_, rows, strict=True):
            left = np.ones(n_rows, bool)
            left[own] = False
            if not left.any():
                continue
            found = self._of_outputs(member.network_(X[np.flatnonzero(left)]))
            total = np.zeros((n_rows, *found.shape[1:]), found.dtype) if total is None else total
            total[left] += found
            count += left
        if total is None:
            return
        known = count > 0
        shape = (-1,) + (1,) * (total.ndim - 1)
        with np.errstate(invalid="ignore"):
            self.oof_prediction_ = total / count.reshape(shape).astype(total.dtype)
        own_weight = None if weight is None else weight[known]
        self.oof_score_ = self._score_of(y[known], self.oof_prediction_[known], own_weight)

    def _of_outputs(self, outputs: Array) -> Array:
        """Return outputs of networks in the form in which they are averaged and shown."""
        raise NotImplementedError

    def _score_of(self, y: Any, prediction: Array, weight: Any) -> float:
        raise NotImplementedError

    def _mean_outputs(self, X: Any) -> Array:
        return self.ensemble_(self._samples(X))

    def _samples(self, X: Any) -> Any:
        """Return samples, checked once for all members."""
        check_is_fitted(self)
        return validate_data(self, X, **rules_for(X), reset=False)

    def __sklearn_is_fitted__(self) -> bool:
        return "estimators_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class MLPEnsembleClassifier(ClassifierMixin, BaseEnsemble):
    """Classifiers that are trained at once, and whose probabilities are averaged.

    Parameters
    ----------
    estimator : MLPClassifier or None, default None
        With the parameters of all members; None is ``MLPClassifier()``. Each has a `random_state` of its own.
    n_members : int >= 1, default 8
    resample : {"seeds", "folds", "bootstrap"}, default "seeds"
        How members differ. "seeds": all have all rows, and other first weights. "folds": each leaves out another part
        of the rows, so that every row is judged by a member that has not seen it. "bootstrap": each has as many rows,
        drawn with replacement.
    random_state : int, RandomState or None, default None
        What the members' seeds, the folds and the draws come from.
    n_threads : int >= 1 or None, default None
        How many members are trained at a time; None is as many as there are processors. The result does not depend on
        it.

    Attributes
    ----------
    estimators_ : list of MLPClassifier
        The members.
    classes_ : ndarray
    ensemble_ : Ensemble
        The networks; ``ensemble_.save("model.npz")`` keeps them in one file, ``.onnx`` and ``.c`` as one model.
    oof_prediction_ : ndarray, shape (n_samples, n_classes)
        With "folds" and "bootstrap": the mean probabilities by the members that did not train on a row, out of fold.
        NaN where every member did.
    oof_score_ : float
        Their accuracy: an honest score without held-out rows.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X is a data frame with names.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.estimators import MLPClassifier, MLPEnsembleClassifier
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> y = np.where(X[:, 0] * X[:, 1] > 0, "same", "other")
    >>> member = MLPClassifier(16, learning_rate_init=0.02)
    >>> ensemble = MLPEnsembleClassifier(member, n_members=5, resample="folds", random_state=0).fit(X, y)
    >>> bool(ensemble.oof_score_ > 0.9), ensemble.predict([[1.0, 1.0]]).tolist()
    (True, ['same'])
    """

    _member = MLPClassifier

    def __init__(
        self,
        estimator: Any = None,
        n_members: int = 8,
        *,
        resample: str = "seeds",
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        keep_parameters(self, locals())

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the label of the largest mean probability, shape (n_samples,), or rows of 0 and 1.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        outputs = self._mean_outputs(X)
        labels: NDArray[Any] = self.estimators_[0]._labels_of(outputs)
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Return the mean probability of each label in the order of `classes_`, shape (n_samples, n_classes).

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        return self._of_outputs(self._mean_outputs(X))

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def _of_outputs(self, outputs: Array) -> Array:
        probabilities: Array = self.estimators_[0]._probabilities_of(outputs)
        return probabilities

    def _score_of(self, y: Any, prediction: Array, weight: Any) -> float:
        if y.ndim == 2:
            return float(accuracy_score(y, prediction > 0.5, sample_weight=weight))
        return float(accuracy_score(y, self.classes_[prediction.argmax(axis=1)], sample_weight=weight))

    def _keep(self, prototype: Any, members: list[Any]) -> None:
        super()._keep(prototype, members)
        self.classes_ = prototype.classes_

    def _can_stratify(self, y: Any) -> bool:
        return y.ndim == 1 and bool(np.unique(y, return_counts=True)[1].min() >= self.n_members)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPEnsembleRegressor(RegressorMixin, BaseEnsemble):
    """Regressors that are trained at once, and whose predictions are averaged.

    Parameters
    ----------
    estimator : MLPRegressor or None, default None
        With the parameters of all members; None is ``MLPRegressor()``. Each has a `random_state` of its own.
    n_members, resample, random_state, n_threads
        As in `MLPEnsembleClassifier`.

    Attributes
    ----------
    estimators_, ensemble_, n_features_in_, feature_names_in_
        As in `MLPEnsembleClassifier`.
    oof_prediction_ : ndarray, shape (n_samples,) or (n_samples, n_outputs)
        With "folds" and "bootstrap": the mean prediction by the members that did not train on a row, out of fold. NaN
        where every member did.
    oof_score_ : float
        Their R²: an honest score without held-out rows.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.estimators import MLPEnsembleRegressor, MLPRegressor
    >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
    >>> member = MLPRegressor(hidden_layer_sizes=16, activation="tanh", solver="lbfgs")
    >>> ensemble = MLPEnsembleRegressor(member, n_members=4, random_state=0).fit(X, X[:, 0] ** 2)
    >>> mean, std = ensemble.predict([[0.5], [4.0]], return_std=True)
    >>> bool(abs(mean[0] - 0.25) < 0.01), bool(std[1] > std[0])
    (True, True)
    """

    _member = MLPRegressor

    def __init__(
        self,
        estimator: Any = None,
        n_members: int = 8,
        *,
        resample: str = "seeds",
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        keep_parameters(self, locals())

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean predictions, shape (n_samples,) or (n_samples, n_outputs).

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        return_std : bool, default False
            Whether to return also the standard deviation of the members' predictions, in the same shape: where it is
            large, the members have learned too little to agree.

        Returns
        -------
        ndarray or (ndarray, ndarray)
        """
        if not return_std:
            return self._of_outputs(self._mean_outputs(X))
        ensemble, X = self.ensemble_, self._samples(X)
        return self._of_outputs(ensemble(X)), ensemble.std(X)

    def _of_outputs(self, outputs: Array) -> Array:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _score_of(self, y: Any, prediction: Array, weight: Any) -> float:
        return float(r2_score(y, prediction, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
