"""Penalties added to the loss for large weights or activations.

Example:
    >>> l2(0.001)
    L2(l2=0.001)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pynn.utils.configurable import Configurable, get_object


class Regularizer(Configurable):
    """Base of the penalties; the engine adds ``l1 * sum|w| + l2 * sum(w**2)``."""

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, x: Any) -> float:
        """Returns the penalty of an array (the engine computes its own)."""
        x = np.asarray(x, dtype=np.float64)
        return float(self.l1 * np.abs(x).sum() + self.l2 * np.square(x).sum())


class L1(Regularizer):
    """Penalty ``l1 * sum(|w|)``: drives weights to exactly zero.

    Args:
        l1: factor, not negative.

    Example:
        >>> L1(0.5)([1.0, -2.0])
        1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("l1", l1)


class L2(Regularizer):
    """Penalty ``l2 * sum(w**2)``: keeps weights small.

    Args:
        l2: factor, not negative. (The gradient is ``2 * l2 * w``.)

    Example:
        >>> L2(0.5)([1.0, -2.0])
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("l2", l2)


class L1L2(Regularizer):
    """Penalty ``l1 * sum(|w|) + l2 * sum(w**2)``.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = _factor("l1", l1), _factor("l2", l2)


# Keras's lower-case names are the same classes.
l1 = L1
l2 = L2
l1_l2 = L1L2

_TABLE: dict[str, Callable[..., Any]] = {
    "L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1_l2": L1L2, "l1l2": L1L2,
}  # fmt: skip


def get(identifier: Any) -> Regularizer | None:
    """Returns the regularizer meant by a name, a class, an object or a configuration.

    Raises:
        ValueError: an unknown name.
        TypeError: something else, among it a function: the engine computes L1 and L2 penalties.

    Example:
        >>> get("l2"), get(None)
        (L2(l2=0.01), None)
    """
    found = get_object("regularizer", identifier, _TABLE, Regularizer)
    if found is None or isinstance(found, Regularizer):
        return found
    raise TypeError(
        "A regularizer must be L1, L2 or L1L2: functions cannot be used. "
        f"Received: regularizer={identifier!r}"
    )


def _factor(name: str, value: float) -> float:
    value = 0.0 if value is None else float(value)
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(
            f"A regularizer's factor must be finite and >= 0. Received: {name}={value}"
        )
    return value
