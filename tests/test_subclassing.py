"""Models by subclassing: layers found by attribute, `call` recorded once."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, numeric_gradients, rows
from pynn import layers, ops


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


class Block(layers.Layer):
    """Layers in an attribute, and in a list inside a dictionary."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation="tanh")
        self.more = {"k": [layers.Dense(units)]}

    def call(self, x: Any) -> Any:
        return self.first(x) + self.more["k"][0](x)


class Net(pynn.Model):
    """Blocks in a list, a sequential model, and another output in training."""

    def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = [Block(3), Block(3)]
        self.head = pynn.Sequential([layers.Dense(1)])
        self.factor = factor

    def call(self, inputs: Any, training: Any = None) -> Any:
        x = inputs
        for block in self.blocks:
            x = block(x)
        if training:
            x = x * self.factor
        return self.head(x)


def _net(w: list[Array], x: Array, factor: float = 1.0) -> Array:
    for i in (0, 4):
        x = np.tanh(x @ w[i] + w[i + 1]) + x @ w[i + 2] + w[i + 3]
    return x * factor @ w[8] + w[9]


def test_layers_in_lists_and_dictionaries_are_found_and_trained() -> None:
    model = Net(name="net")
    assert not model.built
    assert model.weights == []
    x, y = rows(6, 3), rows(6, 1, 1)
    _ = model(x)
    w = fill(model)
    assert [v.shape for v in model.weights] == [(3, 3), (3,)] * 4 + [(3, 1), (1,)]
    assert [type(layer).__name__ for layer in model.layers] == ["Block", "Block", "Sequential"]
    _close(model.predict(x, verbose=0), _net(w, x))

    def loss(arrays: list[Array]) -> float:
        return float(((_net(arrays, x) - y) ** 2).mean())

    gradients = numeric_gradients(loss, w)
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    for ours, theirs in zip(model.gradients(x, y), gradients, strict=True):
        _close(ours, theirs, 1e-6)
    model.fit(x, y, batch_size=6, verbose=0)
    for ours, start, gradient in zip(model.get_weights(), w, gradients, strict=True):
        _close(ours, start - 0.1 * gradient, 1e-6)


def test_the_training_argument() -> None:
    model = Net(factor=3.0)
    x, y = rows(6, 3), rows(6, 1, 1)
    _ = model(x)
    w = fill(model)
    _close(model(x), _net(w, x))
    _close(model(x, training=False), _net(w, x))
    _close(model(x, training=True), _net(w, x, 3.0))
    _close(model.predict(x, verbose=0), _net(w, x))
    model.compile(pynn.optimizers.SGD(0.0), "mse")
    history = model.fit(x, y, verbose=0, validation_data=(x, y)).history
    assert history["loss"] == [pytest.approx(((_net(w, x, 3.0) - y) ** 2).mean())]
    assert history["val_loss"] == [pytest.approx(((_net(w, x) - y) ** 2).mean())]


