"""Checks of what layers are given."""

from __future__ import annotations

from typing import Any

import numpy as np

Shape = tuple[int, ...]


def take_input_shape(owner: str, kwargs: dict[str, Any]) -> Shape | None:
    """Takes the input's shape, in any of its spellings, out of ``kwargs``."""
    shape = kwargs.pop("input_shape", None)
    batch_shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    dim = kwargs.pop("input_dim", None)
    kwargs.pop("batch_size", None)
    if batch_shape is not None:
        shape = tuple(batch_shape)[1:]
    if dim is not None:
        shape = (dim,)
    return None if shape is None else sample_shape(owner, shape)


def sample_shape(owner: str, shape: Any) -> Shape:
    """Returns the shape of one sample as a tuple of sizes.

    Raises:
        ValueError: a size is missing, not an integer or not positive.
    """
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else shape
    try:
        result = tuple(sizes)
        valid = all(
            isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in result
        )
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(
            f"{owner}: the shape of one sample must consist of positive integers (without the "
            f"batch dimension). Received: shape={shape!r}"
        )
    return tuple(int(n) for n in result)


def fraction(owner: str, name: str, value: Any, include_one: bool = False) -> float:
    """Returns ``value`` as a float in [0, 1) or [0, 1].

    Raises:
        ValueError: it lies outside, or is no number.
    """
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not (0 <= value < 1 or (include_one and value == 1)):
        raise ValueError(
            f"{owner}: `{name}` must be a number in [0, 1{']' if include_one else ')'}. "
            f"Received: {name}={value!r}"
        )
    return float(value)
