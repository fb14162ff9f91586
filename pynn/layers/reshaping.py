"""Layers that change the shape of samples, or their scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import order_of_axes
from pynn.utils.checks import is_integer


class Flatten(Layer):
    """Lays all elements of a sample in one row.

    Args:
        data_format: ``"channels_first"`` moves the first axis of a sample behind the others before;
            None and ``"channels_last"`` take samples as they are.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, ...)``

    Output shape:
        ``(batch, number of elements)``

    Raises:
        ValueError: another ``data_format``.

    Example:
        >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[1.0, 2.0, 3.0, 4.0]]
    """

    _one_input = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        self.data_format = order_of_axes("Flatten", data_format)
        super().__init__(**kwargs)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (input_shape[0], math.prod(int(n or 0) for n in input_shape[1:]))

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        if self.data_format == "channels_first" and len(x.sample) > 1:
            x = ops.moveaxis(x, 1, -1)
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

    _one_input = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        sizes = tuple(target_shape) if isinstance(target_shape, (list, tuple)) else (0,)
        valid = all(is_integer(n) and (n > 0 or n == -1) for n in sizes)
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


class Permute(Layer):
    """Puts the axes of samples in another order.

    Args:
        dims: the order, by the axes' numbers counted from 1: ``(2, 1)`` transposes matrices.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``dims`` does not consist of 1, 2, ..., or samples have another number of axes.

    Example:
        >>> Permute((2, 1))([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[[1.0, 3.0], [2.0, 4.0]]]
    """

    _one_input = True

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        self.dims = tuple(dims) if isinstance(dims, (list, tuple)) else ()
        if not self.dims or {*self.dims} != {*range(1, len(self.dims) + 1)}:
            raise ValueError(
                "Permute: `dims` must hold the numbers of a sample's axes, from 1. "
                f"Received: dims={dims!r}"
            )
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) != len(self.dims) + 1:
            raise ValueError(
                f"{self.name}: expected samples with {len(self.dims)} axes. "
                f"Received: x.shape={inputs.shape}"
            )
        return ops.transpose(inputs, (0, *self.dims))


class Rescaling(Layer):
    """Multiplies by a number and adds another, e.g. ``Rescaling(1 / 255)`` for images in bytes.

    Formula: ``scale * x + offset``.

    Args:
        scale: the factor; an array gives one for each feature.
        offset: the summand, likewise.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``scale`` or ``offset`` is not finite.

    Example:
        >>> Rescaling(2.0, offset=1.0)([[1.0, 2.0]]).tolist()
        [[3.0, 5.0]]
    """

    _one_input = True
    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        self.scale, self.offset = _finite("scale", scale), _finite("offset", offset)
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        if np.ndim(self.scale) or np.ndim(self.offset):
            y: Tensor = x * np.asarray(self.scale) + np.asarray(self.offset)
            return y
        return graph.add("rescale", [x], x.sample, scale=self.scale, offset=self.offset)


def _finite(name: str, value: Any) -> Any:
    """A number, or numbers in lists, that are all finite."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
        raise ValueError(f"Rescaling: `{name}` must be finite. Received: {name}={value!r}")
    return array.astype(float).tolist()


def emit_reshape(graph: Graph, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Adds the node that gives samples another shape; none where it is the same."""
    return x if shape == x.sample else graph.add("reshape", [x], shape, shape=list(shape))


class Identity(Layer):
    """Passes its input on unchanged."""

    supports_masking = True

    def emit(self, graph: Graph, x: Any) -> Any:
        return x
