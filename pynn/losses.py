"""Losses: functions with a value per row, and classes that reduce them to one number.

Names, parameters and documentation come from the engine's table (``pynn._core.catalog()``);
formulas and defaults are Keras's. ``model.compile(loss=...)`` takes a name, a function or an
object.

Example:
    >>> import numpy as np
    >>> y_true, y_pred = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> get("mse")(y_true, y_pred)
    0.5
    >>> get("huber").fn(y_true, y_pred, delta=0.5).tolist()
    [0.1875, 0.1875]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core
from pynn.utils.configurable import Configurable, lookup
from pynn.utils.configurable import serialize as _serialize

_MEANS = ("sum_over_batch_size", "mean")
_REDUCTIONS = (*_MEANS, "mean_with_sample_weight", "sum", "none", None)


class Loss(Configurable):
    """Base of all losses.

    ``loss(y_true, y_pred, sample_weight=None)`` returns a number: by default the mean over the rows
    of weight times loss.

    Attributes:
        name: what logs call it.
        fn: the function with a value per row.
        sparse: whether targets are class numbers: one axis fewer than predictions.
    """

    name: Any
    reduction: Any
    row: _catalog.Row
    fn: Any

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return bool(self.row.facts["index_target"])

    def _setup(self) -> None:
        if self.reduction not in _REDUCTIONS:
            raise ValueError(
                f"{type(self).__name__}: `reduction` must be one of {_REDUCTIONS}. "
                f"Received: reduction={self.reduction!r}"
            )
        self.name = self.name or self.row.name
        check_options(type(self).__name__, self.row, vars(self))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, without those that Keras does not have."""
        return keras_config(self.row, super().get_config())

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the reduced loss: a float, or the rows' values for ``reduction="none"``."""
        values = row_values(self.row, y_true, y_pred, vars(self))
        divisor = values.size
        if sample_weight is not None:
            weight = row_weights(sample_weight, values.shape)
            values = values * weight
            if self.reduction == "mean_with_sample_weight":
                divisor = weight.sum()
        if self.reduction in ("none", None):
            return values
        total = float(values.sum())
        return total if self.reduction == "sum" else total / divisor if divisor else 0.0

    def call(self, y_true: Any, y_pred: Any) -> npt.NDArray[Any]:
        """Returns the loss of every row."""
        return row_values(self.row, y_true, y_pred, vars(self))

    def spec(self) -> dict[str, Any]:
        """The loss as the engine's trainer takes it.

        Raises:
            ValueError: a reduction that training does not know.
        """
        if self.reduction not in _MEANS:
            raise ValueError(
                f"{type(self).__name__}: training minimizes the mean over the batch. "
                f"Received: reduction={self.reduction!r}"
            )
        return spec_of(self.row, vars(self))


