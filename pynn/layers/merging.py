"""Layers that join several inputs, and the functions that call them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn import ops
from pynn.layers._base import Layer
from pynn.utils.checks import integer_axis, is_integer


class Merge(Layer):
    """Base of the layers that are called on a list of inputs.

    Elementwise layers give ``join``, a function of two values. Inputs with fewer axes get axes of
    length 1 after that of the samples; then shapes broadcast.
    """

    supports_masking = True
    join: Callable[[Any, Any], Any]  # the result so far and the next input
    count: int | None = None  # of the inputs, where only one number is possible

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Joins a list of arrays or symbols; nested lists in it are arrays."""
        if args and isinstance(args[0], (list, tuple)):
            parts = [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in args[0]]
            args = (parts, *args[1:])
        return super().__call__(*args, training=training, **kwargs)

    def call(self, inputs: Sequence[Any]) -> Any:
        return functools.reduce(self.join, self.aligned(inputs))

    def aligned(self, inputs: Any) -> list[Any]:
        """The inputs with the same number of axes.

        Raises:
            ValueError: no list, a wrong number of inputs, or shapes that do not fit.
        """
        parts = self.listed(inputs)
        rank = max(len(x.shape) for x in parts)
        same = [
            ops.reshape(x, (-1, *[1] * (rank - len(x.shape)), *x.shape[1:]))
            if len(x.shape) < rank
            else x
            for x in parts
        ]
        try:
            np.broadcast_shapes(*(x.shape[1:] for x in same))
        except ValueError:
            raise ValueError(
                f"{self.name}: the shapes must be the same up to axes of length 1. "
                f"Received: shapes {_shapes(parts)}"
            ) from None
        return same

    def listed(self, inputs: Any) -> list[Any]:
        """The inputs, if they are the list that this layer takes."""
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError(
                f"{self.name}: expected a list of inputs, e.g. {type(self).__name__}()([a, b]). "
                f"Received: inputs={inputs!r}"
            )
        if self.count not in (None, len(inputs)):
            raise ValueError(
                f"{self.name}: expected exactly {self.count} inputs. "
                f"Received: {len(inputs)} of shapes {_shapes(inputs)}"
            )
        return list(inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """A step counts where it does in any input; all do if one input has no mask."""
        masks = previous_mask or [None]
        if any(mask is None for mask in masks):
            return None
        return functools.reduce(ops.logical_or, masks)


def _shapes(inputs: Sequence[Any]) -> str:
    return " and ".join(str(x.shape) for x in inputs)


class Add(Merge):
    """Adds its inputs.

    Formula: ``x1 + x2 + ...``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Add()([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[4.0, 6.0]]
    """

    join = staticmethod(ops.add)


class Subtract(Merge):
    """Subtracts the second of two inputs from the first.

    Formula: ``x1 - x2``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of two inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Subtract()([[[1.0, 2.0]], [[3.0, 5.0]]]).tolist()
        [[-2.0, -3.0]]
    """

    join = staticmethod(ops.subtract)
    count = 2


class Multiply(Merge):
    """Multiplies its inputs, element by element.

    Formula: ``x1 * x2 * ...``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Multiply()([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[3.0, 8.0]]
    """

    join = staticmethod(ops.multiply)


class Average(Merge):
    """The mean of its inputs, element by element.

    Formula: ``(x1 + x2 + ... + xk) / k``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Average()([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[2.0, 3.0]]
    """

    join = staticmethod(ops.add)

    def call(self, inputs: Sequence[Any]) -> Any:
        return super().call(inputs) / len(inputs)


class Maximum(Merge):
    """The largest of its inputs, element by element.

    Formula: ``max(x1, x2, ...)``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Maximum()([[[1.0, 5.0]], [[3.0, 4.0]]]).tolist()
        [[3.0, 5.0]]
    """

    join = staticmethod(ops.maximum)


class Minimum(Merge):
    """The smallest of its inputs, element by element.

    Formula: ``min(x1, x2, ...)``

    Args:
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs whose shapes are the same up to axes of length 1.

    Example:
        >>> Minimum()([[[1.0, 5.0]], [[3.0, 4.0]]]).tolist()
        [[1.0, 4.0]]
    """

    join = staticmethod(ops.minimum)


class Concatenate(Merge):
    """Puts its inputs one behind the other along an axis.

    Args:
        axis: the axis along which the inputs' shapes may differ; not that of the samples (0).
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of inputs; their shapes are the same except along ``axis``.

    Raises:
        ValueError: shapes that do not fit.

    Example:
        >>> Concatenate()([[[1.0, 2.0]], [[3.0]]]).tolist()
        [[1.0, 2.0, 3.0]]
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        self.axis = integer_axis("Concatenate", axis)
        super().__init__(**kwargs)

    def call(self, inputs: Sequence[Any]) -> Any:
        parts = self.listed(inputs)
        rank = len(parts[0].shape)
        axis = self.axis % rank if -rank < self.axis < rank else 0
        rest = {(x.shape[:axis], x.shape[axis + 1 :]) for x in parts if len(x.shape) == rank}
        if not axis or len(rest) > 1 or any(len(x.shape) != rank for x in parts):
            raise ValueError(
                f"{self.name}: the shapes must be the same except along `axis`, which is not that "
                f"of the samples. Received: axis={self.axis}, shapes {_shapes(parts)}"
            )
        return ops.concatenate(parts, self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Masks are joined as the inputs are; an input without mask counts everywhere."""
        masks = previous_mask or [None]
        if all(mask is None for mask in masks):
            return None
        whole = [
            ops.ones_like(x) if mask is None else ops.broadcast_to(mask[..., None], (-1, *x.sample))
            for x, mask in zip(inputs, masks, strict=True)
        ]
        return ops.any(ops.concatenate(whole, self.axis), -1)


class Dot(Merge):
    """The sums of products of two inputs along an axis of each.

    Formula: for inputs of shape ``(batch, k)``: ``sum over k of x1[i, k] * x2[i, k]``; further axes
    of both stay, those of the first input before those of the second.

    Args:
        axes: the axis to sum along, or a pair of them, one for each input.
        normalize: whether the inputs are divided by their norms along these axes first; the result
            is then the cosine of the angle.
        kwargs: ``name``, ``dtype``.

    Input shape:
        A list of two inputs, equally long along ``axes``.

    Output shape:
        The axes that are left; ``(batch, 1)`` if there are none.

    Raises:
        TypeError: ``axes`` is neither an integer nor a list.
        ValueError: not two axes, or inputs that do not fit.

    Example:
        >>> Dot(axes=1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[11.0]]
    """

    supports_masking = False
    count = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        if not isinstance(axes, (int, np.integer, list, tuple)):
            raise TypeError(f"Dot: `axes` must be an integer or a pair. Received: axes={axes!r}")
        if isinstance(axes, (list, tuple)) and not (len(axes) == 2 and all(map(is_integer, axes))):
            raise ValueError(f"Dot: `axes` must hold two integers. Received: axes={axes!r}")
        self.axes, self.normalize = axes, bool(normalize)
        super().__init__(**kwargs)

    def call(self, inputs: Sequence[Any]) -> Any:
        x, y = self.listed(inputs)
        pair = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        known = all(-len(v.shape) < a < len(v.shape) for v, a in zip((x, y), pair, strict=True))
        axes = [a % len(v.shape) for v, a in zip((x, y), pair, strict=True)] if known else [0, 0]
        if 0 in axes or x.shape[axes[0]] != y.shape[axes[1]]:
            raise ValueError(
                f"{self.name}: both inputs must be equally long along `axes`, which are not that "
                f"of the samples. Received: axes={self.axes}, shapes {_shapes((x, y))}"
            )
        if self.normalize:
            x, y = ops.normalize(x, axes[0]), ops.normalize(y, axes[1])
        first = ["n", *(f"{chr(ord('a') + i)}" for i in range(1, len(x.shape)))]
        second = ["n", *(f"{chr(ord('A') + i)}" for i in range(1, len(y.shape)))]
        second[axes[1]] = first[axes[0]]
        left = [c for c in (*first, *second[1:]) if c != first[axes[0]]]
        terms = f"{''.join(first)},{''.join(second)}->{''.join(left)}"
        result = ops.einsum(terms, x, y)
        return result if len(left) > 1 else result[:, None]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """The result has no mask."""


def _function(cls: type[Merge], doc: str) -> Callable[..., Any]:
    def call(inputs: Sequence[Any], **kwargs: Any) -> Any:
        return cls(**kwargs)(inputs)

    name = cls.__name__.lower()
    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{doc}; the same as ``{cls.__name__}(**kwargs)(inputs)``."
    return call


add = _function(Add, "Adds a list of inputs")
subtract = _function(Subtract, "Subtracts the second of two inputs from the first")
multiply = _function(Multiply, "Multiplies a list of inputs, element by element")
average = _function(Average, "Returns the mean of a list of inputs, element by element")
maximum = _function(Maximum, "Returns the largest of a list of inputs, element by element")
minimum = _function(Minimum, "Returns the smallest of a list of inputs, element by element")


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Puts a list of inputs one behind the other; the same as ``Concatenate(axis)(inputs)``.

    Example:
        >>> concatenate([[[1.0, 2.0]], [[3.0]]]).tolist()
        [[1.0, 2.0, 3.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: Any = -1, **kwargs: Any) -> Any:
    """Sums the products of two inputs along an axis of each; as ``Dot(axes)(inputs)``.

    Example:
        >>> dot([[[1.0, 2.0]], [[3.0, 4.0]]], axes=1).tolist()
        [[11.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)
