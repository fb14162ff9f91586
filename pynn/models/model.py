"""What all models share: layers, weights, the engine's programs, summary; and subclassing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pynn._graph.program import Program
from pynn._graph.structure import flatten, map_shapes, map_structure
from pynn._graph.symbol import KerasTensor, infer, symbols_in
from pynn._graph.tensor import Symbol
from pynn.layers._base import Layer
from pynn.models import checks, data
from pynn.models.persistence import Persistence
from pynn.models.training import Training
from pynn.utils.arrays import as_arrays
from pynn.utils.checks import is_integer
from pynn.utils.configurable import lookup
from pynn.utils.naming import building
from pynn.utils.registration import CustomObjectScope


class Model(Persistence, Training, Layer):
    """A network of layers with ``compile``, ``fit``, ``evaluate`` and ``predict``.

    A model is a layer too: it can stand inside another model. There are three ways to make one:
    ``Sequential`` with a list of layers; ``Model(inputs, outputs)`` with symbols (a subclass may
    hand them to ``super().__init__``); and a subclass that keeps its layers as attributes and
    connects them in ``call(self, inputs)``, which is recorded once (see ``Layer``).

    Args:
        inputs, outputs: symbols: the result is a ``Functional`` model.
        trainable: False keeps all weights as they are.
        dtype: float type of what the model computes.
        name: by default the class name in snake_case, numbered.

    Example:
        >>> import numpy as np
        >>> import pynn
        >>> class Twice(pynn.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense = pynn.layers.Dense(2, kernel_initializer="ones")
        ...     def call(self, inputs):
        ...         return self.dense(inputs) * 2
        >>> Twice().predict(np.ones((1, 3)), verbose=0).tolist()
        [[6.0, 6.0]]
    """

    _build_completes = False  # the layers inside are to be built, too

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from pynn.models.functional import Functional

            return super().__new__(Functional)
        if cls is Model and (args or {"inputs", "outputs"} & set(kwargs)):
            raise TypeError(
                "Model: a model of symbols needs `inputs` and `outputs`. Received: "
                f"{len(args)} arguments by position and {list(kwargs)} by name"
            )
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional(args, kwargs):
            from pynn.models.functional import Functional, derive

            derive(type(self))
            initialize: Any = Functional.__init__
            initialize(self, *args, **kwargs)
            return
        Layer.__init__(self, *args, **kwargs)
        Training.__init__(self)
        self._symbols: Any = None  # one for each input, once their shapes are known
        self._program: Program | None = None
        self._training_program: Program | None = None

    # ---- inputs ------------------------------------------------------------------------------

    @property
    def symbols(self) -> Any:
        """The symbols of the inputs.

        Raises:
            ValueError: no shape is known yet.
        """
        if self._symbols is None:
            raise ValueError(
                f"{self.name}: the shape of the input is not known yet. Call the model on data, "
                "build it, or begin with an Input."
            )
        return self._symbols

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input symbols in a row."""
        return flatten(self.symbols)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output symbols in a row."""
        return flatten(self.output)

    @property
    def input(self) -> Any:
        """The input symbol, or the structure of them."""
        return self.symbols

    @property
    def input_names(self) -> list[str]:
        """One name for each input: its key in a dictionary, or the name of its ``Input``."""
        if isinstance(self.symbols, dict):
            return sorted(self.symbols)
        return [symbol.name for symbol in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """One name for each output."""
        outputs = self.program().outputs
        if isinstance(outputs, dict):
            return sorted(outputs)
        return [f"output_{i + 1}" for i in range(len(flatten(outputs)))]

    @property
    def names_outputs(self) -> bool:
        """Whether the outputs have names of their own, which the keys of the logs begin with."""
        return isinstance(self.program().outputs, dict)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of shape ``(None, ...)``, or a structure of such shapes."""
        if self._symbols is None:
            if input_shape is None:
                raise ValueError(f"{self.name}: give build the shape of the input, (None, ...).")
            self._symbols = map_shapes(_symbol, input_shape)
        self.built = True
        try:
            infer(self, (self._symbols,), {})
        except Exception:
            self.built, self._symbols = False, None  # another shape may fit
            raise

    def ensure_built(self, x: Any) -> None:
        """Builds the model for these arrays of samples if that has not been done."""
        if not self.built or self._symbols is None:
            for array in flatten(x):
                checks.refuse_sparse("x", array)
            shape = map_structure(lambda a: (None, *(a.shape[1:] or (1,))), x)
            with building(self):
                self.build(shape)
            if self._symbols is None:  # a `build` of the subclass, for parts of its own
                Model.build(self, shape)

    # ---- layers ------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return self.sublayers

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
        if (name is None) == (index is None) or not isinstance(name, (str, type(None))):
            raise ValueError(
                "get_layer: give either `name` or `index`, a string or an integer. "
                f"Received: name={name!r}, index={index!r}"
            )
        layers = self.layers
        if name is not None:
            found: Layer = lookup("layer", name, {layer.name: layer for layer in layers})
            return found
        if not is_integer(index) or not -len(layers) <= index < len(layers):
            raise ValueError(
                f"get_layer: the model has {len(layers)} layers. Received: index={index}"
            )
        return layers[index]

    # ---- the engine's view -------------------------------------------------------------------

    def make_program(self, training: bool = False, **options: Any) -> Program:
        """Describes the model to the engine, with the layers as they are now."""
        return Program(self, (self.symbols,), training=training, **options)

    def program(self) -> Program:
        """The description for prediction, made on first use."""
        if self._program is None:
            self._program = self.make_program()
        return self._program

    def _program_in_training(self) -> Program:
        known = self._training_program
        if known is None or not known.is_current():  # what is frozen may have changed
            known = self._training_program = self.make_program(training=True)
        return known

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Returns the output for arrays of samples at once; on symbols, a symbol.

        Args:
            args: arrays of shape ``(n, ...)`` or symbols, in the structure of the inputs.
            training: True to run as in training: dropout active, batch statistics.
            kwargs: further arguments of ``call``.

        Raises:
            ValueError: samples of another shape than the model was built for.
        """
        known = self._program
        if known and not training and not kwargs and len(args) == 1 and known.takes(args[0]):
            return known.run(args)[0]
        symbolic = not _are_arrays((args, kwargs))
        if symbolic or kwargs or len(args) != 1:
            return super().__call__(*args, training=training, **kwargs)
        x = as_arrays("x", args[0])
        self.ensure_built(x)
        arrays = data.inputs(x, self.symbols, self.input_names)
        return self._program_in_training()(arrays) if training else self.program()(arrays)

    # ---- description -------------------------------------------------------------------------

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Nothing to add: the layers inside have attached the masks of the outputs."""

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

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Any:
        """Makes a new model from what ``get_config`` returned, with new weights.

        Args:
            config: plain data; ``Model`` itself takes that of a functional model.
            custom_objects: classes and functions of your own, by name.

        Raises:
            TypeError: arguments that the model's constructor does not know.
        """
        if cls is Model:
            from pynn.models.functional import Functional

            return Functional.from_config(config, custom_objects)
        with CustomObjectScope(custom_objects):
            return super().from_config(config)

    def _repr_html_(self) -> str:
        """The table of ``summary`` for notebooks."""
        from pynn.models.summary import html_summary

        return html_summary(self)


def _symbol(shape: Sequence[int | None]) -> KerasTensor:
    return KerasTensor((None, *shape[1:]))


def _is_functional(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    given = {"inputs", "outputs"} <= set(kwargs) or (len(args) == 1 and "outputs" in kwargs)
    return given or (len(args) >= 2 and bool(symbols_in(args[:2])))


def _are_arrays(structure: Any) -> bool:
    return not any(isinstance(leaf, Symbol) for leaf in flatten(structure))
