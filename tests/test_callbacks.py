"""Callbacks: when they are called, with what, and what the ready-made ones do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from pynn import callbacks, layers
from pynn.callbacks import Callback


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


def test_history_of_a_metric_with_a_value_per_class(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = data()
    model = classifier()
    classes = model.output_shape[-1]
    hot = np.eye(classes)[y]
    model.compile("sgd", "categorical_crossentropy", metrics=[pynn.metrics.F1Score()])
    history = model.fit(x, hot, verbose=2)
    (scores,) = history.history["f1_score"]
    assert scores.shape == (classes,)
    assert f"f1_score: {scores.mean():.4f}" in capsys.readouterr().out
    assert "f1_score" in repr(history)
    assert "f1_score" in history._repr_html_()


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


def test_wrong_callbacks() -> None:
    x, y = data()
    with pytest.raises(TypeError, match="must be objects of"):
        classifier().fit(x, y, verbose=0, callbacks=[print])
    with pytest.raises(TypeError, match="unknown hook"):
        callbacks.LambdaCallback(on_epoch=print)


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
