"""Models that the tests of saving use."""

from __future__ import annotations

from typing import Any

import numpy as np

import pynn
from pynn import layers, ops


def every_layer() -> pynn.Sequential:
    """Layers with weights, with arguments, with random numbers, and a model among them."""
    inner = pynn.Sequential([pynn.Input((6,)), layers.Dense(5), layers.PReLU()], name="inner")
    return pynn.Sequential(
        [
            pynn.Input((2, 3)),
            layers.Flatten(),
            layers.Rescaling(0.5, offset=0.25),
            layers.Dense(6, "relu", kernel_regularizer="l2", kernel_initializer="he_normal"),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.5),
            layers.GaussianNoise(0.1),
            inner,
            layers.Dense(6, activation=layers.LeakyReLU(negative_slope=0.25), use_bias=False),
            layers.ELU(0.5),
            layers.ReLU(6.0, 0.125, 0.25),
            layers.Reshape((2, 3)),
            layers.Dense(4, "gelu", name="on_rows"),
            layers.Flatten(),
            layers.Dense(3),
            layers.Softmax(),
        ],
        name="every",
    )


def two_ends() -> Any:
    """Two inputs, a shared layer, a model in the middle, two outputs by name."""
    a, b = pynn.Input((4,), name="a"), pynn.Input((4,), name="b")
    shared = layers.Dense(5, name="shared")
    x, y = shared(a), shared(b)
    z = pynn.Input((5,))
    inner = pynn.Model(z, layers.Dense(5, "relu")(layers.Dense(5)(z)), name="inner")
    p = layers.Dense(2, name="p_layer")(inner(layers.Dense(5)(x)))
    return pynn.Model([a, b], {"p": p, "q": layers.Dense(1)(inner(y))}, name="ends")


def functions() -> Any:
    """Functions of ``pynn.ops`` and operators between layers, with arguments of all kinds."""
    a, b = pynn.Input((4,), name="a"), pynn.Input((4,), name="b")
    outputs = [
        1 - a,
        a**2 / (1.0 + abs(b)),
        -a * b + np.arange(4, dtype="float32"),
        a[:, 1:3],
        a[:, 0],
        ops.concatenate([a, b], axis=-1),
        ops.stack([a, b], axis=1),
        ops.where(a > 0, a, b),
        ops.sum(a, axis=1, keepdims=True),
        ops.mean(a, -1),
        ops.clip(a, -0.5, 0.5),
        ops.leaky_relu(a, 0.125),
        ops.relu(a),
        ops.softmax(a),
        ops.gelu(a, approximate=True),
        ops.reshape(a, (-1, 2, 2)),
        ops.transpose(ops.reshape(a, (-1, 2, 2)), (0, 2, 1)),
        ops.split(a, 2, axis=1)[1],
        ops.logsumexp(a, axis=1),
        a @ np.ones((4, 3), "float32"),
    ]
    return pynn.Model([a, b], outputs, name="functions")


def randomize(model: Any) -> Any:
    generator = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(generator.uniform(0.1, 1.0, weight.shape))
    return model
