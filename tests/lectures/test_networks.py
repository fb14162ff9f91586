"""The listings of the two lectures, run as they are printed, and what the lectures claim of them:
building networks.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import pynn as keras
from listings import Array, Names, relu, run

# Neurons


def test_perceptron(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    monkeypatch.setattr(np, "int", int, raising=False)  # NumPy has dropped the name since
    assert run("perceptron", {})["y_pred"].tolist() == [1]


def test_the_module_has_a_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", keras.__version__)


# Three ways to build a model


@pytest.mark.parametrize("listing", ["sequential_add", "sequential_list"])
def test_sequential(listing: str, names: Names) -> None:
    model = run(listing, names)["model"]
    table: list[str] = []
    model.summary(print_fn=table.append)
    text = re.sub(r"[│|]", " ", "\n".join(table))
    assert 'Model: "sequential"' in text
    for name, shape, count in (
        ("flatten (Flatten)", "(None, 784)", "0"),
        ("dense (Dense)", "(None, 300)", "235,500"),
        ("dense_1 (Dense)", "(None, 100)", "30,100"),
        ("dense_2 (Dense)", "(None, 10)", "1,010"),
    ):
        assert re.search(rf"{re.escape(name)} +{re.escape(shape)} +{count}\b", text), name
    for line in (
        "Total params: 266,610",
        "Trainable params: 266,610",
        "Non-trainable params: 0",
    ):
        assert line in text
    sizes = run("sizes", {})
    assert [sizes[key] for key in ("n_inputs", "n_hidden1", "n_hidden2", "n_outputs")] == [
        784, *(layer.output_shape[-1] if hasattr(layer, "output_shape") else 0
               for layer in model.layers[1:]),
    ]  # fmt: skip


def test_model_object(names: Names) -> None:
    run("sequential_list", names)
    run("model_object", names)
    assert [type(layer).__name__ for layer in names["model"].layers] == ["Flatten", *3 * ["Dense"]]
    limit = math.sqrt(6 / (784 + 300))
    assert np.abs(names["weights"]).max() <= limit


def test_mnist_network_has_as_many_weights_as_the_lecture_counts() -> None:
    model = keras.Sequential([
        keras.Input((784,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    assert [layer.count_params() for layer in model.layers] == [785 * 256, 257 * 128, 129 * 10]
    assert model.count_params() == 235_146


def test_steps_of_an_epoch() -> None:
    """20 % of 60,000 rows validate; the rest makes 375 batches of 128."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    x = np.zeros((60_000, 1), np.float32)
    history = model.fit(x, x, batch_size=128, validation_split=0.2, verbose=0)
    assert history.params["steps"] == 375
    assert int(model.optimizer.iterations) == 375


