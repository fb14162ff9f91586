"""The order in which the calls of a functional model are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynn._graph.symbol import KerasTensor, Node


class Topology:
    """The nodes between input symbols and output symbols.

    Args:
        inputs: where the model begins.
        outputs: where it ends.

    Attributes:
        nodes: the calls to make, in an order in which each finds its inputs computed.
        operations: layers and functions in the order in which Keras lists them: by their largest
            distance from the outputs, then by first use. Files keep weights in this order.

    Raises:
        ValueError: an output that depends on a symbol no input leads to.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> None:
        self._given = {id(symbol) for symbol in inputs}
        self._first_use: dict[int, Any] = {}  # operations by id, in order
        self._reached: dict[int, Node] = {}
        self.nodes: list[Node] = []
        for symbol in outputs:
            self._visit(symbol)
        for symbol in inputs:
            assert symbol.history is not None
            operation = symbol.history.operation
            if id(operation) not in self._first_use and _is_input(_node_of(symbol)):
                self._first_use[id(operation)] = operation
        self.operations = self._by_depth()

    def _visit(self, last: KerasTensor) -> None:
        """Walks from an output to the inputs; a list takes the place of recursion."""
        stack: list[tuple[KerasTensor, bool]] = [(last, False)]
        while stack:
            symbol, inputs_done = stack.pop()
            node = _node_of(symbol)
            if inputs_done:
                if id(node) not in self._reached:
                    self._reached[id(node)] = node
                    if id(symbol) not in self._given:
                        self.nodes.append(node)
                continue
            if id(node) in self._reached:
                continue
            if id(symbol) in self._given:
                if _is_input(node):
                    self._first_use.setdefault(id(node.operation), node.operation)
                continue
            if _is_input(node):
                raise ValueError(
                    "Every output must be computed from the model's inputs. "
                    f"Received: an output that depends on the Input {symbol.name!r}, which is not "
                    "among `inputs`"
                )
            self._first_use.setdefault(id(node.operation), node.operation)
            stack.append((symbol, True))
            stack.extend((source, False) for source in reversed(node.inputs))

    def _by_depth(self) -> list[Any]:
        depth_of_node: dict[int, int] = {}
        depth: dict[int, int] = dict.fromkeys(self._first_use, 0)
        for node in reversed(self.nodes):
            own = max(depth_of_node.get(id(node), 0), depth[id(node.operation)])
            depth[id(node.operation)] = own
            for symbol in node.inputs:
                source = _node_of(symbol)
                deeper = max(own + 1, depth_of_node.get(id(source), 0))
                depth_of_node[id(source)] = deeper
                if id(source.operation) in depth and _is_input(source):
                    depth[id(source.operation)] = max(depth[id(source.operation)], deeper)
        operations = list(self._first_use.values())  # sorted() keeps the order of first use
        return sorted(operations, key=lambda operation: -depth[id(operation)])


def _node_of(symbol: KerasTensor) -> Node:
    if symbol.history is None:
        raise ValueError(
            "A model is made of symbols: those that Input returns, and what layers make of them. "
            f"Received: {symbol!r}, which no layer returned"
        )
    return symbol.history.node


def _is_input(node: Node) -> bool:
    return not node.inputs
