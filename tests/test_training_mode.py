"""Layers that act as in training whatever the model is run for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, rows
from pynn import layers, ops


class Always(pynn.Model):
    """Batch normalization by the statistics of the batch, also outside training."""

    def __init__(self) -> None:
        super().__init__()
        self.normalization = layers.BatchNormalization(momentum=0.9)

    def call(self, x: Any) -> Any:
        return self.normalization(x, training=True)


def functional() -> pynn.Model:
    x = pynn.Input((3,))
    return pynn.Model(x, layers.BatchNormalization(momentum=0.9)(x, training=True))


def normalized(x: Array) -> Array:
    result: Array = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
    return result


def data() -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    return generator.normal(size=(10, 3)), generator.normal(size=(10, 3))


def moved(x: Array, size: int, mean: Array, variance: Array) -> tuple[Array, Array]:
    for start in range(0, len(x), size):
        part = x[start : start + size]
        mean = 0.9 * mean + 0.1 * part.mean(axis=0)
        variance = 0.9 * variance + 0.1 * part.var(axis=0)
    return mean, variance


@pytest.mark.parametrize("make", [Always, functional])
def test_evaluate_uses_and_moves_the_statistics_of_each_batch(make: Any) -> None:
    x, y = data()
    model = make()
    model.compile("sgd", "mse", metrics=["mae"])
    found = model.evaluate(x, y, batch_size=4, verbose=0)
    hat = np.vstack([normalized(x[i : i + 4]) for i in (0, 4, 8)])
    np.testing.assert_allclose(found, [((hat - y) ** 2).mean(), abs(hat - y).mean()], rtol=1e-5)
    np.testing.assert_allclose(found, [2.3478088, 1.2717353], rtol=1e-5)  # Keras 3.15
    mean, variance = moved(x, 4, np.zeros(3), np.ones(3))
    for ours, theirs in zip(model.get_weights()[2:], (mean, variance), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(
        model.get_weights()[2], [-0.02424338, -0.03382999, -0.04942094], rtol=1e-5
    )  # Keras
    found = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(found, [2.3470454, 1.2844641], rtol=1e-5)  # Keras
    found = model.test_on_batch(x[:5], y[:5])
    np.testing.assert_allclose(found, [2.2772534, 1.2924018], rtol=1e-5)  # Keras
    np.testing.assert_allclose(
        model.get_weights()[3], [1.1237891, 0.71925664, 0.72765523], rtol=1e-5
    )  # Keras


@pytest.mark.parametrize("make", [Always, functional])
def test_validation_in_fit_as_keras_does_it(make: Any) -> None:
    x, y = data()
    model = make()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(
        x,
        y,
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=(x[:7], y[:7]),
        validation_batch_size=3,
    ).history
    keras = {  # Keras 3.15 on JAX
        "loss": [2.3306174, 2.2626884],
        "mae": [1.2673528, 1.2508446],
        "val_loss": [1.9003966, 1.8527454],
        "val_mae": [1.1889623, 1.1765358],
    }
    for name, values in keras.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-5)
    np.testing.assert_allclose(
        model.get_weights()[3], [0.73974955, 0.4251467, 0.4471081], rtol=1e-5
    )


def test_metrics_in_python_see_the_outputs_that_the_loss_saw() -> None:
    class Seen(pynn.metrics.Metric):
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            seen.append((np.array(y_true), np.array(y_pred)))

        def result(self) -> float:
            return 0.0

        def reset_state(self) -> None:
            pass

    seen: list[tuple[Array, Array]] = []
    a = pynn.Input((3,))
    noisy = layers.Dropout(0.3)(a, training=True)
    model = pynn.Model(a, layers.BatchNormalization(momentum=0.9)(noisy, training=True))
    model.compile("sgd", "mse", metrics=[Seen()])
    x, y = data()
    loss = model.evaluate(x, y, batch_size=4, verbose=0)[0]
    assert [len(target) for target, _ in seen] == [4, 4, 2]
    errors = np.vstack([target - output for target, output in seen])
    np.testing.assert_allclose(loss, (errors**2).mean(), rtol=1e-5)
    assert (model.get_weights()[2] != 0).all()


def test_dropout_called_with_training_is_active_in_evaluation() -> None:
    pynn.utils.set_random_seed(0)
    a = pynn.Input((4,))
    model = pynn.Model(a, layers.Dropout(0.5)(a, training=True))
    model.compile("sgd", "mse")
    ones = np.ones((60, 4))
    assert model.evaluate(ones, ones, verbose=0) == 1  # both 0 and 2 are one off
    assert model.test_on_batch(ones, ones) == 1
    zeros = [model.evaluate(ones, 0 * ones, verbose=0) for _ in range(3)]
    assert len(set(zeros)) == 3  # other units are dropped each time
    np.testing.assert_allclose(zeros, 2, atol=0.8)
    plain = pynn.Sequential([pynn.Input((4,)), layers.Dropout(0.5)])
    plain.compile("sgd", "mse")
    assert plain.evaluate(ones, ones, verbose=0) == 0


def test_a_layer_with_a_seed_drops_other_units_in_every_pass() -> None:
    a = pynn.Input((50,))
    model = pynn.Model(a, layers.Dropout(0.5, seed=1)(a, training=True))
    ones = np.ones((4, 50))
    first, second = (model.predict(ones, batch_size=2, verbose=0) for _ in range(2))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first[:2], first[2:])
    _, deviation = pynn.Sequential([pynn.Input((50,)), layers.Dropout(0.5, seed=1)]).predict(
        ones, mc_samples=8
    )
    assert deviation.max() > 0


def test_random_numbers_of_a_layer_are_new_in_every_evaluation() -> None:
    class Shaken(layers.Layer):
        def call(self, x: Any) -> Any:
            return x + pynn.random.normal(ops.shape(x))

    model = pynn.Sequential([pynn.Input((2,)), Shaken()])
    model.compile("sgd", "mse")
    x = rows(200, 2)
    first, second = (model.evaluate(x, x, verbose=0) for _ in range(2))
    assert first != second
    np.testing.assert_allclose([first, second], 1, atol=0.4)


def test_a_numpy_layer_beside_one_in_training_keeps_to_prediction() -> None:
    class Shift(layers.Layer):
        def forward(self, x: Array, training: bool) -> tuple[Array, None]:
            return x + 100 * training, None

        def backward(self, saved: None, dy: Array) -> Array:
            return dy

    a = pynn.Input((3,))
    model = pynn.Model(a, Shift()(layers.BatchNormalization()(a, training=True)))
    model.compile("sgd", "mae")
    x, _ = data()
    np.testing.assert_allclose(model.predict(x, verbose=0), normalized(x), rtol=1e-4, atol=1e-5)
    assert model.evaluate(x, normalized(x), verbose=0) < 1e-4
    assert model(x, training=True).min() > 90
    mean, _ = model.predict(x, mc_samples=2)
    assert mean.max() < 10