@pytest.fixture(scope="module")
def table() -> tuple[Array, Array, Array]:
    """Five wide and six deep columns of eight, and a target."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(320, 8)).astype(np.float32)
    return x[:, :5], x[:, 2:], (x[:, :1] - 0.5 * relu(x[:, 6:7])).astype(np.float32)


def test_functional_wide_and_deep(names: Names, table: tuple[Array, Array, Array]) -> None:
    model = run("functional", names)["model"]
    assert model.count_params() == (6 + 1) * 30 + (30 + 1) * 30 + (5 + 30 + 1)
    assert tuple(model.output_shape) == (None, 1)
    assert [tuple(t.shape) for t in model.inputs] == [(None, 5), (None, 6)]
    wide, deep, y = table
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=0.05))
    history = model.fit([wide, deep], y, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.2 * history.history["loss"][0]
    w1, b1, w2, b2, w3, b3 = (w.astype(np.float64) for w in model.get_weights())
    hidden = relu(relu(deep @ w1 + b1) @ w2 + b2)
    expected = np.concatenate([wide, hidden], axis=1) @ w3 + b3
    np.testing.assert_allclose(
        model.predict((wide, deep), verbose=0), expected, rtol=1e-4, atol=1e-5
    )


def test_subclassed_wide_and_deep(names: Names, table: tuple[Array, Array, Array]) -> None:
    model = run("subclassing", names)["model"]
    wide, deep, y = table
    model.compile(loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer="sgd")
    history = model.fit([wide, deep], [y, y], epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert model.count_params() == (6 + 1) * 30 + (30 + 1) * 30 + (5 + 30 + 1) + (30 + 1)
    main, aux = model.predict([wide, deep], verbose=0)
    assert main.shape == aux.shape == (320, 1)
    errors = [float(np.mean((out.astype(np.float64) - y) ** 2)) for out in (main, aux)]
    total, *parts = model.evaluate([wide, deep], [y, y], verbose=0)
    assert parts == pytest.approx(errors, rel=1e-5)
    assert total == pytest.approx(0.9 * errors[0] + 0.1 * errors[1], rel=1e-5)


def test_functional_with_auxiliary_output(names: Names, table: tuple[Array, Array, Array]) -> None:
    run("functional", names)
    aux = keras.layers.Dense(1, name="aux_output")(names["hidden2"])
    model = keras.Model(inputs=[names["input_A"], names["input_B"]], outputs=[names["output"], aux])
    model.compile(loss=["mse", "mae"], loss_weights=[0.9, 0.1], optimizer="sgd")
    wide, deep, y = table
    history = model.fit((wide, deep), (y, y), epochs=2, verbose=0).history
    assert set(history) == {"loss", "output_loss", "aux_output_loss"}
    assert history["loss"] == pytest.approx(
        0.9 * np.array(history["output_loss"]) + 0.1 * np.array(history["aux_output_loss"]),
        rel=1e-5,
    )


# Better networks


def test_initialization(names: Names) -> None:
    """Glorot 1 / fan_avg, He 2 / fan_in, LeCun 1 / fan_in; Dense starts with Glorot's."""
    variances = {
        "glorot_uniform": 2 / (500 + 300), "glorot_normal": 2 / (500 + 300),
        "he_uniform": 2 / 500, "he_normal": 2 / 500,
        "lecun_uniform": 1 / 500, "lecun_normal": 1 / 500,
    }  # fmt: skip
    for name, variance in variances.items():
        layer = keras.layers.Dense(300, kernel_initializer=name)
        layer.build((None, 500))
        assert np.var(layer.get_weights()[0]) == pytest.approx(variance, rel=0.02)
    assert keras.layers.Dense(1).get_config()["kernel_initializer"]["class_name"] == "GlorotUniform"
    run("he_normal", names)


def test_leaky_relu(names: Names) -> None:
    dense = 'keras.layers.Dense(5, kernel_initializer="he_normal"),'
    model = run("leaky_relu", names, dense, "keras.layers.Dense(1)")["model"]
    x = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    output = model.predict(x, verbose=0)
    w1, b1, w2, b2, w3, b3 = model.get_weights()
    z = (x @ w1 + b1) @ w2 + b2
    np.testing.assert_allclose(output, np.maximum(0.2 * z, z) @ w3 + b3, rtol=1e-4, atol=1e-5)


def test_selu(names: Names) -> None:
    """Standardized values stay standardized through a layer with LeCun's start."""
    layer = run("selu", names)["layer"]
    layers = [keras.layers.Dense(300, **{key: layer.get_config()[key] for key in
              ("activation", "kernel_initializer")}) for _ in range(3)]  # fmt: skip
    x = np.random.default_rng(0).normal(size=(500, 300)).astype(np.float32)
    values = keras.Sequential(layers).predict(x, verbose=0)
    assert abs(values.mean()) < 0.1
    assert values.std() == pytest.approx(1, abs=0.1)


def test_batch_normalization(names: Names) -> None:
    """Four numbers per input: two learned, two averaged over the batches."""
    model = run("batch_normalization", names)["model"]
    counts = [layer.count_params() for layer in model.layers]
    assert counts == [0, 4 * 784, 784 * 300, 4 * 300, 0, 300 * 100, 4 * 100, 0, 101 * 10]
    frozen = sum(math.prod(w.shape) for w in model.non_trainable_weights)
    assert frozen == 2 * (784 + 300 + 100)
    run("compile", names)
    model.fit(names["X_train"], names["y_train"], batch_size=1000, shuffle=False, verbose=0)
    gamma, beta, mean, variance = model.layers[1].get_weights()
    pixels = names["X_train"].reshape(1000, 784)
    np.testing.assert_allclose(mean, 0.01 * pixels.mean(axis=0), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(variance, 0.99 + 0.01 * pixels.var(axis=0), rtol=1e-5)
    assert gamma.shape == beta.shape == (784,)
