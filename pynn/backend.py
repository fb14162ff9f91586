"""What is left of ``keras.backend``: settings, names and types.

The array functions of Keras 2's backend are ``pynn.ops``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn._compat import explain_absent
from pynn._graph.inspection import is_keras_tensor
from pynn.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from pynn.utils import clear_session, standardize_dtype
from pynn.utils.naming import number_of_name

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "is_keras_tensor",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


def get_uid(prefix: str = "") -> int:
    """Returns 1, 2, 3, ...: how often this prefix was asked for since ``clear_session``.

    Example:
        >>> get_uid("a_prefix"), get_uid("a_prefix")
        (1, 2)
    """
    return number_of_name(f"uid {prefix}") + 1


def is_float_dtype(dtype: Any) -> bool:
    """Whether a type holds real numbers.

    Example:
        >>> is_float_dtype("float32"), is_float_dtype("uint8")
        (True, False)
    """
    return np.dtype(standardize_dtype(dtype)).kind == "f"


def is_int_dtype(dtype: Any) -> bool:
    """Whether a type holds whole numbers.

    Example:
        >>> is_int_dtype("uint8"), is_int_dtype(float)
        (True, False)
    """
    return np.dtype(standardize_dtype(dtype)).kind in "iu"


explain_absent(globals())
