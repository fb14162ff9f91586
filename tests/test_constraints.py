"""Constraints against formulas, alone and in training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import constraints

EPSILON = 1e-7  # Keras's
Array = Any


def scaled(w: Array, wanted: Any, axis: Any) -> Array:
    norms = np.sqrt((w.astype(np.float64) ** 2).sum(axis=axis, keepdims=True))
    return w * wanted(norms) / (norms + EPSILON)


CASES: list[tuple[Any, Any]] = [
    (constraints.NonNeg(), lambda w: np.where(w > 0, w, 0)),
    (constraints.MaxNorm(1.5), lambda w: scaled(w, lambda n: np.minimum(n, 1.5), 0)),
    (constraints.MaxNorm(1.5, axis=-1), lambda w: scaled(w, lambda n: np.minimum(n, 1.5), -1)),
    (constraints.UnitNorm(), lambda w: scaled(w, np.ones_like, 0)),
    (constraints.UnitNorm(axis=[0, 1]), lambda w: scaled(w, np.ones_like, (0, 1))),
    (
        constraints.MinMaxNorm(0.5, 1.5, rate=0.3),
        lambda w: scaled(w, lambda n: 0.3 * np.clip(n, 0.5, 1.5) + 0.7 * n, 0),
    ),
    (
        constraints.MinMaxNorm(2.0, 3.0, axis=1),
        lambda w: scaled(w, lambda n: np.clip(n, 2.0, 3.0), 1),
    ),
]


def weights(shape: tuple[int, ...], seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * 10 ** rng.uniform(-2, 1, shape[-1])


@pytest.mark.parametrize(("constraint", "formula"), CASES, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(constraint: Any, formula: Any, dtype: str) -> None:
    w = weights((5, 7)).astype(dtype)
    before = w.copy()
    held = constraint(w)
    assert held.dtype == dtype
    np.testing.assert_allclose(held, formula(w), rtol=1e-5 if dtype == "float32" else 1e-12)
    np.testing.assert_array_equal(w, before)


class Halved(constraints.Constraint):
    """One of a user's own."""

    def __call__(self, w: Array) -> Array:
        return 0.5 * w


TRAINED = [
    *CASES,
    (Halved(), lambda w: 0.5 * w),
    (lambda w: np.round(w, 2), lambda w: np.round(w, 2)),
]


@pytest.mark.parametrize(("constraint", "formula"), TRAINED, ids=repr)
@pytest.mark.parametrize("units", [1, 3, 70])
def test_in_training(constraint: Any, formula: Any, units: int) -> None:
    """After every step, in the engine or in Python."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 40)), rng.normal(size=(8, units))
    layer: Any = pynn.layers.Dense(units, use_bias=False, dtype="float64")
    model = pynn.Sequential([pynn.Input((40,)), layer])
    layer.kernel.constraint = constraint
    w = rng.normal(size=(40, units))
    layer.set_weights([w])
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    for _ in range(3):
        w = formula(w - 0.1 * 2 / y.size * x.T @ (x @ w - y))
    np.testing.assert_allclose(layer.get_weights()[0], w, rtol=1e-9, atol=1e-12)


def test_bias_and_frozen_layers() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 3))
    free: Any = pynn.layers.Dense(3, dtype="float64")
    frozen: Any = pynn.layers.Dense(3, dtype="float64", trainable=False)
    model = pynn.Sequential([pynn.Input((4,)), free, frozen])
    free.bias.constraint, frozen.kernel.constraint = constraints.UnitNorm(), constraints.NonNeg()
    kept = rng.normal(size=(3, 3))
    frozen.set_weights([kept, np.zeros(3)])
    model.compile("adam", "mse")
    model.fit(x, y, epochs=2, verbose=0)
    np.testing.assert_allclose(np.linalg.norm(free.get_weights()[1]), 1, rtol=1e-5)
    np.testing.assert_array_equal(frozen.get_weights()[0], kept)


def test_who_applies_them() -> None:
    def variable(constraint: Any, shape: tuple[int, ...], trainable: bool = True) -> Any:
        made = pynn.Variable(np.ones(shape), trainable=trainable)
        made.constraint = constraint
        return made

    class Own(constraints.UnitNorm):
        def __call__(self, w: Array) -> Array:
            return w

    engine, python = constraints.split(
        [
            variable(None, (2,)),
            variable(constraints.NonNeg(), (2,)),
            variable(constraints.UnitNorm(-1), (2, 3)),
            variable(constraints.UnitNorm((0, 2)), (2, 3, 4)),  # another axis lies between
            variable(Own(), (2, 3)),
            variable(constraints.NonNeg(), (2,), trainable=False),
        ]
    )
    norm = {"axes": [1], "low": 1.0, "high": 1.0, "rate": 1.0, "epsilon": EPSILON}
    assert engine == [{"variable": 1}, {"variable": 2, **norm}]
    assert python == [3, 4]


def test_get_and_serialize() -> None:
    for cls in (
        constraints.MaxNorm,
        constraints.NonNeg,
        constraints.UnitNorm,
        constraints.MinMaxNorm,
    ):
        made = constraints.get(cls.__name__)
        assert type(made) is cls
        config = json.loads(json.dumps(constraints.serialize(made)))
        assert config["module"] == "keras.constraints"
        assert constraints.deserialize(config).get_config() == made.get_config()
    for alias in ("max_norm", "non_neg", "unit_norm", "min_max_norm"):
        assert isinstance(constraints.get(alias), getattr(constraints, alias))
    assert constraints.MaxNorm().get_config() == {"max_value": 2, "axis": 0}
    assert constraints.get(None) is None
    assert constraints.deserialize("Halved", {"Halved": Halved})(2.0) == 1.0


def test_errors() -> None:
    with pytest.raises(ValueError, match="Unknown constraint"):
        constraints.get("maxnorm")
    with pytest.raises(ValueError, match="`max_value` must be finite and >= 0"):
        constraints.MaxNorm(-1)
    with pytest.raises(ValueError, match="`min_value` must not be above"):
        constraints.MinMaxNorm(2.0, 1.0)
    with pytest.raises(ValueError, match=r"`axis` must name axes of the weights, which have 1"):
        constraints.UnitNorm(1)(np.ones(3))
