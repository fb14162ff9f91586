"""Sums, means, extremes and the like over one or several axes.

Over the axis of the samples a result belongs to the whole batch: it has no samples any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.ops import _primitives
from pynn.ops._dispatch import compute, graph_of, public, rank_of, to_tensor
from pynn.ops._external import external
from pynn.ops._primitives import axes_of, reduce
from pynn.ops._tables import (
    absolute,
    divide,
    exp,
    isfinite,
    log,
    maximum,
    multiply,
    not_equal,
    sqrt,
    square,
    subtract,
)
from pynn.ops.arrangement import expand_dims, moveaxis, reshape, squeeze
from pynn.ops.elementwise import power, stop_gradient, where


@public
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
        [4.0, 6.0]
    """
    return reduce("sum", x, axis, keepdims)


@public
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over axes.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=-1).tolist()
        [1.5, 3.5]
    """
    return reduce("mean", x, axis, keepdims)


@public
def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The largest number along axes; equals share the gradient.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.
        initial: the least that comes out.

    Example:
        >>> max([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
        [3.0, 4.0]
    """
    y = reduce("max", x, axis, keepdims)
    return y if initial is None else maximum(y, initial)


@public
def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The smallest number along axes; equals share the gradient.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.
        initial: the most that comes out.
    """
    y = reduce("min", x, axis, keepdims)
    return y if initial is None else _primitives.binary("minimum", y, initial)


@public
def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """The product over axes.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.
        dtype: element type of the result, for arrays.

    Example:
        >>> prod([2.0, 3.0]).tolist()
        6.0
    """
    if graph_of(x) is None:
        return compute(np.prod, x, axis=axis, keepdims=keepdims, dtype=dtype)
    return reduce("prod", x, axis, keepdims)


@public
def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether a number along axes is not 0.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> any([[0.0, 1.0], [0.0, 0.0]], axis=-1).tolist()
        [True, False]
    """
    return reduce("any", x, axis, keepdims)


@public
def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether all numbers along axes are not 0.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> all([[2.0, 1.0], [0.0, 1.0]], axis=-1).tolist()
        [True, False]
    """
    return reduce("all", x, axis, keepdims)


@public
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest number along axes."""
    return reduce("max", x, axis, keepdims)


@public
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest number along axes."""
    return reduce("min", x, axis, keepdims)


@public
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest less the smallest number along axes."""
    return subtract(reduce("max", x, axis, keepdims), reduce("min", x, axis, keepdims))


@public
def count_nonzero(x: Any, axis: Any = None) -> Any:
    """How many numbers along axes are not 0."""
    if graph_of(x) is None:
        return compute(np.count_nonzero, x, axis=tuple(axis) if isinstance(axis, list) else axis)
    return reduce("sum", not_equal(x, 0.0), axis)


@public
def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The variance over axes, divided by the number of values.

    Formula: ``y = mean((x - mean(x))^2)``

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> var([1.0, 3.0]).tolist()
        1.0
    """
    deviation = subtract(x, reduce("mean", x, axis, True))
    return reduce("mean", square(deviation), axis, keepdims)


@public
def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The standard deviation over axes, the square root of ``var``.

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> std([1.0, 3.0]).tolist()
        1.0
    """
    return sqrt(var(x, axis, keepdims))


@public
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """Mean and variance over axes.

    Args:
        x: array or symbol.
        axes: one axis or several.
        keepdims: whether the axes stay, with length 1.
        synchronized: must be False: there is one process.

    Returns:
        The pair ``(mean, variance)``.
    """
    if synchronized:
        raise ValueError("moments: `synchronized` must be False. Received: synchronized=True")
    return reduce("mean", x, axes, keepdims), var(x, axes, keepdims)


@public
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The mean, or the weighted mean, over axes.

    Formula: ``y = sum(w x) / sum(w)``

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        weights: of the shape of ``x``, or one for each place along ``axis``.

    Example:
        >>> average([1.0, 4.0], weights=[2.0, 1.0]).tolist()
        2.0
    """
    if weights is None:
        return reduce("mean", x, axis)
    if rank_of(weights) == 1 and rank_of(x) > 1 and isinstance(axis, (int, np.integer)):
        shape = [1] * rank_of(x)
        shape[axis] = -1
        weights = reshape(weights, shape)
    total = reduce("sum", multiply(x, weights), axis)
    return divide(total, reduce("sum", multiply(weights, square(x) * 0 + 1), axis))


@public
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of exponentials, without overflow.

    Formula: ``y = log(sum(exp(x)))``

    Args:
        x: array or symbol.
        axis: one axis or several, all if None.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> f"{logsumexp([1000.0, 1000.0]):.3f}"
        '1000.693'
    """
    top = stop_gradient(reduce("max", x, axis, True))
    top = where(isfinite(top), top, 0.0)
    y = log(reduce("sum", exp(subtract(x, top)), axis, True)) + top
    return y if keepdims else squeeze(y, tuple(axes_of("logsumexp", axis, rank_of(x))))