def test_sequential_in_functional_in_subclass() -> None:
    inner = pynn.Sequential([layers.Dense(2, activation="tanh")])
    a, b = pynn.Input((3,)), pynn.Input((3,))
    middle = pynn.Model([a, b], inner(a) - inner(b))

    class Outer(pynn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.middle = middle
            self.out = layers.Dense(1, use_bias=False)

        def call(self, inputs: Any) -> Any:
            return self.out(self.middle([inputs["p"], inputs["q"]]))

    model = Outer()
    x = {"q": rows(5, 3, 1), "p": rows(5, 3)}
    _ = model(x)
    k, bias, v = fill(model)
    y = rows(5, 1)

    def value(weights: list[Array]) -> Array:
        kernel, offset, out = weights
        return (np.tanh(x["p"] @ kernel + offset) - np.tanh(x["q"] @ kernel + offset)) @ out

    _close(model.predict(x, verbose=0), value([k, bias, v]))
    model.compile("sgd", "mse")
    expected = numeric_gradients(lambda w: float(((value(w) - y) ** 2).mean()), [k, bias, v])
    for ours, theirs in zip(model.gradients(x, y), expected, strict=True):
        _close(ours, theirs, 1e-6)
    assert model.input_names == ["p", "q"]
    with pytest.raises(ValueError, match=r"keys \['p', 'q'\]"):
        model.predict({"p": x["p"]}, verbose=0)


def test_several_inputs_unpacked() -> None:
    class Both(pynn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.wide, self.deep = layers.Dense(1), layers.Dense(2, activation="relu")

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return self.wide(layers.concatenate([a, self.deep(b)])), ops.sum(b, axis=-1)

    model = Both()
    x, z = rows(4, 2), rows(4, 3, 1)
    for given in ([x, z], (x, z)):
        first, second = model.predict(given, verbose=0)
        assert isinstance(model(given), tuple)
        _close(second, z.sum(axis=1))
    by_shape = {w.shape: w for w in model.get_weights()}
    kw, bw, kd, bd = by_shape[4, 1], by_shape[1,], by_shape[3, 2], by_shape[2,]
    _close(first, np.hstack([x, np.maximum(z @ kd + bd, 0)]) @ kw + bw)
    model.compile("sgd", ["mse", None])
    assert list(model.fit([x, z], [rows(4, 1), None], verbose=0).history) == ["loss"]
    with pytest.raises(ValueError, match="2 inputs"):
        model.predict([x], verbose=0)


def test_attributes_assigned_before_super() -> None:
    class Early(pynn.Model):
        def __init__(self) -> None:
            self.units = 2
            super().__init__()
            self.dense = layers.Dense(self.units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    assert Early().predict(rows(3, 2), verbose=0).shape == (3, 2)


def test_a_model_takes_part_in_symbols() -> None:
    net = Net()
    a = pynn.Input((3,))
    model = pynn.Model(a, net(a) * 2)
    w = fill(model)
    _close(model.predict(rows(4, 3), verbose=0), 2 * _net(w, rows(4, 3)))
    assert net.built
    assert model.get_layer("net") is net


def test_weights_of_the_model_itself() -> None:
    class Scaled(pynn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
            self.plain = pynn.Variable([2.0, 0.0])
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x) * self.scale + self.plain

    model = Scaled()
    x, y = rows(5, 3), rows(5, 2, 1)
    _ = model(x)
    w = fill(model)
    assert sorted(a.shape for a in w) == [(), (2,), (2,), (3, 2)]
    names = [v.name for v in model.weights]
    place = {name: names.index(name) for name in ("scale", "variable", "kernel", "bias")}

    def loss(arrays: list[Array]) -> float:
        scale, plain, kernel, bias = (
            arrays[place[name]] for name in ("scale", "variable", "kernel", "bias")
        )
        return float((((x @ kernel + bias) * scale + plain - y) ** 2).mean())

    model.compile("sgd", "mse")
    w = [np.array(a) for a in w]
    for ours, theirs in zip(model.gradients(x, y), numeric_gradients(loss, w), strict=True):
        _close(ours, theirs, 1e-6)


# ---- what is refused -------------------------------------------------------------------------


def _model(function: Any) -> Any:
    class Custom(pynn.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return function(self, x)

    return Custom()


def _branches(self: Any, x: Any) -> Any:
    if ops.sum(x) > 0:
        return self.dense(x)
    return -self.dense(x)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_branches, "cannot decide by its value"),
        (lambda self, x: self.dense(np.sort(x)), "cannot hand it to NumPy"),
        (lambda self, x: self.dense(x * float(ops.max(x))), "cannot turn it into a number"),
        (lambda self, x: self.dense(ops.stack(list(x))), "cannot loop over it"),
        (lambda self, x: self.dense(x) / len(x), "cannot ask for the number of samples"),
    ],
)
def test_python_that_looks_at_values_is_told_where(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as error:
        _model(function).predict(rows(3, 2), verbose=0)
    assert "test_subclassing.py, line" in str(error.value)


def test_what_call_may_not_return() -> None:
    for function in (lambda self, x: None, lambda self, x: [self.dense(x), "text"]):
        with pytest.raises(TypeError, match=r"a layer returns what pynn\.ops"):
            _model(function).predict(rows(3, 2), verbose=0)

    class Empty(pynn.Model):
        pass

    with pytest.raises(NotImplementedError, match="Empty: a layer defines call"):
        Empty().predict(rows(3, 2), verbose=0)


class Rebuilding(pynn.Model):
    """Makes a layer in ``build``, where the number of its units is known."""

    def build(self, input_shape: Any = None) -> None:
        self.copies = layers.Dense(input_shape[-1])
        self.built = True

    def call(self, x: Any) -> Any:
        copied = self.copies(x)
        self.add_loss(ops.mean(ops.square(copied - x)))
        return copied


@pytest.mark.parametrize("before", [False, True])
def test_a_build_of_the_model_itself(before: bool) -> None:
    model = Rebuilding()
    if before:
        model.build((None, 3))
    model.compile("sgd", "mse")
    x = rows(4, 3)
    twice = 2 * float(np.mean((np.asarray(model(x)) - x) ** 2))
    assert model.evaluate(x, x, verbose=0) == pytest.approx(twice, rel=1e-5)
    assert [w.shape for w in model.weights] == [(3, 3), (3,)]


class AlwaysDropout(layers.Dropout):
    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return super().call(inputs, training=True)


class AlwaysAlphaDropout(layers.AlphaDropout):
    def call(self, inputs: Any) -> Any:
        return super().call(inputs, training=True)


@pytest.mark.parametrize("kind", [AlwaysDropout, AlwaysAlphaDropout])
def test_dropout_that_stays_active(kind: Any) -> None:
    model = pynn.Sequential([pynn.Input((50,)), kind(0.5)])
    first, second = (model.predict(np.ones((4, 50)), verbose=0) for _ in range(2))
    assert not np.array_equal(first, second)
    if kind is AlwaysDropout:
        assert set(first.ravel()) == {0.0, 2.0}


def test_a_symbol_kept_from_another_call() -> None:
    kept: list[Any] = []

    def keeps(self: Any, x: Any) -> Any:
        kept.append(self.dense(x))
        return kept[0]

    model = _model(keeps)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="kept from another call"):
        model.fit(rows(3, 2), rows(3, 1), verbose=0)


def test_a_failed_first_call_leaves_the_model_unbuilt() -> None:
    model = _model(lambda self, x: self.dense(layers.Dot(axes=1)([x[:, :2], x[:, 2:]])))
    with pytest.raises(ValueError):
        model.predict(rows(3, 3), verbose=0)
    assert not model.built
    assert model.predict(rows(3, 4), verbose=0).shape == (3, 1)


def test_other_shapes_than_those_built_for() -> None:
    model = Net()
    _ = model(rows(2, 3))
    uses: list[Any] = [model, lambda x: model.predict(x, verbose=0)]
    for use in uses:
        with pytest.raises(ValueError, match=r"samples of shape \(3,\)"):
            use(rows(2, 4))


# ---- looking at models, copies -----------------------------------------------------------------


def test_summary_before_and_after_building() -> None:
    model = Net(name="net")
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert lines[0].count("0 (unbuilt)") == 3
    assert "Total params: 0" in lines[0]
    assert "<td>0 (unbuilt)</td>" in model._repr_html_()
    model.build((None, 3))
    model.summary(print_fn=lines.append, expand_nested=True)
    # 4 dense layers of 3 -> 3 and one of 3 -> 1: 4 * 12 + 4 = 52
    assert "Total params: 52 (416.00 B)" in lines[1]
    assert "block (Block)" in lines[1]
    assert "(None, 3)" in lines[1]
    assert "(None, 1)" in lines[1]
    assert model.count_params() == 52
    assert repr(model) == "<Net name=net, built=True>"
    with pytest.raises(ValueError, match="not made yet"):
        Net().count_params()


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_continue_where_the_model_was(copy: Any) -> None:
    model = Net(factor=1.5)
    x, y = rows(8, 3), rows(8, 1, 1)
    _ = model(x)
    fill(model)
    model.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0)
    other = copy(model)
    assert other.factor == 1.5
    assert other.blocks[0] is not model.blocks[0]
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    first = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    second = other.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    assert first == second


def test_trainable_of_a_part() -> None:
    model = Net()
    x, y = rows(6, 3), rows(6, 1, 1)
    _ = model(x)
    model.blocks[0].trainable = False
    assert len(model.trainable_weights) == 6
    assert len(model.non_trainable_weights) == 4
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert [bool((a == b).all()) for a, b in zip(before, after, strict=True)] == [True] * 4 + [
        False
    ] * 6
    model.trainable = False
    assert model.trainable_weights == []
