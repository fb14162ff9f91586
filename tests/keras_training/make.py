"""Trains small networks with Keras 3 (any backend that trains) and saves them half-way.

Usage: KERAS_BACKEND=jax python tests/keras_training/make.py. For every rule this writes the model
after one epoch, and into ``weights.npz`` the rows and the weights after one more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

FOLDER = Path(__file__).resolve().parent


def main() -> None:
    """Writes the files."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(24, 4)).astype("float32")
    y = generator.normal(size=(24, 1)).astype("float32")
    found: dict[str, Any] = {"x": x, "y": y}
    optimizers = keras.optimizers
    rules = {
        "momentum.keras": optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        "rmsprop.h5": optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        "amsgrad.keras": optimizers.Adam(0.01, amsgrad=True),
        "nadam.keras": optimizers.Nadam(0.01),
        "schedule.keras": optimizers.Adam(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)),
        "accumulated.keras": optimizers.Adam(0.01, gradient_accumulation_steps=2),
    }
    for name, rule in rules.items():
        dense = keras.layers.Dense
        hidden = [dense(3, "tanh"), keras.layers.BatchNormalization(), dense(1)]
        model = keras.Sequential([keras.Input((4,)), *hidden])
        model.compile(rule, "mean_squared_error", metrics=["mae"])
        model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
        model.save(FOLDER / name)
        model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0)
        found |= {f"{name}/{i}": w for i, w in enumerate(model.get_weights())}
    np.savez_compressed(FOLDER / "weights.npz", **found)


if __name__ == "__main__":
    main()
