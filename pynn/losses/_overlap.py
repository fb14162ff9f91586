"""Losses of overlap between target and prediction: their sums may run over the samples as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import _catalog, config
from pynn.losses._base import Loss, is_symbolic, math_for, same_rank
from pynn.utils.checks import is_integer, number

Axis = int | Sequence[int] | None


def dice(y_true: Any, y_pred: Any, axis: Axis = None) -> Any:
    """One minus the Dice coefficient: how little target and prediction overlap.

    Formula: ``L = 1 - 2 sum(y p) / (sum(y) + sum(p) + 1e-7)``

    Args:
        y_true: targets, shape (..., n), between 0 and 1.
        y_pred: predictions of the same shape.
        axis: the axes that the sums run over; None for all of them, the samples included.

    Returns:
        The loss, of the shape that the other axes leave.

    Example:
        >>> round(float(dice(np.array([1.0, 0.0]), np.array([0.5, 0.5]))), 6)
        0.5

    References:
        Milletari et al. (2016), arXiv:1606.04797
    """
    y_true, y_pred, math = _pair(y_true, y_pred)
    overlap = math.sum(y_true * y_pred, axis=_axes(axis))
    total = math.sum(y_true, axis=_axes(axis)) + math.sum(y_pred, axis=_axes(axis))
    return 1 - 2 * overlap / (total + config.epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None
) -> Any:
    """One minus the Tversky index: Dice with weights for the two kinds of error.

    Formula: ``L = 1 - sum(y p) / (sum(y p) + alpha sum(y (1 - p)) + beta sum((1 - y) p) + 1e-7)``

    Args:
        y_true: targets, shape (..., n), between 0 and 1.
        y_pred: predictions of the same shape.
        alpha: weight of what the prediction misses.
        beta: weight of what it claims wrongly.
        axis: the axes that the sums run over; None for all of them, the samples included.

    Returns:
        The loss, of the shape that the other axes leave.

    Example:
        >>> round(float(tversky(np.array([1.0, 0.0]), np.array([0.5, 0.5]), alpha=1, beta=0)), 6)
        0.5

    References:
        Salehi et al. (2017), arXiv:1706.05721
    """
    y_true, y_pred, math = _pair(y_true, y_pred)
    overlap = math.sum(y_true * y_pred, axis=_axes(axis))
    missed = math.sum(y_true * (1 - y_pred), axis=_axes(axis))
    claimed = math.sum((1 - y_true) * y_pred, axis=_axes(axis))
    return 1 - overlap / (overlap + alpha * missed + beta * claimed + config.epsilon())


class Dice(Loss):
    """One minus the Dice coefficient of target and prediction.

    Formula: ``L = 1 - 2 sum(y p) / (sum(y) + sum(p) + 1e-7)``

    Args:
        reduction: see ``Loss``; with ``axis=None`` there is one value, which it leaves alone.
        name: what logs call it.
        axis: the axes that the sums run over; None for all of them, the samples included.
        dtype: see ``Loss``.

    Example:
        >>> y_true, y_pred = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
        >>> round(Dice()(y_true, y_pred), 6), round(Dice(axis=-1)(y_true, y_pred), 6)
        (0.5, 0.5)

    References:
        Milletari et al. (2016), arXiv:1606.04797
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns ``dice(y_true, y_pred)``."""
        return dice(y_true, y_pred, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


class Tversky(Loss):
    """One minus the Tversky index: Dice with weights for the two kinds of error.

    Formula: ``L = 1 - sum(y p) / (sum(y p) + alpha sum(y (1 - p)) + beta sum((1 - y) p) + 1e-7)``

    Args:
        alpha: weight of what the prediction misses.
        beta: weight of what it claims wrongly.
        reduction: see ``Loss``; with ``axis=None`` there is one value, which it leaves alone.
        name: what logs call it.
        axis: the axes that the sums run over; None for all of them, the samples included.
        dtype: see ``Loss``.

    Example:
        >>> round(Tversky(0.3, 0.7)(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])), 6)
        0.5

    References:
        Salehi et al. (2017), arXiv:1706.05721
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axis = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.beta = number("Tversky", "alpha", alpha), number("Tversky", "beta", beta)
        self.axis = axis

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns ``tversky(y_true, y_pred)``."""
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        shown = {"alpha": self.alpha, "beta": self.beta, "axis": self.axis}
        return {**super().get_config(), **shown}


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any, Any]:
    """Both of one rank, and the module to compute with."""
    if not is_symbolic(y_true, y_pred):
        y_pred = _catalog.float_array("y_pred", y_pred)
        y_true = np.asarray(_catalog.float_array("y_true", y_true), y_pred.dtype)
    return (*same_rank(y_true, y_pred), math_for(y_true, y_pred))


def _axes(axis: Axis) -> Any:
    axes = [axis] if axis is None or is_integer(axis) else axis
    if not isinstance(axes, (list, tuple)) or not all(a is None or is_integer(a) for a in axes):
        raise ValueError(f"`axis` must be None, an axis or several. Received: axis={axis!r}")
    return axis if axis is None or is_integer(axis) else tuple(axes)
