"""One case for each layer class: how to make it, and its formula in float64 NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import pynn
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


def standardized(x: Array, axis: tuple[int, ...], epsilon: float = 1e-3) -> Array:
    mean, variance = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    return np.asarray((x - mean) / np.sqrt(variance + epsilon))


def layer_norm(x: Array, layer: Any) -> Array:
    gamma, beta = layer.get_weights()
    return np.asarray(standardized(x, (2,)) * gamma + beta)


def group_norm(x: Array, layer: Any) -> Array:
    gamma, beta = layer.get_weights()
    groups = x.reshape(len(x), 3, 2, 2)
    return np.asarray(standardized(groups, (1, 3)).reshape(x.shape) * gamma + beta)


def rms_norm(x: Array, layer: Any) -> Array:
    mean_square = np.mean(x**2, axis=-1, keepdims=True)
    return np.asarray(x / np.sqrt(mean_square + 1e-6) * layer.scale.numpy())


@pynn.saving.register_keras_serializable(package="layer_cases")
def cubed(x: Any, factor: float) -> Any:
    return factor * x**3


RANDOM: dict[str, Any] = {
    "gamma_initializer": "random_uniform", "beta_initializer": "random_uniform", **F64
}  # fmt: skip

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
    "GlobalAveragePooling1D": (
        lambda: layers.GlobalAveragePooling1D(**F64), (3, 4), lambda x, _: x.mean(axis=1)
    ),
    "GlobalMaxPooling1D": (
        lambda: layers.GlobalMaxPooling1D("channels_first", keepdims=True, **F64), (3, 4),
        lambda x, _: x.max(axis=2, keepdims=True),
    ),
    "GroupNormalization": (
        lambda: layers.GroupNormalization(2, **RANDOM), (3, 4), group_norm
    ),
    "Identity": (lambda: layers.Identity(**F64), (3,), lambda x, _: x),
    "Lambda": (
        lambda: layers.Lambda(cubed, arguments={"factor": 0.5}, **F64), (3,),
        lambda x, _: 0.5 * x**3,
    ),
    "LayerNormalization": (lambda: layers.LayerNormalization(**RANDOM), (3, 4), layer_norm),
    "LeakyReLU": (
        lambda: layers.LeakyReLU(**F64), (3,), lambda x, _: np.where(x > 0, x, 0.3 * x)
    ),
    "Normalization": (
        lambda: layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 0.25], **F64), (3,),
        lambda x, _: (x - [1.0, 2.0, 3.0]) / [2.0, 3.0, 0.5],
    ),
    "PReLU": (
        lambda: layers.PReLU("random_uniform", **F64), (2, 3),
        lambda x, layer: np.where(x > 0, x, layer.alpha.numpy() * x),
    ),
    "Permute": (
        lambda: layers.Permute((3, 1, 2), **F64), (2, 3, 4), lambda x, _: x.transpose(0, 3, 1, 2)
    ),
    "RMSNormalization": (lambda: layers.RMSNormalization(**F64), (3,), rms_norm),
    "RReLU": (
        lambda: layers.RReLU(**F64), (3,),
        lambda x, _: np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x),
    ),
    "ReLU": (
        lambda: layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.5, **F64), (3,),
        lambda x, _: np.where(x >= 1.5, 1.5, np.where(x >= 0.5, x, 0.1 * (x - 0.5))),
    ),
    "RepeatVector": (
        lambda: layers.RepeatVector(2, **F64), (3,), lambda x, _: np.stack([x, x], axis=1)
    ),
    "Rescaling": (lambda: layers.Rescaling(0.5, 2.0, **F64), (3,), lambda x, _: 0.5 * x + 2),
    "Reshape": (
        lambda: layers.Reshape((3, -1), **F64), (2, 6), lambda x, _: x.reshape(len(x), 3, 4)
    ),
    "Softmax": (
        lambda: layers.Softmax(**F64), (2, 4),
        lambda x, _: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    ),
    "SpatialDropout1D": (lambda: layers.SpatialDropout1D(0.4, **F64), (3, 4), lambda x, _: x),
    "UnitNormalization": (
        lambda: layers.UnitNormalization(axis=1, **F64), (3, 4),
        lambda x, _: x / np.sqrt(np.sum(x**2, axis=1, keepdims=True)),
    ),
}  # fmt: skip

# The layers with several inputs: how to make one, the shapes of a sample, y(inputs).
Join = tuple[Callable[[], Layer], list[tuple[int, ...]], Callable[..., Array]]
JOINS: dict[str, Join] = {
    "Add": (lambda: layers.Add(**F64), [(3,), (3,), (3,)], lambda a, b, c: a + b + c),
    "Average": (lambda: layers.Average(**F64), [(3,), (3,), (3,)], lambda a, b, c: (a + b + c) / 3),
    "Concatenate": (
        lambda: layers.Concatenate(axis=1, **F64), [(2, 3), (4, 3)],
        lambda a, b: np.concatenate([a, b], axis=1),
    ),
    "Dot": (
        lambda: layers.Dot((1, 2), **F64), [(3, 2), (4, 3)],
        lambda a, b: np.einsum("nki,njk->nij", a, b),
    ),
    "Maximum": (
        lambda: layers.Maximum(**F64), [(3,), (2, 3)], lambda a, b: np.maximum(a[:, None], b)
    ),
    "Minimum": (lambda: layers.Minimum(**F64), [(3,), (1,)], np.minimum),
    "Multiply": (lambda: layers.Multiply(**F64), [(2, 3), (2, 1)], lambda a, b: a * b),
    "Subtract": (lambda: layers.Subtract(**F64), [(3,), (3,)], lambda a, b: a - b),
}  # fmt: skip
