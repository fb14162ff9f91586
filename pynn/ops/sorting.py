"""Order, search and counting; most of it NumPy's, a node of its own in a model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn.ops import _primitives
from pynn.ops._dispatch import (
    Array,
    compute,
    eager_only,
    graph_of,
    public,
    shape_of,
    to_array,
)
from pynn.ops._external import external
from pynn.ops._tables import greater, less_equal, logical_not
from pynn.ops.arrangement import expand_dims
from pynn.ops.elementwise import isclose


def _put(shape: tuple[int, ...], places: Array, values: Array, axis: int) -> Array:
    """Zeros with values added at places along an axis."""
    result = np.zeros(shape, values.dtype)
    index = list(np.indices(places.shape, sparse=True))
    index[axis] = places
    np.add.at(result, tuple(index), values)
    return result


def _sort_vjp(dy: Array, y: Array, x: Array, axis: int) -> list[Array]:
    return [_put(x.shape, np.argsort(x, axis, kind="stable"), dy, axis)]


@public
def sort(x: Any, axis: int = -1) -> Any:
    """The numbers along an axis in ascending order.

    Example:
        >>> sort([3.0, 1.0, 2.0]).tolist()
        [1.0, 2.0, 3.0]
    """
    return external(np.sort, [x], _sort_vjp, axis=_inner_axis("sort", x, axis))


def _inner_axis(owner: str, x: Any, axis: int) -> int:
    """An axis that is not that of the samples of a model."""
    if graph_of(x) is not None and shape_of(x)[axis] is None:
        raise ValueError(
            f"{owner}: the axis of the samples is not ordered in a model. Received: axis={axis}, "
            f"x.shape={shape_of(x)}"
        )
    return axis


@public
def argsort(x: Any, axis: int | None = -1) -> Any:
    """The places along an axis in the ascending order of their numbers."""
    if axis is None:
        return external(_argsort_all, [x])
    return external(np.argsort, [x], axis=_inner_axis("argsort", x, axis), kind="stable")


def _argsort_all(x: Array) -> Array:
    return np.argsort(x, None, kind="stable")


@public
def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """The places along an axis with the ``kth`` number in its sorted place."""
    return external(np.argpartition, [x], kth=kth, axis=_inner_axis("argpartition", x, axis))


def _top(x: Array, k: int) -> tuple[Array, Array]:
    places = np.argsort(-x, -1, kind="stable")[..., :k]
    return np.take_along_axis(x, places, -1), places.astype(np.int32)


def _top_vjp(dy: Array, y: Array, x: Array, k: int, part: int) -> list[Any]:
    return [_put(x.shape, _top(x, k)[1], dy, x.ndim - 1)] if part == 0 else [None]


@public
def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """The ``k`` largest numbers of the last axis and their places, largest first.

    Args:
        x: array or symbol.
        k: how many.
        sorted: they are sorted either way.

    Returns:
        The pair ``(values, indices)``.

    Example:
        >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
        >>> values.tolist(), indices.tolist()
        ([5.0, 3.0], [1, 2])
    """
    return external(_top, [x], _top_vjp, k=int(k))


@public
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the class of a row is among the ``k`` classes with the largest predictions."""

    def inside(classes: Array, scores: Array) -> Array:
        places = np.clip(classes, 0, scores.shape[-1] - 1).astype(np.int64)
        own = np.take_along_axis(scores, places[..., None], -1)
        return (np.sum(scores > own, -1) < k) & np.isfinite(own[..., 0])

    return external(inside, [targets, predictions])


@public
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Numbers at places of their own for each row along an axis.

    Example:
        >>> take_along_axis([[1.0, 2.0], [3.0, 4.0]], [[1], [0]], axis=1).tolist()
        [[2.0], [3.0]]
    """

    def choose(a: Array, places: Array) -> Array:
        return np.take_along_axis(a, places.astype(np.int64), axis)

    def vjp(dy: Array, y: Array, a: Array, places: Array) -> list[Any]:
        places = places.astype(np.int64)
        if axis is None:
            return [_put((a.size,), places, dy, 0).reshape(a.shape), None]
        shape = np.broadcast_shapes(
            *(tuple(1 if i == axis % a.ndim else n for i, n in enumerate(v.shape)) for v in (a, dy))
        )
        full = [dy.shape[i] if i == axis % a.ndim else n for i, n in enumerate(shape)]
        return [_put(a.shape, np.broadcast_to(places % a.shape[axis], full), dy, axis), None]

    choose.__name__ = "take_along_axis"
    return external(choose, [x, indices], vjp)


@public
def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Where values belong in a sorted row of numbers."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: `side` must be 'left' or 'right'. Received: side={side!r}")
    sorted_values = to_array(sorted_sequence)
    return _digitize(values, sorted_values, side)


def _digitize(values: Any, edges: Array, side: str) -> Any:
    """How many of some sorted numbers lie before (or at) each value."""
    if graph_of(values) is None:
        return compute(lambda v: np.searchsorted(edges, v, side), values)  # type: ignore[call-overload]
    each = expand_dims(values, -1)
    before = greater(each, edges) if side == "left" else logical_not(_less(each, edges))
    return _primitives.reduce("sum", before, -1)


def _less(x: Any, edges: Array) -> Any:
    return logical_not(less_equal(edges, x))


@public
def digitize(x: Any, bins: Any) -> Any:
    """The number of the bin that each value falls into.

    Example:
        >>> digitize([0.5, 1.5], [0.0, 1.0, 2.0]).tolist()
        [1, 2]
    """
    return _digitize(x, to_array(bins), "right")


@public
def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each number is one of some others."""
    if graph_of(x1, x2) is None:
        return compute(np.isin, x1, x2, assume_unique=assume_unique, invert=invert)
    found = _primitives.binary("equal", expand_dims(x1, -1), to_array(x2).reshape(-1))
    found = _primitives.reduce("max", found, -1)
    return logical_not(found) if invert else found


