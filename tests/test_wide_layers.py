"""Chains of wide dense layers, whose work is shared out in pairs, against the textbook's loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import pynn
from fixed import Array
from pynn import layers

ACTIVATIONS: dict[str, Any] = {  # f(z), f'(z)
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "silu": (
        lambda z: z / (1 + np.exp(-z)),
        lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2,
    ),
}
LR = 0.05


def _train(
    weights: list[Array], frozen: list[bool], names: list[str], x: Array, y: Array, batch: int
) -> list[Array]:
    """Gradient descent on the mean squared error, an epoch of batches in order."""
    weights = [w.copy() for w in weights]
    functions = [ACTIVATIONS[name] for name in names]
    for first in range(0, len(x), batch):
        rows = slice(first, first + batch)
        inputs, before = [x[rows]], []
        for i in range(len(weights) // 2):
            before.append(inputs[-1] @ weights[2 * i] + weights[2 * i + 1])
            last = i + 1 == len(weights) // 2
            inputs.append(before[-1] if last else functions[i][0](before[-1]))
        error = inputs.pop() - y[rows]
        gradient = 2 * error / error.size
        for i in reversed(range(len(weights) // 2)):
            steps = [inputs[i].T @ gradient, gradient.sum(axis=0)]
            if i > 0:
                gradient = (gradient @ weights[2 * i].T) * functions[i - 1][1](before[i - 1])
            for w, step in zip(weights[2 * i : 2 * i + 2], steps, strict=True):
                w -= 0 if frozen[i] else LR * step
    return weights


def _check(
    sizes: list[int],
    names: list[str],
    frozen: tuple[int, ...],
    dtype: str,
    rows: int,
    batch: int,
    axis: tuple[int, ...] = (),
) -> None:
    """Trains an epoch, on rows that lie along a further ``axis``, too, and compares the steps."""
    rng = np.random.default_rng(len(sizes))
    x = rng.standard_normal((rows, sizes[0]))
    y = np.asarray(rng.standard_normal((rows, sizes[-1])))
    model = pynn.Sequential([pynn.Input((*axis, sizes[0]), dtype=dtype)])
    for i, units in enumerate(sizes[1:]):
        activation = names[i] if i < len(names) else None
        layer = layers.Dense(units, activation, dtype=dtype, trainable=i not in frozen)
        model.add(layer)
    weights: list[npt.NDArray[Any]] = []
    for w in model.get_weights():
        scale = w.shape[0] ** -0.5 if w.ndim == 2 else 0.1
        weights.append(scale * rng.standard_normal(w.shape))
    model.set_weights(weights)
    model.compile(pynn.optimizers.SGD(LR), "mse")
    own_x, own_y = x.reshape(-1, *axis, sizes[0]), y.reshape(-1, *axis, sizes[-1])
    size = batch * len(own_x) // rows
    model.fit(own_x, own_y, batch_size=size, epochs=1, shuffle=False, verbose=0)
    still = [i in frozen for i in range(len(sizes) - 1)]
    expected = _train(weights, still, names, x, y, batch)
    tolerance = 1e-10 if dtype == "float64" else 3e-5
    for found, want, before in zip(model.get_weights(), expected, weights, strict=True):
        np.testing.assert_allclose(found - before, want - before, atol=tolerance * LR)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("sizes", "names", "frozen"),
    [
        ([60, 130, 70, 3], ["relu", "silu"], ()),
        ([60, 130, 70, 3], ["silu", "tanh"], (0,)),
        ([60, 130, 70, 3], ["tanh", "relu"], (1,)),
        ([50, 200, 110, 120, 4], ["tanh", "relu", "silu"], ()),
        ([50, 200, 110, 120, 90, 600], ["relu", "silu", "tanh", "relu"], (2,)),
        ([40, 700, 520], ["silu"], ()),
        ([300, 64, 300], ["tanh"], ()),
    ],
)
def test_wide_layers_train_as_in_the_textbook(
    sizes: list[int],
    names: list[str],
    frozen: tuple[int, ...],
    dtype: str,
    threads: int,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(pynn.config, "n_threads", lambda: threads)
    _check(sizes, names, frozen, dtype, rows=270, batch=100)


@pytest.mark.parametrize("axis", [(), (8,)], ids=["samples", "with an axis"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("sizes", "names"),
    [
        ([300, 130, 3], ["relu"]),
        ([600, 700, 40], ["tanh"]),
        ([700, 600, 130], ["silu"]),
        ([40, 1100, 530, 20], ["relu", "tanh"]),
    ],
)
def test_large_batches_train_as_in_the_textbook(
    sizes: list[int],
    names: list[str],
    dtype: str,
    threads: int,
    axis: tuple[int, ...],
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(pynn.config, "n_threads", lambda: threads)
    _check(sizes, names, (), dtype, rows=1040, batch=520, axis=axis)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.hstack([x, x])[:, : x.shape[1]],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x[:, ::-1].copy()[:, ::-1],
        np.asfortranarray,
        lambda x: np.frombuffer(b"-" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
        lambda x: x.astype(np.float32),
        lambda x: np.broadcast_to(x[:1], x.shape),
    ],
    ids=["rows", "columns", "upside-down", "mirrored", "Fortran", "unaligned", "float32", "same"],
)
@pytest.mark.parametrize("units", [3, 70])
def test_samples_are_read_where_they_are(view: Any, units: int) -> None:
    rng = np.random.default_rng(1)
    x = view(rng.integers(-8, 8, (150, 40)) / 4.0)
    y = rng.standard_normal((150, 5))
    model = pynn.Sequential([pynn.Input((40,), dtype="float64")])
    for width in (units, 5):
        model.add(layers.Dense(width, "tanh" if width == units else None, dtype="float64"))
    weights = [np.asarray(w) + 0.0 for w in model.get_weights()]
    model.compile(pynn.optimizers.SGD(LR), "mse")
    model.fit(x, y, batch_size=60, epochs=1, shuffle=False, verbose=0)
    expected = _train(weights, [False, False], ["tanh"], np.array(x, dtype=float), y, 60)
    for found, want in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, want, rtol=1e-11, atol=1e-12)
