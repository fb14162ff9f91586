"""What the estimators of multilayer perceptrons share: the way of fit, partial_fit and predict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, issparse
from sklearn import get_config
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from pynn import activations, config
from pynn.callbacks import Callback
from pynn.initializers import Initializer
from pynn.models import state
from pynn.optimizers import Optimizer
from pynn.sklearn import front, inputs, lbfgs, network, packing, weights
from pynn.sklearn.data import Rows
from pynn.sklearn.goals import Goal
from pynn.sklearn.judging import given_rows
from pynn.sklearn.predictor import Predictor
from pynn.sklearn.protocol import CallbackSupportMixin, bridge, with_callbacks
from pynn.sklearn.stochastic import Epochs, Stopping

if TYPE_CHECKING:
    from typing_extensions import Self

Array = npt.NDArray[Any]
_FLOATS = (np.float64, np.float32)
_BLOCK = 4096  # rows of a sparse matrix that are made dense at once for a model that needs it

_ACTIVATIONS = {"identity", "logistic"} | {
    name for name in activations.__all__ if hasattr(getattr(activations, name), "row")
}


class BaseMLP(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]
    """Base of ``MLPClassifier`` and ``MLPRegressor``; they say what targets and outputs are."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(_ACTIVATIONS), callable],
        "solver": [StrOptions(network.SOLVERS), Optimizer],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"}), callable],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "batch_norm": ["boolean"],
        "kernel_initializer": [str, callable, None],
        "max_norm": [Interval(Real, 0, None, closed="neither"), None],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "dtype": [StrOptions({"float32", "float64"}), None],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "scoring": [str, callable, None],
        "callbacks": [list, tuple, Callback, None],
        "standardize": ["boolean"],
        "missing": [StrOptions({"error", "indicator"})],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "embedding_dim": [Interval(Integral, 1, None, closed="left"), None],
        "monotonic_cst": ["array-like", dict, None],
    }

    def _store(self, parameters: Mapping[str, Any]) -> None:
        """Keeps the arguments of ``__init__`` as they are."""
        for name in self._get_param_names():
            setattr(self, name, parameters[name])

    # ---- what a subclass says ----------------------------------------------------------------

    def _check_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        """Samples and targets, checked."""
        raise NotImplementedError

    def _make_goal(self) -> Goal:
        """What training minimizes, as the targets seen last are."""
        raise NotImplementedError

    def _encode(self, y: Any) -> Array:
        """Checked targets as the goal's loss reads them."""
        raise NotImplementedError

    def _as_given(self, y: Array) -> Any:
        """Encoded targets as the user has them."""
        raise NotImplementedError

    def _check_further(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Samples and targets that are not trained on, checked."""
        raise NotImplementedError

    def _weigh(self, y: Any, sample_weight: Any, incremental: bool) -> Any:
        """The weights of the rows, None if all are 1."""
        return sample_weight

    def _score_of(self, outputs: Array, rows: Rows) -> float:
        """The score that early stopping watches, from the model's outputs for these rows."""
        raise NotImplementedError

    _link: weights.Link
    _categories: inputs.Categories | None = None
    _reads_sparse = False  # whether the model's input is sparse
    _stratifies = False  # whether rows held out keep the proportions of the classes

    # ---- fit ---------------------------------------------------------------------------------

    def _check_arrays(self, X: Any, y: Any, reset: bool, **options: Any) -> tuple[Any, Any]:
        X, y = inputs.check(self, X, y, reset, multi_output=True, dtype=self._floats(), **options)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    @with_callbacks  # type: ignore[untyped-decorator]
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, *validation: Any, incremental: bool = False
    ) -> Any:
        self._check_parameters()
        epochs = 1 if incremental else self.max_iter
        callbacks = [self.callbacks, bridge(self, X, y, sample_weight, epochs)]
        hidden = self._hidden()
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = self._check_input(X, y, incremental, reset=first)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        sample_weight = self._weigh(y, sample_weight, incremental)
        self._random_state = check_random_state(self.random_state)
        if first:
            self._start(X, sample_weight, hidden)
        else:
            self._link.adopt(self)
        data = Rows(self._readable(X), self._encode(y), sample_weight)
        held = given_rows(self, *validation) if validation else None
        self._compile(incremental)
        if self.solver == "lbfgs":
            lbfgs.fit(self, data, held, callbacks)
        elif self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        else:
            Epochs(self, data, held, callbacks, incremental).run()
        self._link = weights.Link(self)
        if not all(np.isfinite(array).all() for array in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large "
                "values and need to be preprocessed."
            )
        return self

    def _compile(self, incremental: bool) -> None:
        """Every ``fit`` begins with a new optimizer, ``partial_fit`` goes on with what it has."""
        model, goal = self.model_, self._goal
        changed = network.renew_penalty(model, self)
        if not (incremental and model.compiled):
            model.compile(network.optimizer(self), goal.loss, [goal.weight])
        elif changed:
            steps = state.of(model)
            model.compile(model.optimizer, goal.loss, [goal.weight])
            if steps is not None:
                state.set_state(model, steps)

    def _check_parameters(self) -> None:
        """Parameters that do not go with each other."""
        if self.embedding_dim is not None and self.categorical_features is None:
            raise ValueError(
                "embedding_dim needs categorical_features. "
                f"Received: embedding_dim={self.embedding_dim!r}, categorical_features=None"
            )
        if self.solver == "lbfgs":
            for name, used in (
                ("dropout", np.any(self.dropout)),
                ("batch_norm", self.batch_norm),
                ("max_norm", self.max_norm is not None),
                ("clip_norm", self.clip_norm is not None),
                ("l1_ratio", self.l1_ratio),
            ):
                if used:
                    raise ValueError(
                        f"{name} needs a stochastic solver, 'lbfgs' minimizes one smooth function. "
                        f"Received: {name}={getattr(self, name)!r}, solver='lbfgs'"
                    )

    def _hidden(self) -> list[int]:
        given = self.hidden_layer_sizes
        sizes = list(given) if hasattr(given, "__iter__") else [given]
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
        return [int(size) for size in sizes]

    def _start(self, X: Any, sample_weight: Any, hidden: list[int]) -> None:
        """Makes the model and forgets what was learned before."""
        self._goal = self._make_goal()
        self.n_outputs_, self.out_activation_ = self._goal.outputs, self._goal.out_activation
        units = [X.shape[1], *hidden, self.n_outputs_]
        self.n_layers_ = len(units)
        self._reads_sparse = issparse(X)
        self.model_ = network.build(
            self,
            units,
            self.out_activation_,
            X.dtype.name,
            self._random_state,
            front.of(self, X, sample_weight),
        )
        self._noise_seed = network.draw_seed(self._random_state) if np.any(self.dropout) else 0
        self.n_iter_ = self.t_ = 0
        self.history_: dict[str, list[float]] = {}
        if self.solver != "lbfgs":
            self._stopping = Stopping(self.early_stopping)
            if self.early_stopping:
                self._stopping.weights = self.model_.get_weights()
            self.loss_curve_: list[float] = []
            self.validation_scores_: list[float] | None = [] if self.early_stopping else None
            self.best_validation_score_ = -np.inf if self.early_stopping else None
            self.best_loss_ = None if self.early_stopping else np.inf

    def _reported(self, results: Mapping[str, Any]) -> float:
        """scikit-learn's loss: penalties, and what the goal reports of the loss on the data."""
        excess = self._goal.weight - self._goal.reported
        return float(results["loss"] - excess * results["losses"][0])

    def _loss_on_data(self, results: Mapping[str, Any]) -> float:
        """The same without the penalties."""
        return float(self._goal.reported * results["losses"][0])

    def _check_solver(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError(
                f"partial_fit is only available for stochastic optimizers. {self.solver} is not "
                "stochastic."
            )
        return True

    # ---- predict -----------------------------------------------------------------------------

    def _outputs(self, X: Any) -> Array:
        """The model's outputs for samples that are still to be checked."""
        self._be_ready()
        return self._run(self._checked(X))

    def _be_ready(self) -> None:
        """Raises NotFittedError before training; takes over weights that have been assigned."""
        if not hasattr(self, "model_"):
            check_is_fitted(self)
        self._link.adopt(self)

    def _checked(self, X: Any) -> Any:
        """Samples to predict. Those that are plainly in order are not looked at twice."""
        plain = type(X) is np.ndarray and X.dtype in _FLOATS and X.ndim == 2 and len(X) > 0
        plain = plain and X.shape[1] == self.n_features_in_
        plain = plain and not hasattr(self, "feature_names_in_") and self._categories is None
        if plain and (get_config()["assume_finite"] or math.isfinite(np.add.reduce(X, None))):
            return X
        return inputs.check(self, X, dtype=_FLOATS)

    def _readable(self, X: Any) -> Any:
        """Checked samples as the model reads them: an array, or the rows of a sparse matrix."""
        if issparse(X):
            return X.tocsr() if self._reads_sparse else X.toarray()
        return csr_matrix(X) if self._reads_sparse else X

    def _run(self, X: Any) -> Array:
        if issparse(X) and not self._reads_sparse and X.shape[0] > _BLOCK:
            X = X.tocsr()
            blocks = [X[first : first + _BLOCK] for first in range(0, X.shape[0], _BLOCK)]
            return np.concatenate([self._run(block) for block in blocks])
        network = self.model_.program().network
        y: Array = network.predict([self._readable(X)], self._threads())[0]
        return y

    def _threads(self) -> int:
        return self.n_threads or config.n_threads()

    def _floats(self) -> Any:
        """The types that samples may have while training, the first being that of others."""
        return _FLOATS if self.dtype is None else np.dtype(self.dtype)

    def _decide(self, y: Array) -> Array:
        """What is predicted where the network has these outputs."""
        raise NotImplementedError

    def _sampled(self, X: Any, samples: int) -> tuple[Array, Array]:
        """Mean and standard deviation of the outputs with dropout active.

        Raises:
            ValueError: there is no dropout.
        """
        if not np.any(self.dropout):
            raise ValueError(
                "return_std needs dropout: the deviation is that of predictions with different "
                f"units left out. Received: dropout={self.dropout!r}"
            )
        self._be_ready()
        mean, deviation = self.model_.predict(self._checked(X), mc_samples=samples, verbose=0)
        return mean, deviation

    def predictor(self) -> Predictor:
        """Returns a copy for services, which predicts without checking its input first."""
        self._be_ready()
        return Predictor(self)

    # ---- scikit-learn's own estimators -------------------------------------------------------

    @classmethod
    def from_sklearn(cls, estimator: Any) -> Self:
        """Returns an estimator that predicts, and goes on training, like scikit-learn's.

        Args:
            estimator: a fitted estimator of the same name from ``sklearn.neural_network``.

        Raises:
            TypeError: another estimator.
            NotFittedError: one that was not fitted.
        """
        from pynn.sklearn.exchange import from_sklearn

        return from_sklearn(cls, estimator)  # type: ignore[no-any-return]

    def to_sklearn(self) -> Any:
        """Returns scikit-learn's fitted estimator of the same name, which predicts the same.

        Parameters that scikit-learn lacks are left behind: they concern training.

        Raises:
            NotFittedError: this estimator was not fitted.
            ValueError: the layers, or the loss, are none that scikit-learn has.
        """
        from pynn.sklearn.exchange import to_sklearn

        return to_sklearn(self)

    # ---- copies and tags ---------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles consist of: plain arrays and text, where layers are pynn's."""
        if hasattr(self, "_link"):
            self._link.adopt(self)
        state = dict(super().__getstate__())
        for name in ("_link", "coefs_", "intercepts_"):
            state.pop(name, None)
        if "model_" in state and not self._has_functions():
            state["model_"] = packing.pack(self.model_)
        return state

    def _has_functions(self) -> bool:
        """Whether functions of the user's own are parts of the model."""
        return any(
            callable(given) and not hasattr(given, "row") and not isinstance(given, Initializer)
            for given in (self.activation, self.kernel_initializer)
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "model_"):
            return
        if isinstance(self.model_, dict):
            self.model_ = packing.unpack(self.model_, self._goal.loss, self._goal.weight)
        self._link = weights.Link(self)

    # ---- what scikit-learn calls private, and people read ------------------------------------

    @property
    def _optimizer(self) -> Any:
        return self.model_.optimizer

    @property
    def _no_improvement_count(self) -> int:
        return int(self._stopping.idle)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not inputs.prepared(self)
        tags.input_tags.allow_nan = self.missing == "indicator"
        return tags
