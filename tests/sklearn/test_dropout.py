"""Dropout of the estimators, in training and as a measure of uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris

from pynn import MLPClassifier, MLPRegressor

Array = Any
IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:Warning")


def test_dropout_leaves_units_out_while_training_only() -> None:
    """With half of the inputs dropped those kept count twice; prediction sees all of them."""
    x, y = np.ones((4000, 1)), np.zeros(4000)
    est = MLPRegressor(
        hidden_layer_sizes=(), dropout=[0.5], alpha=0, random_state=0, learning_rate_init=1e-9,
        solver="sgd", momentum=0, max_iter=1, batch_size=4000,
    ).fit(x, y)  # fmt: skip
    w, b = float(est.coefs_[0][0, 0]), float(est.intercepts_[0][0])
    halves = ((2 * w + b) ** 2 + b**2) / 4
    np.testing.assert_allclose(est.loss_, halves, rtol=0.05)
    np.testing.assert_allclose(est.predict(x[:1]), [w + b], rtol=1e-12)


def test_dropout_by_layer() -> None:
    def layers(dropout: Any) -> list[tuple[str, float]]:
        est = MLPClassifier((8, 6), dropout=dropout, max_iter=1, random_state=0).fit(*IRIS)
        found = [getattr(layer, "rate", None) for layer in est.model_.layers]
        names = [layer.name for layer in est.model_.layers]
        return [(n, r) for n, r in zip(names, found, strict=True) if r is not None]

    assert layers(0.3) == [("dropout_1", 0.3), ("dropout_2", 0.3)]
    assert layers([0.1, 0.2]) == [("dropout_1", 0.1), ("dropout_2", 0.2)]
    assert layers((0.1, 0.0, 0.2)) == [("dropout_0", 0.1), ("dropout_2", 0.2)]
    for wrong in ([0.1], [0.1, 0.2, 0.3, 0.4], [0.1, 1.0]):
        with pytest.raises(ValueError, match=r"dropout must be a rate in \[0, 1\)"):
            layers(wrong)


def test_random_state_repeats_dropout() -> None:
    def fitted(seed: int) -> Array:
        return MLPClassifier(dropout=0.4, max_iter=5, random_state=seed).fit(*IRIS).coefs_[0]

    np.testing.assert_array_equal(fitted(0), fitted(0))
    assert not np.array_equal(fitted(0), fitted(1))


def test_monte_carlo_dropout() -> None:
    """One dropped input: the output is 2 w + b or b, each with probability one half."""
    x = np.ones((300, 1))
    est = MLPRegressor(
        hidden_layer_sizes=(), dropout=[0.5], random_state=0, max_iter=50, learning_rate_init=0.1
    ).fit(x, np.linspace(0, 1, 300))
    w, b = float(est.coefs_[0][0, 0]), float(est.intercepts_[0][0])
    mean, deviation = est.predict(x[:1], return_std=True, mc_samples=2000)
    np.testing.assert_allclose(mean, [w + b], atol=0.15 * abs(w))
    np.testing.assert_allclose(deviation, [abs(w)], rtol=0.05)
    classifier = MLPClassifier(dropout=0.2, max_iter=20, random_state=0).fit(*CANCER)
    p, s = classifier.predict_proba(CANCER[0], return_std=True)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_array_equal(s[:, 0], s[:, 1])
    with pytest.raises(ValueError, match="return_std needs dropout"):
        MLPRegressor(max_iter=1).fit(*CANCER).predict(CANCER[0], return_std=True)
