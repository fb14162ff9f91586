"""Single arrays of an optimizer's state, and the order in which Keras has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# Most optimizers keep the arrays of one weight together. Those named here are kept apart: one such
# array of every weight, then the next.
_APART = {"rmsprop": ("velocity", "momentum", "average_gradient")}
_ALWAYS_APART = ("velocity_hat",)


@dataclass(frozen=True)
class Slot:
    """One array of an optimizer's state.

    Attributes:
        weight: the number of its weight among those that are trained.
        number: its number among the arrays that the engine keeps for this weight.
        name: what Keras calls it.
        shape: its shape.
    """

    weight: int
    number: int
    name: str
    shape: tuple[int, ...]


def in_keras_order(rule: str, slots: Sequence[Slot], extra: Sequence[str]) -> list[Slot]:
    """The arrays of all weights in the order of ``optimizer.variables`` and of files.

    Args:
        rule: the engine's name of the optimizer.
        slots: all arrays.
        extra: the names of those that every optimizer can have, which stand first.
    """
    apart = _APART.get(rule, _ALWAYS_APART)

    def place(slot: Slot) -> tuple[int, int, int]:
        if slot.name in extra:
            return (0, slot.number, slot.weight)
        if slot.name in apart:
            return (2, slot.number, slot.weight)
        return (1, slot.weight, slot.number)

    return sorted(slots, key=place)


class StateArray:
    """An array of an optimizer's state; ``value`` is the array itself."""

    def __init__(self, path: str, value: Array, assign: Callable[[Any], None] | None = None):
        self.path, self.value, self._assign = path, value, assign
        self.name = path.rpartition("/")[2]
        self.shape, self.dtype, self.trainable = value.shape, value.dtype.name, False

    def numpy(self) -> Array:
        """Returns a copy of the values."""
        return self.value.copy()

    def assign(self, value: npt.ArrayLike) -> None:
        """Overwrites the values.

        Raises:
            ValueError: the shape differs.
        """
        array = np.asarray(value, self.value.dtype)
        if array.shape != self.shape:
            raise ValueError(
                f"{self.path}: expected values of shape {self.shape}. "
                f"Received: value.shape={array.shape}"
            )
        self.value[...] = array
        if self._assign is not None:
            self._assign(array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype)

    def __repr__(self) -> str:
        return f"<StateArray path={self.path}, shape={self.shape}, dtype={self.dtype}>"
