"""`MLPRegressor` (floor 9; imports numpy, sklearn, checks, errors, model, data)."""

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if

from ..checks import as_numbers, naming
from ..data.targets import Labels
from ..errors import ArgumentError, unknown_name
from ..model.architecture import Array
from ..model.losses import LOSSES
from .base import BaseMLP, keep_parameters
from .settings import goes_through_batches, own_name

_OF_CLASSES = ("binary_cross_entropy", "cross_entropy")


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for regression, with the interface of scikit-learn's.

    Parameters
    ----------
    loss : str, default "squared_error"
        squared_error (half the square), absolute_error, huber, poisson (half the deviance of counts, of an exponential
        output) or quantile.
    output_activation : str or None, default None
        Of the last layer, such as "logistic" for numbers from 0 to 1; None: that of the loss, as a rule identity.
    quantile : float in (0, 1), default 0.5
        With ``loss="quantile"``: the share of targets that are to lie below the answers.

    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, \
shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, \
beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dropout, schedule, weight_decay, decay, clip_norm, callbacks, \
standardize, n_threads
        As in `MLPClassifier`, with the same defaults.

    Attributes
    ----------
    coefs_, intercepts_, loss_, loss_curve_, best_loss_, validation_scores_, best_validation_score_, n_iter_, t_, \
n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_, history_, stop_reason_, network_
        As in `MLPClassifier`, with R² in the place of accuracy: validation scores are R², and `history_` has
        ``val_r2``. As in scikit-learn, the squared error of several outputs is shown as their mean, though its
        gradient is that of their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp.estimators import MLPRegressor
    >>> X = np.linspace(-1, 1, 100).reshape(-1, 1)
    >>> regressor = MLPRegressor(hidden_layer_sizes=16, activation="tanh", solver="lbfgs", random_state=0)
    >>> regressor.fit(X, X[:, 0] ** 2).score(X, X[:, 0] ** 2) > 0.99
    True
    """

    _metric = "r2"

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: Any = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        output_activation: str | None = None,
        quantile: float = 0.5,
        schedule: Any = None,
        weight_decay: float = 0.01,
        decay: float = 0.9,
        clip_norm: float | None = None,
        callbacks: Any = None,
        standardize: bool = False,
        n_threads: int | None = None,
    ) -> None:
        keep_parameters(self, locals())

    @available_if(goes_through_batches)
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train one more epoch, on these samples.

        As many calls as `fit` takes epochs, with the same samples, give the same bits.

        Parameters
        ----------
        X, y, sample_weight, X_val, y_val, sample_weight_val
            As in `fit`. Or, without `y`, `X` is an iterable of blocks ``(X, y)`` or ``(X, y, sample_weight)``, of which
            one at a time need be in memory: each is an epoch of its own, as if it were given alone.

        Returns
        -------
        MLPRegressor
            The estimator.
        """
        return self._fit_in_part(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def predict(self, X: Any) -> Array:
        """Return the predictions, shape (n_samples,) or (n_samples, n_outputs), in its dtype.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _checked(self, X: Any, y: Any, reset: bool, name: str = "y", **rules: Any) -> tuple[Any, Any]:
        if y is not None and getattr(y, "dtype", None) not in (
            np.complex64,
            np.complex128,
        ):  # scikit-learn refuses them
            as_numbers(y, name)  # and makes floats of dates and of text
        return super()._checked(X, y, reset, name, y_numeric=True, **rules)

    def _learned(self, y: Any, goes_on: bool, incremental: bool, classes: Any) -> tuple[Labels, int]:
        outputs = 1 if y.ndim == 1 else y.shape[1]
        if goes_on and outputs != self.network_.architecture.outputs:
            raise ArgumentError(
                f"y has {outputs} columns, but the first fit's had {self.network_.architecture.outputs}; a training "
                "can't go on with other targets: give these, or fit a clone of the estimator"
            )
        return Labels("regression", np.empty(0), one_dimensional=y.ndim == 1), outputs

    def _task(self) -> str:
        return "regression"

    def _loss_and_output(self) -> tuple[str, str | None]:
        choices = [name for name in LOSSES if name not in _OF_CLASSES]
        if not isinstance(self.loss, str) or self.loss not in choices:
            raise unknown_name("loss", self.loss, choices)
        with naming("output_activation"):
            return self.loss, None if self.output_activation is None else own_name(self.output_activation)

    def _loss_options(self) -> dict[str, Any]:
        return {"quantile": self.quantile} if self.loss == "quantile" else {}

    def _loss_share(self) -> float:
        return 1 / self.network_.architecture.outputs if self.loss == "squared_error" else 1.0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
