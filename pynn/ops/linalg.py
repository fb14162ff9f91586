"""Inverses, decompositions and the like, by NumPy: in a model, nodes of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pynn._compat import explain_absent
from pynn.ops._dispatch import Array, public
from pynn.ops._external import external


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
        half = np.triu(factor) if upper else np.tril(factor)
        product = _t(half) @ half if upper else half @ _t(half)
        return np.asarray(np.linalg.inv(product))

    return external(whole, [x])


@public
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition ``(u, s, v)``, or ``s`` alone."""
    svd_of = _tuple(np.linalg.svd)
    return external(svd_of, [x], full_matrices=full_matrices, compute_uv=compute_uv)


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
    return external(lambda a: np.linalg.pinv(a, *(() if rcond is None else (rcond,))), [x])


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


explain_absent(globals())
