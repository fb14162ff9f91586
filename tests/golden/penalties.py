"""Golden cases of regularizers, constraints and the initializers that are not random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from golden.runs import TARGETS, Case, Cases, Keras, X, compiled, stack, train, uniform

Make = Callable[[Keras], Any]
KERNEL = uniform(4, 3, low=-1.5, high=1.5, seed=41)

REGULARIZERS: dict[str, Make] = {
    "L1": lambda k: k.regularizers.L1(),
    "L1/l1": lambda k: k.regularizers.L1(0.05),
    "L2": lambda k: k.regularizers.L2(),
    "L2/l2": lambda k: k.regularizers.L2(l2=0.05),
    "L1L2": lambda k: k.regularizers.L1L2(l1=0.03, l2=0.04),
    "L1L2/none": lambda k: k.regularizers.L1L2(),
    "OrthogonalRegularizer": lambda k: k.regularizers.OrthogonalRegularizer(),
    "OrthogonalRegularizer/columns": lambda k: k.regularizers.OrthogonalRegularizer(
        factor=0.1, mode="columns"
    ),
    "get/L1L2": lambda k: k.regularizers.get("L1L2"),
}
CONSTRAINTS: dict[str, Make] = {
    "MaxNorm": lambda k: k.constraints.MaxNorm(),
    "MaxNorm/options": lambda k: k.constraints.MaxNorm(max_value=0.5, axis=1),
    "MaxNorm/axes": lambda k: k.constraints.MaxNorm(max_value=0.9, axis=[0, 1]),
    "NonNeg": lambda k: k.constraints.NonNeg(),
    "UnitNorm": lambda k: k.constraints.UnitNorm(),
    "UnitNorm/axis": lambda k: k.constraints.UnitNorm(axis=1),
    "MinMaxNorm": lambda k: k.constraints.MinMaxNorm(),
    "MinMaxNorm/options": lambda k: k.constraints.MinMaxNorm(
        min_value=0.6, max_value=0.8, rate=0.5, axis=1
    ),
}
INITIALIZERS: dict[str, Make] = {
    "Zeros": lambda k: k.initializers.Zeros(),
    "Ones": lambda k: k.initializers.Ones(),
    "Constant": lambda k: k.initializers.Constant(0.3),
    "Identity": lambda k: k.initializers.Identity(),
    "Identity/gain": lambda k: k.initializers.Identity(gain=2.0),
}


def regularizer(make: Make) -> Case:
    def case(keras: Keras) -> Any:
        dense = keras.layers.Dense
        model = stack(keras, dense(3, kernel_regularizer=make(keras)), dense(2))
        return {
            "value": np.asarray(make(keras)(keras.ops.convert_to_tensor(KERNEL))),
            **train(compiled(model, optimizer=keras.optimizers.SGD(0.1)), X, TARGETS),
        }

    return case


def constraint(make: Make) -> Case:
    def case(keras: Keras) -> Any:
        dense = keras.layers.Dense
        model = stack(keras, dense(3, kernel_constraint=make(keras)), dense(2))
        return {
            "value": np.asarray(make(keras)(KERNEL)),
            **train(compiled(model, optimizer=keras.optimizers.Adam(0.05)), X, TARGETS),
        }

    return case


def initializer(make: Make) -> Case:
    def case(keras: Keras) -> Any:
        return np.asarray(make(keras)((3, 3)))

    return case


def custom_regularizer(keras: Keras) -> Any:
    class Cubic(keras.regularizers.Regularizer):  # type: ignore[misc]
        def __call__(self, x: Any) -> Any:
            return 0.1 * keras.ops.sum(keras.ops.power(keras.ops.abs(x), 3))

    dense = keras.layers.Dense
    model = stack(keras, dense(3, kernel_regularizer=Cubic()), dense(2))
    return train(compiled(model), X, TARGETS)


def custom_constraint(keras: Keras) -> Any:
    class Box(keras.constraints.Constraint):  # type: ignore[misc]
        def __call__(self, w: Any) -> Any:
            return keras.ops.clip(w, -0.3, 0.4)

    dense = keras.layers.Dense
    model = stack(keras, dense(3, kernel_constraint=Box(), bias_constraint=Box()), dense(2))
    return train(compiled(model), X, TARGETS)


CASES: Cases = {
    **{f"regularizers.{name}": regularizer(make) for name, make in REGULARIZERS.items()},
    **{f"constraints.{name}": constraint(make) for name, make in CONSTRAINTS.items()},
    **{f"initializers.{name}": initializer(make) for name, make in INITIALIZERS.items()},
    "regularizers.Regularizer": custom_regularizer,
    "constraints.Constraint": custom_constraint,
}
