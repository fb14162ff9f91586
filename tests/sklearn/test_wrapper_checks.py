"""scikit-learn's own checks of estimators, for the wrappers of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pynn
from pynn import layers, losses

pytest.importorskip("sklearn")

from sklearn.utils.estimator_checks import parametrize_with_checks

from pynn.sklearn import KerasClassifier, KerasRegressor


def network(n_features_in_: int, units: int, activation: str | None) -> pynn.Model:
    hidden = layers.Dense(20, activation="relu", dtype="float64")
    out = layers.Dense(units, activation=activation, dtype="float64")
    return pynn.Sequential([pynn.Input((n_features_in_,)), hidden, out])


def classifier(n_features_in_: int, n_classes_: int, target_type_: str) -> pynn.Model:
    """Softmax outputs, or a sigmoid output for each label."""
    labels = target_type_ == "multilabel-indicator"
    model = network(n_features_in_, n_classes_, "sigmoid" if labels else "softmax")
    kind = losses.BinaryCrossentropy if labels else losses.SparseCategoricalCrossentropy
    model.compile(loss=kind(reduction="mean_with_sample_weight"))
    return model


def regressor(n_features_in_: int, n_outputs_: int) -> pynn.Model:
    model = network(n_features_in_, n_outputs_, None)
    model.compile(loss=losses.MeanSquaredError(reduction="mean_with_sample_weight"))
    return model


# A step uses all rows: only then a row of weight 2 is the same as the row twice.
OPTIONS: dict[str, Any] = {
    "optimizer": "adam",
    "optimizer__learning_rate": 0.02,
    "epochs": 150,
    "batch_size": 10_000,
}


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [KerasClassifier(classifier, **OPTIONS), KerasRegressor(regressor, **OPTIONS)]
)
def test_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
