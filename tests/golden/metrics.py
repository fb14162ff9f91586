"""Golden cases of the metrics: streamed over batches, and in compile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.losses import PROBLEMS
from golden.runs import (
    BATCH,
    BITS,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    Array,
    Case,
    Cases,
    Keras,
    X,
    compiled,
    integers,
    one_hot,
    simplex,
    stack,
    train,
    uniform,
)


@dataclass(frozen=True)
class Batches:
    """Targets and outputs that suit a metric."""

    y: Array
    outputs: Array


TIED = np.round(uniform(ROWS, 1, low=0, seed=31), 1)  # outputs of equal value, for curves
STREAMS: dict[str, Batches] = {
    **{name: Batches(problem.y, problem.outputs) for name, problem in PROBLEMS.items()},
    "labels": Batches(LABELS[:, None], integers(ROWS, 1, high=3, seed=32)),
    "flat_bits": Batches(BITS[:, 0], uniform(ROWS, low=0, seed=14)),
    "tied": Batches(BITS, TIED),
    "classes": Batches(LABELS, integers(ROWS, high=3, seed=32)),
    "five": Batches(one_hot(integers(ROWS, high=5), 5), simplex(ROWS, 5)),
    "five_sparse": Batches(integers(ROWS, high=5), simplex(ROWS, 5)),
}

METRICS: dict[str, tuple[str, dict[str, Any]]] = {
    "Accuracy": ("labels", {}),
    "BinaryAccuracy": ("bits", {}),
    "BinaryAccuracy/threshold": ("many_bits", {"threshold": 0.3}),
    "CategoricalAccuracy": ("one_hot", {}),
    "SparseCategoricalAccuracy": ("sparse", {}),
    "SparseCategoricalAccuracy/column": ("sparse_column", {}),
    "TopKCategoricalAccuracy": ("five", {"k": 2}),
    "SparseTopKCategoricalAccuracy": ("five_sparse", {"k": 3}),
    "Precision": ("bits", {}),
    "Precision/thresholds": ("bits", {"thresholds": [0.2, 0.5, 0.8]}),
    "Precision/top_k": ("five", {"top_k": 2}),
    "Precision/class_id": ("many_bits", {"class_id": 1}),
    "Recall": ("bits", {}),
    "Recall/thresholds": ("bits", {"thresholds": [0.2, 0.5, 0.8]}),
    "Recall/top_k": ("five", {"top_k": 2}),
    "Recall/class_id": ("many_bits", {"class_id": 2}),
    "TruePositives": ("bits", {}),
    "TruePositives/thresholds": ("bits", {"thresholds": [0.3, 0.7]}),
    "TrueNegatives": ("bits", {}),
    "FalsePositives": ("bits", {}),
    "FalseNegatives": ("bits", {}),
    "AUC": ("bits", {}),
    "AUC/flat": ("flat_bits", {}),
    "AUC/ties": ("tied", {"num_thresholds": 7}),
    "AUC/precision_recall": ("bits", {"curve": "PR"}),
    "AUC/minoring": ("bits", {"summation_method": "minoring", "num_thresholds": 20}),
    "AUC/majoring": ("bits", {"summation_method": "majoring", "num_thresholds": 20}),
    "AUC/precision_recall_majoring": (
        "bits",
        {"curve": "PR", "summation_method": "majoring", "num_thresholds": 20},
    ),
    "AUC/thresholds": ("bits", {"thresholds": [0.1, 0.4, 0.5, 0.9]}),
    "AUC/from_logits": ("bits_logits", {"from_logits": True}),
    "AUC/multi_label": ("many_bits", {"multi_label": True, "num_labels": 3}),
    "AUC/label_weights": (
        "many_bits",
        {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 0.5, 2.0]},
    ),
    "PrecisionAtRecall": ("bits", {"recall": 0.6}),
    "PrecisionAtRecall/options": (
        "many_bits",
        {"recall": 0.4, "num_thresholds": 30, "class_id": 1},
    ),
    "RecallAtPrecision": ("bits", {"precision": 0.5}),
    "SensitivityAtSpecificity": ("bits", {"specificity": 0.5}),
    "SpecificityAtSensitivity": ("bits", {"sensitivity": 0.5}),
    "F1Score": ("many_bits", {}),
    "F1Score/macro": ("one_hot", {"average": "macro"}),
    "F1Score/micro": ("many_bits", {"average": "micro", "threshold": 0.5}),
    "F1Score/weighted": ("many_bits", {"average": "weighted", "threshold": 0.4}),
    "FBetaScore": ("many_bits", {"beta": 2.0}),
    "FBetaScore/options": ("many_bits", {"beta": 0.5, "average": "macro", "threshold": 0.6}),
    "BinaryIoU": ("bits", {}),
    "BinaryIoU/options": ("bits", {"target_class_ids": [1], "threshold": 0.3}),
    "IoU": ("classes", {"num_classes": 3, "target_class_ids": [0, 2]}),
    "MeanIoU": ("classes", {"num_classes": 3}),
    "OneHotIoU": ("one_hot", {"num_classes": 3, "target_class_ids": [0, 1]}),
    "OneHotMeanIoU": ("one_hot", {"num_classes": 3}),
    "MeanSquaredError": ("real", {}),
    "RootMeanSquaredError": ("real", {}),
    "MeanAbsoluteError": ("real", {}),
    "MeanAbsolutePercentageError": ("real", {}),
    "MeanSquaredLogarithmicError": ("positive", {}),
    "LogCoshError": ("real", {}),
    "R2Score": ("real", {}),
    "R2Score/variance_weighted": ("real", {"class_aggregation": "variance_weighted_average"}),
    "R2Score/each": ("real", {"class_aggregation": None}),
    "R2Score/regressors": ("real", {"num_regressors": 2}),
    "CosineSimilarity": ("real", {}),
    "PearsonCorrelation": ("real", {}),
    "ConcordanceCorrelation": ("real", {}),
    "KLDivergence": ("shares", {}),
    "Poisson": ("positive", {}),
    "Hinge": ("signs", {}),
    "Hinge/bits": ("bits", {}),
    "SquaredHinge": ("signs", {}),
    "CategoricalHinge": ("one_hot", {}),
    "BinaryCrossentropy": ("bits", {}),
    "BinaryCrossentropy/options": ("bits_logits", {"from_logits": True, "label_smoothing": 0.1}),
    "CategoricalCrossentropy": ("shares", {}),
    "CategoricalCrossentropy/options": (
        "one_hot_logits",
        {"from_logits": True, "label_smoothing": 0.1},
    ),
    "SparseCategoricalCrossentropy": ("sparse", {}),
    "SparseCategoricalCrossentropy/from_logits": ("sparse_logits", {"from_logits": True}),
}

FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "binary_accuracy": ("many_bits", {"threshold": 0.3}),
    "categorical_accuracy": ("one_hot", {}),
    "sparse_categorical_accuracy": ("sparse", {}),
    "top_k_categorical_accuracy": ("five", {"k": 2}),
    "sparse_top_k_categorical_accuracy": ("five_sparse", {"k": 2}),
    "pearson_correlation": ("real", {}),
    "concordance_correlation": ("real", {}),
}


def streamed(name: str, stream: str, options: dict[str, Any]) -> Case:
    """Results after each batch, then anew with weights of the rows."""

    def case(keras: Keras) -> Any:
        given = STREAMS[stream]
        metric = getattr(keras.metrics, name.partition("/")[0])(**options)
        plain, weighted = [], []
        for rows in batches():
            metric.update_state(given.y[rows], given.outputs[rows])
            plain.append(np.asarray(metric.result()))
        metric.reset_state()
        for rows in batches():
            metric.update_state(given.y[rows], given.outputs[rows], sample_weight=WEIGHTS[rows])
            weighted.append(np.asarray(metric.result()))
        return {"plain": plain, "weighted": weighted}

    return case


def batches() -> list[slice]:
    return [slice(first, first + BATCH) for first in range(0, ROWS, BATCH)]


def function(name: str, stream: str, options: dict[str, Any]) -> Case:
    def case(keras: Keras) -> Any:
        given = STREAMS[stream]
        return np.asarray(getattr(keras.metrics, name)(given.y, given.outputs, **options))

    return case


def means(name: str) -> Case:
    def case(keras: Keras) -> Any:
        metric = getattr(keras.metrics, name)()
        metric.update_state([1.0, 3.0, 5.0, 7.0])
        first = float(metric.result())
        metric.update_state([2.0, 4.0], sample_weight=[0.5, 0.0])
        second = float(metric.result())
        metric.update_state(10.0)
        return [first, second, float(metric.result()), float(metric(1.5))]

    return case


def mean_wrapper(keras: Keras) -> Any:
    def squares(y_true: Any, y_pred: Any, power: float) -> Any:
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power, axis=-1)

    metric = keras.metrics.MeanMetricWrapper(squares, name="cubes", power=3.0)
    given = STREAMS["real"]
    metric.update_state(given.y, given.outputs, sample_weight=WEIGHTS)
    return float(metric.result())


def custom_metric(keras: Keras) -> Any:
    """A metric with state of its own, in a trained model."""

    class Largest(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self, name: str = "largest", **kwargs: Any) -> None:
            super().__init__(name=name, **kwargs)
            self.found = self.add_variable(shape=(), initializer="zeros", name="found")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            ops = keras.ops
            error = ops.max(ops.abs(ops.cast(y_true, y_pred.dtype) - y_pred))
            self.found.assign(ops.maximum(self.found, error))

        def result(self) -> Any:
            return self.found + 0.0

    dense = keras.layers.Dense
    model = stack(keras, dense(3, activation="tanh"), dense(2))
    return train(compiled(model, metrics=[Largest()]), X, TARGETS)


# In compile


def in_compile(units: int, activation: str | None, y: Array, loss: str, *names: Any) -> Case:
    """Metrics of a trained model: plain ones ignore the weights, weighted ones use them."""

    def case(keras: Keras) -> Any:
        layers = keras.layers
        layer = layers.Dense(units, activation=activation)
        model = compiled(
            stack(keras, layers.Dense(4, activation="tanh"), layer),
            loss,
            metrics=[name(keras) if callable(name) else name for name in names],
            weighted_metrics=[name(keras) if callable(name) else name for name in names[:2]],
        )
        result = train(
            model, X, y, sample_weight=WEIGHTS, validation_data=(X[::2], y[::2], WEIGHTS[::2])
        )
        return {**result, "evaluate": by_name(model, y)}

    return case


def by_name(model: Any, y: Array) -> Any:
    """As a list Keras gives a metric twice that is also among the weighted ones."""
    return model.evaluate(X, y, sample_weight=WEIGHTS, return_dict=True, verbose=0)


COMPILED: Cases = {
    "binary": in_compile(
        1,
        "sigmoid",
        BITS,
        "binary_crossentropy",
        "accuracy",
        lambda k: k.metrics.AUC(),
        lambda k: k.metrics.Precision(name="p"),
        lambda k: k.metrics.Recall(thresholds=0.4),
        "binary_crossentropy",
        "mse",
    ),
    "flat_targets": in_compile(
        1, "sigmoid", BITS[:, 0], "binary_crossentropy", "accuracy", "mae", "binary_accuracy"
    ),
    "categorical": in_compile(
        3,
        "softmax",
        one_hot(LABELS, 3),
        "categorical_crossentropy",
        "acc",
        lambda k: k.metrics.F1Score(average="macro"),
        lambda k: k.metrics.TopKCategoricalAccuracy(k=2),
        "categorical_crossentropy",
    ),
    "sparse": in_compile(
        3,
        "softmax",
        LABELS,
        "sparse_categorical_crossentropy",
        "accuracy",
        "sparse_categorical_crossentropy",
        lambda k: k.metrics.SparseTopKCategoricalAccuracy(k=2, name="top2"),
    ),
    "regression": in_compile(
        2,
        None,
        TARGETS,
        "mse",
        "MAE",
        lambda k: k.metrics.RootMeanSquaredError(),
        "mean_absolute_error",
        lambda k: k.metrics.R2Score(),
        "cosine_similarity",
        "mape",
        lambda k: k.metrics.LogCoshError(),
    ),
}

CASES: Cases = {
    **{f"metrics.{name}": streamed(name, *rest) for name, rest in METRICS.items()},
    **{f"metrics.{name}": function(name, *rest) for name, rest in FUNCTIONS.items()},
    **{f"metrics.Metric/compiled {name}": case for name, case in COMPILED.items()},
    "metrics.Mean": means("Mean"),
    "metrics.Sum": means("Sum"),
    "metrics.MeanMetricWrapper": mean_wrapper,
    "metrics.Metric": custom_metric,
}
