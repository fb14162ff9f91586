"""Models made of symbols: any graph of layers between inputs and outputs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, cast

from pynn._graph.graph import Graph
from pynn._graph.structure import flatten, map_structure
from pynn._graph.symbol import KerasTensor, Placeholders
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers.core import InputLayer
from pynn.models.model import Model
from pynn.models.topology import Topology
from pynn.utils.naming import unique_name
from pynn.utils.registration import CustomObjectScope


class Functional(Model):
    """A model from input symbols to output symbols; ``Model(inputs, outputs)`` makes one.

    Args:
        inputs: a symbol of ``Input``, or any other symbol; or a list or dictionary of them.
        outputs: what layers made of them: a symbol, or a list or dictionary of symbols.
        name: by default ``functional``, numbered.
        kwargs: ``trainable``.

    Raises:
        TypeError: something that is no symbol.
        ValueError: an output that the inputs do not lead to; two layers of one name.

    Example:
        >>> import numpy as np
        >>> import pynn
        >>> wide, deep = pynn.Input((2,), name="wide"), pynn.Input((3,), name="deep")
        >>> hidden = pynn.layers.Dense(4, activation="relu")(deep)
        >>> joined = pynn.layers.concatenate([wide, hidden])
        >>> model = pynn.Model(inputs=[wide, deep], outputs=pynn.layers.Dense(1)(joined))
        >>> model.predict([np.zeros((5, 2)), np.zeros((5, 3))], verbose=0).shape
        (5, 1)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        _check_symbols("inputs", inputs)
        _check_symbols("outputs", outputs)
        trainable = kwargs.pop("trainable", True)
        super().__init__(name=name, **kwargs)
        if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
            outputs = outputs[0]
        self._connect(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _connect(self, inputs: Any, outputs: Any) -> None:
        """Finds the way from inputs to outputs."""
        self._symbols, self._outputs = inputs, outputs
        self._topology = Topology(flatten(inputs), flatten(outputs))
        _rename_clashes(self.operations)
        self._input_shape = map_structure(lambda symbol: symbol.shape, inputs)
        self.built = True

    def emit(self, graph: Graph, inputs: Any) -> Any:
        tensors = Placeholders(graph)
        for symbol, tensor in zip(
            flatten(self._symbols), self._in_order(graph, inputs), strict=True
        ):
            tensors.set(symbol, tensor)
        for node in self._topology.nodes:
            y = graph.call(
                node.operation,
                *tensors.replace(node.args),
                **{key: tensors.replace(value) for key, value in node.kwargs.items()},
            )
            for symbol, tensor in zip(flatten(node.outputs), flatten(y), strict=True):
                tensors.set(symbol, tensor)
        return tensors.replace(self._outputs)

    def _in_order(self, graph: Graph, inputs: Any) -> list[Tensor]:
        """The tensors for this model's inputs, also where they came by name."""
        if isinstance(inputs, Mapping) and not isinstance(self._symbols, Mapping):
            inputs = [inputs[name] for name in self.input_names]
        tensors = flatten(inputs)
        symbols = flatten(self._symbols)
        if len(tensors) != len(symbols):
            raise ValueError(
                f"{self.name}: expected {len(symbols)} inputs. Received: {len(tensors)}"
            )
        for symbol, tensor in zip(symbols, tensors, strict=True):
            if symbol.sample != tensor.sample:
                raise ValueError(
                    f"{self.name}: expected an input of shape {symbol.shape}. "
                    f"Received: shape {tensor.shape}"
                )
        return tensors

    def build_for(self, input_shape: Any) -> None:
        """Nothing to do: a functional model is built from the start."""

    @property
    def operations(self) -> list[Any]:
        """Layers and functions, in the order in which Keras lists them."""
        return self._topology.operations

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, inputs among them."""
        return [operation for operation in self.operations if isinstance(operation, Layer)]

    @property
    def sublayers(self) -> list[Layer]:
        return [layer for layer in self.layers if not isinstance(layer, InputLayer)]

    @property
    def sources(self) -> dict[int, list[str]] | None:
        """What each operation reads, by its id; None where every one reads the one before it."""
        nodes = self._topology.nodes
        previous, is_chain = self.inputs, len(self.inputs) == 1
        for node in nodes:
            is_chain &= len(node.inputs) == 1 and node.inputs[0] is previous[0]
            previous = flatten(node.outputs)
            is_chain &= len(previous) == 1
        if is_chain:
            return None
        found: dict[int, list[str]] = {}
        for node in nodes:
            for symbol in node.inputs:
                assert symbol.history is not None
                operation, call, place = symbol.history
                found.setdefault(id(node.operation), []).append(
                    f"{operation.name}[{call}][{place}]"
                )
        return found

    @property
    def output(self) -> Any:
        """The output symbol, or symbols."""
        return self._outputs

    @property
    def output_names(self) -> list[str]:
        """One name for each output: its key, or the name of the layer that makes it."""
        if isinstance(self._outputs, Mapping):
            return sorted(self._outputs)
        names: list[str] = []
        for symbol in flatten(self._outputs):
            name, count = symbol.history.operation.name, 1
            while name in names:
                name, count = f"{symbol.history.operation.name}_{count}", count + 1
            names.append(name)
        return names

    @property
    def names_outputs(self) -> bool:
        return True

    @property
    def output_shape(self) -> Any:
        return map_structure(lambda symbol: symbol.shape, self._outputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.output_shape

    # ---- configuration -----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns the layers, functions and their calls; weights are not part of it."""
        from pynn.saving.topology import describe

        if not takes_symbols(type(self)):
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable, **describe(self)}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Functional:
        """Makes a new model from what ``get_config`` returned, with new weights.

        Args:
            config: plain data.
            custom_objects: classes and functions of your own, by name.

        Raises:
            ValueError: an unknown layer class, or layers that are not connected.
        """
        from pynn.saving.topology import revive_graph

        if not takes_symbols(cls):
            return cast(Functional, super().from_config(config, custom_objects))
        with CustomObjectScope(custom_objects):
            inputs, outputs = revive_graph(config)
        trainable = bool(config.get("trainable", True))
        return cls(inputs, outputs, name=config.get("name"), trainable=trainable)


