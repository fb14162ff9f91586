"""A fitted estimator made ready for a service: prediction without checks."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from pynn.models.fusing import fuse

Array = npt.NDArray[Any]


class Predictor:
    """Predicts single samples, or a few, in little more time than the network takes.

    It keeps a copy of the estimator, so that later training does not change it, and may be called
    from several threads at once. Samples are not checked for names and for NaN or infinite values.
    Batch normalizations become part of the dense layers before them, which rounds differently
    (unless the model contains functions of the user's own).

    Args:
        estimator: a fitted ``MLPClassifier`` or ``MLPRegressor``.

    Example:
        >>> from pynn import MLPClassifier
        >>> X, y = np.array([[0.0, 0.0], [1.0, 1.0]]), ["no", "yes"]
        >>> served = MLPClassifier(solver="lbfgs", random_state=1).fit(X, y).predictor()
        >>> str(served.predict([2.0, 2.0])), served.predict_proba([[2.0, 2.0]]).round(2).tolist()
        ('yes', [[0.0, 1.0]])
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = copy.deepcopy(estimator)
        if estimator.batch_norm and not estimator._has_functions():
            self._estimator.model_ = fuse(self._estimator.model_)

    def predict(self, x: npt.ArrayLike) -> Any:
        """Returns what the estimator predicts.

        Args:
            x: samples, shape ``(n, n_features_in_)``, or one of shape ``(n_features_in_,)``, whose
                prediction comes without the axis of samples.

        Raises:
            ValueError: another number of features.
        """
        return self._of(x, self._estimator._decide)

    def predict_proba(self, x: npt.ArrayLike) -> Any:
        """Returns the probabilities of a classifier's classes, for samples as in ``predict``.

        Raises:
            AttributeError: the estimator has no ``predict_proba``.
            ValueError: another number of features.
        """
        self._estimator._check_probabilities()
        return self._of(x, self._estimator._probabilities)

    def _of(self, x: npt.ArrayLike, read: Any) -> Any:
        est, categories = self._estimator, self._estimator._categories
        if issparse(x):
            return read(est._run(x))
        array = np.asarray(x, None if categories is None else object)
        rows = array[None] if array.ndim == 1 else array
        if categories is not None:
            rows = categories.encode(rows, np.float64)
        y = read(est._run(rows))
        return y[0] if array.ndim == 1 else y

    def __repr__(self) -> str:
        return f"Predictor({self._estimator!r})"
