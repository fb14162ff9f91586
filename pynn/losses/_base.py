"""The base of all losses: from values of rows to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn._graph.tensor import Symbol
from pynn.utils.checks import is_integer, number
from pynn.utils.configurable import Configurable, serialize
from pynn.utils.naming import to_snake_case, unique_name

MEANS = ("sum_over_batch_size", "mean")
REDUCTIONS = (*MEANS, "mean_with_sample_weight", "sum", "none", None)


class Loss(Configurable):
    """Base of all losses; a loss of one's own defines ``call``.

    Formula: with values ``v`` of rows and weights ``w`` (1 where none are given)
    ``sum(w v) / rows`` for "sum_over_batch_size" and "mean", ``sum(w v)`` for "sum",
    ``sum(w v) / sum(w)`` for "mean_with_sample_weight", and ``w v`` itself for "none".

    Args:
        name: what logs call it; by default the class's name.
        reduction: one of the names above; None means "none".
        dtype: type that targets and predictions are cast to; None keeps that of the predictions.
            Training computes in the model's type.

    Raises:
        ValueError: an unknown reduction or type.

    Example:
        >>> class AbsoluteError(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return abs(y_true - y_pred).mean(-1)
        >>> AbsoluteError()(np.zeros((2, 1)), np.array([[1.0], [3.0]]), sample_weight=[1, 0.5])
        1.25
    """

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name: Any = name or unique_name(to_snake_case(type(self).__name__))
        self.reduction: Any = reduction
        self._check_reduction()
        self.dtype = dtype

    @property
    def row(self) -> Any:
        """The row of the engine's table that computes the loss; None if only ``call`` does."""
        return None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers: one axis fewer than predictions."""
        return False

    def _check_reduction(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: `reduction` must be one of {REDUCTIONS}. "
                f"Received: reduction={self.reduction!r}"
            )

    @property
    def dtype(self) -> Any:
        """The type given, else that of new layers."""
        return self._dtype or config.floatx()

    @dtype.setter
    def dtype(self, dtype: Any) -> None:
        self._dtype = None if dtype is None else dtype_name(type(self).__name__, dtype)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return {"name": self.name, "reduction": self.reduction}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of every row; subclasses define it.

        Written with ``pynn.ops`` and operators it can be trained: it is then traced once.
        """
        raise NotImplementedError(f"{type(self).__name__}: define call(self, y_true, y_pred)")

    def counted(self, y_true: Any, y_pred: Any) -> Any:
        """Which rows count at all, as an array of bool; None for every row."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the reduced loss: a float, or the rows' values for ``reduction="none"``.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: a weight for each row, or for each sample of several rows.

        Raises:
            ValueError: shapes that do not fit.
        """
        if is_symbolic(y_true, y_pred):
            return reduced_symbol(self.call(y_true, y_pred), sample_weight, self.reduction)
        if self._dtype is not None:
            y_true, y_pred = np.asarray(y_true, self._dtype), np.asarray(y_pred, self._dtype)
        values = np.asarray(self.call(as_array(y_true), as_array(y_pred)))
        return reduced(values, sample_weight, self.counted(y_true, y_pred), self.reduction)

    def spec(self) -> dict[str, Any]:
        """How the engine's trainer reduces the rows' values.

        Raises:
            ValueError: ``reduction="none"``, which leaves nothing to minimize.
        """
        if self.reduction in ("none", None):
            raise ValueError(
                f"{type(self).__name__}: training minimizes one number, not one for each row. "
                f"Received: reduction={self.reduction!r}"
            )
        return {"reduction": "mean" if self.reduction in MEANS else self.reduction}


class LossFunctionWrapper(Loss):
    """A function of targets and predictions as a loss.

    Args:
        fn: ``fn(y_true, y_pred, **kwargs)`` returns the loss of every row.
        reduction: see ``Loss``.
        name: what logs call it; by default the function's name.
        dtype: see ``Loss``.
        **kwargs: what the function gets besides.

    Example:
        >>> def power(y_true, y_pred, exponent):
        ...     return abs(y_true - y_pred) ** exponent
        >>> LossFunctionWrapper(power, exponent=3)(np.array([0.0, 1.0]), np.array([2.0, 1.0]))
        4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        if not callable(fn):
            raise TypeError(f"{type(self).__name__}: `fn` must be a function. Received: fn={fn!r}")
        self.fn = fn
        self._arguments = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns what the function returns."""
        y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; the function by its name."""
        arguments = {name: serialize(value) for name, value in self._arguments.items()}
        return {**super().get_config(), "fn": serialize(self.fn), **arguments}


def is_symbolic(*values: Any) -> bool:
    """Whether any of these stands for values that are known only when a graph runs."""
    return any(isinstance(value, Symbol) for value in values)


def math_for(*values: Any) -> Any:
    """The module to compute with: ``pynn.ops`` for symbols, NumPy for arrays."""
    if not is_symbolic(*values):
        return np
    from pynn import ops

    return ops


def as_array(value: Any) -> Any:
    """Numbers and lists as arrays; arrays, and structures of them, as they are."""
    return value if isinstance(value, dict) or hasattr(value, "shape") else np.asarray(value)


def same_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Gives the side that lacks a last axis of one element that axis, or takes it from the other.

    Example:
        >>> [array.shape for array in same_rank(np.zeros(4), np.zeros((4, 1)))]
        [(4, 1), (4, 1)]
        >>> [array.shape for array in same_rank(np.zeros((4, 2, 1)), np.zeros((4, 2)))]
        [(4, 2), (4, 2)]
    """
    more = len(y_true.shape) - len(y_pred.shape)
    if more == 1 and y_true.shape[-1] == 1:
        if len(y_pred.shape) == 1:
            return y_true, math_for(y_pred).expand_dims(y_pred, axis=-1)
        return math_for(y_true).squeeze(y_true, axis=-1), y_pred
    if more == -1 and y_pred.shape[-1] == 1:
        if len(y_true.shape) == 1:
            return math_for(y_true).expand_dims(y_true, axis=-1), y_pred
        return y_true, math_for(y_pred).squeeze(y_pred, axis=-1)
    return y_true, y_pred


def dtype_name(owner: str, dtype: Any) -> str:
    """The float type that a name, a NumPy type or a policy with ``compute_dtype`` means."""
    return config.check_dtype(owner, getattr(dtype, "compute_dtype", dtype))


def row_weights(sample_weight: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Weights broadcast to one for each row: by leading axes, else as NumPy does.

    Raises:
        ValueError: a shape that does not fit.
    """
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim == len(shape) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.shape == shape[: weight.ndim]:
        weight = weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    try:
        return np.broadcast_to(weight, shape)
    except ValueError:
        raise ValueError(
            f"`sample_weight` must have one number for each row, shape {shape}. "
            f"Received: sample_weight.shape={weight.shape}"
        ) from None


def reduced(values: npt.NDArray[Any], sample_weight: Any, counted: Any, reduction: Any) -> Any:
    """The loss that ``Loss`` describes; rows that do not count are not in the mean either."""
    weight: Any = None if counted is None else np.asarray(counted, np.float64)
    if sample_weight is not None:
        given = np.asarray(sample_weight, np.float64)
        given = row_weights(given, values.shape) if values.ndim else given
        weight = given if weight is None else weight * given
    if weight is not None:
        values = values * weight
    if values.ndim == 0:
        return float(values)
    if reduction in ("none", None):
        return values
    total = float(values.sum())
    if reduction == "sum":
        return total
    divisor = float(values.size if counted is None else np.sum(counted))
    if reduction == "mean_with_sample_weight" and weight is not None:
        divisor = float(weight.sum())
    return total / divisor if divisor else 0.0


def reduced_symbol(values: Any, sample_weight: Any, reduction: Any) -> Any:
    """The same for symbols: a loss object called inside a function that is being traced."""
    from pynn import ops

    if sample_weight is not None:
        values = values * sample_weight
    if reduction in ("none", None) or len(values.shape) == 0:
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction in MEANS or sample_weight is None:
        return ops.mean(values)
    return ops.sum(values) / ops.sum(sample_weight)


def check_axis(owner: str, axis: Any) -> None:
    """Raises: ValueError: not a whole number."""
    if not is_integer(axis):
        raise ValueError(f"{owner}: `axis` must be a whole number. Received: axis={axis!r}")


def check_smoothing(owner: str, smoothing: Any) -> None:
    """Raises: ValueError: not a share."""
    if number(owner, "label_smoothing", smoothing, low=0) > 1:
        raise ValueError(
            f"{owner}: `label_smoothing` must be between 0 and 1. "
            f"Received: label_smoothing={smoothing!r}"
        )
