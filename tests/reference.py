"""Float64 NumPy formulas, one per row of ``pynn._core.catalog()``.

They are what the tests compare the engine with, so they are written from the definitions with NumPy
and SciPy and share no code or algorithm with it. A row of the catalog without an entry here fails
the tests. Parameters are keywords with the catalog's names; ``math.inf`` stands for "no limit".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]

# ---- elementwise activations ---------------------------------------------------------------------


def _relu(
    x: Array, negative_slope: float = 0.0, max_value: float = math.inf, threshold: float = 0.0
) -> Array:
    above = np.minimum(x, max_value)
    below = negative_slope * (x - threshold) if negative_slope else np.where(np.isnan(x), x, 0.0)
    return np.where(x > threshold, above, below)


def _selu(x: Array) -> Array:
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def _gated(x: Array, gate: Array) -> Array:
    """x * gate, with the limit 0 where the gate closes before x reaches -inf."""
    return np.where(np.isneginf(x), 0.0, x * gate)


def _gelu(x: Array, approximate: float = 0.0) -> Array:
    if approximate:
        u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return _gated(x, special.expit(2 * u))  # (1 + tanh u) / 2 without its cancellation
    return _gated(x, special.ndtr(x))


def _mish(x: Array) -> Array:
    return _gated(x, np.tanh(np.logaddexp(0.0, x)))


def _softsign(x: Array) -> Array:
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def _squareplus(x: Array, b: float = 4.0) -> Array:
    root = np.hypot(x, math.sqrt(b))
    return np.where(x > 0, (x + root) / 2, b / (2 * (root - np.minimum(x, 0))))


def _sparse_plus(x: Array) -> Array:
    return np.where(x <= -1, 0.0, np.where(x >= 1, x, (x + 1) ** 2 / 4))


def _tanh_shrink(x: Array) -> Array:
    taylor = [1 / 3, -2 / 15, 17 / 315, -62 / 2835, 1382 / 155925, -21844 / 6081075]
    small = x**3 * np.polynomial.Polynomial(taylor)(x * x)
    return np.where(np.abs(x) < 0.1, small, x - np.tanh(x))


def _hard_silu(x: Array) -> Array:
    return _gated(x, np.clip(x / 6 + 0.5, 0, 1))


def _threshold(x: Array, threshold: float, default_value: float) -> Array:
    return np.where(x <= threshold, default_value, x)


ACTIVATIONS: dict[str, Callable[..., Array]] = {
    "linear": lambda x: x,
    "heaviside": lambda x: np.heaviside(x, 1.0),
    "sigmoid": special.expit,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "tanh": np.tanh,
    "relu": _relu,
    "leaky_relu": lambda x, negative_slope=0.2: _relu(x, negative_slope),
    "elu": lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    "selu": _selu,
    "silu": lambda x: _gated(x, special.expit(x)),
    "gelu": _gelu,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "softsign": _softsign,
    "exponential": np.exp,
    "mish": _mish,
    "relu6": lambda x: np.clip(x, 0, 6),
    "celu": lambda x, alpha=1.0: np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0) / alpha),
    "hard_silu": _hard_silu,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_shrink": lambda x, threshold=0.5: np.where(np.abs(x) <= threshold, 0.0, x),
    "soft_shrink": lambda x, threshold=0.5: np.sign(x) * np.maximum(np.abs(x) - threshold, 0),
    "tanh_shrink": _tanh_shrink,
    "log_sigmoid": special.log_expit,
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "threshold": _threshold,
}

# ---- activations of whole rows (over the last axis) ----------------------------------------------


def _sparsemax(x: Array) -> Array:
    """Projection onto the simplex by the sorted-support rule, https://arxiv.org/abs/1602.02068."""
    z = -np.sort(-x, axis=-1)
    k = np.arange(1, x.shape[-1] + 1)
    excess = np.cumsum(z, axis=-1) - 1
    support = np.sum(k * z > excess, axis=-1, keepdims=True)
    tau = np.take_along_axis(excess, np.maximum(support, 1) - 1, axis=-1) / support
    return np.asarray(np.maximum(x - tau, 0))


ROW_ACTIVATIONS: dict[str, Callable[..., Array]] = {
    "softmax": lambda x: special.softmax(x, axis=-1),
    "log_softmax": lambda x: special.log_softmax(x, axis=-1),
    "sparsemax": _sparsemax,
}

# ---- tools for the tests -------------------------------------------------------------------------


def central_difference(f: Callable[[Array], Array], x: Array, h: float = 1e-4) -> Array:
    """Derivative of an elementwise f at x by central differences, one step of Richardson's rule."""
    wide = (f(x + h) - f(x - h)) / (2 * h)
    narrow = (f(x + h / 2) - f(x - h / 2)) / h
    return np.asarray((4 * narrow - wide) / 3)


def ulp_difference(got: npt.NDArray[Any], want: Array) -> Array:
    """Distance of got from the float64 values want in units of the last place of got's dtype.

    Numbers below the smallest normal one may be flushed to zero: among them the distance is 0.
    """
    tiny = np.finfo(got.dtype).tiny
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rounded = want.astype(got.dtype)
        unit = np.spacing(np.maximum(np.abs(rounded), tiny)).astype(np.float64)
        distance = np.abs(got.astype(np.float64) - want) / unit
    same = (got == rounded) | (np.isnan(got) & np.isnan(want))
    flushed = (np.abs(got) < tiny) & (np.abs(rounded) < tiny)
    return np.asarray(np.where(same | flushed, 0.0, np.where(np.isnan(distance), np.inf, distance)))
