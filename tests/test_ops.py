"""Elementwise functions and reductions of pynn.ops: NumPy's values, gradients by differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pynn import _core, ops
from reference import ACTIVATIONS, Array
from traced import Traced, check

RNG = np.random.default_rng(17)
CATALOG = {(row["kind"], row["name"]): row for row in _core.catalog()}
MATH = [name for kind, name in CATALOG if kind == "math"]
BINARY = [name for kind, name in CATALOG if kind == "binary"]

# What NumPy lacks, as formulas.
UNARY_REFERENCE: dict[str, Callable[[Array], Any]] = {
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf": np.vectorize(math.erf),
    "erfc": np.vectorize(math.erfc),
}
POSITIVE = {"sqrt", "rsqrt", "log", "log1p", "log2", "log10", "cbrt", "reciprocal"}
WITHIN_ONE = {"arcsin", "arccos", "arctanh"}
BINARY_REFERENCE: dict[str, Callable[[Array, Array], Any]] = {
    "divide_no_nan": lambda a, b: np.where(b == 0, 0, a / np.where(b == 0, 1, b)),
}
SPECIAL = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 3.5, 1e300])


def points(name: str, shape: tuple[int, ...] = (5, 7)) -> Array:
    """Numbers where a function is defined and smooth."""
    x = RNG.uniform(0.1, 0.9, shape)
    if name in POSITIVE:
        return x * 3
    if name == "arccosh":
        return 1.2 + x
    signs = RNG.choice([-1.0, 1.0], shape)
    return np.asarray(signs * (x if name in WITHIN_ONE else x + RNG.integers(0, 3, shape)))


def unary_reference(name: str) -> Callable[[Array], Any]:
    return UNARY_REFERENCE.get(name) or getattr(np, name)


@pytest.mark.parametrize("name", MATH)
def test_unary(name: str) -> None:
    reference = unary_reference(name)
    x = points(name)
    if name == "rint":
        check(ops.round, [x], reference=reference)
        return
    check(getattr(ops, name), [x], reference=reference)
    np.testing.assert_allclose(getattr(ops, name)(x), reference(x), rtol=1e-12)
    assert getattr(ops, name)(x.astype(np.float32)).dtype in (np.float32, np.bool_)
    with np.errstate(all="ignore"):
        special = reference(SPECIAL)
    found = _core.activation(name, SPECIAL)
    np.testing.assert_allclose(found, special.astype(float), rtol=1e-12)
    np.testing.assert_array_equal(
        np.signbit(found[special == 0]), np.signbit(special[special == 0])
    )


@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str) -> None:
    function = getattr(ops, name)
    reference = BINARY_REFERENCE.get(name) or getattr(np, name)
    a, b = points(name), points(name) + 0.013
    if name == "power":
        a = np.abs(a)
    check(function, [a, b], reference=reference)
    np.testing.assert_allclose(function(a, b), reference(a, b), rtol=1e-12)
    pairs = np.array(list(itertools.product(SPECIAL, SPECIAL)))
    with np.errstate(all="ignore"):
        special = np.asarray(reference(pairs[:, 0], pairs[:, 1]), float)
    found = Traced(function, [pairs[:, 0], pairs[:, 1]], [True, True]).values()[0]
    np.testing.assert_allclose(found, special, rtol=1e-12)


# Shapes of two operands with whether they have a batch axis: all ways of broadcasting.
SHAPES: list[tuple[tuple[int, ...], bool, tuple[int, ...], bool]] = [
    ((4, 3), True, (4, 3), True),
    ((4, 3), True, (4, 1), True),
    ((4, 1), True, (4, 3), True),
    ((4, 2, 1), True, (4, 1, 3), True),
    ((4, 2, 3, 2), True, (4, 1, 3, 1), True),
    ((4, 2, 1, 3), True, (4, 1, 5, 1), True),
    ((4, 3), True, (3,), False),
    ((3,), False, (4, 3), True),
    ((4, 3), True, (1, 3), False),
    ((4, 3), True, (1,), False),
    ((4, 3), True, (), False),
    ((4, 2, 3), True, (2, 1), False),
    ((4, 2, 3), True, (1, 2, 1), False),
    ((4, 1, 3), True, (2, 1), False),
    ((4,), True, (4,), True),
    ((4,), True, (), False),
    ((4,), True, (1,), False),
    ((3,), False, (2, 1), False),
    ((2, 3), False, (2, 3), False),
    ((), False, (), False),
    ((300, 70), True, (70,), False),
    ((2, 2100), True, (2, 1), True),
    ((130, 90), True, (130, 90), True),
]


@pytest.mark.parametrize(("a", "a_batched", "b", "b_batched"), SHAPES)
def test_broadcasting(
    a: tuple[int, ...], a_batched: bool, b: tuple[int, ...], b_batched: bool
) -> None:
    x, y = np.asarray(RNG.uniform(0.5, 2, a)), np.asarray(RNG.uniform(0.5, 2, b))
    flags = [a_batched, b_batched]
    if x.size * y.size < 1000:
        check(ops.divide, [x, y], flags, np.divide)
    traced = Traced(ops.divide, [x, y], flags)
    np.testing.assert_allclose(traced.values()[0].reshape(np.shape(x / y)), x / y, rtol=1e-14)
    w = RNG.normal(size=np.shape(x / y))
    dx, dy = traced.gradients([w])
    np.testing.assert_allclose(dx, unbroadcast(w / y, x.shape), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dy, unbroadcast(-w * x / y**2, y.shape), rtol=1e-10, atol=1e-12)


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    while gradient.ndim > len(shape):
        gradient = gradient.sum(0)
    axes = tuple(i for i, n in enumerate(shape) if n == 1)
    return np.asarray(gradient.sum(axes, keepdims=True))


def test_same_tensor_twice_and_constants() -> None:
    x = points("multiply")
    check(lambda t: t * t + 3.0 * t - 1.0 / t, [x], reference=lambda a: a * a + 3 * a - 1 / a)
    check(lambda t: 2.0 - t / 4 + (-t) ** 2, [x], reference=lambda a: 2 - a / 4 + a**2)
    check(lambda t: t - np.arange(7.0), [x], reference=lambda a: a - np.arange(7.0))
    check(lambda t: 2.0**t, [x], reference=lambda a: 2.0**a)
    check(lambda t: abs(t) % 0.7, [x], reference=lambda a: np.abs(a) % 0.7)
    check(lambda t: t // 0.7, [x], reference=lambda a: a // 0.7)
    check(lambda t: t**3, [x], reference=lambda a: a**3)


@pytest.mark.parametrize(
    ("a", "b"), [((4, 3), (4, 2)), ((4, 3), (4,)), ((4, 2, 3), (4, 3)), ((4,), (4, 1))]
)
def test_shapes_that_do_not_go_together(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="add: the shapes must be the same") as error:
        Traced(ops.add, [np.zeros(a), np.zeros(b)], [True, True])
    for shape in (a, b):
        assert str((None, *shape[1:])) in str(error.value)


def test_a_batch_and_an_array_of_rows_do_not_go_together() -> None:
    with pytest.raises(ValueError, match=r"x1.shape=\(None, 3\), x2.shape=\(4, 3\)"):
        Traced(ops.add, [np.zeros((4, 3)), np.zeros((4, 3))], [True, False])


@pytest.mark.parametrize("flags", list(itertools.product([True, False], repeat=3)))
def test_where(flags: tuple[bool, ...]) -> None:
    c, a, b = RNG.normal(size=(4, 3)) > 0, RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    arrays = [x if flag else x[0] for x, flag in zip((c, a, b), flags, strict=True)]
    check(ops.where, arrays, flags, lambda k, u, v: np.where(k.round(), u, v))
    check(lambda k, u: ops.where(k, u, 1.0), arrays[:2], flags[:2],
          lambda k, u: np.where(k.round(), u, 1.0))  # fmt: skip


def test_further_elementwise_functions() -> None:
    x, y = points("add"), points("add")
    check(lambda t: ops.clip(t, -1.0, 1.5), [x], reference=lambda a: np.clip(a, -1, 1.5))
    check(ops.logaddexp2, [x, y], reference=np.logaddexp2)
    check(ops.sinc, [x], reference=np.sinc)
    check(ops.deg2rad, [x], reference=np.deg2rad)
    check(ops.rad2deg, [x], reference=np.rad2deg)
    check(lambda t: ops.round(t, 1), [x], reference=lambda a: np.round(a, 1))
    check(ops.isclose, [x, x + 1e-9 * (y > 0)], reference=np.isclose)
    check(lambda t: ops.nan_to_num(t, 1.0), [x], reference=lambda a: np.nan_to_num(a, nan=1.0))
    check(lambda t: ops.cast(t, "int32"), [x], reference=np.trunc)
    check(lambda t: ops.cast(t > 0, "float32"), [x], reference=lambda a: (a > 0) * 1.0)
    check(lambda t: ops.zeros_like(t) + t, [x], reference=lambda a: a)
    check(lambda t: ops.full_like(t, 3.0) * t, [x], reference=lambda a: 3.0 * a)
    check(lambda t: ops.ldexp(t, 3.0), [x], reference=lambda a: np.ldexp(a, 3))
    special = Traced(ops.nan_to_num, [SPECIAL], [True]).values()[0]
    np.testing.assert_array_equal(special, np.nan_to_num(SPECIAL))


def test_inverse_of_erf() -> None:
    x = RNG.uniform(-0.999, 0.999, (4, 5))
    y = Traced(ops.erfinv, [x], [True])
    np.testing.assert_allclose(np.vectorize(math.erf)(y.values()[0]), x, rtol=1e-13, atol=1e-15)
    slope = math.sqrt(math.pi) / 2 * np.exp(y.values()[0] ** 2)
    np.testing.assert_allclose(y.gradients([np.ones_like(x)])[0], slope, rtol=1e-12)
    edges = ops.erfinv([-1.0, 1.0, 2.0])
    np.testing.assert_array_equal(edges, [-math.inf, math.inf, math.nan])


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    x, w = RNG.normal(size=(700, 90)), RNG.normal(size=(90, 60))
    traced = Traced(
        lambda a, b: ops.matmul(ops.softmax(a * b[:, 0]), b) / ops.sum(b, 0), [x, w], [True, False]
    )
    network = traced.graph.network(traced.outputs)
    for one, many in zip(network.predict([x], 1), network.predict([x], -4), strict=True):
        np.testing.assert_array_equal(one, many)


def test_gradients_in_prediction() -> None:
    """The gradient of a network that does not act as in training, such as an inspected one."""
    x = RNG.normal(size=(4, 5))

    def gradient(training: bool) -> Array:
        traced = Traced(lambda t: ops.max(t, -1) * ops.prod(t, -1), [x], [True])
        return traced.gradients([np.ones(4)], training)[0]

    np.testing.assert_array_equal(gradient(False), gradient(True))


def test_stop_gradient() -> None:
    x = points("add", (3, 2))
    traced = Traced(lambda t: t * ops.stop_gradient(t), [x], [True])
    np.testing.assert_allclose(traced.values()[0], x * x)
    np.testing.assert_allclose(traced.gradients([np.ones_like(x)])[0], x)


REDUCTIONS = ["sum", "mean", "max", "min", "prod", "any", "all", "var", "std"]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, (0, 1), (1, 2), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction(name: str, axis: Any, keepdims: bool) -> None:
    x = RNG.normal(size=(4, 3, 5))
    if name in ("any", "all"):
        x = (np.abs(x) > 0.5) * x
    function, reference = getattr(ops, name), getattr(np, name)
    for batched in (True, False):
        check(
            lambda t: function(t, axis=axis, keepdims=keepdims),
            [x],
            [batched],
            lambda a: reference(a, axis=axis, keepdims=keepdims),
            gradients=name not in ("any", "all"),
        )
    eager = function(x, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(eager, reference(x, axis=axis, keepdims=keepdims), rtol=1e-12)


@pytest.mark.parametrize("shape", [(300, 40), (3, 5000), (700,), (20, 3, 200, 2)])
def test_reduction_of_many(shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape)
    for axis in (0, -1, None):
        found = Traced(lambda t: ops.sum(t, axis), [x], [True]).values()[0]  # noqa: B023
        np.testing.assert_allclose(found, x.sum(axis), rtol=1e-11, atol=1e-11)


def test_equal_extremes_share_the_gradient() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    traced = Traced(lambda t: ops.max(t, -1), [x], [True])
    expected = [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(traced.gradients([np.ones(2)])[0], expected)


def test_products_with_zeros() -> None:
    x = RNG.normal(size=(4, 3))
    x[1, 0] = x[2, 0] = x[2, 2] = 0
    check(lambda t: ops.prod(t, -1), [x], reference=lambda a: np.prod(a, -1))


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_places_and_running_sums(axis: int) -> None:
    x = RNG.normal(size=(4, 3, 5))
    for name in ("argmax", "argmin"):
        function, reference = getattr(ops, name), getattr(np, name)
        check(lambda t: function(t, axis), [x], reference=lambda a: reference(a, axis))  # noqa: B023
        check(lambda t: function(t, axis, True), [x],  # noqa: B023
              reference=lambda a: reference(a, axis, keepdims=True))  # noqa: B023  # fmt: skip
    check(lambda t: ops.cumsum(t, axis), [x], reference=lambda a: np.cumsum(a, axis))


def test_further_reductions() -> None:
    x = RNG.normal(size=(4, 3, 5))
    check(lambda t: ops.logsumexp(t, -1), [x], reference=lambda a: np.log(np.exp(a).sum(-1)))
    check(lambda t: ops.logsumexp(t, (0, 2), True), [x],
          reference=lambda a: np.log(np.exp(a).sum((0, 2), keepdims=True)))  # fmt: skip
    for order in (None, 1, 2, 3, np.inf, -np.inf, 0):
        check(lambda t: ops.norm(t, order, -1), [x],  # noqa: B023
              reference=lambda a: np.linalg.norm(a, order, -1))  # noqa: B023  # fmt: skip
    check(
        lambda t: ops.norm(t, axis=(1, 2)), [x], reference=lambda a: np.linalg.norm(a, axis=(1, 2))
    )
    check(lambda t: ops.ptp(t, 1), [x], reference=lambda a: np.ptp(a, 1))
    check(lambda t: ops.count_nonzero(t, 1), [x], reference=lambda a: np.count_nonzero(a, 1))
    check(
        lambda t: ops.moments(t, [0, 1]), [x], reference=lambda a: (a.mean((0, 1)), a.var((0, 1)))
    )
    weights = np.arange(1.0, 6.0)
    check(lambda t: ops.average(t, -1, weights), [x],
          reference=lambda a: np.average(a, -1, weights))  # fmt: skip
    check(lambda t: ops.trapezoid(t, dx=0.5), [x],
          reference=lambda a: 0.25 * (a[..., 1:] + a[..., :-1]).sum(-1))  # fmt: skip
    holes = x.copy()
    holes[0, 1, 2] = holes[3, 0, 0] = math.nan
    for name in ("nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar", "nanstd"):
        function, reference = getattr(ops, name), getattr(np, name)
        check(lambda t: function(t, -1), [holes], reference=lambda a: reference(a, -1),  # noqa: B023
              gradients=False)  # fmt: skip


def test_eager_element_types() -> None:
    """Python's numbers and lists are floatx() and int32; arrays keep their types."""
    assert ops.add([1.0], 2).dtype == np.float32
    assert ops.add([1], 2).dtype == np.int32
    assert ops.sqrt(np.array([4])).dtype == np.float32
    assert ops.add(np.float32(1), 2.0).dtype == np.float32
    assert ops.add(np.ones(2), [1.0, 2.0]).dtype == np.float64
    assert ops.argmax([1.0, 2.0]).dtype == np.int32
    assert ops.mean(np.array([1, 2])).dtype == np.float32
    assert ops.exp(np.ones(2, np.float64)).dtype == np.float64


def test_activations() -> None:
    x = points("add")
    for name in ("relu", "sigmoid", "tanh", "softplus", "silu", "elu", "selu", "leaky_relu"):
        check(getattr(ops, name), [x], reference=lambda a: ACTIVATIONS[name](  # noqa: B023
            a, **{f["name"]: f["default"] for f in CATALOG["activation", name]["fields"]}))  # noqa: B023  # fmt: skip
