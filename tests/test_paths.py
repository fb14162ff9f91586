"""Paths of weights, as Keras 3.15 gives them: the layers something was built in, then its name."""

from __future__ import annotations

from typing import Any

import numpy as np

import pynn
from pynn import layers


def _paths(layer: Any) -> list[str]:
    return [v.path for v in layer.weights if v.name == "kernel"]


def test_layers_belong_to_the_stack_that_built_them() -> None:
    inner = pynn.Sequential([pynn.Input((3,)), layers.Dense(2, name="dense")], name="inner")
    top = layers.Dense(3, name="top")
    model = pynn.Sequential([pynn.Input((3,)), inner, top], name="outer")
    assert _paths(model) == ["inner/dense/kernel", "outer/top/kernel"]
    assert [layer.path for layer in model.layers] == ["inner", "outer/top"]
    late = pynn.Sequential([layers.Dense(2, name="d")], name="late")
    deferred = pynn.Sequential([late, layers.Dense(2, name="e")], name="whole")
    deferred.build((None, 3))
    assert _paths(deferred) == ["whole/late/d/kernel", "whole/e/kernel"]


def test_layers_of_a_functional_model_stand_alone() -> None:
    a = pynn.Input((3,))
    assert _paths(pynn.Model(a, layers.Dense(2, name="d")(a), name="f")) == ["d/kernel"]


def test_layers_inside_layers_and_subclasses() -> None:
    class Net(pynn.Model):
        def __init__(self) -> None:
            super().__init__(name="net")
            self.first = layers.Dense(2, name="first")
            self.rest = pynn.Sequential([layers.Dense(2, name="z")], name="rest")

        def call(self, x: Any) -> Any:
            return self.rest(self.first(x))

    net = Net()
    net(np.ones((2, 3)))
    assert _paths(net) == ["net/first/kernel", "net/rest/z/kernel"]


def test_a_variable_shows_its_values_as_keras_does() -> None:
    assert (
        repr(pynn.Variable(np.arange(3.0)))
        == "<Variable path=variable, shape=(3,), dtype=float32, value=[0. 1. 2.]>"
    )
    assert "value=[0. 0. 0. ... 0. 0. 0.]>" in repr(pynn.Variable(np.zeros(2000)))


def test_a_summary_of_nested_models_has_their_inputs() -> None:
    a, b = pynn.Input((3,), name="a"), pynn.Input((3,), name="b")
    inner = pynn.Model(a, layers.Dense(2)(a))
    lines: list[str] = []
    pynn.Model(b, inner(b)).summary(expand_nested=True, print_fn=lines.append)
    assert "└ a (InputLayer)" in lines[0]
