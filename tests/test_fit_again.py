"""Fits that are interrupted, compiled anew, or changed between; and the lines they print."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import pynn
from fixed import Array, fill, rows
from pynn import layers

X, Y = rows(6, 3), rows(6, 2, 1)


@pytest.fixture(autouse=True)
def float64() -> Any:
    pynn.config.set_floatx("float64")
    pynn.backend.clear_session()
    yield
    pynn.config.set_floatx("float32")


def _close(a: Any, b: Any, rtol: float = 1e-10) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


def _linear(**kwargs: Any) -> tuple[Any, Array, Array]:
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(2)])
    kernel, bias = fill(model)
    model.compile(pynn.optimizers.SGD(0.1), "mse", **kwargs)
    return model, kernel, bias


@pytest.mark.parametrize("hook", ["on_batch_end", "on_epoch_end", "on_epoch_begin"])
def test_an_interrupted_fit_leaves_a_usable_model(hook: str) -> None:
    class Interrupt(pynn.callbacks.Callback):
        pass

    def raises(self: Any, number: int, logs: Any = None) -> None:
        if number == 1:
            raise KeyboardInterrupt

    setattr(Interrupt, hook.replace("batch", "train_batch"), raises)
    model, _, _ = _linear()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=2, epochs=3, callbacks=[Interrupt()], verbose=0)
    k, b = model.get_weights()
    _close(model.predict(X, verbose=0), X @ k + b)
    _close(model.evaluate(X, Y, verbose=0), ((X @ k + b - Y) ** 2).mean())
    assert len(model.fit(X, Y, epochs=2, verbose=0).history["loss"]) == 2


def test_the_model_stays_compiled_and_compiling_anew_starts_the_optimizer_anew() -> None:
    model, k, b = _linear()
    model.compile(pynn.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.fit(X, Y, batch_size=6, verbose=0)
    model.compile(pynn.optimizers.SGD(0.1, momentum=0.9), "mse")
    k, b = model.get_weights()
    slope = (X @ k + b - Y) * 2 / Y.size
    model.fit(X, Y, batch_size=6, verbose=0)
    _close(model.get_weights()[0], k - 0.1 * X.T @ slope)  # no momentum is left


def test_trainable_counts_at_the_next_compile_or_first_fit() -> None:
    """KERAS reads it at the first fit after compile, and not again."""
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(4), layers.Dense(2)])
    model.compile(pynn.optimizers.SGD(0.1), "mse")
    model.layers[0].trainable = False
    before = model.get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, Y, verbose=0)
    after = model.get_weights()
    assert [bool((p == q).all()) for p, q in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_lines_of_verbose_2(capsys: Any) -> None:
    """KERAS's lines for the same weights and rows, but for the times."""
    model = pynn.Sequential([pynn.Input((3,)), layers.Dense(1)])
    fill(model)
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = rows(6, 3), rows(6, 1)
    model.fit(x, y, epochs=2, verbose=2, shuffle=False, validation_data=(x, y))
    lines = re.sub(r"\d+[mu]?s(/step)?", "T", capsys.readouterr().out).splitlines()
    assert lines == [
        "Epoch 1/2",
        "1/1 - T - T - loss: 0.5970 - mae: 0.6250 - val_loss: 0.5822 - val_mae: 0.6179",
        "Epoch 2/2",
        "1/1 - T - T - loss: 0.5822 - mae: 0.6179 - val_loss: 0.5678 - val_mae: 0.6109",
    ]
    assert model.fit(x, y, verbose=0).history["loss"]
    assert capsys.readouterr().out == ""


def test_the_bar_names_outputs(capsys: Any) -> None:
    a = pynn.Input((3,))
    model = pynn.Model(a, [layers.Dense(1, name="q")(a), layers.Dense(1, name="p")(a)])
    fill(model)
    model.compile("sgd", ["mse", "mae"], metrics={"p": "mse"})
    model.fit(rows(6, 3), [rows(6, 1), rows(6, 1, 1)], verbose=1)
    out = capsys.readouterr().out
    assert "Epoch" not in out  # KERAS counts epochs only where there are several
    assert re.search(r"1/1 .* - loss: [\d.]+ - p_loss: .* - p_mse: .* - q_loss: ", out)
