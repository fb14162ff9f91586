"""Float64 NumPy formulas of the optimizers, one per row of the catalog; see reference.py.

Each makes step t = 1, 2, ... on weights w in place and keeps its state in a dictionary.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
State = dict[str, Array]


def _kept(state: State, name: str, like: Array, start: float = 0.0) -> Array:
    return state.setdefault(name, np.full_like(like, start))


def _sgd(w: Array, g: Array, lr: float, t: int, s: State, momentum: float, nesterov: float) -> None:
    velocity = _kept(s, "velocity", w)
    velocity[:] = momentum * velocity - lr * g
    w += momentum * velocity - lr * g if nesterov and momentum else velocity


def _adagrad(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    initial_accumulator_value: float,
    epsilon: float,
) -> None:
    total = _kept(s, "total", w, initial_accumulator_value)
    total += g**2
    w -= lr * g / np.sqrt(total + epsilon)


def _adadelta(w: Array, g: Array, lr: float, t: int, s: State, rho: float, epsilon: float) -> None:
    squares, steps = _kept(s, "squares", w), _kept(s, "steps", w)
    squares[:] = rho * squares + (1 - rho) * g**2
    step = np.sqrt(steps + epsilon) / np.sqrt(squares + epsilon) * g
    steps[:] = rho * steps + (1 - rho) * step**2
    w -= lr * step


def _rmsprop(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    rho: float,
    momentum: float,
    epsilon: float,
    centered: float,
) -> None:
    squares, mean, velocity = _kept(s, "v", w), _kept(s, "mean", w), _kept(s, "m", w)
    squares[:] = rho * squares + (1 - rho) * g**2
    mean[:] = rho * mean + (1 - rho) * g
    variance = squares - mean**2 if centered else squares
    velocity[:] = momentum * velocity + lr * g / np.sqrt(variance + epsilon)
    w -= velocity


def _adam(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    amsgrad: float,
) -> None:
    m, v, top = _kept(s, "m", w), _kept(s, "v", w), _kept(s, "top", w)
    m[:] = beta_1 * m + (1 - beta_1) * g
    v[:] = beta_2 * v + (1 - beta_2) * g**2
    top[:] = np.maximum(top, v)
    rate = lr * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    w -= rate * m / (np.sqrt(top if amsgrad else v) + epsilon)


def _adamax(
    w: Array, g: Array, lr: float, t: int, s: State, beta_1: float, beta_2: float, epsilon: float
) -> None:
    m, u = _kept(s, "m", w), _kept(s, "u", w)
    m[:] = beta_1 * m + (1 - beta_1) * g
    u[:] = np.maximum(beta_2 * u, np.abs(g))
    w -= lr / (1 - beta_1**t) * m / (u + epsilon)


def _nadam(
    w: Array, g: Array, lr: float, t: int, s: State, beta_1: float, beta_2: float, epsilon: float
) -> None:
    m, v = _kept(s, "m", w), _kept(s, "v", w)
    m[:] = beta_1 * m + (1 - beta_1) * g
    v[:] = beta_2 * v + (1 - beta_2) * g**2
    mu = [beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
    ahead = mu[t] * m / (1 - math.prod(mu)) + (1 - mu[t - 1]) * g / (1 - math.prod(mu[:t]))
    w -= lr * ahead / (np.sqrt(v / (1 - beta_2**t)) + epsilon)


def _lion(w: Array, g: Array, lr: float, t: int, s: State, beta_1: float, beta_2: float) -> None:
    m = _kept(s, "m", w)
    w -= lr * np.sign(beta_1 * m + (1 - beta_1) * g)
    m[:] = beta_2 * m + (1 - beta_2) * g


OPTIMIZERS: dict[str, Callable[..., None]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
    "adamax": _adamax,
    "nadam": _nadam,
    "lion": _lion,
}
