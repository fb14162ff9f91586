"""Products of matrices and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from pynn.ops._dispatch import compute, graph_of, public, rank_of, to_tensor
from pynn.ops._einsum import contract, parse
from pynn.ops._external import external
from pynn.ops._matmul import product
from pynn.ops._primitives import reduce
from pynn.ops._tables import multiply, sqrt, square, subtract
from pynn.ops.arrangement import expand_dims, moveaxis, reshape, roll


@public
def matmul(x1: Any, x2: Any) -> Any:
    """The product of matrices, in the last two axes.

    Formula: ``y[..., i, j] = sum over k of x1[..., i, k] x2[..., k, j]``

    Args:
        x1: array or symbol; one axis stands for a row.
        x2: array or symbol; one axis stands for a column.

    Raises:
        ValueError: the shapes do not go together.

    Example:
        >>> matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
        [[11.0]]
    """
    graph = graph_of(x1, x2)
    if graph is None:
        return compute(np.matmul, x1, x2)
    return product(to_tensor(graph, x1), to_tensor(graph, x2))


@public
def dot(x1: Any, x2: Any) -> Any:
    """The sums of products over the last axis of ``x1`` and the last but one of ``x2``.

    As ``matmul`` for up to two axes; a number multiplies.

    Example:
        >>> dot([1.0, 2.0], [3.0, 4.0]).tolist()
        11.0
    """
    if graph_of(x1, x2) is None:
        return compute(np.dot, x1, x2)
    ranks = rank_of(x1), rank_of(x2)
    if 0 in ranks:
        return multiply(x1, x2)
    return matmul(x1, x2) if ranks[1] <= 2 else tensordot(x1, x2, [[-1], [-2]])


@public
def inner(x1: Any, x2: Any) -> Any:
    """The sums of products over the last axes."""
    if graph_of(x1, x2) is None:
        return compute(np.inner, x1, x2)
    if 0 in (rank_of(x1), rank_of(x2)):
        return multiply(x1, x2)
    return tensordot(x1, x2, [[-1], [-1]])


@public
def vdot(x1: Any, x2: Any) -> Any:
    """The sum of the products of all elements."""
    if graph_of(x1, x2) is None:
        return compute(np.vdot, x1, x2)
    return reduce("sum", multiply(x1, x2))


@public
def outer(x1: Any, x2: Any) -> Any:
    """The products of each element of ``x1`` with each of ``x2``."""
    if graph_of(x1, x2) is None:
        return compute(np.outer, x1, x2)
    x1 = x1 if rank_of(x1) == 1 else reshape(x1, (-1,))
    x2 = x2 if rank_of(x2) == 1 else reshape(x2, (-1,))
    return multiply(expand_dims(x1, 1), x2)


@public
def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """The sums of products over some axes of both.

    Args:
        x1: array or symbol.
        x2: array or symbol.
        axes: how many of the last axes of ``x1`` and the first of ``x2``, or a pair of lists.
    """
    if graph_of(x1, x2) is None:
        return compute(np.tensordot, x1, x2, axes=axes)
    first, second = rank_of(x1), rank_of(x2)
    if isinstance(axes, (int, np.integer)):
        pairs = [(first - int(axes) + i, i) for i in range(int(axes))]
    else:
        left, right = ([a] if isinstance(a, (int, np.integer)) else list(a) for a in axes)
        pairs = [(a % first, b % second) for a, b in zip(left, right, strict=True)]
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    a = list(letters[:first])
    b = list(letters[first : first + second])
    for i, j in pairs:
        b[j] = a[i]
    summed = {a[i] for i, _ in pairs}
    result = [c for c in (*a, *b) if c not in summed]
    return einsum(f"{''.join(a)},{''.join(b)}->{''.join(result)}", x1, x2)


@public
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Sums of products by Einstein's convention.

    Args:
        subscripts: such as ``"bij,jk->bik"``; ``...`` stands for axes in front.
        operands: arrays or symbols.
        kwargs: none.

    Example:
        >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]).tolist()
        [3.0, 7.0]
    """
    if kwargs:
        raise TypeError(f"einsum: unknown arguments. Received: {', '.join(kwargs)}")
    graph = graph_of(operands)
    if graph is None:
        return compute(lambda *arrays: np.einsum(subscripts, *arrays), *operands)
    tensors = [to_tensor(graph, x) for x in operands]
    labels, result = parse(subscripts, [len(t.shape) for t in tensors])
    return contract(tensors, labels, result)


@public
def kron(x1: Any, x2: Any) -> Any:
    """Kronecker's product."""
    return external(np.kron, [x1, x2])


@public
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The vector product of vectors of three components."""
    if graph_of(x1, x2) is None:
        return compute(np.cross, x1, x2, axisa=axisa, axisb=axisb, axisc=axisc, axis=axis)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    left = multiply(roll(a, -1, -1), roll(b, -2, -1))
    y = left - multiply(roll(a, -2, -1), roll(b, -1, -1))
    return moveaxis(y, -1, axisc)


@public
def cdist(x: Any, y: Any) -> Any:
    """The Euclidean distances between the rows of ``x`` and those of ``y``."""
    gaps = subtract(expand_dims(x, -2), expand_dims(y, -3))
    return sqrt(reduce("sum", square(gaps), -1))
