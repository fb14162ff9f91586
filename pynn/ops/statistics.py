"""Middle values, counts, sets and segments, by NumPy: in a model, nodes of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn.ops._dispatch import compute, eager_only, public, to_array
from pynn.ops._external import external
from pynn.utils.checks import boolean


@public
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle number along axes."""
    return external(np.median, [x], axis=_axes(axis), keepdims=keepdims)


@public
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The numbers that shares ``q`` of the others along axes lie below."""
    return _shares(np.quantile, x, q, axis, method, keepdims)


@public
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """The numbers that ``q`` percent of the others along axes lie below."""
    return _shares(np.percentile, x, q, axis, method, keepdims)


@public
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The middle number along axes of what is not NaN."""
    return external(np.nanmedian, [x], axis=_axes(axis), keepdims=keepdims)


@public
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """``quantile`` of what is not NaN."""
    return _shares(np.nanquantile, x, q, axis, method, keepdims)


@public
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """``percentile`` of what is not NaN."""
    return _shares(np.nanpercentile, x, q, axis, method, keepdims)


def _shares(function: Any, x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    given = np.asarray(q, np.float64)
    return external(function, [x], q=given, axis=_axes(axis), method=method, keepdims=keepdims)


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
    return compute(np.stack, [c.astype(np.int32) if given is None else c for c in counts])


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
        sorted: whether their order matters. A hint that changes no result: they are sorted.
        return_index: also where each comes first.
        return_inverse: also which one stands at each place of ``x``.
        return_counts: also how often each comes.
        axis: of the slices that are compared, None for single numbers.
        size: how many to return: further ones are cut off, missing ones filled up. They come
            first where the first one does, and never.
        fill_value: what fills up, by default the smallest value.
    """
    boolean("unique", "sorted", sorted)
    wanted: Any = (return_index, return_inverse, return_counts, axis)
    found: Any = np.unique(to_array(x), *wanted)
    results = list(found) if isinstance(found, tuple) else [found]
    if size is not None:
        filler = to_array(x).min() if fill_value is None else fill_value
        results[0] = _resized(results[0], size, filler, 0 if axis is None else axis)
        if return_index:
            results[1] = _resized(results[1], size, results[1][0])
        if return_counts:
            results[-1] = _resized(results[-1], size, 0)
    return results[0] if len(results) == 1 else tuple(results)


def _resized(values: Any, size: int, filler: Any, axis: int = 0) -> Any:
    """The first so many along an axis, filled up where there are fewer."""
    count = min(size, values.shape[axis])
    missing = [(0, 0)] * values.ndim
    missing[axis] = (0, size - count)
    return np.pad(np.take(values, np.arange(count), axis), missing, constant_values=filler)


@eager_only
def unravel_index(indices: Any, shape: Any) -> Any:
    """Places in all numbers in a row as one index for each axis."""
    return compute(lambda i: np.unravel_index(i, shape), indices)


# ---- segments ------------------------------------------------------------------------------------


def _segments(
    name: str, function: Any, start: float, data: Any, ids: Any, count: int | None, in_order: Any
) -> Any:
    boolean(name, "sorted", in_order)  # the numbers are looked up one by one either way
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
    """The sums of the rows of each segment.

    Args:
        data: array.
        segment_ids: the segment's number of each row; rows of numbers out of range do not count.
        num_segments: how many segments there are, by default up to the largest number.
        sorted: whether ``segment_ids`` ascend. A hint that changes no result.

    Example:
        >>> segment_sum([1.0, 2.0, 4.0], [0, 0, 2]).tolist()
        [3.0, 0.0, 4.0]
    """
    return _segments("segment_sum", np.add, 0, data, segment_ids, num_segments, sorted)


@eager_only
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The largest numbers of the rows of each segment. Arguments as in ``segment_sum``."""
    return _segments("segment_max", np.maximum, -math.inf, data, segment_ids, num_segments, sorted)


@eager_only
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The smallest numbers of the rows of each segment. Arguments as in ``segment_sum``."""
    return _segments("segment_min", np.minimum, math.inf, data, segment_ids, num_segments, sorted)


@eager_only
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The products of the rows of each segment. Arguments as in ``segment_sum``."""
    return _segments("segment_prod", np.multiply, 1, data, segment_ids, num_segments, sorted)
