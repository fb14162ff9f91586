"""The engine driven directly: graphs of several inputs, outputs and losses, against NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pynn import _core

Array = npt.NDArray[Any]
RNG = np.random.default_rng(5)
N = 6
SGD: dict[str, Any] = {"name": "sgd", "fields": [0.0, 0.0]}


def variable(values: Array) -> _core.Variable:
    made = _core.Variable(values.shape, "float64")
    made.assign(values)
    return made


def node(
    op: str, inputs: Sequence[int], variables: Sequence[_core.Variable] = (), **spec: Any
) -> dict[str, Any]:
    trainable = spec.pop("trainable", [True] * len(variables))
    return {
        "op": op,
        "layer": f"my_{op}",
        "inputs": list(inputs),
        "variables": list(variables),
        "trainable": trainable,
        **spec,
    }


def trainer_of(
    network: _core.Network,
    losses: list[dict[str, Any]],
    metrics: list[dict[str, Any]] | None = None,
) -> _core.Trainer:
    return _core.Trainer(network, network, losses, metrics or [], SGD, {})


def train(trainer: _core.Trainer, x: list[Any], y: list[Any], weight: list[Any]) -> None:
    order = np.arange(len(x[0]))
    trainer.train(x, y, weight, order, len(order), 0, 1, np.full(1, 0.1), 10.0, 3, 2)


def slope(function: Callable[[], float], array: Array) -> Array:
    """The gradient of ``function()`` with respect to ``array``, by central differences."""
    gradient, step = np.empty_like(array), 1e-6
    for i in np.ndindex(array.shape):
        kept = array[i]
        values = []
        for sign in (1, -1):
            array[i] = kept + sign * step
            values.append(function())
        array[i] = kept
        gradient[i] = (values[0] - values[1]) / (2 * step)
    return gradient


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


def product(arrays: list[Array], training: bool) -> tuple[Array, Any]:
    return arrays[0] * arrays[1], training


def product_gradient(saved: Any, dy: Array, arrays: list[Array]) -> list[Array | None]:
    return [dy * arrays[1], dy * arrays[0]]


PRODUCT: dict[str, Any] = {"forward": product, "backward": product_gradient}


class Web:
    """Two inputs and three outputs; one kernel and one tensor are used more than once.

    h = tanh(x0 K + b), g = tanh(h K), p = h g, outputs softmax(p V), softsign(x1 W) and p.
    """

    def __init__(self) -> None:
        self.x = [RNG.normal(size=(N, 4)), RNG.normal(size=(N, 3))]
        shapes = {"K": (4, 4), "b": (4,), "V": (4, 3), "W": (3, 20)}
        self.arrays = {name: RNG.normal(0.1, 0.5, shape) for name, shape in shapes.items()}
        self.variables = {name: variable(array) for name, array in self.arrays.items()}
        v = self.variables
        nodes = [
            node("dense", [0], [v["K"], v["b"]]),  # 2
            node("activation", [2], name="tanh"),  # 3
            node("dense", [3], [v["K"]]),  # 4
            node("activation", [4], name="tanh"),  # 5
            node("external", [3, 5], shape=[4.0], **PRODUCT),  # 6
            node("dense", [6], [v["V"]]),  # 7
            node("activation", [7], name="softmax"),  # 8
            node("dense", [1], [v["W"]]),  # 9
            node("activation", [9], name="softsign"),  # 10
        ]
        self.network = _core.Network(
            "float64", [(4,), (3,)], nodes, [8, 10, 6], input_gradients=True
        )

    def outputs(self) -> list[Array]:
        a = self.arrays
        h = np.tanh(self.x[0] @ a["K"] + a["b"])
        p = h * np.tanh(h @ a["K"])
        r = self.x[1] @ a["W"]
        return [softmax(p @ a["V"]), r / (1 + np.abs(r)), p]


def test_outputs_of_a_graph() -> None:
    web = Web()
    expected = web.outputs()
    for found in (web.network.predict(web.x, 2), web.network.forward(web.x, 0, 0, 1)):
        assert len(found) == 3
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert web.network.output_shapes == [(3,), (20,), (4,)]
    assert web.network.whole_batch  # Python computes a node


def test_gradients_of_a_graph() -> None:
    """Every reduction, sample weights, loss weights, two losses on an output, and a penalty."""
    web = Web()
    y = [np.eye(3)[RNG.integers(0, 3, N)], RNG.normal(size=(N, 20))]
    w = [RNG.uniform(0, 2, N), RNG.uniform(0, 2, N)]
    losses: list[dict[str, Any]] = [
        {"name": "categorical_crossentropy", "output": 0, "target": 0, "weight": 0.7},
        {"name": "mean_squared_error", "output": 0, "target": 0, "reduction": "sum"},
        {
            "name": "mean_squared_error",
            "output": 1,
            "target": 1,
            "weight": 2.0,
            "reduction": "mean_with_sample_weight",
        },
        {"values": 2, "target": None, "weight": 0.3},
        {"values": 2, "target": 1, "weight": 0.2},
    ]

    def terms() -> list[float]:
        probability, regression, p = web.outputs()
        cross = -(y[0] * np.log(probability)).sum(-1)
        squares = ((probability - y[0]) ** 2).mean(-1)
        other = ((regression - y[1]) ** 2).mean(-1)
        return [
            float((w[0] * cross).mean()),
            float((w[0] * squares).sum()),
            float((w[1] * other).sum() / w[1].sum()),
            float(p.sum()),
            float((w[1][:, None] * p).mean()),
        ]

    def total() -> float:
        return float(np.dot([0.7, 1.0, 2.0, 0.3, 0.2], terms()))

    trainer = trainer_of(web.network, losses)
    _, variables, inputs = trainer.gradients(web.x, y, w, 0, True, 1, input_gradients=True)
    for ours, name in zip(variables, web.variables, strict=True):
        np.testing.assert_allclose(ours, slope(total, web.arrays[name]), rtol=1e-6, atol=1e-8)
    for ours, array in zip(inputs, web.x, strict=True):
        np.testing.assert_allclose(ours, slope(total, array), rtol=1e-6, atol=1e-8)

    expected = terms()
    del expected[3]  # a penalty counts in the total alone
    trainer.evaluate(web.x, y, w, 1)
    train(trainer, web.x, y, w)
    for results in (trainer.results(), trainer.results(evaluation=True)):
        assert results["loss"] == pytest.approx(total(), rel=1e-12)
        assert results["losses"] == pytest.approx(expected, rel=1e-12)
    assert trainer.whole_batch
    for output, theirs in zip(trainer.outputs(), web.outputs(), strict=True):
        np.testing.assert_allclose(output, theirs, rtol=1e-12)
    for gradient, (name, v) in zip(variables, web.variables.items(), strict=True):
        np.testing.assert_allclose(v.array, web.arrays[name] - 0.1 * gradient, rtol=1e-10)


def test_a_gradient_in_inference_mode() -> None:
    kernel = variable(RNG.normal(size=(3, 2)))
    moving = [variable(np.full(2, 0.3)), variable(np.full(2, 2.0))]
    gamma = variable(np.array([1.5, 0.5]))
    settings = {"momentum": 0.9, "epsilon": 1e-3, "scale": True, "center": False, "frozen": False}
    trainable = [True, False, False]
    nodes = [
        node("dense", [0], [kernel]),
        node("dropout", [1], rate=0.5),
        node("rrelu", [2], lower=0.1, upper=0.3),
        node("batch_norm", [3], [gamma, *moving], trainable=trainable, **settings),
    ]
    network = _core.Network("float64", [(3,)], nodes, [4])
    x, y = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 2))
    trainer = trainer_of(network, [{"name": "mean_squared_error"}])
    _, found, inputs = trainer.gradients([x], [y], [], 0, False, 1)
    assert [inputs, found[2], found[3]] == [None, None, None]
    arrays = [kernel.copy(), gamma.copy()]

    def loss() -> float:
        z = x @ arrays[0]
        z = np.where(z >= 0, z, 0.2 * z)
        return float(np.mean((arrays[1] * (z - 0.3) / np.sqrt(2.0 + 1e-3) - y) ** 2))

    for ours, array in zip(found, arrays, strict=False):
        np.testing.assert_allclose(ours, slope(loss, array), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(moving[0].array, 0.3)


def test_a_parameter_is_one_value_for_the_whole_batch() -> None:
    """A matrix of more than one cache line, whose rows the engine pads."""
    values = RNG.normal(size=(2, 13))
    v = variable(values)
    network = _core.Network("float64", [(3,)], [node("parameter", [], [v])], [1, 0])
    x = RNG.normal(size=(1000, 3))
    for found in (network.predict([x], 2), network.forward([x], 0, 0, 1)):
        np.testing.assert_array_equal(found[0], values)
        np.testing.assert_array_equal(found[1], x)
    assert not network.whole_batch
    trainer = trainer_of(network, [{"values": 0, "target": None, "weight": 3.0}])
    trainer.evaluate([x], [], [], 2)
    assert trainer.results(evaluation=True)["loss"] == pytest.approx(3 * values.sum())
    _, gradients, _ = trainer.gradients([x], [], [], 0, True, 1)
    np.testing.assert_array_equal(gradients[0], np.full((2, 13), 3.0))


def test_metrics_of_several_outputs() -> None:
    web = Web()
    y = [RNG.integers(0, 3, N), RNG.normal(size=(N, 20))]
    w = RNG.uniform(0, 2, N)
    losses = [{"name": "sparse_categorical_crossentropy"}]
    metrics: list[dict[str, Any]] = [
        {"name": "sparse_categorical_accuracy", "output": 0, "target": 0},
        {"name": "mean_squared_error", "output": 1, "target": 1, "weighted": True},
        {"values": 2, "target": 1, "weighted": True},
        {"values": 2, "target": 1},
    ]
    trainer = trainer_of(web.network, losses, metrics)
    train(trainer, web.x, y, [None, w])
    trainer.results(reset=True)
    train(trainer, web.x, y, [None, w])
    probability, regression, p = trainer.outputs()
    hits, squares, weighted, plain = trainer.results()["metrics"]
    assert hits[0] == (probability.argmax(-1) == y[0]).sum()
    errors = ((regression - y[1]) ** 2).mean(-1)
    assert squares == pytest.approx([np.dot(w, errors), w.sum()])
    assert weighted == pytest.approx([np.dot(w, p).sum(), 4 * w.sum()])
    assert plain == pytest.approx([p.sum(), p.size])


def test_another_network_evaluates() -> None:
    v = variable(RNG.normal(size=(3, 2)))
    plain = _core.Network("float64", [(3,)], [node("dense", [0], [v])], [1])
    nodes = [node("dense", [0], [v]), node("rescale", [1], scale=2.0, offset=0.0)]
    doubled = _core.Network("float64", [(3,)], nodes, [2])
    x, y = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 2))
    trainer = _core.Trainer(plain, doubled, [{"name": "mean_squared_error"}], [], SGD, {})
    trainer.evaluate([x], [y], [], 1)
    expected = np.mean((2 * x @ v.copy() - y) ** 2)
    assert trainer.results(evaluation=True)["loss"] == pytest.approx(expected)
    assert not trainer.whole_batch


def test_a_layer_in_numpy_with_weights() -> None:
    """The gradients of the inputs come first, then those of the variables; None means zero."""
    w = variable(RNG.normal(size=(3, 20)))
    idle = variable(np.ones(2))
    calls: list[bool] = []

    def forward(arrays: list[Array], training: bool) -> tuple[Array, Any]:
        calls.append(training)
        return arrays[0] @ arrays[1], arrays[0]

    def backward(x: Array, dy: Array, arrays: list[Array]) -> list[Array | None]:
        return [dy @ arrays[1].T, x.T @ dy, None]

    spec = {"shape": [20.0], "forward": forward, "backward": backward}
    network = _core.Network("float64", [(3,)], [node("external", [0], [w, idle], **spec)], [1])
    x, y = RNG.normal(size=(50, 3)), RNG.normal(size=(50, 20))
    np.testing.assert_allclose(network.predict([x], 2)[0], x @ w.array)
    assert calls == [False]  # once, whatever the number of rows
    trainer = trainer_of(network, [{"name": "mean_squared_error"}])
    expected = x.T @ (2 * (x @ w.copy() - y) / y.size)
    _, (ours, zero), _ = trainer.gradients([x], [y], [], 0, True, 2)
    np.testing.assert_allclose(ours, expected)
    np.testing.assert_array_equal(zero, 0)
    before = w.copy()
    train(trainer, [x], [y], [])
    np.testing.assert_allclose(w.array, before - 0.1 * expected)
    np.testing.assert_array_equal(idle.array, 1)


def external(forward: Any, backward: Any = product_gradient) -> _core.Network:
    spec = {"shape": [2.0], "forward": forward, "backward": backward}
    return _core.Network("float64", [(2,)], [node("external", [0, 0], **spec)], [1], True)


def test_errors_in_a_layer_in_numpy() -> None:
    x = [np.ones((N, 2))]

    def fails(arrays: list[Array], training: bool) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        external(fails).predict(x, 1)
    with pytest.raises(ValueError, match="my_external: forward must return a pair"):
        external(lambda arrays, training: arrays[0]).predict(x, 1)
    with pytest.raises(ValueError, match=r"must return a y of shape \(6, 2\).*shape=\(6,\)"):
        external(lambda arrays, training: (arrays[0][:, 0], None)).predict(x, 1)

    def gradients(backward: Any) -> Any:
        trainer = trainer_of(external(product, backward), [{"name": "mean_squared_error"}])
        return trainer.gradients(x, [np.zeros((N, 2))], [], 0, True, 1, True)

    with pytest.raises(ValueError, match="backward must return a list of 2 gradients"):
        gradients(lambda saved, dy, arrays: [dy])
    with pytest.raises(ValueError, match=r"a gradient of shape \(6, 2\).*\(2,\)"):
        gradients(lambda saved, dy, arrays: [dy[0], dy])
    _, _, inputs = gradients(product_gradient)
    np.testing.assert_allclose(inputs[0], 2 * 2 / (2 * N))  # of x * x at 1


def test_python_may_keep_what_it_was_given() -> None:
    kept: list[Array] = []

    def keeps(arrays: list[Array], training: bool) -> tuple[Array, Any]:
        kept.append(arrays[0])
        return arrays[0] * 2, None

    network = external(keeps)
    for i in range(3):
        network.predict([np.full((N, 2), float(i))], 1)
    assert [array[0, 0] for array in kept] == [0, 1, 2]


def test_errors_of_a_trainer() -> None:
    web = Web()
    y: list[Any] = [np.zeros(N), np.zeros((N, 20))]
    losses: list[dict[str, Any]] = [
        {"name": "sparse_categorical_crossentropy"},
        {"name": "mean_squared_error", "output": 1, "target": 1},
    ]
    trainer = trainer_of(web.network, losses)
    trainer.check(web.x, y)
    with pytest.raises(ValueError, match=r"expected targets for 2 outputs. Received: 1"):
        trainer.check(web.x, y[:1])
    with pytest.raises(ValueError, match=r"expected targets. Received: y\[1\]=None"):
        trainer.check(web.x, [y[0], None])
    with pytest.raises(ValueError, match=r"y\[0\] must have the same number of samples"):
        trainer.check(web.x, [y[0][1:], y[1]])
    with pytest.raises(ValueError, match=r"class indices.*y\[0\]\[2\]=3"):
        trainer.check(web.x, [np.array([0, 1, 3, 0, 0, 0]), y[1]])
    with pytest.raises(ValueError, match="a place for every target"):
        trainer.check(web.x, y, [None])
    with pytest.raises(ValueError, match=r"one number per sample.*sample_weight\[1\]"):
        trainer.check(web.x, y, [None, np.ones((N, 3))])
    with pytest.raises(ValueError, match=r"expected 2 input arrays. Received: 1"):
        web.network.predict(web.x[:1], 1)
    with pytest.raises(ValueError, match="wants 20 target values per sample, but"):
        trainer_of(web.network, [losses[0], {**losses[1], "target": 0}])
    with pytest.raises(ValueError, match="number of an output"):
        trainer_of(web.network, [{"name": "mean_squared_error", "output": 3}])
    with pytest.raises(ValueError, match="reduction must be"):
        trainer_of(web.network, [{"name": "mean_squared_error", "reduction": "none"}])
    plain = _core.Network("float64", [(3,)], [node("rescale", [0], scale=2.0, offset=1.0)], [1])
    with pytest.raises(ValueError, match="without gradients of its inputs"):
        trainer_of(plain, [{"name": "mean_squared_error"}]).gradients(
            [np.ones((2, 3))], [np.ones((2, 3))], [], 0, True, 1, input_gradients=True
        )
    with pytest.raises(ValueError, match="a tensor of the graph"):
        _core.Network("float64", [(3,)], [], [1])


def test_sums_of_millions_stay_exact() -> None:
    x = RNG.random((1, 3_000_000), np.float32)
    mean = node("reduce", [0], name="mean", axes=[0.0], batch=True, keepdims=False)
    y = _core.Network("float32", [x.shape[1:]], [mean], [1]).predict(x, 1)[0]
    np.testing.assert_allclose(y, x.mean(dtype=np.float64), rtol=3e-7)
