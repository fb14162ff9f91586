"""Products of matrices and the functions of linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn._graph.tensor import Tensor
from pynn.ops import _primitives
from pynn.ops._dispatch import Array, compute, graph_of, public, rank_of, to_tensor
from pynn.ops._einsum import contract, parse
from pynn.ops._external import external
from pynn.ops._primitives import reduce
from pynn.ops._tables import multiply
from pynn.ops.arrangement import expand_dims, reshape, squeeze


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
    a, b = to_tensor(graph, x1), to_tensor(graph, x2)
    if not a.shape or not b.shape:
        raise _not_matrices(a, b)
    if len(a.shape) == 1:
        if a.batched:
            raise _not_matrices(a, b)
        return squeeze(matmul(expand_dims(a, 0), b), -2)
    if len(b.shape) == 1:
        if b.batched:
            raise _not_matrices(a, b)
        return squeeze(matmul(a, expand_dims(b, 1)), -1)
    if a.shape[-1] != b.shape[-2] or b.shape[-2] is None:
        raise _not_matrices(a, b)
    if not b.batched and len(b.sample) == 2:
        sample: tuple[int, ...] = (*a.sample[:-1], b.sample[-1])
    elif len(a.sample) < 2:  # a row of each sample by a stack of matrices
        raise _not_matrices(a, b)
    else:
        leads = [
            _without_batch(t, a.batched or b.batched, max(len(a.sample), len(b.sample)), a, b)
            for t in (a, b)
        ]
        a, b = leads
        try:
            lead = np.broadcast_shapes(a.sample[:-2], b.sample[:-2])
        except ValueError:
            raise _not_matrices(a, b) from None
        sample = (*lead, a.sample[-2], b.sample[-1])
    return graph.add("matmul", [a, b], sample)


def _without_batch(t: Tensor, batched: bool, rank: int, a: Tensor, b: Tensor) -> Tensor:
    """A value without samples whose first axis, of length 1, stands for that of the samples."""
    most = max(len(x.sample) for x in (a, b) if x.batched) if batched else rank
    if not batched or t.batched:
        if batched and len(t.sample) != most:
            raise _not_matrices(a, b)
        return t
    if len(t.sample) == most + 1 and t.sample[0] == 1:
        return _primitives.reshape(t, t.sample[1:])
    if len(t.sample) > most:
        raise _not_matrices(a, b)
    return t


def _not_matrices(a: Any, b: Any) -> ValueError:
    return ValueError(
        "matmul: the last axis of x1 and the last but one of x2 must have the same length, those "
        "before the last two must be the same up to axes of length 1, and the axis of the samples "
        f"(None) must not be summed over. Received: x1.shape={a.shape}, x2.shape={b.shape}"
    )


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
    from pynn.ops.arrangement import moveaxis, roll

    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(x1, axisa, -1), moveaxis(x2, axisb, -1)
    left = multiply(roll(a, -1, -1), roll(b, -2, -1))
    y = left - multiply(roll(a, -2, -1), roll(b, -1, -1))
    return moveaxis(y, -1, axisc)


# ---- matrices, by NumPy -------------------------------------------------------------------------


def _t(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


def _inv_vjp(dy: Array, y: Array, x: Array) -> list[Array]:
    return [-_t(y) @ dy @ _t(y)]


def _det_vjp(dy: Array, y: Array, x: Array) -> list[Array]:
    return [(dy * y)[..., None, None] * _t(np.linalg.inv(x))]


def _logdet_vjp(dy: Array, y: Array, x: Array) -> list[Array]:
    return [dy[..., None, None] * _t(np.linalg.inv(x))]


def _solve(a: Array, b: Array) -> Array:
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim < a.ndim else np.linalg.solve(a, b)


def _solve_vjp(dy: Array, y: Array, a: Array, b: Array) -> list[Array]:
    db = _solve(_t(a), dy)
    if b.ndim < a.ndim:
        return [-db[..., :, None] * y[..., None, :], db]
    return [-db @ _t(y), db]


def _cholesky(x: Array, upper: bool = False) -> Array:
    lower = np.linalg.cholesky(x)
    return _t(lower) if upper else lower


def _cholesky_vjp(dy: Array, y: Array, x: Array, upper: bool = False) -> list[Array]:
    lower, dl = (_t(y), _t(dy)) if upper else (y, dy)
    inverse = np.linalg.inv(lower)
    p = np.tril(_t(lower) @ dl)
    p = p - 0.5 * np.einsum("...ii->...i", p)[..., None] * np.eye(p.shape[-1])
    s = _t(inverse) @ p @ inverse
    return [0.5 * (s + _t(s))]


@public
def inv(x: Any) -> Any:
    """The inverses of matrices.

    Example:
        >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    return external(np.linalg.inv, [x], _inv_vjp)


