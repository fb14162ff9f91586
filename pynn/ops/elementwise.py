"""Functions applied element by element, with NumPy's broadcasting.

Here are those made of others; the engine's own come from its tables (``_tables.py``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn.ops import _primitives
from pynn.ops._dispatch import compute, graph_of, is_number, public, to_tensor
from pynn.ops._external import external
from pynn.ops._tables import (
    absolute,
    equal,
    erf,
    exp,
    exp2,
    isfinite,
    isnan,
    less,
    less_equal,
    log1p,
    logaddexp,
    logical_and,
    logical_or,
    maximum,
    multiply,
    negative,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    trunc,
)


@public
def power(x1: Any, x2: Any) -> Any:
    """The power.

    Formula: ``y = x1^x2``

    Args:
        x1: array or symbol.
        x2: array or symbol.

    Example:
        >>> power([1.0, 2.0, 3.0], 2).tolist()
        [1.0, 4.0, 9.0]
    """
    if graph_of(x1, x2) is not None and is_number(x2):
        special = {2.0: "square", 0.5: "sqrt", -0.5: "rsqrt", -1.0: "reciprocal"}
        if float(x2) in special:
            return _primitives.unary(special[float(x2)], x1)
    return _primitives.binary("power", x1, x2)


@public
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Chooses ``x1`` where the condition holds, else ``x2``.

    Without ``x1`` and ``x2``: the indices where the condition holds, as NumPy gives them (for
    arrays only).

    Args:
        condition: array or symbol; not 0 where it holds.
        x1: array, symbol or number.
        x2: array, symbol or number.

    Raises:
        ValueError: only one of ``x1`` and ``x2``, or shapes that do not go together.

    Example:
        >>> where([True, False], [1.0, 2.0], 0.0).tolist()
        [1.0, 0.0]
    """
    if x1 is None and x2 is None:
        if graph_of(condition) is not None:
            raise TypeError(
                "where: `x1` and `x2` are needed in a model, where the number of elements that "
                "fulfil a condition is not known."
            )
        return compute(np.nonzero, condition)
    if x1 is None or x2 is None:
        raise ValueError("where: give both `x1` and `x2`, or neither.")
    return _primitives.where(condition, x1, x2)


@public
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Limits values to ``[x_min, x_max]``.

    Formula: ``y = min(max(x, x_min), x_max)``

    The gradient is that of ``x`` inside the limits and on them, 0 outside.

    Args:
        x: array or symbol.
        x_min: the least that comes out, a number or array.
        x_max: the most that comes out, a number or array.

    Example:
        >>> clip([-2.0, 0.5, 2.0], -1.0, 1.0).tolist()
        [-1.0, 0.5, 1.0]
    """
    if graph_of(x, x_min, x_max) is None:
        return compute(np.clip, x, x_min, x_max)
    low = _primitives.binary("less", x, x_min)
    high = _primitives.binary("greater", x, x_max)
    return where(high, x_max, where(low, x_min, x))


@public
def round(x: Any, decimals: int = 0) -> Any:
    """Rounds to a number of decimals, halves to even; the gradient is 0.

    Example:
        >>> round([0.5, 1.5, 2.4]).tolist()
        [0.0, 2.0, 2.0]
    """
    if graph_of(x) is None:
        return compute(np.round, x, decimals=decimals)
    if decimals == 0:
        return _primitives.unary("rint", x)
    return _primitives.unary("rint", x * 10.0**decimals) / 10.0**decimals


@public
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Replaces NaN and infinities by numbers, infinities by default by the largest ones.

    Example:
        >>> nan_to_num([float("nan"), 1.0]).tolist()
        [0.0, 1.0]
    """
    graph = graph_of(x)
    if graph is None:
        return compute(np.nan_to_num, x, nan=nan, posinf=posinf, neginf=neginf)
    largest = float(np.finfo(graph.dtype).max)
    x = where(_primitives.unary("isnan", x), nan, x)
    x = where(_primitives.unary("isposinf", x), largest if posinf is None else posinf, x)
    return where(_primitives.unary("isneginf", x), -largest if neginf is None else neginf, x)


@public
def deg2rad(x: Any) -> Any:
    """Degrees to radians.

    Formula: ``y = pi x / 180``
    """
    return _primitives.binary("multiply", x, math.pi / 180)


@public
def rad2deg(x: Any) -> Any:
    """Radians to degrees.

    Formula: ``y = 180 x / pi``
    """
    return _primitives.binary("multiply", x, 180 / math.pi)


@public
def logaddexp2(x1: Any, x2: Any) -> Any:
    """The sum of two numbers given by their logarithms to base 2.

    Formula: ``y = log2(2^x1 + 2^x2)``
    """
    if graph_of(x1, x2) is None:
        return compute(np.logaddexp2, x1, x2)
    log2 = math.log(2)
    return logaddexp(multiply(x1, log2), multiply(x2, log2)) / log2


@public
def sinc(x: Any) -> Any:
    """The normalized cardinal sine.

    Formula: ``y = sin(pi x) / (pi x)``, 1 at 0
    """
    if graph_of(x) is None:
        return compute(np.sinc, x)
    zero = equal(x, 0.0)
    angle = where(zero, 1.0, x) * math.pi
    return where(zero, 1.0, sin(angle) / angle)


