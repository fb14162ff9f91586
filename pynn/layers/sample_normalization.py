"""Normalization of each sample by its own numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import constraints, initializers, ops, regularizers
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers._checks import Shape, axis_argument
from pynn.layers.normalization import add_scale_and_shift, feature_axis
from pynn.utils.checks import integer_axis, is_integer, number

Axis = int | Sequence[int]


def sizes_along(owner: str, axis: Any, shape: Sequence[int | None]) -> Shape:
    """The lengths of some axes of an input; the batch's is not among them."""
    axes = axis if isinstance(axis, list) else [axis]
    return tuple(int(shape[feature_axis(owner, a, len(shape))] or 0) for a in axes)


class _ScaledAndShifted(Layer):
    """What layers with gamma and beta share."""

    _one_input = True
    supports_masking = True
    gamma: Variable | None
    beta: Variable | None

    def _keep(
        self,
        center: Any,
        scale: Any,
        epsilon: float,
        initial: tuple[Any, Any],
        penalties: tuple[Any, Any],
        limits: tuple[Any, Any],
    ) -> None:
        self.epsilon = number(type(self).__name__, "epsilon", epsilon, above=0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer, self.gamma_initializer = map(initializers.get, initial)
        self.beta_regularizer, self.gamma_regularizer = map(regularizers.get, penalties)
        self.beta_constraint, self.gamma_constraint = map(constraints.get, limits)


class LayerNormalization(_ScaledAndShifted):
    r"""Standardizes every sample over its own features, then scales and shifts the features.

    Formula: :math:`y = \gamma (x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta` with mean and biased
    variance of the sample along ``axis``.

    Args:
        axis: one axis of a sample or several.
        epsilon: a positive number under the square root.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initial beta.
        gamma_initializer: initial gamma.
        beta_regularizer: penalty of beta in the loss.
        gamma_regularizer: penalty of gamma.
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma.
        rms_scaling: whether x is divided without subtracting the mean, nor adding beta, as older
            versions of Keras do; ``RMSNormalization`` divides by the root mean square.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        Any; the same comes out. Weights: gamma, beta, of the lengths of ``axis``.

    Raises:
        ValueError: an argument is not as described.

    Example:
        >>> LayerNormalization()([[1.0, 3.0]]).round(2).tolist()
        [[-1.0, 1.0]]

    References:
        Ba, Kiros, Hinton 2016, https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: Axis = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        self.axis = axis_argument("LayerNormalization", axis)
        self.rms_scaling = bool(rms_scaling)
        self._keep(
            center,
            scale,
            epsilon,
            (beta_initializer, gamma_initializer),
            (beta_regularizer, gamma_regularizer),
            (beta_constraint, gamma_constraint),
        )
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        return sizes_along(self.name, self.axis, (None, *shape))

    def build(self, input_shape: Sequence[int | None]) -> None:
        add_scale_and_shift(self, sizes_along(self.name, self.axis, input_shape))

    def call(self, inputs: Any) -> Any:
        gamma = None if self.gamma is None else _spread(self.gamma, self.axis, inputs)
        beta = None if self.beta is None else _spread(self.beta, self.axis, inputs)
        if not self.rms_scaling:
            return ops.layer_normalization(inputs, gamma, beta, self.axis, self.epsilon)
        y = inputs * ops.rsqrt(ops.var(inputs, self.axis, keepdims=True) + self.epsilon)
        return y if gamma is None else y * gamma


def _spread(weight: Any, axis: Any, x: Any) -> Any:
    """Weights of some axes of ``x``, with length 1 along the others."""
    rank = len(x.shape)
    places = [a % rank for a in (axis if isinstance(axis, list) else [axis])]
    ordered = ops.transpose(weight, np.argsort(places).tolist())
    return ops.reshape(ordered, [n if i in places else 1 for i, n in enumerate(x.shape)])


class RMSNormalization(Layer):
    r"""Divides every sample by the root of its mean square, then scales the features.

    Formula: :math:`y = s\, x / \sqrt{\mathrm{mean}(x^2) + \epsilon}` along ``axis``.

    Args:
        axis: one axis of a sample or several.
        epsilon: a positive number under the square root.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        Any; the same comes out. Weight: scale, of the lengths of ``axis``, all ones at first.

    Raises:
        ValueError: ``epsilon`` is not positive.

    Example:
        >>> RMSNormalization()([[1.0, 1.0]]).round(3).tolist()
        [[1.0, 1.0]]

    References:
        Zhang, Sennrich 2019, https://arxiv.org/abs/1910.07467
    """

    _one_input = True

    def __init__(self, axis: Axis = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        self.axis = axis_argument("RMSNormalization", axis)
        self.epsilon = number("RMSNormalization", "epsilon", epsilon, above=0)
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        return sizes_along(self.name, self.axis, (None, *shape))

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = sizes_along(self.name, self.axis, input_shape)
        self.scale = self.add_weight(shape, "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        scale = _spread(self.scale, self.axis, inputs)
        return ops.rms_normalization(inputs, scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """Divides every sample by its Euclidean norm.

    Formula: ``y = x / sqrt(sum(x**2))`` along ``axis``; zeros stay.

    Args:
        axis: one axis of a sample or several.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        TypeError: ``axis`` is neither an integer nor a list of them.

    Example:
        >>> UnitNormalization()([[3.0, 4.0]]).round(2).tolist()
        [[0.6..., 0.8...]]
    """

    _one_input = True
    supports_masking = True

    def __init__(self, axis: Axis = -1, **kwargs: Any) -> None:
        self.axis = axis_argument("UnitNormalization", axis)
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        sizes_along(self.name, self.axis, inputs.shape)
        return ops.normalize(inputs, self.axis, order=2, epsilon=1e-12)


class GroupNormalization(_ScaledAndShifted):
    r"""Standardizes groups of features of every sample, then scales and shifts the features.

    Formula: :math:`y = \gamma (x - \mu_g) / \sqrt{\sigma_g^2 + \epsilon} + \beta` with mean and
    biased variance of the feature's group in the sample, over all other axes, too.

    Args:
        groups: number of groups; it divides the number of features. -1 means one for each feature.
        axis: the features' axis; not that of the samples (0).
        epsilon: a positive number under the square root.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initial beta.
        gamma_initializer: initial gamma.
        beta_regularizer: penalty of beta in the loss.
        gamma_regularizer: penalty of gamma.
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ..., features)``, or with the features in ``axis``; the same comes out. Weights:
        gamma, beta, each ``(features,)``.

    Raises:
        ValueError: the features cannot be divided into so many groups.

    Example:
        >>> GroupNormalization(groups=2)([[1.0, 3.0, 10.0, 30.0]]).round(1).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]

    References:
        Wu, He 2018, https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        if not is_integer(groups) or (groups < 1 and groups != -1):
            raise ValueError(
                "GroupNormalization: `groups` must be a positive integer, or -1 for one group of "
                f"each feature. Received: groups={groups!r}"
            )
        self.groups = int(groups)
        self.axis = integer_axis("GroupNormalization", axis)
        self._keep(
            center,
            scale,
            epsilon,
            (beta_initializer, gamma_initializer),
            (beta_regularizer, gamma_regularizer),
            (beta_constraint, gamma_constraint),
        )
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        features = shape[feature_axis(self.name, self.axis, len(shape) + 1) - 1]
        if self.groups != -1 and features % self.groups:
            raise ValueError(
                f"{self.name}: `groups` must divide the number of features. "
                f"Received: groups={self.groups}, {features} features"
            )
        return (features,)

    def build(self, input_shape: Sequence[int | None]) -> None:
        add_scale_and_shift(self, self.fixed_part(tuple(int(n or 0) for n in input_shape[1:])))

    def call(self, inputs: Any) -> Any:
        x = ops.moveaxis(inputs, self.axis, -1)
        features = x.shape[-1]
        groups = features if self.groups == -1 else self.groups
        grouped = ops.reshape(x, (-1, math.prod(x.shape[1:-1]), groups, features // groups))
        normed = ops.layer_normalization(grouped, axis=[1, 3], epsilon=self.epsilon)
        y = ops.reshape(normed, (-1, *x.shape[1:]))
        y = y if self.gamma is None else y * self.gamma
        y = y if self.beta is None else y + self.beta
        return ops.moveaxis(y, -1, self.axis)
