"""Float64 NumPy formulas of losses and metrics, one per row of the catalog; see reference.py.

Each says what its targets and predictions are (see ``batch``). Metrics give the value over all
rows, with weights w.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]

EPSILON = 1e-7


def _clip(p: Array) -> Array:
    return np.asarray(np.clip(p, EPSILON, 1 - EPSILON))


def _bce(y: Array, p: Array) -> Array:
    return -np.asarray(special.xlogy(y, _clip(p)) + special.xlogy(1 - y, 1 - _clip(p)))


def _msle(y: Array, p: Array) -> Array:
    ratio = np.log1p(np.maximum(y, EPSILON)) - np.log1p(np.maximum(p, EPSILON))
    return np.asarray(np.mean(ratio**2, -1))


def _huber(y: Array, p: Array, delta: float = 1.0) -> Array:
    e = np.abs(p - y)
    return np.asarray(np.where(e < delta, e**2 / 2, delta * (e - delta / 2)).mean(-1))


def _pinball(y: Array, p: Array, quantile: float = 0.5) -> Array:
    return np.asarray(np.maximum(quantile * (y - p), (quantile - 1) * (y - p)).mean(-1))


def _margin(y: Array, p: Array) -> Array:
    return np.asarray(np.maximum(1 - np.where(y == 0, -1.0, y) * p, 0))


def _categorical_hinge(y: Array, p: Array) -> Array:
    return np.asarray(np.maximum(np.max((1 - y) * p, -1) - np.sum(y * p, -1) + 1, 0))


def _kl_divergence(y: Array, p: Array) -> Array:
    return np.asarray(special.rel_entr(np.clip(y, EPSILON, 1), np.clip(p, EPSILON, 1)).sum(-1))


def _cosine(y: Array, p: Array) -> Array:
    def unit(v: Array) -> Array:
        return np.asarray(v / np.maximum(np.sqrt((v * v).sum(-1, keepdims=True)), EPSILON))

    return np.asarray(np.sum(unit(y) * unit(p), -1))


def _shares(p: Array) -> Array:
    return _clip(p / p.sum(-1, keepdims=True))


def _one_hot(index: Array, classes: int) -> Array:
    return np.asarray(np.eye(classes)[index.astype(int)])


def _focal(
    y: Array, p: Array, bce: Array, apply_class_balancing: float, alpha: float, gamma: float
) -> Array:
    right = y * p + (1 - y) * (1 - p)
    balance = y * alpha + (1 - y) * (1 - alpha) if apply_class_balancing else 1.0
    return np.asarray((balance * (1 - right) ** gamma * bce).mean(-1))


def _binary_focal(
    y: Array, p: Array, apply_class_balancing: float = 0, alpha: float = 0.25, gamma: float = 2.0
) -> Array:
    return _focal(y, p, _bce(y, p), apply_class_balancing, alpha, gamma)


def _categorical_focal(y: Array, p: Array, alpha: float = 0.25, gamma: float = 2.0) -> Array:
    q = _shares(p)
    return -np.asarray((alpha * (1 - q) ** gamma * special.xlogy(y, q)).sum(-1))


def _generalized(y: Array, p: Array, q: float = 0.5) -> Array:
    return np.asarray((1 - (_one_hot(y, p.shape[-1]) * p).sum(-1) ** q) / q)


LOSSES: dict[str, tuple[str, Callable[..., Array]]] = {
    "mean_squared_error": ("real", lambda y, p: ((y - p) ** 2).mean(-1)),
    "mean_absolute_error": ("real", lambda y, p: np.abs(y - p).mean(-1)),
    "mean_absolute_percentage_error": (
        "real",
        lambda y, p: 100 * np.mean(np.abs(y - p) / np.maximum(np.abs(y), EPSILON), -1),
    ),
    "mean_squared_logarithmic_error": ("positive", _msle),
    "huber": ("real", _huber),
    "log_cosh": ("real", lambda y, p: np.log(np.cosh(p - y)).mean(-1)),
    "quantile": ("real", _pinball),
    "half_poisson_deviance": ("positive", lambda y, p: np.mean(y * np.log(y / p) - y + p, -1)),
    "poisson": ("positive", lambda y, p: np.mean(p - y * np.log(p + EPSILON), -1)),
    "hinge": ("binary scores", lambda y, p: _margin(y, p).mean(-1)),
    "squared_hinge": ("binary scores", lambda y, p: (_margin(y, p) ** 2).mean(-1)),
    "categorical_hinge": ("class scores", _categorical_hinge),
    "kl_divergence": ("distributions", _kl_divergence),
    "cosine_similarity": ("real", lambda y, p: -_cosine(y, p)),
    "binary_crossentropy": ("binary", lambda y, p: _bce(y, p).mean(-1)),
    "categorical_crossentropy": ("classes", lambda y, p: -special.xlogy(y, _shares(p)).sum(-1)),
    "sparse_categorical_crossentropy": (
        "class numbers",
        lambda y, p: -np.log((_one_hot(y, p.shape[-1]) * _shares(p)).sum(-1)),
    ),
    "log_loss": (
        "class numbers",
        lambda y, p: -np.log((_one_hot(y, p.shape[-1]) * _shares(p)).sum(-1)),
    ),
    "binary_log_loss": (
        "binary",
        lambda y, p: -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean(-1),
    ),
    "categorical_generalized_cross_entropy": ("class numbers", _generalized),
    "binary_focal_crossentropy": ("binary", _binary_focal),
    "categorical_focal_crossentropy": ("classes", _categorical_focal),
}


def _bce_from_logits(y: Array, z: Array) -> Array:
    return np.asarray(np.logaddexp(0, z) - y * z)


def _binary_focal_from_logits(
    y: Array, z: Array, apply_class_balancing: float = 0, alpha: float = 0.25, gamma: float = 2.0
) -> Array:
    p = special.expit(z)
    return _focal(y, p, _bce_from_logits(y, z), apply_class_balancing, alpha, gamma)


def _cce_from_logits(y: Array, z: Array) -> Array:
    return -np.asarray((y * special.log_softmax(z, -1)).sum(-1))


def _categorical_focal_from_logits(
    y: Array, z: Array, alpha: float = 0.25, gamma: float = 2.0
) -> Array:
    log_q = special.log_softmax(z, -1)
    return -np.asarray((alpha * (1 - np.exp(log_q)) ** gamma * y * log_q).sum(-1))


# The same from what goes into the sigmoid or softmax, with nothing clipped.
LOSSES_FROM_LOGITS: dict[str, Callable[..., Array]] = {
    "half_poisson_deviance": lambda y, z: np.mean(np.exp(z) - y + special.xlogy(y, y) - y * z, -1),
    "binary_crossentropy": lambda y, z: _bce_from_logits(y, z).mean(-1),
    "categorical_crossentropy": _cce_from_logits,
    "sparse_categorical_crossentropy": lambda y, z: _cce_from_logits(_one_hot(y, z.shape[-1]), z),
    "log_loss": lambda y, z: _cce_from_logits(_one_hot(y, z.shape[-1]), z),
    "binary_log_loss": lambda y, z: _bce_from_logits(y, z).mean(-1),
    "binary_focal_crossentropy": _binary_focal_from_logits,
    "categorical_focal_crossentropy": _categorical_focal_from_logits,
}


def _rows(values: Array, w: Array) -> float:
    return float(np.average(values, weights=w))


def _in_top(index: Array, p: Array, k: float) -> Array:
    """Whether fewer than k scores lie above the one named."""
    own = np.take_along_axis(p, index[:, None].astype(int), 1)
    return np.asarray((p > own).sum(1) < k, np.float64)


def _r2(y: Array, p: Array, w: Array) -> float:
    w = w[:, None]
    mean = (w * y).sum(0) / w.sum()
    return float(np.mean(1 - (w * (y - p) ** 2).sum(0) / (w * (y - mean) ** 2).sum(0)))


def _pearson(y: Array, p: Array) -> Array:
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)])


def _concordance(y: Array, p: Array) -> Array:
    pairs = zip(y, p, strict=True)
    return np.array(
        [
            2 * np.cov(a, b, bias=True)[0, 1]
            / (np.var(a) + np.var(b) + (np.mean(a) - np.mean(b)) ** 2 + EPSILON)
            for a, b in pairs
        ]
    )  # fmt: skip


METRICS: dict[str, tuple[str, Callable[..., float]]] = {
    "accuracy": ("labels", lambda y, p, w: _rows((y == p).mean(1), w)),
    "binary_accuracy": (
        "binary",
        lambda y, p, w, threshold=0.5: _rows((y == (p > threshold)).mean(1), w),
    ),
    "categorical_accuracy": ("classes", lambda y, p, w: _rows(y.argmax(1) == p.argmax(1), w)),
    "sparse_categorical_accuracy": ("class numbers", lambda y, p, w: _rows(y == p.argmax(1), w)),
    "top_k_categorical_accuracy": (
        "classes",
        lambda y, p, w, k=5: _rows(_in_top(y.argmax(1), p, k), w),
    ),
    "sparse_top_k_categorical_accuracy": (
        "class numbers",
        lambda y, p, w, k=5: _rows(_in_top(y, p, k), w),
    ),
    "cosine_similarity": ("real", lambda y, p, w: _rows(_cosine(y, p), w)),
    "root_mean_squared_error": (
        "real",
        lambda y, p, w: math.sqrt(_rows(((y - p) ** 2).mean(1), w)),
    ),
    "r2_score": ("real", _r2),
    "pearson_correlation": ("real", lambda y, p, w: _rows(_pearson(y, p), w)),
    "concordance_correlation": ("real", lambda y, p, w: _rows(_concordance(y, p), w)),
}


def _decisions(
    y: Array, p: Array, w: Array, threshold: float, top_k: float, class_id: float
) -> Array:
    cols = p.shape[1]
    order = np.argsort(-p, axis=1, kind="stable")
    chosen = np.argsort(order, axis=1) < top_k  # rank of each score, the first of equals first
    called = chosen & (p > threshold)
    counts = np.ones(cols, bool) if math.isinf(class_id) else np.arange(cols) == class_id
    weight = w[:, None] * counts
    cells = [(y != 0) & called, (y == 0) & called, (y == 0) & ~called, (y != 0) & ~called]
    return np.array([(weight * cell).sum() for cell in cells])


def _scores_by_threshold(
    y: Array, p: Array, w: Array, num_thresholds: float, class_id: float, from_logits: float
) -> Array:
    n, cols = int(num_thresholds), p.shape[1]
    p = special.expit(p) if from_logits else p
    below = (p[..., None] > np.linspace(0, 1, n)).sum(-1)
    apart = [[j] for j in range(cols)]
    groups = apart if class_id < 0 else [list(range(cols))]
    groups = [[int(class_id)]] if 0 <= class_id < cols else groups
    sums = [
        sum((w * (below[:, j] == place) * ((y[:, j] != 0) == hit)).sum() for j in group)
        for group in groups
        for hit in (True, False)
        for place in range(n)
    ]
    return np.array(sums)


def _decisions_by_column(y: Array, p: Array, w: Array, threshold: float) -> Array:
    called = (p == p.max(1, keepdims=True)) & (abs(p) > 1e-9) if math.isinf(threshold) else None
    d = (p > threshold if called is None else called).astype(float)
    return np.concatenate([w @ (y * d), w @ ((1 - y) * d), w @ (y * (1 - d))])


# Rows that several metrics share: the sums themselves.
COUNTS: dict[str, tuple[str, Callable[..., Array]]] = {
    "decisions": ("binary", _decisions),
    "scores_by_threshold": ("binary", _scores_by_threshold),
    "decisions_by_column": ("binary", _decisions_by_column),
}


def batch(kind: str, rows: int, cols: int, seed: int = 0) -> tuple[Array, Array]:
    """Targets and predictions of a kind named above, away from clips."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(rows, cols))
    number = rng.integers(0, cols, rows).astype(float)
    inner = 0.1 + 0.8 * rng.random((rows, cols))
    hits = (rng.random((rows, cols)) < 0.5).astype(float)
    shares = 0.2 + rng.random((rows, cols))
    return {
        "real": (rng.normal(size=(rows, cols)), scores),
        "positive": (rng.gamma(2.0, size=(rows, cols)), 0.2 + rng.gamma(2.0, size=(rows, cols))),
        "binary": (hits, inner),
        "binary scores": (hits, scores),
        "labels": (hits, (rng.random((rows, cols)) < 0.5).astype(float)),
        "class scores": (_one_hot(number, cols), scores),
        "classes": (_one_hot(number, cols), inner),
        "class numbers": (number, inner),
        "distributions": (shares / shares.sum(-1, keepdims=True), inner),
    }[kind]
