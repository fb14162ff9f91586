"""The listings of the two lectures, run as they are printed, and what the lectures claim of them:
training networks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pynn as keras
from listings import Names, run

# Compile, fit, evaluate, predict, save


def test_training(names: Names, capsys: pytest.CaptureFixture[str]) -> None:
    for listing in ("sequential_add", "compile", "fit"):
        run(listing, names)
    printed = capsys.readouterr().out
    assert "Epoch 1/30" in printed
    assert re.search(r"loss: \d\.\d{4} - val_accuracy: \d\.\d{4} - val_loss: \d\.\d{4}", printed)
    model, history = names["model"], names["history"]
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert len(history.history["loss"]) == 30
    assert history.history["val_accuracy"][-1] > 0.65

    loss, accuracy = model.evaluate(names["X_test"], names["y_test"], verbose=0)
    assert isinstance(loss, float)
    assert accuracy > 0.65

    proba = run("predict", names)["y_proba"]
    assert proba.shape == (3, 10)
    assert proba.dtype == np.float32
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=0.06)  # rounded to two digits
    truth = model.predict(names["X_test"], verbose=0).argmax(axis=1) == names["y_test"]
    assert truth.mean() == pytest.approx(accuracy)


def test_saving(names: Names) -> None:
    for listing in ("sequential_list", "compile"):
        run(listing, names)
    names["model"].fit(names["X_train"], names["y_train"], verbose=0)
    before = names["model"].predict(names["X_new"], verbose=0)
    run("save_load", names)
    model = names["model"]
    assert Path("my_keras_model.h5").is_file()
    assert np.array_equal(model.predict(names["X_new"], verbose=0), before)
    first = model.evaluate(names["X_train"], names["y_train"], verbose=0)[0]
    model.fit(names["X_train"], names["y_train"], epochs=3, verbose=0)  # training goes on
    assert model.evaluate(names["X_train"], names["y_train"], verbose=0)[0] < first


def test_plot_of_the_history(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    for listing in ("sequential_list", "compile"):
        run(listing, names)
    names["history"] = names["model"].fit(
        names["X_train"], names["y_train"], epochs=2, verbose=0,
        validation_data=(names["X_valid"], names["y_valid"]),
    )  # fmt: skip
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(plt, "show", lambda: None)
    run("plot_history", names)
    labels = [line.get_label() for line in plt.gca().get_lines()]
    assert labels == list(names["history"].history)
    plt.close("all")


# Optimizers


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ("momentum", {"learning_rate": 0.001, "momentum": 0.9, "nesterov": False}),
        ("nesterov", {"learning_rate": 0.001, "momentum": 0.9, "nesterov": True}),
        ("rmsprop", {"learning_rate": 0.001, "rho": 0.9}),
        ("adam", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999}),
    ],
)
def test_optimizers(listing: str, expected: dict[str, Any]) -> None:
    config = run(listing, {"keras": keras})["optimizer"].get_config()
    assert {key: config[key] for key in expected} == pytest.approx(expected)


def one_weight(optimizer: Any, w: float) -> Any:
    """A model y = w x: at x^2 = 1/2 and y = 0 the gradient of its squared error is w."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[w]])])
    model.compile(loss="mse", optimizer=optimizer)
    return model


def test_momentum_is_the_formula_of_the_lecture() -> None:
    """v <- beta v - eta g, theta <- theta + v."""
    model = one_weight(keras.optimizers.SGD(0.1, momentum=0.9), 2.0)
    theta, v = 2.0, 0.0
    for _ in range(5):
        model.fit(np.array([[math.sqrt(0.5)]]), np.zeros((1, 1)), verbose=0)
        v = 0.9 * v - 0.1 * theta
        theta += v
        assert model.get_weights()[0].item() == pytest.approx(theta, rel=1e-5)


def test_how_to_use_an_optimizer(names: Names, capsys: pytest.CaptureFixture[str]) -> None:
    run("use_optimizer", names)
    losses = names["history"].history["loss"]
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    assert float(names["model"].optimizer.learning_rate) == pytest.approx(1e-3)
    assert "Epoch 10/10" in capsys.readouterr().out


def test_gradient_clipping(names: Names) -> None:
    """[0.9, 100] becomes [0.9, 1] by value and [0.00899964, 0.9999595] by norm."""
    x, y = np.array([[0.9, 100.0]]), np.array([[-0.5]])  # the gradient of (w x - y)^2 at 0 is x

    def network() -> Any:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        model.set_weights([np.zeros((2, 1))])
        return model

    names["model"] = network()
    run("clipping", names)
    names["model"].fit(x, y, verbose=0)
    step = names["model"].get_weights()[0].ravel() / -0.01
    np.testing.assert_allclose(step, [0.9, 1.0], rtol=1e-6)

    by_norm = network()
    by_norm.compile(loss="mse", optimizer=keras.optimizers.SGD(1.0, clipnorm=1.0))
    by_norm.fit(x, y, verbose=0)
    np.testing.assert_allclose(
        -by_norm.get_weights()[0].ravel(), [0.00899964, 0.9999595], rtol=1e-6
    )


def test_l2_regularization(names: Names) -> None:
    layer = run("l2", names)["layer"]
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile(loss="mse", optimizer="sgd")
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    y = np.zeros((8, 100), np.float32)
    error = float(np.mean(model.predict(x, verbose=0).astype(np.float64) ** 2))
    penalty = 0.01 * float(np.sum(layer.get_weights()[0].astype(np.float64) ** 2))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(error + penalty, rel=1e-5)
    for made in (keras.regularizers.l1(), keras.regularizers.l1_l2(), keras.regularizers.l2()):
        assert callable(made)


