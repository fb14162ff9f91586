"""Golden cases of the losses: called on arrays with every reduction, and trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.runs import (
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

REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight", "mean", "none", None)


@dataclass(frozen=True)
class Problem:
    """Targets, outputs that suit them, and the activation that gives such outputs."""

    y: Array
    outputs: Array
    activation: str | None


SPARSE = Problem(LABELS, simplex(ROWS), "softmax")
IGNORING = np.where(integers(ROWS, high=4, seed=9) == 0, -1, LABELS)
PROBLEMS = {
    "real": Problem(TARGETS, uniform(ROWS, 2, low=-2, high=2, seed=11), None),
    "positive": Problem(TARGETS + 1.5, uniform(ROWS, 2, low=0.1, high=3, seed=12), "softplus"),
    "signs": Problem(np.sign(TARGETS), uniform(ROWS, 2, seed=13), "tanh"),
    "bits": Problem(BITS, uniform(ROWS, 1, low=0, seed=14), "sigmoid"),
    "bits_logits": Problem(BITS, uniform(ROWS, 1, low=-3, high=3, seed=14), None),
    "many_bits": Problem(integers(ROWS, 3, high=2), uniform(ROWS, 3, low=0, seed=15), "sigmoid"),
    "one_hot": Problem(one_hot(LABELS, 3), simplex(ROWS), "softmax"),
    "one_hot_logits": Problem(one_hot(LABELS, 3), uniform(ROWS, 3, low=-3, high=3, seed=16), None),
    "shares": Problem(simplex(ROWS, seed=17), simplex(ROWS), "softmax"),
    "sparse": SPARSE,
    "sparse_column": Problem(LABELS[:, None], SPARSE.outputs, "softmax"),
    "sparse_logits": Problem(LABELS, uniform(ROWS, 3, low=-3, high=3, seed=16), None),
    "ignoring": Problem(IGNORING, SPARSE.outputs, "softmax"),
    "ignoring_logits": Problem(IGNORING, uniform(ROWS, 3, low=-3, high=3, seed=16), None),
}

# Case: class, problem, options. The text after a slash tells cases of one class apart.
LOSSES: dict[str, tuple[str, dict[str, Any]]] = {
    "MeanSquaredError": ("real", {}),
    "MeanAbsoluteError": ("real", {}),
    "MeanAbsolutePercentageError": ("real", {}),
    "MeanSquaredLogarithmicError": ("positive", {}),
    "Huber": ("real", {}),
    "Huber/delta": ("real", {"delta": 0.3}),
    "LogCosh": ("real", {}),
    "Poisson": ("positive", {}),
    "Hinge": ("signs", {}),
    "Hinge/bits": ("bits", {}),
    "SquaredHinge": ("signs", {}),
    "CategoricalHinge": ("one_hot", {}),
    "KLDivergence": ("shares", {}),
    "CosineSimilarity": ("real", {}),
    "BinaryCrossentropy": ("bits", {}),
    "BinaryCrossentropy/columns": ("many_bits", {}),
    "BinaryCrossentropy/from_logits": ("bits_logits", {"from_logits": True}),
    "BinaryCrossentropy/label_smoothing": ("bits", {"label_smoothing": 0.2}),
    "BinaryCrossentropy/both": ("bits_logits", {"from_logits": True, "label_smoothing": 0.1}),
    "CategoricalCrossentropy": ("one_hot", {}),
    "CategoricalCrossentropy/shares": ("shares", {}),
    "CategoricalCrossentropy/from_logits": ("one_hot_logits", {"from_logits": True}),
    "CategoricalCrossentropy/label_smoothing": ("one_hot", {"label_smoothing": 0.2}),
    "CategoricalCrossentropy/both": (
        "one_hot_logits",
        {"from_logits": True, "label_smoothing": 0.1},
    ),
    "SparseCategoricalCrossentropy": ("sparse", {}),
    "SparseCategoricalCrossentropy/column": ("sparse_column", {}),
    "SparseCategoricalCrossentropy/from_logits": ("sparse_logits", {"from_logits": True}),
    "SparseCategoricalCrossentropy/ignore_class": ("ignoring", {"ignore_class": -1}),
    "SparseCategoricalCrossentropy/ignore_class_2": ("sparse", {"ignore_class": 2}),
    "SparseCategoricalCrossentropy/ignore_class_logits": (
        "ignoring_logits",
        {"ignore_class": -1, "from_logits": True},
    ),
    "BinaryFocalCrossentropy": ("bits", {}),
    "BinaryFocalCrossentropy/options": (
        "bits",
        {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1},
    ),
    "BinaryFocalCrossentropy/from_logits": ("bits_logits", {"from_logits": True, "gamma": 3.0}),
    "CategoricalFocalCrossentropy": ("one_hot", {}),
    "CategoricalFocalCrossentropy/options": (
        "one_hot",
        {"alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1},
    ),
    "CategoricalFocalCrossentropy/from_logits": ("one_hot_logits", {"from_logits": True}),
    "CategoricalGeneralizedCrossEntropy": ("sparse", {}),
    "CategoricalGeneralizedCrossEntropy/q": ("sparse", {"q": 0.7}),
    "Dice": ("many_bits", {}),
    "Dice/axis": ("one_hot", {"axis": -1}),
    "Tversky": ("many_bits", {}),
    "Tversky/options": ("one_hot", {"alpha": 0.3, "beta": 0.8, "axis": -1}),
}

# The functions: one row per sample comes back.
FUNCTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "mean_squared_error": ("real", {}),
    "mean_absolute_error": ("real", {}),
    "mean_absolute_percentage_error": ("real", {}),
    "mean_squared_logarithmic_error": ("positive", {}),
    "huber": ("real", {"delta": 0.5}),
    "log_cosh": ("real", {}),
    "poisson": ("positive", {}),
    "hinge": ("signs", {}),
    "squared_hinge": ("signs", {}),
    "categorical_hinge": ("one_hot", {}),
    "kl_divergence": ("shares", {}),
    "cosine_similarity": ("real", {}),
    "binary_crossentropy": ("many_bits", {}),
    "binary_crossentropy/options": ("bits_logits", {"from_logits": True, "label_smoothing": 0.1}),
    "categorical_crossentropy": ("shares", {}),
    "categorical_crossentropy/options": (
        "one_hot_logits",
        {"from_logits": True, "label_smoothing": 0.1},
    ),
    "sparse_categorical_crossentropy": ("sparse", {}),
    "sparse_categorical_crossentropy/options": (
        "ignoring_logits",
        {"from_logits": True, "ignore_class": -1},
    ),
    "binary_focal_crossentropy": ("many_bits", {"apply_class_balancing": True}),
    "categorical_focal_crossentropy": ("one_hot", {"gamma": 1.0}),
    "categorical_generalized_cross_entropy": ("sparse", {"q": 0.3}),
    "dice": ("one_hot", {}),
    "tversky": ("one_hot", {"alpha": 0.3, "beta": 0.8}),
}


def bare(name: str) -> str:
    return name.partition("/")[0]


def trained(name: str, problem: str, options: dict[str, Any]) -> Case:
    def case(keras: Keras) -> Any:
        given = PROBLEMS[problem]
        layers = keras.layers
        model = stack(
            keras,
            layers.Dense(4, activation="tanh"),
            layers.Dense(given.outputs.shape[1], activation=given.activation),
        )
        loss = getattr(keras.losses, bare(name))(**options)
        return train(compiled(model, loss), X, given.y)

    return case


def called(name: str, problem: str, options: dict[str, Any]) -> Case:
    """The loss called on arrays: each reduction, without and with weights of the rows."""

    def case(keras: Keras) -> Any:
        given = PROBLEMS[problem]
        make: Callable[..., Any] = getattr(keras.losses, bare(name))
        found = {}
        for reduction in REDUCTIONS:
            loss = make(reduction=reduction, **options)
            found[str(reduction)] = np.asarray(loss(given.y, given.outputs))
            if bare(name) not in WHOLE_BATCH:
                weighted = loss(given.y, given.outputs, sample_weight=WEIGHTS)
                found[f"{reduction} weighted"] = np.asarray(weighted)
        return found

    return case


WHOLE_BATCH = ("Dice", "Tversky")  # one number for a batch: weights of rows do not apply


def function(name: str, problem: str, options: dict[str, Any]) -> Case:
    def case(keras: Keras) -> Any:
        given = PROBLEMS[problem]
        return np.asarray(getattr(keras.losses, bare(name))(given.y, given.outputs, **options))

    return case


def trained_with(reduction: str) -> Case:
    """Sample weights and a reduction within fit; the last batch is a shorter one."""

    def case(keras: Keras) -> Any:
        dense = keras.layers.Dense
        loss = keras.losses.MeanAbsoluteError(reduction=reduction)
        model = compiled(stack(keras, dense(3, activation="tanh"), dense(2)), loss)
        return train(model, X, TARGETS, sample_weight=WEIGHTS)

    return case


def custom_function(keras: Keras) -> Any:
    """A loss and a metric written with ops."""
    ops = keras.ops

    def fourth_power(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(ops.square(y_true - y_pred)), axis=-1)

    def largest(y_true: Any, y_pred: Any) -> Any:
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    dense = keras.layers.Dense
    model = stack(keras, dense(3, activation="tanh"), dense(2))
    model = compiled(model, fourth_power, metrics=[largest], weighted_metrics=[largest])
    result = train(model, X, TARGETS, sample_weight=WEIGHTS)
    return {**result, "evaluate": model.evaluate(X, TARGETS, return_dict=True, verbose=0)}


def custom_class(keras: Keras) -> Any:
    class Asymmetric(keras.losses.Loss):  # type: ignore[misc]
        def __init__(self, factor: float = 3.0, name: str = "asymmetric") -> None:
            super().__init__(name=name)
            self.factor = factor

        def call(self, y_true: Any, y_pred: Any) -> Any:
            error = y_true - y_pred
            ops = keras.ops
            return ops.mean(ops.where(error > 0, self.factor * error, -error), axis=-1)

    dense = keras.layers.Dense
    model = compiled(stack(keras, dense(3, activation="tanh"), dense(2)), Asymmetric())
    direct = Asymmetric()(TARGETS, TARGETS[::-1], sample_weight=WEIGHTS)
    return {"direct": np.asarray(direct), **train(model, X, TARGETS)}


CASES: Cases = {
    **{f"losses.{name}": called(name, *rest) for name, rest in LOSSES.items()},
    **{
        f"losses.{name}{' ' if '/' in name else '/'}trained": trained(name, *rest)
        for name, rest in LOSSES.items()
    },
    **{f"losses.{name}": function(name, *rest) for name, rest in FUNCTIONS.items()},
    **{
        f"losses.MeanAbsoluteError/{reduction} trained": trained_with(reduction)
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight")
    },
    "losses.Loss": custom_class,
    "losses.Loss/function": custom_function,
}
