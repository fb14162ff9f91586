"""Every activation of the catalog against float64 formulas and central differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pynn
from pynn import _core
from reference import (
    ACTIVATIONS,
    ROW_ACTIVATIONS,
    Array,
    central_difference,
    ulp_difference,
)

ROWS = {row["name"]: row for row in _core.catalog() if row["kind"] == "activation"}
WHOLE_ROWS = {row["name"]: row for row in _core.catalog() if row["kind"] == "row_activation"}

# Further parameters to test, each with the points where f or f' jumps; a row whose fields have no
# default is tested with the first.
Case = tuple[str, dict[str, float], list[float]]
MORE_PARAMETERS: list[Case] = [
    ("relu", {"negative_slope": 0.25, "max_value": math.inf, "threshold": 0.0}, [0.0]),
    ("relu", {"negative_slope": 0.0, "max_value": 3.0, "threshold": 0.0}, [0.0, 3.0]),
    ("relu", {"negative_slope": 0.1, "max_value": 5.0, "threshold": 1.5}, [1.5, 5.0]),
    ("leaky_relu", {"negative_slope": 0.0}, [0.0]),
    ("elu", {"alpha": 0.3}, [0.0]),
    ("elu", {"alpha": 0.0}, [0.0]),
    ("celu", {"alpha": 0.4}, []),
    ("gelu", {"approximate": 1.0}, []),
    ("hard_shrink", {"threshold": 1.25}, [-1.25, 1.25]),
    ("soft_shrink", {"threshold": 1.25}, [-1.25, 1.25]),
    ("squareplus", {"b": 0.5}, []),
    ("threshold", {"threshold": 0.7, "default_value": -2.0}, [0.7]),
]
CASES: list[Case] = [
    (name, {field["name"]: field["default"] for field in row["fields"]}, row["kinks"])
    for name, row in ROWS.items()
    if not any(math.isnan(field["default"]) for field in row["fields"])
] + MORE_PARAMETERS

# float32 results are within 4 ULP of the float64 formula, except for:
MAX_ULP = {
    "gelu": 8,  # the normal distribution's tail, relative to values near 0
    "gelu approximate": 250,  # exp(2 u) for u down to -43, the smallest normal result
    "tanh_shrink": 16,  # cancellation beside the end of the polynomial
}

every_case = pytest.mark.parametrize(
    ("name", "fields", "kinks"), CASES, ids=[f"{name}{list(f.values())}" for name, f, _ in CASES]
)
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])

EXTREMES = np.array([math.inf, -math.inf, 1e30, -1e30, 1e4, -1e4, 100, -100, 0.0, -0.0])


def reference(name: str, fields: dict[str, float], x: npt.NDArray[Any]) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(ACTIVATIONS[name](x.astype(np.float64), **fields))


def points(kinks: list[float]) -> Array:
    """Inputs of all sizes and both signs, none at a kink."""
    magnitudes = np.geomspace(1e-6, 30, 400)
    x = np.concatenate([np.linspace(-9, 9, 1201) + 1e-3 * math.pi, magnitudes, -magnitudes])
    return np.asarray(x[np.all(np.abs(np.subtract.outer(x, np.array(kinks))) > 1e-3, axis=1)])


def test_every_row_has_a_reference() -> None:
    assert ACTIVATIONS.keys() == ROWS.keys()
    assert ROW_ACTIVATIONS.keys() == WHOLE_ROWS.keys()
    tested = {name for name, _, _ in CASES}
    assert tested == ROWS.keys(), "a row without defaults needs an entry in MORE_PARAMETERS"


def test_rows_describe_themselves() -> None:
    names = [*ROWS, *WHOLE_ROWS]
    for row in (*ROWS.values(), *WHOLE_ROWS.values()):
        names += row["aliases"].split()
        assert row["formula"].startswith("f(x)")
        assert row["doc"].endswith(".")
        assert row["keep"] in ("x", "y")
        assert all(field["name"].isidentifier() and field["doc"] for field in row["fields"])
    assert len(names) == len(set(names))


# Elementwise


@both_dtypes
def test_the_sign_of_zero(dtype: str) -> None:
    """Keras gives 0, not -0, for -0 and for what is cut off."""
    x = np.array([-0.0, *-np.geomspace(1e-3, 1e3, 20)], dtype)
    for f in (
        pynn.activations.relu,
        pynn.activations.relu6,
        lambda a: pynn.activations.relu(a, max_value=6),
    ):
        np.testing.assert_array_equal(f(x), np.zeros_like(x))
        assert not np.signbit(f(x)).any()
    for f in (pynn.activations.celu, pynn.activations.tanh_shrink):
        assert not np.signbit(f(x[:1])).any()


@every_case
def test_forward_float64(name: str, fields: dict[str, float], kinks: list[float]) -> None:
    x = points([])
    y = _core.activation(name, x, list(fields.values()))
    np.testing.assert_allclose(y, reference(name, fields, x), rtol=2e-13, atol=1e-300)


@every_case
def test_forward_float32(name: str, fields: dict[str, float], kinks: list[float]) -> None:
    # parameters as the kernel sees them
    fields = {key: float(np.float32(value)) for key, value in fields.items()}
    x = points([]).astype(np.float32)
    y = _core.activation(name, x, list(fields.values()))
    assert y.dtype == np.float32
    error = ulp_difference(y, reference(name, fields, x))
    worst = int(np.argmax(error))
    limit = MAX_ULP.get("gelu approximate" if fields.get("approximate") else name, 4)
    assert error[worst] <= limit, f"{error[worst]:.1f} ULP at x = {x[worst]!r}"


@every_case
def test_gradient(name: str, fields: dict[str, float], kinks: list[float]) -> None:
    x = points([*kinks, 0.0])  # at 0 the second derivative of several rows jumps
    dy = np.cos(3 * x)
    dx = _core.activation_gradient(name, x, dy, list(fields.values()))
    slope = central_difference(lambda at: reference(name, fields, at), x)
    np.testing.assert_allclose(dx, dy * slope, rtol=1e-6, atol=1e-9 * max(1, np.abs(slope).max()))


@every_case
def test_gradient_float32(name: str, fields: dict[str, float], kinks: list[float]) -> None:
    x = points(kinks).astype(np.float32)
    dx = _core.activation_gradient(name, x, np.ones_like(x), list(fields.values()))
    slope = _core.activation_gradient(
        name, x.astype(np.float64), np.ones(x.shape), list(fields.values())
    )
    assert dx.dtype == np.float32
    np.testing.assert_allclose(dx, slope, rtol=1e-5, atol=1e-6)


@every_case
def test_catalog_names_the_kinks(name: str, fields: dict[str, float], kinks: list[float]) -> None:
    """f or f' jumps at the kinks and nowhere else."""
    x = np.arange(-800, 801) / 100  # all kinks are multiples of 0.01
    h = 1e-5
    left, right = (
        _core.activation_gradient(name, x + side, np.ones(x.shape), list(fields.values()))
        for side in (-h, h)
    )
    step = reference(name, fields, x + h) - reference(name, fields, x - h)
    limit = 1e-3 * np.maximum(1, np.abs(left))
    jumps = (np.abs(left - right) > limit) | (np.abs(step) > limit)
    np.testing.assert_array_equal(x[jumps], sorted(kinks))


