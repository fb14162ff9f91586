"""Layers whose passes are written with NumPy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn._graph.graph import Graph
from pynn._graph.structure import flatten, map_structure, pack
from pynn._graph.tensor import Shape, Tensor

if TYPE_CHECKING:
    from pynn.layers._base import Layer


def emit_numpy_layer(graph: Graph, layer: Layer, inputs: Any) -> Tensor:
    """Adds the node of a layer that defines ``forward`` and ``backward``.

    The engine asks for both with the values of a batch; the layer reads its weights itself.
    """
    tensors = flatten(inputs)
    training = graph.training
    trained = [v for v in layer.own_variables if v.trainable]

    def forward(arrays: list[Any], _: bool) -> tuple[Any, Any]:
        x = pack(inputs, arrays[: len(tensors)])
        return _run_forward(layer, x, training)

    def backward(saved: Any, dy: Any, arrays: list[Any]) -> list[Any]:
        result = layer.backward(saved, dy)  # type: ignore[attr-defined]
        dx, dw = result if isinstance(result, tuple) else (result, [])
        if len(dw) != len(trained):
            raise ValueError(
                f"{layer.name}: backward must return (dx, gradients) with a gradient for each of "
                f"the {len(trained)} trainable weights. Received: {len(dw)} gradients"
            )
        gradients = {id(v): g for v, g in zip(trained, dw, strict=True)}
        return [*flatten(dx), *(gradients.get(id(v)) for v in variables)]

    variables = layer.own_variables
    return graph.external(
        forward, backward, tensors, _output_sample(graph, layer, inputs), variables
    )


def _run_forward(layer: Layer, x: Any, training: bool) -> tuple[Any, Any]:
    result = layer.forward(x, training)  # type: ignore[attr-defined]
    if not (isinstance(result, tuple) and len(result) == 2):
        raise TypeError(
            f"{layer.name}: forward must return (y, saved). Received: {type(result).__name__}"
        )
    return result


def _output_sample(graph: Graph, layer: Layer, inputs: Any) -> Shape:
    """The shape of one sample of the result, found by a run on ones."""
    rows = 2
    ones = map_structure(lambda t: np.ones((rows, *t.sample), graph.dtype), inputs)
    y, _ = _run_forward(layer, ones, False)
    shape = np.shape(y)
    if not shape or shape[0] != rows or not math.prod(shape):
        raise ValueError(
            f"{layer.name}: forward must return an array with a row for each sample. "
            f"Received: y.shape={shape} for {rows} samples"
        )
    return tuple(shape[1:])
