"""The symbols of the functional API and the nodes that connect them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pynn import config
from pynn._graph.graph import Graph
from pynn._graph.structure import flatten, map_structure
from pynn._graph.tensor import Symbol, Tensor
from pynn.utils.naming import to_snake_case, unique_name


class History(NamedTuple):
    """Where a symbol comes from: which call of which operation, and which of its results."""

    operation: Any
    node_index: int
    tensor_index: int

    @property
    def node(self) -> Node:
        """The call."""
        node: Node = self.operation.nodes[self.node_index]
        return node


class KerasTensor(Symbol):
    """A value between two layers of a functional model: a shape, a type and where it comes from.

    Args:
        shape: with ``None`` for the number of samples, ``(None, 784)``; without it for a value that
            belongs to no sample.
        dtype: name of the element type.
        name: by default ``keras_tensor``, numbered.
        history: set by the layer that makes it.
        sparse: whether it is an input whose samples come as the rows of sparse matrices.
    """

    def __init__(
        self,
        shape: Sequence[int | None],
        dtype: str = "float32",
        name: str | None = None,
        history: History | None = None,
        sparse: bool = False,
    ) -> None:
        self.shape = tuple(shape)
        self.dtype = str(dtype)
        self.name = name or unique_name("keras_tensor")
        self.history = history
        self.sparse = bool(sparse)
        self.mask_sample: tuple[int, ...] | None = None  # of one sample's mask, if it has one

    @property
    def batched(self) -> bool:
        """Whether there is one value for each sample."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of one sample, or the whole shape where there are no samples.

        Raises:
            ValueError: a size other than that of the batch is open.
        """
        sizes = self.shape[1:] if self.batched else self.shape
        if None in sizes:
            raise ValueError(
                "All sizes of a sample must be known; only the number of samples may be open. "
                f"Received: shape={self.shape}"
            )
        return tuple(int(n) for n in sizes if n is not None)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Node:
    """One call of an operation on symbols.

    Attributes:
        operation: a layer or a ``FunctionCall``.
        args, kwargs: what it was called with; symbols stand for the inputs.
        inputs: those symbols, in order.
        outputs: the structure of symbols it returned.
    """

    def __init__(
        self, operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any], outputs: Any
    ) -> None:
        self.operation = operation
        self.args, self.kwargs, self.outputs = tuple(args), dict(kwargs), outputs
        self.inputs = symbols_in((self.args, self.kwargs))
        index = len(operation.nodes)
        for i, symbol in enumerate(flatten(outputs)):
            symbol.history = History(operation, index, i)
        operation.nodes.append(self)


class FunctionCall:
    """A function of ``pynn.ops`` as a node of a functional model.

    Args:
        function: takes tensors and returns tensors.
        name: by default the function's name, numbered.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or unique_name(to_snake_case(function.__name__))
        self.nodes: list[Node] = []

    def trace(self, graph: Graph, *args: Any, **kwargs: Any) -> Any:
        """Records what the function computes."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<FunctionCall {self.function.__name__} name={self.name}>"


def symbols_in(structure: Any) -> list[KerasTensor]:
    """The symbols in a structure, in order."""
    return [leaf for leaf in flatten(structure) if isinstance(leaf, KerasTensor)]


def record(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Records the call of a function of ``pynn.ops`` on symbols; returns its result's symbols."""
    return record_call(FunctionCall(function), args, kwargs)


def record_call(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Records the call of a layer on symbols; returns the symbols of its result."""
    outputs = infer(operation, args, kwargs)
    Node(operation, args, kwargs, outputs)
    return outputs


def infer(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Returns symbols of the shapes that an operation makes of others, building it if needed."""
    dtype = getattr(operation, "dtype", None) or symbols_in((args, kwargs))[0].dtype
    graph = Graph(dtype if dtype in ("float32", "float64") else config.floatx())
    tensors = Placeholders(graph)
    y = graph.call(
        operation,
        *tensors.replace(tuple(args)),
        **{key: tensors.replace(value) for key, value in kwargs.items()},
    )
    return map_structure(_symbol_of, y)


def _symbol_of(tensor: Tensor) -> KerasTensor:
    symbol = KerasTensor(tensor.shape, tensor.dtype)
    symbol.mask_sample = None if tensor.mask is None else tensor.mask.sample
    return symbol


class Placeholders:
    """The inputs of a graph that stand for symbols."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, Tensor] = {}

    def set(self, symbol: KerasTensor, tensor: Tensor) -> None:
        """Says which tensor stands for a symbol."""
        self._known[id(symbol)] = tensor

    def replace(self, structure: Any) -> Any:
        """Returns the structure with tensors in place of the symbols."""
        return map_structure(self._tensor, structure)

    def _tensor(self, leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        if id(leaf) not in self._known:
            if leaf.batched:
                tensor = self._graph.input(leaf.sample)
            else:  # only its shape matters
                tensor = self._graph.constant(np.zeros(leaf.sample))
            if leaf.mask_sample is not None:
                tensor.mask = self._graph.input(leaf.mask_sample)
            self._known[id(leaf)] = tensor
        return self._known[id(leaf)]
