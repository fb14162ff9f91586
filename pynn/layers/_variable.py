"""One weight array of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.regularizers import Regularizer


class Variable:
    """A weight array whose memory the engine works on: no copy lies between it and NumPy.

    Args:
        value: the initial values.
        name: short name such as ``"kernel"``.
        trainable: False for arrays that are not changed by gradients (moving statistics).
        regularizer: penalty of this array in the loss.
    """

    def __init__(
        self,
        value: npt.ArrayLike,
        name: str,
        trainable: bool = True,
        regularizer: Regularizer | None = None,
        dtype: str = "float32",
    ) -> None:
        from pynn import _core

        array = np.asarray(value, dtype=dtype)
        self.name = name
        self.path = name
        self.trainable = trainable
        self.regularizer = regularizer
        self.core = _core.Variable(tuple(array.shape), dtype)
        self.core.assign(array)

    @property
    def value(self) -> npt.NDArray[Any]:
        """The live array: what is written into it is used by the next batch.

        Take it anew when it is needed: the memory moves once, when a model is first used.
        """
        array: npt.NDArray[Any] = self.core.array
        return array

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.core.shape)

    @property
    def dtype(self) -> str:
        return self.core.dtype

    def numpy(self) -> npt.NDArray[Any]:
        """Returns a copy of the values."""
        array: npt.NDArray[Any] = self.core.copy()
        return array

    def assign(self, value: npt.ArrayLike) -> Variable:
        """Overwrites the values.

        Raises:
            ValueError: the shape differs.
        """
        array = np.asarray(value)
        check_shape(self.path, self.shape, array.shape)
        self.core.assign(array)
        return self

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            return np.asarray(self.value, dtype)
        return np.asarray(self.numpy(), dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "core": self.numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from pynn import _core

        array = state["core"]
        vars(self).update(state)
        self.core = _core.Variable(array.shape, array.dtype.name)
        self.core.assign(array)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def check_shape(name: str, expected: Sequence[int], received: Sequence[int]) -> None:
    """Raises ValueError where the shape of new values does not fit a weight."""
    if tuple(expected) != tuple(received):
        raise ValueError(
            f"{name}: expected values of shape {tuple(expected)}. "
            f"Received: value.shape={tuple(received)}"
        )
