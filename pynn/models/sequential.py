"""Layers in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pynn._graph.graph import Graph
from pynn._graph.program import Program
from pynn._graph.symbol import KerasTensor
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import sample_shape
from pynn.layers.core import InputLayer
from pynn.models.model import Model
from pynn.utils.naming import building
from pynn.utils.registration import CustomObjectScope


class Sequential(Model):
    """A model whose layers follow one another.

    A layer may stand in several places, which then share its weights.

    The shape of a sample comes from an ``Input`` at the beginning, from ``input_shape=`` of the
    first layer, or from the first data the model sees; then the weights are made.

    Args:
        layers: the layers, in order; more can be added with ``add``.
        trainable: False keeps all weights as they are.
        name: by default ``sequential``, numbered.

    Raises:
        TypeError: something that is not a layer.
        ValueError: two layers of one name, a second ``Input``, or layers that do not fit.

    Example:
        >>> import numpy as np
        >>> import pynn
        >>> model = pynn.Sequential([
        ...     pynn.Input(shape=(3,)),
        ...     pynn.layers.Dense(4, activation="relu"),
        ...     pynn.layers.Dense(1),
        ... ])
        >>> model.predict(np.zeros((5, 3)), verbose=0).shape
        (5, 1)
    """

    _one_input = True

    def __init__(
        self,
        layers: Iterable[Layer | KerasTensor] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._input: InputLayer | None = None
        self._layers: list[Layer] = []
        self._chain: list[KerasTensor] = []  # the input, then the output of each layer
        if layers is not None and not isinstance(layers, Iterable):
            raise TypeError(
                f"{self.name}: `layers` must be a list of layers. Received: layers={layers!r}"
            )
        for layer in layers or ():
            self._append(layer)
        self._rebuild()
        if not trainable:
            self.trainable = False

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        return list(self._layers)

    @property
    def sublayers(self) -> list[Layer]:
        return self.layers

    # ---- changing the stack ------------------------------------------------------------------

    def add(self, layer: Layer | KerasTensor) -> None:
        """Puts a layer on top; what the model was compiled with stays, the optimizer starts anew.

        Raises:
            TypeError: not a layer.
            ValueError: its name is taken, or it does not fit.
        """
        before = (self._input, list(self._layers))
        self._append(layer)
        try:
            self._rebuild()
        except ValueError:
            self._input, self._layers = before  # the model stays as it was
            self._rebuild()
            raise

    def pop(self) -> Layer:
        """Takes the last layer off and returns it.

        Raises:
            ValueError: there is none.
        """
        if not self._layers:
            raise ValueError(f"{self.name}: there is no layer to pop.")
        layer = self._layers.pop()
        self._rebuild()
        return layer

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor) and layer.history is not None:
            layer = layer.history.operation  # what Input returns
        if not isinstance(layer, Layer):
            raise TypeError(
                f"{self.name}: only layers can be added to a Sequential model. "
                f"Received: {layer!r} (of type {type(layer).__name__})"
            )
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise ValueError(
                    f"{self.name}: an Input stands first, and there is one at most. "
                    f"Received: a second Input, {layer!r}"
                    if self._input is not None
                    else f"{self.name}: an Input must be the first layer. Received: {layer!r}"
                )
            self._input = layer
            return
        taken = {other.name for other in self._layers if other is not layer}
        while layer.name in taken and not layer.named_by_user:
            layer.rename()  # layers from a file may have taken the automatic names
        if layer.name in taken:
            raise ValueError(
                f"{self.name}: all layers need different names. "
                f"Received: another layer named {layer.name!r}"
            )
        if not self._layers and self._input is None and layer.input_shape_argument is not None:
            self._input = InputLayer(shape=layer.input_shape_argument)
        self._layers.append(layer)

    def _rebuild(self) -> None:
        """Makes the weights where the input's shape is known; the program follows on first use."""
        self._program = self._training_program = None
        self.forget_trainer()
        self.built = False
        first = self._layers[0] if self._layers else None
        if self._input is not None:
            self._symbols = self._input.output
        elif isinstance(first, Model) and first.built:
            self._symbols = KerasTensor(first.symbols.shape, sparse=first.symbols.sparse)
        elif self._symbols is None:
            return
        if self._layers:
            self._build_stack()

    def _build_stack(self) -> None:
        new = [layer for layer in self._layers if not layer.built]
        try:
            with building(self):
                self._connect()
        except ValueError:
            for layer in new:  # another shape may fit them
                layer.unbuild()
            raise
        self._input_shape = self.symbols.shape
        self.built = True

    def _connect(self) -> None:
        """Calls the layers one after another, those that stand where they stood before excepted."""
        chain = self._chain if self._chain and self._chain[0] is self.symbols else [self.symbols]
        for i, layer in enumerate(self._layers):
            known = chain[i + 1].history if i + 1 < len(chain) else None
            if known is not None and known.operation is layer:
                continue
            del chain[i + 1 :]
            chain.append(layer(chain[i]))
        del chain[len(self._layers) + 1 :]
        self._chain = chain

    # ---- what a layer does -------------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None] | None = None) -> None:
        """Makes the weights for inputs of shape ``(batch, ...)``.

        Raises:
            ValueError: the model has no layers, or was built for another shape.
        """
        if not self._layers:
            raise ValueError(
                f"{self.name}: the model has no layers. Add one with model.add(layer)."
            )
        if input_shape is not None:
            self._check_structure(input_shape)
            shape = (None, *sample_shape(self.name, tuple(input_shape)[1:]))
            if self._symbols is None:
                self._symbols = KerasTensor(shape)
            elif shape != self._symbols.shape:
                raise ValueError(
                    f"{self.name}: the model is for samples of shape {self._symbols.sample}. "
                    f"Received: input_shape={tuple(input_shape)}"
                )
        elif self._symbols is None:
            raise ValueError(f"{self.name}: give build the shape of the input, (None, ...).")
        try:
            self._build_stack()
        except ValueError:
            if self._input is None and not self.built:
                self._symbols = None  # another shape may fit
            raise

    def fixed_part(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = input_shape
        for layer in self._layers:
            shape = layer.compute_output_shape(shape)
        return shape

    def emit(self, graph: Graph, x: Tensor) -> Any:
        y: Any = x
        for layer in self._layers:
            y = graph.call(layer, y)
        return y

    @property
    def output(self) -> Any:
        """The symbol of the last layer's output."""
        if not self._chain:
            raise AttributeError(f"{self.name}: the model is not built yet, so it has no output.")
        return self._chain[-1]

    @property
    def output_names(self) -> list[str]:
        return [self._layers[-1].name]

    def make_program(self, training: bool = False, **options: Any) -> Program:
        if not self._layers:
            raise ValueError(
                f"{self.name}: the model has no layers. Add one with model.add(layer)."
            )
        if not self.built:
            self.build()
        return super().make_program(training, **options)

    # ---- configuration -----------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Returns the model's and its layers' configurations; weights are not part of it."""
        from pynn.saving import serialize_keras_object

        stack = [self._input, *self._layers] if self._input else self._layers
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype,
            "layers": [serialize_keras_object(layer) for layer in stack],
        }
        if self._symbols is not None:
            config["build_input_shape"] = list(self._symbols.shape)
        return config

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Sequential:
        """Makes a new model from what ``get_config`` returned, with new weights.

        Args:
            config: plain data.
            custom_objects: classes and functions of your own, by name.

        Raises:
            ValueError: an unknown layer class.
        """
        from pynn.saving.serialization import revive

        with CustomObjectScope(custom_objects):
            stack: list[Any] = []
            for entry in config["layers"]:
                known = config["layers"].index(entry)  # the same layer in another place
                is_new = known == len(stack) or not _has_name(entry)
                stack.append(revive(entry, "layers") if is_new else stack[known])
        model = cls(stack, name=config.get("name"))
        shape = config.get("build_input_shape")
        if shape and not model.built and model._layers:
            model.build(shape)
        return model


def _has_name(entry: Any) -> bool:
    config = entry.get("config") if isinstance(entry, Mapping) else None
    return isinstance(config, Mapping) and config.get("name") is not None
