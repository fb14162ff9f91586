"""Models made of symbols: what they compute, train, show and refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, numeric_gradients, rows
from pynn import layers, ops


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


# ---- what a graph computes -------------------------------------------------------------------


def test_operators_on_symbols() -> None:
    a, b = pynn.Input((3,)), pynn.Input((3,))
    results = {
        "sums": (a + b) * 2 - 1 / (a * a + 1) + (-b) ** 2 + abs(a) - a / 3,
        "reflected": 2 - a + 3 * b + 2**a,
        "slices": a[:, :1] * b[:, 1:2] + a[:, -1:],
        "numbers": a[:, 0] - b[:, 1],
        "steps": a[:, ::2],
        "product": ops.matmul(a[:, None, :], b[:, :, None]),
        "matmul": a @ np.arange(6.0).reshape(3, 2),
        "arrays": np.array([1.0, 2.0, 3.0]) * a + np.array([1.0, 0.0, 0.0]),
    }
    model = pynn.Model([a, b], results)
    x, y = rows(4, 3), rows(4, 3, 1)
    found = model.predict([x, y], verbose=0)
    expected = {
        "sums": (x + y) * 2 - 1 / (x * x + 1) + y**2 + abs(x) - x / 3,
        "reflected": 2 - x + 3 * y + 2**x,
        "slices": x[:, :1] * y[:, 1:2] + x[:, -1:],
        "numbers": x[:, 0] - y[:, 1],
        "steps": x[:, ::2],
        "product": np.einsum("ni,ni->n", x, y)[:, None, None],
        "matmul": x @ np.arange(6.0).reshape(3, 2),
        "arrays": np.array([1.0, 2.0, 3.0]) * x + np.array([1.0, 0.0, 0.0]),
    }
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].shape == values.shape
        assert results[name].shape == (None, *values.shape[1:])
        _close(found[name], values)


def test_a_shared_layer_has_its_weights_once_and_the_sum_of_both_gradients() -> None:
    a, b = pynn.Input((3,)), pynn.Input((3,))
    shared = layers.Dense(2, activation="tanh")
    model = pynn.Model([a, b], layers.Add()([shared(a), shared(b)]))
    w = fill(model)
    assert model.count_params() == 8
    assert len(model.trainable_weights) == 2
    x, z, y = rows(5, 3), rows(5, 3, 1), rows(5, 2, 2)

    def loss(weights: list[Array]) -> float:
        kernel, bias = weights
        out = np.tanh(x @ kernel + bias) + np.tanh(z @ kernel + bias)
        return float(((out - y) ** 2).mean())

    model.compile("sgd", "mse")
    _close(model.evaluate([x, z], y, verbose=0), loss(w))
    for ours, theirs in zip(model.gradients([x, z], y), numeric_gradients(loss, w), strict=True):
        _close(ours, theirs, 1e-7)


def test_nested_models_train_as_one() -> None:
    """A Sequential inside a functional model inside another one, used twice."""
    inner = pynn.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(2)], name="inner")
    a = pynn.Input((3,))
    middle = pynn.Model(a, inner(a) * 2, name="middle")
    p, q = pynn.Input((3,)), pynn.Input((3,))
    outer = pynn.Model([p, q], layers.Dense(1)(layers.concatenate([middle(p), middle(q)])))
    w = fill(outer)
    x, z, y = rows(4, 3), rows(4, 3, 1), rows(4, 1, 2)

    def loss(weights: list[Array]) -> float:
        k1, b1, k2, b2, k3, b3 = weights

        def part(v: Array) -> Array:
            return 2 * (np.tanh(v @ k1 + b1) @ k2 + b2)

        return float(((np.hstack([part(x), part(z)]) @ k3 + b3 - y) ** 2).mean())

    outer.compile(pynn.optimizers.SGD(0.1), "mse")
    gradients = numeric_gradients(loss, w)
    for ours, theirs in zip(outer.gradients([x, z], y), gradients, strict=True):
        _close(ours, theirs, 1e-7)
    outer.fit([x, z], y, batch_size=4, verbose=0)
    for ours, start, gradient in zip(outer.get_weights(), w, gradients, strict=True):
        _close(ours, start - 0.1 * gradient, 1e-7)
    _close(inner.get_weights()[0], outer.get_weights()[0])  # the same arrays
    assert [layer.name for layer in outer.layers if isinstance(layer, pynn.Model)] == ["middle"]


def test_models_cut_out_of_models() -> None:
    a = pynn.Input((3,))
    hidden = layers.Dense(4, activation="relu", name="hidden")(a)
    out = layers.Dense(2, name="out")(hidden)
    model = pynn.Model(a, out)
    k1, b1, k2, b2 = fill(model)
    x, h = rows(5, 3), rows(5, 4, 1)
    _close(pynn.Model(hidden, out).predict(h, verbose=0), h @ k2 + b2)
    head = pynn.Model(model.input, model.layers[-2].output)
    _close(head.predict(x, verbose=0), np.maximum(x @ k1 + b1, 0))
    named = pynn.Model(model.inputs, model.get_layer("hidden").output)
    _close(named.predict(x, verbose=0), np.maximum(x @ k1 + b1, 0))
    longer = pynn.Model(model.input, layers.Rescaling(2.0)(model.output))
    _close(longer.predict(x, verbose=0), 2 * (np.maximum(x @ k1 + b1, 0) @ k2 + b2))
    sequential = pynn.Sequential([pynn.Input((3,)), layers.Dense(4), layers.ReLU()])
    k, b = fill(sequential)
    cut = pynn.Model(sequential.inputs, sequential.layers[0].output)
    _close(cut.predict(x, verbose=0), x @ k + b)


def test_layers_of_one_model_in_another() -> None:
    """model_A.layers[:-1] frozen in a new Sequential: only the new layer is trained."""
    old = pynn.Sequential([pynn.Input((3,)), layers.Dense(4, activation="tanh"), layers.Dense(2)])
    k1, b1, _, _ = fill(old)
    new = pynn.Sequential(old.layers[:-1])
    new.add(layers.Dense(1))
    for layer in new.layers[:-1]:
        layer.trainable = False
    new.build((None, 3))
    new.layers[-1].set_weights([np.ones((4, 1)), np.zeros(1)])
    x, y = rows(6, 3), rows(6, 1, 1)
    h = np.tanh(x @ k1 + b1)
    error = h.sum(axis=1, keepdims=True) - y
    new.compile(pynn.optimizers.SGD(0.1), "mse")
    new.fit(x, y, batch_size=6, verbose=0)
    assert new.layers[0] is old.layers[0]
    _close(old.layers[0].get_weights()[0], k1)
    _close(new.layers[-1].get_weights()[0], 1 - 0.1 * 2 * h.T @ error / 6)
    assert len(new.trainable_weights) == 2
    assert len(new.non_trainable_weights) == 2


# ---- training and inference mode ---------------------------------------------------------------


def _normalized(training: bool | None) -> tuple[Any, Any]:
    base = pynn.Sequential([pynn.Input((2,)), layers.BatchNormalization(epsilon=0.5)], name="base")
    base.set_weights([[2.0, 3.0], [0.5, 0.0], [1.0, -1.0], [4.0, 0.25]])
    a = pynn.Input((2,))
    y = base(a) if training is None else base(a, training=training)
    return base, pynn.Model(a, y)


def _by_moving(x: Array) -> Any:
    return (x - [1.0, -1.0]) / np.sqrt(np.array([4.0, 0.25]) + 0.5) * [2.0, 3.0] + [0.5, 0.0]


def _by_batch(x: Array) -> Any:
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 0.5) * [2.0, 3.0] + [0.5, 0.0]


def test_training_false_in_the_graph_stays_so_when_the_rest_is_trained() -> None:
    base, model = _normalized(False)
    x, y = rows(6, 2), rows(6, 2, 1)
    _close(model(x, training=True), _by_moving(x))
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    before = base.get_weights()
    model.fit(x, y, batch_size=6, verbose=0)
    after = base.get_weights()
    hat = (x - [1.0, -1.0]) / np.sqrt(np.array([4.0, 0.25]) + 0.5)
    error = (_by_moving(x) - y) * 2 / 12
    _close(after[0], before[0] - 0.1 * (error * hat).sum(axis=0))
    _close(after[1], before[1] - 0.1 * error.sum(axis=0))
    for k in (2, 3):  # the moving statistics
        _close(after[k], before[k])


def test_training_true_in_the_graph_uses_the_batch_in_prediction() -> None:
    _, model = _normalized(True)
    x = rows(6, 2)
    _close(model.predict(x, batch_size=6, verbose=0), _by_batch(x))
    _close(model(x), _by_batch(x))
    halves = np.vstack([_by_batch(x[:3]), _by_batch(x[3:])])
    _close(model.predict(x, batch_size=3, verbose=0), halves)


def test_by_default_the_mode_is_that_of_the_model() -> None:
    base, model = _normalized(None)
    x = rows(6, 2)
    _close(model.predict(x, verbose=0), _by_moving(x))
    base.trainable = False  # then batch normalization uses the moving statistics
    _close(model(x, training=True), _by_moving(x))
    base.trainable = True
    _close(model(x, training=True), _by_batch(x))
    moved = [0.99 * np.array([1.0, -1.0]) + 0.01 * x.mean(axis=0)]
    moved.append(0.99 * np.array([4.0, 0.25]) + 0.01 * x.var(axis=0))
    for ours, theirs in zip(base.get_weights()[2:], moved, strict=True):
        _close(ours, theirs)


# ---- structures ----------------------------------------------------------------------------------


def test_inputs_by_list_by_name_and_wrapped() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    x, z = rows(4, 3), rows(4, 3, 1)
    by_list = pynn.Model([b, a], layers.Subtract()([b, a]))
    for given in ([z, x], (z, x), {"a": x, "b": z}):
        _close(by_list.predict(given, verbose=0), z - x)
        _close(by_list(given), z - x)
    by_name = pynn.Model({"second": a, "first": b}, layers.Subtract()([a, b]))
    given = {"first": z, "second": x}
    _close(by_name.predict(given, verbose=0), x - z)
    _close(by_name(given), x - z)
    assert by_name.input_names == ["first", "second"]
    single = pynn.Model([a], [layers.Rescaling(2.0)(a)])
    for one in (x, [x], (x,), x.tolist(), {"a": x}):
        result = single.predict(one, verbose=0)
        assert isinstance(result, np.ndarray)
        _close(result, 2 * x)


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_outputs_come_in_their_structure(kind: Any) -> None:
    a = pynn.Input((3,))
    twice, square = layers.Rescaling(2.0)(a), a * a
    outputs: Any = {"twice": twice, "square": square} if kind is dict else kind([twice, square])
    model = pynn.Model(a, outputs)
    x = rows(40, 3)
    for found in (model.predict(x, verbose=0), model(x), model.predict_on_batch(x)):
        assert isinstance(found, kind)
        first, second = (found["twice"], found["square"]) if kind is dict else found
        _close(first, 2 * x)
        _close(second, x * x)


def test_nested_structures_of_outputs() -> None:
    a = pynn.Input((2,))
    model = pynn.Model(a, {"pair": [a + 1, a * 2], "single": a - 1})
    x = rows(3, 2)
    found = model.predict(x, verbose=0)
    assert isinstance(found["pair"], list)
    _close(found["pair"][0], x + 1)
    _close(found["pair"][1], x * 2)
    _close(found["single"], x - 1)


def test_no_rows_and_one_row() -> None:
    a = pynn.Input((3,))
    model = pynn.Model(a, [layers.Dense(2)(a), a * 2])
    fill(model)
    first, second = model.predict(np.zeros((0, 3)), verbose=0)
    assert first.shape == (0, 2)
    assert second.shape == (0, 3)
    kernel, bias = model.get_weights()
    _close(model.predict(rows(1, 3), verbose=0)[0], rows(1, 3) @ kernel + bias)
    model.compile("sgd", ["mse", None])
    with pytest.raises(ValueError, match="at least one row"):
        model.fit(np.zeros((0, 3)), [np.zeros((0, 2)), None], verbose=0)
    assert len(model.fit(rows(1, 3), [rows(1, 2), None], verbose=0).history["loss"]) == 1


# ---- what is refused -----------------------------------------------------------------------------


def _two() -> Any:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    return pynn.Model({"a": a, "b": b}, layers.Add()([a, b]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": rows(2, 3), "c": rows(2, 3)}, r"keys \['a', 'b'\]. Received: \['a', 'c'\]"),
        ({"a": rows(2, 3)}, r"Received: \['a'\]"),
        ([rows(2, 3), rows(2, 3)], "must be a dictionary with the keys"),
        (rows(2, 3), "must be a dictionary with the keys"),
        ({"a": rows(2, 3), "b": rows(2, 4)}, r"x\['b'\]"),
        ({"a": rows(2, 3), "b": rows(3, 3)}, "same number of"),
        ({"a": rows(2, 3), "b": 3.0}, "array of samples"),
    ],
)
def test_wrong_inputs_are_named(given: Any, message: str) -> None:
    model = _two()
    with pytest.raises(ValueError, match=message):
        model.predict(given, verbose=0)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=message):
        model.fit(given, rows(2, 3), verbose=0)


def test_too_few_arrays_and_too_many() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    model = pynn.Model([a, b], layers.Add()([a, b]))
    for given in ([rows(2, 3)], rows(2, 3), [rows(2, 3)] * 3):
        with pytest.raises(ValueError, match=r"each of the 2 inputs \['a', 'b'\]"):
            model.predict(given, verbose=0)


def test_graphs_that_are_none() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="left_out")
    with pytest.raises(ValueError, match="'left_out', which is not among `inputs`"):
        pynn.Model(a, layers.Add()([a, b]))
    with pytest.raises(ValueError, match="two named 'same'"):
        pynn.Model(a, layers.Dense(2, name="same")(layers.Dense(3, name="same")(a)))
    with pytest.raises(TypeError, match="`outputs` must consist of symbols"):
        pynn.Model(a, np.zeros((2, 3)))
    with pytest.raises(TypeError, match="`inputs` must consist of symbols"):
        pynn.Model(inputs=layers.Dense(2), outputs=layers.Dense(2)(a))
    with pytest.raises(TypeError, match="outputs"):
        pynn.Model(a)
    with pytest.raises(TypeError, match="outputs"):
        pynn.Model(inputs=a)


def test_layers_that_do_not_fit() -> None:
    dense = layers.Dense(2, name="dense")
    dense(pynn.Input((3,)))
    with pytest.raises(ValueError, match=r"dense: expected 3 input features.*x.shape=\(n, 4\)"):
        dense(pynn.Input((4,)))
    with pytest.raises(ValueError, match=r"Received:.*\(.*3.*4"):
        layers.Add()([pynn.Input((3,)), pynn.Input((4,))])
    with pytest.raises(ValueError, match="shape"):
        pynn.Input((3,)) + pynn.Input((4,))


def test_python_cannot_look_into_symbols() -> None:
    a = pynn.Input((3,))
    for use in (bool, float, int, np.asarray, list, lambda s: [1, 2][s]):
        with pytest.raises(TypeError, match=r"test_functional.py, line \d+"):
            use(a)
