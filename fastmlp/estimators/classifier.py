"""`MLPClassifier` (floor 9; imports numpy, sklearn, checks, errors, model, data)."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from ..checks import plain
from ..data.targets import Labels, Targets, plain_text
from ..errors import ArgumentError
from ..model.architecture import Array
from .base import BaseMLP, keep_parameters
from .settings import below_one, goes_through_batches
from .their_words import OTHER_CLASSES


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron for classification, with the interface of scikit-learn's.

    Parameters up to `max_fun` are those of ``sklearn.neural_network.MLPClassifier``, with its defaults; with the same
    `random_state` the weights start with the same numbers, and batches come in the same order.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer; an empty sequence for none.
    activation : str or list of str, default "relu"
        Of all hidden layers, or a list with one for each: identity, logistic (or sigmoid), tanh, relu, leaky_relu, elu,
        gelu, silu, softmax.
    solver : {"adam", "sgd", "lbfgs", "adamw", "rmsprop"}, default "adam"
        "lbfgs" takes all samples at once, and needs SciPy; the others go through batches.
    alpha : float >= 0, default 0.0001
        Strength of the L2 penalty. The loss of a batch gets ``alpha / 2 * sum(W²)`` divided by the sum of its sample
        weights, or by its number of samples.
    batch_size : int or "auto", default "auto"
        Samples a step; "auto" is 200, or all where there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        For "sgd". "invscaling": after each epoch ``learning_rate_init / (samples seen + 1) ** power_t``. "adaptive": a
        fifth, each time that training would stop for lack of improvement, down to 1e-6.
    learning_rate_init : float > 0, default 0.001
    power_t : float >= 0, default 0.5
    max_iter : int >= 1, default 200
        Epochs at most; with "lbfgs", iterations. Where they end a `fit` that you call yourself, of a pipeline too, a
        ConvergenceWarning says so; inside of a search, a cross-validation or an ensemble only `stop_reason_` does.
    shuffle : bool, default True
        Whether each epoch takes the samples in a new order.
    random_state : int, RandomState or None, default None
    tol : float >= 0, default 1e-4
        Less is no improvement. With "lbfgs", the largest component of a gradient that counts as none.
    verbose : bool or int, default False
        Whether to print a line for every epoch.
    warm_start : bool, default False
        Whether `fit` goes on where the last one stopped, with the optimizer's memory, the schedule and the order of the
        samples: 3 epochs and then 2 have the bits of 5.
    momentum : float in [0, 1], default 0.9
        For "sgd".
    nesterovs_momentum : bool, default True
    early_stopping : bool, "loss" or "metric", default False
        Whether to stop when a validation no longer improves, and to go back to the best weights. True is "metric".
        The samples are those given to `fit` as `X_val`, or else held out of the training.
    validation_fraction : float in [0, 1), default 0.1
        The share of samples that is held out; in equal proportions of both classes where there are two.
    beta_1, beta_2 : float in [0, 1), default 0.9 and 0.999
        For "adam" and "adamw".
    epsilon : float > 0, default 1e-8
        For "adam", "adamw" and "rmsprop".
    n_iter_no_change : int >= 1 or inf, default 10
        Epochs in a row without improvement that are tolerated.
    max_fun : int >= 1, default 15000
        For "lbfgs": gradients at most.
    dropout : float in [0, 1) or list of float, default 0.0
        The share of activations that are zeroed in training, of all hidden layers, or a list with one for each.
    class_weight : dict, "balanced" or None, default None
        How much each class counts in the training, multiplied with the sample weights; "balanced" makes all count the
        same.
    label_smoothing : float in [0, 1), default 0.0
        How much of each target is spread evenly over the classes.
    schedule : str, Schedule, ReduceOnPlateau or None, default None
        What the learning rate is multiplied by, step by step: a name of `fastmlp.model.schedules.SCHEDULES`, made for
        `max_iter` epochs, or an object such as ``Cosine(10)``: then that `max_iter` is reached is the plan, and no
        warning. "plateau", or a `ReduceOnPlateau`, lowers it when the loss, that of the validation if there is one, no
        longer improves.
    weight_decay : float >= 0, default 0.01
        For "adamw".
    decay : float in [0, 1), default 0.9
        For "rmsprop": how much of the running mean of squared gradients a step keeps.
    clip_norm : float > 0 or None, default None
        The norm that a gradient is shortened to where it is longer.
    callbacks : sequence of Callback or function, or None, default None
        See `fastmlp.Callback`; a function is called after every epoch with the `FitRun`. The solvers that go through
        batches call them.
    standardize : bool, default False
        Whether the network brings features to zero mean and unit variance, as found in the first fit. `coefs_` then
        belong to such features.
    n_threads : int >= 1 or None, default None
        How many threads to use; None leaves it to the amount of work. The result does not depend on it.

    Attributes
    ----------
    classes_ : ndarray
    coefs_, intercepts_ : list of ndarray
        Weights and biases, in the dtype of X: float32 stays, all else is float64.
    loss_ : float
        Of the last epoch, with penalty.
    loss_curve_ : list of float
        Of every epoch. With several steps an epoch the penalty's part is interpolated between its ends.
    best_loss_ : float or None
        None with early stopping.
    validation_scores_ : list of float or None
        Accuracies; None without early stopping.
    best_validation_score_ : float or None
    n_iter_ : int
        Epochs of the last fit.
    t_ : int
        Samples seen, counted anew in each epoch.
    n_features_in_, n_layers_, n_outputs_ : int
    feature_names_in_ : ndarray of str
        Where X is a data frame with names.
    out_activation_ : {"softmax", "logistic"}
    history_ : dict of str to list of float
        ``loss`` (without penalty), ``accuracy``, ``learning_rate``, ``seconds``, and with a validation ``val_loss`` and
        ``val_accuracy``, epoch by epoch over all fits that went on from one another.
    stop_reason_ : str
        Why the last fit ended.
    network_ : Network
        The network itself, as fastmlp has it; ``network_.save("model.npz")`` keeps it.

    Examples
    --------
    >>> from fastmlp.estimators import MLPClassifier
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 10, ["even", "odd", "odd", "even"] * 10
    >>> classifier = MLPClassifier(16, solver="lbfgs", random_state=0).fit(X, y)
    >>> classifier.predict([[1.0, 0.0], [1.0, 1.0]]).tolist()
    ['odd', 'even']
    """

    _metric = "accuracy"

    def __init__(
        self,
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
        class_weight: Any = None,
        label_smoothing: float = 0.0,
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
        classes: Any = None,
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
        classes : array_like, shape (n_classes,)
            All that there will ever be; needed in the first call.

        Returns
        -------
        MLPClassifier
            The estimator.

        Raises
        ------
        ArgumentError, ArgumentTypeError, ValueError, DivergenceError
            As `fit`; or classes are missing in the first call, or are others than in the first.
        """
        if classes is None and not self._is_trained():
            raise ArgumentError("classes are needed in the first call of partial_fit: all labels that there will be")
        if classes is not None and self._is_trained() and not np.array_equal(unique_labels(classes), self.classes_):
            raise ArgumentError(
                f"classes must be those of the first call, {self.classes_}, got {unique_labels(classes)}; they can be "
                "left out"
            )
        return self._fit_in_part(X, y, sample_weight, (X_val, y_val, sample_weight_val), classes)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable label of each sample, shape (n_samples,), or rows of 0 and 1, (n_samples, n_labels).

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        return self._labels_of(self._outputs(X))

    def _labels_of(self, outputs: Array) -> NDArray[Any]:
        if self._multilabel:
            return (outputs > 0.5).astype(np.int64)
        if len(self.classes_) > 2:
            return np.asarray(self.classes_[outputs.argmax(axis=1)])
        return np.asarray(self.classes_[((outputs[:, 0] > 0.5) & (len(self.classes_) == 2)).astype(np.intp)])

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each label in the order of `classes_`, shape (n_samples, n_classes).

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        return self._probabilities_of(self._outputs(X))

    def _probabilities_of(self, outputs: Array) -> Array:
        if self._multilabel or len(self.classes_) > 2:
            return outputs
        return np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
        """
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def _checked(self, X: Any, y: Any, reset: bool, name: str = "y", **rules: Any) -> tuple[Any, Any]:
        y = plain_text(y) if isinstance(y, np.ndarray) else y
        X, y = super()._checked(X, y, reset, name, **rules)
        # To look closer at labels of which there is no doubt takes as long as some epochs of a small table.
        if y.ndim != 1 or y.dtype.kind not in "iubUS":
            check_classification_targets(y)
        if y.ndim == 2 and type_of_target(y) == "multiclass-multioutput":
            raise ArgumentError(
                f"{name} has several columns of classes; give one column, or columns of 0 and 1, one for each label"
            )
        if y.ndim == 2:
            y = y.toarray() if hasattr(y, "toarray") else y
            wrong = ~np.isin(y, (0, 1))
            if wrong.any():
                raise ArgumentError(
                    f"{name} has several columns, one a label, so it must hold 0 and 1 only; got {plain(y[wrong][0])!r}"
                )
        return X, y

    def _learned(self, y: Any, goes_on: bool, incremental: bool, classes: Any) -> tuple[Labels, int]:
        multilabel, found = y.ndim == 2, _labels_in(y)
        if not goes_on:
            self.classes_ = found if classes is None else unique_labels(classes)
            self._multilabel = multilabel
        elif not incremental and not np.array_equal(found, self.classes_):
            raise ArgumentError(
                f"warm_start=True goes on with the classes of the last fit, {self.classes_}, but y has {found}; give "
                "warm_start=False to begin anew. In scikit-learn's words: "
                + OTHER_CLASSES.format(known=self.classes_, found=found)
            )
        if multilabel != self._multilabel:
            raise ArgumentError("y must be of the kind of the first fit: labels, or rows of 0 and 1")
        strangers = np.setdiff1d(found, self.classes_) if incremental and not multilabel else np.empty(0)
        if len(strangers):
            raise ArgumentError(f"y has the label {plain(strangers[0])!r}, which is not among classes, {self.classes_}")
        if multilabel and y.shape[1] != len(self.classes_):
            raise ArgumentError(
                f"y has {y.shape[1]} columns, one a label, but classes has {len(self.classes_)} labels; give the same "
                f"columns in every call, and classes=range(n) for n of them"
            )
        several = multilabel or len(self.classes_) > 2
        names = self.classes_ if several else np.resize(self.classes_, 2)
        return Labels(self._task(), names), len(self.classes_) if several else 1

    def _task(self) -> str:
        if self._multilabel:
            return "multilabel"
        return "classes" if len(self.classes_) > 2 else "binary"

    def _class_weight(self, incremental: bool) -> Any:
        if incremental and isinstance(self.class_weight, str):
            raise ArgumentError(
                "class_weight='balanced' needs all samples, and partial_fit sees some of them; give a dict from class "
                "to weight, such as sklearn.utils.class_weight.compute_class_weight finds"
            )
        return self.class_weight

    def _strata(self, targets: Targets) -> Any:
        # As scikit-learn has it: for two classes only.
        if self._task() != "binary" or targets.values is None:
            return None
        return targets.values >= 0.5

    def _loss_options(self) -> dict[str, Any]:
        return {"label_smoothing": below_one(self.label_smoothing, "label_smoothing")}

    def _loss_and_output(self) -> tuple[str, str | None]:
        return ("cross_entropy" if self._task() == "classes" else "binary_cross_entropy"), None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _labels_in(y: Any) -> Any:
    """Return the labels among targets that were checked, sorted; of rows of 0 and 1 the numbers of the columns."""
    return np.unique(y) if y.ndim == 1 and y.dtype != object else unique_labels(y)
