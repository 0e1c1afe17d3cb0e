"""Solver "lbfgs": all samples as one batch, for SciPy's minimiser (floor 9; imports numpy, scipy, model, data,
engines).
"""

import sys
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..data.dataset import Dataset
from ..engines.base import Engine
from ..model.architecture import Architecture, Array


class Minimum(NamedTuple):
    """What `minimise` found.

    Attributes
    ----------
    parameters : ndarray
        Flat vector.
    objective : float
    iterations : int
    reason : str
        Why it ended.
    converged : bool
        Whether a minimum was the reason, and not a limit or a search along a line that failed.
    curve : list of float
        The objective after each iteration.
    """

    parameters: Array
    objective: float
    iterations: int
    reason: str
    converged: bool
    curve: list[float]


def minimise(
    engine: Engine,
    architecture: Architecture,
    start: Array,
    data: Dataset,
    l2: float,
    *,
    threads: int,
    tol: float,
    max_iter: int,
    max_fun: int,
    verbose: int,
) -> Minimum:
    """Minimise mean loss plus ``l2 / 2 * sum(W²)`` by L-BFGS (Byrd, Lu, Nocedal and Zhu 1995).

    The padding of the flat vector has no gradient, so the minimiser leaves it zero.

    Parameters
    ----------
    engine : Engine
    architecture : Architecture
    start : ndarray
        Flat vector; not changed.
    data : Dataset
    l2, tol : float
        `tol` is the largest component of a gradient that counts as none.
    threads, max_iter, max_fun, verbose : int
        `max_fun` limits how often the gradient is computed.
    """
    from scipy.optimize import minimize

    penalised = replace(architecture, l2=l2)
    prepared = engine.prepare(penalised, data, threads)
    vector = penalised.zeros()
    curve: list[float] = []

    def objective(x: Array) -> tuple[float, Array]:
        vector[...] = x
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient = engine.loss_and_gradient(penalised, vector, prepared)
        return value, gradient.astype(np.float64)

    last = start.astype(np.float64)

    def watch(intermediate_result: Any) -> None:  # SciPy goes by this name
        last[...] = intermediate_result.x
        curve.append(float(intermediate_result.fun))
        if verbose:
            sys.stdout.write(f"Iteration {len(curve)}, loss = {curve[-1]:.8f}\n")

    try:
        result: Any = minimize(
            objective,
            last.copy(),
            method="L-BFGS-B",
            jac=True,
            callback=watch,
            options={"maxfun": max_fun, "maxiter": max_iter, "gtol": tol},
        )
    except KeyboardInterrupt:
        found = curve[-1] if curve else np.nan
        return Minimum(last.astype(architecture.dtype), found, len(curve), "interrupted", True, curve)
    reason = f"{result.message.lower()}".replace("_", " ")
    iterations = min(int(result.nit), max_iter)
    return Minimum(
        result.x.astype(architecture.dtype), float(result.fun), iterations, reason, result.status == 0, curve
    )
