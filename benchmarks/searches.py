"""A grid search and an ensemble, beside scikit-learn's search and beside one fit after another.

    python -m benchmarks.searches              two or three minutes
    python -m benchmarks.searches --rounds 1   a rough run

The search has 24 candidates and 5 folds of the breast cancer data, in a pipeline with a StandardScaler: by
`fastmlp.model_selection`, by scikit-learn's class over fastmlp's network, and over scikit-learn's own, both with
``n_jobs=2``. The scores of the first two must be the same. The ensemble has 8 members on the first 20,000 images of
MNIST, for 10 epochs; it must have the bits of 8 fits. Whoever is compared takes turns, and the least of the rounds
counts.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compare import count
from .machine import describe, in_words
from .markdown import three_digits

Array = NDArray[Any]

GRID = {
    "network__hidden_layer_sizes": [(16,), (64,), (32, 16)],
    "network__alpha": [1e-4, 1e-2],
    "network__learning_rate_init": [1e-4, 1e-3, 3e-3, 1e-2],
}
"""24 candidates."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.searches", description="A search and an ensemble.")
    parser.add_argument("--rounds", type=count, default=3, metavar="N", help="turns of each (default: 3)")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    warnings.simplefilter("ignore")  # not all candidates converge
    for row in (*search(options.rounds), *ensemble(options.rounds)):
        print(row, flush=True)
    print(in_words(describe()))
    return 0


def search(rounds: int, grid: Mapping[str, Any] = GRID, max_iter: int = 200) -> list[str]:
    """Time the search; return lines to print."""
    from sklearn import model_selection as theirs
    from sklearn import neural_network
    from sklearn.datasets import load_breast_cancer

    from fastmlp import estimators, model_selection

    X, y = load_breast_cancer(return_X_y=True)
    ours, other = (module.MLPClassifier(max_iter=max_iter, random_state=0) for module in (estimators, neural_network))
    found: dict[str, Any] = {}

    def searching(name: str, make: Any, network: Any, **options: Any) -> Callable[[], None]:
        def run() -> None:
            found[name] = make(_pipeline(network), grid, cv=5, **options).fit(X, y)

        return run

    least = _in_turns(
        rounds,
        {
            "fastmlp's search": searching("ours", model_selection.GridSearchCV, ours),
            "scikit-learn's search, n_jobs=2": searching("theirs", theirs.GridSearchCV, ours, n_jobs=2),
            "and of its own network": searching("all theirs", theirs.GridSearchCV, other, n_jobs=2),
        },
    )
    scores = [found[name].cv_results_["mean_test_score"] for name in ("ours", "theirs")]
    if not np.array_equal(*scores):
        raise AssertionError("the searches have other scores")
    return _lines("search", least)


def ensemble(rounds: int, rows: int = 20_000, members: int = 8, epochs: int = 10) -> list[str]:
    """Time an ensemble and its predictions; return lines to print."""
    from sklearn.base import clone

    from fastmlp import load_mnist
    from fastmlp.estimators import MLPClassifier, MLPEnsembleClassifier

    digits = load_mnist()
    X, y = (digits.X_train[:rows] / np.float32(255)).astype(np.float32), digits.y_train[:rows]
    made = MLPEnsembleClassifier(MLPClassifier(max_iter=epochs), n_members=members, random_state=0).fit(X, y)
    alone = [clone(member) for member in made.estimators_]

    def one_by_one() -> None:
        for member in alone:
            member.fit(X, y)

    together: dict[str, Callable[[], Any]] = {
        "an ensemble": lambda: made.fit(X, y),
        "one fit after another": one_by_one,
    }
    fits = _in_turns(rounds, together)
    for one, other in zip(made.estimators_, alone, strict=True):
        if not np.array_equal(one.network_.state.parameters, other.network_.state.parameters):
            raise AssertionError("a member has other bits than its own fit")
    some = X[:1000]
    answers = _in_turns(
        10 * rounds,
        {
            "an ensemble": lambda: made.predict_proba(some),
            "one after another": lambda: [member.predict_proba(some) for member in alone],
        },
    )
    return _lines(f"{members} fits", fits) + _lines("their answers to 1,000 rows", answers)


def _pipeline(network: Any) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline([("scale", StandardScaler()), ("network", network)])


def _in_turns(rounds: int, competitors: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Return the least seconds of each."""
    least = dict.fromkeys(competitors, float("inf"))
    for _ in range(rounds):
        for name, run in competitors.items():
            start = time.perf_counter()
            run()
            least[name] = min(least[name], time.perf_counter() - start)
    return least


def _lines(what: str, least: Mapping[str, float]) -> list[str]:
    first = next(iter(least.values()))
    return [
        f"{what}, {name}: {three_digits(1e3 * seconds)} ms, {three_digits(seconds / first)} times"
        for name, seconds in least.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
