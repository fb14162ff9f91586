"""Metrics of yes/no decisions at given thresholds: precision, recall and the four counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pynn import _catalog
from pynn.metrics._base import Array, Sums, SumsMetric, row_sums

ROW = _catalog.rows("metric")["decisions"]
Thresholds = float | Sequence[float] | None

# Below every score: with `top_k`, what is chosen is decided by rank alone.
_BELOW_ALL = -1e10


class Counts(NamedTuple):
    """Weighted numbers of cases by threshold: true and false positives and negatives."""

    tp: Array
    fp: Array
    tn: Array
    fn: Array


class DecisionMetric(SumsMetric):
    """Base of the metrics at one threshold or several."""

    def __init__(
        self,
        thresholds: Thresholds,
        top_k: int | None,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        super().__init__(dtype, name)
        self._setup()
        owner = type(self).__name__
        self.init_thresholds = list(thresholds) if isinstance(thresholds, tuple) else thresholds
        self.top_k, self.class_id = top_k, class_id
        self.thresholds = threshold_list(owner, thresholds, 0.5 if top_k is None else _BELOW_ALL)
        self._params = [decision_params(owner, t, top_k, class_id) for t in self.thresholds]

    @property
    def row(self) -> Any:
        """The row of the engine's table; None for several thresholds."""
        return ROW if len(self.thresholds) == 1 else None

    @property
    def _by_element(self) -> bool:
        return self.top_k is None and self.class_id is None

    def spec(self) -> dict[str, Any] | None:
        """The metric as the engine's trainer takes it; None where Python adds every batch."""
        return {"name": ROW.name, "params": self._params[0]} if self.row is not None else None

    def _batch_sums(self, target: Array, pred: Array, weight: Array | None) -> Sums:
        sums = [row_sums(ROW.name, target, pred, weight, params) for params in self._params]
        return np.concatenate(sums)

    def result(self) -> Any:
        """Returns the value so far: a number, or an array with one for each threshold."""
        none = np.zeros(4 * len(self.thresholds))
        return self.result_of(none if self._sums is None else self._sums.numpy())

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns the four counts of each threshold into the value."""
        values = self._value(Counts(*np.reshape(np.asarray(sums, np.float64), (-1, 4)).T))
        return float(values[0]) if len(self.thresholds) == 1 else values

    def _value(self, counts: Counts) -> Array:
        raise NotImplementedError


class _Count(DecisionMetric):
    """Base of the four counts."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(thresholds, None, None, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many positives were called positive: prediction above the threshold, target not 0.

    Formula: ``sum(w (y != 0) (p > threshold))``

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default.
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> TruePositives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1])
        1.0
    """

    def _value(self, counts: Counts) -> Array:
        return counts.tp


class FalsePositives(_Count):
    """How many negatives were called positive: prediction above the threshold, target 0.

    Formula: ``sum(w (y = 0) (p > threshold))``

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default.
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> FalsePositives(thresholds=[0.5, 0.85])([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]).tolist()
        [1.0, 0.0]
    """

    def _value(self, counts: Counts) -> Array:
        return counts.fp


class TrueNegatives(_Count):
    """How many negatives were called negative: prediction not above the threshold, target 0.

    Formula: ``sum(w (y = 0) (p <= threshold))``

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default.
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> TrueNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1], sample_weight=[1, 1, 1, 3])
        3.0
    """

    def _value(self, counts: Counts) -> Array:
        return counts.tn


class FalseNegatives(_Count):
    """How many positives were called negative: prediction not above the threshold, target not 0.

    Formula: ``sum(w (y != 0) (p <= threshold))``

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default.
        name: what logs call it.
        dtype: see ``Metric``.

    Example:
        >>> FalseNegatives()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1])
        1.0
    """

    def _value(self, counts: Counts) -> Array:
        return counts.fn


class _Share(DecisionMetric):
    """Base of precision and recall."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        own = {
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }
        return {**super().get_config(), **own}


class Precision(_Share):
    """The share of those called positive that are.

    Formula: ``tp / (tp + fp)``, 0 where nothing is called positive

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default,
            none with ``top_k``.
        top_k: only the k highest scores of a row can be positive.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> Precision()([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1])
        0.5
    """

    def _value(self, counts: Counts) -> Array:
        return share(counts.tp, counts.tp + counts.fp)


class Recall(_Share):
    """The share of the positives that are called so.

    Formula: ``tp / (tp + fn)``, 0 where there are no positives

    Args:
        thresholds: a number between 0 and 1, or several for an array of results; 0.5 by default,
            none with ``top_k``.
        top_k: only the k highest scores of a row can be positive.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> Recall(thresholds=[0.5, 0.1])([1, 1, 0, 0], [0.9, 0.2, 0.8, 0.1]).tolist()
        [0.5, 1.0]
    """

    def _value(self, counts: Counts) -> Array:
        return share(counts.tp, counts.tp + counts.fn)


def share(part: Array, whole: Array) -> Array:
    """``part / whole``, 0 where that is 0 / 0."""
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole != 0)


def threshold_list(owner: str, thresholds: Thresholds, default: float) -> list[float]:
    """The thresholds as a list.

    Raises:
        ValueError: one outside [0, 1], or none.
    """
    if thresholds is None:
        return [default]
    found = list(thresholds) if isinstance(thresholds, (Sequence, np.ndarray)) else [thresholds]
    if not found or not all(isinstance(t, (int, float, np.number)) and 0 <= t <= 1 for t in found):
        raise ValueError(
            f"{owner}: `thresholds` must lie between 0 and 1. Received: thresholds={thresholds!r}"
        )
    return [float(t) for t in found]


def decision_params(
    owner: str, threshold: float, top_k: int | None, class_id: int | None
) -> list[float]:
    """The parameters of the engine's row.

    Raises:
        ValueError: `top_k` below 1 or `class_id` below 0.
    """
    given = {"threshold": threshold, "top_k": top_k, "class_id": class_id}
    return [float(number) for number in ROW.params(owner, given)]


def counts_at(
    target: Array, pred: Array, weight: Array | None, thresholds: Sequence[float], apart: bool
) -> Sums:
    """The four counts by threshold, with ``apart`` by column too: (thresholds, columns, 4)."""
    columns = range(pred.shape[-1]) if apart else [math.inf]
    sums = [
        [row_sums(ROW.name, target, pred, weight, [t, math.inf, float(c)]) for c in columns]
        for t in thresholds
    ]
    return np.asarray(sums)
