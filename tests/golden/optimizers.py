"""Golden cases of the optimizers with each option, and of the learning rate schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from golden.runs import TARGETS, Array, Case, Cases, Keras, X, compiled, stack, train

RATE = 0.05
# Rates at which a run does not magnify the rounding of float32. RMSprop's first steps are three
# times the rate whatever the gradients: long ones overshoot. Ftrl adds to the gradients differences
# of roots over the rate, which keep few digits and must not prevail over small gradients.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {},
    "SGD/momentum": {"momentum": 0.8},
    "SGD/nesterov": {"momentum": 0.8, "nesterov": True},
    "RMSprop": {"learning_rate": 0.01},
    "RMSprop/options": {"learning_rate": 0.01, "rho": 0.7, "momentum": 0.5, "epsilon": 1e-3},
    "RMSprop/centered": {"learning_rate": 0.01, "centered": True},
    "RMSprop/centered_momentum": {"learning_rate": 0.01, "centered": True, "momentum": 0.6},
    "Adagrad": {},
    "Adagrad/options": {"initial_accumulator_value": 0.01, "epsilon": 1e-3},
    "Adadelta": {"learning_rate": 1.0},
    "Adadelta/options": {"learning_rate": 0.5, "rho": 0.8, "epsilon": 1e-3},
    "Adam": {},
    "Adam/options": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3},
    "Adam/amsgrad": {"amsgrad": True, "beta_2": 0.5},
    "AdamW": {},
    "AdamW/options": {"weight_decay": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4},
    "AdamW/amsgrad": {"amsgrad": True, "beta_2": 0.5},
    "Adamax": {},
    "Adamax/options": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3},
    "Nadam": {},
    "Nadam/options": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3},
    "Ftrl": {"learning_rate": 0.5},
    "Ftrl/options": {
        "learning_rate": 0.5,
        "learning_rate_power": -0.3,
        "initial_accumulator_value": 0.2,
        "l1_regularization_strength": 0.01,
        "l2_regularization_strength": 0.02,
        "l2_shrinkage_regularization_strength": 0.03,
        "beta": 0.1,
    },
    "Lamb": {},
    "Lamb/options": {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3},
    "Lion": {"learning_rate": 0.01},
    "Lion/options": {"learning_rate": 0.01, "beta_1": 0.6, "beta_2": 0.8},
    "ScheduleFreeAdamW": {},
    "ScheduleFreeAdamW/options": {
        "beta_1": 0.7,
        "beta_2": 0.9,
        "epsilon": 1e-3,
        "warmup_steps": 4,
        "weight_decay": 0.1,
    },
    "Adafactor": {},
    "Adafactor/options": {"beta_2_decay": -0.5, "epsilon_2": 0.1, "clip_threshold": 0.5},
    "Adafactor/relative_step": {"relative_step": False},
}
COMMON: dict[str, dict[str, Any]] = {
    "weight_decay": {"weight_decay": 0.05},
    "clipnorm": {"clipnorm": 0.05},
    "clipvalue": {"clipvalue": 0.02},
    "global_clipnorm": {"global_clipnorm": 0.05},
    "use_ema": {"use_ema": True, "ema_momentum": 0.8},
    "ema_overwrite_frequency": {
        "use_ema": True,
        "ema_momentum": 0.8,
        "ema_overwrite_frequency": 4,
    },
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 2},
}


def every() -> dict[str, dict[str, Any]]:
    """The optimizers' own options, then those all have in common with each of them."""
    plain = {name: given for name, given in OPTIMIZERS.items() if "/" not in name}
    shared = {
        f"{name}/{option}": {**given, **more}
        for name, given in plain.items()
        for option, more in COMMON.items()
    }
    return {**OPTIMIZERS, **shared, **TOGETHER}


TOGETHER: dict[str, dict[str, Any]] = {
    "Adam/together": {
        "amsgrad": True,
        "weight_decay": 0.05,
        "global_clipnorm": 0.1,
        "use_ema": True,
        "ema_momentum": 0.7,
        "ema_overwrite_frequency": 3,
        "gradient_accumulation_steps": 2,
    },
    "SGD/together": {
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.05,
        "clipnorm": 0.1,
        "gradient_accumulation_steps": 3,
    },
}


def network(keras: Keras) -> Any:
    dense = keras.layers.Dense
    return stack(keras, dense(3, activation="tanh"), dense(2))


def fit(keras: Keras, optimizer: Any) -> dict[str, Any]:
    """Two fits, the second goes on from the first; one with averages, after which Keras cannot."""
    model = compiled(network(keras), optimizer=optimizer)
    found = {"first": train(model, X, TARGETS, epochs=3)}
    if not optimizer.use_ema:
        found["second"] = train(model, X, TARGETS, begin=False, epochs=1)
    return {**found, "rate": np.asarray(optimizer.learning_rate)}


def trained(name: str, options: dict[str, Any]) -> Case:
    def case(keras: Keras) -> Any:
        kind = getattr(keras.optimizers, name.partition("/")[0])
        return fit(keras, kind(**{"learning_rate": RATE, **options}))

    return case


def with_defaults(name: str) -> Case:
    """The optimizer as its name in ``compile`` gives it."""

    def case(keras: Keras) -> Any:
        model = compiled(network(keras), optimizer=name)
        return train(model, X, TARGETS, epochs=3)["weight"]

    return case


