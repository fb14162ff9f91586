"""Functions of pynn.ops for networks: losses, normalizations, control, gradients of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from pynn import ops
from reference import Array
from traced import Traced, check

RNG = np.random.default_rng(29)
X = RNG.normal(size=(4, 3, 5))


@pytest.mark.parametrize("axis", [1, 2, -1, (1, 2)])
def test_softmax(axis: Any) -> None:
    def reference(a: Array) -> Array:
        e = np.exp(a - a.max(axis, keepdims=True))
        return np.asarray(e / e.sum(axis, keepdims=True))

    check(lambda t: ops.softmax(t, axis), [X], reference=reference)
    check(lambda t: ops.log_softmax(t, axis), [X], reference=lambda a: np.log(reference(a)))
    np.testing.assert_allclose(ops.softmax(X, axis), reference(X), rtol=1e-12)


def test_losses() -> None:
    z = RNG.normal(size=(6, 4))
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    t, classes = RNG.dirichlet(np.ones(4), 6), RNG.integers(0, 4, 6)
    hits = np.eye(4)[classes]

    def log_p(a: Array) -> Array:
        return np.asarray(a - np.log(np.exp(a).sum(-1, keepdims=True)))

    check(lambda y, a: ops.categorical_crossentropy(y, a, from_logits=True), [t, z],
          reference=lambda y, a: -(y * log_p(a)).sum(-1))  # fmt: skip
    check(lambda y, a: ops.categorical_crossentropy(y, a), [t, p],
          reference=lambda y, a: -(y * np.log(a / a.sum(-1, keepdims=True))).sum(-1))  # fmt: skip
    traced = Traced(lambda y, a: ops.sparse_categorical_crossentropy(y, a, from_logits=True),
                    [classes, z], [True, True])  # fmt: skip
    np.testing.assert_allclose(traced.values()[0], -(hits * log_p(z)).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(traced.gradients([np.ones(6)])[1], p - hits, rtol=1e-9, atol=1e-12)
    b = RNG.uniform(0.1, 0.9, (6, 4))
    check(ops.binary_crossentropy, [t, b],
          reference=lambda y, a: -(y * np.log(a) + (1 - y) * np.log(1 - a)))  # fmt: skip
    check(lambda y, a: ops.binary_crossentropy(y, a, from_logits=True), [t, z],
          reference=lambda y, a: np.logaddexp(0, a) - y * a)  # fmt: skip
    with pytest.raises(ValueError, match=r"target.shape=\(6,\), output.shape=\(6, 4\)"):
        ops.categorical_crossentropy(classes, p)


def test_normalizations() -> None:
    x, gamma, beta = RNG.normal(size=(6, 4)), RNG.uniform(0.5, 1.5, 4), RNG.normal(size=4)

    def layer(a: Array, g: Array, b: Array) -> Array:
        mean, var = a.mean(-1, keepdims=True), a.var(-1, keepdims=True)
        return np.asarray(g * (a - mean) / np.sqrt(var + 1e-3) + b)

    flags = [True, False, False]
    check(lambda t, g, b: ops.layer_normalization(t, g, b, epsilon=1e-3), [x, gamma, beta], flags,
          layer)  # fmt: skip
    check(lambda t, g: ops.rms_normalization(t, g, epsilon=1e-3), [x, gamma], flags[:2],
          lambda a, g: g * a / np.sqrt((a * a).mean(-1, keepdims=True) + 1e-3))  # fmt: skip
    check(
        lambda t, g, b: ops.batch_normalization(t, ops.mean(t, 0), ops.var(t, 0), -1, b, g),
        [x, gamma, beta],
        flags,
        lambda a, g, b: g * (a - a.mean(0)) / np.sqrt(a.var(0) + 1e-3) + b,
    )
    for order in (1, 2, 3, np.inf):
        check(lambda t: ops.normalize(t, order=order), [x],  # noqa: B023
              reference=lambda a: a / np.linalg.norm(a, order, -1, keepdims=True))  # noqa: B023  # fmt: skip


def test_class_numbers_as_rows() -> None:
    classes = np.array([2, 0, 3, -1])
    expected = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0.0]])
    np.testing.assert_array_equal(ops.one_hot(classes, 3), expected)
    np.testing.assert_array_equal(ops.one_hot(classes, 3, axis=0), expected.T)
    np.testing.assert_array_equal(
        Traced(lambda t: ops.one_hot(t, 3), [classes], [True]).values()[0], expected
    )
    np.testing.assert_array_equal(ops.multi_hot([[0, 2], [1, 1]], 3), [[1, 0, 1], [0, 1, 0]])


def test_attention() -> None:
    q, k, v = (RNG.normal(size=(2, 3, 2, 4)) for _ in range(3))

    def reference(a: Array, b: Array, c: Array) -> Array:
        scores = np.einsum("bthd,bshd->bhts", a, b) / 2
        scores = np.where(np.tri(3, dtype=bool), scores, -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return np.asarray(np.einsum("bhts,bshd->bthd", e / e.sum(-1, keepdims=True), c))

    check(lambda a, b, c: ops.dot_product_attention(a, b, c, is_causal=True), [q, k, v],
          reference=reference)  # fmt: skip


def test_blocks_and_choices() -> None:
    check(lambda t: ops.slice_update(t, (0, 1, 2), t[:, :2, :2]), [X],
          reference=lambda a: _with_block(a, a[:, :2, :2]))  # fmt: skip
    np.testing.assert_array_equal(ops.slice_update(X, (0, 1, 2), X[:, :2, :2]),
                                  _with_block(X, X[:, :2, :2]))  # fmt: skip
    check(lambda t: ops.select([t > 1, t > 0], [t, -t], 0.5), [X],
          reference=lambda a: np.select([a > 1, a > 0], [a, -a], 0.5))  # fmt: skip
    updated = ops.scatter_update(np.zeros(3), [[0], [2], [0]], [1.0, 2.0, 3.0], "add")
    np.testing.assert_array_equal(updated, [4, 0, 2])
    np.testing.assert_array_equal(ops.scatter([[0], [0]], [1.0, 2.0], (2,)), [3, 0])


def _with_block(a: Array, block: Array) -> Array:
    y = a.copy()
    y[:, 1:3, 2:4] = block
    return y


def test_counting() -> None:
    np.testing.assert_array_equal(ops.bincount([1, 1, 3]), [0, 2, 0, 1])
    np.testing.assert_array_equal(ops.unique([3, 1, 3], size=3, fill_value=-1), [1, 3, -1])
    counted: Any = {"return_index": True, "return_inverse": True, "return_counts": True}
    for size, expected in (
        (4, ([1, 3, 5, 1], [1, 0, 3, 1], [1, 0, 1, 2], [1, 2, 1, 0])),
        (1, ([1], [1], [1, 0, 1, 2], [1])),
    ):  # as Keras on JAX
        found = ops.unique([3, 1, 3, 5], size=size, **counted)
        for array, numbers in zip(found, expected, strict=True):
            np.testing.assert_array_equal(array, numbers)
    np.testing.assert_array_equal(ops.segment_sum([1.0, 2.0, 4.0], [0, 0, 2], 4), [3, 0, 4, 0])
    np.testing.assert_array_equal(ops.segment_max([1.0, 2.0, 4.0], [0, 0, 1]), [2, 4])
    np.testing.assert_array_equal(ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1), [True, False])
    assert ops.bitwise_and(6, 3) == 2
    assert ops.gcd(12, 18) == 6


def test_check_gradients() -> None:
    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    report = pynn.utils.check_gradients(lambda t: ops.softmax(t) * ops.exp(t), x)
    assert report.ok
    assert report
    assert "agree" in repr(report)
    assert pynn.utils.check_gradients(lambda a, b: ops.mean(ops.square(a - b), -1), y, x)

    @ops.with_gradient
    def wrong(t: Array) -> tuple[Array, Array]:
        return t**2, 3 * t

    report = pynn.utils.check_gradients(wrong, x)
    assert not report.ok
    assert "DIFFER" in repr(report)
    assert report.errors["input 0"] == pytest.approx(0.5, rel=1e-4)
    with pytest.raises(ValueError, match="same number of samples"):
        pynn.utils.check_gradients(lambda a, b: a, x, x[:2])
    with pytest.raises(TypeError, match="must return what"):
        pynn.utils.check_gradients(lambda a: 1.0, x)


def test_functions_of_activations_take_symbols() -> None:
    check(lambda t: pynn.activations.leaky_relu(t, 0.3), [X],
          reference=lambda a: np.where(a > 0, a, 0.3 * a))  # fmt: skip
    check(lambda t: pynn.activations.softmax(t, 1), [X],
          reference=lambda a: np.exp(a) / np.exp(a).sum(1, keepdims=True))  # fmt: skip
    y = pynn.activations.softmax(pynn.Input((3,)))
    assert y.shape == (None, 3)


# Control and gradients of one's own


def test_loops_and_branches() -> None:
    assert ops.cond(np.array(False), lambda: 1, lambda: 2) == 2
    assert ops.switch(5, [lambda a: a, lambda a: -a], 3) == -3
    assert ops.while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0)) == (4, 6)
    assert ops.fori_loop(0, 4, lambda i, s: s + i, 0) == 6
    carry, ys = ops.scan(lambda c, x: (c + x, c * x), 0.0, np.arange(4.0))
    assert carry == 6.0
    np.testing.assert_array_equal(ys, [0, 0, 2, 9])
    steps = list(ops.scan(lambda c, x: (c + 1, c), 0, length=3, unroll=True)[1])
    assert steps == [0, 1, 2]
    np.testing.assert_array_equal(ops.map(lambda x: x * 2, np.arange(3)), [0, 2, 4])
    np.testing.assert_array_equal(ops.vectorized_map(lambda x: x.sum(), np.eye(2)), [1, 1])
    np.testing.assert_array_equal(
        ops.associative_scan(lambda a, b: a + b, np.arange(4), reverse=True), [6, 6, 5, 3]
    )


def test_hints_change_no_result_and_are_checked() -> None:
    values, ids = [1.0, 2.0, 4.0], [2, 0, 2]
    for name, expected in (
        ("segment_sum", [2, 0, 5]),
        ("segment_prod", [2, 1, 4]),
        ("segment_max", [2, -np.inf, 4]),
        ("segment_min", [2, np.inf, 1]),
    ):
        function = getattr(ops, name)
        np.testing.assert_array_equal(function(values, ids), expected)
        assert function(values[:1], ids[:1], sorted=True)[2] == 1
        with pytest.raises(TypeError, match=rf"{name}: `sorted` must be True or False"):
            function(values, ids, sorted="yes")
    np.testing.assert_array_equal(ops.unique([3, 1, 3], sorted=False), [1, 3])
    np.testing.assert_array_equal(ops.top_k([1.0, 5.0, 3.0], 2, sorted=False)[0], [5, 3])
    functions: list[Any] = [ops.unique, lambda x, sorted: ops.top_k(x, 1, sorted)]
    for function in functions:
        with pytest.raises(TypeError, match=r"`sorted` must be True or False\. Received: sorted=1"):
            function([3, 1, 3], sorted=1)


_WRONG_COUNTS: list[Any] = [0, 2.0, None]


def test_scan_needs_one_length() -> None:
    for wrong in _WRONG_COUNTS:
        with pytest.raises(ValueError, match="`unroll` must be a positive integer"):
            ops.scan(lambda c, x: (c, x), 0, np.arange(3), unroll=wrong)
    for given in ({}, {"xs": np.arange(3), "length": 2}, {"xs": (np.arange(3), np.arange(2))}):
        with pytest.raises(ValueError, match="have one length, or `length`"):
            ops.scan(lambda c, x: (c, c), 0, **given)


def test_branches_on_symbols_are_refused() -> None:
    with pytest.raises(TypeError, match=r"ops\.where"):
        Traced(lambda t: ops.cond(t, lambda: t, lambda: -t), [X], [True])
    with pytest.raises(TypeError, match="arrays only"):
        Traced(lambda t: ops.unique(t), [X], [True])


def test_functions_with_gradients_of_their_own() -> None:
    @ops.with_gradient
    def cube(x: Array) -> tuple[Array, Array]:
        return x**3, 3 * x**2

    @ops.with_gradient
    def squares(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        return ((y_pred - y_true) ** 2).sum(-1), 2 * (y_pred - y_true)

    @ops.custom_gradient
    def doubled(x: Array) -> Any:
        return 2 * x, lambda upstream: 10 * upstream

    x, y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
    check(cube, [x], reference=lambda a: a**3)
    np.testing.assert_allclose(cube(x), x**3)
    traced = Traced(squares, [y, x], [True, True])
    np.testing.assert_allclose(traced.values()[0], ((x - y) ** 2).sum(-1))
    dy = RNG.normal(size=5)
    gradients = traced.gradients([dy])
    np.testing.assert_allclose(gradients[1], 2 * (x - y) * dy[:, None])
    assert not gradients[0].any()
    np.testing.assert_allclose(Traced(doubled, [x], [True]).gradients([x])[0], 10 * x)


def test_operators_of_functional_models() -> None:
    a, b = pynn.Input((3,)), pynn.Input((3,))
    y = ops.relu((a + b * 2.0) / 3.0 - b[:, :1])
    model = pynn.Model([a, b], [y, ops.mean(y, axis=-1)])
    x = [RNG.normal(size=(5, 3)).astype(np.float32) for _ in range(2)]
    expected = np.maximum((x[0] + x[1] * 2) / 3 - x[1][:, :1], 0)
    found = model.predict(x, verbose=0)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], expected.mean(-1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ops.__all__)
def test_every_function_is_documented(name: str) -> None:
    doc = getattr(ops, name).__doc__
    assert doc
    assert doc.split("\n")[0].endswith("."), f"ops.{name} has no sentence"
