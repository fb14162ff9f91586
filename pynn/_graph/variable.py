"""Weight arrays whose memory the engine works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _core, config
from pynn._graph.tensor import Operators, Symbol
from pynn.utils.arrays import as_array


class Variable(Operators):
    """A weight array: no copy lies between the engine and NumPy.

    In code that is traced (``call`` of a layer, a loss) it stands for its values and is trained
    through them; elsewhere the operators compute with the values as they are.

    Args:
        initializer: the initial values, or a function of shape and dtype that returns them.
        shape: needed with a function.
        dtype: ``"float32"`` or ``"float64"``; by default ``pynn.config.floatx()``.
        trainable: False for arrays that are not changed by gradients (moving statistics).
        name: a short name such as ``"kernel"``.

    Attributes:
        regularizer: penalty of this array in the loss, or None.
        constraint: applied after each update, or None.

    Raises:
        ValueError: a function without a shape.

    Example:
        >>> v = Variable([1.0, 2.0])
        >>> v.assign_add([1.0, 1.0]).numpy().tolist()
        [2.0, 3.0]
    """

    def __init__(
        self,
        initializer: npt.ArrayLike | Callable[..., Any],
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        name: str = "variable",
    ) -> None:
        kind = config.check_dtype("Variable", dtype) if dtype is not None else config.floatx()
        if callable(initializer):
            if shape is None:
                raise ValueError("Variable: `shape` is needed where a function makes the values.")
            initializer = initializer(tuple(shape), dtype=kind)
        array = as_array("initializer", initializer).astype(kind)
        if shape is not None:
            check_shape(name, shape, array.shape)
        self.name = name
        self.path = name
        self.trainable = trainable
        self.regularizer: Any = None
        self.constraint: Any = None
        self.core = _core.Variable(tuple(array.shape), kind)
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
    def ndim(self) -> int:
        return len(self.core.shape)

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
            TypeError: a symbol, in code that is traced.
        """
        if isinstance(value, Symbol):
            raise TypeError(
                f"{self.path}: a variable cannot be assigned in `call`, which runs once to record "
                "what the engine computes. Assign it in a callback, or in `forward` of a layer "
                f"written with NumPy. Received: value={value!r}"
            )
        array = np.asarray(value)
        check_shape(self.path, self.shape, array.shape)
        self.core.assign(array)
        return self

    def assign_add(self, value: npt.ArrayLike) -> Variable:
        """Adds to the values."""
        return self.assign(value if isinstance(value, Symbol) else self.numpy() + value)

    def assign_sub(self, value: npt.ArrayLike) -> Variable:
        """Subtracts from the values."""
        return self.assign(value if isinstance(value, Symbol) else self.numpy() - value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            return np.asarray(self.value, dtype)
        return np.asarray(self.numpy(), dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __len__(self) -> int:
        return len(self.numpy())

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "core": self.numpy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        array = state["core"]
        vars(self).update(state)
        self.core = _core.Variable(array.shape, array.dtype.name)
        self.core.assign(array)

    def __repr__(self) -> str:
        values = np.array2string(self.numpy(), threshold=10)
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={values}>"
        )


def check_shape(name: str, expected: Sequence[int], received: Sequence[int]) -> None:
    """Raises ValueError where the shape of new values does not fit a weight."""
    if tuple(expected) != tuple(received):
        raise ValueError(
            f"{name}: expected values of shape {tuple(expected)}. "
            f"Received: value.shape={tuple(received)}"
        )
