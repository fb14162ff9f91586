"""Golden cases of the activation functions: values, and gradients through a trained network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.runs import TARGETS, Case, Cases, Keras, X, compiled, stack, train, uniform

GRID = np.concatenate([np.linspace(-6.0, 6.0, 25), [-40.0, -1e-3, 1e-3, 0.3, 40.0]])
ROWS_OF_NUMBERS = uniform(4, 6, low=-3, high=3, seed=21)

ELEMENTWISE: dict[str, dict[str, Any]] = {
    "linear": {},
    "relu": {},
    "relu/options": {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.25},
    "relu6": {},
    "leaky_relu": {},
    "leaky_relu/negative_slope": {"negative_slope": 0.05},
    "elu": {},
    "elu/alpha": {"alpha": 0.5},
    "selu": {},
    "celu": {},
    "celu/alpha": {"alpha": 0.5},
    "sigmoid": {},
    "hard_sigmoid": {},
    "log_sigmoid": {},
    "tanh": {},
    "hard_tanh": {},
    "tanh_shrink": {},
    "hard_shrink": {},
    "hard_shrink/threshold": {"threshold": 1.0},
    "soft_shrink": {},
    "soft_shrink/threshold": {"threshold": 1.0},
    "silu": {},
    "hard_silu": {},
    "gelu": {},
    "gelu/approximate": {"approximate": True},
    "mish": {},
    "softplus": {},
    "softsign": {},
    "exponential": {},
    "squareplus": {},
    "squareplus/b": {"b": 2.0},
    "sparse_plus": {},
    "sparse_sigmoid": {},
    "threshold": {"threshold": 0.2, "default_value": -0.3},
}
BY_ROW: dict[str, dict[str, Any]] = {
    "softmax": {},
    "softmax/axis": {"axis": 0},
    "log_softmax": {},
    "log_softmax/axis": {"axis": 0},
}


def values(name: str, x: Any, options: dict[str, Any]) -> Callable[[Keras], Any]:
    def case(keras: Keras) -> Any:
        function = getattr(keras.activations, name.partition("/")[0])
        return np.asarray(function(x, **options))

    return case


def both(name: str, x: Any, options: dict[str, Any]) -> Case:
    """Values, then a network with the activation after its first layer."""

    def case(keras: Keras) -> Any:
        layers = keras.layers
        function = getattr(keras.activations, name.partition("/")[0])
        activation = (lambda t: function(t, **options)) if options else function
        model = stack(keras, layers.Dense(4, activation=activation), layers.Dense(2))
        return {"values": values(name, x, options)(keras), **train(compiled(model), X, TARGETS)}

    return case


CASES: Cases = {
    **{f"activations.{name}": both(name, GRID, given) for name, given in ELEMENTWISE.items()},
    **{
        f"activations.{name}": (values if given else both)(name, ROWS_OF_NUMBERS, given)
        for name, given in BY_ROW.items()
    },
}
