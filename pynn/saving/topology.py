"""The graph of a functional model as plain data, in the form of Keras 3.

Every operation (layer or function) is listed with its calls; a call names its inputs as
``[operation, number of the call, number of the output]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from pynn._graph.structure import flatten, map_structure
from pynn._graph.symbol import KerasTensor, Node
from pynn.layers import InputLayer, Layer
from pynn.layers.regularization import Noise
from pynn.models.functional import Functional
from pynn.saving.operations import describe_call, is_operation, revive_call
from pynn.saving.serialization import revive, serialize_keras_object
from pynn.utils.configurable import serialize


def describe(model: Any) -> dict[str, Any]:
    """Returns ``layers``, ``input_layers`` and ``output_layers`` of a functional model."""
    used = {id(node) for node in model._topology.nodes}
    calls = {
        id(operation): [n for n in operation.nodes if id(n) in used or not n.inputs]
        for operation in model.operations
    }
    # Inputs that are no Input but symbols in the middle of another graph become one.
    inner = {id(s): s for s in model.inputs if _node_of(s).inputs}

    def place(symbol: KerasTensor) -> list[Any]:
        if id(symbol) in inner:
            return [symbol.name, 0, 0]
        assert symbol.history is not None
        operation, _, output = symbol.history
        number = next(i for i, n in enumerate(calls[id(operation)]) if n is _node_of(symbol))
        return [operation.name, number, output]

    def argument(value: Any) -> Any:
        if not isinstance(value, KerasTensor):
            return serialize(value)
        config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": place(value)}
        return {"class_name": "__keras_tensor__", "config": config}

    def end(symbol: KerasTensor) -> list[Any]:
        name, number, output = place(symbol)
        assert symbol.history is not None
        # Keras counts a model's own graph first.
        own_node = isinstance(symbol.history.operation, Functional)
        return [name, number + own_node, output]

    entries = []
    for symbol in inner.values():
        layer = InputLayer.like(symbol)
        entries.append({**serialize(layer), "name": symbol.name, "inbound_nodes": []})
    for operation in model.operations:
        nodes = [node for node in calls[id(operation)] if node.inputs]
        if isinstance(operation, Layer):
            entry = serialize_keras_object(operation)
            given: list[tuple[Any, Any]] = [(node.args, node.kwargs) for node in nodes]
        else:
            entry, args = describe_call(operation)
            given = [(args, {})]
        described = [
            {"args": [_map(argument, a) for a in args], "kwargs": _map(argument, kwargs)}
            for args, kwargs in given
        ]
        entries.append({**entry, "name": operation.name, "inbound_nodes": described})
    return {
        "layers": entries,
        "input_layers": map_structure(end, model.symbols),
        "output_layers": map_structure(end, model.output),
    }


def _node_of(symbol: KerasTensor) -> Node:
    assert symbol.history is not None
    return symbol.history.node


def _map(function: Callable[[Any], Any], structure: Any) -> Any:
    """``map_structure`` that keeps the order of a dictionary and makes tuples lists."""
    if isinstance(structure, Mapping):
        return {key: _map(function, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_map(function, item) for item in structure]
    return function(structure)


# ---- reading ---------------------------------------------------------------------------------


def revive_graph(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Makes the layers of a functional model and connects them.

    Args:
        config: has ``layers``, ``input_layers`` and ``output_layers``.

    Returns:
        The symbols of the inputs and of the outputs, in their structure.

    Raises:
        ValueError: a call of something that is not there, or calls in a circle.
    """
    graph = _Graph(config["layers"])
    graph.connect()
    return graph.ends(config["input_layers"]), graph.ends(config["output_layers"])


class _Missing(Exception):
    """A call needs the result of one that has not been made yet."""


