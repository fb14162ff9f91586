"""Small helpers: seeds, labels, names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.utils.naming import reset_names
from pynn.utils.random import set_random_seed

__all__ = ["clear_session", "set_random_seed", "to_categorical"]


def clear_session() -> None:
    """Starts the numbering of automatic layer names anew (``dense``, ``dense_1``, ...)."""
    reset_names()


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> npt.NDArray[Any]:
    """Turns class indices into rows with a single one.

    Args:
        x: integers in [0, num_classes), shape ``(...)`` or ``(..., 1)``.
        num_classes: number of columns; by default the largest index plus one.

    Returns:
        Array of the default float type, shape ``(..., num_classes)``.

    Raises:
        ValueError: an index is not an integer or lies outside the range.

    Example:
        >>> to_categorical([0, 2, 1], num_classes=3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    from pynn.config import floatx

    given = np.asarray(x)
    if given.dtype.kind not in "iufb" or (
        given.dtype.kind == "f" and not np.array_equal(given, np.trunc(given))
    ):
        raise ValueError(
            f"to_categorical: class indices must be integers. Received: x of dtype {given.dtype}"
        )
    labels = given.astype(np.int64)
    shape = labels.shape
    if len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    labels = labels.reshape(-1)
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, -1)
    count = high + 1 if num_classes is None else int(num_classes)
    if low < 0 or high >= count:
        raise ValueError(
            f"to_categorical: class indices must lie in [0, {count}). "
            f"Received: values between {low} and {high}"
        )
    one_hot = np.zeros((labels.size, count), dtype=floatx())
    one_hot[np.arange(labels.size), labels] = 1
    return one_hot.reshape(*shape, count)
