"""Activations, normalizations and losses of neural networks, as functions.

Activations are rows of the engine's tables; ``pynn.activations`` has them with more arguments.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn import config
from pynn._compat import explain_absent
from pynn.ops import _primitives
from pynn.ops._dispatch import public, rank_of, shape_of
from pynn.ops._primitives import axes_of, reduce
from pynn.ops._tables import (
    absolute,
    add,
    divide,
    equal,
    maximum,
    multiply,
    rsqrt,
    sigmoid,
    square,
    subtract,
    tanh,
)
from pynn.ops.arrangement import expand_dims, moveaxis, reshape
from pynn.ops.creation import arange
from pynn.ops.elementwise import cast, power, where
from pynn.ops.joining import split
from pynn.ops.products import matmul
from pynn.ops.reductions import var


@public
def softmax(x: Any, axis: Any = -1) -> Any:
    """Turns scores into probabilities that sum to 1.

    Formula: ``y_j = exp(x_j) / sum_k exp(x_k)``

    Args:
        x: array or symbol.
        axis: the axis, or several, that the sum runs along.

    Example:
        >>> softmax([0.0, 0.0]).tolist()
        [0.5, 0.5]
    """
    return _along("softmax", x, axis)


@public
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of ``softmax``.

    Formula: ``y_j = x_j - log(sum_k exp(x_k))``
    """
    return _along("log_softmax", x, axis)


def _along(name: str, x: Any, axis: Any) -> Any:
    rank = rank_of(x)
    axes = sorted(axes_of(name, axis, rank))
    if len(axes) == 1:
        return _primitives.row_activation(name, x, axes[0])
    last = list(range(rank - len(axes), rank))
    moved = moveaxis(x, axes, last)
    y = _primitives.row_activation(name, reshape(moved, (*shape_of(moved)[: last[0]], -1)))
    return moveaxis(reshape(y, shape_of(moved)), last, axes)


@public
def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: one half of the axis times the sigmoid of the other.

    Formula: ``y = a sigmoid(b)``, ``a, b = split(x, 2)``

    References:
        Dauphin et al. (2017), arXiv:1612.08083
    """
    a, b = split(x, 2, axis)
    return multiply(a, sigmoid(b))


@public
def one_hot(
    x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Any:
    """Class numbers as rows with a 1 at the class; numbers out of range give zeros.

    Args:
        x: array or symbol of class numbers.
        num_classes: the length of the new axis.
        axis: where the new axis goes.
        dtype: by default ``floatx()``.
        sparse: must be False.

    Example:
        >>> one_hot([1, 0], 3).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    _dense("one_hot", sparse)
    hits = equal(expand_dims(x, -1), arange(num_classes))
    hits = cast(hits, config.floatx() if dtype is None else dtype)
    return hits if axis == -1 else moveaxis(hits, -1, axis)


