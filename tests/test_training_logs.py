"""Callbacks that write logs: CSV files and TensorBoard."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers
from pynn.callbacks import CSVLogger, TensorBoard
from stand_in import StandIn

# ---- CSVLogger: the files are those that Keras 3.15 writes ---------------------------------------


def write(path: Path, epochs: list[dict[str, Any]], **options: Any) -> str:
    logger = CSVLogger(path, **options)
    logger.on_train_begin()
    for epoch, logs in enumerate(epochs):
        logger.on_epoch_end(epoch, logs)
        assert len(path.read_bytes().splitlines()) >= epoch + 2
    logger.on_train_end()
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("epochs", "options", "expected"),
    [
        (
            [{"loss": 0.5, "accuracy": 0.25}, {"loss": math.nan, "accuracy": 0.5}],
            {},
            "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,0.25,0.5,NA,NA\r\n1,0.5,nan,NA,NA\r\n",
        ),
        (
            [{"loss": 0.5}, {"loss": 0.25, "val_loss": 1.0}],
            {},
            "epoch,loss,val_loss\r\n0,0.5,NA\r\n1,0.25,1.0\r\n",
        ),
        (
            [{"loss": 0.5, "val_loss": 0.75, "learning_rate": 0.1}],
            {"separator": ";"},
            "epoch;learning_rate;loss;val_loss\r\n0;0.1;0.5;0.75\r\n",
        ),
        (
            [{"loss": [1.0, 2.0], "name": "x"}],
            {},
            'epoch,loss,name,val_loss,val_name\r\n0,"""[1.0, 2.0]""",x,NA,NA\r\n',
        ),
        ([{}, {"loss": 1.0}], {}, "epoch\r\n0\r\n1\r\n"),
    ],
)
def test_csv(
    epochs: list[dict[str, Any]], options: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "log.csv"
    for _ in range(2):  # the second overwrites
        assert write(path, epochs, **options) == expected
    rows = expected.split("\r\n", 1)[1]
    assert write(path, epochs, append=True, **options) == expected + rows
    path.unlink()
    assert write(path, epochs, append=True, **options) == expected


def test_csv_of_a_fit(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(64, 4)), np.ones((64, 1))
    model = small_network()
    path = tmp_path / "log.csv"
    history = model.fit(
        x, y, epochs=3, validation_split=0.25, verbose=0, callbacks=[CSVLogger(path)]
    )
    table = np.genfromtxt(path, delimiter=",", names=True)
    assert table.dtype.names == ("epoch", "loss", "val_loss")
    for name in ("loss", "val_loss"):
        np.testing.assert_array_equal(table[name], history.history[name])


def small_network() -> pynn.Sequential:
    pynn.utils.set_random_seed(0)
    model = pynn.Sequential([pynn.Input((4,)), layers.Dense(3, name="hidden"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


# ---- TensorBoard, read by the real one -----------------------------------------------------------

pytest.importorskip("tensorboardX")


class Weight:
    def __init__(self, path: str, values: list[float]) -> None:
        self.path, self.values = path, np.array(values)

    def numpy(self) -> Any:
        return self.values


class Observed(StandIn):
    """Ten steps an epoch; two weights."""

    def __init__(self) -> None:
        super().__init__(0.125)
        self.weights = [
            Weight("dense/kernel", [0.0, 1.0, 2.0, math.nan]),
            Weight("dense/bias", [1]),
        ]

    def to_json(self) -> str:
        return SEQUENTIAL

    def last_gradients(self) -> list[tuple[Any, Any]]:
        kernel, bias = self.weights
        return [(kernel, np.array([3.0, 4.0])), (bias, np.array([12.0]))]


SEQUENTIAL = """{"class_name": "Sequential", "config": {"name": "net", "layers": [
{"class_name": "Dense", "config": {"name": "hidden", "dtype": "float32"}, "inbound_nodes": []},
{"class_name": "Dense", "config": {"name": "out", "dtype": "float32"}, "inbound_nodes": []}]}}"""


def observe(folder: Path, **options: Any) -> None:
    """Plays two epochs of ten batches with an evaluation each."""
    board, model = TensorBoard(folder, **options), Observed()
    board.set_model(model)
    board.on_train_begin()
    for epoch in range(2):
        board.on_epoch_begin(epoch)
        for batch in range(10):
            model.iterations += 1
            board.on_train_batch_end(batch, {"loss": float(batch)})
        board.on_test_begin()
        board.on_test_end({"loss": 7.0 + epoch})
        board.on_epoch_end(epoch, {"loss": 1.0 - epoch, "val_loss": 2.0 - epoch})
    board.on_train_end({})


def read(folder: Path) -> Any:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(folder), {"histograms": 0})  # all of them
    events.Reload()
    return events


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = read(folder)
    return {
        tag: [(point.step, point.value) for point in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_scalars(tmp_path: Path) -> None:
    observe(tmp_path)
    assert scalars(tmp_path / "train") == {
        "epoch_loss": [(0, 1.0), (1, 0.0)],
        "epoch_learning_rate": [(0, 0.125), (1, 0.125)],
    }
    assert scalars(tmp_path / "validation") == {
        "epoch_loss": [(0, 2.0), (1, 1.0)],
        "evaluation_loss_vs_iterations": [(10, 7.0), (20, 8.0)],
    }


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", range(1, 21)), (6, (6, 12, 18))])
def test_scalars_of_batches(update_freq: Any, steps: Any, tmp_path: Path) -> None:
    observe(tmp_path, update_freq=update_freq, write_steps_per_second=True)
    found = scalars(tmp_path / "train")
    assert found["batch_loss"] == [(step, (step - 1) % 10) for step in steps]
    assert [step for step, _ in found["batch_steps_per_second"]] == list(steps)
    assert all(value > 0 for _, value in found["epoch_steps_per_second"])


def test_histograms_and_gradients(tmp_path: Path) -> None:
    observe(tmp_path, histogram_freq=1, write_grads=True)
    events = read(tmp_path / "train")
    assert sorted(events.Tags()["histograms"]) == [
        "dense/bias/gradient",
        "dense/bias/histogram",
        "dense/kernel/gradient",
        "dense/kernel/histogram",
    ]
    kernel = events.Histograms("dense/kernel/histogram")
    assert [event.step for event in kernel] == [0, 1]
    value = kernel[0].histogram_value
    assert (value.min, value.max, value.num, value.sum) == (0.0, 2.0, 3, 3.0)
    found = scalars(tmp_path / "train")
    assert found["dense/kernel/gradient_norm"] == [(0, 5.0), (1, 5.0)]
    assert found["epoch_gradient_norm"] == [(0, 13.0), (1, 13.0)]


def test_histograms_now_and_then(tmp_path: Path) -> None:
    observe(tmp_path, histogram_freq=2)
    events = read(tmp_path / "train")
    assert [event.step for event in events.Histograms("dense/bias/histogram")] == [0]
    assert "epoch_gradient_norm" not in events.Tags()["scalars"]


def test_graph(tmp_path: Path) -> None:
    """TensorBoard's own reader turns what was written into a graph of two layers."""
    keras_util = pytest.importorskip("tensorboard.plugins.graph.keras_util")
    observe(tmp_path)
    events = read(tmp_path / "train")
    assert events.SummaryMetadata("keras").plugin_data.plugin_name == "graph_keras_model"
    (event,) = events.Tensors("keras")
    text = event.tensor_proto.string_val[0].decode()
    graph = keras_util.keras_model_to_graph_def(json.loads(text))
    assert [node.name for node in graph.node] == ["net/hidden", "net/out"]
    observe(tmp_path / "without", write_graph=False)
    assert "keras" not in read(tmp_path / "without" / "train").Tags()["tensors"]


