"""The list of nodes that describes a network to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pynn.layers._variable import Variable

if TYPE_CHECKING:
    from pynn.layers._base import Layer


@dataclass(frozen=True)
class Tensor:
    """The value at one place of a graph: its number and the shape of one sample."""

    index: int
    shape: tuple[int, ...]


@dataclass
class Graph:
    """Nodes in order of execution; every node reads tensors that stand before it.

    Tensors are numbered: first the inputs, then one per node.

    Args:
        dtype: what the engine computes in, ``"float32"`` or ``"float64"``.
        inputs: the shape of one sample of each input.
    """

    dtype: str
    inputs: list[tuple[int, ...]]
    nodes: list[dict[str, Any]] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)  # in order of first use
    trained: set[int] = field(default_factory=set)  # id() of those that gradients change

    def input(self, index: int = 0) -> Tensor:
        """Returns an input's tensor."""
        return Tensor(index, self.inputs[index])

    def call(self, layer: Layer, x: Tensor) -> Tensor:
        """Adds what ``layer`` computes from ``x`` (building it if that was not done before)."""
        layer.build_for(x.shape)
        y = layer.emit(self, x)
        penalty = layer.activity_regularizer
        if penalty is not None and (penalty.l1 or penalty.l2):
            y = self.add(layer, "activity_penalty", y, y.shape, l1=penalty.l1, l2=penalty.l2)
        return y

    def add(
        self,
        layer: Layer,
        op: str,
        x: Tensor,
        shape: tuple[int, ...],
        variables: tuple[Variable, ...] = (),
        /,
        **spec: Any,
    ) -> Tensor:
        """Adds one node: operation ``op`` with its parameters; ``shape`` is that of its result."""
        self.variables += [v for v in variables if not any(v is known for known in self.variables)]
        self.trained |= {id(v) for v in variables if v.trainable and layer.trainable}
        self.nodes.append(
            {
                "op": op,
                "layer": layer.name,
                "inputs": [x.index],
                "variables": [v.core for v in variables],
                "trainable": [v.trainable and layer.trainable for v in variables],
                **spec,
            }
        )
        return Tensor(len(self.inputs) + len(self.nodes) - 1, shape)
