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
    """Multilayer perceptron that predicts numbers: scikit-learn's, and more, on pynn's engine.

    The parameters up to ``max_fun`` are scikit-learn's, and the same ``random_state`` gives the
    same weights up to rounding. What it minimizes is the mean over the rows of the loss, plus
    ``alpha / (2 n) * sum(w ** 2)`` in a batch of ``n`` rows.

    Args:
        loss: "squared_error" ``(y - p) ** 2 / 2``; "poisson" ``y log(y / p) - y + p`` of counts,
            with ``p = exp(output)``; "absolute_error", "huber", "quantile"; or a loss of pynn, as
            an object or a function of targets and predictions.
        hidden_layer_sizes: units of each hidden layer; a number for one layer, () for none.
        activation: of the hidden layers: "relu" ``max(0, x)``, "logistic" ``1 / (1 + exp(-x))``,
            "tanh", "identity"; or any of ``pynn.activations`` by name or as a function.
        solver: "adam", "sgd" (gradient descent with momentum) or "lbfgs" (L-BFGS-B on all rows at
            once: often best for a few hundred rows); or any of ``pynn.optimizers``, by name or as
            an object, whose own learning rate then counts.
        alpha: factor of the penalty ``alpha / 2 * sum(w ** 2)`` beside the sum of the rows' losses;
            biases have none.
        batch_size: rows per step; "auto" is ``min(200, rows)``. "lbfgs" uses all rows.
        learning_rate: of "sgd": "constant", "invscaling" (``learning_rate_init / t ** power_t``
            after ``t`` rows) or "adaptive" (divided by 5 whenever training stalls). For every
            solver a schedule of ``pynn.optimizers.schedules``, or a function of the step.
        learning_rate_init: the (first) learning rate.
        power_t: exponent of "invscaling".
        max_iter: epochs at most; of "lbfgs" iterations.
        shuffle: whether every epoch has its own order of rows.
        random_state: seed, or generator, of start weights, shuffles, splits and dropout.
        tol: an epoch that is not better than the best by this much counts as idle.
        verbose: whether to print a line per epoch.
        warm_start: whether ``fit`` goes on from the weights of the last one.
        momentum: of "sgd", in [0, 1].
        nesterovs_momentum: whether the momentum of "sgd" looks ahead.
        early_stopping: whether idle epochs are counted by the score of rows held out, instead of
            the training loss; the weights of the best epoch are kept.
        validation_fraction: the part of the rows held out.
        beta_1, beta_2: decay of Adam's means of gradients and of their squares, in [0, 1).
        epsilon: what Adam adds to the root of the mean square.
        n_iter_no_change: training stops after more than this many idle epochs in a row.
        max_fun: calls of the loss at most, for "lbfgs".
        quantile: of the loss "quantile", in (0, 1); for several ``predict`` has a column each.
        dropout: the part of the units left out in each step of training: a rate for every hidden
            layer, a sequence with one for each, or with one more in front for the inputs.
        batch_norm: whether each hidden layer is normalized over the batch before its activation.
        kernel_initializer: any of ``pynn.initializers`` for the kernels, and biases 0; None draws
            both uniformly in ``[-b, b]``, ``b = sqrt(6 / (fan_in + fan_out))`` ("logistic": 2), as
            scikit-learn does.
        l1_ratio: the part of ``alpha`` that weighs ``sum(|w|)`` instead of ``sum(w ** 2) / 2``.
        max_norm: the largest norm of the weights into each hidden unit.
        clip_norm: the largest norm of the gradient of all weights; longer ones are scaled down.
        dtype: "float32" or "float64", to which samples are converted; None keeps float32 and makes
            all else float64.
        n_threads: threads used at most; None leaves the choice to ``pynn.config``.
        scoring: how rows that are not trained on are judged, those that ``early_stopping`` holds
            out or ``X_val`` of ``fit``: the name of a scorer of scikit-learn, a function
            ``scorer(estimator, X, y)``, "loss" for the loss on these rows without penalties
            (negative, so that more is better), or None for the R².
        callbacks: objects of ``pynn.callbacks``, which see the model ``model_`` and the logs that
            ``history_`` keeps. An iteration of "lbfgs" is an epoch of one batch to them.
        standardize: whether the model begins with a ``Normalization`` by the means and deviations
            of the first ``fit``'s weighted rows; targets stay as they are. Like the next parameters
            it refuses sparse samples, which centring would fill.
        missing: "error" refuses NaN; "indicator" reads the feature's mean instead, and one input of
            0 and 1 more for each feature that had NaN in the first ``fit``.
        categorical_features: a mask, places or names of columns, or "from_dtype" for a data frame's
            categorical ones. Each value becomes a vector that is learned (``Embedding``, with the
            penalty of kernels); all that are missing, or new after the first ``fit``, share one.
        embedding_dim: the length of these vectors; None: ``min(50, (values + 1) // 2)``.
        monotonic_cst: 1 for features that the prediction never falls with, -1 for those it never
            rises with, else 0; a sequence, or a dict by name. Kernels are held at 0 or more, and
            ``coefs_[0]`` reads free features a second time, negated. Needs one output.

    Attributes:
        coefs_, intercepts_: kernels ``(inputs, units)`` and biases of all layers: live views of the
            model's weights. What is written into them, or assigned, takes effect.
        model_: the pynn model that is trained.
        loss_, loss_curve_: the loss of the last epoch and of each, penalty included.
        best_loss_: the lowest of them, None with early stopping.
        validation_scores_, best_validation_score_: with early stopping the score of each epoch,
            and the best.
        n_iter_: epochs of the last ``fit``; of "lbfgs" iterations.
        t_: rows seen in training.
        n_features_in_, feature_names_in_: number and, for data frames, names of the features.
        n_layers_, n_outputs_, out_activation_: layers counted with the inputs, number of outputs
            and the name of their activation.
        history_: for each key the list of its values after each epoch: "loss", that of
            ``loss_curve_``; "val_loss" (without penalties) and "val_score" where there are rows
            that are not trained on; "learning_rate", that of the epoch's last step (not for
            "lbfgs"); and what callbacks add. It goes on where training goes on.

    Raises:
        InvalidParameterError: in ``fit``, a parameter outside its range (a ValueError).

    Example:
        >>> X = np.linspace(-1, 1, 50)[:, None]
        >>> est = MLPRegressor(solver="lbfgs", activation="tanh", random_state=1)
        >>> est = est.fit(X, X.ravel() ** 2)
        >>> est.predict([[0.5]]).round(1).tolist(), est.score(X, X.ravel() ** 2) > 0.99
        ([0.2], True)

    References:
        Rumelhart, Hinton, Williams 1986, https://doi.org/10.1038/323533a0.
        Kingma, Ba 2014, https://arxiv.org/abs/1412.6980.
        Koenker, Bassett 1978 (quantiles), https://doi.org/10.2307/1913643.
        Runje, Shankaranarayana 2023, https://arxiv.org/abs/2205.11775.
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
        standardize: bool = False,
        missing: str = "error",
        categorical_features: Any = None,
        embedding_dim: int | None = None,
        monotonic_cst: Any = None,
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
