"""House prices by a wide and deep network: two inputs, two outputs, one graph.

    PYNN_HOME=/folder/of/datasets python examples/wide_and_deep.py

The wide path hands five columns straight to the output, which learns simple rules from them; the
deep path learns what takes two hidden layers. An auxiliary output at the end of the deep path makes
it useful on its own; its loss counts one tenth. (Cheng et al. 2016, https://arxiv.org/abs/1606.07792)
"""

from __future__ import annotations

import argparse

import numpy as np

import pynn
from pynn import layers

WIDE, DEEP = slice(0, 5), slice(2, 8)  # columns; some take both ways


def build(x: np.ndarray) -> pynn.Model:
    """The network; the statistics of ``x`` standardize its inputs."""
    wide, deep = pynn.Input((5,), name="wide"), pynn.Input((6,), name="deep")
    scale_wide, scale_deep = layers.Normalization(), layers.Normalization()
    scale_wide.adapt(x[:, WIDE])
    scale_deep.adapt(x[:, DEEP])
    hidden = layers.Dense(30, activation="relu")(scale_deep(deep))
    hidden = layers.Dense(30, activation="relu")(hidden)
    price = layers.Dense(1, name="price")(layers.concatenate([scale_wide(wide), hidden]))
    auxiliary = layers.Dense(1, name="auxiliary")(hidden)
    return pynn.Model(inputs=[wide, deep], outputs=[price, auxiliary])


def main() -> None:
    """Trains the network and compares its two outputs with linear regression."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--verbose", type=int, default=2, choices=[0, 1, 2])
    options = parser.parse_args()

    (x_train, y_train), (x_test, y_test) = pynn.datasets.california_housing.load_data()
    # A few districts (a prison, a camp) have absurd averages: keep them within the others' range.
    low, high = np.percentile(x_train, [0.1, 99.9], axis=0)
    x_train, x_test = (np.clip(x, low, high) for x in (x_train, x_test))

    pynn.utils.set_random_seed(1)
    model = build(x_train)
    model.summary()
    model.compile(
        optimizer=pynn.optimizers.Adam(2e-3),
        loss={"price": "mse", "auxiliary": "mse"},
        loss_weights={"price": 0.9, "auxiliary": 0.1},
    )
    model.fit(
        {"wide": x_train[:, WIDE], "deep": x_train[:, DEEP]},
        {"price": y_train, "auxiliary": y_train},
        epochs=options.epochs,
        validation_split=0.1,
        verbose=options.verbose,
    )

    test = {"wide": x_test[:, WIDE], "deep": x_test[:, DEEP]}
    losses = model.evaluate(
        test, {"price": y_test, "auxiliary": y_test}, return_dict=True, verbose=0
    )
    print("\nlosses on the test rows: ", end="")
    print(", ".join(f"{name} {value:.4f}" for name, value in losses.items()))

    price, auxiliary = model.predict(test, verbose=0)
    ones = (np.c_[x, np.ones(len(x))] for x in (x_train, x_test))
    x, x_new = (a.astype(np.float64) for a in ones)
    linear = x_new @ np.linalg.lstsq(x, y_train, rcond=None)[0]
    print(f"\n{'prediction':24} {'RMSE, dollars':>14} {'R²':>6}")
    for title, y in [
        ("linear regression", linear),
        ("auxiliary output", auxiliary[:, 0]),
        ("wide and deep output", price[:, 0]),
    ]:
        error = float(np.mean((y - y_test) ** 2))
        print(f"{title:24} {1e5 * error**0.5:14,.0f} {1 - error / np.var(y_test):6.3f}")


if __name__ == "__main__":
    main()
