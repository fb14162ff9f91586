"""The time to a test accuracy on MNIST, by the same recipe for all."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from pynn.bench.jobs import DIGITS, Floats, Job, logits
from pynn.bench.rounds import Settings, say
from pynn.bench.text import table
from pynn.datasets import mnist

TARGETS = (0.98, 0.982)
SEEDS = 3
MOST_EPOCHS = 30

Curve = list[list[float]]  # seconds of training so far and test accuracy, after each epoch


def measure(settings: Settings) -> dict[str, list[Curve]]:
    """The curves of every peer, one for each order of the rows.

    The order of each epoch is drawn here and given to all; training is timed, compilation with it.
    """
    (images, digits), (x_test, y_test) = mnist.load_data()
    rows, y, tests = _scaled(images), digits.astype(np.int64), _scaled(x_test)
    job = Job(DIGITS, 128, "adam", len(rows))
    curves: dict[str, list[Curve]] = {peer.name: [] for peer in settings.peers}
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        ready = [make(job, settings.threads) for make in settings.peers]
        runs: dict[str, Curve] = {peer.name: [] for peer in ready}
        for epoch in range(MOST_EPOCHS):
            order = rng.permutation(len(rows))
            shuffled, labels = rows[order], y[order]
            for peer in ready:
                curve = runs[peer.name]
                if _reached(curve, TARGETS[-1]) is not None:
                    continue
                peer.load(shuffled, labels)
                start = time.perf_counter()
                peer.train()
                elapsed = time.perf_counter() - start
                so_far = curve[-1][0] if curve else 0.0
                right = np.mean(logits(peer.weights(), tests).argmax(1) == y_test)
                curve.append([so_far + elapsed, float(right)])
            done = [_reached(curve, TARGETS[-1]) is not None for curve in runs.values()]
            say(
                f"MNIST, order {seed + 1} of {SEEDS}, epoch {epoch + 1}: {sum(done)} of {len(done)}"
            )
            if all(done):
                break
        for name, curve in runs.items():
            curves[name].append(curve)
    return curves


def _scaled(images: Any) -> Floats:
    scaled: Floats = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return scaled


def _reached(curve: Curve, target: float) -> tuple[float, int] | None:
    """Seconds and epochs until an accuracy; None if it was not reached."""
    for epoch, (seconds, accuracy) in enumerate(curve, 1):
        if accuracy >= target:
            return seconds, epoch
    return None


def markdown(curves: dict[str, list[Curve]]) -> str:
    """Seconds and epochs to each accuracy, the medians over the orders."""
    head = ["to test accuracy", *curves]
    rows = []
    for target in TARGETS:
        cells = [f"{target:.1%}"]
        for runs in curves.values():
            found = [_reached(curve, target) for curve in runs]
            if None in found:
                cells.append(f"not in {MOST_EPOCHS} epochs")
                continue
            pairs = zip(*filter(None, found), strict=True)
            seconds, epochs = (statistics.median(numbers) for numbers in pairs)
            cells.append(f"{seconds:.2f} s ({epochs:.0f} epochs)")
        rows.append(cells)
    return table(head, rows) + (
        "\nMNIST by 784-300-100-10, ReLU, Adam at 0.001, batches of 128, pixels / 255; the same "
        f"weights and rows for all. Seconds of training, with compilation, medians over {SEEDS} "
        "orders of the rows. Rounding makes the curves differ a little, and with them the epochs.\n"
    )
