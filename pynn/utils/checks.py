"""Checks of numbers that users pass: the rule first, then what came."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import numpy as np


def number(
    owner: str, name: str, value: Any, low: float = -math.inf, above: float = -math.inf
) -> float:
    """Returns a finite number as a float.

    Args:
        owner: whose argument it is, for the message.
        name: of the argument.
        value: what came.
        low: the least that is accepted.
        above: what it must be more than.

    Raises:
        TypeError: no number.
        ValueError: not finite, or too small.

    Example:
        >>> number("Lion", "weight", 2, low=0)
        2.0
    """
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, np.ndarray) and value.ndim == 0):
        raise TypeError(f"{owner}: `{name}` must be a number. Received: {name}={value!r}")
    result = float(value)
    if not (math.isfinite(result) and result >= low and result > above):
        rule = "finite" if low == -math.inf else f"finite and >= {low:g}"
        rule = rule if above == -math.inf else f"finite and > {above:g}"
        raise ValueError(f"{owner}: `{name}` must be {rule}. Received: {name}={value!r}")
    return result


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number, of Python or of NumPy; True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def positive_integer(owner: str, name: str, value: Any) -> int:
    """Returns an integer above 0.

    Raises:
        ValueError: it is something else.
    """
    if not is_integer(value) or value < 1:
        raise ValueError(
            f"{owner}: `{name}` must be a positive integer. Received: {name}={value!r}"
        )
    return int(value)


def boolean(owner: str, name: str, value: Any) -> bool:
    """Returns True or False, of Python or of NumPy.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{owner}: `{name}` must be True or False. Received: {name}={value!r}")
    return bool(value)


def integer_axis(owner: str, axis: Any) -> int:
    """Returns ``axis`` as an integer.

    Raises:
        TypeError: it is something else.
    """
    if not is_integer(axis):
        raise TypeError(f"{owner}: `axis` must be an integer. Received: axis={axis!r}")
    return int(axis)
