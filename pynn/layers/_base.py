"""What all layers share: names, weights, building, calling, configuration."""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

from pynn import ops, regularizers
from pynn._compat import explain_absent_members
from pynn._graph.graph import Graph, masks_of
from pynn._graph.program import run_layer
from pynn._graph.structure import flatten, map_shapes, map_structure
from pynn._graph.symbol import KerasTensor, Node, infer, record_call, symbols_in
from pynn._graph.tensor import Tensor
from pynn._graph.variable import Variable
from pynn.config import check_dtype, floatx
from pynn.layers._checks import Shape, is_one_shape, take_input_shape
from pynn.layers._weights import Weighted
from pynn.utils.arrays import as_arrays
from pynn.utils.configurable import argument_names, unknown_argument
from pynn.utils.naming import building, to_snake_case, unique_name


class Layer(Weighted):
    """Base of all layers, and of your own.

    A layer of your own makes its weights in ``build(input_shape)`` with ``add_weight`` and says
    what it computes in one of two ways:

    - ``call(self, inputs)``, written with ``pynn.ops``, operators and other layers kept as
      attributes. It may take ``training``. It runs once with symbols in place of arrays, to record
      what the engine computes and differentiates.
    - NumPy: ``forward(self, x, training)`` returns ``(y, saved)``, ``backward(self, saved, dy)``
      returns ``dx``, or ``(dx, [gradient of each trainable weight])``.

    Args:
        activity_regularizer: penalty of the layer's output in the loss.
        trainable: False keeps the weights as they are. A change takes effect at the next
            ``compile`` of the model.
        dtype: ``"float32"`` or ``"float64"``; by default ``pynn.config.floatx()``.
        name: by default the class name in snake_case, numbered (``dense``, ``dense_1``, ...).
        kwargs: ``input_shape`` or ``input_dim`` of a model's first layer.

    Raises:
        TypeError: an argument the layer does not know.

    Example:
        >>> import pynn
        >>> class Scale(pynn.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.scale
        >>> Scale()([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _build_completes = True  # whether ``build`` is all there is to do
    supports_masking = False  # whether a mask of the input is one of the output, too
    _one_input = False  # whether it takes one array, and no structure of several

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{owner}: `name` must be a string. Received: name={name!r}")
        self.input_shape_argument = take_input_shape(owner, kwargs)
        if kwargs:
            known = [*argument_names(type(self)), "name", "trainable", "dtype", "input_shape"]
            raise TypeError(unknown_argument(owner, next(iter(kwargs)), known))
        self.dtype = check_dtype(owner, dtype) if dtype is not None else floatx()
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.named_by_user = name is not None
        self.name = name or unique_name(to_snake_case(owner))
        self.built = False
        self.nodes: list[Node] = []  # the calls on symbols
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._activity_losses: list[Any] = []  # of the last call on arrays
        self._fixed: Shape | None = None  # the part of the input shape that the weights depend on
        self._input_shape: Any = None  # as it was built for, the batch's axis included
        self._path: str | None = None  # once built

    # ---- what a subclass says ----------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of shape ``(None, ...)``; a list of shapes for several."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Returns the output's shape for inputs of shape ``(None, ...)``."""
        symbols = map_shapes(KerasTensor, input_shape)
        return map_structure(lambda y: y.shape, infer(self, (symbols,), {}))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the output from symbols; here by the engine's nodes of this layer.

        A ``call`` of one's own may use it: ``super().call(inputs, training=True)``.
        """
        graphs = [leaf.graph for leaf in flatten(args) if isinstance(leaf, Tensor)]
        if not graphs:
            raise TypeError(f"{self.name}: use the layer itself on arrays, layer(x), not call(x).")
        with graphs[0].acting(kwargs.pop("training", None)):
            return self.emit(graphs[0], *args, **kwargs)

    def emit(self, graph: Graph, *args: Any, **kwargs: Any) -> Any:
        """Adds the engine's nodes that compute this layer and returns the output's tensor."""
        raise NotImplementedError(
            f"{type(self).__name__}: a layer defines call(self, inputs), or forward and backward."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Returns the mask of the output: which steps of a sequence count.

        Args:
            inputs: what the layer was called with.
            previous_mask: the masks of the inputs in the same structure, None where there is none.
        """
        masked = any(mask is not None for mask in flatten(previous_mask))
        if masked and not self.supports_masking:
            warnings.warn(
                f"{self.name}: this layer does not know masks; the steps that its input masks "
                "count like all others after it.",
                stacklevel=2,
            )
        return previous_mask if self.supports_masking else None

    def fixed_part(self, shape: Shape) -> Shape:
        """The part of a sample's shape that the weights depend on, () if none does."""
        return ()

    def trace(self, graph: Graph, *args: Any, **kwargs: Any) -> Any:
        """Records what the layer computes: by ``call``, ``emit`` or ``forward`` of its class."""
        for cls in type(self).__mro__:
            if "call" in vars(cls) and cls is not Layer:
                names = inspect.signature(self.call).parameters
                if "training" in names:
                    kwargs.setdefault("training", graph.training)
                if "mask" in names and args:
                    kwargs.setdefault("mask", masks_of(args[0]))
                return self.call(*args, **kwargs)
            if "forward" in vars(cls) and "backward" in vars(cls):
                return self._trace_numpy(graph, *args)
            if "emit" in vars(cls):
                return self.emit(graph, *args, **kwargs)
        raise AssertionError("Layer itself defines emit")

    def _trace_numpy(self, graph: Graph, *args: Any) -> Tensor:
        from pynn.layers._numpy import emit_numpy_layer

        return emit_numpy_layer(graph, self, *args)

    # ---- building ----------------------------------------------------------------------------

    def build_for(self, input_shape: Any) -> None:
        """Builds the layer for inputs of this shape, or checks that it was built for such ones.

        Raises:
            ValueError: the layer was built for another shape, or takes one input.
        """
        self._check_structure(input_shape)
        fixed = self._fixed_part_of(input_shape)
        if not self.built:
            with building(self) as self._path:
                self.build(input_shape)
            self._note_built(input_shape)
        elif self._fixed is not None and fixed != self._fixed:
            expected = self._fixed[0] if len(self._fixed) == 1 else self._fixed
            what = "input features" if len(self._fixed) == 1 else "as the shape of a sample"
            raise ValueError(
                f"{self.name}: expected {expected} {what} (set when the layer was built). "
                f"Received: x.shape={('n', *input_shape[1:])!r}".replace("'", "")
            )
        self._input_shape = input_shape

    def _check_structure(self, input_shape: Any) -> None:
        if self._one_input and not (input_shape is None or is_one_shape(input_shape)):
            raise ValueError(
                f"{self.name}: expected one input; Concatenate makes one of several. "
                f"Received: inputs of the shapes {input_shape!r}"
            )

    def _fixed_part_of(self, input_shape: Any) -> Shape:
        if not isinstance(input_shape, tuple):
            return ()
        return self.fixed_part(input_shape[1:] if input_shape[:1] == (None,) else input_shape)

    def _note_built(self, input_shape: Any) -> None:
        self.built, self._input_shape = True, input_shape
        self._fixed = self._fixed_part_of(input_shape)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls) and cls._build_completes:
            setattr(cls, "build", _completing(cls.build))  # noqa: B010  # a method of this class

    def unbuild(self) -> None:
        """Forgets the weights and the shape they were made for."""
        self.built, self._fixed, self._input_shape = False, None, None
        made = {id(variable) for variable in self._variables}
        for name in [name for name, value in vars(self).items() if id(value) in made]:
            delattr(self, name)
        self._variables.clear()

    def rename(self) -> None:
        """Gives the layer the next automatic name."""
        before, self._path = f"{self.name}/", None
        self.name = unique_name(to_snake_case(type(self).__name__))
        for variable in self.weights:
            if variable.path.startswith(before):
                variable.path = f"{self.name}/{variable.path.removeprefix(before)}"

    def add_loss(self, loss: Any) -> None:
        """Adds the sum of a tensor to the loss; for use in ``call``."""
        for tensor in flatten(loss):
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"{self.name}: add_loss takes what pynn.ops makes of the inputs, in `call`. "
                    f"Received: loss={tensor!r}"
                )
            tensor.graph.penalties.append(tensor)

    def activity_penalty(self, y: Tensor) -> Any:
        """The penalty of an output: that of the whole batch divided by its number of samples."""
        samples = ops.sum(ops.ones_like(ops.reshape(y, (-1, math.prod(y.sample)))[:, 0]))
        return ops.divide(self.activity_regularizer(y), samples)

    # ---- use and description -----------------------------------------------------------------

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """Runs the layer on arrays of samples, or records it on symbols.

        Args:
            args: arrays of shape ``(n, ...)``; or symbols, as ``Input`` returns them: then the
                result is a symbol, too. Layers with several inputs take a list.
            training: whether to act as in training.
            kwargs: further arguments of the layer's ``call``.

        Example:
            >>> import pynn
            >>> pynn.layers.ReLU()([[-1.0, 2.0]]).tolist()
            [[0.0, 2.0]]
            >>> pynn.layers.ReLU()(pynn.Input((3,))).shape
            (None, 3)
        """
        given = flatten((args, kwargs))
        self._activity_losses = []
        if symbols_in(given):
            extra = kwargs if training is None else {**kwargs, "training": training}
            return record_call(self, args, extra)
        tensors = [leaf for leaf in given if isinstance(leaf, Tensor)]
        if tensors:
            return tensors[0].graph.call(self, *args, training=training, **kwargs)
        y = run_layer(self, [as_arrays("x", a) for a in args], kwargs, bool(training))
        if self.activity_regularizer is not None:
            self._activity_losses = [self.activity_regularizer(v) / len(v) for v in flatten(y)]
        return y

    @property
    def input(self) -> Any:
        """The symbol, or symbols, of the first call."""
        node = self._first_node("input")
        return node.args[0] if node.args else node.inputs

    @property
    def output(self) -> Any:
        """The symbol, or symbols, that the first call returned."""
        return self._first_node("output").outputs

    def _first_node(self, what: str) -> Node:
        if not self.nodes:
            raise AttributeError(
                f"{self.name}: the layer has no {what} yet: it was never called on a symbol, and "
                "is in no model whose input shape is known."
            )
        return self.nodes[0]

    @property
    def input_shape(self) -> Any:
        if self._input_shape is None:
            raise AttributeError(f"{self.name}: the layer is not built yet, so it has no shapes.")
        return self._input_shape

    @property
    def output_shape(self) -> Any:
        return self.compute_output_shape(self.input_shape)

    @property
    def metrics(self) -> list[Any]:
        """None: metrics belong to models."""
        return []

    @property
    def metrics_variables(self) -> list[Variable]:
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def path(self) -> str:
        """The names of the layers it was built in and its own: the paths of weights begin so."""
        return self._path or self.name

    @property
    def compute_dtype(self) -> str:
        return self.dtype

    @property
    def input_dtype(self) -> str:
        return self.dtype

    @property
    def variable_dtype(self) -> str:
        return self.dtype

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


explain_absent_members(Layer)


def _completing(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A layer whose ``build`` was called is built, whoever called it."""

    @functools.wraps(build)
    def complete(self: Any, input_shape: Any) -> None:
        self._check_structure(input_shape)
        with building(self):
            build(self, input_shape)
        if input_shape and is_one_shape(input_shape):
            input_shape = (None, *input_shape[1:])
        self._note_built(input_shape)

    return complete
