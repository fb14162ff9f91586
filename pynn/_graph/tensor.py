"""Values that are not computed yet: their operators, and the one inside a graph of the engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

if TYPE_CHECKING:
    from pynn._graph.graph import Graph

Shape = tuple[int, ...]

# The functions behind the operators; pynn.ops, which stands above this module, fills it.
FUNCTIONS: dict[str, Callable[..., Any]] = {}

# Names under which NumPy knows some of the operators.
_OPERATORS = {
    "divide": "true_divide",
    "remainder": "mod",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
}

_LIBRARIES = [Path(__file__).resolve().parent.parent, Path(np.__file__).resolve().parent]


class Operators:
    """Python's operators on symbols, by the functions of ``pynn.ops``."""

    __array_priority__ = 100.0  # NumPy arrays leave ``array + symbol`` to the symbol

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``array + symbol`` is the operator of the symbol; other functions get the values."""
        name = _OPERATORS.get(ufunc.__name__, ufunc.__name__)
        if name in FUNCTIONS and method == "__call__" and not kwargs:
            return FUNCTIONS[name](*inputs)
        arrays = [np.asarray(part) if isinstance(part, Operators) else part for part in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def __add__(self, other: Any) -> Any:
        return FUNCTIONS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return FUNCTIONS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return FUNCTIONS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return FUNCTIONS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return FUNCTIONS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return FUNCTIONS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return FUNCTIONS["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return FUNCTIONS["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return FUNCTIONS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return FUNCTIONS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return FUNCTIONS["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return FUNCTIONS["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return FUNCTIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return FUNCTIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return FUNCTIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return FUNCTIONS["matmul"](other, self)

    def __neg__(self) -> Any:
        return FUNCTIONS["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return FUNCTIONS["absolute"](self)

    def __lt__(self, other: Any) -> Any:
        return FUNCTIONS["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return FUNCTIONS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return FUNCTIONS["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return FUNCTIONS["greater_equal"](self, other)

    def __eq__(self, other: Any) -> Any:
        return FUNCTIONS["equal"](self, other)

    def __ne__(self, other: Any) -> Any:
        return FUNCTIONS["not_equal"](self, other)

    def __and__(self, other: Any) -> Any:
        return FUNCTIONS["logical_and"](self, other)

    def __or__(self, other: Any) -> Any:
        return FUNCTIONS["logical_or"](self, other)

    def __xor__(self, other: Any) -> Any:
        return FUNCTIONS["logical_xor"](self, other)

    def __invert__(self) -> Any:
        return FUNCTIONS["logical_not"](self)

    def __getitem__(self, key: Any) -> Any:
        return FUNCTIONS["getitem"](self, key)

    __hash__ = object.__hash__


class Symbol(Operators):
    """A value that is not known yet: it has a shape, but Python code cannot look at it."""

    shape: tuple[int | None, ...]

    @property
    def ndim(self) -> int:
        """Number of axes, the batch's among them."""
        return len(self.shape)

    def __bool__(self) -> bool:
        _not_known("decide by its value (`if`, `while`, `and`, `not`)", "ops.where or ops.maximum")

    def __float__(self) -> float:
        _not_known("turn it into a number", "pynn.ops")

    def __int__(self) -> int:
        _not_known("turn it into a number", "pynn.ops")

    def __index__(self) -> int:
        _not_known("use it as an index", "ops.take")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        _not_known(
            "hand it to NumPy",
            "the function of the same name in pynn.ops, or pynn.ops.with_gradient for a function "
            "that returns value and derivative",
        )

    def __iter__(self) -> Any:
        _not_known("loop over it", "ops.split or ops.unstack")

    def __len__(self) -> int:
        if self.shape and self.shape[0] is not None:
            return self.shape[0]
        _not_known("ask for the number of samples", "ops.shape")


def _not_known(action: str, instead: str) -> NoReturn:
    """Raises TypeError: it names the user's line that looked at the value."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and _is_library(Path(frame.f_code.co_filename)):
        frame = frame.f_back
    where = f"{frame.f_code.co_filename}, line {frame.f_lineno}, in {frame.f_code.co_name}"
    raise TypeError(
        "This code runs once, with symbols in place of arrays, to record what the engine computes: "
        f"it cannot {action}. Use {instead} instead. Received: a symbol at {where}"
    )


def _is_library(path: Path) -> bool:
    return any(path.is_relative_to(library) for library in _LIBRARIES)


class Tensor(Symbol):
    """The value at one place of a graph.

    Attributes:
        graph: where it stands.
        sample: the shape of one sample; of the whole value where it belongs to no sample.
        batched: whether there is one for each sample.
        mask: which steps of a sequence count, a tensor of ones and zeros, or None.
    """

    def __init__(self, graph: Graph, sample: Shape, batched: bool = True) -> None:
        self.graph = graph
        self.sample = sample
        self.batched = batched
        self.mask: Tensor | None = None

    @property
    def shape(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The shape with ``None`` for the number of samples."""
        return (None, *self.sample) if self.batched else self.sample

    @property
    def dtype(self) -> str:
        """The float type of the graph."""
        return self.graph.dtype

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape}, dtype={self.dtype}>"
