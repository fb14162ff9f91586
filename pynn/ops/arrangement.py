"""Functions that move numbers about: shapes, axes, slices, joins, repetitions.

In a model the axis of the samples stays the first one and whole; its length is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn._graph.structure import flatten
from pynn._graph.tensor import Tensor
from pynn.ops import _primitives
from pynn.ops._dispatch import (
    Array,
    compute,
    graph_of,
    public,
    rank_of,
    shape_of,
    to_array,
    to_tensor,
)
from pynn.ops._primitives import check_axis, rearrange


@public
def reshape(x: Any, newshape: Any) -> Any:
    """The same numbers in another shape.

    Args:
        x: array or symbol.
        newshape: the new shape with the axis of the samples; one size may be -1, the one that is
            left over. In a model the first is -1 or None.

    Raises:
        ValueError: the number of elements differs.

    Example:
        >>> reshape([[1.0, 2.0], [3.0, 4.0]], (-1,)).tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    newshape = (newshape,) if isinstance(newshape, (int, np.integer)) else tuple(newshape)
    graph = graph_of(x)
    if graph is None:
        return compute(np.reshape, x, tuple(-1 if n is None else int(n) for n in newshape))
    t = to_tensor(graph, x)
    sizes = [-1 if n is None else int(n) for n in newshape]
    if t.batched:
        if not sizes or (sizes[0] != -1 and -1 not in sizes[1:]):
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
    """Axes of length 1 repeated to a shape; None or -1 for the number of samples.

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

    Example:
        >>> tile([1, 2], 2).tolist()
        [1, 2, 1, 2]
    """
    return rearrange("tile", lambda a: np.tile(a, repeats), x)


@public
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each number repeated along an axis.

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
        builtin_slice(int(start), None if size in (-1, None) else int(start) + int(size))
        for start, size in zip(start_indices, shape, strict=True)
    )
    return get_item(inputs, key)


builtin_slice = type(np.s_[:])


@public
def copy(x: Any) -> Any:
    """A copy."""
    return compute(np.copy, x) if graph_of(x) is None else x


# ---- several ------------------------------------------------------------------------------------


@public
def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Values one behind the other along an axis.

    Args:
        xs: arrays or symbols whose shapes differ along ``axis`` only.
        axis: the axis; in a model not that of the samples.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> concatenate([[1.0], [2.0, 3.0]]).tolist()
        [1.0, 2.0, 3.0]
    """
    graph = graph_of(xs)
    if graph is None:
        return compute(lambda *parts: np.concatenate(parts, axis), *xs)
    tensors = [to_tensor(graph, x) for x in xs]
    like = next((t for t in tensors if t.batched), tensors[0])
    tensors = [_for_every_sample(t, like) for t in tensors]
    check_axis("concatenate", axis, len(like.shape))
    inside = axis % len(like.shape) - int(like.batched)
    shapes = [list(t.sample) for t in tensors]
    rest = [s[:inside] + s[inside + 1 :] for s in shapes if inside >= 0]
    if inside < 0 or rest.count(rest[0]) != len(rest):
        raise ValueError(
            "concatenate: the shapes may differ along `axis` only, which is not that of the "
            f"samples. Received: axis={axis}, shapes {', '.join(str(t.shape) for t in tensors)}"
        )
    if len(tensors) == 1:
        return tensors[0]
    sample = [*shapes[0]]
    sample[inside] = sum(s[inside] for s in shapes)
    return graph.add("concatenate", tensors, tuple(sample), axis=inside)


def _for_every_sample(t: Tensor, like: Tensor) -> Tensor:
    """A value without samples of shape (1, ...) beside values that have samples."""
    if like.batched and not t.batched and t.sample[:1] == (1,):
        t = _primitives.reshape(t, t.sample[1:])
    return _primitives.with_batch(t, like)


@public
def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Values of one shape along a new axis.

    Example:
        >>> stack([[1.0, 2.0], [3.0, 4.0]], axis=-1).tolist()
        [[1.0, 3.0], [2.0, 4.0]]
    """
    graph = graph_of(x)
    if graph is None:
        return compute(lambda *parts: np.stack(parts, axis), *x)
    return concatenate([expand_dims(part, axis) for part in x], axis)


@public
def hstack(xs: Sequence[Any]) -> Any:
    """Values one behind the other along the second axis, the first where there is only one."""
    return concatenate(xs, axis=1 if rank_of(xs[0]) > 1 else 0)


@public
def vstack(xs: Sequence[Any]) -> Any:
    """Rows one below the other."""
    if graph_of(xs) is None:
        return compute(lambda *parts: np.vstack(parts), *xs)
    return concatenate(xs, axis=0)


@public
def dstack(xs: Sequence[Any]) -> Any:
    """Values one behind the other along the third axis."""
    if graph_of(xs) is None:
        return compute(lambda *parts: np.dstack(parts), *xs)
    xs = [expand_dims(x, -1) if rank_of(x) == 2 else x for x in xs]
    return concatenate(xs, axis=2)


