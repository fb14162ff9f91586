"""House prices in California by mean squared error and by Huber's loss.

    PYNN_HOME=/folder/of/datasets python examples/regression.py

The median house value is cut off at 500,000 dollars and has a long tail; Huber's loss counts large
errors linearly instead of by their square, so a few odd districts pull less.
"""

from __future__ import annotations

import argparse

import numpy as np

import pynn
from pynn import layers


def standardized() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The data with every column at mean 0 and deviation 1, as the training rows have it."""
    (x_train, y_train), (x_test, y_test) = pynn.datasets.california_housing.load_data()
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    # A few districts (a prison, a camp) have absurd averages: keep them within the others' range.
    x_train, x_test = (np.clip((x - mean) / deviation, -5, 5) for x in (x_train, x_test))
    return (x_train, y_train), (x_test, y_test)


def build(hidden: tuple[int, ...]) -> pynn.Sequential:
    """A network with one output, the price; linear regression when nothing is hidden."""
    return pynn.Sequential(
        [pynn.Input((8,))]
        + [layers.Dense(units, activation="relu") for units in hidden]
        + [layers.Dense(1)]
    )


def main() -> None:
    """Trains three models and prints their errors on the test rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--verbose", type=int, default=2, choices=[0, 1, 2])
    options = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = standardized()
    table = [f"{'model':24} {'RMSE':>8} {'MAE':>8} {'R²':>6}"]
    for title, hidden, loss in [
        ("linear regression", (), pynn.losses.MeanSquaredError()),
        ("64-32, squared error", (64, 32), pynn.losses.MeanSquaredError()),
        ("64-32, Huber", (64, 32), pynn.losses.Huber(delta=0.5)),
    ]:
        print(f"\n{title}")
        pynn.utils.set_random_seed(1)
        model = build(hidden)
        steps = options.epochs * -(-len(x_train) // 64)
        schedule = pynn.optimizers.schedules.CosineDecay(3e-3, steps)
        model.compile(pynn.optimizers.Adam(schedule), loss, metrics=["mae"])
        model.fit(x_train, y_train, batch_size=64, epochs=options.epochs, verbose=options.verbose)
        error = model.predict(x_test, verbose=0)[:, 0] - y_test
        rmse, mae = np.sqrt(np.mean(error**2)), np.mean(np.abs(error))
        r2 = 1 - np.sum(error**2) / np.sum((y_test - y_test.mean()) ** 2)
        table.append(f"{title:24} {1e5 * rmse:8,.0f} {1e5 * mae:8,.0f} {r2:6.3f}")
    print("\nErrors on the test rows, in dollars")
    print("\n".join(table))


if __name__ == "__main__":
    main()