def test_a_model_that_cannot_be_described(tmp_path: Path) -> None:
    board, model = TensorBoard(tmp_path), Observed()
    model.to_json = lambda: (_ for _ in ()).throw(TypeError("no"))  # type: ignore[method-assign]
    board.set_model(model)
    with pytest.warns(UserWarning, match="graph is not written: no"):
        board.on_train_begin()
    board.on_close()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("write_images", True),
        ("profile_batch", 2),
        ("embeddings_freq", 1),
        ("embeddings_metadata", "m.tsv"),
        ("histogram_freq", -1),
        ("write_grads", True),
        ("update_freq", "never"),
        ("update_freq", 0),
    ],
)
def test_tensorboard_refuses(option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"TensorBoard: .*{option}"):
        TensorBoard(**{option: value})


def test_without_tensorboardx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'pynn-mlp\[tensorboard\]'"):
        TensorBoard()


def test_tensorboard_of_a_fit(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).normal(size=(64, 4)), np.ones((64, 1))
    model = small_network()
    board = TensorBoard(tmp_path, histogram_freq=1, write_graph=False)
    history = model.fit(x, y, epochs=3, validation_split=0.25, verbose=0, callbacks=[board])
    for run, name in (("train", "loss"), ("validation", "val_loss")):
        found = scalars(tmp_path / run)["epoch_loss"]
        np.testing.assert_allclose([value for _, value in found], history.history[name], rtol=1e-6)
    tag = f"{model.weights[0].path}/histogram"
    last = read(tmp_path / "train").Histograms(tag)[-1].histogram_value
    kernel = model.get_weights()[0]
    assert last.num == kernel.size
    assert last.max == pytest.approx(kernel.max())
