"""Means and sums of values, and functions as metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.losses._base import as_array, row_weights, same_rank
from pynn.metrics._base import Metric
from pynn.utils.configurable import serialize


class Sum(Metric):
    """The weighted sum of numbers.

    Formula: ``sum(weight * value)``

    Args:
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> total = Sum()
        >>> total.update_state([1.0, 3.0], sample_weight=[1.0, 0.5])
        >>> total.result()
        2.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype="float64", name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds numbers, shape (n, ...), with a weight for each of the n or for each number."""
        numbers, weight = _weighted(values, sample_weight)
        added = numbers if weight is None else numbers * weight
        self.total.assign_add(added.sum())

    def result(self) -> float:
        """Returns the sum of everything added."""
        return float(self.total)


class Mean(Metric):
    """The weighted mean of numbers.

    Formula: ``sum(weight * value) / sum(weight)``

    Args:
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
        >>> mean.result()
        1.5
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable(dtype="float64", name="total")
        self.count = self.add_variable(dtype="float64", name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds numbers, shape (n, ...), with a weight for each of the n or for each number.

        Numbers that belong together (all axes but the first) count as their mean.
        """
        numbers, weight = _weighted(values, sample_weight)
        cases = numbers.shape[0] if numbers.ndim else 1
        share = cases / numbers.size if numbers.size else 0.0
        total = numbers.sum() if weight is None else (numbers * weight).sum()
        count = numbers.size if weight is None else weight.sum()
        self.total.assign_add(share * total)
        self.count.assign_add(share * count)

    def result(self) -> float:
        """Returns the mean of everything added, 0 for nothing."""
        return self.result_of([self.total.numpy(), self.count.numpy()])

    def result_of(self, sums: npt.ArrayLike) -> float:
        """Turns the sum of weighted values and the sum of weights into the mean."""
        total, count = np.asarray(sums, np.float64)[:2]
        return float(total / count) if count else 0.0

    def set_sums(self, sums: npt.ArrayLike) -> None:
        """Sets the state to the sum of weighted values and the sum of weights."""
        total, count = np.asarray(sums, np.float64)[:2]
        self.total.assign(total)
        self.count.assign(count)


class MeanMetricWrapper(Mean):
    """The mean of what a function of targets and predictions returns.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)`` returns a value for every row.
        name: what logs call it.
        dtype: see ``Metric``.
        **kwargs: what the function gets besides.

    Example:
        >>> worst = MeanMetricWrapper(lambda y_true, y_pred: abs(y_true - y_pred).max(-1))
        >>> worst(np.zeros((2, 2)), np.array([[1.0, 0.0], [1.0, 3.0]]))
        2.0
    """

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: `fn` must be a function. Received: fn={fn!r}")
        self.fn = fn
        self._arguments = kwargs
        if getattr(getattr(fn, "row", None), "kind", None) == "loss":
            self._direction = "down"

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the function's values."""
        y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._arguments)

    def update_state(  # type: ignore[override]  # other values than those of a mean
        self, y_true: Any, y_pred: Any, sample_weight: Any = None
    ) -> None:
        """Adds the function's values for a batch."""
        super().update_state(self.call(as_array(y_true), as_array(y_pred)), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; the function by its name."""
        arguments = {name: serialize(value) for name, value in self._arguments.items()}
        return {**super().get_config(), "fn": serialize(self.fn), **arguments}


def _weighted(values: Any, sample_weight: Any) -> tuple[Any, Any]:
    numbers = np.asarray(values, np.float64)
    if sample_weight is None:
        return numbers, None
    weight = np.asarray(sample_weight, np.float64)
    if numbers.ndim == 0 and weight.ndim:
        numbers = np.broadcast_to(numbers, weight.shape)
    return numbers, row_weights(weight, numbers.shape)
