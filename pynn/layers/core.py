"""The input, the dense layer and the activation as a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pynn import activations, constraints, initializers, regularizers
from pynn._graph.graph import Graph
from pynn._graph.symbol import KerasTensor, Node
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import Shape, sample_shape, without_batch
from pynn.layers.activation import ELU, LeakyReLU, ParametricActivation, ReLU, Softmax
from pynn.utils.checks import positive_integer
from pynn.utils.dtypes import standardize_dtype


class InputLayer(Layer):
    """The place where samples enter a model; computes nothing.

    Args:
        shape: shape of one sample, e.g. ``(784,)`` or ``(28, 28)``; an integer means one axis.
        batch_size: accepted and ignored: any number of samples may come.
        dtype: the type of the data. Any type is accepted; batches are cast as they are read.
        sparse: whether samples come as the rows of sparse matrices, which only ``Dense`` reads.
        batch_shape: ``shape`` with the batch dimension before it.
        input_tensor: only None.
        optional: only False.
        name: by default ``input_layer``, numbered.

    Raises:
        ValueError: no shape, or one that leaves a size open; a sparse one of several axes.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if input_tensor is not None or optional:
            raise ValueError(
                "Input: every input is needed and begins a model. "
                f"Received: input_tensor={input_tensor!r}, optional={optional}"
            )
        given = self.input_shape_argument
        if given is None and batch_shape is not None:
            given = without_batch("Input", batch_shape)
        if given is None and shape is None:
            raise ValueError("Input: `shape` is missing, e.g. Input(shape=(784,)).")
        self.sample_shape: Shape = sample_shape("Input", shape) if given is None else given
        self.batch_shape: tuple[int | None, ...] = (None, *self.sample_shape)
        self.shape = self.batch_shape
        self.sparse = bool(sparse)
        if self.sparse and len(self.sample_shape) != 1:
            raise ValueError(
                "Input: samples of a sparse input have one axis, shape=(features,). "
                f"Received: shape={self.sample_shape}"
            )
        self._data_dtype = None if dtype is None else standardize_dtype(dtype)
        self.built = True
        self._input_shape = self.batch_shape
        kind = self.input_dtype
        symbol = KerasTensor(self.batch_shape, kind, self.name, sparse=self.sparse)
        Node(self, (), {}, symbol)

    @classmethod
    def like(cls, symbol: KerasTensor) -> InputLayer:
        """Returns a new input for the samples that ``symbol`` stands for."""
        return cls(
            batch_shape=symbol.shape, dtype=symbol.dtype, sparse=symbol.sparse, name=symbol.name
        )

    @property
    def input_dtype(self) -> str:
        return self._data_dtype or self.dtype

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return x

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": list(self.batch_shape),
            "dtype": self.input_dtype,
            **({"sparse": True} if self.sparse else {}),
            "name": self.name,
        }

    def __repr__(self) -> str:
        return f"<InputLayer name={self.name}, shape={self.batch_shape}>"


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """Returns the symbol of a model's input: what one sample looks like.

    Args:
        shape: shape of one sample, without the batch dimension.
        batch_size: accepted and ignored.
        dtype: the type of the data; any is accepted.
        sparse: whether samples come as the rows of SciPy's sparse matrices; only ``Dense`` layers
            read them, without making them dense. Other samples are converted.
        batch_shape: ``shape`` with the batch dimension before it.
        name: by default ``input_layer``, numbered.
        tensor: only None.
        optional: only False.

    Example:
        >>> Input(shape=(28, 28)).shape
        (None, 28, 28)
    """
    symbol: KerasTensor = InputLayer(
        shape, batch_size, dtype, sparse, batch_shape, tensor, optional, name
    ).output
    return symbol


