"""The layers of an estimator's model between the samples and the first hidden layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from pynn import layers, ops
from pynn.sklearn import inputs

Array = npt.NDArray[Any]

_MONOTONIC = (
    "elu", "exponential", "hard_sigmoid", "hard_tanh", "identity", "leaky_relu", "linear",
    "log_sigmoid", "logistic", "relu", "relu6", "selu", "sigmoid", "softplus", "softsign",
    "sparse_plus", "squareplus", "tanh",
)  # fmt: skip


def of(estimator: Any, X: Array, weight: Any) -> Front | None:
    """What an estimator's parameters put there for these training rows; None for nothing."""
    return Front(estimator, X, weight) if inputs.prepared(estimator) else None


class Front:
    """What happens to the columns of an input before the first hidden layer reads them.

    It reads numbers first, then one column for each feature that had missing values, then the
    vectors of the categories; then, if predictions are to be monotonic, those of all these columns
    again, with the other sign, that they may follow in any direction: with weights of at least 0
    the network can only rise with a column.

    Args:
        estimator: its features are known.
        X: the training rows, numbers.
        weight: of the rows, or None.

    Raises:
        ValueError: ``monotonic_cst`` does not fit the features, the outputs or the activation.
    """

    def __init__(self, estimator: Any, X: Array, weight: Any) -> None:
        self._standardizes = bool(estimator.standardize)
        self._imputes = estimator.missing == "indicator"
        self._categories = estimator._categories
        self._width = X.shape[1]
        self._numeric = np.arange(X.shape[1])
        if self._categories is not None:
            self._numeric = np.array(self._categories.numeric, int)
        self._dimension = estimator.embedding_dim
        self.signs = _signs(estimator)
        numbers = X if self._categories is None else X[:, self._numeric]
        missing = np.isnan(numbers) if self._imputes else np.zeros((1, len(self._numeric)), bool)
        self._indicated = self._numeric[missing.any(0)]
        self._mean = self._deviation = np.zeros(0)
        if len(self._numeric) and (self._standardizes or self._imputes):
            scaler = StandardScaler().fit(np.where(missing.all(0), 0, numbers), None, weight)
            self._mean, self._deviation = scaler.mean_, scaler.scale_

    def connect(self, x: Any, penalty: Any, stream: np.random.RandomState) -> Any:
        """What the first hidden layer reads, as a symbol.

        Args:
            x: the symbol of the samples.
            penalty: of the vectors of the categories.
            stream: where the first vectors of the categories come from.
        """
        parts = [self._numbers(x)] if len(self._numeric) else []
        if len(self._indicated):
            indicators = ops.isnan(ops.take(x, self._indicated, axis=1))
            parts.append(ops.cast(indicators, x.dtype))
        if self._categories is not None:
            for place, size in zip(self._categories.columns, self._categories.sizes, strict=True):
                parts.append(self._embedding(place, size, penalty, stream, x.dtype)(x[:, place]))
        y = ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        return y if self.signs is None else self._both_ways(y)

    def _numbers(self, x: Any) -> Any:
        y = x if len(self._numeric) == self._width else ops.take(x, self._numeric, axis=1)
        if self._standardizes:
            layer = layers.Normalization(dtype=x.dtype, name="standardize")
            y = layer(y)
            layer.set_weights([self._mean, self._deviation**2, np.ones(())])
        if self._imputes:
            y = ops.where(ops.isnan(y), 0 if self._standardizes else self._mean, y)
        return y

    def _embedding(
        self, place: int, size: int, penalty: Any, stream: np.random.RandomState, dtype: str
    ) -> layers.Embedding:
        """The layer of a column; its vectors have about length 1, as columns of 0 and 1 have."""
        dimension = self._dimension or max(1, min(50, (size + 1) // 2))
        bound = np.sqrt(3 / dimension)
        vectors = stream.uniform(-bound, bound, (size + 1, dimension))
        vectors[size] = 0  # nothing is known of other values
        return layers.Embedding(
            size + 1,
            dimension,
            weights=vectors,
            embeddings_regularizer=penalty,
            dtype=dtype,
            name=f"embedding_{place}",
        )

    def _both_ways(self, y: Any) -> Any:
        signs = np.zeros(y.shape[1])
        signs[: len(self._numeric)] = self.signs[self._numeric]
        free = np.flatnonzero(signs == 0)
        rising = y * np.where(signs < 0, -1, 1)
        return ops.concatenate([rising, -ops.take(y, free, axis=1)], axis=-1)


def _signs(estimator: Any) -> Any:
    """The directions that predictions keep to, None if there are none to keep."""
    if estimator.monotonic_cst is None:
        return None
    signs = inputs.monotonic_signs(estimator)
    if estimator.n_outputs_ != 1:
        raise ValueError(
            "monotonic constraints are not supported for multiclass classification."
            if hasattr(estimator, "classes_")
            else "monotonic constraints need one target. "
            f"Received: targets with {estimator.n_outputs_} numbers"
        )
    categories = estimator._categories
    if categories is not None and signs[categories.columns].any():
        raise ValueError("Categorical features cannot have monotonic constraints.")
    if estimator.activation not in _MONOTONIC:
        raise ValueError(
            f"monotonic_cst needs a monotonic activation: one of {', '.join(_MONOTONIC)}. "
            f"Received: activation={estimator.activation!r}"
        )
    if estimator.max_norm is not None:
        raise ValueError(
            "monotonic_cst keeps the weights above 0, which does not go with max_norm. "
            f"Received: max_norm={estimator.max_norm!r}"
        )
    return signs if signs.any() else None


def three_ways(activation: Any, z: Any) -> Any:
    r"""An increasing function of each unit, convex, concave or bounded, for a third of the units.

    Formula: :math:`f(z)`, :math:`-f(-z)` and :math:`f(\min(z, 0) + 1) - f(1 - \max(z, 0))`: sums
    of one of these with weights of at least 0 would all be convex, or the like.

    Args:
        activation: an increasing function f of ``pynn.activations``.
        z: the symbol of what the units sum up.

    References:
        Runje, Shankaranarayana 2023, https://arxiv.org/abs/2205.11775
    """
    size = z.shape[-1]
    first, second = -(-size // 3), -(-2 * size // 3)
    parts = [activation(z[:, :first])]
    if second > first:
        parts.append(-activation(-z[:, first:second]))
    if size > second:
        c = z[:, second:]
        parts.append(activation(ops.minimum(c, 0) + 1) - activation(1 - ops.maximum(c, 0)))
    return ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
