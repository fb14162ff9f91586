"""Functional models looked at, copied and used from several threads."""

from __future__ import annotations

import pickle
import threading
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import pynn
from fixed import fill, rows
from pynn import layers
from small_models import F64


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


# ---- looking at models -----------------------------------------------------------------------


def test_the_base_class_makes_a_model_from_the_description_of_a_graph() -> None:
    a = pynn.Input((3,), name="a")
    model = pynn.Model(a, layers.Dense(2, name="d")(a), name="m")
    again = pynn.Model.from_config(model.get_config())
    assert (again.name, [layer.name for layer in again.layers]) == ("m", ["a", "d"])


def test_inputs_and_outputs_of_layers_and_models() -> None:
    dense = layers.Dense(2, name="d")
    with pytest.raises(AttributeError, match="d: the layer has no output yet"):
        _ = dense.output
    a = pynn.Input((3,), name="a")
    y = dense(a)
    assert dense.input is a
    assert dense.output is y
    model = pynn.Model(a, y)
    assert model.input is a
    assert model.output is y
    assert model.inputs == [a] or model.inputs[0] is a
    assert model.input_shape == (None, 3)
    assert model.output_shape == (None, 2)
    assert dense.input_shape == (None, 3)
    assert dense.output_shape == (None, 2)
    assert model.get_layer("d") is dense
    assert model.get_layer(index=-1) is dense
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
    for wrong, message in (
        ({"name": "x"}, "Known: a, d"),
        ({"index": 7}, "has 2 layers"),
        ({}, "either"),
    ):
        with pytest.raises(ValueError, match=message):
            model.get_layer(**wrong)


def test_summary_of_a_graph() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((2,), name="b")
    inner = pynn.Sequential([layers.Dense(2)], name="inner")
    joined = layers.Concatenate(name="joined")([inner(a) + 1, b])
    model = pynn.Model([a, b], [joined, layers.Dense(1, name="out")(b)], name="m")
    lines: list[str] = []
    model.summary(print_fn=lines.append, expand_nested=True)
    text = "\n".join(lines)
    # Keras 3.15 prints these cells for this model
    for cell in (
        "Connected to",
        "inner (Sequential)",
        "└ dense (Dense)",
        "inner[0][0]",
        "add[0][0]",
    ):
        assert cell in text
    assert 'Model: "m"' in text
    assert "Total params: 11 (88.00 B)" in text
    html = model._repr_html_()
    assert html.count("<tr>") == 1 + 6
    assert "<td>out (Dense)</td><td>(None, 1)</td><td>3</td>" in html
    assert "Total params: 11" in html


def test_reprs_say_what_a_thing_is() -> None:
    a = pynn.Input((3,), name="a")
    dense = layers.Dense(2)
    model = pynn.Model(a, dense(a))
    assert repr(a) == "<KerasTensor shape=(None, 3), dtype=float64, name=a>"
    assert repr(dense) == "<Dense name=dense, built=True>"
    assert repr(model) == "<Functional name=functional, built=True>"
    assert "dense/kernel" in repr(dense.kernel)
    assert "(3, 2)" in repr(dense.kernel)


# ---- copies and threads ------------------------------------------------------------------------


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_continue_where_the_model_was(copy: Any) -> None:
    a = pynn.Input((3,))
    shared = layers.Dense(3, activation="tanh")
    model = pynn.Model(a, layers.Dense(1)(shared(shared(a)) + a))
    fill(model)
    model.compile(pynn.optimizers.Adam(0.05), "mse", metrics=["mae"])
    x, y = rows(8, 3), rows(8, 1, 1)
    model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    other = copy(model)
    assert len(other.weights) == 4  # the shared layer is one still
    _close(other.predict(x, verbose=0), model.predict(x, verbose=0))
    first = model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history
    second = other.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0).history
    assert first == second
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_predictions_from_several_threads() -> None:
    a = pynn.Input((3,))
    model = pynn.Model(a, {"h": layers.Dense(4, activation="tanh")(a), "twice": a * 2})
    kernel, bias = fill(model)
    inputs = [rows(500, 3, k) for k in range(8)]
    results: list[Any] = [None] * 8

    def work(k: int) -> None:
        for _ in range(5):
            results[k] = model.predict(inputs[k], verbose=0)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for x, found in zip(inputs, results, strict=True):
        _close(found["h"], np.tanh(x @ kernel + bias))
        _close(found["twice"], 2 * x)


def test_one_float_type_per_model() -> None:
    a = pynn.Input((3,))
    hidden = layers.Dense(2, **F64)(a)
    out = layers.Dense(1, dtype="float32", name="single")(hidden)
    with pytest.raises(ValueError, match=r"same float type.*single \(float32\)"):
        pynn.Model(a, out).predict(rows(2, 3), verbose=0)


class Tower(pynn.Model):
    """A subclass that hands symbols to the constructor of Model."""

    def __init__(self, units: int = 2, **kwargs: Any) -> None:
        self.units = units
        a = pynn.Input((3,))
        hidden = layers.Dense(units, activation="tanh")
        super().__init__(inputs=a, outputs=hidden(a) * 2, **kwargs)
        self.hidden = hidden


class Higher(Tower):
    pass


@pytest.mark.parametrize("cls", [Tower, Higher])
def test_a_subclass_of_model_made_of_symbols(cls: Any) -> None:
    model = cls(4, name="t")
    kernel, bias = fill(model)
    x = rows(5, 3)
    _close(model.predict(x, verbose=0), 2 * np.tanh(x @ kernel + bias))
    assert isinstance(model, pynn.Model)
    assert type(model) is cls
    assert model.count_params() == 16
    assert [type(layer).__name__ for layer in model.layers][:2] == ["InputLayer", "Dense"]
    other = cls.from_config(model.get_config())
    assert other.units == 4
    for twin in (other, pickle.loads(pickle.dumps(model))):
        twin.set_weights(model.get_weights())
        assert type(twin) is cls
        _close(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    twin = pynn.models.clone_model(model)  # KERAS: a plain functional model
    twin.set_weights(model.get_weights())
    _close(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    y = rows(5, 4)
    z = np.tanh(x @ kernel + bias)
    slope = (2 * z - y) * 2 / y.size * 2 * (1 - z**2)
    model.fit(x, y, batch_size=5, verbose=0)
    _close(model.get_weights()[0], kernel - 0.1 * x.T @ slope)


def test_a_model_from_its_configuration() -> None:
    a = pynn.Input((3,))
    shared = layers.Dense(3, name="s")
    model = pynn.Model(a, shared(shared(a)) + a * 2)
    (kernel, bias), x = fill(model), rows(4, 3)
    for cls in (pynn.Model, type(model)):
        other = cls.from_config(model.get_config())
        other.set_weights([kernel, bias])
        _close(other.predict(x, verbose=0), (x @ kernel + bias) @ kernel + bias + 2 * x)
