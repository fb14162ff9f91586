"""Functions the engine does not have: a node of the graph that NumPy computes.

A row says the NumPy function and, where it has one, its derivative; a function whose values are
integers or truth values has the derivative 0. Other functions can stand in a model that predicts,
but a gradient cannot pass them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.ops._dispatch import Array, compute, graph_of, to_tensor

# vjp(dy, y, *operands, **options): the gradient of each operand, None for 0.
Vjp = Callable[..., Sequence[Any]]


def external(
    function: Callable[..., Any], operands: Sequence[Any], vjp: Vjp | None = None, **options: Any
) -> Any:
    """Calls a NumPy function, now for arrays, as a node of the graph for tensors.

    A function of several results returns a tuple; each of them becomes a node.
    """
    graph = graph_of(operands)
    if graph is None:
        return compute(function, *operands, **options)
    tensors = [to_tensor(graph, value) for value in operands]
    results = _probe(function, tensors, options)
    if isinstance(results, tuple):
        parts = [
            _node(graph, _part(function, i), tensors, _of_part(vjp, i), options, result)
            for i, result in enumerate(results)
        ]
        return tuple(parts)
    return _node(graph, function, tensors, vjp, options, results)


def _part(function: Callable[..., Any], i: int) -> Callable[..., Any]:
    def one(*operands: Any, **options: Any) -> Any:
        return function(*operands, **options)[i]

    one.__name__ = function.__name__
    return one


def _of_part(vjp: Vjp | None, i: int) -> Vjp | None:
    if vjp is None:
        return None
    return lambda dy, y, *operands, **options: vjp(dy, y, *operands, part=i, **options)


class _Result:
    """What a function makes of samples: a sample's shape, whether there are samples, the type."""

    def __init__(self, small: Array, large: Array, batches: tuple[int, int], batched: bool) -> None:
        self.is_float = small.dtype.kind in "fc"
        self.batched = batched and small.shape != large.shape
        self.sample = small.shape[1:] if self.batched else small.shape
        if self.batched and (small.shape[0], *self.sample) != (batches[0], *large.shape[1:]):
            raise ValueError(
                "The function must keep the axis of the samples first. Received: results of shapes "
                f"{small.shape} and {large.shape} for {batches[0]} and {batches[1]} samples"
            )


def _probe(function: Callable[..., Any], tensors: Sequence[Tensor], options: Any) -> Any:
    """The shapes of the results, from calls with few samples."""
    batches = (4, 7)
    try:
        small, large = (function(*(_example(t, n) for t in tensors), **options) for n in batches)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(str(t.shape) for t in tensors)
        raise ValueError(
            f"{function.__name__}: the function does not accept these shapes ({error}). "
            f"Received: shapes {shapes}"
        ) from error
    batched = any(t.batched for t in tensors)
    if isinstance(small, tuple):
        pairs = zip(small, large, strict=True)
        return tuple(_Result(np.asarray(a), np.asarray(b), batches, batched) for a, b in pairs)
    return _Result(np.asarray(small), np.asarray(large), batches, batched)


def _example(t: Tensor, samples: int) -> Array:
    """Numbers that every function accepts: near the unit matrix where the shape is a matrix's."""
    shape = (samples, *t.sample) if t.batched else t.sample
    values = np.full(shape, 0.1, t.dtype)
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        values += np.eye(shape[-1], dtype=t.dtype)
    return values


def _node(
    graph: Graph,
    function: Callable[..., Any],
    tensors: Sequence[Tensor],
    vjp: Vjp | None,
    options: dict[str, Any],
    result: _Result,
) -> Tensor:
    def forward(arrays: Sequence[Array], training: bool) -> tuple[Array, Any]:
        y = np.asarray(function(*arrays, **options)).astype(graph.dtype, copy=False)
        return y, y

    def backward(saved: Any, dy: Array, arrays: Sequence[Array]) -> list[Any]:
        if not result.is_float:
            return [None] * len(arrays)
        if vjp is None:
            raise NotImplementedError(
                f"ops.{function.__name__} has no gradient: use ops.stop_gradient around it, or "
                "pynn.ops.with_gradient for a function of your own."
            )
        return list(vjp(dy, saved, *arrays, **options))

    return graph.external(forward, backward, tensors, result.sample, batched=result.batched)
