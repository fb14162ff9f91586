"""The best of one rate among the thresholds where another is high enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.metrics._base import Array
from pynn.metrics._curves import CurveMetric, even_thresholds
from pynn.metrics._decisions import Counts, share
from pynn.utils.checks import number, positive_integer


class _Best(CurveMetric):
    """Base: the highest value of one rate where ``_condition`` is at least ``_least``."""

    _condition: str  # the constructor's first argument: the rate that has to be high enough

    def __init__(
        self,
        least: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype: Any,
    ) -> None:
        super().__init__(dtype, name)
        self._setup()
        owner = type(self).__name__
        if number(owner, self._condition, least, low=0) > 1:
            raise ValueError(
                f"{owner}: `{self._condition}` must lie between 0 and 1. "
                f"Received: {self._condition}={least!r}"
            )
        if class_id is not None:
            number(owner, "class_id", class_id, low=0)
        self.num_thresholds = positive_integer(owner, "num_thresholds", num_thresholds)
        self.class_id = class_id
        self._even = num_thresholds > 1
        self.thresholds = even_thresholds(self.num_thresholds) if self._even else [0.5]

    def result_of(self, sums: npt.ArrayLike) -> float:
        """Turns the counts of all thresholds into the best value; 0 where no threshold will do."""
        condition, value = self._rates(self._counts(sums))
        return float(np.where(condition >= getattr(self, self._condition), value, 0.0).max())

    def _rates(self, counts: Counts) -> tuple[Array, Array]:
        """The rate that has to be high enough, and the one wanted."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        own = {
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._condition: getattr(self, self._condition),
        }
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_Best):
    """The highest sensitivity (recall) of a threshold that keeps a specificity.

    Formula: ``max tp / (tp + fn)`` over thresholds with ``tn / (tn + fp) >= specificity``

    Args:
        specificity: what is to be kept, between 0 and 1.
        num_thresholds: evenly spaced between 0 and 1; one is 0.5.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])
        0.5
    """

    _condition = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def _rates(self, counts: Counts) -> tuple[Array, Array]:
        tp, fp, tn, fn = counts
        return share(tn, tn + fp), share(tp, tp + fn)


class SpecificityAtSensitivity(_Best):
    """The highest specificity of a threshold that keeps a sensitivity (recall).

    Formula: ``max tn / (tn + fp)`` over thresholds with ``tp / (tp + fn) >= sensitivity``

    Args:
        sensitivity: what is to be kept, between 0 and 1.
        num_thresholds: evenly spaced between 0 and 1; one is 0.5.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> round(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]), 4)
        0.6667
    """

    _condition = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def _rates(self, counts: Counts) -> tuple[Array, Array]:
        tp, fp, tn, fn = counts
        return share(tp, tp + fn), share(tn, tn + fp)


class PrecisionAtRecall(_Best):
    """The highest precision of a threshold that keeps a recall.

    Formula: ``max tp / (tp + fp)`` over thresholds with ``tp / (tp + fn) >= recall``

    Args:
        recall: what is to be kept, between 0 and 1.
        num_thresholds: evenly spaced between 0 and 1; one is 0.5.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])
        0.5
    """

    _condition = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def _rates(self, counts: Counts) -> tuple[Array, Array]:
        tp, fp, _, fn = counts
        return share(tp, tp + fn), share(tp, tp + fp)


class RecallAtPrecision(_Best):
    """The highest recall of a threshold that keeps a precision.

    Formula: ``max tp / (tp + fn)`` over thresholds with ``tp / (tp + fp) >= precision``

    Args:
        precision: what is to be kept, between 0 and 1.
        num_thresholds: evenly spaced between 0 and 1; one is 0.5.
        class_id: only this column counts.
        name: what logs call it.
        dtype: see ``Metric``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
        0.5
    """

    _condition = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def _rates(self, counts: Counts) -> tuple[Array, Array]:
        tp, fp, _, fn = counts
        return share(tp, tp + fp), share(tp, tp + fn)