@every_case
@both_dtypes
def test_extreme_inputs(
    name: str, fields: dict[str, float], kinks: list[float], dtype: str
) -> None:
    x = EXTREMES.astype(dtype)
    y = _core.activation(name, x, list(fields.values()))
    with np.errstate(over="ignore"):
        want = reference(name, fields, x).astype(dtype)
    np.testing.assert_allclose(y, want, rtol=1e-6, atol=float(np.finfo(dtype).tiny))
    dx = _core.activation_gradient(name, x, np.ones_like(x), list(fields.values()))
    assert not np.isnan(dx).any()
    assert np.isfinite(dx[np.isfinite(y)]).all()


@every_case
@both_dtypes
def test_nan_stays_nan(name: str, fields: dict[str, float], kinks: list[float], dtype: str) -> None:
    x = np.array([1.0, math.nan, -1.0], dtype)
    y = _core.activation(name, x, list(fields.values()))
    np.testing.assert_array_equal(np.isnan(y), [False, True, False])


@pytest.mark.parametrize("name", ROWS)
@both_dtypes
def test_bits_do_not_depend_on_position(name: str, dtype: str) -> None:
    params = next(list(fields.values()) for case, fields, _ in CASES if case == name)
    x = np.random.default_rng(0).normal(0, 3, 131).astype(dtype)
    dy = np.cos(x)
    y = _core.activation(name, x, params)
    dx = _core.activation_gradient(name, x, dy, params)
    for start, stop in [(0, 1), (1, 2), (3, 20), (5, 69), (64, 131), (130, 131), (7, 7)]:
        part = slice(start, stop)
        np.testing.assert_array_equal(_core.activation(name, x[part], params), y[part])
        np.testing.assert_array_equal(
            _core.activation_gradient(name, x[part], dy[part], params), dx[part]
        )


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 3, 4)])
def test_shapes(shape: tuple[int, ...]) -> None:
    x = np.full(shape, 0.5)
    for name in ("tanh", "softmax"):
        assert _core.activation(name, x, []).shape == shape
        assert _core.activation_gradient(name, x, x, []).shape == shape


