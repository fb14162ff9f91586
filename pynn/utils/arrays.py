"""Whatever users pass as numbers, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_array(name: str, value: Any) -> Array:
    """Returns an array of numbers; NumPy arrays (memory maps too) are not copied.

    Raises:
        ValueError: rows of different lengths.
        TypeError: elements that are not real numbers.
    """
    if value is None:
        raise ValueError(f"`{name}` is missing. Received: {name}=None")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must be an array: all rows need the same shape. ({error})"
        ) from None
    if array.dtype.kind == "O":  # data frames with mixed columns, lists of arrays
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(
                f"`{name}` must consist of numbers. Received: {name} of type "
                f"{type(value).__name__} with elements such as {_first(array)!r}"
            ) from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"`{name}` must consist of real numbers of at most 64 bits. "
            f"Received: {name} of dtype {array.dtype}"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def _first(array: Array) -> Any:
    return next((item for item in array.flat), None)
