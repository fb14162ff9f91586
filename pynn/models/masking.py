"""Losses and metrics of sequences whose masked steps do not count."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pynn import metrics, ops
from pynn._graph.tensor import Tensor

Function = Callable[[Any, Any], Any]


def loss(wanted: Any, mask: Tensor) -> Function:
    """The loss of every step, whose mean over all steps is that over the steps that count.

    Args:
        wanted: a loss.
        mask: ones for the steps that count, else zeros.

    Raises:
        ValueError: a reduction that masks are not known for.
    """
    if wanted.reduction not in ("sum_over_batch_size", "mean", "sum"):
        raise ValueError(
            f"{wanted.name}: with masked steps the reduction must be 'sum_over_batch_size', 'mean' "
            f"or 'sum'. Received: reduction={wanted.reduction!r}"
        )

    def masked(y_true: Any, y_pred: Any) -> Any:
        values = _by_step(wanted.call(y_true, y_pred), mask) * mask
        if wanted.reduction == "sum":
            return values
        return values * (ops.sum(ops.ones_like(mask)) / ops.maximum(ops.sum(mask), 1.0))

    return masked


def metric(wanted: Any, mask: Tensor) -> tuple[Function, Function]:
    """Two functions whose sums have the quotient that the metric's mean over counted steps is.

    Raises:
        ValueError: a metric that is no mean of values of the steps.
    """
    function = _values_of(wanted)

    def values(y_true: Any, y_pred: Any) -> Any:
        return _by_step(function(y_true, y_pred), mask) * mask

    def counts(y_true: Any, y_pred: Any) -> Any:
        return mask

    return values, counts


def _by_step(values: Any, mask: Tensor) -> Any:
    """Values of further axes as their mean."""
    rank = len(mask.shape)
    further = list(range(rank, len(values.shape)))
    return ops.mean(values, axis=further) if further else values


def _values_of(wanted: Any) -> Function:
    if isinstance(wanted, metrics.MeanMetricWrapper):
        function: Function = wanted.call
        return function
    row = wanted.row
    if row is None or row.facts.get("result", "mean") != "mean" or not hasattr(metrics, row.name):
        raise ValueError(
            f"{wanted.name}: the output has masked steps, and this metric is no mean of values of "
            "the steps. Take the mask away before it, for example with a pooling layer."
        )
    by_row = getattr(metrics, row.name)
    names = inspect.signature(by_row).parameters
    given = {name: value for name, value in vars(wanted).items() if name in names}
    return lambda y_true, y_pred: by_row(y_true, y_pred, **given)
