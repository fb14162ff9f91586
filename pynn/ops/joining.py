"""Joining and cutting along axes, and choosing by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn._graph.structure import flatten
from pynn._graph.tensor import Tensor
from pynn.ops import _primitives
from pynn.ops._dispatch import (
    compute,
    eager_only,
    graph_of,
    public,
    rank_of,
    shape_of,
    to_array,
    to_tensor,
)
from pynn.ops._primitives import check_axis, rearrange
from pynn.ops.arrangement import expand_dims, get_item, moveaxis, pad, ravel, reshape
from pynn.ops.elementwise import where


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

    Args:
        x: arrays or symbols.
        axis: where the new axis goes; in a model not to the front.

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
    whole = isinstance(indices_or_sections, (int, np.integer))
    if length is not None and whole and length % indices_or_sections:
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
    before = (slice(None),) * (axis % rank_of(x))
    pairs = zip(starts, ends, strict=True)
    return [get_item(_listed(x), (*before, slice(a, b))) for a, b in pairs]


def _listed(x: Any) -> Any:
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
    before = (slice(None),) * (axis % rank_of(x))
    x = _listed(x)
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
            "take: with indices that a model computes, `x` must be without samples "
            f"(take_along_axis chooses within samples). Received: x.shape={table.shape}"
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
        before = (slice(None),) * (axis % rank_of(a))
        a = _listed(a)
        later = get_item(a, (*before, slice(1, None)))
        a = _primitives.binary("subtract", later, get_item(a, (*before, slice(None, -1))))
    return a


@public
def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """``inputs`` with a block replaced by ``updates``, which starts at some indices.

    Example:
        >>> slice_update([1.0, 2.0, 3.0], [1], [9.0]).tolist()
        [1.0, 9.0, 3.0]
    """
    starts = [int(i) for i in start_indices]
    if graph_of(inputs, updates) is None:
        result, block = to_array(inputs).copy(), to_array(updates)
        key = tuple(slice(i, i + n) for i, n in zip(starts, block.shape, strict=True))
        result[key] = block
        return result
    pairs = list(zip(starts, shape_of(inputs), shape_of(updates), strict=True))
    if any((whole is None) != (part is None) or (part is None and i) for i, whole, part in pairs):
        raise ValueError(
            "slice_update: the block must span all samples. Received: shapes "
            f"{shape_of(inputs)} and {shape_of(updates)}, start_indices={starts}"
        )
    around = [(0, 0) if n is None or m is None else (i, n - i - m) for i, n, m in pairs]
    inside = pad(updates * 0.0 + 1.0, around)
    return where(inside, pad(updates, around), inputs)


@eager_only
def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """``inputs`` with the values at some places replaced by, or combined with, ``updates``.

    Args:
        inputs: array.
        indices: ``(n, axes)``, the places.
        updates: ``(n, ...)``.
        reduction: None to replace, ``"add"``, ``"mul"``, ``"max"`` or ``"min"``.
    """
    result, places = to_array(inputs).copy(), tuple(np.moveaxis(to_array(indices), -1, 0))
    values = to_array(updates).astype(result.dtype)
    if reduction is None:
        result[places] = values
        return result
    functions = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}
    if reduction not in functions:
        raise ValueError(
            "scatter_update: `reduction` must be None, 'add', 'mul', 'max' or 'min'. "
            f"Received: reduction={reduction!r}"
        )
    functions[reduction].at(result, places, values)
    return result
