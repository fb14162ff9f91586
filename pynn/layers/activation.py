"""Activations with parameters, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn import activations, constraints, initializers, ops, regularizers
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import Shape, axis_argument
from pynn.utils.checks import is_integer, number


class ParametricActivation(Layer):
    """An activation of the table with its parameters fixed.

    Such a layer can be another layer's ``activation``, too.
    """

    _one_input = True
    supports_masking = True
    row = ""

    def fields(self) -> dict[str, float | None]:
        return {}

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        name, params = activations.spec(self.row, **self.fields())
        return graph.add("activation", [x], x.sample, name=name, params=list(params))


class ReLU(ParametricActivation):
    r"""Rectified linear unit.

    Formula: ``max_value`` for x >= ``max_value``; x for ``threshold`` <= x < ``max_value``;
    ``negative_slope * (x - threshold)`` below.

    Args:
        max_value: upper bound, not negative; None for none.
        negative_slope: slope below the threshold, not negative.
        threshold: where the unit becomes active, not negative.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: a negative argument.

    Example:
        >>> ReLU(max_value=1.5)([[-1.0, 1.0, 2.0]]).tolist()
        [[0.0, 1.0, 1.5]]
    """

    row = "relu"

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if max_value is not None:
            max_value = number("ReLU", "max_value", max_value, low=0)
        self.max_value = max_value
        self.negative_slope = number("ReLU", "negative_slope", negative_slope, low=0)
        self.threshold = number("ReLU", "threshold", threshold, low=0)
        super().__init__(**kwargs)

    def fields(self) -> dict[str, float | None]:
        return {
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(ParametricActivation):
    """Rectifier that lets a little through below zero.

    Formula: x for x >= 0, ``negative_slope * x`` below.

    Args:
        negative_slope: slope below zero, not negative; ``alpha`` is its older name.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: a negative slope.

    Example:
        >>> LeakyReLU(negative_slope=0.5)([[-1.0, 2.0]]).tolist()
        [[-0.5, 2.0]]

    References:
        Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
    """

    row = "leaky_relu"

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        self.negative_slope = number("LeakyReLU", "negative_slope", negative_slope, low=0)
        super().__init__(**kwargs)

    def fields(self) -> dict[str, float | None]:
        return {"negative_slope": self.negative_slope}


class ELU(ParametricActivation):
    """Exponential linear unit.

    Formula: x for x > 0, ``alpha * (exp(x) - 1)`` below.

    Args:
        alpha: the value approached for very negative x is ``-alpha``.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    References:
        Clevert, Unterthiner, Hochreiter 2016, https://arxiv.org/abs/1511.07289
    """

    row = "elu"

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        self.alpha = number("ELU", "alpha", alpha)
        super().__init__(**kwargs)

    def fields(self) -> dict[str, float | None]:
        return {"alpha": self.alpha}


class Softmax(ParametricActivation):
    """Turns scores into probabilities.

    Formula: ``exp(x_i) / sum_j exp(x_j)`` along ``axis``.

    Args:
        axis: the axis the sum runs along, or several; not that of the samples (0).
        kwargs: ``name``, ``dtype``, ``input_shape``.

    A call takes a ``mask`` of the inputs' shape, too: where it is 0, the result is 0.

    Raises:
        ValueError: there is no such axis.

    Example:
        >>> Softmax()([[0.0, 0.0]]).tolist()
        [[0.5, 0.5]]
    """

    row = "softmax"

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        self.axis = axis_argument("Softmax", axis)
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor, mask: Any = None) -> Tensor:
        if mask is not None:
            x = ops.where(mask, x, -1e30)
        y: Tensor = ops.softmax(x, self.axis)
        return y


class PReLU(Layer):
    """Rectifier whose slope below zero is learned, one for each element of a sample.

    Formula: x for x >= 0, ``alpha * x`` below; ``alpha`` has the shape of one sample.

    Args:
        alpha_initializer: initial slopes.
        alpha_regularizer: penalty of the slopes in the loss.
        alpha_constraint: applied to the slopes after each update.
        shared_axes: axes of the input, counted from 1, along which the slope is the same.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: axes that are not counted from 1.

    References:
        He et al. 2015, "Delving deep into rectifiers", https://arxiv.org/abs/1502.01852
    """

    _one_input = True
    supports_masking = True

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        several = isinstance(shared_axes, (list, tuple)) or shared_axes is None
        self.shared_axes = shared_axes if several else [shared_axes]
        if not all(is_integer(axis) and axis > 0 for axis in self.shared_axes or ()):
            raise ValueError(
                "PReLU: `shared_axes` must be axes of a sample, counted from 1. "
                f"Received: shared_axes={shared_axes!r}"
            )
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        shared = [a - 1 for a in self.shared_axes or ()]
        return tuple(1 if i in shared else n for i, n in enumerate(shape))

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.alpha = self.add_weight(
            self.fixed_part(tuple(int(n or 0) for n in input_shape[1:])),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        if self.alpha.shape == x.sample:
            return graph.add("prelu", [x], x.sample, [self.alpha])
        y: Tensor = ops.maximum(x, 0.0) + self.alpha * ops.minimum(x, 0.0)
        return y


class RReLU(Layer):
    """Rectifier whose slope below zero is drawn anew for every element in training.

    Formula: x for x >= 0, ``a * x`` below, with a uniform in [lower, upper) in training and
    ``(lower + upper) / 2`` otherwise.

    Args:
        lower: smallest slope.
        upper: largest slope.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: not 0 <= lower <= upper.

    References:
        Xu et al. 2015, "Empirical evaluation of rectified activations",
        https://arxiv.org/abs/1505.00853
    """

    _one_input = True
    supports_masking = True

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3, **kwargs: Any) -> None:
        self.lower, self.upper = number("RReLU", "lower", lower), number("RReLU", "upper", upper)
        if not 0 <= self.lower <= self.upper:
            raise ValueError(
                f"RReLU: expected 0 <= lower <= upper. Received: lower={lower}, upper={upper}"
            )
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        if not graph.training:
            slope = (self.lower + self.upper) / 2
            return graph.add("activation", [x], x.sample, name="leaky_relu", params=[slope])
        bounds: dict[str, Any] = {"lower": self.lower, "upper": self.upper}
        return graph.add("rrelu", [x], x.sample, random=True, **bounds)
