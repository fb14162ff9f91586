"""Names of number types."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.config import floatx

_PYTHON = {bool: "bool", int: "int32", float: "float32", "int": "int32", "float": "float32"}


def standardize_dtype(dtype: Any) -> str:
    """Returns the name of a type.

    Args:
        dtype: a name, a NumPy type, ``int`` (int32), ``float`` (float32), ``bool``, or None for the
            default float type.

    Raises:
        ValueError: not a type of numbers.

    Example:
        >>> standardize_dtype(int), standardize_dtype(None)
        ('int32', 'float32')
    """
    if dtype is None:
        return floatx()
    try:
        found = np.dtype(_PYTHON.get(dtype, dtype))
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "biufc":
        raise ValueError(f"A dtype must name a type of numbers. Received: dtype={dtype!r}")
    return str(found.name)
