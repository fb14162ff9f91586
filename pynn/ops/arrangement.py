"""Functions that move numbers about: shapes, axes, slices, joins, repetitions.

In a model the axis of the samples stays the first one and whole; its length is not known.
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from pynn._graph.tensor import Tensor
from pynn.ops import _primitives
from pynn.ops._dispatch import (
    Array,
    compute,
    graph_of,
    public,
    shape_of,
    to_array,
    to_tensor,
)
from pynn.ops._primitives import rearrange


@public
def reshape(x: Any, newshape: Any) -> Any:
    """The same numbers in another shape.

    Args:
        x: array or symbol.
        newshape: the new shape with the axis of the samples; one size may be -1, the one that is
            left over. In a model the first is -1 or None, for the samples.

    Raises:
        ValueError: the number of elements differs.

    Example:
        >>> reshape([[1.0, 2.0], [3.0, 4.0]], (-1,)).tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    newshape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    graph = graph_of(x)
    if graph is None:
        rows = None if None not in newshape else shape_of(x)[0]
        return compute(np.reshape, x, tuple(rows if n is None else int(n) for n in newshape))
    t = to_tensor(graph, x)
    sizes = [-1 if n is None else int(n) for n in newshape]
    if t.batched:
        if sizes[:1] != [-1]:
            raise _wrong_shape(t, newshape)
        sizes = sizes[1:]
    size, known = math.prod(t.sample), math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and known and size % known == 0:
        sizes[sizes.index(-1)] = size // known
    if -1 in sizes or math.prod(sizes) != size:
        raise _wrong_shape(t, newshape)
    return _primitives.reshape(t, tuple(sizes))


def _wrong_shape(t: Tensor, newshape: Any) -> ValueError:
    return ValueError(
        "reshape: a sample must keep its number of elements, and the axis of the samples (-1 or "
        f"None) must stay the first. Received: x.shape={t.shape}, newshape={newshape}"
    )


@public
def ravel(x: Any) -> Any:
    """All numbers in one axis."""
    return reshape(x, (-1,))


@public
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed by default.

    Args:
        x: array or symbol.
        axes: the axes in their new order; in a model 0, that of the samples, stays first.

    Raises:
        ValueError: the axis of the samples would move.

    Example:
        >>> transpose([[1.0, 2.0], [3.0, 4.0]]).tolist()
        [[1.0, 3.0], [2.0, 4.0]]
    """
    return rearrange("transpose", lambda a: np.transpose(a, axes), x)


@public
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """One or several axes at other places."""
    return rearrange("moveaxis", lambda a: np.moveaxis(a, source, destination), x)


@public
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return rearrange("swapaxes", lambda a: np.swapaxes(a, axis1, axis2), x)


@public
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of length 1.

    Example:
        >>> expand_dims([1.0, 2.0], -1).shape
        (2, 1)
    """
    axis = tuple(axis) if isinstance(axis, list) else axis
    return rearrange("expand_dims", lambda a: np.expand_dims(a, axis), x)


@public
def squeeze(x: Any, axis: Any = None) -> Any:
    """Without axes of length 1: all, or those given."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    return rearrange("squeeze", lambda a: np.squeeze(a, axis), x)


@public
def flip(x: Any, axis: Any = None) -> Any:
    """The numbers along axes in reverse order."""
    return rearrange("flip", lambda a: np.flip(a, axis), x)


@public
def fliplr(x: Any) -> Any:
    """The second axis in reverse order."""
    return rearrange("fliplr", np.fliplr, x)


@public
def flipud(x: Any) -> Any:
    """The first axis in reverse order."""
    return rearrange("flipud", np.flipud, x)


@public
def rot90(array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Turned by ``k`` right angles in the plane of two axes."""
    return rearrange("rot90", lambda a: np.rot90(a, k, axes), array)


@public
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """The numbers moved along axes; what leaves at the end enters at the start."""
    return rearrange("roll", lambda a: np.roll(a, shift, axis), x)


@public
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of matrices."""
    return rearrange("diagonal", lambda a: np.diagonal(a, offset, axis1, axis2), x)


@public
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sums of the diagonals of matrices."""
    return _primitives.reduce("sum", diagonal(x, offset, axis1, axis2), -1)


