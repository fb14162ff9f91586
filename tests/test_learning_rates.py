"""Callbacks that set the learning rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import LearningRateFinder, LearningRateScheduler, OneCycle
from stand_in import StandIn


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(96, 4)), rng.normal(size=(96, 1))


def regression(optimizer: Any) -> pynn.Sequential:
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(1)])
    model.compile(optimizer, "mse")
    return model


def test_learning_rate_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()
    model = regression(pynn.optimizers.SGD(0.5))
    halve = LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[halve])
    np.testing.assert_allclose(history.history["learning_rate"], [0.25, 0.125, 0.0625])
    assert "\nEpoch 2: LearningRateScheduler setting learning rate to 0.125.\n" in (
        capsys.readouterr().out
    )
    by_epoch = LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1))
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[by_epoch])
    assert history.history["learning_rate"] == [1.0, 0.5]
    fast: Any = "fast"
    wrong = LearningRateScheduler(lambda epoch: fast)
    with pytest.raises(ValueError, match="must return a number"):
        model.fit(x, y, verbose=0, callbacks=[wrong])


# ---- OneCycle ------------------------------------------------------------------------------------


def play(callback: Any, model: Any, epochs: int, steps: int) -> list[tuple[float, float]]:
    """Runs the hooks of a training and returns rate and momentum of every batch."""
    seen = []
    callback.set_params({"verbose": 0, "epochs": epochs, "steps": steps})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(steps):
            callback.on_train_batch_begin(batch)
            seen.append((model.learning_rate, getattr(model, "momentum", 0.0)))
        logs: dict[str, Any] = {}
        callback.on_epoch_end(epoch, logs)
        assert logs == {"learning_rate": model.learning_rate}
    callback.on_train_end({})
    callback.on_close()
    return seen


def test_one_cycle() -> None:
    model = StandIn()
    vars(model)["momentum"] = 0.9
    cycle = OneCycle(1.0, start_rate=0.2, end_rate=0.0, momentum=(0.95, 0.8), annealing=0.2)
    seen = np.array(play(cycle, model, epochs=5, steps=4))
    # 20 steps: 8 up, 8 down, 4 to the end.
    corners = [0, 8, 16, 20]
    rates = np.interp(np.arange(20), corners, [0.2, 1.0, 0.2, 0.0])
    momenta = np.interp(np.arange(20), corners, [0.95, 0.8, 0.95, 0.95])
    np.testing.assert_allclose(seen[:, 0], rates, atol=1e-12)
    np.testing.assert_allclose(seen[:, 1], momenta, atol=1e-12)
    assert vars(model)["momentum"] == 0.9


def test_one_cycle_without_momentum() -> None:
    x, y = data()
    model = regression(pynn.optimizers.SGD(0.5))
    rates: list[float] = []
    note = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(model.optimizer.learning_rate)
    )
    cycle = OneCycle(0.1, momentum=None, annealing=0.0)
    history = model.fit(x, y, epochs=4, verbose=0, callbacks=[cycle, note]).history
    np.testing.assert_allclose(rates, np.interp(np.arange(12), [0, 6, 12], [0.01, 0.1, 0.01]))
    np.testing.assert_allclose(history["learning_rate"], rates[2::3])


def test_one_cycle_trains_with_its_rates() -> None:
    """Steps of gradient descent written out, each with its rate."""
    x, y = data()
    model = regression(pynn.optimizers.SGD(0.5))
    w, b = (values.astype(np.float64) for values in model.get_weights())
    cycle = OneCycle(0.2, momentum=None)
    model.fit(x, y, epochs=3, batch_size=48, shuffle=False, verbose=0, callbacks=[cycle])
    half = 6 * 0.9 / 2
    for step in range(6):
        rate = np.interp(step, [0, half, 2 * half, 6], [0.02, 0.2, 0.02, 0.02e-3])
        rows = slice(48 * (step % 2), 48 * (step % 2) + 48)
        error = 2 * (x[rows] @ w + b - y[rows]) / 48
        w, b = w - rate * x[rows].T @ error, b - rate * error.sum(axis=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)


def test_one_cycle_refuses() -> None:
    for options in (
        {"max_rate": 0.1, "start_rate": 0.2},
        {"max_rate": 0.0},
        {"max_rate": 1.0, "momentum": (0.8, 0.9)},
        {"max_rate": 1.0, "annealing": 1.0},
        {"max_rate": 1.0, "total_steps": 0},
    ):
        with pytest.raises(ValueError, match=r"OneCycle: .*Received"):
            OneCycle(**options)
    x, y = data()
    with pytest.raises(ValueError, match="made without momentum"):
        regression("sgd").fit(x, y, verbose=0, callbacks=[OneCycle(0.1)])
    with pytest.raises(TypeError, match="has no momentum"):
        regression("adagrad").fit(x, y, verbose=0, callbacks=[OneCycle(0.1)])
    cycle = OneCycle(0.1, momentum=None)
    cycle.set_params({"verbose": 0, "epochs": 2, "steps": None})
    with pytest.raises(ValueError, match="length of the training is not known"):
        cycle.on_train_begin()


# ---- LearningRateFinder --------------------------------------------------------------------------


def search(finder: LearningRateFinder, losses: list[float], steps: int) -> StandIn:
    """Plays batches of these losses in epochs of some steps; logs are running means."""
    model = StandIn()
    model.weights = 5
    finder.set_params({"verbose": 0, "epochs": -(-len(losses) // steps), "steps": steps})
    finder.set_model(model)
    finder.on_train_begin()
    for step, loss in enumerate(losses):
        batch = step % steps
        finder.on_train_batch_begin(batch)
        assert model.learning_rate == finder.rates[-1]
        model.weights += 1
        mean = float(np.mean([*losses[step - batch : step], loss]))
        finder.on_train_batch_end(batch, {"loss": mean})
        if model.stop_training:
            break
    finder.on_train_end({})
    finder.on_close()
    return model


def test_finder() -> None:
    finder = LearningRateFinder(1e-4, 1.0, beta=0.5, divergence=3)
    losses = [1.0, 1.0, 0.9, 0.5, 0.4, 0.4, 0.6, 5.0, 9.0, 9.0]
    model = search(finder, losses, steps=5)
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses):
        average = 0.5 * average + 0.5 * loss
        smoothed.append(average / (1 - 0.5 ** (step + 1)))
    stop = next(i for i, value in enumerate(smoothed) if value > 3 * min(smoothed[: i + 1]))
    np.testing.assert_allclose(finder.losses, smoothed[: stop + 1], rtol=1e-12)
    np.testing.assert_allclose(finder.rates, np.geomspace(1e-4, 1.0, 10)[: stop + 1])
    slopes = np.gradient(smoothed[: stop + 1], np.log(finder.rates))
    assert finder.suggestion == finder.rates[2 + int(np.argmin(slopes[2:-1]))]
    assert model.stop_training
    assert (model.weights, model.learning_rate) == (5, 1.0)
    assert "suggestion" in repr(finder)


def test_the_suggestion_is_not_misled_by_noise() -> None:
    """A loss that falls between rates of 1e-3 and 1e-1 only, under noise."""
    noise = np.random.default_rng(0).normal(0, 0.1, 240)
    rates = np.geomspace(1e-6, 10, 240)
    finder = LearningRateFinder()
    losses = 2.0 - 0.5 * np.clip(np.log10(rates) + 3, 0, 2) + noise
    search(finder, losses.tolist(), steps=240)
    assert 1e-3 < finder.suggestion < 3e-1


def test_finder_stops_at_nan_and_at_the_end() -> None:
    finder = LearningRateFinder(steps=8)
    search(finder, [1.0, 0.5, math.inf, 1.0], steps=10)
    assert len(finder.rates) == len(finder.losses) == 2
    finder = LearningRateFinder(steps=3)
    assert search(finder, [1.0] * 9, steps=10).stop_training
    assert finder.rates[-1] == pytest.approx(10.0)
    assert math.isnan(finder.suggestion)
    with pytest.raises(ValueError, match="min_rate < max_rate"):
        LearningRateFinder(1.0, 0.1)
    with pytest.raises(ValueError, match="`steps` must be"):
        LearningRateFinder(steps=1)
    with pytest.raises(ValueError, match="`beta` must lie"):
        LearningRateFinder(beta=1.0)