class Dense(Layer):
    r"""Fully connected layer.

    Formula: :math:`y = f(x W + b)`, with kernel :math:`W`, bias :math:`b` and activation :math:`f`.
    It works on the last axis; axes before it are treated like further samples.

    Args:
        units: number of outputs, a positive integer.
        activation: name or function of ``pynn.activations``, a layer such as
            ``LeakyReLU(negative_slope=0.2)``, or a function of your own written with ``pynn.ops``
            or made by ``pynn.ops.with_gradient``; None for none.
        use_bias: whether to add a bias.
        kernel_initializer: initial kernel.
        bias_initializer: initial bias.
        kernel_regularizer: penalty of the kernel in the loss.
        bias_regularizer: penalty of the bias.
        activity_regularizer: penalty of the output.
        kernel_constraint: applied to the kernel after each update, such as ``MaxNorm(1.0)``.
        bias_constraint: applied to the bias.
        kwargs: ``name``, ``trainable``, ``dtype``; in a first layer ``input_shape`` or
            ``input_dim``.

    Input shape:
        ``(batch, ..., inputs)``

    Output shape:
        ``(batch, ..., units)``; the kernel's is ``(inputs, units)``, the bias's ``(units,)``.

    Raises:
        ValueError: ``units`` is not a positive integer; an unknown activation, initializer or
            regularizer; later: inputs with another number of features.

    Example:
        >>> import numpy as np
        >>> layer = Dense(2, activation="relu", kernel_initializer="ones")
        >>> layer(np.array([[1.0, 2.0, 3.0]])).tolist()
        [[6.0, 6.0]]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.units = positive_integer("Dense", "units", units)
        self.activation = get_activation(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)

    _one_input = True
    supports_masking = True

    @property
    def sublayers(self) -> list[Layer]:
        return []  # an activation given as a layer is a function here

    def fixed_part(self, shape: Shape) -> Shape:
        if not shape:
            raise ValueError(
                f"{self.name}: expected samples with at least one axis. Received: x.shape=(n,)"
            )
        return shape[-1:]

    def build(self, input_shape: Sequence[int | None]) -> None:
        inputs = int(input_shape[-1] or 0)
        self.kernel = self.add_weight(
            (inputs, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        y = graph.add("dense", [x], (*x.sample[:-1], self.units), self._variables)
        return emit_activation(graph, y, self.activation)


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: name or function of ``pynn.activations``, a layer such as ``ReLU(6.0)``, or a
            function of your own.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Example:
        >>> Activation("relu")([[-1.0, 2.0]]).tolist()
        [[0.0, 2.0]]
    """

    _one_input = True
    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        self.activation = get_activation(activation)
        super().__init__(**kwargs)

    @property
    def sublayers(self) -> list[Layer]:
        return []

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return emit_activation(graph, x, self.activation)


_AS_ACTIVATION = {cls.__name__: cls for cls in (ELU, LeakyReLU, ReLU, Softmax)}


def get_activation(identifier: Any) -> Any:
    """Returns what ``activations.get`` returns, or a layer without weights that is an activation.

    Raises:
        ValueError: an unknown name.
        TypeError: another layer, or something else.
    """
    if isinstance(identifier, Mapping) and identifier.get("class_name") in _AS_ACTIVATION:
        return _AS_ACTIVATION[identifier["class_name"]].from_config(identifier.get("config", {}))
    if isinstance(identifier, type) and issubclass(identifier, ParametricActivation):
        return identifier()
    if isinstance(identifier, ParametricActivation):
        return identifier
    if isinstance(identifier, Activation):
        return identifier.activation
    if isinstance(identifier, Layer):
        raise TypeError(
            f"{type(identifier).__name__} has weights or random numbers of its own, or is no "
            f"activation: add it after the layer. Received: activation={identifier!r}"
        )
    return activations.get(identifier)


def emit_activation(graph: Graph, x: Tensor, activation: Any) -> Tensor:
    """Adds the node of an activation; none for the identity, whatever a function of yours does."""
    if isinstance(activation, ParametricActivation):
        return activation.emit(graph, x)
    if not hasattr(activation, "params"):
        y: Tensor = activation(x)
        return y
    if activation.name == "linear":
        return x
    row, params = activation.name, list(activation.params)
    return graph.add("activation", [x], x.sample, name=row, params=params)
