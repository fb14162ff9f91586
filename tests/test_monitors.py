"""Callbacks that watch a value, driven by hand; the numbers are those of Keras 3.15.

They were printed by Keras's own callbacks driven through the same values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import EarlyStopping, ReduceLROnPlateau
from stand_in import StandIn, feed

NAN, INF = math.nan, math.inf


# Options, values, and what Keras says: stopped_epoch, best_epoch, best, wait.
STOPPING = [
    ({}, [3, 2, 1, 1.5, 0], (3, 2, 1, 1)),
    ({"patience": 2}, [3, 2, 2.5, 2.6, 0], (3, 1, 2, 2)),
    ({"patience": 3}, [3, 2, 2.5, 2.6, 0], (0, 4, 0, 0)),
    ({"min_delta": 0.5, "patience": 2}, [3, 2.8, 2.6, 1.0], (2, 0, 3, 2)),
    ({"mode": "max", "min_delta": 0.1}, [0.1, 0.5, 0.55], (2, 1, 0.5, 1)),
    ({"monitor": "val_accuracy", "mode": "auto"}, [0.1, 0.5, 0.4], (2, 1, 0.5, 1)),
    ({"baseline": 1.0, "patience": 2}, [3, 2, 1.5, 1.2], (0, 3, 1.2, 4)),
    ({"baseline": 1.0, "patience": 2}, [3, 3.5, 4], (1, 0, 3, 2)),
    ({"baseline": 1.0, "patience": 3}, [3, 0.5, 0.6, 0.7, 0.8, 0.9], (4, 1, 0.5, 3)),
    ({"start_from_epoch": 2}, [1, 2, 3, 4, 0], (3, 2, 3, 1)),
    ({"start_from_epoch": 3, "patience": 1}, [1, 2, 3, 4, 5, 0], (4, 3, 4, 1)),
    ({"patience": 1}, [NAN, NAN, 1.0], (1, 0, NAN, 1)),
    ({"patience": 2}, [2.0, NAN, 1.0, NAN, NAN], (4, 2, 1.0, 2)),
    ({}, [1.0], (0, 0, 1.0, 0)),
    ({}, [1.0, 1.0, 0.5], (1, 0, 1.0, 1)),
    ({"patience": 1, "min_delta": -0.2}, [1, 0.9, 0.85, 0.5], (1, 0, 1, 1)),
    ({"patience": 2}, [INF, INF, INF, 1], (2, 0, INF, 2)),
]


@pytest.mark.parametrize(("options", "values", "expected"), STOPPING)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(
    options: dict[str, Any], values: list[float], expected: tuple[Any, ...], restore: bool
) -> None:
    callback = EarlyStopping(restore_best_weights=restore, **{"mode": "min", **options})
    model = feed(callback, values)
    stopped, best_epoch, best, wait = expected
    assert callback.stopped_epoch == stopped
    assert callback.best_epoch == best_epoch
    assert callback.best == pytest.approx(best, nan_ok=True)
    assert callback.wait == wait
    last = stopped or len(values) - 1
    assert model.weights == (best_epoch if restore else last)


def test_a_number_is_better_than_nan() -> None:
    """Keras never finds an improvement once the first value was NaN."""
    callback = EarlyStopping(patience=2)
    feed(callback, [NAN, 1.0, 2.0, 0.5])
    assert (callback.best, callback.best_epoch, callback.stopped_epoch) == (0.5, 3, 0)


def test_early_stopping_restores_without_stopping() -> None:
    callback = EarlyStopping(patience=10, restore_best_weights=True)
    assert feed(callback, [3, 1, 2, 2]).weights == 1
    assert callback.stopped_epoch == 0
    assert callback.best == 1
    feed(callback, [5, 4])  # used again: starts anew
    assert callback.best == 4


def test_early_stopping_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    feed(EarlyStopping(restore_best_weights=True, verbose=1), [1, 2])
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )


def test_what_cannot_be_watched() -> None:
    callback = EarlyStopping()
    callback.set_model(StandIn())
    with pytest.warns(UserWarning, match="'val_loss', which is not there. Available: loss"):
        callback.on_epoch_end(0, {"loss": 1.0})
    with pytest.raises(ValueError, match="Pass mode='min' or mode='max'"):
        feed(EarlyStopping(monitor="other"), [1.0, 2.0])
    with pytest.raises(ValueError, match="`mode` must be"):
        EarlyStopping(mode="up")


# Options, values, and Keras's learning rate after each epoch.
PLATEAUS = [
    ({"patience": 2}, [1, 1, 1, 1, 1], [1, 1, 0.1, 0.1, 0.01]),
    ({"patience": 1, "factor": 0.5}, [1, 1, 0.5, 0.5], [1, 0.5, 0.5, 0.25]),
    ({"patience": 1, "cooldown": 2}, [1] * 7, [1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]),
    (
        {"patience": 2, "cooldown": 1},
        [1] * 9,
        [1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.0001],
    ),
    ({"patience": 1, "min_lr": 0.05}, [1, 1, 1, 1], [1, 0.1, 0.05, 0.05]),
    ({"patience": 1, "min_delta": 0.3}, [1, 0.8, 0.6, 0.3], [1, 0.1, 0.1, 0.01]),
    ({"patience": 1, "mode": "max"}, [0.1, 0.2, 0.2], [1, 1, 0.1]),
    ({"patience": 0}, [1, 1, 1], [1, 0.1, 0.01]),
    (
        {"patience": 2, "factor": 0.2, "cooldown": 2, "min_lr": 0.01},
        [3, 2, 2, 2, 1, 1, 1, 1, 1.5, 1, 1, 1, 1],
        [1, 1, 1, 0.2, 0.2, 0.2, 0.04, 0.04, 0.04, 0.01, 0.01, 0.01, 0.01],
    ),
    ({"patience": 1}, [1, NAN, 0.5, NAN, 0.4], [1, 0.1, 0.1, 0.01, 0.01]),
]


@pytest.mark.parametrize(("options", "values", "rates"), PLATEAUS)
def test_reduce_on_plateau(
    options: dict[str, Any], values: list[float], rates: list[float]
) -> None:
    callback = ReduceLROnPlateau(**{"monitor": "loss", "mode": "min", **options})
    model = StandIn()
    callback.set_model(model)
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        logs = {callback.monitor: float(value)}
        before = model.learning_rate
        callback.on_epoch_end(epoch, logs)
        assert logs["learning_rate"] == before
        seen.append(model.learning_rate)
    np.testing.assert_allclose(seen, rates)


def test_reduce_on_plateau_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    feed(ReduceLROnPlateau(patience=1, factor=0.5, verbose=1), [1, 1])
    assert capsys.readouterr().out == (
        "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    )
    with pytest.raises(ValueError, match="`factor` must lie"):
        ReduceLROnPlateau(factor=1.0)


# ---- in fit --------------------------------------------------------------------------------------


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(96, 4)), rng.normal(size=(96, 1))


def regression(learning_rate: float) -> pynn.Sequential:
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(1)])
    model.compile(pynn.optimizers.SGD(learning_rate), "mse")
    return model


def test_early_stopping_in_fit() -> None:
    x, y = data()
    model = regression(0.0)
    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(x, y, epochs=50, shuffle=False, verbose=0, callbacks=[stop])
    assert history.epoch == [0, 1, 2]
    assert (stop.stopped_epoch, stop.best_epoch) == (2, 0)


def test_early_stopping_in_fit_restores_the_best_weights() -> None:
    x, y = data()
    model = regression(0.9)  # overshoots: the loss goes up and down
    saved: list[Any] = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda e, logs: saved.append(model.get_weights()))
    stop = EarlyStopping(monitor="val_loss", patience=100, restore_best_weights=True)
    history = model.fit(
        x, y, epochs=8, validation_split=0.25, verbose=0, callbacks=[stop, keep]
    ).history
    best = int(np.argmin(history["val_loss"]))
    assert stop.best_epoch == best
    for ours, theirs in zip(model.get_weights(), saved[best], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()

    model = regression(1e6)
    with pytest.warns(pynn.DivergenceWarning):
        history = model.fit(x, y, epochs=90, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) < 90
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    strict = callbacks.TerminateOnNaN(raise_error=True)
    with pytest.warns(pynn.DivergenceWarning), pytest.raises(RuntimeError, match="diverged"):
        regression(1e6).fit(x, y, epochs=90, verbose=0, callbacks=[strict])
