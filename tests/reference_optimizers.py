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


def _ftrl(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    learning_rate_power: float,
    initial_accumulator_value: float,
    l1_regularization_strength: float,
    l2_regularization_strength: float,
    l2_shrinkage_regularization_strength: float,
    beta: float,
) -> None:
    total, linear = _kept(s, "total", w, initial_accumulator_value), _kept(s, "linear", w)
    power, l1 = -learning_rate_power, l1_regularization_strength
    exact = total.astype(np.longdouble)  # the difference of powers cancels in float64
    sigma = (((exact + g**2) ** power - exact**power) / lr).astype(np.float64)
    linear += g + 2 * l2_shrinkage_regularization_strength * w - sigma * w
    total += g**2
    divisor = (total**power + beta) / lr + 2 * l2_regularization_strength
    w[:] = -np.sign(linear) * np.maximum(np.abs(linear) - l1, 0) / divisor


def _schedule_free(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    beta_1: float,
    beta_2: float,
    epsilon: float,
    warmup_steps: float,
) -> None:
    v = _kept(s, "v", w)
    point = s.setdefault("point", w.copy())
    mean = (w - (1 - beta_1) * point) / beta_1
    v[:] = beta_2 * v + (1 - beta_2) * g**2
    warm = min(1.0, t / warmup_steps) if warmup_steps else 1.0
    point -= lr * warm * g / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
    mean += (point - mean) / t
    w[:] = (1 - beta_1) * point + beta_1 * mean


def _lamb(
    w: Array, g: Array, lr: float, t: int, s: State, beta_1: float, beta_2: float, epsilon: float
) -> None:
    m, v = _kept(s, "m", w), _kept(s, "v", w)
    m[:] = beta_1 * m + (1 - beta_1) * g
    v[:] = beta_2 * v + (1 - beta_2) * g**2
    step = m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
    norms = float(np.linalg.norm(w)), float(np.linalg.norm(step))
    w -= lr * (norms[0] / norms[1] if all(norms) else 1.0) * step


def _adafactor(
    w: Array,
    g: Array,
    lr: float,
    t: int,
    s: State,
    beta_2_decay: float,
    epsilon_1: float,
    epsilon_2: float,
    clip_threshold: float,
    relative_step: float,
) -> None:
    v, square = _kept(s, "v", w), g**2 + epsilon_1
    decay = 1 - t**beta_2_decay
    if w.ndim == 2:
        rows, columns = _kept(s, "rows", w[:, 0]), _kept(s, "columns", w[0])
        rows[:] = decay * rows + (1 - decay) * square.mean(axis=1)
        columns[:] = decay * columns + (1 - decay) * square.mean(axis=0)
        v[:] = np.outer(rows, columns) / rows.mean()
    else:
        v[:] = decay * v + (1 - decay) * square
    step = g / np.sqrt(v)
    step /= max(1.0, math.sqrt(np.mean(step**2)) / clip_threshold)
    w -= max(epsilon_2, math.sqrt(np.mean(w**2))) * min(lr, 1 / math.sqrt(t)) * step


OPTIMIZERS: dict[str, Callable[..., None]] = {
    "sgd": _sgd,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "rmsprop": _rmsprop,
    "ftrl": _ftrl,
    "adam": _adam,
    "adamw": _adam,
    "adamax": _adamax,
    "nadam": _nadam,
    "lion": _lion,
    "schedulefreeadamw": _schedule_free,
    "lamb": _lamb,
    "adafactor": _adafactor,
}
