"""The weights of layers: making, finding, reading and writing them."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import constraints, initializers, regularizers
from pynn._graph.structure import distinct, kept
from pynn._graph.variable import Variable, check_shape
from pynn.config import check_dtype
from pynn.layers._description import Described
from pynn.utils.arrays import as_array
from pynn.utils.limits import check_weight_size
from pynn.utils.naming import building


class Weighted(Described):
    """The part of a layer that holds its weights and those of the layers inside it."""

    built: bool
    _trainable: bool
    _variables: list[Variable]
    _activity_losses: list[Any]

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight array of the layer and fills it.

        Args:
            shape: its shape; () or None for a single number.
            initializer: anything ``initializers.get`` understands; None for Glorot's uniform.
            dtype: by default the layer's.
            trainable: whether gradients change it.
            regularizer: anything ``regularizers.get`` understands.
            constraint: anything ``constraints.get`` understands.
            overwrite_with_gradient: only False.
            name: its short name.

        Raises:
            ValueError: the initializer returns another shape, or weights are to be overwritten.
        """
        if overwrite_with_gradient:
            raise ValueError(
                f"{self.name}: the optimizer updates all weights. "
                "Received: overwrite_with_gradient=True"
            )
        kind = check_dtype(self.name, dtype) if dtype is not None else self.dtype
        sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape or ())
        name = name or "variable"
        initializer = initializers.get("glorot_uniform" if initializer is None else initializer)
        check_weight_size(f"{self.name}/{name}", sizes)
        values = np.asarray(initializer(sizes, kind))
        check_shape(f"{self.name}/{name}: the initializer", sizes, values.shape)
        variable = Variable(values, dtype=kind, trainable=trainable, name=name)
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        with building(self) as path:
            variable.path = f"{path}/{name}"
        self._variables.append(variable)
        return variable

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """The same as ``add_weight``."""
        return self.add_weight(
            shape, initializer, dtype, trainable, regularizer, constraint, name=name
        )

    @property
    def sublayers(self) -> list[Any]:
        """The layers kept as attributes, alone or in lists and dictionaries, in order."""
        return kept(self, Weighted)

    @property
    def own_variables(self) -> list[Variable]:
        """The weights of this layer itself: first those that can be trained."""
        found = distinct([*self._variables, *kept(self, Variable)])
        return sorted(found, key=lambda v: not v.trainable)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets the layers inside, too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.sublayers:
            layer.trainable = bool(value)

    @property
    def weights(self) -> list[Variable]:
        inner = [v for layer in self.sublayers for v in layer.weights]
        return distinct([*self.own_variables, *inner])

    @property
    def variables(self) -> list[Variable]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        if not self.trainable:
            return []
        inner = [v for layer in self.sublayers for v in layer.trainable_weights]
        return distinct([*(v for v in self.own_variables if v.trainable), *inner])

    @property
    def trainable_variables(self) -> list[Variable]:
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        return self.non_trainable_weights

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Returns copies of the weight arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Overwrites the weight arrays; nothing is written unless all fit.

        Raises:
            ValueError: wrong number or shape of arrays.
        """
        variables = self.weights
        if not isinstance(weights, (list, tuple, np.ndarray)):
            raise ValueError(
                f"{self.name}: set_weights takes a list of arrays, as get_weights returns it. "
                f"Received: weights={weights!r}"
            )
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

    @property
    def losses(self) -> list[Any]:
        """The penalties of the trained weights as they are now.

        After a call on arrays, the layer's activity penalty of that call stands before them.
        """
        weights = [v.regularizer(v.numpy()) for v in self.trainable_weights if v.regularizer]
        return [*self._activity_losses, *weights]

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Puts the arrays of this layer itself into ``store``, under ``"0"``, ``"1"``, ..."""
        for i, variable in enumerate(self.own_variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Sets the arrays of this layer itself to those that ``save_own_variables`` stored.

        Raises:
            ValueError: the number of arrays differs.
        """
        variables = self.own_variables
        if len(store) != len(variables):
            raise ValueError(
                f"{self.name}: expected {len(variables)} arrays"
                f"{'' if self.built else ' (not built yet)'}. Received: {len(store)} arrays"
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
