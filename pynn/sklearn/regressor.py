"""The multilayer perceptron that predicts numbers, as scikit-learn's estimator."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from pynn.losses import Loss
from pynn.sklearn import goals
from pynn.sklearn.base import BaseMLP
from pynn.sklearn.data import Rows
from pynn.sklearn.goals import Goal

Array = npt.NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that predicts numbers.

    Args:
        scoring: how rows that are not trained on are judged, those that ``early_stopping`` holds
            out or ``X_val`` of ``fit``: the name of a scorer of scikit-learn, a function
            ``scorer(estimator, X, y)``, "loss" for the loss on these rows without penalties
            (negative, so that more is better), or None for the R².
        callbacks: objects of ``pynn.callbacks``, which see the model ``model_`` and the logs that
            ``history_`` keeps. An iteration of "lbfgs" is an epoch of one batch to them.

    Attributes:
        history_: for each key the list of its values after each epoch: "loss", that of
            ``loss_curve_``; "val_loss" (without penalties) and "val_score" where there are rows
            that are not trained on; "learning_rate", that of the epoch's last step (not for
            "lbfgs"); and what callbacks add. It goes on where training goes on.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions(set(goals.REGRESSOR_LOSSES)), Loss, callable],
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
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
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        quantile: Any = 0.5,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        kernel_initializer: Any = None,
        l1_ratio: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        dtype: str | None = None,
        n_threads: int | None = None,
        scoring: Any = None,
        callbacks: Any = None,
    ) -> None:
        self._store(locals())

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPRegressor:
        """Trains on samples and their targets.

        Args:
            X: samples, shape ``(n, features)``.
            y: targets, shape ``(n,)`` or ``(n, outputs)``.
            sample_weight: weights of the samples, shape ``(n,)``.
            X_val: samples that are not trained on. With ``early_stopping`` they decide when to
                stop, and all of ``X`` is trained on; without, they are reported in ``history_``.
            y_val: their targets.
            sample_weight_val: their weights, in loss and score.

        Raises:
            ValueError: arrays that do not fit, or one of ``X_val`` and ``y_val`` alone.
        """
        return self._fit(  # type: ignore[no-any-return]
            X, y, sample_weight, X_val, y_val, sample_weight_val
        )

    @available_if(lambda est: est._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Trains one epoch on these samples and keeps what was learned before."""
        return self._fit(X, y, sample_weight, incremental=True)  # type: ignore[no-any-return]

    def _check_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = self._check_arrays(X, y, reset, y_numeric=True)
        self._columns = 1 if y.ndim == 1 else y.shape[1]
        return X, y

    def _check_further(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = self._check_arrays(X, y, reset=False, y_numeric=True)
        columns = 1 if y.ndim == 1 else y.shape[1]
        if columns != self._columns:
            raise ValueError(
                f"y_val must have as many columns as y, {self._columns}. Received: {columns}"
            )
        return X, y

    def _make_goal(self) -> Goal:
        quantiles = np.ravel(self.quantile)
        if len(quantiles) > 1 and (self.loss != "quantile" or self._columns > 1):
            raise ValueError(
                "several quantiles need loss='quantile' and targets of one number. "
                f"Received: quantile={self.quantile!r}, loss={self.loss!r}, "
                f"targets of {self._columns}"
            )
        if not ((quantiles > 0) & (quantiles < 1)).all():
            raise ValueError(f"quantile must lie between 0 and 1. Received: {self.quantile!r}")
        outputs = max(self._columns, len(quantiles))
        return goals.regression(self.loss, outputs, quantiles.tolist())

    def _encode(self, y: Any) -> Array:
        if self._goal.outputs == self._columns:
            encoded: Array = y
        else:
            encoded = np.repeat(y.reshape(-1, 1), self._goal.outputs, axis=1)
        return encoded

    def _as_given(self, y: Array) -> Any:
        return y if self._goal.outputs == self._columns else y[:, 0]

    def predict(self, X: Any, return_std: bool = False, mc_samples: int = 100) -> Any:
        """Returns the prediction for each sample: one number, or several.

        Args:
            X: samples, shape ``(n, n_features_in_)``.
            return_std: whether to return the means and standard deviations of predictions with
                different units dropped (Monte-Carlo dropout), which needs ``dropout``. They are
                drawn anew at each call; ``pynn.utils.set_random_seed`` makes them repeatable.
            mc_samples: how many such predictions.

        Raises:
            NotFittedError: before training.
            ValueError: samples that do not fit, or ``return_std`` without dropout.

        References:
            Gal, Ghahramani 2016, https://arxiv.org/abs/1506.02142
        """
        if not return_std:
            return self._decide(self._outputs(X))
        mean, deviation = self._sampled(X, mc_samples)
        return self._decide(mean), self._decide(deviation)

    def _decide(self, y: Array) -> Array:
        return y.ravel() if y.shape[1] == 1 else y

    def _score_of(self, outputs: Array, rows: Rows) -> float:
        return float(r2_score(rows.y, outputs, sample_weight=rows.weight))
