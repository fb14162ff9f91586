"""What all layers share: names, weights, building, configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import initializers, regularizers
from pynn.config import check_dtype, floatx
from pynn.layers._graph import Graph, Tensor
from pynn.layers._program import run_layer
from pynn.layers._variable import Variable, check_shape
from pynn.utils.arrays import as_array
from pynn.utils.configurable import Configurable, argument_names, serialize, unknown_argument
from pynn.utils.naming import to_snake_case, unique_name

if TYPE_CHECKING:
    from typing_extensions import Self

Shape = tuple[int, ...]


class Layer(Configurable):
    """Base of all layers.

    A layer says which weights it has (``build``), which shape it makes (``compute_output_shape``)
    and which nodes of the engine compute it (``emit``). Constructor arguments are kept as
    attributes of the same name; ``get_config`` and ``from_config`` need nothing else.

    Args:
        name: by default the class name in snake_case, numbered (``dense``, ``dense_1``, ...).
        trainable: False keeps the weights as they are. A change takes effect at the next
            ``compile`` of the model.
        dtype: ``"float32"`` or ``"float64"``; by default ``pynn.config.floatx()``.
        activity_regularizer: penalty of the layer's output in the loss.
        kwargs: ``input_shape`` or ``input_dim`` of a model's first layer.

    Raises:
        TypeError: an argument the layer does not know.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        activity_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        owner = type(self).__name__
        if name is not None and not isinstance(name, str):
            raise TypeError(f"{owner}: `name` must be a string. Received: name={name!r}")
        self.input_shape_argument = _input_shape(owner, kwargs)
        if kwargs:
            known = [*argument_names(type(self)), "name", "trainable", "dtype", "input_shape"]
            raise TypeError(unknown_argument(owner, next(iter(kwargs)), known))
        self.dtype = check_dtype(owner, dtype) if dtype is not None else floatx()
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.named_by_user = name is not None
        self.name = name or unique_name(to_snake_case(owner))
        self.built = False
        self._trainable = bool(trainable)
        self._variables: list[Variable] = []
        self._fixed: Shape | None = None  # the part of the input shape that the weights depend on
        self._input_shape: Shape | None = None

    # ---- what a subclass says ----------------------------------------------------------------

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Makes the weights for inputs of shape ``(batch, ...)``; nothing to do without weights."""

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Returns the output's shape for an input of shape ``(batch, ...)``."""
        return tuple(input_shape)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        """Adds the nodes that compute this layer to ``graph`` and returns the output's tensor."""
        raise NotImplementedError

    def fixed_part(self, shape: Shape) -> Shape:
        """The part of a sample's shape that the weights depend on, () if none does."""
        return ()

    # ---- building ----------------------------------------------------------------------------

    def build_for(self, shape: Shape) -> None:
        """Builds the layer for samples of this shape, or checks that it was built for such ones.

        Raises:
            ValueError: the layer was built for another shape.
        """
        fixed = self.fixed_part(shape)
        if not self.built:
            self.build((None, *shape))
            self.built = True
            self._fixed = fixed
        elif self._fixed is not None and fixed != self._fixed:
            expected = self._fixed[0] if len(self._fixed) == 1 else self._fixed
            what = "input features" if len(self._fixed) == 1 else "as the shape of a sample"
            raise ValueError(
                f"{self.name}: expected {expected} {what} (set when the layer was built). "
                f"Received: x.shape={('n', *shape)!r}".replace("'", "")
            )
        self._input_shape = shape

    def unbuild(self) -> None:
        """Forgets the weights and the shape they were made for."""
        self.built, self._fixed, self._input_shape = False, None, None
        self._variables.clear()

    def rename(self) -> None:
        """Gives the layer the next automatic name."""
        self.name = unique_name(to_snake_case(type(self).__name__))
        for variable in self._variables:
            variable.path = f"{self.name}/{variable.name}"

    def add_weight(
        self,
        shape: Sequence[int],
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        name: str = "weight",
    ) -> Variable:
        """Makes a weight array of the layer and fills it.

        Args:
            shape: its shape.
            initializer: anything ``initializers.get`` understands; None for Glorot's uniform.
            dtype: by default the layer's.
            trainable: whether gradients change it.
            regularizer: anything ``regularizers.get`` understands.
            name: its short name.

        Raises:
            ValueError: the initializer returns another shape.
        """
        kind = check_dtype(self.name, dtype) if dtype is not None else self.dtype
        initializer = initializers.get("glorot_uniform" if initializer is None else initializer)
        values = np.asarray(initializer(tuple(shape), kind))
        check_shape(f"{self.name}/{name}: the initializer", shape, values.shape)
        variable = Variable(values, name, trainable, regularizers.get(regularizer), kind)
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    # ---- weights -----------------------------------------------------------------------------

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)

    @property
    def weights(self) -> list[Variable]:
        return [*self._variables]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if v.trainable] if self.trainable else []

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        return [v for v in self.weights if not (v.trainable and self.trainable)]

    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Returns copies of the weight arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Overwrites the weight arrays; nothing is written unless all fit.

        Raises:
            ValueError: wrong number or shape of arrays.
        """
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(
                f"{self.name}: expected {len(variables)} weight arrays"
                f"{'' if self.built else ' (not built yet)'}. Received: {len(weights)} arrays"
            )
        arrays = [as_array(v.path, a) for v, a in zip(variables, weights, strict=True)]
        for variable, array in zip(variables, arrays, strict=True):
            check_shape(variable.path, variable.shape, array.shape)
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)

    def count_params(self) -> int:
        """Returns the number of weights.

        Raises:
            ValueError: the layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}: the weights are not made yet. Build the layer first: give the model "
                "an `Input`, or call it on data."
            )
        return sum(math.prod(v.shape) for v in self.weights)

    # ---- use and description -----------------------------------------------------------------

    def __call__(self, x: npt.ArrayLike, training: bool = False) -> npt.NDArray[Any]:
        """Returns the layer's output for an array of samples, shape ``(n, ...)``.

        Example:
            >>> import pynn
            >>> pynn.layers.ReLU()([[-1.0, 2.0]]).tolist()
            [[0.0, 2.0]]
        """
        return run_layer(self, as_array("x", x), training)

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        return (None, *self._known_input_shape())

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        return self.compute_output_shape((None, *self._known_input_shape()))

    def _known_input_shape(self) -> Shape:
        if self._input_shape is None:
            raise AttributeError(f"{self.name}: the layer is not built yet, so it has no shapes.")
        return self._input_shape

    def get_config(self) -> dict[str, Any]:
        """Returns name, trainable, dtype and the constructor's arguments as plain data."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        config |= {name: serialize(getattr(self, name)) for name in argument_names(type(self))}
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = serialize(self.activity_regularizer)
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a layer from what ``get_config`` returned (its weights are not part of that)."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _input_shape(owner: str, kwargs: dict[str, Any]) -> Shape | None:
    """Takes the input's shape, in any of its spellings, out of ``kwargs``."""
    shape = kwargs.pop("input_shape", None)
    batch_shape = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    dim = kwargs.pop("input_dim", None)
    kwargs.pop("batch_size", None)
    if batch_shape is not None:
        shape = tuple(batch_shape)[1:]
    if dim is not None:
        shape = (dim,)
    return None if shape is None else sample_shape(owner, shape)


