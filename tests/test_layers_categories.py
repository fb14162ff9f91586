"""Layers for class numbers and data known before training, layers around layers and functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import pynn
from layer_cases import F64, Array, samples
from pynn import layers, ops


def test_embedding() -> None:
    layer = layers.Embedding(5, 3, **F64)
    x = np.array([[0, 4], [2, 2]])
    np.testing.assert_array_equal(layer(x), layer.embeddings.numpy()[x])
    assert layer.compute_output_shape((None, 2)) == (None, 2, 3)
    assert [v.path for v in layer.weights] == [f"{layer.name}/embeddings"]
    with pytest.raises(ValueError, match="less than 5"):
        layer([[5]])


def test_embedding_learns() -> None:
    """The gradient of the mean square of vectors: each class gets the sum over its places."""
    x = np.array([[0, 1], [1, 1]])
    model = pynn.Sequential(
        [pynn.Input((2,)), layers.Embedding(3, 2, embeddings_regularizer="l2", **F64)]
    )
    model.compile("sgd", "mse")
    table = model.get_weights()[0]
    expected = 0.02 * table
    for number in x.ravel():
        expected[number] += 2 * table[number] / 8
    np.testing.assert_allclose(model.gradients(x, np.zeros((2, 2, 2)))[0], expected, rtol=1e-12)


def test_embedding_of_given_vectors() -> None:
    table = samples(4, 2)
    layer = layers.Embedding(4, 2, weights=[table], trainable=False, **F64)
    np.testing.assert_array_equal(layer([[3, 0]]), table[[[3, 0]]])
    assert "weights" not in layer.get_config()
    assert layer.trainable_weights == []


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3), (4, 2, 3)])
@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_category_encoding(mode: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 5, shape)
    layer = layers.CategoryEncoding(5, output_mode=mode)
    y = layer(x)
    rows = np.eye(5)[x]
    if mode == "one_hot":
        expected = rows[..., 0, :] if shape[-1] == 1 and len(shape) > 1 else rows
    elif len(shape) == 1:
        expected = rows
    else:
        expected = rows.max(-2) if mode == "multi_hot" else rows.sum(-2)
    np.testing.assert_array_equal(y, expected)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])


def test_weighted_counts() -> None:
    weights = np.array([[0.5, 2.0], [1.0, 1.0]])
    y = layers.CategoryEncoding(3, output_mode="count")([[0, 2], [1, 1]], count_weights=weights)
    np.testing.assert_array_equal(y, [[0.5, 0, 2.0], [0, 2.0, 0]])


def batches(x: Array) -> Iterator[Any]:
    yield from (x[:3], x[3:4])
    yield x[4:], np.zeros(len(x) - 4)


@pytest.mark.parametrize("axis", [-1, None, 1, (1, 2)])
@pytest.mark.parametrize("by_batches", [False, True])
def test_normalization_adapts(axis: Any, by_batches: bool) -> None:
    x = samples(9, 3, 2) * [1.0, 3.0] + 1e4
    layer = layers.Normalization(axis=axis, **F64)
    layer.adapt(batches(x) if by_batches else x)
    kept = {-1: (2,), None: (), 1: (1,), (1, 2): (1, 2)}[axis]
    others = tuple(a for a in range(3) if a not in kept)
    mean, variance = x.mean(others, keepdims=True), x.var(others, keepdims=True)
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance), rtol=1e-9, atol=1e-9)
    assert [v.name for v in layer.weights] == ["mean", "variance", "count"]
    np.testing.assert_allclose(layer.mean, mean, rtol=1e-13)
    assert layer.trainable_weights == []


def test_normalization_inverts() -> None:
    x = samples(5, 3)
    given: dict[str, Any] = {"mean": [1.0, 2.0, 3.0], "variance": 3 * [4.0], **F64}
    normed = layers.Normalization(**given)(x)
    np.testing.assert_allclose(layers.Normalization(invert=True, **given)(normed), x, rtol=1e-12)


def test_normalization_round_trip() -> None:
    layer = layers.Normalization(axis=(1, 2), **F64)
    layer.adapt(samples(9, 3, 2) * 5)
    copy = layers.Normalization.from_config(json.loads(json.dumps(layer.get_config())))
    copy.build_from_config(layer.get_build_config() or {})
    copy.set_weights(layer.get_weights())
    assert np.array_equal(copy(samples(4, 3, 2)), layer(samples(4, 3, 2)))


def test_time_distributed_takes_each_step() -> None:
    pynn.utils.set_random_seed(0)
    inner = layers.LayerNormalization(gamma_initializer="random_uniform", **F64)
    layer = layers.TimeDistributed(inner, **F64)
    x = samples(5, 3, 4)
    y = layer(x)
    for t in range(3):
        np.testing.assert_allclose(y[:, t], inner(x[:, t]), rtol=1e-12)
    assert layer.weights == inner.weights
    assert pynn.utils.check_gradients(layer, x)


def test_time_distributed_round_trip() -> None:
    layer = layers.TimeDistributed(layers.Dense(2, activation="tanh"))
    x = samples(4, 3, 5)
    expected = layer(x)
    copy = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    copy(x)
    copy.set_weights(layer.get_weights())
    assert np.array_equal(copy(x), expected)


def test_lambda() -> None:
    x = samples(4, 3)
    layer = layers.Lambda(lambda t, scale: ops.tanh(t) * scale, arguments={"scale": 2.0}, **F64)
    np.testing.assert_allclose(layer(x), 2 * np.tanh(x), rtol=1e-12)
    assert pynn.utils.check_gradients(layer, x)
    model = pynn.Sequential([pynn.Input((3,)), layer])
    copy = pynn.models.clone_model(model)
    assert np.array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))


def test_lambda_knows_about_training() -> None:
    x = samples(4, 3)
    layer = layers.Lambda(lambda t, training: t * 2 if training else t, **F64)
    np.testing.assert_array_equal(layer(x), x)
    np.testing.assert_array_equal(layer(x, training=True), 2 * x)


@pynn.saving.register_keras_serializable(package="test_layers")
def bent(x: Any) -> Any:
    return x * ops.sigmoid(2.0 * x)


@pynn.ops.with_gradient
def cube(x: Array) -> tuple[Array, Array]:
    return x**3, 3 * x**2


@pytest.mark.parametrize("function", [bent, cube])
def test_activation_of_your_own(function: Any) -> None:
    x = samples(6, 3)
    layer = layers.Dense(2, activation=function, **F64)
    layer(x)
    hidden = x @ layer.kernel.numpy()
    expected = hidden**3 if function is cube else hidden / (1 + np.exp(-2 * hidden))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-12)
    assert pynn.utils.check_gradients(layer, x)


def test_registered_activation_is_found_again() -> None:
    layer = layers.Dense(2, activation=bent, **F64)
    x = samples(4, 3)
    expected = layer(x)
    copy = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    copy(x)
    copy.set_weights(layer.get_weights())
    assert np.array_equal(copy(x), expected)