class _Graph:
    """Operations by name, the calls made so far, and those still to make."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._make: dict[str, Callable[..., Any]] = {}
        self._results: dict[str, list[list[Any]]] = {}  # of each call, the output symbols
        self._functional: set[str] = set()
        self._waiting: list[tuple[str, list[Mapping[str, Any]]]] = []
        for entry in entries:
            config = entry.get("config")
            name = str(entry.get("name") or (config or {}).get("name"))
            self._results[name] = []
            nodes = list(entry.get("inbound_nodes") or ())
            if is_operation(entry):
                self._make[name] = revive_call(entry)
            else:
                layer = revive(entry, "layers")
                if not isinstance(layer, Layer):
                    raise ValueError(f"{name}: expected a layer. Received: {layer!r}")
                self._make[name] = _caller(layer)
                if isinstance(layer, Functional):
                    self._functional.add(name)
                if isinstance(layer, InputLayer):
                    self._results[name].append(flatten(layer.output))
                    continue
            self._waiting.append((name, nodes))
        self._first = {name: self._first_number(name, entries) for name in self._functional}

    def _first_number(self, name: str, entries: Sequence[Mapping[str, Any]]) -> int:
        """0, or 1 in files in which the graph of an inner model itself is number 0."""
        made = next(len(nodes) for waiting, nodes in self._waiting if waiting == name)
        places = [place for entry in entries for place in _places(entry.get("inbound_nodes"))]
        return int(any(place[0] == name and place[1] >= made for place in places))

    def connect(self) -> None:
        """Makes all calls, each as soon as its inputs are there."""
        while self._waiting:
            before = sum(len(nodes) for _, nodes in self._waiting)
            for name, nodes in self._waiting:
                while nodes and self._call(name, nodes[0]):
                    nodes.pop(0)
            self._waiting = [(name, nodes) for name, nodes in self._waiting if nodes]
            if sum(len(nodes) for _, nodes in self._waiting) == before:
                stuck = ", ".join(name for name, _ in self._waiting)
                raise ValueError(
                    "The layers of the model are connected in a circle or to layers that are not "
                    f"there. Received: {stuck}"
                )

    def _call(self, name: str, node: Mapping[str, Any]) -> bool:
        try:
            args = [self._value(value) for value in node.get("args") or ()]
            kwargs = {k: self._value(v) for k, v in (node.get("kwargs") or {}).items()}
        except _Missing:
            return False
        given = {key: value for key, value in kwargs.items() if value is not None}
        self._results[name].append(flatten(self._make[name](args, given)))
        return True

    def _value(self, value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
            return self._symbol(value["config"]["keras_history"])
        if isinstance(value, Mapping) and "class_name" not in value:
            return {key: self._value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(item) for item in value]
        return revive(value)

    def _symbol(self, place: Sequence[Any], at_end: bool = False) -> Any:
        name, number, output = str(place[0]), int(place[1]), int(place[2])
        if name not in self._results:
            raise ValueError(f"A layer of the model is missing. Received: {name!r}")
        if name in self._functional:
            number -= 1 if at_end else self._first[name]
        calls = self._results[name]
        if not 0 <= number < len(calls):
            raise _Missing
        return calls[number][output]

    def ends(self, structure: Any) -> Any:
        """The symbols named by ``input_layers`` or ``output_layers``."""
        if isinstance(structure, Mapping):
            return {key: self.ends(item) for key, item in structure.items()}
        if not isinstance(structure, (list, tuple)) or not structure:
            raise ValueError(f"Expected inputs or outputs of a model. Received: {structure!r}")
        if not isinstance(structure[0], str):
            return [self.ends(item) for item in structure]
        try:
            return self._symbol(structure, at_end=True)
        except _Missing:
            raise ValueError(
                f"A model's input or output is missing. Received: {structure!r}"
            ) from None


def _caller(layer: Layer) -> Callable[[Sequence[Any], Mapping[str, Any]], Any]:
    """Calls a layer with the arguments in a file."""
    # Where a layer's default is training=False, Keras writes it down; its fit does not heed it.
    training = signature(layer.call).parameters.get("training")
    silent = isinstance(layer, Noise) or (training is not None and training.default is False)

    def call(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if silent and kwargs.get("training") is False:
            kwargs = {key: value for key, value in kwargs.items() if key != "training"}
        return layer(*args, **kwargs)

    return call


def _places(structure: Any) -> list[Sequence[Any]]:
    """All places named in a structure of calls."""
    if isinstance(structure, Mapping):
        if structure.get("class_name") == "__keras_tensor__":
            return [structure["config"]["keras_history"]]
        return [place for value in structure.values() for place in _places(value)]
    if isinstance(structure, (list, tuple)):
        return [place for value in structure for place in _places(value)]
    return []