def sample_shape(owner: str, shape: Any) -> Shape:
    """Returns the shape of one sample as a tuple of sizes.

    Raises:
        ValueError: a size is missing, not an integer or not positive.
    """
    sizes = (shape,) if isinstance(shape, (int, np.integer)) else shape
    try:
        result = tuple(sizes)
        valid = all(
            isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in result
        )
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(
            f"{owner}: the shape of one sample must consist of positive integers (without the "
            f"batch dimension). Received: shape={shape!r}"
        )
    return tuple(int(n) for n in result)


def no_constraints(owner: str, **constraints: Any) -> None:
    """Raises ValueError unless all constraints are None."""
    for name, value in constraints.items():
        if value is not None:
            raise ValueError(
                f"{owner}: constraints are not available; keep weights small with a regularizer or "
                f"with the optimizer's weight_decay. Received: {name}={value!r}"
            )


def fraction(owner: str, name: str, value: Any, include_one: bool = False) -> float:
    """Returns ``value`` as a float in [0, 1) or [0, 1].

    Raises:
        ValueError: it lies outside, or is no number.
    """
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not is_number or not (0 <= value < 1 or (include_one and value == 1)):
        raise ValueError(
            f"{owner}: `{name}` must be a number in [0, 1{']' if include_one else ')'}. "
            f"Received: {name}={value!r}"
        )
    return float(value)
