"""Layers that bring their input to a standard scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import constraints, initializers, ops, regularizers
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn._graph.variable import Variable
from pynn.layers._base import Layer
from pynn.layers._checks import Shape, fraction
from pynn.utils.checks import integer_axis, number


class BatchNormalization(Layer):
    r"""Standardizes every feature over the batch, then scales and shifts it.

    Formula: in training :math:`y = \gamma (x - \mu_B) / \sqrt{\sigma_B^2 + \epsilon} + \beta` with
    the batch's mean and biased variance, and the moving statistics follow by
    ``moving = momentum * moving + (1 - momentum) * batch``; otherwise the same with the moving
    statistics. A layer with ``trainable=False`` always uses the moving statistics and keeps them.

    Args:
        axis: the features' axis; not that of the samples (0).
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
        beta_constraint: applied to beta after each update.
        gamma_constraint: applied to gamma.
        renorm, renorm_clipping, synchronized: only False, None and False.
        renorm_momentum: of use with ``renorm`` only.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ..., features)``, or with the features in ``axis``; the same comes out. Weights in
        this order: gamma, beta, moving_mean, moving_variance, each ``(features,)``.

    Raises:
        ValueError: an argument is not as described.

    References:
        Ioffe, Szegedy 2015, https://arxiv.org/abs/1502.03167
    """

    _one_input = True
    supports_masking = True
    gamma: Variable | None
    beta: Variable | None

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
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if renorm or renorm_clipping is not None or synchronized:
            raise ValueError(
                f"{owner}: normalizes by the statistics of the batch on one machine. Received: "
                f"renorm={renorm}, renorm_clipping={renorm_clipping}, synchronized={synchronized}"
            )
        self.renorm, self.renorm_clipping, self.synchronized = False, None, False
        self.renorm_momentum = renorm_momentum
        self.axis = integer_axis(owner, axis)
        self.momentum = fraction(owner, "momentum", momentum, include_one=True)
        self.epsilon = number(owner, "epsilon", epsilon, above=0)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        return (shape[feature_axis(self.name, self.axis, len(shape) + 1) - 1],)

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = self.fixed_part(tuple(int(n or 0) for n in input_shape[1:]))
        add_scale_and_shift(self, shape)
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def emit(self, graph: Graph, x: Tensor, mask: Any = None) -> Tensor:
        frozen = not (self.trainable and graph.training)
        if (mask is not None or x.mask is not None) and not frozen:
            raise ValueError(
                f"{self.name}: the statistics of a batch are those of all steps, masked ones "
                "cannot be left out. Received: an input with a mask, in training"
            )
        axis = feature_axis(self.name, self.axis, len(x.shape))
        y = ops.moveaxis(x, axis, -1)
        y = graph.add(
            "batch_norm",
            [y],
            y.sample,
            self._variables,
            momentum=self.momentum,
            epsilon=self.epsilon,
            scale=self.scale,
            center=self.center,
            frozen=frozen,
        )
        moved: Tensor = ops.moveaxis(y, -1, axis)
        return moved


def feature_axis(owner: str, axis: int, rank: int) -> int:
    """The axis counted from the front.

    Raises:
        ValueError: there is no such axis, or it is that of the samples.
    """
    if not -rank < axis < rank or axis == 0:
        raise ValueError(
            f"{owner}: `axis` must be one of a sample's axes. "
            f"Received: axis={axis} for inputs with {rank} axes"
        )
    return axis % rank


def add_scale_and_shift(layer: Any, shape: Shape) -> None:
    """Makes gamma and beta of a layer where its ``scale`` and ``center`` ask for them."""
    layer.gamma = layer.beta = None
    for wanted, name in ((layer.scale, "gamma"), (layer.center, "beta")):
        if wanted:
            weight = layer.add_weight(
                shape,
                getattr(layer, f"{name}_initializer"),
                regularizer=getattr(layer, f"{name}_regularizer"),
                constraint=getattr(layer, f"{name}_constraint"),
                name=name,
            )
            setattr(layer, name, weight)