@public
def ldexp(x1: Any, x2: Any) -> Any:
    """A number times a power of two.

    Formula: ``y = x1 2^x2``
    """
    if graph_of(x1, x2) is None:
        return compute(np.ldexp, x1, x2)
    return multiply(x1, exp2(trunc(x2)))


@public
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether numbers are nearly equal.

    Formula: ``y = |x1 - x2| <= atol + rtol |x2|``
    """
    if graph_of(x1, x2) is None:
        return compute(np.isclose, x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)
    near = less_equal(absolute(subtract(x1, x2)), multiply(absolute(x2), rtol) + atol)
    near = logical_and(logical_or(near, equal(x1, x2)), logical_or(isfinite(x2), equal(x1, x2)))
    return logical_or(near, logical_and(isnan(x1), isnan(x2))) if equal_nan else near


@public
def real(x: Any) -> Any:
    """The real part; real numbers as they are."""
    return compute(np.real, x) if graph_of(x) is None else x


@public
def conjugate(x: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    return compute(np.conjugate, x) if graph_of(x) is None else x


conj = conjugate


@public
def isreal(x: Any) -> Any:
    """Whether the imaginary part is 0."""
    return compute(np.isreal, x) if graph_of(x) is None else ones_like(x)


@public
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the shape of ``x``.

    Example:
        >>> full_like([[1.0, 2.0]], 7).tolist()
        [[7.0, 7.0]]
    """
    graph = graph_of(x, fill_value)
    if graph is None:
        return compute(np.full_like, x, fill_value, dtype=dtype)
    like = to_tensor(graph, x)
    value = to_tensor(graph, fill_value)
    return where(1.0, value, like) if value.batched else _constant(like, value)


def _constant(like: Any, value: Any) -> Any:
    same = _primitives.rearrange("full_like", lambda v: np.broadcast_to(v, like.sample), value)
    return _primitives.with_batch(same, like)


@public
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of ``x``."""
    return full_like(x, 0, dtype)


@public
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of ``x``."""
    return full_like(x, 1, dtype)


@public
def cast(x: Any, dtype: Any) -> Any:
    """Changes the element type.

    In a model all values are floats of its float type: a cast to integers cuts the decimals off,
    one to ``"bool"`` makes 0 and 1.

    Args:
        x: array or symbol.
        dtype: name of the new type.

    Example:
        >>> cast([0.5, 2.5], "int32").tolist()
        [0, 2]
    """
    graph = graph_of(x)
    kind = np.dtype(dtype).kind
    if graph is None:
        return np.asarray(x).astype(np.dtype(dtype))
    if kind == "b":
        return _primitives.binary("not_equal", x, 0.0)
    return _primitives.unary("trunc", x) if kind in "iu" else x


@public
def saturate_cast(x: Any, dtype: Any) -> Any:
    """Changes the element type; what it cannot hold becomes the nearest number it holds."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        x = clip(x, float(limits.min), float(limits.max))
    return cast(x, dtype)


@public
def stop_gradient(variable: Any) -> Any:
    """The same value, which the gradient takes for a constant."""
    graph = graph_of(variable)
    if graph is None:
        return compute(np.asarray, variable)
    t = to_tensor(graph, variable)
    return graph.add("stop_gradient", [t], t.sample)


@public
def imag(x: Any) -> Any:
    """The imaginary part; 0 of real numbers."""
    return compute(np.imag, x) if graph_of(x) is None else zeros_like(x)


@public
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element the choice of the first condition that holds, else ``default``.

    Example:
        >>> select([[True, False], [True, True]], [[1.0, 1.0], [2.0, 2.0]]).tolist()
        [1.0, 2.0]
    """
    if graph_of(condlist, choicelist, default) is None:
        return compute(lambda d, *v: _select(d, v), default, *condlist, *choicelist)
    y = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        y = where(condition, choice, y)
    return y


def _select(default: Any, values: Sequence[Any]) -> Any:
    half = len(values) // 2
    return np.select([v != 0 for v in values[:half]], list(values[half:]), default)


@public
def erfinv(x: Any) -> Any:
    """The inverse of the error function.

    Formula: ``erf(y) = x``

    Winitzki's approximation (2008), then steps of Halley's and Newton's methods.

    Example:
        >>> erfinv([0.0, 0.5]).round(4).tolist()
        [0.0, 0.476...]
    """
    x = compute(np.multiply, x, 1.0) if graph_of(x) is None else x
    with np.errstate(all="ignore"):
        inside = clip(stop_gradient(x), -1.0 + 1e-15, 1.0 - 1e-15)
        gap = log1p(negative(square(inside)))
        middle = gap / 2 + 2 / (math.pi * 0.147)
        y = sign(inside) * sqrt(maximum(sqrt(square(middle) - gap / 0.147) - middle, 0.0))
        for _ in range(3):
            error = (erf(y) - inside) * (math.sqrt(math.pi) / 2) * exp(square(y))
            y = y - error / (1.0 + y * error)
        y = y - (erf(y) - x) * (math.sqrt(math.pi) / 2) * exp(square(y))
    edge = where(equal(absolute(x), 1.0), multiply(sign(inside), math.inf), math.nan)
    return where(less(absolute(x), 1.0), y, edge)


@public
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0."""
    return external(np.i0, [x])
