"""Layers with several inputs: their formulas, gradients, shapes and configurations."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pynn
from layer_cases import F64, JOINS, Array, samples
from pynn import layers


def inputs_of(name: str) -> list[Array]:
    """Different samples for each input of a case."""
    return [samples(5, *shape) + 0.1 * i for i, shape in enumerate(JOINS[name][1])]


@pytest.mark.parametrize("name", JOINS)
def test_formula(name: str) -> None:
    make, shapes, formula = JOINS[name]
    given = inputs_of(name)
    expected = formula(*given)
    layer = make()
    np.testing.assert_allclose(layer(given), expected, rtol=1e-13)
    assert layer([pynn.Input(shape) for shape in shapes]).shape == (None, *expected.shape[1:])
    asked = layer.compute_output_shape([(None, *shape) for shape in shapes])
    assert asked == (None, *expected.shape[1:])


@pytest.mark.parametrize("name", JOINS)
def test_gradient(name: str) -> None:
    layer = JOINS[name][0]()
    given = inputs_of(name)
    report = pynn.utils.check_gradients(lambda *x: layer(list(x)), *given)
    assert report, report


@pytest.mark.parametrize("name", JOINS)
def test_configuration_round_trip(name: str) -> None:
    layer = JOINS[name][0]()
    config = json.loads(json.dumps(layer.get_config()))
    copy = type(layer).from_config(config)
    assert np.array_equal(copy(inputs_of(name)), layer(inputs_of(name)))


@pytest.mark.parametrize("name", JOINS)
def test_function(name: str) -> None:
    layer = JOINS[name][0]()
    arguments = {key: vars(layer)[key] for key in ("axis", "axes") if key in vars(layer)}
    function = getattr(layers, name.lower())
    y = function(inputs_of(name), **arguments, **F64)
    assert np.array_equal(y, layer(inputs_of(name)))


def test_one_input() -> None:
    x = samples(2, 3)
    for cls in (layers.Add, layers.Multiply, layers.Average, layers.Concatenate):
        assert np.array_equal(cls(**F64)([x]), x)


def test_cosine_of_the_angle() -> None:
    a, b = samples(4, 3), samples(4, 3) ** 2
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    y = layers.Dot(axes=-1, normalize=True, **F64)([a, b])
    np.testing.assert_allclose(y, (np.sum(a * b, axis=1) / lengths)[:, None], rtol=1e-12)


def test_automatic_names() -> None:
    pynn.utils.clear_session()
    a, b = pynn.Input((2,)), pynn.Input((2,))
    layers.concatenate([a, b])
    layers.add([a, b], name="sum")
    assert [layers.Concatenate().name, layers.Add().name] == ["concatenate_1", "add"]
