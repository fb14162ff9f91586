"""Makes keras_optimizers.json: weights that real Keras comes to, step by step.

Run where Keras and JAX are installed:
    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python tests/keras_optimizers.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

PATH = Path(__file__).with_suffix(".json")
STEPS = 7
EMA = {"use_ema": True, "ema_momentum": 0.8}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("Ftrl", {}),
    (
        "Ftrl",
        {
            "learning_rate_power": -0.3,
            "l1_regularization_strength": 0.05,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.2,
            "beta": 0.3,
        },
    ),
    ("Lamb", {}),
    ("Lamb", {"weight_decay": 0.1, "clipnorm": 0.5}),
    ("Adafactor", {}),
    ("Adafactor", {"clip_threshold": 0.5, "beta_2_decay": -0.6, "weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 4, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.9, "loss_scale_factor": 4.0}),
    ("SGD", {"momentum": 0.9, **EMA}),
    ("SGD", {"momentum": 0.9, **EMA, "ema_overwrite_frequency": 3}),
    ("SGD", {"momentum": 0.9, "gradient_accumulation_steps": 3}),
    (
        "SGD",
        {
            **EMA,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2,
            "global_clipnorm": 0.5,
        },
    ),
    ("Adam", {"gradient_accumulation_steps": 2, "weight_decay": 0.1, "clipvalue": 0.3}),
    ("Nadam", {"gradient_accumulation_steps": 2}),
]


def start() -> list[np.ndarray]:
    """A matrix and a vector."""
    return [np.sin(np.arange(6.0)).reshape(3, 2), np.cos(np.arange(3.0))]


def gradients(step: int) -> list[np.ndarray]:
    """Those of a step."""
    return [np.cos(np.arange(6.0) * step + step).reshape(3, 2), np.sin(np.arange(3.0) + step)]


def run(optimizer: Any, variables: list[Any]) -> dict[str, Any]:
    """All steps with any library's optimizer; what it comes to."""
    for step in range(STEPS):
        optimizer.apply(gradients(step), variables)
    out = {
        "weights": [np.asarray(v).tolist() for v in variables],
        "iterations": int(optimizer.iterations),
        "state": [np.asarray(v).tolist() for v in optimizer.variables],
    }
    optimizer.finalize_variable_values(variables)
    return {**out, "final": [np.asarray(v).tolist() for v in variables]}


def main() -> None:
    """Writes the file."""
    import keras

    keras.config.set_floatx("float64")
    results = [
        run(getattr(keras.optimizers, name)(0.1, **options), [keras.Variable(v) for v in start()])
        for name, options in CASES
    ]
    lines = ",\n".join(json.dumps(result) for result in results)
    PATH.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
