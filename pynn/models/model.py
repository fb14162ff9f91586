"""What all models share: layers, weights, the engine's program, summary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from pynn.layers._base import Layer
from pynn.layers._graph import Graph, Tensor
from pynn.layers._program import Program
from pynn.layers._variable import Variable
from pynn.models.data import samples
from pynn.models.training import Training
from pynn.utils.configurable import lookup


class Model(Training, Layer):
    """A network of layers with ``compile``, ``fit``, ``evaluate`` and ``predict``.

    A model is a layer too: it can stand inside another model.
    """

    def __init__(self, *, name: str | None = None, trainable: bool = True, **kwargs: Any) -> None:
        Layer.__init__(self, name=name, **kwargs)
        Training.__init__(self)
        self._program: Program | None = None
        self._trainable = trainable

    # ---- layers ------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the input."""
        raise NotImplementedError

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer by name or by position.

        Args:
            name: the layer's name.
            index: its position in ``layers``; negative numbers count from the end.

        Raises:
            ValueError: neither or both are given, or there is no such layer.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.layers.Dense(3, name="hidden")])
            >>> model.get_layer("hidden") is model.layers[0]
            True
        """
        if (name is None) == (index is None):
            raise ValueError(
                "get_layer: give either `name` or `index`. "
                f"Received: name={name!r}, index={index!r}"
            )
        layers = self.layers
        if name is not None:
            found: Layer = lookup("layer", name, {layer.name: layer for layer in layers})
            return found
        assert index is not None
        if not -len(layers) <= index < len(layers):
            raise ValueError(
                f"get_layer: the model has {len(layers)} layers. Received: index={index}"
            )
        return layers[index]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets all layers.

        A change takes effect at the next ``compile``.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.layers:
            layer.trainable = bool(value)

    @property
    def weights(self) -> list[Variable]:
        return _distinct(v for layer in self.layers for v in layer.weights)

    @property
    def trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return []
        return _distinct(v for layer in self.layers for v in layer.trainable_weights)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    # ---- the engine's view -------------------------------------------------------------------

    def make_program(self) -> Program:
        """Describes the model to the engine, with the layers as they are now."""
        return Program(self.layers, self._known_input_shape())

    def program(self) -> Program:
        """The description for prediction, made on first use."""
        if self._program is None:
            self._program = self.make_program()
        return self._program

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = graph.call(layer, x)
        return x

    def ensure_built(self, x: npt.NDArray[Any]) -> None:
        """Builds the model for these samples if that has not been done."""
        if not self.built:
            self.build((None, *(x.shape[1:] if x.ndim > 1 else (1,))))

    def __call__(self, x: npt.ArrayLike, training: bool = False) -> npt.NDArray[Any]:
        """Returns the output for an array of samples at once.

        Args:
            x: shape ``(n, ...)``.
            training: True to run as in training: dropout active, batch statistics.

        Raises:
            ValueError: samples of another shape than the model was built for.
        """
        array = samples("x", x, self._input_shape)
        self.ensure_built(array)
        if not training:
            return self.program().predict(array)
        if not self.program().is_current():  # frozen batch normalization keeps its statistics
            self._program = None
        return self.program().forward(array)

    # ---- description -------------------------------------------------------------------------

    def count_params(self) -> int:
        """Returns the number of weights.

        Raises:
            ValueError: the model is not built yet.
        """
        if not self.built and self.layers:
            return super().count_params()
        return sum(math.prod(v.shape) for v in self.weights)

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints the layers with their output shapes and numbers of weights.

        Args:
            line_length: width of the table; by default 88, or what the terminal offers.
            positions: where the columns end, as parts of the line.
            print_fn: called with the text instead of printing it.
            expand_nested: whether to show the layers of models inside the model.
            show_trainable: whether to show which layers are trained.
            layer_range: names (or regular expressions) of the first and last layer to show.

        Example:
            >>> import pynn
            >>> dense = pynn.layers.Dense(3, name="out")
            >>> model = pynn.Sequential([pynn.Input((4,)), dense], name="m")
            >>> model.summary(line_length=60)  # doctest: +ELLIPSIS
            Model: "m"
            ...
             Total params: 15 (60.00 B)
             Trainable params: 15 (60.00 B)
             Non-trainable params: 0 (0.00 B)
        """
        from pynn.models.summary import print_summary

        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )


def _distinct(variables: Any) -> list[Variable]:
    return list({id(v): v for v in variables}.values())
