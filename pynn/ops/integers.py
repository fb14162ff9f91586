"""Functions of whole numbers and their bits, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.ops._dispatch import compute, eager_only


@eager_only
def bitwise_and(x: Any, y: Any) -> Any:
    """The bits that are set in both."""
    return compute(np.bitwise_and, x, y)


@eager_only
def bitwise_or(x: Any, y: Any) -> Any:
    """The bits that are set in one at least."""
    return compute(np.bitwise_or, x, y)


@eager_only
def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits that are set in exactly one."""
    return compute(np.bitwise_xor, x, y)


@eager_only
def bitwise_not(x: Any) -> Any:
    """The bits that are not set."""
    return compute(np.bitwise_not, x)


@eager_only
def bitwise_invert(x: Any) -> Any:
    """The bits that are not set."""
    return compute(np.bitwise_not, x)


@eager_only
def bitwise_left_shift(x: Any, y: Any) -> Any:
    """The bits moved up by ``y`` places."""
    return compute(np.left_shift, x, y)


@eager_only
def bitwise_right_shift(x: Any, y: Any) -> Any:
    """The bits moved down by ``y`` places."""
    return compute(np.right_shift, x, y)


@eager_only
def left_shift(x: Any, y: Any) -> Any:
    """The bits moved up by ``y`` places."""
    return compute(np.left_shift, x, y)


@eager_only
def right_shift(x: Any, y: Any) -> Any:
    """The bits moved down by ``y`` places."""
    return compute(np.right_shift, x, y)


@eager_only
def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor.

    Example:
        >>> gcd([12], [18]).tolist()
        [6]
    """
    return compute(np.gcd, x1, x2)


@eager_only
def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple."""
    return compute(np.lcm, x1, x2)


@eager_only
def nextafter(x1: Any, x2: Any) -> Any:
    """The floating-point number next to ``x1`` in the direction of ``x2``."""
    return compute(np.nextafter, x1, x2)