def derive(cls: type) -> None:
    """Puts ``Functional`` in the place of ``Model`` among the bases of a class.

    For subclasses of ``Model`` whose constructor hands symbols to the one of ``Model``: what class
    of model they are is known only then.
    """
    for own in cls.__mro__:
        if Model in own.__bases__ and not issubclass(own, Functional):
            own.__bases__ = tuple(Functional if base is Model else base for base in own.__bases__)


def takes_symbols(cls: type) -> bool:
    """Whether a class is made from inputs and outputs, rather than from arguments of its own."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    kinds = {parameter.kind for parameter in parameters.values()}
    return "outputs" in parameters or inspect.Parameter.VAR_POSITIONAL in kinds


def _check_symbols(argument: str, structure: Any) -> None:
    for leaf in flatten(structure):
        if not isinstance(leaf, KerasTensor):
            raise TypeError(
                f"Model: `{argument}` must consist of symbols, as Input and layers called on "
                f"symbols return them. Received: {leaf!r} (of type {type(leaf).__name__})"
            )


def _rename_clashes(operations: list[Any]) -> None:
    """Gives automatic names that are taken (by layers from a file, say) a new number."""
    taken: dict[str, Any] = {}
    for operation in operations:
        while taken.get(operation.name, operation) is not operation:
            if getattr(operation, "named_by_user", False):
                raise ValueError(
                    "All layers of a model need different names. "
                    f"Received: two named {operation.name!r}"
                )
            if isinstance(operation, Layer):
                operation.rename()
            else:
                operation.name = unique_name(operation.name)
        taken[operation.name] = operation
