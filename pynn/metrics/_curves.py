"""Metrics over all thresholds: the area under a curve, and the best value under a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core, config
from pynn.metrics._base import Array, Sums, SumsMetric, row_sums
from pynn.metrics._decisions import Counts, counts_at, share, threshold_list
from pynn.utils.checks import is_integer

ROW = _catalog.rows("metric")["scores_by_threshold"]
_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


class CurveMetric(SumsMetric):
    """Base of the metrics that count decisions at many thresholds between 0 and 1.

    For evenly spaced thresholds the engine sorts scores into the gaps between them; for others the
    four counts of each threshold are kept.
    """

    _direction = "up"
    _ends_count = False  # a score of 0 is above the first threshold
    thresholds: list[float]
    class_id: int | None = None
    from_logits: bool = False
    multi_label: bool = False
    _even: bool

    @property
    def row(self) -> Any:
        """The row of the engine's table; None for thresholds of one's own."""
        return ROW if self._even else None

    @property
    def _by_element(self) -> bool:
        return self.class_id is None and not self.multi_label

    def spec(self) -> dict[str, Any] | None:
        """The metric as the engine's trainer takes it; None where Python adds every batch."""
        return None if self.row is None else {"name": ROW.name, "params": self._params()}

    def _params(self) -> list[float]:
        column = -1 if self.multi_label else self.class_id
        given = {
            "num_thresholds": len(self.thresholds),
            "class_id": column,
            "from_logits": self.from_logits,
        }
        return list(ROW.params(type(self).__name__, given))

    def _batch_sums(self, target: Array, pred: Array, weight: Array | None) -> Sums:
        if self._even:
            return row_sums(ROW.name, target, pred, weight, self._params())
        if self.from_logits:
            pred = _core.activation("sigmoid", pred)
        if self.class_id is not None:
            target, pred = target[..., [self.class_id]], pred[..., [self.class_id]]
        return counts_at(target, pred, weight, self.thresholds, self.multi_label).ravel()

    def _counts(self, sums: npt.ArrayLike) -> Counts:
        """The counts by threshold, shape (thresholds,) or (thresholds, columns)."""
        n, array = len(self.thresholds), np.array(sums, np.float64)
        if not self._even:
            counts = Counts(*np.moveaxis(array.reshape(n, -1, 4), -1, 0))
        else:
            by_gap = np.moveaxis(array.reshape(-1, 2, n), 0, -1)  # (2, n, columns)
            if self._ends_count:
                by_gap[:, 1] += by_gap[:, 0]
                by_gap[:, 0] = 0
            # Called positive at threshold i: scores above more than i thresholds. Each side is
            # summed by itself: what is left of a difference would not be 0 where nothing is.
            below = np.cumsum(by_gap, 1)
            above = np.zeros_like(by_gap)
            above[:, :-1] = np.cumsum(by_gap[:, :0:-1], 1)[:, ::-1]
            counts = Counts(above[0], above[1], below[1], below[0])
        return counts if self.multi_label else Counts(*(c[:, 0] for c in counts))


def even_thresholds(n: int) -> list[float]:
    """n thresholds from 0 to 1."""
    return [i / (n - 1) for i in range(n)]


