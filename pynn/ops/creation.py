"""Arrays from nothing, and facts about values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import config
from pynn._graph.symbol import KerasTensor
from pynn._graph.tensor import Tensor
from pynn._graph.variable import Variable
from pynn.ops._dispatch import compute, eager_only, public, shape_of, to_array
from pynn.ops.elementwise import cast, zeros_like


def _kind(dtype: Any) -> Any:
    return config.floatx() if dtype is None else dtype


def array(x: Any, dtype: Any = None) -> Any:
    """The value as an array; a symbol as it is."""
    return convert_to_tensor(x, dtype)


@public
def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """The value as an array; a symbol as it is.

    Args:
        x: a number, list, array, variable or symbol.
        dtype: by default Python's floats become ``floatx()``, its integers ``"int32"``.
        sparse: must be None or False.
        ragged: must be None or False.

    Example:
        >>> convert_to_tensor([1, 2]).dtype
        dtype('int32')
    """
    if sparse or ragged:
        raise ValueError(
            f"convert_to_tensor: arrays are dense. Received: sparse={sparse}, ragged={ragged}"
        )
    if isinstance(x, Tensor):
        return x if dtype is None else cast(x, dtype)
    return to_array(x) if dtype is None else to_array(x).astype(dtype)


def convert_to_numpy(x: Any) -> npt.NDArray[Any]:
    """The value as a NumPy array.

    Raises:
        TypeError: a symbol: it has no values.
    """
    return to_array(x) if not isinstance(x, (Tensor, KerasTensor)) else np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether a value is an array or a symbol."""
    return isinstance(x, (np.ndarray, Tensor, KerasTensor, Variable))


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape as a tuple; None for the number of samples of a symbol.

    Example:
        >>> shape([[1.0, 2.0]])
        (1, 2)
    """
    return shape_of(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape_of(x))


def size(x: Any) -> int | None:
    """The number of elements; None where the number of samples is open."""
    sizes = shape_of(x)
    return None if None in sizes else math.prod(n for n in sizes if n is not None)


def dtype(x: Any) -> str:
    """The name of the element type."""
    return str(x.dtype) if hasattr(x, "dtype") else str(to_array(x).dtype)


def zeros(shape: Any, dtype: Any = None) -> npt.NDArray[Any]:
    """An array of zeros."""
    return np.zeros(shape, _kind(dtype))


def ones(shape: Any, dtype: Any = None) -> npt.NDArray[Any]:
    """An array of ones."""
    return np.ones(shape, _kind(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> npt.NDArray[Any]:
    """An array of one value."""
    return np.full(shape, fill_value, _kind(dtype))


def empty(shape: Any, dtype: Any = None) -> npt.NDArray[Any]:
    """An array whose values do not matter; they are zeros."""
    return np.zeros(shape, _kind(dtype))


@public
def empty_like(x: Any, dtype: Any = None) -> Any:
    """A value of the shape of ``x`` whose values do not matter; they are zeros."""
    return zeros_like(x, dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> npt.NDArray[Any]:
    """A matrix with ones on a diagonal."""
    return np.eye(N, M, k, _kind(dtype))


def identity(n: int, dtype: Any = None) -> npt.NDArray[Any]:
    """The unit matrix."""
    return np.eye(n, dtype=_kind(dtype))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> npt.NDArray[Any]:
    """A matrix with ones on and below a diagonal."""
    return np.tri(N, M, k, _kind(dtype))


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> npt.NDArray[Any]:
    """The numbers from ``start`` to before ``stop``, or from 0 to before ``start``.

    Example:
        >>> arange(3).tolist()
        [0, 1, 2]
    """
    first, last = (0, start) if stop is None else (start, stop)
    values = np.arange(first, last, 1 if step is None else step)
    return to_array(values.tolist()).reshape(-1) if dtype is None else values.astype(dtype)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances."""
    options: Any = {"num": num, "endpoint": endpoint, "retstep": retstep, "axis": axis}
    result: Any = np.linspace(to_array(start), to_array(stop), **options)
    if retstep:
        return result[0].astype(_kind(dtype)), result[1]
    return result.astype(_kind(dtype))


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> npt.NDArray[Any]:
    """Numbers whose logarithms have equal distances, from ``base**start`` to ``base**stop``."""
    values = np.logspace(to_array(start), to_array(stop), num, endpoint, base, axis=axis)
    return values.astype(_kind(dtype))


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> npt.NDArray[Any]:
    """Numbers whose logarithms have equal distances, from ``start`` to ``stop``."""
    values = np.geomspace(to_array(start), to_array(stop), num, endpoint, axis=axis)
    return values.astype(_kind(dtype))


@eager_only
def meshgrid(*x: Any, indexing: str = "xy") -> list[npt.NDArray[Any]]:
    """Grids of coordinates."""
    return [np.asarray(part) for part in np.meshgrid(*map(to_array, x), indexing=indexing)]  # type: ignore[call-overload]


@eager_only
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of Vandermonde."""
    return compute(np.vander, x, N=N, increasing=increasing)


def bartlett(x: int) -> npt.NDArray[Any]:
    """Bartlett's window of ``x`` points."""
    return np.bartlett(x).astype(config.floatx())


def blackman(x: int) -> npt.NDArray[Any]:
    """Blackman's window of ``x`` points."""
    return np.blackman(x).astype(config.floatx())


def hamming(x: int) -> npt.NDArray[Any]:
    """Hamming's window of ``x`` points."""
    return np.hamming(x).astype(config.floatx())


def hanning(x: int) -> npt.NDArray[Any]:
    """Hann's window of ``x`` points."""
    return np.hanning(x).astype(config.floatx())


def kaiser(x: int, beta: float) -> npt.NDArray[Any]:
    """Kaiser's window of ``x`` points."""
    return np.kaiser(x, beta).astype(config.floatx())


@eager_only
def scatter(indices: Any, values: Any, shape: Sequence[int]) -> npt.NDArray[Any]:
    """Zeros with values added at some places.

    Args:
        indices: ``(n, axes)``, the place of each value.
        values: ``(n, ...)``.
        shape: of the result.
    """
    places, given = to_array(indices), to_array(values)
    result = np.zeros(tuple(shape), given.dtype)
    np.add.at(result, tuple(np.moveaxis(places, -1, 0)), given)
    return result