def excluded(keras: Keras) -> Any:
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=0.2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return fit(keras, optimizer)


def assigned(keras: Keras) -> Any:
    """A learning rate assigned between fits; a second compile forgets the optimizer's state."""
    optimizer = keras.optimizers.Adam(RATE)
    model = compiled(network(keras), optimizer=optimizer)
    train(model, X, TARGETS)
    optimizer.learning_rate = 0.01
    second = train(model, X, TARGETS, begin=False)
    optimizer.learning_rate.assign(0.2)
    third = train(model, X, TARGETS, begin=False)
    fresh = train(compiled(model, optimizer=keras.optimizers.Adam(RATE)), X, TARGETS, begin=False)
    return [second, third, fresh]


def callable_rate(keras: Keras) -> Any:
    return fit(keras, keras.optimizers.SGD(learning_rate=lambda: 0.03, momentum=0.5))


# Schedules

STEPS = (0, 1, 2, 3, 5, 8, 10, 13, 20, 33)
SCHEDULES: dict[str, dict[str, Any]] = {
    "ExponentialDecay": {"initial_learning_rate": 0.2, "decay_steps": 4, "decay_rate": 0.5},
    "ExponentialDecay/staircase": {
        "initial_learning_rate": 0.2,
        "decay_steps": 4,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "InverseTimeDecay": {"initial_learning_rate": 0.2, "decay_steps": 4, "decay_rate": 0.5},
    "InverseTimeDecay/staircase": {
        "initial_learning_rate": 0.2,
        "decay_steps": 4,
        "decay_rate": 0.5,
        "staircase": True,
    },
    "PolynomialDecay": {"initial_learning_rate": 0.2, "decay_steps": 8},
    "PolynomialDecay/power": {
        "initial_learning_rate": 0.2,
        "decay_steps": 8,
        "end_learning_rate": 0.05,
        "power": 2.0,
    },
    "PolynomialDecay/cycle": {"initial_learning_rate": 0.2, "decay_steps": 4, "cycle": True},
    "PiecewiseConstantDecay": {"boundaries": [2, 5], "values": [0.2, 0.1, 0.05]},
    "CosineDecay": {"initial_learning_rate": 0.2, "decay_steps": 8},
    "CosineDecay/alpha": {"initial_learning_rate": 0.2, "decay_steps": 8, "alpha": 0.1},
    "CosineDecay/warmup": {
        "initial_learning_rate": 0.01,
        "decay_steps": 8,
        "warmup_target": 0.3,
        "warmup_steps": 4,
    },
    "CosineDecayRestarts": {"initial_learning_rate": 0.2, "first_decay_steps": 3},
    "CosineDecayRestarts/options": {
        "initial_learning_rate": 0.2,
        "first_decay_steps": 3,
        "t_mul": 1.5,
        "m_mul": 0.8,
        "alpha": 0.1,
    },
    "CosineDecayRestarts/t_mul_1": {
        "initial_learning_rate": 0.2,
        "first_decay_steps": 3,
        "t_mul": 1.0,
        "m_mul": 0.5,
    },
}


def schedule(name: str, options: dict[str, Any]) -> Case:
    """Values at steps, then training."""

    def case(keras: Keras) -> Any:
        rate = getattr(keras.optimizers.schedules, name.partition("/")[0])(**options)
        values = [float(rate(step)) for step in STEPS]
        return {"values": values, **fit(keras, keras.optimizers.SGD(rate, momentum=0.5))}

    return case


def custom_schedule(keras: Keras) -> Any:
    class Halves(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return 0.02 / (1.0 + keras.ops.cast(step, keras.config.floatx()))

    return fit(keras, keras.optimizers.RMSprop(Halves()))


def in_adam(keras: Keras) -> Any:
    """A schedule counts optimizer steps, which are fewer where gradients are accumulated."""
    rate = keras.optimizers.schedules.ExponentialDecay(0.2, 2, 0.5)
    return fit(keras, keras.optimizers.Adam(rate, gradient_accumulation_steps=2))


NAMES = [
    "sgd",
    "rmsprop",
    "adagrad",
    "adadelta",
    "adam",
    "adamw",
    "adamax",
    "nadam",
    "ftrl",
    "lion",
    "adafactor",
]


def bias(keras: Keras) -> Array:
    """Steps of one variable by ``apply``, without a model."""
    variable = keras.Variable(np.array([1.0, -2.0, 0.5]))
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([variable])
    for gradient in ([0.1, 0.2, -0.3], [0.4, 0.0, 0.5]):
        optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient))], [variable])
    return np.asarray(variable)


CASES: Cases = {
    **{f"optimizers.{name}": trained(name, given) for name, given in every().items()},
    **{f"optimizers.get/{name}": with_defaults(name) for name in NAMES},
    "optimizers.AdamW/exclude_from_weight_decay": excluded,
    "optimizers.Optimizer/learning_rate": assigned,
    "optimizers.Optimizer/callable": callable_rate,
    "optimizers.Optimizer/apply": bias,
    **{f"optimizers.schedules.{name}": schedule(name, given) for name, given in SCHEDULES.items()},
    "optimizers.schedules.LearningRateSchedule": custom_schedule,
    "optimizers.schedules.ExponentialDecay/accumulated": in_adam,
}
