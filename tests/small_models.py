"""A small classification problem and a network for it, shared by several tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import pynn
from pynn import layers

Array = npt.NDArray[np.float64]
F64: dict[str, Any] = {"dtype": "float64"}


def classes(n: int = 200, features: int = 5, k: int = 3) -> tuple[Array, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, features))
    y = (x @ rng.normal(size=(features, k))).argmax(axis=1)
    return x, y


def classifier(**kwargs: Any) -> pynn.Sequential:
    model = pynn.Sequential(
        [
            pynn.Input((5,)),
            layers.Dense(8, activation="relu", **F64),
            layers.Dense(3, activation="softmax", **F64),
        ]
    )
    model.compile(**{"optimizer": "sgd", "loss": "sparse_categorical_crossentropy", **kwargs})
    return model


def assert_weights(model: pynn.Sequential, expected: list[Array], rtol: float = 1e-9) -> None:
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-12)
