"""Rows and weights that are the same everywhere, also in the Keras that made a test's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def rows(n: int, features: int, k: int = 0) -> Array:
    """Numbers in [-1, 1] that depend on ``k``."""
    return ((np.arange(n * features).reshape(n, features) * (3 + k)) % 11 - 5) / 5.0


def fill(model: Any, scale: float = 0.1) -> list[Array]:
    """Gives a model weights in a fixed pattern and returns them."""
    arrays = [
        (np.arange(w.size).reshape(w.shape) % 7 - 3) * scale * (1 + i % 3) + 0.05
        for i, w in enumerate(model.get_weights())
    ]
    model.set_weights(arrays)
    return arrays


def numeric_gradients(loss: Any, arrays: list[Array], step: float = 1e-6) -> list[Array]:
    """Central differences of ``loss(arrays)`` by every number in ``arrays``."""
    gradients = []
    for array in arrays:
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + step
            above = loss(arrays)
            array[index] = value - step
            below = loss(arrays)
            array[index] = value
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients
