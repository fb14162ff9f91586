"""What every golden case is made of: data, start weights, one way to train and to write down.

A case is a function of a namespace that speaks Keras's vocabulary, ``keras`` itself or ``pynn``.
It returns a tree of numbers; ``flat`` gives every leaf a name. Data and start weights come from
NumPy's frozen legacy generator, never from an initializer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Keras = Any  # a module: real Keras or pynn
Case = Callable[[Keras], Any]
Cases = dict[str, Case]

ROWS, BATCH, KEPT = 20, 8, 4  # KEPT: rows of the outputs that are written down


def uniform(*shape: int, low: float = -1.0, high: float = 1.0, seed: int = 1) -> Array:
    """Numbers between ``low`` and ``high``, the same everywhere and for ever."""
    return np.random.RandomState(seed).uniform(low, high, shape)


def integers(*shape: int, high: int, seed: int = 2) -> Array:
    """Integers from 0 up to ``high``, exclusive."""
    return np.random.RandomState(seed).randint(0, high, shape)


def one_hot(labels: Array, classes: int) -> Array:
    rows: Array = np.eye(classes)[labels]
    return rows


def simplex(n: int, classes: int = 3, seed: int = 3) -> Array:
    """Rows of probabilities."""
    raw = uniform(n, classes, low=0.1, seed=seed)
    shares: Array = raw / raw.sum(axis=1, keepdims=True)
    return shares


X = uniform(ROWS, 5)
SEQUENCES = uniform(ROWS, 3, 2, seed=5)
TARGETS = uniform(ROWS, 2, seed=6)
LABELS = integers(ROWS, high=3)
BITS = integers(ROWS, 1, high=2, seed=7)
WEIGHTS = uniform(ROWS, low=0.1, high=2.0, seed=8)


def start(model: Any) -> Any:
    """Gives a built model the start weights of golden runs."""
    for number, weight in enumerate(model.trainable_weights):
        weight.assign(uniform(*weight.shape, low=-0.6, high=0.8, seed=100 + number))
    return model


def tree(value: Any, keep: Callable[[Any], Any]) -> Any:
    """The same lists and dicts with ``keep`` applied to every leaf."""
    if isinstance(value, Mapping):
        return {key: tree(one, keep) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [tree(one, keep) for one in value]
    return keep(value)


def state(model: Any, x: Any) -> dict[str, Any]:
    """Outputs and weights of a model."""
    return {
        "output": tree(model.predict(x, verbose=0), lambda y: np.asarray(y)[:KEPT]),
        "weight": model.get_weights(),
    }


def train(model: Any, x: Any, y: Any, begin: bool = True, **fit: Any) -> dict[str, Any]:
    """Trains a compiled model from the start weights on rows in order and writes down the rest."""
    if not model.built:
        model.predict(x, verbose=0)
    if begin:
        start(model)
    arguments = {"batch_size": BATCH, "epochs": 2, "shuffle": False, "verbose": 0, **fit}
    history = model.fit(x, y, **arguments).history
    return {
        "history": history,
        "evaluate": model.evaluate(x, y, batch_size=BATCH, verbose=0),
        **state(model, x),
    }


def compiled(model: Any, loss: Any = "mse", optimizer: Any = "sgd", **options: Any) -> Any:
    model.compile(optimizer=optimizer, loss=loss, **options)
    return model


def stack(keras: Keras, *layers: Any, shape: Sequence[int] = (5,)) -> Any:
    """A Sequential model of these layers."""
    return keras.Sequential([keras.Input(tuple(shape)), *layers])


def is_number(value: Any) -> bool:
    return not isinstance(value, (Mapping, list, tuple)) and np.ndim(value) == 0


def flat(value: Any, name: str = "") -> dict[str, Array]:
    """The leaves of a result by the words that lead to them."""
    if isinstance(value, Mapping):
        items: Any = value.items()
    elif isinstance(value, (list, tuple)) and not all(is_number(one) for one in value):
        items = enumerate(value)
    else:
        return {name or "value": np.asarray(value, dtype=np.float64)}
    found: dict[str, Array] = {}
    for key, one in items:
        found |= flat(one, f"{name} {key}".strip())
    return found