@public
def multi_hot(
    inputs: Any,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Sets of class numbers as rows with a 1 at each member.

    Args:
        inputs: array or symbol of class numbers, a set along ``axis``.
        num_classes: the length of the result's axis.
        axis: where the classes go.
        dtype: by default ``floatx()``.
        sparse: must be False.
        kwargs: ``num_tokens``, the older name of ``num_classes``.

    Example:
        >>> multi_hot([[0, 2]], 3).tolist()
        [[1.0, 0.0, 1.0]]
    """
    _dense("multi_hot", sparse)
    classes = kwargs.pop("num_tokens", num_classes)
    if kwargs or classes is None:
        raise TypeError(f"multi_hot: `num_classes` is needed, and nothing else. Received: {kwargs}")
    members = 1 if rank_of(inputs) == 3 else 0
    if rank_of(inputs) > 1 and shape_of(inputs)[0] is None:
        members = rank_of(inputs) - 1
    elif rank_of(inputs) == 2:
        members = 1
    return reduce("max", one_hot(inputs, classes, axis, dtype), members)


def _dense(owner: str, sparse: Any) -> None:
    if sparse:
        raise ValueError(f"{owner}: arrays are dense. Received: sparse={sparse}")


# ---- normalizations ------------------------------------------------------------------------------


@public
def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Divides by the norm along an axis.

    Formula: ``y = x / max(norm(x), epsilon)``

    Args:
        x: array or symbol.
        axis: one axis or several.
        order: 1, 2 or another exponent, or infinity.
        epsilon: the least divisor, by default ``config.epsilon()``.

    Example:
        >>> normalize([3.0, 4.0]).round(1).tolist()
        [0.6..., 0.8...]
    """
    least = config.epsilon() if epsilon is None else epsilon
    if order == 2:
        total = reduce("sum", square(x), axis, True)
        return multiply(x, rsqrt(maximum(total, least * least)))
    size = absolute(x)
    if order == np.inf:
        return divide(x, maximum(reduce("max", size, axis, True), least))
    total = power(reduce("sum", power(size, order), axis, True), 1.0 / order)
    return divide(x, maximum(total, least))


@public
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """Normalizes by a given mean and variance.

    Formula: ``y = scale (x - mean) / sqrt(variance + epsilon) + offset``

    Args:
        x: array or symbol.
        mean: of the length of ``axis``.
        variance: likewise.
        axis: the axis of the features.
        offset: beta, or None.
        scale: gamma, or None.
        epsilon: keeps the divisor above 0.

    References:
        Ioffe and Szegedy (2015), arXiv:1502.03167
    """
    shape = [1] * rank_of(x)
    shape[axis] = -1
    mean, variance = reshape(mean, shape), reshape(variance, shape)
    factor = rsqrt(add(variance, epsilon))
    if scale is not None:
        factor = multiply(factor, reshape(scale, shape))
    y = multiply(subtract(x, mean), factor)
    return y if offset is None else add(y, reshape(offset, shape))


@public
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """Normalizes each sample by its own mean and variance.

    Formula: ``y = gamma (x - mean(x)) / sqrt(var(x) + epsilon) + beta``

    Args:
        x: array or symbol.
        gamma: factors of the features, or None.
        beta: added to the features, or None.
        axis: one axis or several.
        epsilon: keeps the divisor above 0, by default ``config.epsilon()``.

    References:
        Ba et al. (2016), arXiv:1607.06450
    """
    small = config.epsilon() if epsilon is None else epsilon
    deviation = subtract(x, reduce("mean", x, axis, True))
    y = multiply(deviation, rsqrt(add(var(x, axis, True), small)))
    y = y if gamma is None else multiply(y, _features(gamma, x, axis))
    return y if beta is None else add(y, _features(beta, x, axis))


@public
def rms_normalization(
    x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """Divides each sample by the root of its mean square.

    Formula: ``y = scale x / sqrt(mean(x^2) + epsilon)``

    References:
        Zhang and Sennrich (2019), arXiv:1910.07467
    """
    small = config.epsilon() if epsilon is None else epsilon
    y = multiply(x, rsqrt(add(reduce("mean", square(x), axis, True), small)))
    return y if scale is None else multiply(y, _features(scale, x, axis))


def _features(value: Any, x: Any, axis: Any) -> Any:
    """Weights of some axes, with length 1 along the others."""
    axes = axes_of("axis", axis, rank_of(x))
    if rank_of(value) == rank_of(x):
        return value
    return reshape(value, [n if i in axes else 1 for i, n in enumerate(shape_of(x))])


@public
def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: Any = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """Scaled dot-product attention of several heads.

    Formula: ``y = softmax(scale q k^T + bias) v``

    Args:
        query: ``(n, steps, heads, size)``.
        key: ``(n, sources, heads, size)``.
        value: ``(n, sources, heads, size)``.
        bias: added to the scores ``(n, heads, steps, sources)``, or None.
        mask: which scores count, or None.
        scale: by default ``1 / sqrt(size)``.
        is_causal: whether a step sees none after it.
        flash_attention: must be None or False.
        attn_logits_soft_cap: bounds the scores by ``cap tanh(score / cap)``, or None.

    References:
        Vaswani et al. (2017), arXiv:1706.03762
    """
    if flash_attention:
        raise ValueError(
            "dot_product_attention: there is one way to compute it. "
            f"Received: flash_attention={flash_attention}"
        )
    factor = 1 / math.sqrt(shape_of(query)[-1] or 1) if scale is None else scale
    q, k, v = (moveaxis(t, -2, -3) for t in (query, key, value))
    scores = multiply(matmul(q, moveaxis(k, -1, -2)), factor)
    if attn_logits_soft_cap is not None:
        scores = multiply(tanh(divide(scores, attn_logits_soft_cap)), attn_logits_soft_cap)
    scores = scores if bias is None else add(scores, bias)
    if is_causal:
        visible = np.tri(int(shape_of(query)[1] or 0), int(shape_of(key)[1] or 0))
        scores = where(visible, scores, -1e30)
    scores = scores if mask is None else where(mask, scores, -1e30)
    return moveaxis(matmul(softmax(scores), v), -3, -2)


explain_absent(globals())