class AUC(CurveMetric):
    """The area under the ROC or the precision-recall curve, by a sum over thresholds.

    Formula: ``sum((x_i - x_(i+1)) h_i)``: x the false-positive rate, h the recall between two
    thresholds (ROC); x the recall, h the precision (PR); x and h their gains (PRGAIN)

    Args:
        num_thresholds: evenly spaced between 0 and 1, at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: h is the mean of its ends ("interpolation"; for PR the interpolation of
            Davis and Goadrich), the smaller ("minoring") or the larger one ("majoring").
        name: what logs call it.
        dtype: see ``Metric``.
        thresholds: thresholds of one's own between 0 and 1; the ends are added.
        multi_label: whether every column has an area of its own, of which the mean is taken.
        num_labels: columns, only with ``multi_label``.
        label_weights: weights of the columns: of their areas with ``multi_label``, else of their
            cases.
        from_logits: whether y_pred is what goes into sigmoid.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> round(AUC()([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]), 4)
        0.75

    References:
        Davis and Goadrich (2006), doi:10.1145/1143844.1143874
    """

    _ends_count = True

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self._setup()
        self.curve = _choice("curve", str(curve).upper(), _CURVES)
        self.summation_method = _choice("summation_method", str(summation_method).lower(), _METHODS)
        if num_labels and not multi_label:
            raise ValueError(
                f"AUC: `num_labels` is for `multi_label=True`. Received: num_labels={num_labels!r}"
            )
        self._own = None
        if thresholds is not None:
            self._own = sorted(threshold_list("AUC", thresholds, 0.5))
        if self._own is None:
            self.thresholds = even_thresholds(_two_at_least(num_thresholds))
        else:
            self.thresholds = [-config.epsilon(), *self._own, 1 + config.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else np.asarray(label_weights, float)
        self._even = self._own is None

    @property
    def row(self) -> Any:
        """The row of the engine's table; None for thresholds or weights of columns of one's own."""
        weighs_cases = self.label_weights is not None and not self.multi_label
        return None if weighs_cases else super().row

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        shape = np.shape(y_pred)
        if self.num_labels and shape[-1:] != (self.num_labels,):
            raise ValueError(
                f"AUC: expected {self.num_labels} columns (`num_labels`). "
                f"Received: y_pred.shape={shape}"
            )
        if self.label_weights is not None and not self.multi_label:
            weight = 1.0 if sample_weight is None else np.asarray(sample_weight, float)
            if np.ndim(weight) == len(shape) - 1 and np.ndim(weight):
                weight = np.asarray(weight)[..., None]
            sample_weight = np.broadcast_to(weight * self.label_weights, shape)
        super().update_state(y_true, y_pred, sample_weight)

    update_state.__doc__ = SumsMetric.update_state.__doc__

    def result_of(self, sums: npt.ArrayLike) -> float:
        """Turns the counts of all thresholds into the area."""
        counts = self._counts(sums)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(counts).sum(0)
        else:
            x, y = self._curve(counts)
            heights = {
                "interpolation": (y[:-1] + y[1:]) / 2,
                "minoring": np.minimum(y[:-1], y[1:]),
                "majoring": np.maximum(y[:-1], y[1:]),
            }[self.summation_method]
            areas = ((x[:-1] - x[1:]) * heights).sum(0)
        if not self.multi_label:
            return float(areas)
        if self.label_weights is None:
            return float(areas.mean())
        total = self.label_weights.sum()
        return float((areas * self.label_weights).sum() / total) if total else 0.0

    def _curve(self, counts: Counts) -> tuple[Array, Array]:
        tp, fp, tn, fn = counts
        recall, precision = share(tp, tp + fn), share(tp, tp + fp)
        if self.curve == "ROC":
            return share(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, precision
        ratio = share(tp + fn, tn + fp)  # positives for each negative
        recall_gain = np.where(tp == 0, 0.0, 1 - ratio * share(fn, tp))
        precision_gain = np.where(tp == 0, 1.0, 1 - ratio * share(fp, tp))
        return np.maximum(recall_gain, 0.0), precision_gain

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        weights = self.label_weights
        own = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(),
            "from_logits": self.from_logits,
        }
        if self._own is not None:
            own["thresholds"] = self._own
        return {**super().get_config(), **own}


def _interpolated_pr(counts: Counts) -> Array:
    """The area between neighbouring thresholds where tp and fp move on a straight line."""
    tp, called = counts.tp, counts.tp + counts.fp
    gained, moved = tp[:-1] - tp[1:], called[:-1] - called[1:]
    slope = share(gained, np.maximum(moved, 0))
    start = tp[1:] - slope * called[1:]
    both = (called[:-1] > 0) & (called[1:] > 0)
    ratio = np.where(both, share(called[:-1], np.maximum(called[1:], 0)), 1.0)
    return share(slope * (gained + start * np.log(ratio)), tp[1:] + counts.fn[1:])


def _choice(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"AUC: `{name}` must be one of {tuple(known)}. Received: {name}={value!r}")
    return value


def _two_at_least(num_thresholds: Any) -> int:
    if not is_integer(num_thresholds) or num_thresholds < 2:
        raise ValueError(
            f"AUC: `num_thresholds` must be at least 2. Received: num_thresholds={num_thresholds!r}"
        )
    return int(num_thresholds)
