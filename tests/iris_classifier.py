"""Flowers to train and to judge, an estimator, and its formulas in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_diabetes, load_iris
from sklearn.preprocessing import StandardScaler

from pynn.callbacks import Callback
from pynn.sklearn import MLPClassifier

_FLOWERS, _KINDS = load_iris(return_X_y=True)
_FLOWERS = StandardScaler().fit_transform(_FLOWERS)
NAMES = np.array(["setosa", "versicolor", "virginica"])[_KINDS]
X, Y = _FLOWERS[::2], NAMES[::2]
X_VAL, Y_VAL = _FLOWERS[1::2], NAMES[1::2]
ILL, PROGRESS = load_diabetes(return_X_y=True)
ILL, PROGRESS = StandardScaler().fit_transform(ILL), (PROGRESS - 150) / 80
SETTINGS: dict[str, Any] = {
    "hidden_layer_sizes": (7,),
    "batch_size": 20,
    "learning_rate_init": 0.02,
    "max_iter": 60,
}


def classifier(**options: Any) -> MLPClassifier:
    return MLPClassifier(**{**SETTINGS, "random_state": 3, **options})


def probabilities(weights: list[Any], x: Any) -> Any:
    """A network with one hidden layer of ReLU and softmax."""
    kernel, bias, kernel_2, bias_2 = weights
    z = np.maximum(x @ kernel + bias, 0) @ kernel_2 + bias_2
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def cross_entropy(weights: list[Any], x: Any, y: Any, sample_weight: Any = None) -> float:
    picked = probabilities(weights, x)[np.arange(len(y)), np.searchsorted(np.unique(NAMES), y)]
    return float(-np.average(np.log(picked), weights=sample_weight))


class Weights(Callback):
    """Keeps the weights after each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.kept.append(self.model.get_weights())


class Batches(Callback):
    """Counts batches, and keeps the losses it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[int] = []
        self.losses: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begun.append(batch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        assert logs is not None
        self.losses.append(logs["loss"])
