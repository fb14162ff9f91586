"""The pynn model that an estimator's parameters describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pynn import layers, losses, optimizers, regularizers
from pynn.models import Model, Sequential

# scikit-learn's words for activations, where pynn has others.
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid", "exp": "exponential"}


@dataclass(frozen=True)
class Goal:
    """What training minimizes.

    Attributes:
        loss: an object of ``pynn.losses``, the mean over a row's outputs.
        weight: its factor in what is minimized: scikit-learn adds the outputs up.
        reported: its factor in ``loss_``.
    """

    loss: Any
    weight: float
    reported: float


def goal(name: str, out_activation: str, outputs: int) -> Goal:
    """The goal of scikit-learn's loss of this name."""
    reduction = "mean_with_sample_weight"
    if name == "squared_error":
        return Goal(losses.MeanSquaredError(reduction=reduction), outputs / 2, 0.5)
    if name == "poisson":
        return Goal(losses.HalfPoissonDeviance(reduction=reduction), outputs, outputs)
    if out_activation == "softmax":
        return Goal(losses.SparseCategoricalCrossentropy(reduction=reduction), 1, 1)
    return Goal(losses.BinaryCrossentropy(reduction=reduction), outputs, outputs)


def build(estimator: Any, units: Sequence[int], out_activation: str, dtype: str) -> Model:
    """Returns the model of an estimator: inputs, hidden layers and outputs of these sizes."""
    features, *hidden, outputs = units
    penalty = regularizers.PerSample(l2=estimator.alpha / 2) if estimator.alpha else None

    def dense(size: int, activation: str) -> layers.Dense:
        name = ACTIVATIONS.get(activation, activation)
        return layers.Dense(size, name, kernel_regularizer=penalty, dtype=dtype)

    model = Sequential([layers.Input((features,))])
    for size in hidden:
        model.add(dense(size, estimator.activation))
    model.add(dense(outputs, out_activation))
    return model


def optimizer(estimator: Any) -> Any:
    """The optimizer that an estimator names as its solver."""
    rate = estimator.learning_rate_init
    if estimator.solver == "sgd":
        return optimizers.SGD(rate, estimator.momentum, estimator.nesterovs_momentum)
    return optimizers.Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
