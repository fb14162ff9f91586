"""Which way a call goes: symbols are recorded, tensors become nodes of the engine, arrays values.

Every public function passes through ``public``; what differs between tensors and arrays is decided
by ``graph_of``, in the primitives alone. Functions made of other functions need neither.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn._graph.graph import Graph, tracing
from pynn._graph.structure import flatten
from pynn._graph.symbol import KerasTensor, record
from pynn._graph.tensor import Tensor
from pynn._graph.variable import Variable

Array = npt.NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def public(function: Function) -> Function:
    """Makes a function record its call where it gets symbols of the functional API."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, KerasTensor) for leaf in flatten((args, kwargs))):
            return record(call, args, kwargs)
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def eager_only(function: Function) -> Function:
    """Marks a function that has no meaning for symbols, such as one whose result's shape depends
    on values."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, (KerasTensor, Tensor)) for leaf in flatten((args, kwargs))):
            raise TypeError(
                f"ops.{function.__name__} works on arrays only: the engine cannot compute it as "
                "part of a model. Received: a symbol"
            )
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


def graph_of(*values: Any) -> Graph | None:
    """The graph of the tensors among some values, None if there are none.

    A weight alone belongs to the graph being traced: what is made of it is trained through it.
    """
    leaves = flatten(values)
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            return leaf.graph
    return tracing() if any(isinstance(leaf, Variable) for leaf in leaves) else None


def to_tensor(graph: Graph, value: Any) -> Tensor:
    """A value as a tensor: weights stay trainable, arrays become constants."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Variable):
        return graph.parameter(value)
    return graph.constant(to_array(value))


def is_number(value: Any) -> bool:
    """Whether a value is a single number that is known now."""
    if isinstance(value, (Tensor, Variable)):
        return False
    return isinstance(value, numbers.Real) or (np.ndim(value) == 0 and np.size(value) == 1)


def to_array(value: Any) -> Array:
    """A value as an array of the element type Keras gives it; a list of floats is ``floatx()``."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    if isinstance(value, Variable):
        return value.numpy()
    return _standard(np.asarray(_plain(value)))


def _plain(value: Any) -> Any:
    """Lists may hold variables."""
    if isinstance(value, Variable):
        return value.numpy()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def _standard(array: Array) -> Array:
    """float64 and int64, which NumPy takes for Python's numbers, as the types Keras takes."""
    if array.dtype == np.float64:
        return array.astype(config.floatx())
    if array.dtype == np.int64:
        return array.astype(np.int32)
    return array


def compute(function: Callable[..., Any], *operands: Any, **options: Any) -> Any:
    """Calls a NumPy function; its results are of the element types Keras gives them.

    Python's numbers take the type of the arrays beside them; a result is float64 or int64 only if
    an array was.
    """
    given = [v if isinstance(v, numbers.Real) else _converted(v) for v in operands]
    types = {leaf.dtype for leaf in flatten(given) if isinstance(leaf, (np.ndarray, np.generic))}
    with np.errstate(all="ignore"):
        result = function(*given, **options)
        if getattr(result, "dtype", None) == np.float16 and np.dtype(np.float16) not in types:
            # NumPy computes with truth values in half precision.
            result = function(*(_as_float(v) for v in given), **options)
    if isinstance(result, (list, tuple)):
        return type(result)(_narrow(np.asarray(part), types) for part in result)
    return _narrow(np.asarray(result), types)


def _converted(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and any(
        isinstance(leaf, (np.ndarray, np.generic, Variable)) for leaf in flatten(value)
    ):
        return [to_array(part) for part in value]
    return to_array(value)


def _as_float(value: Any) -> Any:
    return np.asarray(value, config.floatx()) if np.asarray(value).dtype == np.bool_ else value


def _narrow(array: Array, given: set[np.dtype[Any]]) -> Array:
    """The standard type in place of one that none of the operands had."""
    if array.dtype == np.float64 and array.dtype not in given:
        return array.astype(config.floatx())
    if array.dtype in (np.int8, np.int64) and array.dtype not in given:
        return array.astype(np.int32)
    return array


def shape_of(value: Any) -> tuple[int | None, ...]:
    """The shape of a tensor or of anything NumPy takes."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def rank_of(value: Any) -> int:
    """The number of axes, the batch's among them."""
    return len(shape_of(value))