def test_strided_input() -> None:
    x = np.linspace(-3, 3, 60).reshape(10, 6)
    y = _core.activation("tanh", x, [])
    np.testing.assert_array_equal(_core.activation("tanh", x[::2, 1::2], []), y[::2, 1::2])


# Whole rows


SHAPES = [
    (1, 1),
    (3, 2),
    (4, 10),
    (33, 7),
    (41, 32),
    (3, 33),
    (3, 67),
    (2, 1000),
    (2, 1024),
    (1, 1500),
    (2, 3, 4),
]
every_row = pytest.mark.parametrize("name", WHOLE_ROWS)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


@every_row
@every_shape
def test_row_forward(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(0, 3, shape)
    want = ROW_ACTIVATIONS[name](x)
    np.testing.assert_allclose(_core.activation(name, x, []), want, rtol=1e-12, atol=1e-13)
    single = x.astype(np.float32)
    got = _core.activation(name, single, [])
    want = ROW_ACTIVATIONS[name](single.astype(np.float64))
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)


@every_row
@every_shape
def test_row_gradient(name: str, shape: tuple[int, ...]) -> None:
    """d(sum(dy f(x))) along a random direction, on rows whose support does not change."""
    rng = np.random.default_rng(2)
    x, dy, direction = rng.normal(0, 2, (3, *shape))
    h = 1e-6
    ahead, behind = (ROW_ACTIVATIONS[name](x + side * h * direction) for side in (1, -1))
    assert np.array_equal(ahead == 0, behind == 0)
    want = np.sum(dy * (ahead - behind), axis=-1) / (2 * h)
    dx = _core.activation_gradient(name, x, dy, [])
    np.testing.assert_allclose(np.sum(dx * direction, axis=-1), want, rtol=1e-6, atol=1e-7)


@every_row
@both_dtypes
def test_rows_do_not_depend_on_each_other(name: str, dtype: str) -> None:
    x = np.random.default_rng(3).normal(0, 3, (301, 10)).astype(dtype)
    y = _core.activation(name, x, [])
    dx = _core.activation_gradient(name, x, np.sin(x), [])
    for start, stop in [(0, 1), (1, 4), (100, 301), (299, 300)]:
        part = slice(start, stop)
        np.testing.assert_array_equal(_core.activation(name, x[part], []), y[part])
        np.testing.assert_array_equal(
            _core.activation_gradient(name, x[part], np.sin(x[part]), []), dx[part]
        )


@pytest.mark.parametrize("name", ["softmax", "sparsemax"])
@both_dtypes
def test_probabilities_sum_to_one(name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    for scale in (1e-3, 1, 50, 1e4):
        y = _core.activation(name, (scale * rng.normal(size=(50, 37))).astype(dtype), [])
        assert (y >= 0).all()
        np.testing.assert_allclose(y.sum(axis=-1), 1, rtol=1e-6 if dtype == "float32" else 1e-14)


def test_row_extremes() -> None:
    x = np.array([[1e4, -1e4, 0.0], [-math.inf, 1.0, 1.0], [-1e30, -1e30, -1e30]])
    third = 1 / 3
    want = np.array([[1, 0, 0], [0, 0.5, 0.5], [third, third, third]])
    np.testing.assert_allclose(_core.activation("softmax", x, []), want)
    np.testing.assert_allclose(_core.activation("sparsemax", x, []), want)
    log = _core.activation("log_softmax", x, [])
    want_log = [[0, -2e4, -1e4], [-math.inf, -math.log(2), -math.log(2)], [-math.log(3)] * 3]
    np.testing.assert_allclose(log, want_log)
    for name in WHOLE_ROWS:
        spoiled = _core.activation(name, np.array([[1.0, math.nan, 2.0], [0.0, 1.0, 2.0]]), [])
        assert np.isnan(spoiled[0]).any()
        assert np.isfinite(spoiled[1]).all()


def test_sparsemax_gives_exact_zeros_and_shares_ties() -> None:
    y = _core.activation("sparsemax", np.array([[0.1, 0.9, -2.0], [1.0, 1.0, 1.0]]), [])
    np.testing.assert_allclose(y, [[0.1, 0.9, 0.0], [1 / 3, 1 / 3, 1 / 3]])
    assert y[0, 2] == 0


# Errors


def test_unknown_name() -> None:
    with pytest.raises(ValueError, match=r"Received: name='rleu'"):
        _core.activation("rleu", np.zeros(3), [])
    with pytest.raises(ValueError, match=r"Received: name='rleu'"):
        _core.activation_gradient("rleu", np.zeros(3), np.zeros(3), [])


def test_wrong_number_of_parameters() -> None:
    with pytest.raises(ValueError, match="relu: expected 3 parameters"):
        _core.activation("relu", np.zeros(3), [1.0])


def test_gradient_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="one shape"):
        _core.activation_gradient("relu", np.zeros(3), np.zeros(4), [])
