"""The jobs of the benchmark as a table, and the exact work each one stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Classes: TypeAlias = npt.NDArray[np.int64]
Weights: TypeAlias = list[Floats]  # kernel, bias, kernel, bias, ...

# Of Adam, in every library.
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Job:
    """Training a ReLU network with softmax cross-entropy, or predicting with it.

    Every peer starts from `weights`, sees the rows of `x` in their order and takes them in batches
    of `batch`; for predictions `batch` is the number of rows of one call.
    """

    sizes: tuple[int, ...]
    batch: int
    kind: str  # "adam", "sgd" or "predict"
    rows: int
    learning_rate: float = 1e-3
    # How far apart the peers may be after some steps, relative to the loss (for predictions how far
    # from float64): they add in different orders. Other mathematics is off by far more.
    tolerance: float = 2e-3

    @property
    def name(self) -> str:
        """The name by which a job is chosen and listed."""
        return f"{'-'.join(map(str, self.sizes))}/{self.batch}/{self.kind}"

    @property
    def trains(self) -> bool:
        """Whether the job trains; otherwise it predicts."""
        return self.kind != "predict"

    @property
    def flops(self) -> int:
        """Floating-point operations of the matrix products for one row.

        Each layer multiplies once forward and, in training, once for the gradient of its weights
        and once for that of its input, which the first layer does not need.
        """
        products = [2 * a * b for a, b in pairwise(self.sizes)]
        return 3 * sum(products) - products[0] if self.trains else sum(products)

    def shortened(self, parts: int) -> Job:
        """The same job with a part of its rows, but at least four batches of them."""
        batches = max(self.rows // self.batch // parts, min(4, self.rows // self.batch))
        return replace(self, rows=batches * self.batch)

    @cached_property
    def x(self) -> Floats:
        """Standard normal inputs of shape (rows, sizes[0])."""
        rng = np.random.default_rng(1)
        return rng.standard_normal((self.rows, self.sizes[0]), dtype=np.float32)

    @cached_property
    def y(self) -> Classes:
        """Classes that a random linear teacher gives, so that there is something to learn."""
        shape = (self.sizes[0], self.sizes[-1])
        teacher = np.random.default_rng(2).standard_normal(shape, dtype=np.float32)
        classes: Classes = (self.x @ teacher).argmax(axis=1)
        return classes

    @cached_property
    def weights(self) -> Weights:
        """Initial weights: He-normal kernels, zero biases."""
        rng, weights = np.random.default_rng(3), []
        for a, b in pairwise(self.sizes):
            kernel = rng.standard_normal((a, b), dtype=np.float32) * np.float32(np.sqrt(2 / a))
            weights += [kernel, np.zeros(b, np.float32)]
        return weights


def logits(weights: list[Any], x: Floats) -> npt.NDArray[np.float64]:
    """The output in float64, of shape (rows, classes): what every peer must agree with."""
    h = x.astype(np.float64)
    for i in range(0, len(weights), 2):
        h = (np.maximum(h, 0) if i else h) @ weights[i].astype(np.float64) + weights[i + 1]
    return h


def loss(weights: list[Any], x: Floats, y: Classes) -> float:
    """Mean cross-entropy in float64."""
    z = logits(weights, x)
    z = z - z.max(axis=1, keepdims=True)
    picked = np.take_along_axis(z, y[:, None], axis=1)[:, 0]
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - picked))


DIGITS = (784, 300, 100, 10)
SMALL = (20, 100, 2)

JOBS = [
    Job(DIGITS, 32, "adam", 19_200),
    Job(DIGITS, 32, "sgd", 19_200, 1e-2),
    Job(DIGITS, 128, "adam", 38_400),
    Job(DIGITS, 128, "sgd", 38_400, 1e-2),
    Job(SMALL, 32, "adam", 64_000),
    Job(SMALL, 200, "adam", 64_000),
    Job((784, 2048, 2048, 10), 512, "adam", 5_120, 1e-4),
    Job(DIGITS, 10_000, "predict", 10_000, tolerance=1e-3),
    Job(DIGITS, 1, "predict", 1, tolerance=1e-3),
]

# Throughput over one quantity: what the axis is called, and the jobs by its values.
SWEEPS = {
    "batch size": {batch: Job(DIGITS, batch, "adam", 16_384) for batch in (8, 32, 128, 512, 2048)},
    "width": {
        width: Job((784, width, width, 10), 128, "adam", 8_192, 1e-4)
        for width in (32, 128, 512, 2048)
    },
}
