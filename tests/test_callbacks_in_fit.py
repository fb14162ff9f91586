"""Callbacks in real trainings: what they change, against trainings written out with NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import LambdaCallback, OneCycle, SwapEMAWeights

EPOCHS, STEPS, ROWS = 3, 4, 8


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(STEPS * ROWS, 3)), rng.normal(size=(STEPS * ROWS, 1))


def linear(optimizer: Any) -> pynn.Sequential:
    """A layer without bias, trained on the mean square."""
    pynn.utils.set_random_seed(1)
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(1, use_bias=False, name="out")])
    model.compile(optimizer, "mse")
    return model


def gradient(w: Any, step: int) -> Any:
    x, y = data()
    rows = slice(step % STEPS * ROWS, step % STEPS * ROWS + ROWS)
    return 2 * x[rows].T @ (x[rows] @ w - y[rows]) / ROWS


def fit(model: Any, *extra: Any, **options: Any) -> Any:
    x, y = data()
    return model.fit(
        x,
        y,
        batch_size=ROWS,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=list(extra),
        **options,
    )


def test_one_cycle_changes_rate_and_momentum() -> None:
    model = linear(pynn.optimizers.SGD(0.5, momentum=0.9))
    w = model.get_weights()[0].astype(np.float64)
    velocity = np.zeros_like(w)
    fit(model, OneCycle(0.05, momentum=(0.95, 0.8), annealing=0.5))
    corners = [0, 3, 6, 12]
    for step in range(EPOCHS * STEPS):
        rate = np.interp(step, corners, [0.005, 0.05, 0.005, 5e-6])
        momentum = np.interp(step, corners, [0.95, 0.8, 0.95, 0.95])
        velocity = momentum * velocity - rate * gradient(w, step)
        w += velocity
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-4)
    assert model.optimizer.momentum == 0.9


def test_what_cannot_be_changed_in_flight() -> None:
    model = linear(pynn.optimizers.SGD(0.1))

    def add_momentum(batch: int, logs: Any) -> None:
        model.optimizer.momentum = 0.5

    with pytest.raises(ValueError, match="adds or removes state needs a new compile"):
        fit(model, LambdaCallback(on_train_batch_end=add_momentum))


@pytest.mark.parametrize("stop", [False, True])
@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_in_fit(on_epoch: bool, stop: bool) -> None:
    model = linear(pynn.optimizers.SGD(0.05, use_ema=True, ema_momentum=0.5))
    w = model.get_weights()[0].astype(np.float64)
    average = np.zeros_like(w)
    x, y = data()
    seen: list[Any] = []

    def note(epoch: int, logs: Any) -> None:
        seen.append(model.get_weights()[0])
        model.stop_training = stop and epoch == 1

    watch = LambdaCallback(on_epoch_end=note)
    history = fit(model, SwapEMAWeights(on_epoch), watch, validation_data=(x, y)).history
    epochs = 2 if stop else EPOCHS
    assert len(seen) == epochs
    for epoch in range(epochs):
        for step in range(STEPS):
            w -= 0.05 * gradient(w, step)
            keep = 0.5 if epoch or step else 0.0
            average = keep * average + (1 - keep) * w
        np.testing.assert_allclose(seen[epoch], average if on_epoch else w, rtol=1e-4)
        assert history["val_loss"][epoch] == pytest.approx(
            ((x @ average - y) ** 2).mean(), rel=1e-5
        )
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-4)


def test_gradients_for_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    model = linear("sgd")
    before: list[Any] = []
    keep = LambdaCallback(on_train_batch_begin=lambda b, logs: before.append(model.get_weights()))
    fit(model, callbacks.TensorBoard(tmp_path, histogram_freq=1, write_grads=True), keep)
    events = reader.EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    for epoch, point in enumerate(events.Scalars("epoch_gradient_norm")):
        step = (epoch + 1) * STEPS - 1
        expected = np.linalg.norm(gradient(before[step][0].astype(np.float64), step))
        assert point.value == pytest.approx(expected, rel=1e-4)
    assert any(tag.endswith("/out/kernel/gradient") for tag in events.Tags()["histograms"])
    assert "keras" in events.Tags()["tensors"]


def test_search_for_a_learning_rate() -> None:
    x, y = data()
    model = linear(pynn.optimizers.SGD(0.125, momentum=0.9))
    history = fit(model)
    weights, state = model.get_weights(), model.optimizer.get_weights()
    finder = model.find_lr(x, y, batch_size=ROWS, steps=60, min_rate=1e-5, max_rate=1e3)
    assert len(finder.rates) < 60
    assert finder.rates[0] == 1e-5
    assert 1e-4 < finder.suggestion < 1.0
    assert model.history is history
    assert model.optimizer.learning_rate == 0.125
    for before, after in ((weights, model.get_weights()), (state, model.optimizer.get_weights())):
        for ours, theirs in zip(before, after, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    # What follows is as if the search had not been.
    other = linear(pynn.optimizers.SGD(0.125, momentum=0.9))
    for one in (other, other, model):
        fit(one)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_files_are_closed_and_lines_ended_after_an_error(tmp_path: Path) -> None:
    model = linear("sgd")
    log = callbacks.CSVLogger(tmp_path / "log.csv")

    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fit(model, log, LambdaCallback(on_epoch_end=fail))
    assert log.csv_file is None
