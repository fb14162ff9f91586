"""Losses and metrics inside fit and evaluate agree with what the objects compute from arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pynn
from pynn import layers, losses, metrics
from reference_losses import Array

F64: dict[str, Any] = {"dtype": "float64"}


def model_of(activation: str, loss: Any, **given: Any) -> pynn.Sequential:
    pynn.utils.set_random_seed(3)
    stack: list[Any] = [pynn.Input((4,)), layers.Dense(5, "tanh", **F64)]
    model = pynn.Sequential([*stack, layers.Dense(3, activation, **F64)])
    model.compile(pynn.optimizers.SGD(1.0), loss, **given)
    return model


def data() -> tuple[Array, Any, Array, Array]:
    rng = np.random.default_rng(8)
    numbers = rng.integers(0, 3, 40)
    hits = (rng.random((40, 3)) < 0.4).astype(float)
    return rng.normal(size=(40, 4)), numbers, hits, rng.random(40)


METRICS: list[tuple[str, Any]] = [
    ("hits", lambda: metrics.Precision()),
    ("hits", lambda: metrics.Recall(thresholds=[0.4, 0.6])),
    ("hits", lambda: metrics.Precision(top_k=1, class_id=1)),
    ("hits", lambda: metrics.TruePositives()),
    ("hits", lambda: metrics.AUC()),
    ("hits", lambda: metrics.AUC(curve="PR", multi_label=True)),
    ("hits", lambda: metrics.AUC(thresholds=[0.3, 0.5, 0.52])),
    ("hits", lambda: metrics.SensitivityAtSpecificity(0.5)),
    ("hits", lambda: metrics.F1Score("macro")),
    ("hits", lambda: metrics.FBetaScore("micro", beta=0.5, threshold=0.5)),
    ("hits", lambda: metrics.R2Score(num_regressors=2)),
    ("hits", lambda: metrics.PearsonCorrelation()),
    ("hits", lambda: metrics.ConcordanceCorrelation()),
    ("hits", lambda: metrics.RootMeanSquaredError()),
    ("numbers", lambda: metrics.SparseTopKCategoricalAccuracy(k=2)),
    ("numbers", lambda: metrics.SparseCategoricalCrossentropy(ignore_class=1)),
    ("numbers", lambda: metrics.MeanIoU(3, sparse_y_pred=False)),
]


@pytest.mark.parametrize(("kind", "make"), METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_evaluate(kind: str, make: Any, weighted: bool) -> None:
    x, numbers, hits, w = data()
    y = numbers if kind == "numbers" else hits
    if isinstance(make(), metrics.IoU):
        w = np.ones(40)
    loss = "sparse_categorical_crossentropy" if kind == "numbers" else "mse"
    given: dict[str, Any] = {"weighted_metrics" if weighted else "metrics": [make()]}
    model = model_of("softmax", loss, **given)
    found = model.evaluate(x, y, batch_size=16, sample_weight=w, verbose=0)[1]
    wanted = make()(y, model.predict(x, verbose=0), w if weighted else None)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_function_as_metric() -> None:
    x, _, hits, _ = data()

    def worst(y_true: Any, y_pred: Any) -> Any:
        return pynn.ops.max(abs(y_true - y_pred), axis=-1)

    model = model_of("sigmoid", "bce", metrics=[worst, losses.mean_absolute_error])
    logs = model.evaluate(x, hits, batch_size=16, verbose=0, return_dict=True)
    errors = abs(hits - model.predict(x, verbose=0))
    assert logs["worst"] == pytest.approx(errors.max(-1).mean(), rel=1e-9)
    assert logs["mean_absolute_error"] == pytest.approx(errors.mean(), rel=1e-9)


# ---- gradients -----------------------------------------------------------------------------------


class Blend(losses.Loss):
    """A loss composed of losses, as people write them."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        overlap = losses.Dice()(y_true, y_pred)
        return losses.binary_crossentropy(y_true, y_pred) + 0.5 * overlap


def focal_and_mean(y_true: Any, y_pred: Any) -> Any:
    pull = losses.BinaryFocalCrossentropy(reduction="sum")(y_true, y_pred)
    return losses.mae(y_true, y_pred) + 0.1 * pull


GRADIENTS: list[tuple[str, str, Any]] = [
    ("hits", "sigmoid", losses.MeanSquaredError(reduction="sum")),
    ("hits", "sigmoid", losses.BinaryCrossentropy(reduction="mean_with_sample_weight")),
    ("numbers", "softmax", losses.SparseCategoricalCrossentropy(ignore_class=1)),
    ("numbers", "softmax", losses.SparseCategoricalCrossentropy(ignore_class=1, reduction="sum")),
    ("numbers", "softmax", losses.CategoricalGeneralizedCrossEntropy(0.7)),
    ("numbers", "softmax", "ce"),
    ("hits", "sigmoid", losses.Dice()),
    ("hits", "sigmoid", losses.Dice(axis=-1)),
    ("hits", "sigmoid", losses.Tversky(0.3, 0.7)),
    ("hits", "sigmoid", Blend()),
    ("hits", "sigmoid", focal_and_mean),
]


@pytest.mark.parametrize(("kind", "activation", "given"), GRADIENTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients(kind: str, activation: str, given: Any, weighted: bool) -> None:
    """A step of SGD with rate 1 against central differences of the loss object on predictions."""
    x, numbers, hits, w = data()
    y = numbers if kind == "numbers" else hits
    model = model_of(activation, given)
    loss = losses.resolve(given, (3,), y.shape[1:])
    weight = w if weighted and not isinstance(loss, (losses.Dice, losses.Tversky)) else None
    before = [v.numpy() for v in model.trainable_weights]

    def value(weights: list[Array]) -> float:
        for variable, array in zip(model.trainable_weights, weights, strict=True):
            variable.assign(array)
        return float(loss(y, model.predict(x, verbose=0), weight))

    start = value(before)
    history = model.fit(x, y, 40, sample_weight=weight, shuffle=False, verbose=0)
    assert history.history["loss"][0] == pytest.approx(start, rel=1e-9)
    after = [v.numpy() for v in model.trainable_weights]
    steps = [old - new for old, new in zip(before, after, strict=True)]
    rng = np.random.default_rng(4)
    for _ in range(2):
        direction = [rng.normal(size=v.shape) for v in before]
        ends = [
            value([v + sign * 1e-5 * d for v, d in zip(before, direction, strict=True)])
            for sign in (1, -1)
        ]
        ours = sum(float(np.sum(s * d)) for s, d in zip(steps, direction, strict=True))
        assert ours == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-8)


def test_no_gradient_with_respect_to_targets() -> None:
    def swapped(y_true: Any, y_pred: Any) -> Any:
        return losses.mean_squared_error(y_pred, y_true)

    x, _, hits, _ = data()
    with pytest.raises(ValueError, match="no gradient with respect to y_true"):
        model_of("sigmoid", swapped).fit(x, hits, verbose=0)
