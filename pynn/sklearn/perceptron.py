"""The perceptron, one class against all others, as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import sklearn
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import _check_sample_weight, validate_data

from pynn import _core
from pynn.sklearn.inputs import class_numbers

Array = npt.NDArray[Any]

_MOST = np.iinfo(np.int32).max
_SPARSE_INTERCEPT_RATE = 0.01  # rows with few values would make the intercept swing
_L1_RATIOS: dict[str | None, float] = {"l2": 0.0, "l1": 1.0}

_VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
# scikit-learn 1.8 counts the penalty among what has to improve; 1.9 refuses weights of nothing.
_PENALTY_COUNTS = _VERSION >= (1, 8)
_REFUSES_ZERO_WEIGHTS = _VERSION >= (1, 9)


class Perceptron(SparseCoefMixin, LinearClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Linear classifier that learns from its mistakes only, one row after another.

    A row x of class y, +1 or -1, with (w·x + b) y <= 0 moves the weights: w ← w + η0 s x y and
    b ← b + η0 s y, where s is the row's weight times that of its class. With more than two classes
    each is told from all others. Parameters, fitted attributes and results are those of
    `sklearn.linear_model.Perceptron`, for the same `random_state` too.

    Args:
        penalty: None, "l2", "l1" or "elasticnet".
        alpha: factor of the penalty.
        l1_ratio: share of L1 in "elasticnet", from 0 to 1.
        fit_intercept: whether b is learned.
        max_iter: most epochs of `fit`.
        tol: an epoch is idle that does not better the best mean loss (with the penalty, since
            scikit-learn 1.8) or accuracy by this much; None runs all epochs.
        shuffle: whether each epoch visits the rows in a new order.
        verbose: 1 prints lines on every epoch.
        eta0: learning rate η0.
        n_jobs: classes trained at the same time; None is 1, -1 as many as there are processors.
        random_state: of the shuffles and of the rows set aside.
        early_stopping: sets rows aside and watches their accuracy instead of the loss.
        validation_fraction: share of the rows set aside.
        n_iter_no_change: idle epochs in a row that end the training.
        class_weight: weights by class, or "balanced" for n_samples / (n_classes count of class).
        warm_start: whether `fit` starts from the last solution.

    Attributes:
        classes_: labels, shape (n_classes,).
        coef_: weights, shape (n_classes, n_features); (1, n_features) for two classes.
        intercept_: b, shape (n_classes,); (1,) for two classes.
        n_iter_: epochs of the class that took longest.
        t_: 1 + rows visited, by that class.
        n_features_in_: columns seen in `fit`.
        feature_names_in_: their names, where all are strings.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> model = Perceptron(penalty="l2", alpha=0.001).fit(X, y)
        >>> model.coef_.shape
        (3, 4)
        >>> bool(model.score(X, y) > 0.7)
        True

    References:
        Rosenblatt 1958, https://doi.org/10.1037/h0042519
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
    }

    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Perceptron:
        """Trains until the loss, or the accuracy on rows set aside, does not improve any more.

        Args:
            X: rows, shape (n_samples, n_features), dense or sparse.
            y: labels, shape (n_samples,).
            coef_init: weights to start from, in the shape of `coef_`.
            intercept_init: the same for `intercept_`.
            sample_weight: weights of the rows, shape (n_samples,).

        Returns:
            The estimator itself.

        Raises:
            ValueError: the arguments do not fit each other, or the weights grow beyond all numbers.
        """
        y = validate_data(self, y=y)
        if hasattr(self, "classes_"):
            del self.classes_
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.coef_ if coef_init is None else coef_init
            if intercept_init is None:
                intercept_init = np.asarray(self.intercept_, self.coef_.dtype)
        self.t_ = 1.0
        self._train(X, y, np.unique(y), sample_weight, self.max_iter, coef_init, intercept_init)
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing "
                "max_iter to improve the fit.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Perceptron:
        """Trains on some rows for one epoch.

        Args:
            X: rows, shape (n_samples, n_features), dense or sparse.
            y: labels, shape (n_samples,).
            classes: all labels that will ever come; needed in the first call.
            sample_weight: weights of the rows, shape (n_samples,).

        Returns:
            The estimator itself.

        Raises:
            ValueError: the arguments do not fit each other or what was seen before.
        """
        if not hasattr(self, "classes_"):
            if self.early_stopping:
                raise ValueError("early_stopping should be False with partial_fit")
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight 'balanced' is not supported for partial_fit. In order to use "
                    "'balanced' weights, use compute_class_weight('balanced', classes=classes, "
                    "y=y). In place of y you can use a large enough sample of the full training "
                    "set target to properly estimate the class frequency distributions. Pass the "
                    "resulting weights as the class_weight parameter."
                )
        coef, intercept = getattr(self, "coef_", None), getattr(self, "intercept_", None)
        return self._train(X, y, classes, sample_weight, 1, coef, intercept)

    def _train(
        self,
        X: Any,
        y: Any,
        classes: Any,
        sample_weight: Any,
        max_iter: int,
        coef_init: Any,
        intercept_init: Any,
    ) -> Perceptron:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            order="C",
            accept_large_sparse=False,
            reset=not hasattr(self, "classes_"),
        )
        _check_partial_fit_first_call(self, classes)
        class_weight = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        # Where rows are set aside, weights of nothing have a message of their own.
        zeros = {"allow_all_zero_weights": self.early_stopping} if _REFUSES_ZERO_WEIGHTS else {}
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, **zeros)
        n_classes, is_sparse = len(self.classes_), sparse.issparse(X)
        coef, intercept = start(n_classes, X, coef_init, intercept_init)
        if n_classes < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {n_classes} class"
            )
        held_out, seeds = self._draw(y, sample_weight)
        if n_classes == 2:
            problems = [(1, class_weight[1], class_weight[0], seeds[0])]
        else:
            problems = [(i, class_weight[i], 1.0, seed) for i, seed in enumerate(seeds)]
        epochs = _core.train_perceptrons(
            x=X.data if is_sparse else X,
            columns=X.indices if is_sparse else None,
            starts=X.indptr if is_sparse else None,
            labels=class_numbers(self.classes_, y),
            sample_weight=sample_weight,
            held_out=held_out,
            coef=coef,
            intercept=intercept,
            problems=problems,
            options=self._options(max_iter, is_sparse),
            report=self._print if self.verbose else None,
            n_threads=effective_n_jobs(self.n_jobs) if n_classes > 2 else 1,
        )
        self.coef_ = coef
        # scikit-learn keeps the one intercept of two classes in double.
        self.intercept_ = intercept if n_classes == 2 else intercept.astype(X.dtype)
        self.n_iter_ = max(epochs)
        self.t_ = getattr(self, "t_", 1.0) + self.n_iter_ * X.shape[0]
        return self

    def _options(self, max_iter: int, is_sparse: bool) -> dict[str, Any]:
        intercept_rate = _SPARSE_INTERCEPT_RATE if is_sparse else 1.0
        return {
            "alpha": 0.0 if self.penalty is None else self.alpha,
            "l1_ratio": _L1_RATIOS.get(self.penalty, self.l1_ratio),
            "eta0": self.eta0,
            "intercept_rate": intercept_rate if self.fit_intercept else 0.0,
            "tol": self.tol,
            "max_epochs": max_iter,
            "patience": self.n_iter_no_change,
            "shuffle": self.shuffle,
            "penalty_counts": _PENALTY_COUNTS,
        }

    def _draw(self, y: Array, sample_weight: Array) -> tuple[Array | None, list[int]]:
        """The rows set aside, or None, and the seed of each problem's shuffles.

        The numbers are drawn in scikit-learn's order: one that nothing uses comes before each seed.
        """
        if len(self.classes_) == 2:
            random_state = check_random_state(self.random_state)
            random_state.randint(1, _MOST)
            held_out = self._held_out(y, sample_weight)
            return held_out, [random_state.randint(_MOST)]
        held_out = self._held_out(y, sample_weight)
        seeds = []
        for seed in check_random_state(self.random_state).randint(_MOST, size=len(self.classes_)):
            random_state = check_random_state(seed)
            random_state.randint(1, _MOST)
            seeds.append(random_state.randint(_MOST))
        return held_out, seeds

    def _held_out(self, y: Array, sample_weight: Array) -> Array | None:
        if not self.early_stopping:
            return None
        splits = StratifiedShuffleSplit(
            test_size=self.validation_fraction, random_state=self.random_state
        )
        _, rows = next(splits.split(np.empty((len(y), 0)), y))
        if not np.any(sample_weight[rows] > 0):
            raise ValueError(
                "The sample weights for validation set are all zero, consider using a different "
                "random state."
            )
        held_out = np.zeros(len(y), np.bool_)
        held_out[rows] = True
        return held_out

    def _print(self, epoch: _core.PerceptronEpoch) -> None:
        print(f"-- Epoch {epoch.epoch}")
        line = (
            f"Norm: {epoch.norm:.2f}, NNZs: {epoch.nonzeros}, Bias: {epoch.intercept:.6f}, "
            f"T: {epoch.seen}, Avg. loss: {epoch.loss:f}"
        )
        if _PENALTY_COUNTS:
            line += f", Objective: {epoch.objective:f}"
            line += f", Validation score: {epoch.accuracy:f}" if self.early_stopping else ""
        print(line)
        print(f"Total training time: {epoch.seconds:.2f} seconds.")
        if epoch.converged:
            print(f"Convergence after {epoch.epoch} epochs took {epoch.seconds:.2f} seconds")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def start(
    n_classes: int, X: Any, coef_init: Any, intercept_init: Any
) -> tuple[Array, npt.NDArray[np.float64]]:
    """Weights and intercepts to start from, as copies, with a row and a number per problem."""
    problems = n_classes if n_classes > 2 else 1
    coef = np.zeros((problems, X.shape[1]), X.dtype)
    if coef_init is not None:
        given = coef_init.toarray() if sparse.issparse(coef_init) else np.asarray(coef_init)
        if problems == 1 and given.size != coef.size:
            raise ValueError("Provided coef_init does not match dataset.")
        if problems > 1 and given.shape != coef.shape:
            raise ValueError("Provided ``coef_`` does not match dataset. ")
        coef[:] = given.reshape(coef.shape)
    intercept = np.zeros(problems)
    if intercept_init is not None:
        given = np.asarray(intercept_init)
        if given.shape != (problems,) and (problems > 1 or given.shape != ()):
            raise ValueError("Provided intercept_init does not match dataset.")
        intercept[:] = given
    return coef, intercept