@public
def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """``x2`` behind ``x1``; both in one axis first if ``axis`` is None."""
    if axis is None:
        return concatenate([ravel(x1), ravel(x2)])
    return concatenate([x1, x2], axis)


@public
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Pieces along an axis.

    Args:
        x: array or symbol.
        indices_or_sections: the number of equal pieces, or the places where a new one starts.
        axis: the axis; in a model not that of the samples.

    Returns:
        The list of the pieces.

    Raises:
        ValueError: the axis cannot be cut into equal pieces.

    Example:
        >>> [piece.tolist() for piece in split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    length = shape_of(x)[axis]
    if length is not None and isinstance(indices_or_sections, (int, np.integer)):
        if length % indices_or_sections:
            raise ValueError(
                f"split: the axis must consist of equal pieces. Received: {indices_or_sections} "
                f"pieces of x.shape={shape_of(x)} along axis={axis}"
            )
    return array_split(x, indices_or_sections, axis)


@public
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Pieces along an axis, the first ones longer by one where they cannot be equal."""
    length = shape_of(x)[axis]
    if length is None:
        raise ValueError(
            f"split: the axis of the samples stays whole in a model. Received: axis={axis}, "
            f"x.shape={shape_of(x)}"
        )
    if isinstance(indices_or_sections, (int, np.integer)):
        parts = int(indices_or_sections)
        sizes = [length // parts + (i < length % parts) for i in range(parts)]
        ends = np.cumsum(sizes).tolist()
    else:
        ends = [*(int(i) for i in flatten(to_array(indices_or_sections).tolist())), length]
    starts = [0, *ends[:-1]]
    before = (builtin_slice(None),) * (axis % rank_of(x))
    pairs = zip(starts, ends, strict=True)
    return [get_item(to_array_or_symbol(x), (*before, builtin_slice(a, b))) for a, b in pairs]


def to_array_or_symbol(x: Any) -> Any:
    """Lists as arrays."""
    return x if graph_of(x) is not None else to_array(x)


@public
def hsplit(x: Any, indices_or_sections: Any) -> Any:
    """Pieces along the second axis, the first where there is only one."""
    return split(x, indices_or_sections, 1 if rank_of(x) > 1 else 0)


@public
def vsplit(x: Any, indices_or_sections: Any) -> Any:
    """Pieces along the first axis."""
    return split(x, indices_or_sections, 0)


@public
def dsplit(x: Any, indices_or_sections: Any) -> Any:
    """Pieces along the third axis."""
    return split(x, indices_or_sections, 2)


@public
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The slices along an axis, without it, as a list."""
    length = shape_of(x)[axis] if num is None else num
    if length is None:
        raise ValueError(
            f"unstack: the axis of the samples stays whole in a model. Received: axis={axis}, "
            f"x.shape={shape_of(x)}"
        )
    before = (builtin_slice(None),) * (axis % rank_of(x))
    x = to_array_or_symbol(x)
    return [get_item(x, (*before, i)) for i in range(length)]


@public
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The numbers at some places along an axis; negative places count from the end.

    Args:
        x: array or symbol. Where the indices are computed by a model, a value without samples,
            such as a table of weights.
        indices: one place or an array of them.
        axis: the axis, None for all numbers in a row.

    Example:
        >>> take([10.0, 20.0, 30.0], [2, 0]).tolist()
        [30.0, 10.0]
    """
    graph = graph_of(x, indices)
    if graph is None:
        return compute(lambda a, i: np.take(a, np.asarray(i, np.int64), axis), x, indices)
    if not isinstance(indices, Tensor):
        places = to_array(indices).astype(np.int64)
        return rearrange("take", lambda a: np.take(a, places, axis), to_tensor(graph, x))
    table = to_tensor(graph, x)
    if table.batched:
        raise ValueError(
            "take: with indices that a model computes, `x` must be without samples (take_along_axis "
            f"chooses within samples). Received: x.shape={table.shape}"
        )
    if axis is None:
        table, axis = reshape(table, (-1,)), 0
    check_axis("take", axis, len(table.sample))
    table = moveaxis(table, axis, 0)
    y = graph.add(
        "take",
        [table, indices],
        (*indices.sample, *table.sample[1:]),
        batched=indices.batched,
    )
    rank = rank_of(indices)
    sources = list(range(rank))
    return y if axis == 0 else moveaxis(y, sources, [axis + i for i in sources])


@public
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """The differences of neighbours along an axis, ``n`` times."""
    for _ in range(n):
        before = (builtin_slice(None),) * (axis % rank_of(a))
        a = to_array_or_symbol(a)
        later = get_item(a, (*before, builtin_slice(1, None)))
        a = _primitives.binary("subtract", later, get_item(a, (*before, builtin_slice(None, -1))))
    return a

