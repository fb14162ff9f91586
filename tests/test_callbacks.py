"""Callbacks: when they are called, with what, and what the ready-made ones do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import Callback, EarlyStopping, ReduceLROnPlateau


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 4))
    return x, (x @ rng.normal(size=(4, 3))).argmax(axis=1)


def classifier(optimizer: Any = "sgd") -> pynn.Sequential:
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3, activation="softmax")])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Recorder(Callback):
    """Writes down every hook."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.calls.append(f"train_begin {self.params}")

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append("train_end " + " ".join(logs))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(f"epoch_begin {epoch}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append(f"epoch_end {epoch} " + " ".join(logs))

    def on_test_begin(self, logs: Any = None) -> None:
        self.calls.append("test_begin")

    def on_test_end(self, logs: Any = None) -> None:
        self.calls.append("test_end " + " ".join(logs))


class BatchRecorder(Recorder):
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(f"batch_begin {batch}")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(f"batch_end {batch} " + " ".join(logs))


def test_order_of_the_hooks() -> None:
    x, y = data()
    for recorder, batches in ((Recorder(), 0), (BatchRecorder(), 3)):
        classifier().fit(x, y, epochs=2, verbose=0, validation_split=0.1, callbacks=[recorder])
        expected = ["train_begin {'verbose': 0, 'epochs': 2, 'steps': 3}"]
        for epoch in range(2):
            expected.append(f"epoch_begin {epoch}")
            for batch in range(batches):
                expected += [f"batch_begin {batch}", f"batch_end {batch} accuracy loss"]
            expected += ["test_begin", "test_end accuracy loss"]
            expected.append(f"epoch_end {epoch} accuracy loss val_accuracy val_loss")
        expected.append("train_end accuracy loss val_accuracy val_loss")
        assert recorder.calls == expected


def test_hooks_per_batch_change_nothing() -> None:
    x, y = data()
    models = [classifier("adam") for _ in range(2)]
    histories = []
    for model, extra in zip(models, ([], [BatchRecorder()]), strict=True):
        pynn.utils.set_random_seed(4)
        histories.append(model.fit(x, y, epochs=2, verbose=0, callbacks=extra).history)
    assert histories[0] == histories[1]
    assert np.array_equal(models[0].get_weights()[0], models[1].get_weights()[0])


def test_logs_of_a_batch_are_running_means() -> None:
    x, y = data()
    model = classifier(pynn.optimizers.SGD(0.0))
    seen: list[float] = []
    hook = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])
    )
    history = model.fit(x, y, shuffle=False, verbose=0, callbacks=[hook])
    rows = -np.log(model(x)[np.arange(96), y])
    expected = [rows[: 32 * (i + 1)].mean() for i in range(3)]
    np.testing.assert_allclose(seen, expected, rtol=1e-5)
    assert history.history["loss"] == [seen[-1]]


def test_older_batch_hooks() -> None:
    x, y = data()
    seen: list[int] = []

    class Old(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(batch)

    classifier().fit(x, y, verbose=0, callbacks=[Old()])
    assert seen == [0, 1, 2]


def test_stop_training_between_batches() -> None:
    x, y = data()
    model = classifier()

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 1

    hook = callbacks.LambdaCallback(on_train_batch_end=stop)
    history = model.fit(x, y, epochs=5, verbose=0, callbacks=hook)
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]


def test_history() -> None:
    x, y = data()
    model = classifier()
    history = model.fit(x, y, epochs=3, verbose=0)
    assert model.history is history
    assert history.epoch == [0, 1, 2]
    assert all(type(v) is float for values in history.history.values() for v in values)
    mine = callbacks.History()
    assert model.fit(x, y, verbose=0, callbacks=[mine]) is mine
    assert mine.epoch == [0]


def test_hooks_of_evaluate_and_predict() -> None:
    x, y = data()
    model = classifier()
    seen: list[str] = []
    hook = callbacks.LambdaCallback(
        on_test_begin=lambda logs: seen.append("test"),
        on_test_end=lambda logs: seen.append(" ".join(logs)),
        on_predict_begin=lambda logs: seen.append("predict"),
        on_predict_end=lambda logs: seen.append("end"),
    )
    model.evaluate(x, y, verbose=0, callbacks=[hook])
    model.predict(x, verbose=0, callbacks=[hook])
    assert seen == ["test", "accuracy loss", "predict", "end"]


# ---- ready-made ones, fed with values ------------------------------------------------------------


