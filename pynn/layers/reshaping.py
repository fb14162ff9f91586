"""Layers that change the shape of samples, or their scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer


class Flatten(Layer):
    """Lays all elements of a sample in one row.

    Args:
        data_format: accepted and without effect: samples are taken as they lie in memory.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ...)``

    Output shape:
        ``(batch, number of elements)``

    Example:
        >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        self.data_format = data_format
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (input_shape[0], math.prod(int(n or 0) for n in input_shape[1:]))

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return emit_reshape(graph, x, (math.prod(x.sample),))


class Reshape(Layer):
    """Gives samples another shape with the same number of elements.

    Args:
        target_shape: shape of one sample; one size may be -1 and follows from the others.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: the numbers of elements differ, or more than one size is -1.

    Example:
        >>> Reshape((2, -1))([[1.0, 2.0, 3.0, 4.0]]).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        sizes = tuple(target_shape)
        valid = all(isinstance(n, (int, np.integer)) and (n > 0 or n == -1) for n in sizes)
        if not valid or sizes.count(-1) > 1:
            raise ValueError(
                "Reshape: `target_shape` must consist of positive integers; one may be -1. "
                f"Received: target_shape={target_shape!r}"
            )
        self.target_shape = tuple(int(n) for n in sizes)
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        count = math.prod(int(n or 0) for n in input_shape[1:])
        rest = math.prod(n for n in self.target_shape if n != -1)
        shape = tuple(count // rest if n == -1 else n for n in self.target_shape)
        if math.prod(shape) != count:
            raise ValueError(
                f"{self.name}: the number of elements must stay the same. "
                f"Received: samples of shape {tuple(input_shape[1:])}, "
                f"target_shape={self.target_shape}"
            )
        return (input_shape[0], *shape)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        shape = self.compute_output_shape((None, *x.sample))[1:]
        return emit_reshape(graph, x, tuple(int(n or 0) for n in shape))


class Rescaling(Layer):
    """Multiplies by a number and adds another, e.g. ``Rescaling(1 / 255)`` for images in bytes.

    Formula: ``scale * x + offset``.

    Args:
        scale: the factor.
        offset: the summand.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``scale`` or ``offset`` is not a finite number.

    Example:
        >>> Rescaling(2.0, offset=1.0)([[1.0, 2.0]]).tolist()
        [[3.0, 5.0]]
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        for name, value in (("scale", scale), ("offset", offset)):
            if not (np.ndim(value) == 0 and math.isfinite(value)):
                raise ValueError(
                    f"Rescaling: `{name}` must be a finite number. Received: {name}={value!r}"
                )
        self.scale, self.offset = float(scale), float(offset)
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return graph.add("rescale", [x], x.sample, scale=self.scale, offset=self.offset)


def emit_reshape(graph: Graph, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Adds the node that gives samples another shape; none where it is the same."""
    return x if shape == x.sample else graph.add("reshape", [x], shape, shape=list(shape))


class Identity(Layer):
    """Passes its input on unchanged."""

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return x
