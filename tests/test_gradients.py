"""The gradient of every layer by central differences of the loss, in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import pynn
from layer_cases import CASES, F64, Array, samples
from pynn import _core, layers
from pynn.layers import Layer


@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str) -> None:
    """One step of SGD with rate 1 shows the gradient; differences of the loss must agree.

    The layer stands between two dense layers, so that the gradient flows through it as well.
    """
    make, shape, _ = CASES[name]
    pynn.utils.set_random_seed(4)
    model = pynn.Sequential(
        [
            pynn.Input((5,)),
            layers.Dense(math.prod(shape), bias_initializer="random_uniform", **F64),
            layers.Reshape(shape, **F64),
            make(),
            layers.Flatten(**F64),
            layers.Dense(2, **F64),
        ]
    )
    x, y = samples(6, 5), samples(6, 2)
    check_gradient(model, x, y)


def check_gradient(model: pynn.Sequential, x: Array, y: Any, loss: Any = "mse") -> None:
    """Compares the step of one batch with central differences of the loss in training mode."""
    model.compile(pynn.optimizers.SGD(1.0), loss)
    before = [v.numpy() for v in model.trainable_weights]
    rest = [v.numpy() for v in model.non_trainable_weights]
    function = pynn.losses.resolve(loss)

    def restore() -> None:
        for variable, value in zip(model.trainable_weights, before, strict=True):
            variable.assign(value)
        for variable, value in zip(model.non_trainable_weights, rest, strict=True):
            variable.assign(value)

    model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0)
    gradients = [old - v.numpy() for old, v in zip(before, model.trainable_weights, strict=True)]
    restore()
    network = model.make_program(training=True).network

    def value() -> float:
        # Seed and step of the batch above: dropout and noise fall as they did there.
        prediction = network.forward([x], model._seed, 0, 1)[0]
        total = (
            float(np.mean((prediction - y) ** 2))
            if loss == "mse"
            else np.mean(function(y, prediction))
        )
        for layer in model.layers:
            for v in layer.trainable_weights:
                if v.regularizer is not None:
                    total += v.regularizer(v.numpy())
            if layer.activity_regularizer is not None:
                total += layer.activity_regularizer(hidden(layer)) / len(x)
        return float(total)

    def hidden(layer: Layer) -> Array:
        """The layer's output; only layers without noise before them are asked."""
        index = model.layers.index(layer)
        part = pynn.Sequential([pynn.Input(x.shape[1:]), *model.layers[: index + 1]])
        return np.asarray(part.make_program().network.forward([x], model._seed, 0, 1)[0])

    rng = np.random.default_rng(11)
    step = 1e-5
    for _ in range(3):
        directions = [rng.normal(size=v.shape) for v in model.trainable_weights]
        values = []
        for sign in (1, -1):
            for v, old, d in zip(model.trainable_weights, before, directions, strict=True):
                v.assign(old + sign * step * d)
            values.append(value())
        restore()
        numeric = (values[0] - values[1]) / (2 * step)
        ours = sum(float(np.sum(g * d)) for g, d in zip(gradients, directions, strict=True))
        assert ours == pytest.approx(numeric, rel=1e-6, abs=1e-8)


def catalog(*kinds: str) -> list[dict[str, Any]]:
    """Rows of the engine's tables whose parameters all have defaults."""
    return [
        row
        for row in _core.catalog()
        if row["kind"] in kinds and not any(np.isnan(float(f["default"])) for f in row["fields"])
    ]


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("loss", [row["name"] for row in catalog("loss")])
def test_every_activation_under_every_loss(loss: str, output: str) -> None:
    """Softmax and sigmoid keep predictions where all losses are defined; some fuse with them."""
    row = next(row for row in catalog("loss") if row["name"] == loss)
    x = samples(6, 5)
    rng = np.random.default_rng(3)
    shares = rng.dirichlet(np.ones(3), size=6)
    y = rng.integers(0, 3, 6) if row["index_target"] else shares
    for activation in catalog("activation", "row_activation"):
        pynn.utils.set_random_seed(21)
        model = pynn.Sequential(
            [
                pynn.Input((5,)),
                layers.Dense(4, activation=activation["name"], **F64),
                layers.Dense(3, activation=output, **F64),
            ]
        )
        check_gradient(model, x, y, loss)


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("activation", [None, "relu", "tanh", "softmax"])
def test_dense_gradient_with_penalties(activation: str | None, use_bias: bool) -> None:
    pynn.utils.set_random_seed(9)
    model = pynn.Sequential(
        [
            pynn.Input((5,)),
            layers.Dense(
                4, activation=activation, use_bias=use_bias, kernel_regularizer="l2",
                bias_regularizer=pynn.regularizers.L1(0.1), activity_regularizer="l1l2", **F64,
            ),
            layers.Dense(3, kernel_regularizer=pynn.regularizers.L1L2(0.02, 0.03),
                         activity_regularizer="l2", **F64),
        ]
    )  # fmt: skip
    check_gradient(model, samples(6, 5), samples(6, 3))
