"""Small networks and real data for the tests of estimators around models."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.preprocessing import scale

import pynn
from pynn import layers

Array = npt.NDArray[Any]


def iris() -> tuple[Array, Array]:
    x, y = load_iris(return_X_y=True)
    return scale(x), y


def cancer() -> tuple[Array, Array]:
    x, y = load_breast_cancer(return_X_y=True)
    return scale(x), y


def diabetes() -> tuple[Array, Array]:
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


def network(
    inputs: int, units: int, activation: str | None, hidden: int = 8, inner: str = "relu"
) -> pynn.Model:
    return pynn.Sequential(
        [
            pynn.Input((inputs,)),
            layers.Dense(hidden, activation=inner),
            layers.Dense(units, activation=activation),
        ]
    )


def multiclass(
    n_features_in_: int, n_classes_: int, hidden: int = 8, inner: str = "relu"
) -> pynn.Model:
    """A function that builds models, as estimators call it."""
    return network(n_features_in_, n_classes_, "softmax", hidden, inner)


def train_by_hand(seed: int, build: Any, x: Any, y: Any, **options: Any) -> pynn.Model:
    """Keras's way: seed, build, compile, fit."""
    pynn.utils.set_random_seed(seed)
    model: pynn.Model = build()
    compiled = {name: options.pop(name) for name in ("optimizer", "loss") if name in options}
    model.compile(**{"optimizer": "adam", **compiled})
    model.fit(x, y, **{"epochs": 5, "verbose": 0, **options})
    return model


def assert_same_weights(a: pynn.Model, b: pynn.Model) -> None:
    for ours, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


LABELS = np.array(["virginica", "setosa", "versicolor"])  # not in the order of their numbers
OPTIONS: dict[str, Any] = {"optimizer": "adam", "epochs": 5, "random_state": 7}
