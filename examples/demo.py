"""What `make demo` shows: a network learns to read handwritten digits.

MNIST when the folder $PYNN_HOME has it, otherwise the small digits of scikit-learn.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import pynn
from pynn import layers


def data() -> tuple[str, list[Any]]:
    """The name of the data and x_train, x_test, y_train, y_test with pixels from 0 to 1."""
    home = os.environ.get("PYNN_HOME")
    if home and Path(home, "mnist").is_dir():
        (x_train, y_train), (x_test, y_test) = pynn.datasets.mnist.load_data()
        return "MNIST", [*(np.float32(x) / 255 for x in (x_train, x_test)), y_train, y_test]
    x, y = load_digits(return_X_y=True)
    x = np.float32(x.reshape(-1, 8, 8)) / 16
    return "scikit-learn's digits", train_test_split(x, y, stratify=y, random_state=0)


def build(shape: tuple[int, ...], steps: int) -> pynn.Sequential:
    """A classifier with two hidden layers, whose learning rate falls to 0 in so many steps."""
    model = pynn.Sequential(
        [
            pynn.Input(shape),
            layers.Flatten(),
            layers.Dense(300, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(100, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    schedule = pynn.optimizers.schedules.CosineDecay(3e-3, steps)
    optimizer = pynn.optimizers.Adam(schedule)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def save_curves(history: dict[str, list[float]], path: Path) -> None:
    """Draws loss and accuracy over the epochs."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axis, key in zip(figure.subplots(1, 2), ["loss", "accuracy"], strict=True):
        epochs = np.arange(1, len(history[key]) + 1)
        axis.plot(epochs, history[key], label="training")
        axis.plot(epochs, history[f"val_{key}"], label="validation")
        axis.set(xlabel="epoch", ylabel=key)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Builds, trains, tests and draws."""
    pynn.show_config()
    name, (x_train, x_test, y_train, y_test) = data()
    print(f"\n{name}: {len(x_train):,} images to learn from, {len(x_test):,} to be tested on\n")

    pynn.utils.set_random_seed(0)
    epochs = 5 if len(x_train) > 10_000 else 40
    model = build(x_train.shape[1:], steps=epochs * len(x_train) * 9 // 10 // 32)
    model.summary()
    history = model.fit(x_train, y_train, batch_size=32, epochs=epochs, validation_split=0.1)

    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"\ntest accuracy: {accuracy:.2%}")
    path = Path("training_curves.png")
    save_curves(history.history, path)
    print(f"training curves: {path}")


if __name__ == "__main__":
    main()