class Fake:
    """As much of a model as the watching callbacks touch."""

    def __init__(self, learning_rate: float = 1.0) -> None:
        self.stop_training = False
        self.optimizer = self
        self.learning_rate = learning_rate
        self._objective = self
        self.weights = 0

    def direction(self, name: str) -> str | None:
        return {"loss": "down", "accuracy": "up"}.get(name.removeprefix("val_"))

    def get_weights(self) -> list[Any]:
        return [self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        (self.weights,) = weights


def feed(callback: Any, values: list[float], model: Fake | None = None) -> Fake:
    """Plays epochs with these values; weights are the number of the epoch."""
    model = model or Fake()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_end(epoch, {callback.monitor: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    return model


@pytest.mark.parametrize(
    ("options", "values", "stopped", "best_epoch"),
    [
        ({}, [3, 2, 1, 1.5, 0], 3, 2),
        ({"patience": 2}, [3, 2, 2.5, 2.6, 0], 3, 1),
        ({"patience": 3}, [3, 2, 2.5, 2.6, 0], 0, 4),
        ({"min_delta": 0.5, "patience": 2}, [3, 2.8, 2.6, 1.0], 2, 0),
        ({"monitor": "val_accuracy"}, [0.1, 0.5, 0.4], 2, 1),
        ({"monitor": "other", "mode": "max"}, [0.1, 0.5, 0.4], 2, 1),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 1.5, 1.2], 0, 3),
        ({"baseline": 1.0, "patience": 2}, [3, 3.5, 4], 1, 0),
        ({"start_from_epoch": 2}, [1, 2, 3, 4, 0], 3, 2),
        ({"patience": 1}, [math.nan, math.nan, 1.0], 1, 0),
        ({"patience": 2}, [2.0, math.nan, 1.0, math.nan, math.nan], 4, 2),
    ],
)
@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping(
    options: dict[str, Any], values: list[float], stopped: int, best_epoch: int, restore: bool
) -> None:
    callback = EarlyStopping(restore_best_weights=restore, **options)
    model = feed(callback, values)
    assert callback.stopped_epoch == stopped
    assert callback.best_epoch == best_epoch
    last = stopped or len(values) - 1
    assert model.weights == (best_epoch if restore else last)


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


def test_early_stopping_in_fit() -> None:
    x, y = data()
    model = classifier(pynn.optimizers.SGD(0.0))
    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(x, y, epochs=50, shuffle=False, verbose=0, callbacks=[stop])
    assert history.epoch == [0, 1, 2]
    with pytest.warns(UserWarning, match="'val_loss', which is not there. Available: acc"):
        model.fit(x, y, verbose=0, callbacks=[EarlyStopping()])
    with pytest.raises(ValueError, match="Pass mode='min' or mode='max'"):
        feed(EarlyStopping(monitor="other"), [1.0, 2.0])


@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 2}, [1, 1, 1, 1, 1], [1, 1, 0.1, 0.1, 0.01]),
        ({"patience": 1, "factor": 0.5}, [1, 1, 0.5, 0.5], [1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "cooldown": 2}, [1, 1, 1, 1, 1], [1, 0.1, 0.1, 0.01, 0.01]),
        ({"patience": 1, "min_lr": 0.05}, [1, 1, 1, 1], [1, 0.1, 0.05, 0.05]),
        ({"patience": 1, "min_delta": 0.3}, [1, 0.8, 0.6], [1, 0.1, 0.1]),
        ({"patience": 1, "monitor": "accuracy"}, [0.1, 0.2, 0.2], [1, 1, 0.1]),
    ],
)
def test_reduce_on_plateau(
    options: dict[str, Any], values: list[float], rates: list[float]
) -> None:
    callback = ReduceLROnPlateau(**options)
    model = Fake()
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


def test_learning_rate_scheduler(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()
    model = classifier(pynn.optimizers.SGD(0.5))
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[halve])
    np.testing.assert_allclose(history.history["learning_rate"], [0.25, 0.125, 0.0625])
    assert "\nEpoch 2: LearningRateScheduler setting learning rate to 0.125.\n" in (
        capsys.readouterr().out
    )
    by_epoch = callbacks.LearningRateScheduler(lambda epoch: 1.0 / (epoch + 1))
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[by_epoch])
    assert history.history["learning_rate"] == [1.0, 0.5]
    fast: Any = "fast"
    wrong = callbacks.LearningRateScheduler(lambda epoch: fast)
    with pytest.raises(ValueError, match="must return a number"):
        model.fit(x, y, verbose=0, callbacks=[wrong])


def test_terminate_on_nan(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()

    def diverging() -> pynn.Sequential:
        model = pynn.Sequential([pynn.Input((4,)), layers.Dense(1)])
        model.compile(pynn.optimizers.SGD(1e6), "mse")
        return model

    model = diverging()
    with pytest.warns(pynn.DivergenceWarning):
        history = model.fit(x, y, epochs=90, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert len(history.epoch) < 90
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    strict = callbacks.TerminateOnNaN(raise_error=True)
    with pytest.warns(pynn.DivergenceWarning), pytest.raises(RuntimeError, match="diverged"):
        diverging().fit(x, y, epochs=90, verbose=0, callbacks=[strict])


def test_wrong_callbacks() -> None:
    x, y = data()
    with pytest.raises(TypeError, match="must be objects of"):
        classifier().fit(x, y, verbose=0, callbacks=[print])
    with pytest.raises(TypeError, match="unknown hook"):
        callbacks.LambdaCallback(on_epoch=print)
    with pytest.raises(ValueError, match="`factor` must lie"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.raises(ValueError, match="`mode` must be"):
        EarlyStopping(mode="up")


@pytest.mark.parametrize("change", ["compile", "add"])
def test_a_model_cannot_be_changed_under_its_training(change: str) -> None:
    x, y = data()
    model = classifier()

    def on_epoch_end(epoch: int, logs: object) -> None:
        if change == "compile":
            model.compile("sgd", "sparse_categorical_crossentropy")
        else:
            model.add(layers.Softmax())

    hook = pynn.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
    with pytest.raises(RuntimeError, match="ends this training"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[hook])
    model.fit(x, y, verbose=0)
