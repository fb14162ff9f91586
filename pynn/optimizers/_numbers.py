"""What ``optimizer.learning_rate`` and ``optimizer.iterations`` return: numbers one can assign to.

They are a float and an int and behave as such everywhere. Like Keras's variables they also have
``numpy()``, ``value`` and ``assign``, which sets the optimizer's number; the object itself, as any
number, keeps the value that was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class _Assignable:
    _set: Callable[[Any], None]

    def assign(self, value: Any) -> None:
        """Sets the optimizer's number."""
        self._set(value)

    def numpy(self) -> Any:
        """Returns the number as a NumPy scalar."""
        return np.asarray(self)[()]

    @property
    def value(self) -> Any:
        """The number."""
        return self


class LearningRate(_Assignable, float):
    """The learning rate of the next step."""

    def __new__(cls, value: float, assign: Callable[[Any], None]) -> LearningRate:
        self = super().__new__(cls, value)
        self._set = assign
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)


class Iterations(_Assignable, int):
    """How many updates were made."""

    def __new__(cls, value: int, assign: Callable[[Any], None]) -> Iterations:
        self = super().__new__(cls, value)
        self._set = assign
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)
