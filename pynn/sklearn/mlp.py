"""Multilayer perceptrons as scikit-learn's estimators."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import validate_data

from pynn.sklearn.base import BaseMLP
from pynn.sklearn.data import Rows

Array = npt.NDArray[Any]
_FLOATS = (np.float64, np.float32)


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that predicts classes."""

    def __init__(
        self,
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
        loss: Any = "log_loss",
    ) -> None:
        self._store(locals())

    # ---- training ----------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Trains on samples and their classes."""
        return self._fit(X, y, sample_weight, incremental=False)  # type: ignore[no-any-return]

    @available_if(lambda est: est._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Trains one epoch on these samples and keeps what was learned before."""
        if _check_partial_fit_first_call(self, classes):
            kind = type_of_target(y)
            self._binarizer = LabelBinarizer().fit(y if kind.startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, incremental=True)  # type: ignore[no-any-return]

    def _check_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=_FLOATS,
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._binarizer.classes_
        else:
            self._check_classes(unique_labels(y))
        return X, self._encode(y)

    def _check_classes(self, found: Array) -> None:
        if self.warm_start:
            if set(found) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous "
                    f"call to fit. Previously got {self.classes_}, `y` has {found}"
                )
        elif len(np.setdiff1d(found, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. "
                f"`self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def _encode(self, y: Any) -> Array:
        """Numbers of the classes; a column of 0 and 1 for two classes, one for each label."""
        if self._binarizer.y_type_ == "multiclass":
            encoded: Array = np.searchsorted(self.classes_, y).astype(np.int32)
        else:
            encoded = self._binarizer.transform(y).astype(np.uint8)
        return encoded

    def _shape_of_output(self) -> tuple[int, str]:
        several = self._binarizer.y_type_ == "multiclass"
        binary = self._binarizer.y_type_ == "binary"
        return 1 if binary else len(self.classes_), "softmax" if several else "logistic"

    @property
    def _stratifies(self) -> bool:  # type: ignore[override]
        return bool(self.n_outputs_ == 1)

    # ---- prediction --------------------------------------------------------------------------

    def predict(self, X: Any) -> Array:
        """Returns the most probable class of each sample, or its labels."""
        y = self._outputs(X)
        found: Array = self._binarizer.inverse_transform(y.ravel() if self.n_outputs_ == 1 else y)
        return found

    def predict_proba(self, X: Any) -> Array:
        """Returns the probability of each class, or of each label."""
        y = self._outputs(X)
        return np.hstack([1 - y, y]) if self.n_outputs_ == 1 else y

    def predict_log_proba(self, X: Any) -> Array:
        """Returns the logarithms of ``predict_proba``."""
        y = self.predict_proba(X)
        return np.log(y, out=y)

    def _validation_score(self, rows: Rows) -> float:
        y = self._run(rows.x)
        if not np.isfinite(y).all():
            return float("nan")
        if self.out_activation_ == "softmax":
            hits = y.argmax(1) == rows.y
        else:
            hits = ((y > 0.5) == rows.y).all(1)
        return float(np.average(hits, weights=rows.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """Multilayer perceptron that predicts numbers."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
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
    ) -> None:
        self._store(locals())

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Trains on samples and their targets."""
        return self._fit(X, y, sample_weight, incremental=False)  # type: ignore[no-any-return]

    @available_if(lambda est: est._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Trains one epoch on these samples and keeps what was learned before."""
        return self._fit(X, y, sample_weight, incremental=True)  # type: ignore[no-any-return]

    def _check_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=_FLOATS,
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._columns = 1 if y.ndim == 1 else y.shape[1]
        return X, y

    def _shape_of_output(self) -> tuple[int, str]:
        return self._columns, "exp" if self.loss == "poisson" else "identity"

    def predict(self, X: Any) -> Array:
        """Returns the prediction for each sample, one number or as many as ``y`` had."""
        y = self._outputs(X)
        return y.ravel() if y.shape[1] == 1 else y

    def _validation_score(self, rows: Rows) -> float:
        y = self._run(rows.x)
        if not np.isfinite(y).all():
            return float("nan")
        return float(r2_score(rows.y, y, sample_weight=rows.weight))
