"""Training by L-BFGS-B: SciPy's steps on the engine's loss and gradient."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from pynn.constraints import NonNeg
from pynn.sklearn import weights
from pynn.sklearn.data import Rows
from pynn.sklearn.monitoring import Monitoring

Array = npt.NDArray[Any]


def fit(estimator: Any, data: Rows, held: Rows | None, callbacks: Any) -> None:
    """Minimizes the loss on all rows at once; sets ``loss_`` and ``n_iter_``.

    Args:
        estimator: it is compiled.
        data: the rows.
        held: rows that are only judged.
        callbacks: of pynn; an iteration is an epoch of one batch to them.

    Raises:
        ValueError: the rows held out shall stop the training.

    References:
        Byrd, Lu, Nocedal, Zhu 1995, https://doi.org/10.1137/0916069.
    """
    if held is not None and estimator.early_stopping:
        raise ValueError(
            "early_stopping stops the stochastic solvers only; with solver='lbfgs' X_val can be "
            "watched by pynn.callbacks.EarlyStopping('val_score'). Received: early_stopping=True"
        )
    model = estimator.model_
    arranged = model.arrange(data.x, data.y, data.weight)
    variables = weights.trained(model)
    place = {id(v): p for p, v in enumerate(model._trained_program.graph.variables)}
    places = [place[id(variable)] for variable in variables]

    watch = Monitoring(estimator, held, callbacks, estimator.max_iter, 1)
    is_running = False  # an iteration

    def loss_and_gradient(vector: Array) -> tuple[float, Array]:
        nonlocal is_running
        if not is_running:
            is_running = True
            watch.begin_epoch()
            watch.begin_batches(0, 1)
        weights.unpack(vector, variables)
        results, gradients, _ = model._trainer.gradients(
            *model.for_engine(arranged), 0, True, estimator._threads()
        )
        # With several numbers to predict the gradient is that of their sum, as in scikit-learn.
        loss = estimator._reported(results)
        return loss, weights.pack([gradients[p] for p in places]).astype(np.float64)

    def after_iteration(intermediate_result: OptimizeResult) -> None:
        nonlocal is_running
        is_running = False
        estimator.n_iter_ += 1
        loss = float(intermediate_result.fun)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
        if watch.looks:
            weights.unpack(intermediate_result.x, variables)
        watch.end_batches(0, lambda: loss)
        watch.judge()
        watch.end_epoch(loss)
        if watch.stopped:
            raise StopIteration

    estimator.n_iter_ = 0
    limits = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    with watch:
        result = minimize(
            loss_and_gradient,
            weights.pack([variable.numpy() for variable in variables]).astype(np.float64),
            method="L-BFGS-B",
            jac=True,
            bounds=_bounds(variables),
            callback=after_iteration,
            options=limits,
        )
        weights.unpack(result.x, variables)
    estimator.n_iter_ = min(result.nit, estimator.max_iter)
    estimator.loss_ = result.fun
    if result.status != 0 and not watch.stopped:
        _warn(result, estimator)


def _bounds(variables: Sequence[Any]) -> Bounds | None:
    """What each weight must be at least; None if they are all free."""
    held = [isinstance(variable.constraint, NonNeg) for variable in variables]
    lowest = [
        np.full(int(np.prod(variable.shape)), 0 if is_held else -np.inf)
        for variable, is_held in zip(variables, held, strict=True)
    ]
    return Bounds(weights.pack(lowest)) if any(held) else None


def _warn(result: OptimizeResult, estimator: Any) -> None:
    message = (
        f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
        f"(status={result.status}):\n{result.message}\n"
    )
    if estimator.n_iter_ == estimator.max_iter:
        message += (
            "\nIncrease the number of iterations to improve the convergence "
            f"(max_iter={estimator.max_iter}), or scale the data, as `sklearn.preprocessing` does."
        )
    warnings.warn(message, ConvergenceWarning, stacklevel=5)
