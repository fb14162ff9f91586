"""Samples may lie in memory in many ways; a prediction reads them all, and changes none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers

Array = np.ndarray[Any, Any]

# What a model does to its input first, by pynn and by NumPy.
FIRST: dict[str, tuple[Callable[[], Any], Callable[[Array], Array]]] = {
    "nothing": (layers.Identity, lambda x: x),
    "activation": (layers.ReLU, lambda x: np.maximum(x, 0)),
    "scale": (lambda: layers.Rescaling(2.0, 1.0), lambda x: 2 * x + 1),
    "shape": (lambda: layers.Reshape((2, 3)), lambda x: x.reshape(-1, 2, 3)),
    "dense": (
        lambda: layers.Dense(4, "relu", kernel_initializer="ones", bias_initializer="ones"),
        lambda x: np.maximum(x.sum(1, keepdims=True) + 1, 0).repeat(4, axis=1),
    ),
    "shape, then activation": (
        lambda: pynn.Sequential([layers.Reshape((6, 1)), layers.ReLU()]),
        lambda x: np.maximum(x, 0)[..., None],
    ),
}

# The same numbers in other places.
LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "as the engine has them": lambda x: x,
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "columns first": np.asfortranarray,
    "every second row": lambda x: x.repeat(2, axis=0)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "part of the columns": lambda x: np.pad(x, ((0, 0), (0, 3)))[:, :6],
    "one row for all": lambda x: np.broadcast_to(x[:1], x.shape),
    "at an odd address": lambda x: np.frombuffer(b"-" + x.tobytes(), x.dtype, offset=1).reshape(
        x.shape
    ),
    "float64": lambda x: x.astype(np.float64),
    "float16": lambda x: x.astype(np.float16),
    "whole numbers": lambda x: x.astype(np.int32),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("first", FIRST)
def test_predictions_of_any_layout(first: str, layout: str) -> None:
    make, expected = FIRST[first]
    model = pynn.Sequential([pynn.Input((6,)), make(), layers.Rescaling(0.5)])
    for rows in (1, 3, 700):  # in blocks of rows, the last of them shorter
        x = LAYOUTS[layout](np.arange(-6, 6 * rows - 6).reshape(rows, 6).astype(np.float32))
        before = x.copy()
        right = expected(before.astype(np.float64)) / 2
        for found in (model(x), model.predict(x, verbose=0), model.predict(list(x), verbose=0)):
            np.testing.assert_array_equal(found, right)
        np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("at", [0, 1])
def test_outputs_that_are_the_input(at: int) -> None:
    a = pynn.Input((6,))
    seen = layers.Reshape((3, 2))(a)
    model = pynn.Model(a, [seen, layers.ReLU()(seen)])
    x = np.linspace(-1, 1, 6 * 300, dtype=np.float32).reshape(300, 6)
    found = model.predict(x, verbose=0)
    right = x.reshape(300, 3, 2)
    np.testing.assert_array_equal(found[at], [right, np.maximum(right, 0)][at])
    found[at][:] = 7  # the result has memory of its own
    assert x.max() == 1


def test_two_inputs_of_which_one_is_converted() -> None:
    a, b = pynn.Input((2,)), pynn.Input((2,))
    model = pynn.Model([a, b], layers.Subtract()([a, b]))
    x, y = np.ones((500, 2), np.float32), np.arange(1000).reshape(500, 2)
    for _ in range(2):
        np.testing.assert_array_equal(model.predict([x, y], verbose=0), 1 - y)
        np.testing.assert_array_equal(model.predict([y, x], verbose=0), y - 1)
