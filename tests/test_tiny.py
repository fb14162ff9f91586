"""A tour of the library in a few seconds; also the first test of a wheel."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import pynn
from pynn import layers


def rings(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Three rings around each other, one class each."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = 1 + y + rng.normal(scale=0.12, size=n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def test_classification() -> None:
    pynn.utils.set_random_seed(1)
    x, y = rings(1500)
    model = pynn.Sequential(
        [
            pynn.Input((2,)),
            layers.Dense(32, activation="relu", kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.Dense(32, activation="elu"),
            layers.Dropout(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:1000], y[:1000], epochs=40, verbose=0, validation_split=0.1)
    assert set(history.history) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    assert len(history.history["loss"]) == 40
    loss, accuracy = model.evaluate(x[1000:], y[1000:], verbose=0)
    assert accuracy > 0.95
    probabilities = model.predict(x[1000:], verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(probabilities.argmax(axis=1) == y[1000:]) == pytest.approx(accuracy, abs=1e-6)
    own = -np.log(probabilities[np.arange(500), y[1000:]]).mean()
    assert loss == pytest.approx(own, rel=1e-4)


def test_regression() -> None:
    pynn.utils.set_random_seed(2)
    x = np.linspace(-3, 3, 512)
    y = np.sin(x)
    model = pynn.Sequential([layers.Dense(32, activation="tanh"), layers.Dense(1)])
    model.compile(pynn.optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(x, y, epochs=300, verbose=0)
    assert float(np.abs(model(x)[:, 0] - y).max()) < 0.15


def test_perceptron_computes_logic() -> None:
    """At least two of three inputs: one threshold unit."""
    unit = layers.Dense(1, activation="heaviside")
    model = pynn.Sequential([pynn.Input((3,)), unit])
    unit.set_weights([np.ones((3, 1)), np.array([-1.5])])
    x = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    assert model(x)[:, 0].tolist() == [float(row.sum() >= 2) for row in x]


def test_works_as_keras() -> None:
    import pynn as keras

    model = keras.models.Sequential()
    model.add(keras.layers.Flatten(input_shape=[28, 28]))
    model.add(keras.layers.Dense(300, activation="relu"))
    model.add(keras.layers.Dense(100, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    assert model.count_params() == 266_610
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    assert model(np.zeros((2, 28, 28), np.uint8)).shape == (2, 10)


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    pynn.show_config()
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert names == ["pynn", "Python", "NumPy", "compiler", "instructions", "BLAS", "threads"]
    assert pynn.__version__ in lines[0]
    assert len({line.index(line.split()[1]) for line in lines}) == 1  # aligned


def test_import_is_light() -> None:
    """`import pynn` imports NumPy and nothing else that is not its own or Python's."""
    code = (
        "import sys, numpy; before = set(sys.modules); import pynn; "
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extra = set(eval(out.stdout)) - {"pynn"}
    assert extra <= set(sys.stdlib_module_names)
    for name in ("h5py", "sklearn", "scipy", "tqdm", "matplotlib"):
        assert name not in extra


def test_public_names() -> None:
    for name in pynn.__all__:
        assert getattr(pynn, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Sequentail'"):
        _ = pynn.Sequentail
