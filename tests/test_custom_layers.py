"""Layers and regularizers of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, numeric_gradients, rows
from pynn import layers, ops

X, Y = rows(6, 3), rows(6, 2, 1)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


def _check_gradients(model: Any, loss: Any, x: Any = X, y: Any = Y) -> None:
    """``loss(weights)`` is a formula; the model's loss and gradients are those of it."""
    w = [np.array(a) for a in model.get_weights()]
    _close(model.evaluate(x, y, verbose=0), loss(w))
    trained = {id(v) for v in model.trainable_weights}
    numeric = numeric_gradients(loss, w)
    expected = [g for g, v in zip(numeric, model.weights, strict=True) if id(v) in trained]
    for ours, theirs in zip(model.gradients(x, y), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


# ---- layers written with ops ---------------------------------------------------------------------


class Affine(layers.Layer):
    """A dense layer with a scale that is trained and an offset that is not."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.offset = self.add_weight(
            shape=(self.units,), initializer="ones", trainable=False, name="offset"
        )
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs: Any) -> Any:
        return ops.tanh(inputs @ self.w) * self.scale + self.offset


def test_weights_trained_and_not() -> None:
    model = pynn.Sequential([pynn.Input((3,)), Affine(2, name="affine")])
    # KERAS lists the weights that can be trained first
    paths = [v.path.removeprefix(f"{model.name}/affine/") for v in model.weights]
    assert paths == ["w", "scale", "offset"]
    assert len(model.trainable_weights) == 2
    assert model.count_params() == 9
    fill(model)

    def loss(w: list[Array]) -> float:
        return float(((np.tanh(X @ w[0]) * w[1] + w[2] - Y) ** 2).mean())

    model.compile(pynn.optimizers.SGD(0.1), "mse")
    _check_gradients(model, loss)
    offset = model.get_weights()[2]
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], offset)


def test_a_layer_on_arrays_and_its_shapes() -> None:
    layer = Affine(2)
    found = layer(X.tolist())
    w, scale, offset = layer.get_weights()
    _close(found, np.tanh(X @ w) * scale + offset)
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert layer.built
    assert layer.input_shape == (None, 3)
    assert layer.output_shape == (None, 2)
    _close(layer(np.zeros((0, 3))), np.zeros((0, 2)))


def test_arguments_of_call() -> None:
    class Mix(layers.Layer):
        def call(self, x: Any, other: Any, scale: float = 1.0) -> Any:
            return x * scale - other

    a, b = pynn.Input((3,)), pynn.Input((3,))
    z = rows(6, 3, 1)
    _close(Mix()(X, z, scale=3.0), 3 * X - z)
    model = pynn.Model([a, b], [Mix()(a, b, scale=2.0), Mix()(a, other=b)])
    first, second = model.predict([X, z], verbose=0)
    _close(first, 2 * X - z)
    _close(second, X - z)


def test_structures_in_and_out() -> None:
    class Pair(layers.Layer):
        def call(self, d: Any) -> Any:
            return {"sum": d["a"] + d["b"], "difference": d["a"] - d["b"]}

    z = rows(6, 3, 1)
    found = Pair()({"a": X, "b": z})
    _close(found["sum"], X + z)
    a, b = pynn.Input((3,)), pynn.Input((3,))
    model = pynn.Model([a, b], Pair()({"b": b, "a": a})["difference"])
    _close(model.predict([X, z], verbose=0), X - z)


@pytest.mark.parametrize("default", [None, False])
def test_the_training_argument(default: Any) -> None:
    if default is None:

        class Shift(layers.Layer):
            def call(self, x: Any, training: Any = None) -> Any:
                return x + 100 if training else x
    else:

        class Shift(layers.Layer):  # type: ignore[no-redef]
            def call(self, x: Any, training: bool = False) -> Any:
                return x + 100 if training else x

    a = pynn.Input((3,))
    model = pynn.Model(a, Shift()(a))
    _close(model(X), X)
    _close(model.predict(X, verbose=0), X)
    _close(model(X, training=True), X + 100)
    _close(Shift()(X, training=True), X + 100)
    _close(Shift()(X), X)


def test_penalties_of_call() -> None:
    class Penalty(layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(0.1 * ops.mean(ops.square(x)))
            return x

    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, activation="tanh"), Penalty()])
    fill(model)
    model.compile("sgd", "mse", metrics=["mse"])

    def loss(w: list[Array]) -> float:
        h = np.tanh(X @ w[0] + w[1])
        return float(((h - Y) ** 2).mean() + 0.1 * (h**2).mean())

    found = model.evaluate(X, Y, verbose=0)
    h = np.tanh(X @ model.get_weights()[0] + model.get_weights()[1])
    _close(found, [loss(model.get_weights()), ((h - Y) ** 2).mean()])
    model.compile("sgd", "mse")
    _check_gradients(model, loss)
    with pytest.raises(TypeError, match=r"add_loss takes what pynn\.ops makes"):
        model.layers[1].add_loss(3.0)


def test_regularizers_of_ones_own() -> None:
    def fourth(w: Any) -> Any:
        return 0.01 * ops.sum(w**4)

    class Off(pynn.regularizers.Regularizer):
        """Pulls towards one."""

        def __call__(self, w: Any) -> Any:
            return 0.02 * ops.sum(ops.square(w - 1))

    def active(y: Any) -> Any:
        return 0.03 * ops.sum(ops.abs(y))

    dense = layers.Dense(
        2, kernel_regularizer=fourth, bias_regularizer=Off(), activity_regularizer=active
    )
    model = pynn.Sequential([pynn.Input((3,)), dense])
    fill(model)
    model.compile("sgd", "mse")

    def loss(w: list[Array]) -> float:
        out = X @ w[0] + w[1]
        penalty = 0.01 * (w[0] ** 4).sum() + 0.02 * ((w[1] - 1) ** 2).sum()
        return float(((out - Y) ** 2).mean() + penalty + 0.03 * np.abs(out).sum() / len(X))

    _check_gradients(model, loss)
    dense.trainable = False  # the penalties of frozen weights leave the loss
    model.compile("sgd", "mse")
    out = X @ model.get_weights()[0] + model.get_weights()[1]
    expected = ((out - Y) ** 2).mean() + 0.03 * np.abs(out).sum() / len(X)
    _close(model.evaluate(X, Y, verbose=0), expected)


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_assigning_in_call_is_refused(method: str) -> None:
    class Counter(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.n = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            getattr(self.n, method)(ops.sum(x))
            return x

    with pytest.raises(TypeError, match="a variable cannot be assigned in `call`"):
        Counter()(X)


# ---- layers written with NumPy -------------------------------------------------------------------


class Cubic(layers.Layer):
    """x³ w, with both passes written out."""

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def forward(self, x: Any, training: bool) -> Any:
        if training:
            self.calls.assign_add(1.0)
        return x**3 * self.w.value, x

    def backward(self, saved: Any, dy: Any) -> Any:
        return dy * 3 * saved**2 * self.w.value, [(dy * saved**3).sum(axis=0)]


def test_a_numpy_layer_with_weights_in_the_middle() -> None:
    a = pynn.Input((3,))
    model = pynn.Model(a, layers.Dense(2)(Cubic()(layers.Dense(3, activation="tanh")(a))))
    fill(model)
    names = [v.name for v in model.weights]
    assert names == ["kernel", "bias", "w", "calls", "kernel", "bias"]

    def loss(w: list[Array]) -> float:
        return float(((np.tanh(X @ w[0] + w[1]) ** 3 * w[2] @ w[4] + w[5] - Y) ** 2).mean())

    model.compile(pynn.optimizers.SGD(0.1), "mse")
    _check_gradients(model, loss)
    before = float(model.get_weights()[3])
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    assert float(model.get_weights()[3]) == before + 6  # six steps in training


def test_a_numpy_layer_with_several_inputs() -> None:
    class Product(layers.Layer):
        def forward(self, x: Any, training: bool) -> Any:
            a, b = x
            return a * b, (a, b)

        def backward(self, saved: Any, dy: Any) -> Any:
            a, b = saved
            return [dy * b, dy * a]

    a = pynn.Input((3,))
    dense, other = layers.Dense(2), layers.Dense(2)
    model = pynn.Model(a, Product()([dense(a), other(a)]))
    fill(model)
    model.compile("sgd", "mse")

    def loss(w: list[Array]) -> float:
        return float((((X @ w[0] + w[1]) * (X @ w[2] + w[3]) - Y) ** 2).mean())

    _check_gradients(model, loss)
    _close(Product()([X, X]), X * X)


class _Wrong(layers.Layer):
    def __init__(self, forward: Any, backward: Any) -> None:
        super().__init__(name="wrong")
        self.f, self.b = forward, backward

    def forward(self, x: Any, training: bool) -> Any:
        return self.f(x)

    def backward(self, saved: Any, dy: Any) -> Any:
        return self.b(dy)


@pytest.mark.parametrize(
    ("forward", "backward", "error", "message"),
    [
        (lambda x: x, lambda d: d, TypeError, r"wrong: forward must return \(y, saved\)"),
        (lambda x: (x.sum(), None), lambda d: d, ValueError, "a row for each sample"),
        (lambda x: (x[:1], None), lambda d: d, ValueError, "a row for each sample"),
        (lambda x: (x, None), lambda d: (d, [d]), ValueError, "each of the 0 trainable weights"),
        (lambda x: (x, None), lambda d: d[:, :1], ValueError, "wrong.*shape"),
        (lambda x: (x, None), lambda d: 1 / 0, ZeroDivisionError, "zero"),
    ],
)
def test_wrong_numpy_layers(forward: Any, backward: Any, error: Any, message: str) -> None:
    def use() -> None:
        model = pynn.Sequential(
            [pynn.Input((3,)), layers.Dense(2), _Wrong(forward, backward), layers.Dense(2)]
        )
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)

    with pytest.raises(error, match=message):
        use()


def test_check_gradients_finds_a_wrong_backward() -> None:
    class Wrong(Cubic):
        def backward(self, saved: Any, dy: Any) -> Any:
            return dy * 2 * saved**2 * self.w.value, [(dy * saved**3).sum(axis=0)]

    for layer, is_right in ((Cubic(), True), (Wrong(), False)):
        a = pynn.Input((3,))
        model = pynn.Model(a, layer(layers.Dense(3)(a)))
        model.compile("sgd", "mse")
        expected = numeric_gradients(
            lambda w, m=model: _loss_of(m, w), [np.array(v) for v in model.get_weights()]
        )
        ours = model.gradients(X, X)[0]
        assert np.allclose(ours, expected[0], rtol=1e-5, atol=1e-8) == is_right


def _loss_of(model: Any, weights: list[Array]) -> float:
    model.set_weights(weights)
    return float(model.evaluate(X, X, verbose=0))


# ---- weights in NumPy's functions ---------------------------------------------------------------


def test_variables_in_numpy_functions() -> None:
    v = pynn.Variable([1.0, 4.0])
    _close(np.sqrt(v), [1.0, 2.0])
    _close(np.array([1.0, 2.0]) * v, [1.0, 8.0])
    _close(np.add.reduce(v), 5.0)
    _close(np.mean(v), 2.5)
    _close(2 / v, [2.0, 0.5])
    assert isinstance(np.array([1.0, 2.0]) / v, np.ndarray)


def test_numpy_functions_of_the_same_name_are_recorded() -> None:
    a = pynn.Input((3,))
    model = pynn.Model(a, np.tanh(a) + np.maximum(a, 0.5) * np.array([1.0, 2.0, 3.0]))
    _close(model.predict(X, verbose=0), np.tanh(X) + np.maximum(X, 0.5) * [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"hand it to NumPy.*test_custom_layers.py, line \d+"):
        np.spacing(a)
