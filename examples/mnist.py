"""MNIST as the lectures have it: four small networks, what is claimed and what is measured.

    PYNN_HOME=/folder/of/datasets python examples/mnist.py
    python examples/mnist.py --only l2 dropout
    python examples/mnist.py --quick          # one epoch on a tenth of the rows

Without PYNN_HOME the data are downloaded to ~/.pynn/datasets once.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

import pynn
from pynn import layers, regularizers


@dataclass(frozen=True)
class Recipe:
    """One row of the table: a network, how to train it, and what it should reach."""

    title: str
    hidden: tuple[int, ...]
    parameters: int
    most_error: float
    least_error: float = 0.0
    batch: int = 128
    epochs: int = 20
    learning_rate: float = 1e-3
    l2: float = 0.0
    dropout: float = 0.0
    validation: float = 0.0

    def build(self) -> pynn.Sequential:
        """The network: images in, ten logits out."""
        penalty = regularizers.L2(self.l2) if self.l2 else None
        model = pynn.Sequential([pynn.Input((28, 28)), layers.Flatten()])
        for units in self.hidden:
            model.add(layers.Dense(units, activation="relu", kernel_regularizer=penalty))
            if self.dropout:
                model.add(layers.Dropout(self.dropout))
        model.add(layers.Dense(10, kernel_regularizer=penalty))
        return model


RECIPES = {
    "plain": Recipe("784-300-100-10", (300, 100), 266_610, 1.8, batch=32, epochs=12),
    "l2": Recipe("784-256-128-10, L2", (256, 128), 235_146, 2.3, l2=1e-4, validation=0.2),
    "dropout": Recipe(
        "784-256-128-10, dropout", (256, 128), 235_146, 1.8, dropout=0.3, epochs=40, validation=0.2
    ),
    "logistic": Recipe("784-10, logistic regression", (), 7_850, 8.5, least_error=7.0, epochs=10),
}


@dataclass(frozen=True)
class Result:
    """What one recipe reached."""

    parameters: int
    steps_per_epoch: int
    error: float
    seconds: float


def run(recipe: Recipe, quick: bool = False, verbose: int = 2) -> Result:
    """Trains one recipe on MNIST and measures its error on the test images."""
    (x_train, y_train), (x_test, y_test) = pynn.datasets.mnist.load_data()
    x, y = x_train.astype("float32") / 255, y_train
    epochs = recipe.epochs
    if quick:
        x, y, epochs = x[::10], y[::10], 1

    pynn.utils.set_random_seed(1)
    model = recipe.build()
    rows = round(len(x) * (1 - recipe.validation))
    steps = -(-rows // recipe.batch)
    schedule = pynn.optimizers.schedules.CosineDecay(recipe.learning_rate, epochs * steps)
    model.compile(
        optimizer=pynn.optimizers.Adam(schedule),
        loss=pynn.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    start = time.perf_counter()
    model.fit(
        x,
        y,
        batch_size=recipe.batch,
        epochs=epochs,
        validation_split=recipe.validation,
        verbose=verbose,
    )
    seconds = time.perf_counter() - start
    predicted = model.predict(x_test.astype("float32") / 255, verbose=0).argmax(axis=1)
    return Result(model.count_params(), steps, 100 * float(np.mean(predicted != y_test)), seconds)


def main() -> None:
    """Runs the recipes asked for and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--quick", action="store_true", help="one epoch on a tenth of the rows")
    parser.add_argument("--verbose", type=int, default=2, choices=[0, 1, 2])
    options = parser.parse_args()

    table = [
        f"{'network':28} {'parameters':>10} {'steps':>6} {'claimed':>10} {'measured':>9}  time"
    ]
    for name in options.only:
        recipe = RECIPES[name]
        print(f"\n{recipe.title}")
        result = run(recipe, options.quick, options.verbose)
        low = f"{recipe.least_error:g}–" if recipe.least_error else "≤ "
        table.append(
            f"{recipe.title:28} {result.parameters:10,} {result.steps_per_epoch:6} "
            f"{low + format(recipe.most_error, 'g') + ' %':>10} {result.error:7.2f} %  "
            f"{result.seconds:.0f} s"
        )
    print("\nTest error on MNIST")
    print("\n".join(table))


if __name__ == "__main__":
    main()
