"""Penalties added to the loss for large weights or activations.

L1 and L2 penalties are computed by the engine. One of your own is a subclass of ``Regularizer``, or
any function, written with ``pynn.ops``: it is traced once and then runs in the engine too.

Example:
    >>> l2(0.001)
    L2(l2=0.001)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn import config, ops
from pynn._compat import explain_absent
from pynn.utils.checks import number
from pynn.utils.configurable import Configurable, get_object
from pynn.utils.configurable import serialize as _serialize

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "PerSample",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Configurable):
    """Base of the penalties: a subclass defines ``__call__(self, x)`` with ``pynn.ops``.

    Example:
        >>> class Mean(Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * ops.mean(ops.abs(x))
        >>> round(float(Mean()(np.array([1.0, -2.0]))), 6)
        0.15
    """

    by_sample = False  # whether the engine divides it by the weight of the batch's samples

    @property
    def factors(self) -> tuple[float, float] | None:
        """The factors of an L1 and an L2 penalty, None for other penalties."""
        return None

    def __call__(self, x: Any) -> Any:
        """Returns the penalty of an array or of a symbol, a single number."""
        raise NotImplementedError(f"{type(self).__name__} must define `__call__(self, x)`.")


class _Penalty(Regularizer):
    """``l1 * sum(|x|) + l2 * sum(x ** 2)``"""

    l1: float = 0.0
    l2: float = 0.0

    @property
    def factors(self) -> tuple[float, float] | None:
        """The factors of the L1 and the L2 penalty, None where a subclass has a penalty of its own.

        The engine computes with them.
        """
        own = type(self).__call__ is not _Penalty.__call__
        return None if own else (self.l1, self.l2)

    def __call__(self, x: Any) -> Any:
        """Returns the penalty of an array or of a symbol, a single number."""
        return self.l1 * ops.sum(ops.abs(x)) + self.l2 * ops.sum(ops.square(x))


class L1(_Penalty):
    """Penalty ``l1 * sum(|x|)``: drives weights to exactly zero.

    Args:
        l1: factor, not negative.

    Raises:
        ValueError: the factor is negative or not finite.

    Example:
        >>> float(L1(0.5)(np.array([1.0, -2.0])))
        1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", l1)


class L2(_Penalty):
    """Penalty ``l2 * sum(x ** 2)``: keeps weights small.

    Args:
        l2: factor, not negative. (The gradient is ``2 * l2 * x``.)

    Raises:
        ValueError: the factor is negative or not finite.

    Example:
        >>> float(L2(0.5)(np.array([1.0, -2.0])))
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", l2)


class L1L2(_Penalty):
    """Penalty ``l1 * sum(|x|) + l2 * sum(x ** 2)``.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Raises:
        ValueError: a factor is negative or not finite.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)


class PerSample(L1L2):
    """L1 and L2 penalty beside the sum of the samples' losses, not beside their mean.

    Formula: ``(l1 * sum(|x|) + l2 * sum(x ** 2)) / n`` in a batch of ``n`` samples; with sample
    weights ``n`` is the sum of these. The more data, the less the penalty counts, as that of a
    prior distribution of the weights does. scikit-learn's ``alpha`` is ``2 * l2``.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.

    Raises:
        ValueError: a factor is negative or not finite.

    Example:
        >>> float(PerSample(l2=0.5)(np.array([1.0, -2.0])))  # as for a single sample
        2.5

    References:
        Bishop 2006, Pattern Recognition and Machine Learning, section 3.3.
    """

    by_sample = True


class OrthogonalRegularizer(Regularizer):
    """Penalty of the angles between the rows, or the columns, of a matrix.

    Formula: ``factor * mean(|a_i @ a_j|)`` over the pairs ``i < j``, where ``a_i`` are the rows (or
    columns) divided by their norms

    Args:
        factor: factor of the mean, not negative.
        mode: ``"rows"`` or ``"columns"``: which of them are to be orthogonal to each other. The
            columns of a ``Dense`` kernel belong to its units.

    Raises:
        ValueError: a factor that is negative or not finite, another mode, or, when it is called,
            something that is not a matrix.

    Example:
        >>> float(OrthogonalRegularizer(1.0)(np.eye(3)))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor, self.mode = _factor("factor", factor), mode
        if mode not in ("rows", "columns"):
            raise ValueError(
                "OrthogonalRegularizer: `mode` must be 'rows' or 'columns'. "
                f"Received: mode={mode!r}"
            )

    def __call__(self, x: Any) -> Any:
        """Returns the penalty of a matrix, an array or a symbol."""
        shape = np.shape(x) if not hasattr(x, "shape") else tuple(x.shape)
        if len(shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix. Received: x.shape={shape}")
        axis = 1 if self.mode == "rows" else 0
        count = shape[1 - axis]
        squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
        unit = x / ops.sqrt(ops.maximum(squares, config.epsilon() ** 2))
        other = ops.transpose(unit)
        products = ops.matmul(unit, other) if axis == 1 else ops.matmul(other, unit)
        pairs = np.tri(count, k=-1) / max(1, count * (count - 1) / 2)
        return self.factor * ops.sum(ops.abs(products) * pairs.astype(config.floatx()))


# Keras's lower-case names are the same classes.
l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

_TABLE: dict[str, Callable[..., Any]] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer, "PerSample": PerSample,
}  # fmt: skip


def get(identifier: Any) -> Any:
    """Returns the regularizer meant by a name, a class, an object or a configuration.

    Args:
        identifier: one of these, a function of an array, or None (both returned as they are).

    Raises:
        ValueError: an unknown name.
        TypeError: something else.

    Example:
        >>> get("l2"), get(None)
        (L2(l2=0.01), None)
    """
    return get_object("regularizer", identifier, _TABLE, Regularizer)


def serialize(regularizer: Any) -> Any:
    """Returns the dictionary from which ``get`` makes an equal regularizer."""
    return _serialize(regularizer)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """Returns the regularizer that ``serialize`` described.

    Args:
        config: the dictionary, or a name.
        custom_objects: classes and functions by name, beside those of this module.
    """
    return get_object("regularizer", config, {**_TABLE, **(custom_objects or {})}, Regularizer)


def _factor(name: str, value: float | None) -> float:
    return 0.0 if value is None else number("A regularizer", name, value, low=0)


explain_absent(globals())