@public
def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether all numbers are nearly equal."""
    return _primitives.reduce("all", isclose(x1, x2, rtol, atol, equal_nan))


# ---- middle values -------------------------------------------------------------------------------


@public
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle number along axes."""
    return external(np.median, [x], axis=_axes(axis), keepdims=keepdims)


@public
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The numbers that shares ``q`` of the others along axes lie below."""
    return external(
        np.quantile, [x], q=to_array(q), axis=_axes(axis), method=method, keepdims=keepdims
    )


@public
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The numbers that ``q`` percent of the others along axes lie below."""
    return external(
        np.percentile, [x], q=to_array(q), axis=_axes(axis), method=method, keepdims=keepdims
    )


@public
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle number along axes of what is not NaN."""
    return external(np.nanmedian, [x], axis=_axes(axis), keepdims=keepdims)


@public
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """``quantile`` of what is not NaN."""
    return external(
        np.nanquantile, [x], q=to_array(q), axis=_axes(axis), method=method, keepdims=keepdims
    )


@public
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """``percentile`` of what is not NaN."""
    return external(
        np.nanpercentile, [x], q=to_array(q), axis=_axes(axis), method=method, keepdims=keepdims
    )


def _axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, list) else axis


# ---- counting and sets ---------------------------------------------------------------------------


@public
def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The products from the start of an axis up to each element."""
    return external(np.cumprod, [x], axis=axis, dtype=dtype)


@public
def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """``cumprod`` with NaN taken for 1."""
    return external(np.nancumprod, [x], axis=axis, dtype=dtype)


@public
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """The sums of products of one row of numbers with another one moved along it."""
    return external(np.correlate, [x1, x2], mode=mode)


@public
def corrcoef(x: Any) -> Any:
    """The correlations of rows of numbers."""
    return external(np.corrcoef, [x])


@eager_only
def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each integer from 0 occurs, or the sums of its weights."""
    if sparse:
        raise ValueError("bincount: arrays are dense. Received: sparse=True")
    numbers = to_array(x)
    given = None if weights is None else to_array(weights)
    if numbers.ndim < 2:
        return compute(lambda v: np.bincount(v, given, minlength), numbers)
    length = max(minlength, int(numbers.max(initial=-1)) + 1)
    rows = zip(numbers, numbers if given is None else given, strict=True)
    counts = [np.bincount(row, None if given is None else w, length) for row, w in rows]
    return compute(np.stack, counts)


@eager_only
def histogram(x: Any, bins: Any = 10, range: Any = None) -> Any:
    """How many numbers fall into each bin, and the bins' edges."""
    return compute(lambda v: np.histogram(v, bins, range), x)


@eager_only
def nonzero(x: Any) -> Any:
    """The indices of what is not 0."""
    return compute(np.nonzero, x)


@eager_only
def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different values, in ascending order.

    Args:
        x: array.
        sorted: they are sorted either way.
        return_index: also where each comes first.
        return_inverse: also which one stands at each place of ``x``.
        return_counts: also how often each comes.
        axis: of the slices that are compared, None for single numbers.
        size: how many to return: further ones are cut off, missing ones filled up.
        fill_value: what fills up, by default the smallest value.
    """
    found = np.unique(to_array(x), return_index, return_inverse, return_counts, axis)
    results = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
        values, along = results[0], 0 if axis is None else axis
        places = np.arange(min(size, values.shape[along]))
        values = np.take(values, places, along)
        missing = [(0, size - len(places) if i == along else 0) for i in np.arange(values.ndim)]
        filler = to_array(x).min() if fill_value is None else fill_value
        results[0] = np.pad(values, missing, constant_values=filler)
    return results[0] if len(results) == 1 else tuple(results)


@eager_only
def unravel_index(indices: Any, shape: Any) -> Any:
    """Places in all numbers in a row as one index for each axis."""
    return compute(lambda i: np.unravel_index(i, shape), indices)


# ---- segments ------------------------------------------------------------------------------------


def _segments(
    owner: str, start: float, function: Any, data: Any, ids: Any, count: int | None
) -> Any:
    values, places = to_array(data), to_array(ids)
    length = int(places.max(initial=-1)) + 1 if count is None else count
    result = np.full((length, *values.shape[1:]), start, values.dtype)
    inside = (places >= 0) & (places < length)
    function.at(result, places[inside], values[inside])
    return result


@eager_only
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The sums of the rows of each segment."""
    return _segments("segment_sum", 0, np.add, data, segment_ids, num_segments)


@eager_only
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The largest numbers of the rows of each segment."""
    return _segments("segment_max", -math.inf, np.maximum, data, segment_ids, num_segments)


@eager_only
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The smallest numbers of the rows of each segment."""
    return _segments("segment_min", math.inf, np.minimum, data, segment_ids, num_segments)


@eager_only
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The products of the rows of each segment."""
    return _segments("segment_prod", 1, np.multiply, data, segment_ids, num_segments)
