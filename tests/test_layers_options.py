"""Options of layers: other axes, shared numbers, inference within training, building by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from layer_cases import F64, samples
from pynn import layers


@pytest.mark.parametrize("called_with", [False, None])
def test_frozen_batch_normalization_trains_gamma_and_beta(called_with: bool | None) -> None:
    """Called as in prediction within training: moving statistics, trained gamma and beta."""

    class Frozen(layers.Layer):
        def __init__(self) -> None:
            super().__init__(**F64)
            self.norm = layers.BatchNormalization(
                gamma_initializer="random_uniform", moving_mean_initializer="random_uniform", **F64
            )

        def call(self, inputs: Any) -> Any:
            return self.norm(inputs, training=called_with)

    layer, x = Frozen(), samples(7, 3)
    report = pynn.utils.check_gradients(layer, x, training=called_with is False)
    assert report, report
    assert [name.rpartition("/")[2] for name in report.errors] == ["input 0", "gamma", "beta"]


@pytest.mark.parametrize("make", [lambda: layers.Dropout(0.5), lambda: layers.RReLU()])
def test_inference_within_training(make: Any) -> None:
    class Calm(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = make()

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs, training=False)

    layer, x = Calm(), samples(5, 4)
    np.testing.assert_array_equal(layer(x, training=True), layer(x))


@pytest.mark.parametrize("shape", [(None, 1, 4), (1, 3, 4), (None, 3, 1)])
@pytest.mark.parametrize("cls", [layers.Dropout, layers.AlphaDropout])
def test_noise_shape(cls: Any, shape: tuple[int | None, ...]) -> None:
    """Along axes of length 1 all elements share their fate."""
    pynn.utils.set_random_seed(0)
    y = cls(0.4, noise_shape=shape, **F64)(np.ones((50, 3, 4)), training=True)
    shared = tuple(axis for axis, n in enumerate(shape) if n == 1)
    assert np.all(np.ptp(y, axis=shared) == 0)
    others = [axis for axis in range(3) if axis not in shared]
    assert all(np.ptp(y, axis=axis).max() > 0 for axis in others)
    saturated = -1.6732632423543772 * 1.0507009873554805
    scale = (0.6 * (1 + 0.4 * saturated**2)) ** -0.5
    kept = 1 / 0.6 if cls is layers.Dropout else scale - scale * saturated * 0.4
    dropped = 0.0 if cls is layers.Dropout else scale * saturated * 0.6
    assert np.all(np.isclose(y, kept) | np.isclose(y, dropped))


def test_batch_normalization_of_another_axis() -> None:
    x = samples(6, 3, 4)
    layer = layers.BatchNormalization(axis=1, **F64)
    mean, variance = x.mean((0, 2), keepdims=True), x.var((0, 2), keepdims=True)
    np.testing.assert_allclose(
        layer(x, training=True), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-11
    )
    assert layer.moving_mean.shape == (3,)


def test_prelu_with_shared_slopes() -> None:
    layer = layers.PReLU("random_uniform", shared_axes=1, **F64)
    x = samples(5, 3, 4)
    y = layer(x)
    assert layer.alpha.shape == (1, 4)
    np.testing.assert_allclose(y, np.where(x > 0, x, layer.alpha.numpy() * x), rtol=1e-13)
    assert pynn.utils.check_gradients(layer, x)


def test_softmax_of_other_axes() -> None:
    x = samples(5, 3, 4)
    for axis in (1, [1, 2]):
        over = tuple(axis) if isinstance(axis, list) else axis
        expected = np.exp(x) / np.exp(x).sum(over, keepdims=True)
        np.testing.assert_allclose(layers.Softmax(axis=axis, **F64)(x), expected, rtol=1e-12)


def test_rescaling_by_feature() -> None:
    x = samples(5, 3)
    y = layers.Rescaling([1.0, 2.0, 3.0], [0.5, 0.0, 1.0], **F64)(x)
    np.testing.assert_allclose(y, x * [1.0, 2.0, 3.0] + [0.5, 0.0, 1.0], rtol=1e-13)


def test_layer_normalization_of_several_axes() -> None:
    x = samples(5, 3, 4)
    layer = layers.LayerNormalization(axis=[2, 1], gamma_initializer="random_uniform", **F64)
    y = layer(x)
    assert [v.shape for v in layer.weights] == [(4, 3), (4, 3)]
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    assert layer.gamma is not None
    expected = (x - mean) / np.sqrt(variance + 1e-3) * layer.gamma.numpy().T
    np.testing.assert_allclose(y, expected, rtol=1e-11)


def test_a_layer_built_by_hand_is_built() -> None:
    layer = layers.Dense(2, kernel_regularizer="l2", kernel_constraint="non_neg")
    layer.build((None, 3))
    assert layer.built
    assert layer.input_shape == (None, 3)
    layer(np.ones((1, 3)))
    assert len(layer.weights) == 2
    assert layer.losses[0] == pytest.approx(0.01 * np.sum(layer.kernel.numpy() ** 2))
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    copy = layers.Dense(2)
    copy.build((None, 3))
    copy.load_own_variables(store)
    assert np.array_equal(copy.kernel.numpy(), layer.kernel.numpy())
    with pytest.raises(ValueError, match="expected 2 arrays"):
        copy.load_own_variables({"0": store["0"]})
