"""Layers into networks of the engine, and networks on data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import _core, config
from pynn.layers._graph import Graph, Tensor
from pynn.utils.random import draw_seed

if TYPE_CHECKING:
    from pynn.layers._base import Layer

Array = npt.NDArray[Any]
_CHUNK_WORK = 2.5e9  # multiplications in one call of predict or evaluate


class Program:
    """A stack of layers as the engine runs it.

    Args:
        layers: in order of execution; they are built where that has not been done.
        sample_shape: the shape of one sample of the input.

    Raises:
        ValueError: the layers do not fit each other, or their float types differ.
    """

    def __init__(self, layers: Sequence[Layer], sample_shape: tuple[int, ...]) -> None:
        types = sorted({layer.dtype for layer in _leaves(layers)})
        if len(types) > 1:
            raise ValueError(
                "All layers of a model must have the same float type. Received: "
                + ", ".join(f"{layer.name} ({layer.dtype})" for layer in _leaves(layers))
            )
        self.dtype = types[0] if types else config.floatx()
        self.graph = Graph(self.dtype, [sample_shape])
        tensor = self.graph.input()
        for layer in layers:
            tensor = self.graph.call(layer, tensor)
        self.output: Tensor = tensor
        self.sample_shape = sample_shape
        self._trainable = [(layer, layer.trainable) for layer in _leaves(layers)]
        self.network = _core.Network(self.dtype, [sample_shape], self.graph.nodes, [tensor.index])

    def is_current(self) -> bool:
        """Whether the layers that are trained are still those of when this was made."""
        return all(layer.trainable == trainable for layer, trainable in self._trainable)

    @property
    def penalties(self) -> list[tuple[int, float, float]]:
        """Number, L1 and L2 factor of every variable that has a penalty and is trained."""
        return [
            (i, v.regularizer.l1, v.regularizer.l2)
            for i, v in enumerate(self.graph.variables)
            if v.regularizer is not None and id(v) in self.graph.trained
        ]

    @property
    def chunk_rows(self) -> int:
        """Rows of one call, about a tenth of a second's; by the network alone, as are the sums."""
        weights = sum(math.prod(v.shape) for v in self.graph.variables)
        return max(4096, int(_CHUNK_WORK / max(1, weights)) // 256 * 256)

    def predict(self, x: Array) -> Array:
        """Runs the network in inference mode."""
        return np.asarray(self.network.predict([x], config.n_threads())[0])

    def forward(self, x: Array) -> Array:
        """Runs the network in training mode: dropout active, statistics of the batch."""
        return np.asarray(self.network.forward([x], draw_seed(), 0, config.n_threads())[0])


def _leaves(layers: Sequence[Layer]) -> list[Layer]:
    """The layers, those inside models in place of the models."""
    found: list[Layer] = []
    for layer in layers:
        inner = getattr(layer, "layers", None)
        found += [layer] if inner is None else _leaves(inner)
    return found


def run_layer(layer: Layer, x: Array, training: bool) -> Array:
    """Runs a single layer on an array of samples."""
    if x.ndim == 0:
        raise ValueError(f"{layer.name}: expected an array of samples. Received: a single number")
    program = Program([layer], x.shape[1:])
    return program.forward(x) if training else program.predict(x)
