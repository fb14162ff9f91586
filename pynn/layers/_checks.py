"""Checks of what layers are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.utils.checks import integer_axis, is_integer

Shape = tuple[int, ...]


def take_input_shape(owner: str, kwargs: dict[str, Any]) -> Shape | None:
    """Takes the input's shape, in any of its spellings, out of ``kwargs``."""
    shape = kwargs.pop("input_shape", None)
    batch_shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    dim = kwargs.pop("input_dim", None)
    kwargs.pop("batch_size", None)
    if batch_shape is not None:
        return without_batch(owner, batch_shape)
    if dim is not None:
        shape = (dim,)
    return None if shape is None else sample_shape(owner, shape)


def is_one_shape(shape: Any) -> bool:
    """Whether this is the shape of one array, not a structure of shapes."""
    sizes = isinstance(shape, (list, tuple))
    return sizes and all(n is None or is_integer(n) for n in shape)


def sample_shape(owner: str, shape: Any) -> Shape:
    """Returns the shape of one sample as a tuple of sizes.

    Raises:
        ValueError: a size is missing, not an integer or not positive.
    """
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else shape
    try:
        result = tuple(sizes)
        valid = all(is_integer(n) and n > 0 for n in result)
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(
            f"{owner}: the shape of one sample must consist of positive integers (without the "
            f"batch dimension). Received: shape={shape!r}"
        )
    return tuple(int(n) for n in result)


def without_batch(owner: str, batch_shape: Any) -> Shape:
    """Returns the shape of one sample from one with the batch dimension before it.

    Raises:
        ValueError: no list of sizes, or one of a sample that is not a positive integer.
    """
    if not isinstance(batch_shape, (list, tuple)) or not batch_shape:
        raise ValueError(
            f"{owner}: `batch_shape` must list the sizes, that of the batch first. "
            f"Received: batch_shape={batch_shape!r}"
        )
    return sample_shape(owner, tuple(batch_shape[1:]))


def order_of_axes(owner: str, data_format: Any) -> str:
    """Returns ``"channels_last"``, which None means, or ``"channels_first"``.

    Raises:
        ValueError: another name.
    """
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"{owner}: `data_format` must be 'channels_last' or 'channels_first'. "
            f"Received: data_format={data_format!r}"
        )
    return "channels_last" if data_format is None else str(data_format)


def axis_argument(owner: str, axis: Any) -> int | list[int]:
    """One axis or several, as an integer or a list.

    Raises:
        TypeError: something else.
    """
    if isinstance(axis, (list, tuple)) and axis:
        return [integer_axis(owner, one) for one in axis]
    return integer_axis(owner, axis)


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
