"""Golden cases of fit, evaluate and predict: weights, validation, steps, batches, generators."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from golden.runs import (
    BATCH,
    BITS,
    KEPT,
    LABELS,
    ROWS,
    TARGETS,
    WEIGHTS,
    Cases,
    Keras,
    X,
    compiled,
    one_hot,
    stack,
    start,
    state,
    train,
)

CLASS_WEIGHT = {0: 0.5, 1: 2.0, 2: 1.5}


def classifier(keras: Keras, **options: Any) -> Any:
    dense = keras.layers.Dense
    model = stack(keras, dense(4, activation="tanh"), dense(3, activation="softmax"))
    return compiled(model, **{"loss": "sparse_categorical_crossentropy", **options})


def regressor(keras: Keras, **options: Any) -> Any:
    dense = keras.layers.Dense
    return compiled(stack(keras, dense(4, activation="tanh"), dense(2)), **options)


def class_weight(keras: Keras) -> Any:
    model = classifier(
        keras, metrics=["sparse_categorical_crossentropy"], weighted_metrics=["accuracy"]
    )
    return train(model, X, LABELS, class_weight=CLASS_WEIGHT, validation_data=(X[:6], LABELS[:6]))


def class_weight_one_hot(keras: Keras) -> Any:
    model = classifier(keras, loss="categorical_crossentropy", metrics=["accuracy"])
    return train(model, X, one_hot(LABELS, 3), class_weight=CLASS_WEIGHT)


def class_weight_bits(keras: Keras) -> Any:
    dense = keras.layers.Dense
    model = stack(keras, dense(4, activation="tanh"), dense(1, activation="sigmoid"))
    model = compiled(model, "binary_crossentropy", metrics=["accuracy"])
    return train(model, X, BITS, class_weight={0: 1.0, 1: 3.0})


def sample_weight(keras: Keras) -> Any:
    model = regressor(keras, metrics=["mae"], weighted_metrics=["mse"])
    return train(model, X, TARGETS, sample_weight=WEIGHTS, validation_split=0.3)


def sample_weight_zero(keras: Keras) -> Any:
    model = regressor(keras, weighted_metrics=["mae"])
    weights = np.where(np.arange(ROWS) < BATCH, 0.0, WEIGHTS)
    return train(model, X, TARGETS, sample_weight=weights)


def evaluated(keras: Keras) -> Any:
    """What evaluate returns: a number, a list, a dict."""
    plain = start(regressor(keras))
    metrics = start(regressor(keras, metrics=["mae", "mse"]))
    weighted = {"sample_weight": WEIGHTS, "verbose": 0}
    return {
        "number": plain.evaluate(X, TARGETS, verbose=0),
        "list": metrics.evaluate(X, TARGETS, verbose=0),
        "weighted": metrics.evaluate(X, TARGETS, **weighted),
        "dict": metrics.evaluate(X, TARGETS, return_dict=True, batch_size=3, **weighted),
        "steps": metrics.evaluate(X, TARGETS, batch_size=4, steps=3, verbose=0),
        "predict": metrics.predict(X, batch_size=7, verbose=0)[:KEPT],
        "predict steps": metrics.predict(X, batch_size=2, steps=2, verbose=0),
    }


def validation(keras: Keras) -> Any:
    model = regressor(keras, metrics=["mae"])
    return train(
        model,
        X,
        TARGETS,
        epochs=4,
        validation_split=0.2,
        validation_freq=2,
        validation_batch_size=3,
    )


def steps(keras: Keras) -> Any:
    """Fewer steps than the data has: the next epoch goes on with the rows that follow."""
    model = regressor(keras, metrics=["mae"])
    return train(
        model,
        X,
        TARGETS,
        batch_size=5,
        steps_per_epoch=2,
        validation_data=(X, TARGETS),
        validation_steps=2,
    )


def initial_epoch(keras: Keras) -> Any:
    model = start(regressor(keras))
    history = model.fit(
        X, TARGETS, batch_size=BATCH, epochs=5, initial_epoch=3, shuffle=False, verbose=0
    )
    return {"epoch": history.epoch, "history": history.history, **state(model, X)}


def parts() -> Iterator[Any]:
    """Batches of three kinds of size, for ever."""
    while True:
        for first in range(0, ROWS, BATCH):
            rows = slice(first, first + BATCH)
            yield X[rows], TARGETS[rows], WEIGHTS[rows]


def generator(keras: Keras) -> Any:
    model = start(regressor(keras, metrics=["mae"], weighted_metrics=["mse"]))
    history = model.fit(parts(), steps_per_epoch=4, epochs=2, verbose=0)
    found = model.evaluate(parts(), steps=2, verbose=0)
    return {"history": history.history, "evaluate": found, **state(model, X)}


def dataset(keras: Keras) -> Any:
    """A PyDataset gives its batches by number, and its own length."""

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return math.ceil(ROWS / 6)

        def __getitem__(self, index: int) -> Any:
            rows = slice(6 * index, 6 * (index + 1))
            return X[rows], TARGETS[rows]

    model = start(regressor(keras, metrics=["mae"]))
    history = model.fit(Batches(), epochs=2, shuffle=False, verbose=0, validation_data=Batches())
    found = model.evaluate(Batches(), verbose=0)
    return {
        "history": history.history,
        "evaluate": found,
        "predict": model.predict(Batches(), verbose=0)[:KEPT],
        **state(model, X),
    }


def on_batches(keras: Keras) -> Any:
    """One batch at a time; the results run on until they are reset."""
    model = start(classifier(keras, metrics=["accuracy"]))
    found = [
        model.train_on_batch(X[:8], LABELS[:8]),
        model.train_on_batch(X[8:16], LABELS[8:16], sample_weight=WEIGHTS[8:16]),
        model.train_on_batch(X[:8], LABELS[:8], class_weight=CLASS_WEIGHT),
    ]
    model.reset_metrics()
    found += [
        model.test_on_batch(X[:8], LABELS[:8]),
        model.test_on_batch(X[8:], LABELS[8:], sample_weight=WEIGHTS[8:]),
        list(model.train_on_batch(X[:8], LABELS[:8], return_dict=True).values()),
    ]
    return {
        "found": [[float(one) for one in result] for result in found],
        "predict": np.asarray(model.predict_on_batch(X[:3])),
        "weight": model.get_weights(),
    }


def flat_targets(keras: Keras) -> Any:
    """Targets of one column as a vector, with every metric that has to line them up."""
    dense = keras.layers.Dense
    model = compiled(stack(keras, dense(3, activation="tanh"), dense(1)), "mse", metrics=["mae"])
    return train(model, X, TARGETS[:, 0])


def recompiled(keras: Keras) -> Any:
    """Another loss and other metrics for the same weights."""
    model = regressor(keras)
    first = train(model, X, TARGETS)
    second = train(compiled(model, "mae", "adam", metrics=["mse"]), X, TARGETS, begin=False)
    return [first, second]


def penalties_in_loss(keras: Keras) -> Any:
    """Penalties of weights and of activities are part of loss and val_loss."""
    layers = keras.layers
    model = stack(
        keras,
        layers.Dense(4, kernel_regularizer="l2", activity_regularizer="l1"),
        layers.ActivityRegularization(l2=0.1),
        layers.Dense(2, bias_regularizer="l1"),
    )
    return train(compiled(model, metrics=["mse"]), X, TARGETS, batch_size=6, validation_split=0.25)


def utilities(keras: Keras) -> Any:
    utils = keras.utils
    return {
        "categorical": utils.to_categorical([0, 2, 1, 2]),
        "classes": utils.to_categorical([[1], [0]], num_classes=4),
        "normalize": utils.normalize(X[:3]),
        "order": utils.normalize(X[:3], order=1),
    }


CASES: Cases = {
    "training.class_weight": class_weight,
    "training.class_weight/one_hot": class_weight_one_hot,
    "training.class_weight/bits": class_weight_bits,
    "training.sample_weight": sample_weight,
    "training.sample_weight/zero": sample_weight_zero,
    "training.evaluate": evaluated,
    "training.validation": validation,
    "training.steps_per_epoch": steps,
    "training.initial_epoch": initial_epoch,
    "training.generator": generator,
    "training.PyDataset": dataset,
    "training.train_on_batch": on_batches,
    "training.flat_targets": flat_targets,
    "training.recompiled": recompiled,
    "training.penalties": penalties_in_loss,
    "training.utils": utilities,
}
