"""Small two-dimensional problems that a picture explains."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Table: TypeAlias = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]


def xor(n_samples: int = 200, noise: float = 0.0, seed: int | None = None) -> Table:
    """The exclusive or of two inputs, which no single neuron can compute.

    y = x₁ ⊕ x₂. The rows go round the corners (0, 0), (0, 1), (1, 0), (1, 1).

    Args:
        n_samples: number of rows, at least 1; 4 give the truth table.
        noise: standard deviation of Gaussian noise added to x.
        seed: seed of the noise; the same seed gives the same rows.

    Returns:
        x of shape (n_samples, 2), float32, and y of shape (n_samples,), int64, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 1 or `noise` is negative.

    Example:
        >>> x, y = xor(4)
        >>> x.tolist(), y.tolist()
        ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])

    References:
        - Minsky, Papert, Perceptrons, MIT Press (1969).
    """
    corner = _rows(n_samples) % 4
    first, second = corner // 2, corner % 2
    return _table(np.stack([first, second], axis=1), first ^ second, noise, seed)


def two_spirals(
    n_samples: int = 194, noise: float = 0.0, turns: float = 3.0, seed: int | None = None
) -> Table:
    """Two interlocked spirals, hard to separate with few hidden layers.

    x = r (sin φ, cos φ) with φ = 2π·turns·t and r = 6.5 - 6t for t from 0 to 1; the
    second spiral is the first one reflected in the origin.

    Args:
        n_samples: number of rows, at least 1; classes 1 and 0 alternate. 194 rows and
            three turns are the points of the original problem.
        noise: standard deviation of Gaussian noise added to x.
        turns: number of turns of each spiral.
        seed: seed of the noise; the same seed gives the same rows.

    Returns:
        x of shape (n_samples, 2), float32, and y of shape (n_samples,), int64, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 1 or `noise` is negative.

    Example:
        >>> x, y = two_spirals()
        >>> x.shape, y[:4].tolist()
        ((194, 2), [1, 0, 1, 0])

    References:
        - Lang, Witbrock, Learning to tell two spirals apart, Proc. 1988 Connectionist
          Models Summer School.
    """
    second, t = _alternate(n_samples)
    angle = 2 * np.pi * turns * t
    radius = np.where(second, -1.0, 1.0) * (6.5 - 6.0 * t)
    x = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return _table(x, 1 - second, noise, seed)


def circles(
    n_samples: int = 200, noise: float = 0.0, factor: float = 0.5, seed: int | None = None
) -> Table:
    """A circle of radius 1 (class 0) around one of radius `factor` (class 1).

    Args:
        n_samples: number of rows, at least 1; classes 0 and 1 alternate.
        noise: standard deviation of Gaussian noise added to x.
        factor: radius of the inner circle, at least 0 and below 1.
        seed: seed of the noise; the same seed gives the same rows.

    Returns:
        x of shape (n_samples, 2), float32, and y of shape (n_samples,), int64, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 1, `noise` is negative or `factor` out of range.

    Example:
        >>> x, y = circles(6, factor=0.25)
        >>> (x**2).sum(axis=1).round(4).tolist()
        [1.0, 0.0625, 1.0, 0.0625, 1.0, 0.0625]
    """
    if not 0.0 <= factor < 1.0:
        raise ValueError(f"factor must be at least 0 and below 1. Received: factor={factor!r}")
    inner, t = _alternate(n_samples, endpoint=False)
    radius = np.where(inner, factor, 1.0)
    x = radius[:, None] * np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], axis=1)
    return _table(x, inner, noise, seed)


def moons(n_samples: int = 200, noise: float = 0.0, seed: int | None = None) -> Table:
    """Two interleaving half circles of radius 1.

    Class 0 is (cos φ, sin φ) and class 1 is (1 - cos φ, 1/2 - sin φ) for φ from 0 to π.

    Args:
        n_samples: number of rows, at least 1; classes 0 and 1 alternate.
        noise: standard deviation of Gaussian noise added to x.
        seed: seed of the noise; the same seed gives the same rows.

    Returns:
        x of shape (n_samples, 2), float32, and y of shape (n_samples,), int64, 0 or 1.

    Raises:
        ValueError: `n_samples` is below 1 or `noise` is negative.

    Example:
        >>> x, y = moons(4)
        >>> x.round(4).tolist(), y.tolist()
        ([[1.0, 0.0], [0.0, 0.5], [-1.0, 0.0], [2.0, 0.5]], [0, 1, 0, 1])
    """
    lower, t = _alternate(n_samples)
    cos, sin = np.cos(np.pi * t), np.sin(np.pi * t)
    x = np.stack([np.where(lower, 1.0 - cos, cos), np.where(lower, 0.5 - sin, sin)], axis=1)
    return _table(x, lower, noise, seed)


def _rows(n_samples: int) -> npt.NDArray[np.int64]:
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1. Received: n_samples={n_samples!r}")
    return np.arange(n_samples)


def _alternate(
    n_samples: int, endpoint: bool = True
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Row classes 0, 1, 0, 1, ... and each row's place from 0 to 1 along its own curve."""
    rows = _rows(n_samples)
    curve, place = rows % 2, rows // 2
    count = np.where(curve == 0, (n_samples + 1) // 2, n_samples // 2)
    return curve, place / np.maximum(count - endpoint, 1)


def _table(
    x: npt.NDArray[np.float64] | npt.NDArray[np.int64],
    y: npt.NDArray[np.int64],
    noise: float,
    seed: int | None,
) -> Table:
    if not noise >= 0.0:
        raise ValueError(f"noise must be at least 0. Received: noise={noise!r}")
    if noise > 0.0:
        x = x + np.random.default_rng(seed).normal(0.0, noise, x.shape)
    return x.astype(np.float32), y.astype(np.int64)
