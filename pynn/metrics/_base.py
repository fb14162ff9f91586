"""The base of all metrics, and of those whose sums the engine keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core, config, initializers
from pynn._graph.variable import Variable
from pynn.losses._base import row_weights
from pynn.losses._rows import aligned
from pynn.utils.configurable import Configurable
from pynn.utils.naming import to_snake_case, unique_name

Array = npt.NDArray[Any]
Sums = npt.NDArray[np.float64]


class Metric(Configurable):
    """Base of all metrics: state that batches are added to, and what it comes to.

    A metric of one's own makes its state with ``add_variable`` and defines ``update_state`` and
    ``result``.

    Args:
        dtype: type of the state; None for that of new layers.
        name: what logs call it; by default the class's name.

    Example:
        >>> class Rows(Metric):
        ...     def __init__(self, name="rows"):
        ...         super().__init__(name=name)
        ...         self.count = self.add_variable((), "zeros", name="count")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.count.assign_add(len(y_true))
        ...     def result(self):
        ...         return float(self.count)
        >>> Rows()(np.zeros(3), np.zeros(3))
        3.0
    """

    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name: Any = name or unique_name(to_snake_case(type(self).__name__))
        self.dtype = dtype
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> Any:
        """The type given, else that of new layers."""
        return self._dtype or config.floatx()

    @dtype.setter
    def dtype(self, dtype: Any) -> None:
        dtype = getattr(dtype, "compute_dtype", dtype)
        try:
            self._dtype = None if dtype is None else np.dtype(dtype).name
        except TypeError:
            raise ValueError(
                f"{type(self).__name__}: `dtype` must be the name of a type. "
                f"Received: dtype={dtype!r}"
            ) from None

    @property
    def row(self) -> Any:
        """The row of the engine's table that keeps the sums; None if Python adds every batch."""
        return None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return False

    @property
    def direction(self) -> str | None:
        """ "up" if higher is better, "down" if lower is, None if that is not known."""
        return self._direction

    def add_variable(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Makes an array of state.

        Args:
            shape: its shape.
            initializer: its first values, zeros by default; ``reset_state`` sets zeros.
            dtype: its type, by default the metric's; whole numbers are kept in float64.
            aggregation: only "sum": there is one copy of it.
            name: its name.

        Raises:
            RuntimeError: the metric's ``__init__`` did not call ``super().__init__()``.
            ValueError: another aggregation.
        """
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: call super().__init__() before making variables."
            )
        if aggregation != "sum":
            raise ValueError(
                f"{type(self).__name__}: `aggregation` must be 'sum'. "
                f"Received: aggregation={aggregation!r}"
            )
        kind = np.dtype(dtype or self.dtype).name
        variable = Variable(
            initializers.get(initializer or "zeros"),
            tuple(shape),
            dtype=kind if kind in ("float32", "float64") else "float64",
            trainable=False,
            name=name or "variable",
        )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: tuple[int, ...] = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes an array of state: the older name of ``add_variable``."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The state: this metric's own, then that of metrics among its attributes."""
        inner = [value for value in vars(self).values() if isinstance(value, Metric)]
        return [*self._variables, *(v for metric in inner for v in metric.variables)]

    def reset_state(self) -> None:
        """Forgets what was added: all state becomes 0."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Adds a batch; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define update_state(y_true, y_pred)")

    def result(self) -> Any:
        """Returns the value of everything added; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: define result(self)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Adds a batch and returns the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        return {"name": self.name, "dtype": self.dtype}

    def spec(self) -> dict[str, Any] | None:
        """The metric as the engine's trainer takes it; None where Python adds every batch."""
        return None


class SumsMetric(Metric):
    """Base of the metrics that are sums over rows and what those come to."""

    _sums: Variable | None

    def _setup(self) -> None:
        self._variables = []
        self._sums = None

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: targets, of the shape of y_pred, or class numbers for a sparse metric.
            y_pred: predictions, shape ``(..., n)``; ``(n,)`` counts as ``(n, 1)``.
            sample_weight: weight of each row; of each element where elements are what counts.

        Raises:
            ValueError: shapes that do not fit.
        """
        pred, target = _catalog.float_array("y_pred", y_pred), np.asarray(y_true)
        if self.dtype in ("float32", "float64") and self.dtype != config.floatx():
            pred = pred.astype(self.dtype)
        if pred.ndim == 1:
            pred, target = pred[:, None], target.reshape(len(target), -1)
        target, pred = aligned(self._label, self.sparse, target, pred)
        weight = None
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)
            if self._by_element and weight.shape == pred.shape:
                target, pred, weight = (a.reshape(-1, 1) for a in (target, pred, weight))
            weight = row_weights(weight, pred.shape[:-1]).astype(pred.dtype)
        sums = self._batch_sums(target, pred, weight)
        if self._sums is None:
            self._sums = self.add_variable(sums.shape, dtype="float64", name="sums")
        self._sums.assign_add(sums)

    @property
    def _label(self) -> str:
        """How messages call the metric."""
        return str(self.name)

    @property
    def _by_element(self) -> bool:
        """Whether every element is a case of its own, with a weight of its own."""
        return False

    def _batch_sums(self, target: Array, pred: Array, weight: Array | None) -> Sums:
        raise NotImplementedError

    def result(self) -> Any:
        """Returns the value over everything added since the last ``reset_state``; 0 for nothing."""
        return 0.0 if self._sums is None else self.result_of(self._sums.numpy())

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns sums, as the engine's trainer keeps them, into the value."""
        raise NotImplementedError

    def set_sums(self, sums: npt.ArrayLike) -> None:
        """Sets the state to sums that the engine's trainer kept."""
        array = np.asarray(sums, np.float64)
        if self._sums is None:
            self._sums = self.add_variable(array.shape, dtype="float64", name="sums")
        self._sums.assign(array)


def row_sums(
    name: str, target: Array, pred: Array, weight: Array | None, params: list[float]
) -> Sums:
    """The sums of one batch for a row of the engine's metric table."""
    flat = None if weight is None else weight.ravel()
    if pred.size == 0:
        target, pred, flat = np.zeros((1, *target.shape[1:])), np.zeros((1, *pred.shape[1:])), None
        return np.zeros(len(_core.metric(name, target, pred, flat, params)))
    return np.array(_core.metric(name, target, pred, flat, params))
