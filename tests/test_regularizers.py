"""Regularizers against formulas, alone and in training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import ops, regularizers

Array = Any


def orthogonal(x: Array, factor: float, by_rows: bool) -> float:
    """The mean cosine, without sign, of all pairs."""
    vectors = x if by_rows else x.T
    total, pairs = 0.0, 0
    for i, a in enumerate(vectors):
        for b in vectors[i + 1 :]:
            total += abs(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))
            pairs += 1
    return factor * total / pairs


class Cubes(regularizers.Regularizer):
    """One of a user's own."""

    def __call__(self, x: Any) -> Any:
        return 0.1 * ops.sum(ops.abs(x) ** 3)


def fourth(x: Any) -> Any:
    return 0.1 * ops.sum(ops.square(ops.square(x)))


R = regularizers
CASES: list[tuple[Any, Any]] = [
    (R.L1(0.3), lambda x: 0.3 * np.abs(x).sum()),
    (R.L2(0.3), lambda x: 0.3 * (x**2).sum()),
    (R.L1L2(0.3, 0.2), lambda x: 0.3 * np.abs(x).sum() + 0.2 * (x**2).sum()),
    (R.OrthogonalRegularizer(0.3), lambda x: orthogonal(x, 0.3, True)),
    (R.OrthogonalRegularizer(0.3, "columns"), lambda x: orthogonal(x, 0.3, False)),
    (Cubes(), lambda x: 0.1 * (np.abs(x) ** 3).sum()),
    (fourth, lambda x: 0.1 * (x**4).sum()),
]


@pytest.mark.parametrize(("regularizer", "formula"), CASES, ids=repr)
def test_values(regularizer: Any, formula: Any) -> None:
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(float(regularizer(x)), formula(x), rtol=1e-6)
    single = regularizer(x.astype(np.float32))
    np.testing.assert_allclose(float(single), formula(x), rtol=1e-5)


@pytest.mark.parametrize(("regularizer", "formula"), CASES, ids=repr)
def test_in_training(regularizer: Any, formula: Any) -> None:
    """A step follows the differences of loss and penalty; the penalty is part of the loss."""
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(6, 5)), rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    layer = pynn.layers.Dense(3, use_bias=False, dtype="float64", kernel_regularizer=regularizer)
    model = pynn.Sequential([pynn.Input((5,)), layer])
    layer.set_weights([w])
    model.compile(pynn.optimizers.SGD(0.1), "mse")

    def total(v: Array) -> float:
        return float(((x @ v - y) ** 2).mean() + formula(v))

    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), total(w), rtol=1e-6)
    model.fit(x, y, batch_size=6, epochs=1, verbose=0)
    slope = np.zeros_like(w)
    for place in np.ndindex(*w.shape):
        step = np.zeros_like(w)
        step[place] = 1e-5
        slope[place] = (total(w + step) - total(w - step)) / 2e-5
    np.testing.assert_allclose(layer.get_weights()[0], w - 0.1 * slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("weighted", [False, True])
def test_per_sample_divides_by_the_weight_of_the_batch(weighted: bool) -> None:
    """Two steps, the second on a short batch, follow the gradient written out."""
    rng = np.random.default_rng(0)
    x, y, v = rng.normal(size=(7, 5)), rng.normal(size=(7, 3)), rng.normal(size=(5, 3))
    s = rng.uniform(0.5, 2, 7) if weighted else np.ones(7)
    layer = pynn.layers.Dense(
        3, use_bias=False, dtype="float64", kernel_regularizer=R.PerSample(l1=0.2, l2=0.3)
    )
    model = pynn.Sequential([pynn.Input((5,)), layer])
    layer.set_weights([v])
    loss = pynn.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    model.compile(pynn.optimizers.SGD(0.1), loss)
    history = model.fit(x, y, 4, sample_weight=s, shuffle=False, verbose=0).history
    total = 0.0
    for rows in (slice(0, 4), slice(4, 7)):
        n = s[rows].sum()
        error = (x[rows] @ v - y[rows]) * s[rows, None]
        penalty = 0.2 * np.abs(v).sum() + 0.3 * (v**2).sum()
        squares = (s[rows] * ((x[rows] @ v - y[rows]) ** 2).mean(1)).sum()
        total += (squares + penalty) / n * len(error)
        v = v - 0.1 * (2 / 3 * x[rows].T @ error + 0.2 * np.sign(v) + 0.6 * v) / n
    np.testing.assert_allclose(layer.get_weights()[0], v, rtol=1e-12)
    np.testing.assert_allclose(history["loss"], [total / 7], rtol=1e-12)


def test_engine_factors() -> None:
    assert regularizers.L1(0.5).factors == (0.5, 0.0)
    assert regularizers.L2(0.5).factors == (0.0, 0.5)
    assert regularizers.L1L2(0.5, 0.25).factors == (0.5, 0.25)
    assert Cubes().factors is None

    class Own(regularizers.L2):
        def __call__(self, x: Any) -> Any:
            return ops.sum(x)

    assert Own().factors is None


def test_get_and_serialize() -> None:
    for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer", "l1", "l2", "orthogonal_regularizer"):
        made = regularizers.get(name)
        config = json.loads(json.dumps(regularizers.serialize(made)))
        assert config["module"] == "keras.regularizers"
        assert regularizers.deserialize(config).get_config() == made.get_config()
    assert regularizers.l1_l2().factors == (0.0, 0.0)
    assert regularizers.get(fourth) is fourth
    assert isinstance(regularizers.deserialize("Cubes", {"Cubes": Cubes}), Cubes)


def test_errors() -> None:
    with pytest.raises(ValueError, match="must be finite and >= 0"):
        regularizers.L1(-1)
    with pytest.raises(ValueError, match="`mode` must be 'rows' or 'columns'"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match="expected a matrix"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(NotImplementedError, match="must define"):
        regularizers.Regularizer()(np.ones(3))
    with pytest.raises(ValueError, match="Unknown regularizer"):
        regularizers.get("l3")


def test_losses_of_a_layer_called_on_arrays() -> None:
    """The activity penalty of the last call for each sample, then that of the weights."""
    l1, l2 = pynn.regularizers.L1(0.5), pynn.regularizers.L2(0.1)
    layer = pynn.layers.Dense(2, kernel_regularizer=l2, activity_regularizer=l1)
    for x in (np.full((4, 3), 2.0), np.arange(6.0).reshape(2, 3)):
        y, kernel = layer(x), layer.kernel.numpy()
        expected = [0.5 * np.abs(y).sum() / len(x), 0.1 * (kernel**2).sum()]
        np.testing.assert_allclose(layer.losses, expected, rtol=1e-6)
    layer.trainable = False
    np.testing.assert_allclose(layer.losses, expected[:1], rtol=1e-6)
    layer(pynn.Input((3,)))
    assert layer.losses == []