@public
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors, or of matrices where ``axis`` has two members.

    Args:
        x: array or symbol.
        ord: None or 2 for the Euclidean norm, 1, infinity, 0 (how many are not 0) or another
            exponent; of matrices None or ``"fro"``, and for arrays all that NumPy knows.
        axis: the vectors' axis, the matrices' two axes, or None for all.
        keepdims: whether the axes stay, with length 1.

    Example:
        >>> norm([3.0, 4.0]).tolist()
        5.0
    """
    axes = axes_of("norm", axis, rank_of(x))
    if graph_of(x) is None and ord is not None and len(axes) == 2:
        return compute(np.linalg.norm, x, ord=ord, axis=axis, keepdims=keepdims)
    if ord is None or ord == "fro" or (ord == 2 and len(axes) == 1):
        return sqrt(reduce("sum", square(x), axis, keepdims))
    if len(axes) != 1:
        raise ValueError(
            "norm: of matrices the engine knows the Frobenius norm alone (ord=None or 'fro'). "
            f"Received: ord={ord!r}"
        )
    size = absolute(x)
    if ord in (np.inf, -np.inf):
        return reduce("max" if ord > 0 else "min", size, axis, keepdims)
    if ord == 0:
        return reduce("sum", not_equal(x, 0.0), axis, keepdims)
    if ord == 1:
        return reduce("sum", size, axis, keepdims)
    return power(reduce("sum", power(size, ord), axis, keepdims), 1.0 / ord)


def _arg(name: str, x: Any, axis: int | None, keepdims: bool) -> Any:
    graph = graph_of(x)
    if graph is None:
        return compute(getattr(np, name), x, axis=axis, keepdims=keepdims).astype(np.int32)
    t = to_tensor(graph, x)
    rank = len(t.shape)
    if axis is None:
        flat = reshape(t, (-1,) if not t.batched else _no_batch(name, t))
        y = _arg(name, flat, 0, False)
        return reshape(y, (1,) * rank) if keepdims else y
    _primitives.check_axis(name, axis, rank)
    inside = axis % rank - int(t.batched)
    if inside < 0:
        return external(getattr(np, name), [x], axis=axis, keepdims=keepdims)
    sample = (*t.sample[:inside], *t.sample[inside + 1 :])
    y = graph.add("arg", [t], sample, axis=inside, smallest=name == "argmin")
    return expand_dims(y, axis % rank) if keepdims else y


def _no_batch(owner: str, t: Any) -> Any:
    raise ValueError(
        f"{owner}: `axis` is needed for values that have a batch axis. Received: x.shape={t.shape}"
    )


@public
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the largest number along an axis; the first one of equals.

    Args:
        x: array or symbol.
        axis: the axis, None for all numbers in a row.
        keepdims: whether the axis stays, with length 1.

    Example:
        >>> argmax([[1.0, 5.0, 2.0]], axis=-1).tolist()
        [1]
    """
    return _arg("argmax", x, axis, keepdims)


@public
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The place of the smallest number along an axis; the first one of equals."""
    return _arg("argmin", x, axis, keepdims)


@public
def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """The sums from the start of an axis up to each element.

    Args:
        x: array or symbol.
        axis: the axis, None for all numbers in a row; in a model not that of the samples.
        dtype: element type of the result, for arrays.

    Example:
        >>> cumsum([1.0, 2.0, 3.0]).tolist()
        [1.0, 3.0, 6.0]
    """
    graph = graph_of(x)
    if graph is None:
        return compute(np.cumsum, x, axis=axis, dtype=dtype)
    t = to_tensor(graph, x)
    if axis is None:
        t, axis = reshape(t, (-1,) if not t.batched else _no_batch("cumsum", t)), 0
    _primitives.check_axis("cumsum", axis, len(t.shape))
    inside = axis % len(t.shape) - int(t.batched)
    if inside < 0:
        raise ValueError(
            "cumsum: the axis of the samples cannot be summed up. "
            f"Received: axis={axis}, x.shape={t.shape}"
        )
    return graph.add("cumsum", [t], t.sample, axis=inside)


@public
def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule."""
    y = moveaxis(y, axis, -1)
    if x is None:
        step: Any = dx
    else:
        x = moveaxis(x, axis, -1) if rank_of(x) > 1 else x
        step = subtract(x[..., 1:], x[..., :-1])
    return reduce("sum", multiply(step, y[..., 1:] + y[..., :-1]), -1) / 2
