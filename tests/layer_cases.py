"""One case for each layer class: how to make it, and its formula in float64 NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import layers
from pynn.layers import Layer

Array = npt.NDArray[np.float64]
F64: dict[str, Any] = {"dtype": "float64"}


def samples(*shape: int) -> Array:
    """Values in (-2, 2) that keep clear of the places where derivatives jump."""
    x = np.random.default_rng(5).uniform(-2, 2, shape)
    near = np.abs(x - np.round(x * 4) / 4) < 1e-3
    return np.where(near, x + 0.01, x)


def dense(x: Array, layer: Any) -> Array:
    kernel, bias = layer.get_weights()
    return np.asarray(np.maximum(x @ kernel + bias, 0))


def batch_norm(x: Array, layer: Any) -> Array:
    gamma, beta, mean, variance = layer.get_weights()
    return np.asarray((x - mean) / np.sqrt(variance + 1e-3) * gamma + beta)


# One case per layer class: how to make it, the shape of a sample, y(x) in inference mode.
Case = tuple[Callable[[], Layer], tuple[int, ...], Callable[[Array, Any], Array]]
CASES: dict[str, Case] = {
    "Activation": (lambda: layers.Activation("tanh", **F64), (3,), lambda x, _: np.tanh(x)),
    "ActivityRegularization": (
        lambda: layers.ActivityRegularization(0.1, 0.2, **F64), (3,), lambda x, _: x
    ),
    "AlphaDropout": (lambda: layers.AlphaDropout(0.3, **F64), (6,), lambda x, _: x),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(
            gamma_initializer="random_uniform", beta_initializer="random_uniform",
            moving_mean_initializer="random_uniform", **F64,
        ), (3,), batch_norm,
    ),
    "Dense": (
        lambda: layers.Dense(4, activation="relu", bias_initializer="random_normal", **F64), (3,),
        dense,
    ),
    "Dropout": (lambda: layers.Dropout(0.4, **F64), (6,), lambda x, _: x),
    "ELU": (
        lambda: layers.ELU(0.7, **F64), (3,),
        lambda x, _: np.where(x > 0, x, 0.7 * (np.exp(np.minimum(x, 0)) - 1)),
    ),
    "Flatten": (lambda: layers.Flatten(**F64), (2, 3), lambda x, _: x.reshape(len(x), 6)),
    "GaussianDropout": (lambda: layers.GaussianDropout(0.3, **F64), (6,), lambda x, _: x),
    "GaussianNoise": (lambda: layers.GaussianNoise(0.3, **F64), (6,), lambda x, _: x),
    "Identity": (lambda: layers.Identity(**F64), (3,), lambda x, _: x),
    "LeakyReLU": (
        lambda: layers.LeakyReLU(**F64), (3,), lambda x, _: np.where(x > 0, x, 0.3 * x)
    ),
    "PReLU": (
        lambda: layers.PReLU("random_uniform", **F64), (2, 3),
        lambda x, layer: np.where(x > 0, x, layer.alpha.numpy() * x),
    ),
    "RReLU": (
        lambda: layers.RReLU(**F64), (3,),
        lambda x, _: np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x),
    ),
    "ReLU": (
        lambda: layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.5, **F64), (3,),
        lambda x, _: np.where(x >= 1.5, 1.5, np.where(x >= 0.5, x, 0.1 * (x - 0.5))),
    ),
    "Rescaling": (lambda: layers.Rescaling(0.5, 2.0, **F64), (3,), lambda x, _: 0.5 * x + 2),
    "Reshape": (
        lambda: layers.Reshape((3, -1), **F64), (2, 6), lambda x, _: x.reshape(len(x), 3, 4)
    ),
    "Softmax": (
        lambda: layers.Softmax(**F64), (2, 4),
        lambda x, _: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    ),
}  # fmt: skip