def keras_config(row: _catalog.Row, config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without what Keras does not have, where that says nothing."""
    extra = {"axis": -1}
    if row.facts["index_target"]:
        extra["label_smoothing"] = 0
    return {key: value for key, value in config.items() if extra.get(key, ...) != value}


def check_options(owner: str, row: _catalog.Row, given: Mapping[str, Any]) -> None:
    """Checks the parameters of a loss.

    Raises:
        ValueError: a value outside its range.
        TypeError: not a number.
    """
    row.params(owner, given)
    smoothing = given.get("label_smoothing", 0.0)
    if not 0 <= float(smoothing) <= 1:
        raise ValueError(
            f"{owner}: `label_smoothing` must be between 0 and 1. "
            f"Received: label_smoothing={smoothing!r}"
        )
    _catalog.check_axis(owner, given.get("axis", -1))
    if given.get("ignore_class") is not None:
        raise ValueError(
            f"{owner}: `ignore_class` must be None; give such rows the sample weight 0. "
            f"Received: ignore_class={given['ignore_class']!r}"
        )


def spec_of(row: _catalog.Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """A loss and its parameters as the engine takes them."""
    return {
        "name": row.name,
        "params": list(row.params(row.name, given)),
        "label_smoothing": float(given.get("label_smoothing", 0.0)),
        "from_logits": bool(given.get("from_logits", False)),
    }


def aligned(owner: str, sparse: bool, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Returns targets and predictions as arrays whose shapes fit.

    Raises:
        ValueError: shapes that do not fit.
        TypeError: not numbers.
    """
    pred = _catalog.float_array("y_pred", y_pred)
    target = np.asarray(_catalog.float_array("y_true", y_true), dtype=pred.dtype)
    if pred.ndim and sparse:
        if target.shape == (*pred.shape[:-1], 1):
            target = target[..., 0]
        if target.shape == pred.shape[:-1]:
            return target, pred
    elif pred.ndim:
        if target.ndim == pred.ndim - 1 and pred.shape[-1] == 1:
            target = target[..., None]
        elif target.ndim == pred.ndim + 1 and target.shape[-1] == 1:
            pred = pred[..., None]
        if target.shape == pred.shape:
            return target, pred
    rule = "class numbers, one for each row of y_pred" if sparse else "of the shape of y_pred"
    raise ValueError(
        f"{owner}: `y_true` must be {rule}. "
        f"Received: y_true.shape={target.shape}, y_pred.shape={pred.shape}"
    )


def row_values(
    row: _catalog.Row, y_true: Any, y_pred: Any, given: Mapping[str, Any]
) -> npt.NDArray[Any]:
    """The loss of every row."""
    target, pred = aligned(row.name, row.facts["index_target"], y_true, y_pred)
    spec = spec_of(row, given)
    values: npt.NDArray[Any] = _core.loss(
        row.name, target, pred, spec["params"], spec["label_smoothing"], spec["from_logits"]
    )
    return values


def row_weights(sample_weight: Any, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Weights broadcast to one for each row.

    Raises:
        ValueError: a shape that does not fit.
    """
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.ndim == len(shape) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.shape != shape[: weight.ndim]:
        raise ValueError(
            f"`sample_weight` must have one number for each row, shape {shape}. "
            f"Received: sample_weight.shape={weight.shape}"
        )
    weight = weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim))
    return np.broadcast_to(weight, shape)


def parameters_of(row: _catalog.Row) -> tuple[list[Any], list[str]]:
    """The parameters every form of a loss has, with a line of documentation for each."""
    parameters = [field.parameter for field in row.fields]
    arguments = row.argument_docs()
    if row.facts["from_logits"]:
        parameters.append(_catalog.parameter("from_logits", False, "bool"))
        source = row.facts["fuses_with"]
        arguments.append(
            f"from_logits: whether y_pred is what goes into {source}, not what comes out."
        )
    if row.facts["index_target"]:
        parameters.append(_catalog.parameter("ignore_class", None, "None"))
        arguments.append("ignore_class: only None.")
    if row.facts["smoothing"]:
        parameters.append(_catalog.parameter("label_smoothing", 0.0, "float"))
        arguments.append("label_smoothing: share of the target spread evenly over all classes.")
    return parameters, arguments


def _make_function(row: _catalog.Row) -> Any:
    parameters, arguments = parameters_of(row)
    sparse = row.facts["index_target"]
    shape = "(...), class numbers" if sparse else "(..., n)"
    arguments = [
        f"y_true: targets, shape {shape}.",
        "y_pred: predictions, shape (..., n).",
        *arguments,
        "axis: only -1, the last axis.",
    ]
    given = [_catalog.parameter(name, kind="npt.ArrayLike") for name in ("y_true", "y_pred")]

    def body(values: dict[str, Any]) -> npt.NDArray[Any]:
        y_true, y_pred = values.pop("y_true"), values.pop("y_pred")
        check_options(row.name, row, values)
        return row_values(row, y_true, y_pred, values)

    function = _catalog.make_function(
        __name__,
        row.name,
        [*given, *parameters, _catalog.keyword("axis", -1, "int")],
        "npt.NDArray[Any]",
        row.document({"Args": arguments, "Returns": ["The loss of every row, shape (...)."]}),
        body,
    )
    function.row = row
    return function


def _make_class(row: _catalog.Row, function: Any) -> Any:
    parameters, arguments = parameters_of(row)
    parameters += [
        _catalog.parameter("reduction", "sum_over_batch_size", "str | None"),
        _catalog.parameter("name", row.name, "str | None"),
        _catalog.parameter("dtype", None, "Any"),
        _catalog.keyword("axis", -1, "int"),
    ]
    arguments += [
        'reduction: "sum_over_batch_size" (the mean over all rows), "mean_with_sample_weight" (the',
        '    weighted mean), "sum", or "none".',
        "name: what logs call it.",
        "dtype: without effect: the engine computes in the type of y_pred.",
        "axis: only -1, the last axis.",
    ]
    facts = {"row": row, "fn": staticmethod(function)}
    doc = row.document({"Args": arguments})
    return _catalog.make_class(__name__, row.class_name, Loss, parameters, doc, facts)


_ROWS = _catalog.rows("loss")
_FUNCTIONS: dict[str, Any] = {name: _make_function(row) for name, row in _ROWS.items()}
_CLASSES: dict[str, Any] = {
    row.class_name: _make_class(row, _FUNCTIONS[name]) for name, row in _ROWS.items()
}
_ALIASES = {alias: row for row in _ROWS.values() for alias in (row.name, *row.aliases)}
_BY_NAME = {name: _CLASSES[row.class_name] for name, row in _ALIASES.items()} | _CLASSES
globals().update({name: _FUNCTIONS[row.name] for name, row in _ALIASES.items()} | _CLASSES)

__all__ = ["Loss", "deserialize", "get", "serialize", *_ALIASES, *_CLASSES]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


def get(identifier: Any) -> Any:
    """Returns a loss object.

    Args:
        identifier: a name ("mse", "MeanSquaredError"), a function or class of this module, the
            dictionary made by ``serialize``; an object or None is returned as it is.

    Raises:
        ValueError: an unknown name.
        TypeError: something else, such as a Python function of one's own.

    Example:
        >>> get("mae").name
        'mean_absolute_error'
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        return lookup("loss", identifier, _BY_NAME)()
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        cls = lookup("loss", str(identifier["class_name"]), _BY_NAME)
        return cls(**identifier.get("config", {}))
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(getattr(identifier, "row", None), _catalog.Row):
        return lookup("loss", identifier.row.name, _BY_NAME)()
    raise TypeError(
        "A loss is one of pynn.losses, or its name; Python functions cannot be differentiated. "
        f"Known: {', '.join(sorted(_ROWS))}. Received: loss={identifier!r}"
    )


def serialize(loss: Any) -> dict[str, Any]:
    """Returns the dictionary from which ``get`` makes an equal loss."""
    described: dict[str, Any] = _serialize(get(loss))
    return described


def deserialize(config: Any) -> Any:
    """Returns the loss of this name or dictionary."""
    return get(config)