@public
def det(x: Any) -> Any:
    """The determinants of matrices."""
    return external(np.linalg.det, [x], _det_vjp)


@public
def logdet(x: Any) -> Any:
    """The logarithms of the determinants of positive matrices."""
    return external(lambda a: np.linalg.slogdet(a)[1], [x], _logdet_vjp)


@public
def slogdet(x: Any) -> Any:
    """The signs of the determinants and the logarithms of their absolute values."""

    def vjp(dy: Array, y: Array, a: Array, part: int) -> list[Any]:
        return [None] if part == 0 else _logdet_vjp(dy, y, a)

    return external(lambda a: tuple(np.linalg.slogdet(a)), [x], vjp)


@public
def solve(a: Any, b: Any) -> Any:
    """The solutions of linear equations ``a y = b``."""
    return external(_solve, [a, b], _solve_vjp)


@public
def solve_triangular(a: Any, b: Any, lower: bool = False) -> Any:
    """The solutions of linear equations whose matrix is triangular."""

    def half(m: Array) -> Array:
        return np.tril(m) if lower else np.triu(m)

    def vjp(dy: Array, y: Array, m: Array, right: Array) -> list[Array]:
        dm, db = _solve_vjp(dy, y, half(m), right)
        return [half(dm), db]

    return external(lambda m, right: _solve(half(m), right), [a, b], vjp)


@public
def cholesky(x: Any, upper: bool = False) -> Any:
    """The triangular square roots of positive definite matrices."""
    return external(_cholesky, [x], _cholesky_vjp, upper=upper)


@public
def cholesky_inverse(x: Any, upper: bool = False) -> Any:
    """The inverses of the matrices whose Cholesky factors are given."""

    def whole(factor: Array) -> Array:
        product = _t(factor) @ factor if upper else factor @ _t(factor)
        return np.asarray(np.linalg.inv(product))

    return external(whole, [x])


@public
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition ``(u, s, v)``, or ``s`` alone."""
    options = {"full_matrices": full_matrices, "compute_uv": compute_uv}
    return external(_tuple(np.linalg.svd), [x], **options)


@public
def qr(x: Any, mode: str = "reduced") -> Any:
    """The decomposition ``(q, r)`` into an orthogonal and a triangular matrix."""
    return external(_tuple(np.linalg.qr), [x], mode=mode)


@public
def eig(x: Any) -> Any:
    """Eigenvalues and eigenvectors."""
    return external(_tuple(np.linalg.eig), [x])


@public
def eigh(x: Any) -> Any:
    """Eigenvalues and eigenvectors of symmetric matrices."""
    return external(_tuple(np.linalg.eigh), [x])


@public
def pinv(x: Any, rcond: float | None = None) -> Any:
    """The pseudo-inverses of matrices."""
    return external(np.linalg.pinv, [x], **({} if rcond is None else {"rcond": rcond}))


@public
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Any:
    """The solutions of ``a y = b`` with the least squares of the errors."""
    return external(lambda m, right: np.linalg.lstsq(m, right, rcond=rcond)[0], [a, b])


@public
def matrix_rank(x: Any, tol: float | None = None) -> Any:
    """The ranks of matrices."""
    return external(np.linalg.matrix_rank, [x], tol=tol)


def _tuple(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's named tuples as plain ones."""

    def call(*arrays: Array, **options: Any) -> Any:
        result = function(*arrays, **options)
        return tuple(result) if isinstance(result, tuple) else result

    call.__name__ = function.__name__
    return call


@public
def cdist(x: Any, y: Any) -> Any:
    """The Euclidean distances between the rows of ``x`` and those of ``y``."""
    from pynn.ops._tables import sqrt, square, subtract

    gaps = subtract(expand_dims(x, -2), expand_dims(y, -3))
    return sqrt(reduce("sum", square(gaps), -1))
