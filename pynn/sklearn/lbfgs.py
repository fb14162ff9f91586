"""Training by L-BFGS-B: SciPy's steps on the engine's loss and gradient."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from pynn.sklearn import weights
from pynn.sklearn.data import Rows

Array = npt.NDArray[Any]


def fit(estimator: Any, data: Rows) -> None:
    """Minimizes the loss on all rows at once; sets ``loss_`` and ``n_iter_``.

    References:
        Byrd, Lu, Nocedal, Zhu 1995, https://doi.org/10.1137/0916069.
    """
    model = estimator.model_
    arranged = model.arrange(data.x, data.y, data.weight)
    variables = weights.variables(model)
    place = {id(v): p for p, v in enumerate(model._trained_program.graph.variables)}
    places = [place[id(variable)] for variable in variables]

    def loss_and_gradient(vector: Array) -> tuple[float, Array]:
        weights.unpack(vector, variables)
        results, gradients, _ = model._trainer.gradients(
            *model.for_engine(arranged), 0, True, estimator._threads()
        )
        # With several numbers to predict the gradient is that of their sum, as in scikit-learn.
        loss = estimator._reported(results)
        return loss, weights.pack([gradients[p] for p in places]).astype(np.float64)

    def show(intermediate_result: OptimizeResult) -> None:
        estimator.n_iter_ += 1
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {intermediate_result.fun:.8f}")

    estimator.n_iter_ = 0
    result = minimize(
        loss_and_gradient,
        weights.pack([variable.numpy() for variable in variables]).astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        callback=show,
        options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
    )
    estimator.n_iter_ = min(result.nit, estimator.max_iter)
    estimator.loss_ = result.fun
    weights.unpack(result.x, variables)
    if result.status != 0:
        _warn(result, estimator)


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
