"""F scores: precision and recall in one number."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, config
from pynn.metrics._base import Array, Sums, SumsMetric, row_sums

ROW = _catalog.rows("metric")["decisions_by_column"]
_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(SumsMetric):
    """The weighted harmonic mean of precision and recall, by column.

    Formula: ``(1 + beta^2) P R / (beta^2 P + R)``, P and R precision and recall of a column

    Args:
        average: None for an array with a score for each column, "macro" for their mean, "weighted"
            for their mean weighted by the positives of each, "micro" for the score of all together.
        beta: weight of recall against precision, above 0.
        threshold: predictions above it are positive, between 0 and 1; None: the highest of a row.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> y_true = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0]])
        >>> y_pred = np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]])
        >>> FBetaScore(beta=2.0, threshold=0.5)(y_true, y_pred).round(4).tolist()
        [0.3846, 0.9091, 0.8333]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        self._setup()
        owner = type(self).__name__
        if average not in _AVERAGES:
            raise ValueError(
                f"{owner}: `average` must be one of {_AVERAGES}. Received: average={average!r}"
            )
        if not isinstance(beta, float) or not beta > 0:
            raise ValueError(f"{owner}: `beta` must be a float above 0. Received: beta={beta!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                f"{owner}: `threshold` must be a float above 0 and at most 1, or None. "
                f"Received: threshold={threshold!r}"
            )
        self.average, self.beta, self.threshold = average, beta, threshold

    @property
    def row(self) -> Any:
        """The row of the engine's table."""
        return ROW

    def spec(self) -> dict[str, Any]:
        """The metric as the engine's trainer takes it."""
        params = ROW.params(type(self).__name__, {"threshold": self.threshold})
        return {"name": ROW.name, "params": list(params)}

    def _batch_sums(self, target: Array, pred: Array, weight: Array | None) -> Sums:
        return row_sums(ROW.name, target, pred, weight, self.spec()["params"])

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns the counts of all columns into the score."""
        counts = np.asarray(sums, np.float64).reshape(3, -1)
        if self.average == "micro":
            counts = counts.sum(1, keepdims=True)
        tp, fp, fn = counts
        tiny = config.epsilon()
        precision, recall = tp / (tp + fp + tiny), tp / (tp + fn + tiny)
        weight = self.beta**2
        scores = (1 + weight) * precision * recall / (weight * precision + recall + tiny)
        if self.average is None:
            return scores
        if self.average == "weighted":
            positives = tp + fn
            return float((scores * positives / (positives.sum() + tiny)).sum())
        return float(scores.mean())

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, by column.

    Formula: ``2 P R / (P + R)``, P and R precision and recall of a column

    Args:
        average: None for an array with a score for each column, "macro" for their mean, "weighted"
            for their mean weighted by the positives of each, "micro" for the score of all together.
        threshold: predictions above it are positive, between 0 and 1; None: the highest of a row.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> y_true, y_pred = np.array([[1], [1], [0]]), np.array([[0.9], [0.2], [0.8]])
        >>> round(F1Score("micro", threshold=0.5)(y_true, y_pred), 4)
        0.5
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        config = super().get_config()
        del config["beta"]
        return config
