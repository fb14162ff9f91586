"""Loops, branches and mapped functions, on arrays; and functions with gradients of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn._graph.structure import flatten, map_structure, pack
from pynn._graph.tensor import Symbol
from pynn.ops._dispatch import Array, eager_only, graph_of, public, to_array, to_tensor
from pynn.ops._external import external
from pynn.utils.checks import positive_integer


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Calls one of two functions.

    Args:
        pred: which one; it must be known now, so in a model a Python bool (use ``ops.where`` to
            choose by computed values).
        true_fn: called where it holds.
        false_fn: called where it does not.

    Example:
        >>> cond(True, lambda: 1, lambda: 2)
        1
    """
    _known("cond", pred)
    return true_fn() if bool(pred) else false_fn()


def _known(owner: str, *values: Any) -> None:
    if any(isinstance(leaf, Symbol) for leaf in flatten(values)):
        raise TypeError(
            f"ops.{owner} branches on values, which are not known while a model is traced: use "
            "ops.where. Received: a symbol"
        )


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Calls the function of a given number; numbers out of range mean the nearest one."""
    _known("switch", index)
    return branches[min(max(int(index), 0), len(branches) - 1)](*operands)


@eager_only
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Calls ``body`` on the loop's variables as long as ``cond`` holds for them."""
    one = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if one else tuple(loop_vars)
    done = 0
    while (maximum_iterations is None or done < maximum_iterations) and bool(cond(*values)):
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
        done += 1
    return values[0] if one else values


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """Calls ``value = body_fun(i, value)`` for ``i`` from ``lower`` to before ``upper``."""
    _known("fori_loop", lower, upper)
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


@eager_only
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: bool | int = 1,
) -> tuple[Any, Any]:
    """Calls ``carry, y = f(carry, x)`` along the first axis.

    Args:
        f: the step.
        init: the first carry.
        xs: arrays of one length, or None.
        length: the number of steps; that of ``xs`` unless it is None.
        reverse: from the end.
        unroll: how many steps a compiler may join, True for all. A hint that changes no result:
            here every step is a call.

    Returns:
        The last carry, and the ``y`` stacked.

    Raises:
        ValueError: neither ``xs`` nor ``length``, different lengths, or ``unroll`` below 1.

    Example:
        >>> carry, sums = scan(lambda c, x: (c + x, c + x), 0, arange(1, 4))
        >>> int(carry), sums.tolist()
        (6, [1, 3, 6])
    """
    if not isinstance(unroll, bool):
        positive_integer("scan", "unroll", unroll)
    lengths = {len(to_array(leaf)) for leaf in flatten(xs) if leaf is not None}
    lengths |= set() if length is None else {int(length)}
    if len(lengths) != 1:
        raise ValueError(
            "scan: give `xs` whose arrays have one length, or `length`; the same if both. "
            f"Received: lengths {sorted(lengths)}"
        )
    (steps,) = lengths
    carry, results = init, []
    for i in reversed(range(steps)) if reverse else range(steps):
        x = None if xs is None else map_structure(lambda a, i=i: to_array(a)[i], xs)  # type: ignore[misc]
        carry, y = f(carry, x)
        results.append(y)
    if reverse:
        results.reverse()
    return carry, _stacked(results)


def _stacked(results: Sequence[Any]) -> Any:
    if not results or results[0] is None:
        return None
    columns = zip(*(flatten(r) for r in results), strict=True)
    return pack(results[0], [np.stack([to_array(v) for v in column]) for column in columns])


@eager_only
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """The results of an associative function of all elements up to each, along an axis."""
    arrays = map_structure(lambda a: np.moveaxis(to_array(a), axis, 0), elems)
    count = len(flatten(arrays)[0])
    order = list(reversed(range(count))) if reverse else list(range(count))
    results: list[Any] = []
    for i in order:
        part = map_structure(lambda a, i=i: a[i : i + 1], arrays)  # type: ignore[misc]
        results.append(f(results[-1], part) if results else part)
    if reverse:
        results.reverse()
    joined = [np.concatenate(c) for c in zip(*(flatten(r) for r in results), strict=True)]
    return map_structure(lambda a: np.moveaxis(a, 0, axis), pack(elems, joined))


@eager_only
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """A function's results for each element of the first axis, stacked."""
    count = len(to_array(flatten(xs)[0]))
    return _stacked(
        [f(map_structure(lambda a, i=i: to_array(a)[i], xs)) for i in range(count)]  # type: ignore[misc]
    )


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """A function's results for each element of the first axis, stacked."""
    return map(function, elements)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function of single numbers as one of arrays."""
    return np.vectorize(pyfunc, excluded=excluded, signature=signature)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns its value and the function of its gradient.

    In a model, ``f`` is called with arrays: ``f(*arrays)`` returns ``(value, grad)``, and
    ``grad(upstream=dy)`` the gradient of each argument.

    Args:
        f: the function.

    Example:
        >>> @custom_gradient
        ... def twice(x):
        ...     return 2 * x, lambda upstream: 2 * upstream
        >>> twice(3.0)
        6.0
    """

    def call(*args: Any) -> Any:
        if graph_of(args) is None:
            return f(*args)[0]

        def value(*arrays: Array) -> Any:
            return f(*arrays)[0]

        def vjp(dy: Array, y: Array, *arrays: Array) -> Sequence[Any]:
            gradients = f(*arrays)[1](dy)
            return gradients if isinstance(gradients, (list, tuple)) else [gradients]

        return external(value, list(args), vjp)

    call.__name__, call.__doc__ = f.__name__, f.__doc__
    return public(call)


def with_gradient(fn: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    """A NumPy function that returns its value and its derivative, for use in models.

    As an activation, ``fn(x)`` returns ``y`` and ``dy/dx`` for each element. As a loss,
    ``fn(y_true, y_pred)`` returns the loss of each row and its derivative with respect to
    ``y_pred``, of the shape of ``y_pred``. The derivative is that by the last argument; the others
    have none.

    Args:
        fn: takes NumPy arrays and returns the pair.

    Returns:
        A function that returns the value alone, for arrays and symbols.

    Example:
        >>> @with_gradient
        ... def cube(x):
        ...     return x**3, 3 * x**2
        >>> cube(2.0)
        8.0
    """

    def call(*args: Any) -> Any:
        graph = graph_of(args)
        if graph is None:
            return fn(*args)[0]

        def value(*arrays: Array) -> Array:
            return np.asarray(fn(*arrays)[0])

        def vjp(dy: Array, y: Array, *arrays: Array) -> list[Any]:
            slope = np.asarray(fn(*arrays)[1])
            wide = dy.reshape(dy.shape + (1,) * (slope.ndim - dy.ndim))
            return [*[None] * (len(arrays) - 1), wide * slope]

        value.__name__ = fn.__name__
        return external(value, [to_tensor(graph, a) for a in args], vjp)

    call.__name__, call.__doc__ = fn.__name__, fn.__doc__
    return public(call)
