"""JAX as one compiled program: a scan over the batches of an epoch, data and weights kept there."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import numpy as np

from pynn.bench.jobs import BETA_1, BETA_2, EPSILON, Classes, Floats, Job, Weights


class Jax:
    """One call of `jax.jit` for an epoch."""

    name: ClassVar[str] = "JAX"
    module: ClassVar[str] = "jax"
    distribution: ClassVar[str] = "jaxlib"

    def __init__(self, job: Job, threads: int) -> None:
        import jax

        self.jax, self.job = jax, job
        weights = [jax.numpy.array(w) for w in job.weights]
        zeros = [jax.numpy.zeros_like(w) for w in weights]
        moments = (
            ()
            if job.kind == "sgd"
            else (zeros, [z.copy() for z in zeros], jax.numpy.zeros((), int))
        )
        self.state = (weights, moments)
        step = partial(_step, jax, job.kind, job.learning_rate)

        def epoch(state: Any, batches: Any, rest: Any) -> Any:
            state, losses = jax.lax.scan(step, state, batches)
            return step(state, rest) if len(rest[1]) else (state, losses)

        self.epoch = jax.jit(epoch, donate_argnums=0)
        self.forward = jax.jit(partial(_forward, jax))

    def load(self, x: Floats, y: Classes) -> None:
        put, batch = self.jax.device_put, self.job.batch
        self.x = x
        full = len(x) // batch * batch
        shape = (full // batch, batch)
        labels = y.astype(np.int32)
        self.batches = put((x[:full].reshape(*shape, -1), labels[:full].reshape(shape)))
        self.rest = put((x[full:], labels[full:]))

    def train(self) -> None:
        self.state, losses = self.epoch(self.state, self.batches, self.rest)
        losses.block_until_ready()

    def predict(self) -> Any:
        return np.asarray(self.forward(self.state[0], self.x))

    def weights(self) -> Weights:
        return [np.array(w) for w in self.state[0]]


def _forward(jax: Any, weights: Any, x: Any) -> Any:
    for i in range(0, len(weights), 2):
        x = (jax.nn.relu(x) if i else x) @ weights[i] + weights[i + 1]
    return x


def _loss(weights: Any, jax: Any, x: Any, y: Any) -> Any:
    z = jax.nn.log_softmax(_forward(jax, weights, x))
    return -jax.numpy.take_along_axis(z, y[:, None], axis=1).mean()


def _step(jax: Any, kind: str, rate: float, state: Any, batch: Any) -> Any:
    weights, moments = state
    loss, gradient = jax.value_and_grad(_loss)(weights, jax, *batch)
    if kind == "sgd":
        return ([w - rate * g for w, g in zip(weights, gradient, strict=True)], ()), loss
    first, second, steps = moments
    steps = steps + 1
    first = [BETA_1 * m + (1 - BETA_1) * g for m, g in zip(first, gradient, strict=True)]
    second = [BETA_2 * v + (1 - BETA_2) * g * g for v, g in zip(second, gradient, strict=True)]
    corrected = rate * jax.numpy.sqrt(1 - BETA_2**steps) / (1 - BETA_1**steps)
    weights = [
        w - corrected * m / (jax.numpy.sqrt(v) + EPSILON)
        for w, m, v in zip(weights, first, second, strict=True)
    ]
    return (weights, (first, second, steps)), loss
