"""What comes into the engine from outside is checked there: an exception, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pynn import _core
from pynn._core import Variable

X = np.ones((8, 3), np.float32)
Y = np.ones((8, 2), np.float32)
MSE = {"output": 0, "target": 0, "name": "mean_squared_error"}
SGD = {"name": "sgd", "fields": [0.0, 0.0]}


def network(
    *nodes: dict[str, Any], shape: tuple[int, ...] = (3,), input_gradients: bool = False
) -> _core.Network:
    """A network of nodes that read the input where they do not say something else."""
    blank = {"layer": "layer", "inputs": [0], "variables": [], "trainable": []}
    full = [{**blank, **node} for node in nodes]
    return _core.Network("float32", [shape], full, [len(nodes)], input_gradients)


def dense(units: int, features: int = 3, bias: bool = True) -> dict[str, Any]:
    variables = [Variable((features, units))] + [Variable((units,))] * bias
    return {"op": "dense", "variables": variables, "trainable": [True] * len(variables)}


def parameter(*shape: int) -> dict[str, Any]:
    return {"op": "parameter", "inputs": [], "variables": [Variable(shape)], "trainable": [False]}


def loss_of(*inputs: int) -> dict[str, Any]:
    settings = {"name": "mean_squared_error", "params": [], "label_smoothing": 0.0}
    return {"op": "loss", "inputs": list(inputs), "from_logits": False, **settings}


def empty() -> dict[str, Any]:
    """A node whose samples have no elements."""
    return {"op": "gather", "shape": [0.0], "strides": [1.0], "offset": 0.0}


def external(forward: Callable[..., Any]) -> dict[str, Any]:
    return {"op": "external", "shape": [3.0], "forward": forward, "backward": None}


def trainer(
    net: _core.Network | None = None,
    losses: Any = (MSE,),
    metrics: Any = (),
    evaluation: _core.Network | None = None,
    **options: Any,
) -> _core.Trainer:
    net = net or network(dense(2))
    return _core.Trainer(net, evaluation or net, list(losses), list(metrics), SGD, options)


def train(
    made: _core.Trainer, y: Any = (Y,), weight: Any = (), order: np.ndarray | None = None
) -> int:
    rows = np.arange(len(X)) if order is None else order
    return made.train([X], list(y), list(weight), rows, 4, 0, 2, np.full(2, 0.1), 1.0, 0, 1)


BINARY = {"op": "binary", "name": "multiply", "constants": [0, 0]}
METRIC = {"output": 0, "target": 0, "name": "scores_by_threshold"}
ONES = np.ones((3, 1))

CALLS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "variable beyond memory": (lambda: Variable((2**32, 2**32)), ValueError, "2\\^48"),
    "negative variable": (lambda: Variable((-2, -3)), ValueError, "2\\^48"),
    "negative input": (lambda: network(dense(2), shape=(-3, -3)), ValueError, "2\\^48"),
    "input beyond memory": (lambda: network(dense(2), shape=(2**32, 2**33)), ValueError, "2\\^48"),
    "negative reshape": (
        lambda: network({"op": "reshape", "shape": [-1.0, -3.0]}),
        ValueError,
        "2\\^48",
    ),
    "no input": (
        lambda: _core.Network("float32", [], [{"layer": "p", **parameter(2)}], [0]),
        ValueError,
        "needs inputs",
    ),
    "no variable": (
        lambda: network({**dense(2), "variables": [None, None]}),
        ValueError,
        "must not be None",
    ),
    "NaN as axis": (lambda: network({"op": "cumsum", "axis": np.nan}), ValueError, "whole numbers"),
    "negative axis": (lambda: network({"op": "cumsum", "axis": -1}), ValueError, "one of a sample"),
    "a string for a bool": (
        lambda: network(
            {"op": "reduce", "name": "sum", "axes": [0.0], "batch": "yes", "keepdims": False}
        ),
        ValueError,
        "must be a bool",
    ),
    "an object for a number": (
        lambda: network({"op": "cumsum", "axis": object()}),
        TypeError,
        "cast",
    ),
    "an operand twice": (
        lambda: network({**BINARY, "operands": [0.0, 0.0]}),
        ValueError,
        "input of its own",
    ),
    "an operand too many": (
        lambda: network({**BINARY, "operands": [0.0, 5.0]}),
        ValueError,
        "input of its own",
    ),
    "a target without samples": (
        lambda: network(parameter(3), loss_of(0, 1)),
        ValueError,
        "do not fit",
    ),
    "a prediction without samples": (
        lambda: network(parameter(3), loss_of(1, 0)),
        ValueError,
        "do not fit",
    ),
    "a list in place of an array": (
        lambda: network(dense(2)).predict([[1.0, 2.0, 3.0]], 1),
        TypeError,
        "NumPy array",
    ),
    "None in place of an array": (
        lambda: network(dense(2)).predict(None, 1),
        TypeError,
        "NumPy array",
    ),
    "a loss of no elements": (lambda: trainer(network(empty())), ValueError, "with elements"),
    "a metric of no elements": (
        lambda: trainer(network(empty()), (), (MSE,)),
        ValueError,
        "with elements",
    ),
    "the mean of no elements": (
        lambda: trainer(network(empty()), ({"values": 0, "target": 0},)),
        ValueError,
        "with elements",
    ),
    "too few thresholds": (
        lambda: trainer(metrics=[{**METRIC, "params": [0, np.inf, 0]}]),
        ValueError,
        "num_thresholds",
    ),
    "a parameter too many": (
        lambda: trainer(losses=[{**MSE, "params": [1.0]}]),
        ValueError,
        "expected 0 parameters",
    ),
    "weights that no loss reads": (
        lambda: train(trainer(), (Y, Y), (None, np.ones((1, 10**6), np.float32))),
        ValueError,
        "sample_weight\\[1\\]",
    ),
    "another network's outputs": (
        lambda: trainer(evaluation=network(dense(200_000))),
        ValueError,
        "same shapes",
    ),
    "a penalty on no variable": (
        lambda: trainer(penalties=[(9, 0.1, 0.1, False)]),
        ValueError,
        "number of a variable",
    ),
    "a constraint on no variable": (
        lambda: trainer(constraints=[{"variable": -1}]),
        ValueError,
        "number of a variable",
    ),
    "a row that is not there": (
        lambda: train(trainer(), order=np.array([0, 99])),
        ValueError,
        "row numbers",
    ),
    "params of a wrong type": (
        lambda: trainer(losses=[{**MSE, "params": "huber"}]),
        TypeError,
        "cast",
    ),
    "a loss of no columns": (
        lambda: _core.loss("mean_squared_error", np.ones((3, 0)), np.ones((3, 0))),
        ValueError,
        "at least one column",
    ),
    "values of no columns": (
        lambda: _core.metric_values("accuracy", np.ones((3, 0)), np.ones((3, 0))),
        ValueError,
        "do not fit",
    ),
    "thresholds beyond memory": (
        lambda: _core.metric("scores_by_threshold", ONES, ONES, None, [1e300, np.inf, 0]),
        ValueError,
        "num_thresholds",
    ),
    "no thresholds": (
        lambda: _core.metric("scores_by_threshold", ONES, ONES, None, [0, np.inf, 0]),
        ValueError,
        "num_thresholds",
    ),
    "weights that are read-only": (
        lambda: _core.optimizer_step(
            "sgd", [0.0, 0.0], 0.1, 1, np.frombuffer(bytes(8)), np.ones(1), []
        ),
        ValueError,
        "writeable",
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_refused(what: str) -> None:
    call, error, text = CALLS[what]
    with pytest.raises(error, match=text):
        call()


def test_a_batch_that_no_memory_holds() -> None:
    """A view of one number can pretend to be any size."""
    x = np.broadcast_to(np.float32(1), (16, 2**40))
    net = network({"op": "stop_gradient"}, shape=(2**40,))
    with pytest.raises((ValueError, MemoryError)):
        trainer(net, ({"values": 0, "target": None},)).evaluate([x], [], [], 1)


def test_the_output_has_samples_as_the_first_input() -> None:
    """A further input, which an op does not read, makes no samples of it."""
    net = network(parameter(4), {"op": "activation", "name": "relu", "inputs": [1, 0]})
    assert net.predict(X, 1)[0].shape == (4,)


def test_no_features() -> None:
    """A sum of no terms is 0, whatever the memory held before."""
    layer = dense(2, features=0)
    layer["variables"][1].assign(np.array([1, 2], np.float32))
    y = network(layer, shape=(0,)).predict(np.ones((9, 0), np.float32), 1)[0]
    np.testing.assert_array_equal(y, np.tile([1.0, 2.0], (9, 1)))
    product = {"op": "matmul", "inputs": [0, 1]}
    net = network(parameter(0, 5), product, shape=(4, 0))
    np.testing.assert_array_equal(net.predict(np.ones((9, 4, 0), np.float32), 1)[0], 0)


def test_python_code_computes_with_subnormal_numbers() -> None:
    """The engine flushes them to zero; code it calls sees them as NumPy does."""
    tiny = np.float32(1e-30)

    def forward(arrays: list[np.ndarray], training: bool) -> tuple[np.ndarray, None]:
        return arrays[0] * tiny * np.float32(1e-12) * np.float32(1e30), None

    y = network(external(forward)).predict(X, 1)[0]
    np.testing.assert_allclose(y, 1e-12, rtol=0.01)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u8"])
def test_unaligned_rows(dtype: str) -> None:
    """A field of a packed record stands at any address."""
    records = np.zeros(50, dtype=[("tag", "u1"), ("x", dtype, (3,))])
    records["x"] = np.arange(150).reshape(50, 3)
    assert not records["x"].flags.aligned
    y = network({"op": "rescale", "scale": 2.0, "offset": 0.0}).predict(records["x"], 1)[0]
    np.testing.assert_array_equal(y, 2 * np.arange(150).reshape(50, 3))


def test_a_trainer_in_use_does_not_change() -> None:
    """Python code that the engine calls cannot take the memory from under it."""
    seen: list[str] = []

    def forward(arrays: list[np.ndarray], training: bool) -> tuple[np.ndarray, None]:
        for call in (lambda: made.set_fields([0.5, 0.0]), made.outputs, made.last_gradients):
            if training:
                with pytest.raises(RuntimeError, match="being trained already"):
                    call()
                seen.append("refused")
        return arrays[0], None

    made = trainer(network(external(forward)), ({"values": 0, "target": None},))
    assert made.train([X], [], [], np.arange(8), 8, 0, 1, np.ones(1), 1.0, 0, 1) == 1
    assert seen == ["refused"] * 3
    assert made.outputs()[0].shape == (8, 3)