@public
def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or a matrix with this diagonal."""
    return rearrange("diag", lambda a: np.diag(a, k), x)


@public
def diagflat(x: Any, k: int = 0) -> Any:
    """A matrix with the numbers of ``x`` as its diagonal."""
    return rearrange("diagflat", lambda a: np.diagflat(a, k), x)


@public
def tril(x: Any, k: int = 0) -> Any:
    """Matrices with zeros above a diagonal."""
    return rearrange("tril", lambda a: np.tril(a, k), x)


@public
def triu(x: Any, k: int = 0) -> Any:
    """Matrices with zeros below a diagonal."""
    return rearrange("triu", lambda a: np.triu(a, k), x)


@public
def broadcast_to(x: Any, shape: Any) -> Any:
    """Axes of length 1 repeated to a shape.

    Args:
        x: array or symbol.
        shape: the new shape; None or -1 as its first number stands for that of the samples.

    Example:
        >>> broadcast_to([1.0, 2.0], (2, 2)).tolist()
        [[1.0, 2.0], [1.0, 2.0]]
    """

    def repeat_axes(a: Array) -> Array:
        full = [a.shape[0] if n in (None, -1) and i == 0 else n for i, n in enumerate(shape)]
        return np.broadcast_to(a, full)

    return rearrange("broadcast_to", repeat_axes, x)


@public
def tile(x: Any, repeats: Any) -> Any:
    """The whole repeated along axes.

    Args:
        x: array or symbol.
        repeats: how often along each axis, or along the last one; once along that of the samples.

    Example:
        >>> tile([1, 2], 2).tolist()
        [1, 2, 1, 2]
    """
    return rearrange("tile", lambda a: np.tile(a, repeats), x)


@public
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each number repeated along an axis.

    Args:
        x: array or symbol.
        repeats: how often, one number or one for each place along the axis.
        axis: the axis, None for all numbers in a row.

    Example:
        >>> repeat([1, 2], 2).tolist()
        [1, 1, 2, 2]
    """
    repeats = to_array(repeats).tolist()
    return rearrange("repeat", lambda a: np.repeat(a, repeats, axis), x)


@public
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Numbers added around.

    Args:
        x: array or symbol.
        pad_width: ``((before, after), ...)`` for each axis, a pair for all, or a number.
        mode: ``"constant"``, ``"edge"``, ``"reflect"``, ``"symmetric"`` or ``"wrap"``.
        constant_values: what is added in mode ``"constant"``, 0 by default.

    Example:
        >>> pad([1.0], 1).tolist()
        [0.0, 1.0, 0.0]
    """
    if mode != "constant":
        if constant_values is not None:
            raise ValueError(
                "pad: `constant_values` goes with mode='constant' only. "
                f"Received: mode={mode!r}, constant_values={constant_values!r}"
            )
        return rearrange("pad", lambda a: np.pad(a, pad_width, mode), x)  # type: ignore[call-overload]
    value = 0.0 if constant_values is None else constant_values
    if graph_of(x) is None:
        return compute(np.pad, x, pad_width, constant_values=value)
    return rearrange("pad", lambda a: np.pad(a, pad_width), x, fill=float(value))


@public
def get_item(x: Any, key: Any) -> Any:
    """``x[key]``: numbers, slices, ``...``, None and lists of numbers.

    Raises:
        TypeError: the key is computed by the model.
        ValueError: the key would take single samples of a model.
    """
    if graph_of(key) is not None:
        raise TypeError(
            "x[key]: in a model the key must be known; choose by computed values with ops.where, "
            "ops.take or ops.take_along_axis. Received: a symbol as key"
        )
    return rearrange("x[key]", lambda a: a[key], x)


@public
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of a given shape (-1: to the end) that starts at some indices."""
    key = tuple(
        builtins.slice(int(start), None if size in (-1, None) else int(start) + int(size))
        for start, size in zip(start_indices, shape, strict=True)
    )
    return get_item(inputs, key)


@public
def copy(x: Any) -> Any:
    """A copy."""
    return compute(np.copy, x) if graph_of(x) is None else x
