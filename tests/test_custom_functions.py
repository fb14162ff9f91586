"""Losses, metrics and activations of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, numeric_gradients, rows
from pynn import layers, ops

X, Y = rows(6, 3), rows(6, 2, 1)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


def _check_gradients(model: Any, loss: Any, x: Any = X, y: Any = Y) -> None:
    """``loss(weights)`` is a formula; the model's loss and gradients are those of it."""
    w = [np.array(a) for a in model.get_weights()]
    _close(model.evaluate(x, y, verbose=0), loss(w))
    trained = {id(v) for v in model.trainable_weights}
    numeric = numeric_gradients(loss, w)
    expected = [g for g, v in zip(numeric, model.weights, strict=True) if id(v) in trained]
    for ours, theirs in zip(model.gradients(x, y), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


# ---- functions of one's own ----------------------------------------------------------------------


def _huber(y_true: Any, y_pred: Any) -> Any:
    error = y_true - y_pred
    small = ops.abs(error) < 1
    return ops.where(small, ops.square(error) / 2, ops.abs(error) - 0.5)


def _numpy_huber(y: Array, p: Array) -> Array:
    e = np.abs(y - p)
    return np.where(e < 1, e**2 / 2, e - 0.5)


def _largest(y_true: Any, y_pred: Any) -> Any:
    return ops.max(ops.abs(y_true - y_pred), axis=-1)


class Quantile(pynn.losses.Loss):
    def __init__(self, q: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.q = q

    def call(self, y_true: Any, y_pred: Any) -> Any:
        error = y_true - y_pred
        return ops.maximum(self.q * error, (self.q - 1) * error)


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (_huber, lambda y, p: _numpy_huber(y, p).mean()),
        (
            Quantile(0.2),
            lambda y, p: np.maximum(0.2 * (y - p), -0.8 * (y - p)).mean(),
        ),
        (
            Quantile(0.2, reduction="sum"),
            lambda y, p: np.maximum(0.2 * (y - p), -0.8 * (y - p)).sum(),
        ),
        (lambda y, p: ops.mean(ops.square(y - p)), lambda y, p: ((y - p) ** 2).mean()),
        (
            lambda y, p: ops.mean(ops.square(y - p), axis=-1) * 3.0,
            lambda y, p: 3 * ((y - p) ** 2).mean(),
        ),
    ],
)
def test_losses_of_ones_own(loss: Any, formula: Any) -> None:
    model = pynn.Sequential(
        [
            pynn.Input((3,)),
            layers.Dense(4, activation=lambda z: ops.log(ops.exp(z) + 1.0)),
            layers.Dense(2),
        ]
    )
    fill(model, 0.3)
    model.compile("sgd", loss)

    def value(w: list[Array]) -> float:
        return float(formula(Y, np.logaddexp(0, X @ w[0] + w[1]) @ w[2] + w[3]))

    _check_gradients(model, value)


def test_metrics_of_ones_own() -> None:
    class Total(pynn.metrics.Metric):
        def __init__(self, name: str = "total", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.sum = self.add_weight(name="sum", initializer="zeros")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.sum.assign(self.sum + ops.sum(ops.abs(y_true - y_pred)))

        def result(self) -> Any:
            return self.sum

    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    k, b = fill(model)
    model.compile(pynn.optimizers.SGD(0.0), "mse", metrics=[_largest, Total(), _huber])
    error = np.abs(X @ k + b - Y)
    expected = {
        "_huber": _numpy_huber(Y, X @ k + b).mean(),
        "_largest": error.max(axis=1).mean(),
        "loss": (error**2).mean(),
        "total": error.sum(),
    }
    history = model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0).history
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    for key, value in expected.items():
        np.testing.assert_allclose(history[key], [value] * 2, rtol=1e-6)
        np.testing.assert_allclose(history[f"val_{key}"], [value] * 2, rtol=1e-6)
        np.testing.assert_allclose(logs[key], value, rtol=1e-6)


def test_weights_of_rows_reach_losses_of_ones_own() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    k, b = fill(model)
    model.compile("sgd", _huber)
    w = np.arange(6.0)
    each = _numpy_huber(Y, X @ k + b).mean(axis=1)
    _close(model.evaluate(X, Y, sample_weight=w, verbose=0), (each * w).mean())


@pytest.mark.parametrize(
    ("reduction", "keras"),  # what Keras 3.15 reports
    [("sum", 83.6), ("sum_over_batch_size", 4.18), ("mean_with_sample_weight", 2.2)],
)
def test_one_number_for_a_batch_counts_by_the_weights_of_all_its_rows(
    reduction: str, keras: float
) -> None:
    dense = layers.Dense(2)

    class OfTheKernel(pynn.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ops.sum(ops.square(dense.kernel))

    def of_the_kernel(y_true: Any, y_pred: Any) -> Any:
        return ops.sum(ops.square(dense.kernel))

    model = pynn.Sequential([pynn.Input((3,)), dense])
    model.set_weights([np.arange(6.0).reshape(3, 2) / 5, np.zeros(2)])
    model.compile("sgd", OfTheKernel(reduction=reduction), weighted_metrics=[of_the_kernel])
    x, y, w = rows(20, 3), rows(20, 2), np.arange(20) / 5  # more rows than a block has
    _close(model.test_on_batch(x, y, w), [keras, 2.2])
    _close(model.test_on_batch(x, y), [2.2, 2.2])
    _close(model.evaluate(x, y, 20, sample_weight=w, verbose=0), [keras, 2.2])
    w[:16] = 0
    share = {"sum": w.sum(), "sum_over_batch_size": w.mean(), "mean_with_sample_weight": 1}
    _close(model.test_on_batch(x, y, w), [2.2 * share[reduction], 2.2])
    gradient = model.gradients(x, y, w)[0]
    _close(gradient, 2 * np.arange(6.0).reshape(3, 2) / 5 * share[reduction])


def test_functions_that_cannot_be_recorded() -> None:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])

    def branching(y: Any, p: Any) -> Any:
        return p if ops.max(p) > 0 else -p

    model.compile("sgd", branching)
    with pytest.raises(TypeError, match=r"test_custom_functions.py, line \d+, in branching"):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", lambda y, p: np.mean((y - p) ** 2))
    with pytest.raises(TypeError, match="cannot hand it to NumPy"):
        model.fit(X, Y, verbose=0)
    model.compile("sgd", lambda y, p: 3.0)
    with pytest.raises(TypeError, match=r"a layer returns what pynn\.ops"):
        model.fit(X, Y, verbose=0)
