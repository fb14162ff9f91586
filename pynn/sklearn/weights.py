"""``coefs_`` and ``intercepts_``: the weights of an estimator's model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import layers

Array = npt.NDArray[Any]


def variables(model: Any) -> list[Any]:
    """The kernels of a model's dense layers, then their biases."""
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    return [layer.kernel for layer in dense] + [layer.bias for layer in dense]


def trained(model: Any) -> list[Any]:
    """All that training changes: ``variables``, then the vectors of categories."""
    found = variables(model)
    known = {id(variable) for variable in found}
    return found + [v for v in model.trainable_variables if id(v) not in known]


class Link:
    """Keeps an estimator's arrays and its model's weights one and the same.

    ``coefs_`` and ``intercepts_`` are views of the engine's memory, so what is written into them
    counts at once. An array put in the place of one is copied into the model before its next use.

    Args:
        estimator: has a model that has been used before: then its memory stays where it is.
    """

    def __init__(self, estimator: Any) -> None:
        self._variables = variables(estimator.model_)
        self._views = [variable.value for variable in self._variables]
        self._show(estimator)

    def _show(self, estimator: Any) -> None:
        half = len(self._views) // 2
        estimator.coefs_, estimator.intercepts_ = self._views[:half], self._views[half:]

    def adopt(self, estimator: Any) -> None:
        """Takes over arrays that have been assigned.

        Raises:
            ValueError: another number of arrays, or another shape.
        """
        given = [*estimator.coefs_, *estimator.intercepts_]
        if len(given) != len(self._views):
            raise ValueError(
                f"coefs_ and intercepts_ must have {len(self._views)} arrays together. "
                f"Received: {len(given)}"
            )
        changed = [place for place, view in enumerate(self._views) if given[place] is not view]
        for place in changed:
            self._variables[place].assign(given[place])
        if changed:
            self._show(estimator)


def pack(arrays: Sequence[Array]) -> Array:
    """The elements of all arrays, one after another."""
    return np.concatenate([array.ravel() for array in arrays])


def unpack(vector: Array, variables: Sequence[Any]) -> None:
    """Assigns the elements of ``pack`` to variables."""
    start = 0
    for variable in variables:
        end = start + int(np.prod(variable.shape))
        variable.assign(vector[start:end].reshape(variable.shape))
        start = end
