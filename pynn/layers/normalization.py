"""Layers that bring their input to a standard scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pynn import initializers, regularizers
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import Shape, fraction, no_constraints


class BatchNormalization(Layer):
    r"""Standardizes every feature over the batch, then scales and shifts it.

    Formula: in training :math:`y = \gamma (x - \mu_B) / \sqrt{\sigma_B^2 + \epsilon} + \beta` with
    the batch's mean and biased variance, and the moving statistics follow by
    ``moving = momentum * moving + (1 - momentum) * batch``; otherwise the same with the moving
    statistics. A layer with ``trainable=False`` always uses the moving statistics and keeps them.

    Args:
        axis: the features' axis; only the last one (-1).
        momentum: of the moving statistics, in [0, 1].
        epsilon: a positive number under the square root.
        center: whether to add beta.
        scale: whether to multiply by gamma.
        beta_initializer: initial beta.
        gamma_initializer: initial gamma.
        moving_mean_initializer: initial moving mean.
        moving_variance_initializer: initial moving variance.
        beta_regularizer: penalty of beta in the loss.
        gamma_regularizer: penalty of gamma.
        beta_constraint: only None.
        gamma_constraint: only None.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ..., features)``; the same comes out. Weights in this order: gamma, beta,
        moving_mean, moving_variance, each ``(features,)``.

    Raises:
        ValueError: an argument is not as described.

    References:
        Ioffe, Szegedy 2015, https://arxiv.org/abs/1502.03167
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        no_constraints(owner, beta_constraint=beta_constraint, gamma_constraint=gamma_constraint)
        self.axis = axis
        self.momentum = fraction(owner, "momentum", momentum, include_one=True)
        if not (epsilon > 0 and math.isfinite(epsilon)):
            raise ValueError(f"{owner}: `epsilon` must be positive. Received: epsilon={epsilon!r}")
        self.epsilon = float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = self.gamma_constraint = None
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        if self.axis not in (-1, len(shape)) or not shape:
            raise ValueError(
                f"{self.name}: only the last axis (-1) can hold the features. "
                f"Received: axis={self.axis} for samples of shape {shape}"
            )
        return shape[-1:]

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = (int(input_shape[-1] or 0),)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, name="gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, name="beta"
            )
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return graph.add(
            "batch_norm",
            [x],
            x.sample,
            self._variables,
            momentum=self.momentum,
            epsilon=self.epsilon,
            scale=self.scale,
            center=self.center,
            frozen=not (self.trainable and graph.training),
        )
