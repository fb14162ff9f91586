"""Every layer: its formula in float64 NumPy, its training, its shapes and weights."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import pynn
from layer_cases import CASES, F64, JOINS, samples
from pynn import layers

NOT_TESTED_HERE = {"Input", "InputLayer", "Layer", "Variable", "Wrapper"}
ELSEWHERE = {"CategoryEncoding", "Embedding", "Masking", "TimeDistributed"}


def test_every_layer_has_a_case() -> None:
    classes = {getattr(layers, name).__name__ for name in layers.__all__ if name[0].isupper()}
    assert classes - NOT_TESTED_HERE == set(CASES) | set(JOINS) | ELSEWHERE


@pytest.mark.parametrize("name", CASES)
def test_formula(name: str) -> None:
    make, shape, formula = CASES[name]
    pynn.utils.set_random_seed(0)
    layer = make()
    x = samples(7, *shape)
    y = layer(x)
    expected = formula(x, layer)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, expected, rtol=1e-13, atol=1e-14)
    assert layer.output_shape == (None, *expected.shape[1:])
    assert layer.compute_output_shape((None, *shape)) == (None, *expected.shape[1:])
    assert layer.input_shape == (None, *shape)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"Identity", "Lambda"}))
def test_a_structure_in_place_of_an_array(name: str) -> None:
    make, shape, _ = CASES[name]
    layer = make()
    for value in (samples(7, *shape), pynn.Input(shape)):
        with pytest.raises(ValueError, match="expected one input"):
            layer({"a": value})
        layer(value)  # a built layer says the same
        with pytest.raises(ValueError, match="expected one input"):
            layer([value])


@pytest.mark.parametrize("name", CASES)
def test_float32_agrees(name: str) -> None:
    make, shape, _ = CASES[name]
    pynn.utils.set_random_seed(0)
    double = make()
    single = type(double).from_config({**double.get_config(), "dtype": "float32", "name": "s"})
    x = samples(7, *shape)
    expected = double(x)
    single(x)
    single.set_weights(double.get_weights())
    y = single(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("trainable", [True, False])
def test_batch_normalization(scale: bool, center: bool, trainable: bool) -> None:
    pynn.utils.set_random_seed(1)
    layer = layers.BatchNormalization(
        momentum=0.8, epsilon=0.01, scale=scale, center=center, trainable=trainable,
        gamma_initializer="random_uniform", beta_initializer="random_uniform",
        moving_mean_initializer="random_uniform", **F64,
    )  # fmt: skip
    x = samples(9, 2, 3)
    layer.build_for((2, 3))
    names = [v.name for v in layer.weights]
    assert names == ["gamma"] * scale + ["beta"] * center + ["moving_mean", "moving_variance"]
    gamma = layer.gamma.numpy() if layer.gamma else 1.0
    beta = layer.beta.numpy() if layer.beta else 0.0
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    y = layer(x, training=True)
    rows = x.reshape(-1, 3)
    used_mean, used_variance = (rows.mean(0), rows.var(0)) if trainable else (mean, variance)
    expected = (x - used_mean) / np.sqrt(used_variance + 0.01) * gamma + beta
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    if trainable:  # biased variance, as Keras
        mean = 0.8 * mean + 0.2 * rows.mean(0)
        variance = 0.8 * variance + 0.2 * rows.var(0)
    np.testing.assert_allclose(layer.moving_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance.numpy(), variance, rtol=1e-12)
    np.testing.assert_allclose(
        layer(x), (x - mean) / np.sqrt(variance + 0.01) * gamma + beta, rtol=1e-12
    )


BIG = (200, 1000)


def test_dropout_in_training() -> None:
    pynn.utils.set_random_seed(0)
    y = layers.Dropout(0.3)(np.ones(BIG), training=True)
    kept = y != 0
    assert kept.mean() == pytest.approx(0.7, abs=0.005)
    np.testing.assert_allclose(y[kept], 1 / 0.7, rtol=1e-6)
    again = layers.Dropout(0.3)(np.ones(BIG), training=True)
    assert not np.array_equal(y, again)
    first, second = (layers.Dropout(0.3, seed=5)(np.ones(BIG), training=True) for _ in range(2))
    assert np.array_equal(first, second)


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    pynn.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=BIG)
    y = layers.AlphaDropout(0.2, **F64)(x, training=True)
    assert y.mean() == pytest.approx(0, abs=0.01)
    assert y.std() == pytest.approx(1, abs=0.01)
    saturated = -1.6732632423543772 * 1.0507009873554805
    a = (0.8 * (1 + 0.2 * saturated**2)) ** -0.5
    dropped = np.isclose(y, a * saturated * (1 - 0.2))
    assert dropped.mean() == pytest.approx(0.2, abs=0.005)
    np.testing.assert_allclose(y[~dropped], (a * x - a * saturated * 0.2)[~dropped], rtol=1e-9)


def test_noise_in_training() -> None:
    pynn.utils.set_random_seed(0)
    added = layers.GaussianNoise(0.5, **F64)(np.ones(BIG), training=True) - 1
    assert added.mean() == pytest.approx(0, abs=0.005)
    assert added.std() == pytest.approx(0.5, abs=0.005)
    factor = layers.GaussianDropout(0.2, **F64)(np.ones(BIG), training=True)
    assert factor.mean() == pytest.approx(1, abs=0.005)
    assert factor.std() == pytest.approx(0.5, abs=0.005)  # sqrt(rate / (1 - rate))
    slopes = -layers.RReLU(0.1, 0.4, **F64)(-np.ones(BIG), training=True)
    assert slopes.min() >= 0.1
    assert slopes.max() <= 0.4
    assert slopes.mean() == pytest.approx(0.25, abs=0.002)


def test_rate_zero_does_nothing() -> None:
    x = samples(3, 4)
    for layer in (layers.Dropout(0), layers.AlphaDropout(0.0), layers.GaussianNoise(0)):
        assert np.array_equal(layer(x, training=True), x.astype(np.float32))


def test_dense_on_more_axes() -> None:
    pynn.utils.set_random_seed(0)
    layer = layers.Dense(4, **F64)
    x = samples(5, 2, 3)
    y = layer(x)
    np.testing.assert_allclose(y, np.einsum("nij,jk->nik", x, layer.kernel.numpy()), rtol=1e-13)
    assert layer.output_shape == (None, 2, 4)


def test_keras_defaults() -> None:
    """Signatures of Keras 3.15: names in order, and defaults."""
    expected = {
        "Dense": "units, activation=None, use_bias=True, kernel_initializer='glorot_uniform', "
        "bias_initializer='zeros', kernel_regularizer=None, bias_regularizer=None, "
        "activity_regularizer=None, kernel_constraint=None, bias_constraint=None",
        "Activation": "activation",
        "ReLU": "max_value=None, negative_slope=0.0, threshold=0.0",
        "LeakyReLU": "negative_slope=0.3",
        "PReLU": "alpha_initializer='Zeros', alpha_regularizer=None, alpha_constraint=None, "
        "shared_axes=None",
        "ELU": "alpha=1.0",
        "Softmax": "axis=-1",
        "BatchNormalization": "axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True, "
        "beta_initializer='zeros', gamma_initializer='ones', moving_mean_initializer='zeros', "
        "moving_variance_initializer='ones', beta_regularizer=None, gamma_regularizer=None, "
        "beta_constraint=None, gamma_constraint=None, renorm=False, renorm_clipping=None, "
        "renorm_momentum=0.99, synchronized=False",
        "RMSNormalization": "axis=-1, epsilon=1e-06",
        "UnitNormalization": "axis=-1",
        "Normalization": "axis=-1, mean=None, variance=None, invert=False",
        "Permute": "dims",
        "RepeatVector": "n",
        "Masking": "mask_value=0.0",
        "GlobalAveragePooling1D": "data_format=None, keepdims=False",
        "GlobalMaxPooling1D": "data_format=None, keepdims=False",
        "TimeDistributed": "layer",
        "Embedding": "input_dim, output_dim, embeddings_initializer='uniform', "
        "embeddings_regularizer=None, embeddings_constraint=None, mask_zero=False, weights=None",
        "CategoryEncoding": "num_tokens=None, output_mode='multi_hot', sparse=False",
        "Lambda": "function, output_shape=None, mask=None, arguments=None",
        "Concatenate": "axis=-1",
        "Dot": "axes, normalize=False",
        "Dropout": "rate, noise_shape=None, seed=None",
        "AlphaDropout": "rate, noise_shape=None, seed=None",
        "GaussianNoise": "stddev, seed=None",
        "GaussianDropout": "rate, seed=None",
        "ActivityRegularization": "l1=0.0, l2=0.0",
        "Flatten": "data_format=None",
        "Reshape": "target_shape",
        "Rescaling": "scale, offset=0.0",
    }
    for name, text in expected.items():
        parameters = list(inspect.signature(getattr(layers, name)).parameters.values())
        shown = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters]
        assert shown[-1] == "kwargs"
        assert ", ".join(shown[:-1]) == text


@pytest.mark.parametrize("name", CASES)
def test_configuration_round_trip(name: str) -> None:
    import json

    make, shape, _ = CASES[name]
    layer = make()
    config = json.loads(json.dumps(layer.get_config()))
    assert config["name"] == layer.name
    copy = type(layer).from_config(config)
    assert copy.get_config() == layer.get_config()
    x = samples(4, *shape)
    expected = layer(x)
    copy(x)
    copy.set_weights(layer.get_weights())
    assert np.array_equal(copy(x), expected)


def test_names_and_repr() -> None:
    pynn.utils.clear_session()
    names = [layers.Dense(1).name, layers.Dense(1).name, layers.LeakyReLU().name]
    assert names == ["dense", "dense_1", "leaky_re_lu"]
    assert [layers.PReLU().name, layers.BatchNormalization().name] == [
        "p_re_lu",
        "batch_normalization",
    ]
    layer = layers.Dense(1, name="out")
    assert repr(layer) == "<Dense name=out, built=False>"
    layer(np.zeros((1, 2)))
    assert repr(layer) == "<Dense name=out, built=True>"
    assert [v.path for v in layer.weights] == ["out/kernel", "out/bias"]


def test_weights() -> None:
    layer = layers.Dense(2)
    assert layer.weights == []
    with pytest.raises(ValueError, match="not made yet"):
        layer.count_params()
    layer.build((None, 3))
    layer.built = True
    assert layer.count_params() == 8
    kernel, _ = layer.get_weights()
    kernel[...] = 9
    assert not np.any(layer.kernel.numpy() == 9)  # copies
    layer.kernel.value[...] = 7  # the live array
    assert np.all(layer.kernel.numpy() == 7)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert layer.non_trainable_weights == layer.weights


def test_variable() -> None:
    layer = layers.Dense(2, **F64)
    layer.build((None, 3))
    variable = layer.kernel
    assert (variable.shape, variable.dtype, variable.trainable) == ((3, 2), "float64", True)
    assert variable.assign(np.arange(6).reshape(3, 2)) is variable
    assert np.asarray(variable).tolist() == [[0, 1], [2, 3], [4, 5]]
    with pytest.raises(ValueError, match=r"expected values of shape \(3, 2\)"):
        variable.assign(np.zeros(6))


def test_legacy_spellings() -> None:
    assert layers.LeakyReLU(alpha=0.2).negative_slope == 0.2
    for kwargs in ({"input_shape": (4,)}, {"input_dim": 4}, {"batch_input_shape": (None, 4)}):
        model = pynn.Sequential([layers.Dense(2, **kwargs)])
        assert model.input_shape == (None, 4)


def test_a_view_of_a_weight_stays_live_when_the_model_is_built_and_trained() -> None:
    layer = layers.Dense(2, input_shape=(3,))
    model = pynn.Sequential([layer])
    view = layer.kernel.value
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
    np.testing.assert_array_equal(view, layer.get_weights()[0])
    view[...] = 0
    bias = layer.get_weights()[1]
    np.testing.assert_array_equal(model.predict(np.ones((1, 3)), verbose=0), [bias])


@pytest.mark.parametrize(
    ("activation", "formula"),
    [
        (layers.LeakyReLU(negative_slope=0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
        (layers.LeakyReLU, lambda x: np.where(x > 0, x, 0.3 * x)),
        (layers.ReLU(1.0, negative_slope=0.5), lambda x: np.where(x > 0, np.minimum(x, 1), x / 2)),
        (layers.ELU(alpha=0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        (layers.Activation("tanh"), np.tanh),
        (layers.Softmax(), lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)),
        ({"class_name": "ELU", "config": {}}, lambda x: np.where(x > 0, x, np.expm1(x))),
    ],
    ids=["leaky_relu", "class", "relu", "elu", "activation", "softmax", "config"],
)  # fmt: skip
def test_a_layer_as_activation(activation: Any, formula: Any) -> None:
    x = np.random.default_rng(0).normal(size=(6, 4)) * 2
    dense = layers.Dense(4, activation=activation, kernel_initializer="identity", **F64)
    for layer in (dense, layers.Activation(activation, **F64)):
        np.testing.assert_allclose(layer(x), formula(x), rtol=1e-12)
        again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
        np.testing.assert_allclose(again(x), formula(x), rtol=1e-12)


def test_weights_are_not_written_unless_all_are_numbers() -> None:
    layer = layers.Dense(2)
    layer(np.zeros((1, 3)))
    before = layer.get_weights()
    for wrong in (np.array(["a", "b"]), np.array([object()] * 2), np.ones(2) * 1j):
        with pytest.raises(TypeError, match="numbers"):
            layer.set_weights([np.full((3, 2), 7.0), wrong])
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


def test_no_initializer_is_the_default_one() -> None:
    layer = layers.Dense(50, kernel_initializer=None, bias_initializer=None)
    layer(np.zeros((1, 30)))
    limit = np.sqrt(6 / 80)
    assert 0.9 * limit < np.abs(layer.get_weights()[0]).max() <= limit
