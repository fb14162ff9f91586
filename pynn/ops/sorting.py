"""Order and search; most of it by NumPy: in a model, nodes of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.ops import _primitives
from pynn.ops._dispatch import (
    Array,
    compute,
    graph_of,
    public,
    shape_of,
    to_array,
)
from pynn.ops._external import external
from pynn.ops._tables import greater, less_equal, logical_not
from pynn.ops.arrangement import expand_dims
from pynn.ops.elementwise import isclose
from pynn.utils.checks import boolean


def _put(shape: tuple[int, ...], places: Array, values: Array, axis: int) -> Array:
    """Zeros with values added at places along an axis."""
    result = np.zeros(shape, values.dtype)
    index: list[Any] = list(np.indices(places.shape, sparse=True))
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
        sorted: whether their order matters. A hint that changes no result: they are sorted.

    Returns:
        The pair ``(values, indices)``.

    Example:
        >>> values, indices = top_k([1.0, 5.0, 3.0], 2)
        >>> values.tolist(), indices.tolist()
        ([5.0, 3.0], [1, 2])
    """
    boolean("top_k", "sorted", sorted)
    return external(_top, [x], _top_vjp, k=int(k))


@public
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether the class of a row is among the ``k`` classes with the largest predictions."""

    def inside(classes: Array, scores: Array) -> Any:
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
        return np.asarray(np.take_along_axis(a, places.astype(np.int64), axis))

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
