"""Functions of pynn.ops on whole arrays: shapes, joins, products of matrices, order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pynn import ops
from pynn._graph.structure import flatten
from reference import Array
from traced import Traced, check

RNG = np.random.default_rng(23)
X = RNG.normal(size=(4, 3, 5))
W = RNG.normal(size=(3, 5))
SQUARE = RNG.normal(size=(4, 3, 3)) + 3 * np.eye(3)

Case = tuple[Callable[[Any], Any], Callable[[Array], Any]]

# Functions that move numbers, on samples of shape (3, 5): pynn's and NumPy's.
MOVES: dict[str, Case] = {
    "reshape": (lambda t: ops.reshape(t, (-1, 5, 3)), lambda a: a.reshape(-1, 5, 3)),
    "reshape_none": (lambda t: ops.reshape(t, (None, 15)), lambda a: a.reshape(-1, 15)),
    "reshape_rest": (lambda t: ops.reshape(t, (None, -1)), lambda a: a.reshape(4, 15)),
    "transpose": (lambda t: ops.transpose(t, (0, 2, 1)), lambda a: a.transpose(0, 2, 1)),
    "moveaxis": (lambda t: ops.moveaxis(t, 1, -1), lambda a: np.moveaxis(a, 1, -1)),
    "swapaxes": (lambda t: ops.swapaxes(t, 1, 2), lambda a: a.swapaxes(1, 2)),
    "expand_dims": (lambda t: ops.expand_dims(t, 1), lambda a: a[:, None]),
    "expand_dims_2": (lambda t: ops.expand_dims(t, [1, -1]), lambda a: a[:, None, ..., None]),
    "squeeze": (lambda t: ops.squeeze(t[:, :1], 1), lambda a: a[:, 0]),
    "flip": (lambda t: ops.flip(t, -1), lambda a: np.flip(a, -1)),
    "fliplr": (ops.fliplr, np.fliplr),
    "rot90": (lambda t: ops.rot90(t, 1, (1, 2)), lambda a: np.rot90(a, 1, (1, 2))),
    "roll": (lambda t: ops.roll(t, 2, 1), lambda a: np.roll(a, 2, 1)),
    "diagonal": (lambda t: ops.diagonal(t, 1, 1, 2), lambda a: np.diagonal(a, 1, 1, 2)),
    "trace": (lambda t: ops.trace(t, 0, 1, 2), lambda a: np.trace(a, 0, 1, 2)),
    "tril": (lambda t: ops.tril(t, 1), lambda a: np.tril(a, 1)),
    "triu": (ops.triu, np.triu),
    "broadcast_to": (
        lambda t: ops.broadcast_to(t[:, :1], (None, 3, 5)),
        lambda a: np.broadcast_to(a[:, :1], (4, 3, 5)),
    ),
    "tile": (lambda t: ops.tile(t, (1, 2, 1)), lambda a: np.tile(a, (1, 2, 1))),
    "repeat": (lambda t: ops.repeat(t, 2, 1), lambda a: np.repeat(a, 2, 1)),
    "repeat_each": (
        lambda t: ops.repeat(t, [1, 0, 2], 1),
        lambda a: np.repeat(a, [1, 0, 2], 1),
    ),
    "pad": (
        lambda t: ops.pad(t, ((0, 0), (1, 2), (0, 1)), constant_values=7.0),
        lambda a: np.pad(a, ((0, 0), (1, 2), (0, 1)), constant_values=7.0),
    ),
    "pad_edge": (
        lambda t: ops.pad(t, ((0, 0), (1, 0), (2, 2)), "edge"),
        lambda a: np.pad(a, ((0, 0), (1, 0), (2, 2)), "edge"),
    ),
    "slice": (lambda t: t[:, 1:, ::-2], lambda a: a[:, 1:, ::-2]),
    "slice_numbers": (lambda t: t[:, 1, -1], lambda a: a[:, 1, -1]),
    "slice_ellipsis": (lambda t: t[..., None, 2], lambda a: a[..., None, 2]),
    "slice_list": (lambda t: t[:, [2, 0, 0]], lambda a: a[:, [2, 0, 0]]),
    "slice_function": (lambda t: ops.slice(t, (0, 1, 2), (-1, 2, 2)), lambda a: a[:, 1:3, 2:4]),
    "take": (lambda t: ops.take(t, [2, -1, 0], 2), lambda a: np.take(a, [2, -1, 0], 2)),
    "diff": (lambda t: ops.diff(t, 2), lambda a: np.diff(a, 2)),
    "split": (lambda t: ops.split(t, [1, 4], -1), lambda a: np.split(a, [1, 4], -1)),
    "array_split": (lambda t: ops.array_split(t, 2, 2), lambda a: np.array_split(a, 2, 2)),
    "unstack": (lambda t: ops.unstack(t, axis=1), lambda a: [a[:, i] for i in range(3)]),
    "concatenate": (
        lambda t: ops.concatenate([t, t[:, :1], -t], 1),
        lambda a: np.concatenate([a, a[:, :1], -a], 1),
    ),
    "stack": (lambda t: ops.stack([t, -t], -1), lambda a: np.stack([a, -a], -1)),
    "hstack": (lambda t: ops.hstack([t, t]), lambda a: np.hstack([a, a])),
    "dstack": (lambda t: ops.dstack([t, t]), lambda a: np.dstack([a, a])),
    "append": (lambda t: ops.append(t, t, 1), lambda a: np.append(a, a, 1)),
}


@pytest.mark.parametrize("name", MOVES)
def test_moves(name: str) -> None:
    function, reference = MOVES[name]
    check(function, [X], reference=reference)
    if not any(word in name for word in ("slice", "concatenate", "stack", "squeeze", "broadcast")):
        for ours, theirs in zip(
            flatten(function(X)),
            flatten(reference(X)),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_moves_of_weights() -> None:
    """A value without samples may be moved along any axis."""
    check(ops.transpose, [W], [False], np.transpose)
    check(lambda t: t[1:, 0], [W], [False], lambda a: a[1:, 0])
    check(lambda t: ops.reshape(t, -1), [W], [False], lambda a: a.reshape(-1))
    check(ops.ravel, [W], [False], np.ravel)
    check(lambda t: ops.diag(t[:, 0]), [W], [False], lambda a: np.diag(a[:, 0]))
    check(lambda t: ops.concatenate([t, t], 0), [W], [False], lambda a: np.concatenate([a, a], 0))
    check(
        lambda x, w: ops.concatenate([x, ops.expand_dims(w, 0)], 1),
        [X, W],
        [True, False],
        lambda a, b: np.concatenate([a, np.broadcast_to(b, (4, 3, 5))], 1),
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda t: t[0],
        lambda t: t[:2],
        lambda t: t[::-1],
        lambda t: t[None],
        lambda t: ops.transpose(t),
        lambda t: ops.flip(t),
        lambda t: ops.ravel(t),
        lambda t: ops.reshape(t, (5, 3, -1)),
        lambda t: ops.concatenate([t, t], 0),
        lambda t: ops.stack([t, t], 0),
        lambda t: ops.split(t, 2, 0),
        lambda t: ops.roll(t, 1),
        lambda t: ops.repeat(t, 2, 0),
        lambda t: ops.tile(t, (2, 1, 1)),
    ],
)
def test_the_batch_axis_stays(function: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"samples.*Received: .*\(None, 3, 5\)"):
        Traced(function, [X], [True])


def test_rows_of_a_table() -> None:
    """An embedding: indices computed by the model, gradients added up in the table."""
    table, index = RNG.normal(size=(6, 3)), np.array([[0, 5], [-1, 2], [0, 0]])
    traced = Traced(lambda w, i: ops.take(w, i, 0), [table, index], [False, True])
    expected = np.take(table, index, 0)
    np.testing.assert_array_equal(traced.values()[0], expected)
    dy = RNG.normal(size=expected.shape)
    gradient = np.zeros_like(table)
    np.add.at(gradient, index, dy)
    np.testing.assert_allclose(traced.gradients([dy])[0], gradient, rtol=1e-12)
    flat = Traced(lambda w, i: ops.take(w, i), [table, index], [False, True]).values()[0]
    np.testing.assert_array_equal(flat, np.take(table, index))
    wrong = Traced(lambda w, i: ops.take(w, i, 0), [table, np.array([6.0])], [False, True])
    with pytest.raises(ValueError, match="an index must be at least -6 and less than 6"):
        wrong.values()


PRODUCTS: list[tuple[tuple[int, ...], bool, tuple[int, ...], bool]] = [
    ((4, 3), True, (3, 2), False),
    ((4, 5, 3), True, (3, 2), False),
    ((4, 2, 5, 3), True, (3, 2), False),
    ((4, 5, 3), True, (4, 3, 2), True),
    ((4, 2, 5, 3), True, (4, 1, 3, 2), True),
    ((4, 2, 5, 3), True, (2, 3, 2), False),
    ((5, 3), False, (4, 3, 2), True),
    ((2, 5, 3), False, (4, 1, 3, 2), True),
    ((4, 3), True, (3,), False),
    ((4, 5, 3), True, (3,), False),
    ((3,), False, (3, 2), False),
    ((5, 3), False, (3, 2), False),
    ((1, 5, 3), False, (4, 3, 2), True),
    ((300, 40), True, (40, 70), False),
]


@pytest.mark.parametrize(("a", "a_batched", "b", "b_batched"), PRODUCTS)
def test_matmul(a: tuple[int, ...], a_batched: bool, b: tuple[int, ...], b_batched: bool) -> None:
    x, y = RNG.normal(size=a), RNG.normal(size=b)
    small = x.size * y.size < 10000
    check(ops.matmul, [x, y], [a_batched, b_batched], np.matmul, gradients=small)
    if not small:  # the gradients of a product of matrices
        dy = RNG.normal(size=(300, 70))
        da, db = Traced(ops.matmul, [x, y], [True, False]).gradients([dy])
        np.testing.assert_allclose(da, dy @ y.T, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(db, x.T @ dy, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("a", "a_batched", "b", "b_batched"),
    [
        ((4, 3), True, (4, 3), True),
        ((4, 3), True, (2, 3), False),
        ((4, 2, 3), True, (4, 2, 3), True),
        ((4, 3), True, (4, 3, 2), True),
        ((5, 4), False, (4, 3), True),
    ],
)
def test_matrices_that_do_not_go_together(
    a: tuple[int, ...], a_batched: bool, b: tuple[int, ...], b_batched: bool
) -> None:
    with pytest.raises(ValueError, match=r"matmul.*Received: x1\.shape=.*x2\.shape="):
        Traced(ops.matmul, [np.zeros(a), np.zeros(b)], [a_batched, b_batched])


@pytest.mark.parametrize(
    ("subscripts", "shapes", "flags"),
    [
        ("bij,jk->bik", [(4, 3, 5), (5, 2)], [True, False]),
        ("bij,bjk->bik", [(4, 3, 5), (4, 5, 2)], [True, True]),
        ("bij,bij->b", [(4, 3, 5), (4, 3, 5)], [True, True]),
        ("bi,bj->bij", [(4, 3), (4, 2)], [True, True]),
        ("bi,bi->i", [(4, 3), (4, 3)], [True, True]),
        ("bij->bji", [(4, 3, 5)], [True]),
        ("bij->b", [(4, 3, 5)], [True]),
        ("bii->bi", [(4, 3, 3)], [True]),
        ("...i,ij->...j", [(4, 3, 5), (5, 2)], [True, False]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], [False, False, False]),
        ("abcd,aecd->aceb", [(4, 2, 3, 5), (4, 6, 3, 5)], [True, True]),
        ("bi,ij,bj->b", [(4, 3), (3, 2), (4, 2)], [True, False, True]),
        ("ij,bjk", [(2, 3), (4, 3, 5)], [False, True]),
    ],
)
def test_einsum(subscripts: str, shapes: list[tuple[int, ...]], flags: list[bool]) -> None:
    if "->" not in subscripts:
        subscripts += "->bik"
    arrays = [RNG.normal(size=shape) for shape in shapes]
    check(lambda *t: ops.einsum(subscripts, *t), arrays, flags,
          lambda *a: np.einsum(subscripts, *a))  # fmt: skip
    np.testing.assert_allclose(ops.einsum(subscripts, *arrays), np.einsum(subscripts, *arrays))


def test_further_products() -> None:
    x, w = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2))
    check(ops.dot, [x, w], [True, False], np.dot)
    check(lambda a, b: ops.inner(a, b), [X, W], [True, False], np.inner)
    check(ops.vdot, [x, x + 1], reference=np.vdot)
    check(ops.outer, [W[0], W[1]], [False, False], np.outer)
    check(lambda a, b: ops.tensordot(a, b, [[1, 2], [0, 1]]), [X, W], [True, False],
          lambda a, b: np.tensordot(a, b, ((1, 2), (0, 1))))  # fmt: skip
    check(lambda a, b: ops.tensordot(a, b, 1), [X, W.T], [True, False],
          lambda a, b: np.tensordot(a, b, 1))  # fmt: skip
    check(ops.cross, [x, x[::-1] + 1], reference=np.cross)


LINALG: dict[str, Case] = {
    "inv": (ops.inv, np.linalg.inv),
    "det": (ops.det, np.linalg.det),
    "slogdet": (ops.slogdet, lambda a: tuple(np.linalg.slogdet(a))),
    "solve": (lambda t: ops.solve(t, t + 1), lambda a: np.linalg.solve(a, a + 1)),
    "solve_vector": (
        lambda t: ops.solve(t, t[:, 0]),
        lambda a: np.linalg.solve(a, a[:, 0][..., None])[..., 0],
    ),
    "solve_triangular": (
        lambda t: ops.solve_triangular(t, t, lower=True),
        lambda a: np.linalg.solve(np.tril(a), a),
    ),
    "cholesky": (
        lambda t: ops.cholesky(ops.matmul(t, ops.swapaxes(t, 1, 2))),
        lambda a: np.linalg.cholesky(a @ a.swapaxes(1, 2)),
    ),
    "sort": (lambda t: ops.sort(t, 1), lambda a: np.sort(a, 1)),
    "top_k": (
        lambda t: ops.top_k(t, 2)[0],
        lambda a: np.flip(np.sort(a, -1), -1)[..., :2],
    ),
}


@pytest.mark.parametrize("name", LINALG)
def test_functions_of_numpy_with_gradients(name: str) -> None:
    function, reference = LINALG[name]
    check(function, [SQUARE], reference=reference)


def test_functions_of_numpy_without_gradients() -> None:
    for function, reference in [
        (ops.argsort, lambda a: np.argsort(a, -1, kind="stable")),
        (lambda t: ops.median(t, -1), lambda a: np.median(a, -1)),
        (lambda t: ops.quantile(t, 0.3, -1), lambda a: np.quantile(a, 0.3, -1)),
        (lambda t: ops.cumprod(t, 1), lambda a: np.cumprod(a, 1)),
        (lambda t: ops.svd(t)[1], lambda a: np.linalg.svd(a)[1]),
        (lambda t: ops.digitize(t, [0.0, 1.0]), lambda a: np.digitize(a, [0.0, 1.0])),
        (lambda t: ops.isin(t > 0, [1.0]), lambda a: a > 0),
    ]:
        check(function, [SQUARE], reference=reference, gradients=False)
    traced = Traced(lambda t: ops.median(t, -1), [SQUARE], [True])
    with pytest.raises(NotImplementedError, match="median has no gradient"):
        traced.gradients([np.ones((4, 3))])
    # Integers and truth values have the gradient 0.
    traced = Traced(ops.argsort, [SQUARE], [True])
    assert not traced.gradients([np.ones((4, 3, 3))])[0].any()


def test_take_along_axis() -> None:
    places = np.argsort(X, -1)[..., :2]
    check(lambda t: ops.take_along_axis(t, places[:1], -1), [X],
          reference=lambda a: np.take_along_axis(a, places[:1], -1))  # fmt: skip
    with pytest.raises(ValueError, match="does not accept these shapes"):
        Traced(lambda t: ops.take_along_axis(t, places, -1), [X], [True])
    traced = Traced(lambda t, i: ops.take_along_axis(t, i, -1), [X, places], [True, True])
    dy = RNG.normal(size=(4, 3, 2))
    gradient = np.zeros_like(X)
    np.put_along_axis(gradient, places, dy, -1)
    np.testing.assert_allclose(traced.gradients([dy])[0], gradient)