def test_dropout(names: Names) -> None:
    """Dropped in training, where the others grow by 1 / (1 - p), and left alone afterwards."""
    model = run("dropout", names)["model"]
    run("compile", names)
    model.fit(names["X_train"], names["y_train"], epochs=2, verbose=0)
    assert np.array_equal(*(model.predict(names["X_new"], verbose=0) for _ in range(2)))
    layer = keras.layers.Dropout(rate=0.2)
    values = np.asarray(layer(np.ones((100, 100), np.float32), training=True))
    assert set(np.unique(values).tolist()) <= {0.0, float(np.float32(1 / 0.8))}
    assert np.mean(values == 0) == pytest.approx(0.2, abs=0.02)


def test_transfer(names: Names) -> None:
    run("sequential_list", names)
    run("compile", names)
    few = names["y_train"] < 8
    names["model"].fit(names["X_train"][few], names["y_train"][few], epochs=3, verbose=0)
    names["model"].save("my_model_A.h5")

    keras.backend.clear_session()  # a new process, whose first Dense is named `dense` again
    model = run("transfer", names)["model_B_on_A"]
    assert [layer.trainable for layer in model.layers] == [False, False, False, True]
    assert len({layer.name for layer in model.layers}) == 4
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    before = model.get_weights()
    x, y = names["X_train"][~few], (names["y_train"][~few] == 9).astype(np.float32)
    history = model.fit(x, y, epochs=20, verbose=0)
    after = model.get_weights()
    assert all(map(np.array_equal, before[:-2], after[:-2]))
    assert not np.array_equal(before[-2], after[-2])
    assert history.history["accuracy"][-1] > 0.8


# Learning rates

SCHEDULES: dict[str, Callable[[int], float]] = {
    "exponential": lambda t: 0.01 * 10 ** (-t / 20),
    "power": lambda t: 0.01 * (1 + t / 20) ** -1,
    "piecewise": lambda t: 0.01 if t < 5 else 0.005 if t < 8 else 0.001,
}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules_by_callback(kind: str, names: Names) -> None:
    run("sequential_list", names)
    run("compile", names)
    names |= {"exponential_decay_fn": SCHEDULES[kind], "X_train_scaled": names["X_train"]}
    run("schedule", names, "epochs=10, verbose=0")
    rates = names["history"].history["learning_rate"]
    assert rates == pytest.approx([SCHEDULES[kind](t) for t in range(10)], rel=1e-6)


def test_performance_schedule() -> None:
    """The rate drops by a factor when the validation error stops falling."""
    model = one_weight(keras.optimizers.SGD(0.0), 1.0)
    model.optimizer.learning_rate = 0.5
    model.trainable = False  # nothing gets better
    model.compile(loss="mse", optimizer=model.optimizer)
    x = np.ones((1, 1), np.float32)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2)
    history = model.fit(x, x, epochs=7, validation_data=(x, x), callbacks=[plateau], verbose=0)
    assert history.history["learning_rate"] == pytest.approx(
        [0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    )


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (keras.optimizers.schedules.ExponentialDecay(0.1, 4, 0.1), lambda t: 0.1 * 10 ** (-t / 4)),
        (keras.optimizers.schedules.PowerDecay(0.1, 4, 2.0), lambda t: 0.1 * (1 + t / 4) ** -2.0),
    ],
    ids=["exponential", "power"],
)
def test_schedules_by_iteration(schedule: Any, formula: Any) -> None:
    """The weight shrinks by the rate of each step, whose gradient is the weight itself."""
    model = one_weight(keras.optimizers.SGD(schedule), 1.0)
    model.fit(np.full((8, 1), math.sqrt(0.5)), np.zeros((8, 1)), batch_size=1, verbose=0)
    expected = math.prod(1 - formula(t) for t in range(8))
    assert model.get_weights()[0].item() == pytest.approx(expected, rel=1e-5)


def test_one_cycle(names: Names) -> None:
    """Up to the largest rate in the first half, back in the second, and further down at the end."""
    run("sequential_list", names)
    rates: list[float] = []
    model = names["model"]
    sgd = keras.optimizers.SGD(momentum=0.9)
    model.compile(loss="sparse_categorical_crossentropy", optimizer=sgd)
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(float(model.optimizer.learning_rate))
    )
    cycle = keras.callbacks.OneCycle(0.05)
    model.fit(names["X_train"], names["y_train"], epochs=3, callbacks=[cycle, note], verbose=0)
    assert len(rates) == 3 * 32
    top = int(np.argmax(rates))
    assert rates[top] == pytest.approx(0.05, rel=0.05)
    assert 30 < top < 55
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < rates[0] < 0.01


def test_monte_carlo_dropout() -> None:
    """The mean of networks with dropped units, and their spread: sum (h w)^2 p / (1 - p)."""
    model = keras.Sequential([
        keras.Input((40,)), keras.layers.Dropout(0.3), keras.layers.Dense(1, use_bias=False),
    ])  # fmt: skip
    x = np.random.default_rng(0).normal(size=(3, 40)).astype(np.float32)
    mean, spread = model.predict(x, mc_samples=2000, verbose=0)
    weights = model.get_weights()[0].astype(np.float64)
    variance = (x.astype(np.float64) ** 2) @ (weights**2) * 0.3 / 0.7
    np.testing.assert_allclose(spread, np.sqrt(variance), rtol=0.1)
    np.testing.assert_allclose(mean, x @ weights, atol=5 * np.sqrt(variance.max() / 2000))
