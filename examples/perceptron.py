"""Threshold units: one that learns to tell irises apart, and logic gates built by hand.

python examples/perceptron.py
"""

from __future__ import annotations

import itertools

import numpy as np
from sklearn.datasets import load_iris

import pynn


def neuron(inputs: int, units: int = 1) -> pynn.Sequential:
    """A layer of threshold units: 0 where the weighted sum plus the bias is negative, else 1."""
    unit = pynn.layers.Dense(units, activation="heaviside")
    return pynn.Sequential([pynn.Input((inputs,)), unit])


def gate(weights: list[float], bias: float) -> pynn.Sequential:
    """One threshold unit with given weights."""
    unit = neuron(len(weights))
    unit.set_weights([np.array(weights)[:, None], np.array([bias])])
    return unit


def exclusive_or() -> pynn.Sequential:
    """Two layers compute what one cannot: (a OR b) AND NOT (a AND b)."""
    dense = pynn.layers.Dense
    model = pynn.Sequential(
        [pynn.Input((2,)), dense(2, activation="heaviside"), dense(1, activation="heaviside")]
    )
    hidden = [np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([-0.5, -1.5])]  # OR, AND
    output = [np.array([[1.0], [-1.0]]), np.array([-0.5])]
    model.set_weights(hidden + output)
    return model


GATES = {
    "NOT": gate([-1], 0.5),
    "AND": gate([1, 1], -1.5),
    "OR": gate([1, 1], -0.5),
    "at least two of three": gate([1, 1, 1], -1.5),
    "XOR (two layers)": exclusive_or(),
}


def print_truth_tables() -> None:
    """Evaluates every gate on all its inputs."""
    for name, model in GATES.items():
        inputs = model.layers[0].get_weights()[0].shape[0]
        rows = np.array(list(itertools.product([0, 1], repeat=inputs)))
        outputs = model.predict(rows, verbose=0)[:, 0].astype(int)
        table = "  ".join(
            f"{''.join(map(str, row))}→{y}" for row, y in zip(rows, outputs, strict=True)
        )
        print(f"{name:>22}: {table}")


def train_on_iris(max_epochs: int = 100) -> None:
    """Rosenblatt's rule w ← w + (y - ŷ) x, row by row, until an epoch passes without a mistake."""
    iris = load_iris()
    x = iris.data[:, 2:4]  # length and width of the petals, in cm
    y = (iris.target == 0).astype(float)  # setosa or not
    unit = neuron(2)
    unit.set_weights([np.zeros((2, 1)), np.zeros(1)])
    order = np.random.default_rng(0)
    for epoch in range(1, max_epochs + 1):
        mistakes = 0
        for i in order.permutation(len(x)):
            error = y[i] - float(unit(x[i : i + 1])[0, 0])
            if error != 0.0:
                mistakes += 1
                w, b = unit.get_weights()
                unit.set_weights([w + error * x[i][:, None], b + error])
        print(f"epoch {epoch:2}: {mistakes} mistakes")
        if mistakes == 0:
            break
    w, b = unit.get_weights()
    accuracy = np.mean(unit.predict(x, verbose=0)[:, 0] == y)
    print(f"setosa if {w[0, 0]:+.2f} · length {w[1, 0]:+.2f} · width {b[0]:+.2f} ≥ 0")
    print(f"accuracy on iris: {accuracy:.1%}")


if __name__ == "__main__":
    print("Logic gates from threshold units\n")
    print_truth_tables()
    print("\nIris: setosa against the other two species\n")
    train_on_iris()
