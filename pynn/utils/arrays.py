"""Whatever users pass as numbers, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.utils.sparse import SparseRows, is_sparse, sparse_rows

Array = npt.NDArray[Any]


def as_array(name: str, value: Any) -> Array:
    """Returns an array of numbers; NumPy arrays (memory maps too) are not copied.

    Raises:
        ValueError: rows of different lengths.
        TypeError: elements that are not real numbers.
    """
    if value is None:
        raise ValueError(f"`{name}` is missing. Received: {name}=None")
    if is_sparse(value):
        raise TypeError(
            f"`{name}` must be an array: only inputs may be sparse. Use {name}.toarray(). "
            f"Received: {name} of type {type(value).__name__}"
        )
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
                f"{type(value).__name__} with elements such as {_no_number(array)!r}"
            ) from None
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"`{name}` must consist of real numbers of at most 64 bits. "
            f"Received: {name} of dtype {array.dtype}"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array


def as_samples(name: str, value: Any) -> Array | SparseRows:
    """Returns an array of numbers, or compressed rows for a sparse matrix.

    Raises:
        ValueError, TypeError: as ``as_array``.
    """
    return sparse_rows(name, value) if is_sparse(value) else as_array(name, value)


def as_arrays(name: str, value: Any) -> Any:
    """Returns samples; or a list, tuple or dictionary of them where one is given.

    A list of numbers, or of lists of numbers, is one array.

    Raises:
        ValueError, TypeError: as ``as_array``.
    """
    if isinstance(value, Mapping):
        return {key: as_samples(f"{name}[{key!r}]", part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and any(hasattr(part, "shape") for part in value):
        parts = [as_samples(f"{name}[{i}]", part) for i, part in enumerate(value)]
        return tuple(parts) if isinstance(value, tuple) else parts
    return as_samples(name, value)


def is_memory_map(array: Array) -> bool:
    """Whether an array's values lie in a mapped file."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def _no_number(array: Array) -> Any:
    """The first element that cannot be taken as a number."""
    for item in array.flat:
        try:
            float(item)
        except (TypeError, ValueError):
            return item
    return None
