"""Functions and classes made from the rows of the engine's loss table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core
from pynn._graph.symbol import record, symbols_in
from pynn._graph.variable import Variable
from pynn.losses._base import (
    MEANS,
    Loss,
    check_axis,
    check_smoothing,
    is_symbolic,
    math_for,
)

PUBLIC = "pynn.losses"
ROWS = _catalog.rows("loss")

# Keras's name of an object where it is not that of the function.
_NAMES = {"huber": "huber_loss"}
# Losses whose axis Keras does not save.
_AXIS_UNSAVED = ("cosine_similarity", "sparse_categorical_crossentropy")


class RowLoss(Loss):
    """A loss that the engine's table computes; see ``Loss``."""

    _row: _catalog.Row
    fn: Any
    axis: Any

    @property
    def row(self) -> Any:
        """The row of the engine's table; None where targets must be prepared for it first."""
        prepared = (
            getattr(self, "axis", -1) != -1 or getattr(self, "ignore_class", None) is not None
        )
        return None if prepared else self._row

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return bool(self._row.facts["index_target"])

    def _setup(self) -> None:
        self._check_reduction()
        self.name = self.name or self._row.name
        check_options(type(self).__name__, self._row, vars(self))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        given = {
            name: getattr(self, name) for name in loss_parameters(self._row) if name != "dtype"
        }
        if self._row.name in _AXIS_UNSAVED and self.axis == -1:
            del given["axis"]
        return keras_config(self._row, given)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the loss of every row."""
        if not is_symbolic(y_true, y_pred):
            return row_values(self._row, y_true, y_pred, vars(self))
        if symbols_in((y_true, y_pred)):
            return record(self.call, (y_true, y_pred), {})
        values, counted = row_node(self._row, y_true, y_pred, vars(self))
        if counted is None or self.reduction not in MEANS:
            return values
        ops = math_for(values)  # the mean is over the rows that count
        return values * (ops.sum(ops.ones_like(values)) / ops.maximum(ops.sum(counted), 1.0))

    def counted(self, y_true: Any, y_pred: Any) -> Any:
        """The rows whose class is not ignored."""
        return prepared(self._row, y_true, y_pred, vars(self))[2]

    def spec(self) -> dict[str, Any]:
        """The loss as the engine's trainer takes it.

        Raises:
            ValueError: a reduction that training does not know.
        """
        described = super().spec()
        if getattr(self, "ignore_class", None) is not None and (
            self.reduction == "mean_with_sample_weight"
        ):
            raise ValueError(
                f"{type(self).__name__}: with `ignore_class` training knows the reductions "
                f"{MEANS} and 'sum'. Received: reduction={self.reduction!r}"
            )
        return described if self.row is None else {**spec_of(self._row, vars(self)), **described}


def keras_config(row: _catalog.Row, config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what Keras does not have, where that says nothing."""
    extra = {"label_smoothing": 0} if row.facts["index_target"] else {}
    return {key: value for key, value in config.items() if extra.get(key, ...) != value}


def check_options(owner: str, row: _catalog.Row, given: Mapping[str, Any]) -> None:
    """Checks the parameters of a loss.

    Raises:
        ValueError: a value outside its range.
        TypeError: not a number.
    """
    row.params(owner, given)
    check_smoothing(owner, given.get("label_smoothing", 0.0))
    check_axis(owner, given.get("axis", -1))


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
            target = target[..., 0] if pred.ndim > 1 else target
            pred = pred if pred.ndim > 1 else pred[..., None]
        if target.shape == pred.shape:
            return target, pred
    rule = "class numbers, one for each row of y_pred" if sparse else "of the shape of y_pred"
    raise ValueError(
        f"{owner}: `y_true` must be {rule}. "
        f"Received: y_true.shape={target.shape}, y_pred.shape={pred.shape}"
    )


def prepared(
    row: _catalog.Row, y_true: Any, y_pred: Any, given: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    """Targets and predictions as the engine takes them, and which rows count (None: all)."""
    sparse, axis = row.facts["index_target"], given.get("axis", -1)
    target, pred = np.asarray(y_true), np.asarray(y_pred)
    if axis != -1:
        if target.ndim == pred.ndim:
            target = np.moveaxis(target, axis, -1)
        pred = np.moveaxis(pred, axis, -1)
    target, pred = aligned(row.name, sparse, target, pred)
    ignored = given.get("ignore_class")
    if ignored is None:
        return target, pred, None
    counted = target != ignored
    return np.where(counted, target, target.dtype.type(0)), pred, counted


def row_values(
    row: _catalog.Row, y_true: Any, y_pred: Any, given: Mapping[str, Any]
) -> npt.NDArray[Any]:
    """The loss of every row; 0 for a class that is ignored."""
    target, pred, counted = prepared(row, y_true, y_pred, given)
    spec = spec_of(row, given)
    values: npt.NDArray[Any] = _core.loss(
        row.name, target, pred, spec["params"], spec["label_smoothing"], spec["from_logits"]
    )
    return values if counted is None else np.where(counted, values, 0.0)


def row_node(
    row: _catalog.Row, y_true: Any, y_pred: Any, given: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The same inside a graph: the loss of every row, and which rows count (None: all)."""
    ops, axis = math_for(y_true, y_pred), given.get("axis", -1)
    graph = (y_pred if is_symbolic(y_pred) else y_true).graph
    y_true, y_pred = (_tensor(graph, value) for value in (y_true, y_pred))
    if axis != -1:
        if len(y_true.shape) == len(y_pred.shape):
            y_true = ops.moveaxis(y_true, axis, -1)
        y_pred = ops.moveaxis(y_pred, axis, -1)
    ignored, counted = given.get("ignore_class"), None
    if ignored is not None:
        if len(y_true.shape) == len(y_pred.shape):
            y_true = ops.squeeze(y_true, axis=-1)
        counted = ops.cast(ops.not_equal(y_true, ignored), graph.dtype)
        y_true = y_true * counted
    sample = tuple(y_pred.sample[:-1])
    values = graph.add("loss", [y_pred, y_true], sample, **spec_of(row, given))
    return (values if counted is None else values * counted), counted


def _tensor(graph: Any, value: Any) -> Any:
    if is_symbolic(value):
        return value
    return graph.parameter(value) if isinstance(value, Variable) else graph.constant(value)


# ---- making functions and classes ----------------------------------------------------------------


def has_axis(row: _catalog.Row) -> bool:
    """Whether the axis of the classes can be chosen."""
    return bool(row.facts["from_logits"]) or row.name == "cosine_similarity"


def row_parameters(row: _catalog.Row) -> dict[str, tuple[Any, list[str]]]:
    """The parameters of every form of a loss: signature and documentation by name."""
    found: dict[str, tuple[Any, list[str]]] = {
        field.name: (field.parameter, [text])
        for field, text in zip(row.fields, row.argument_docs(), strict=True)
    }
    sparse = row.facts["index_target"]
    if row.facts["from_logits"]:
        source = row.facts["fuses_with"]
        found["from_logits"] = (
            _catalog.parameter("from_logits", False, "bool"),
            [f"from_logits: whether y_pred is what goes into {source}, not what comes out."],
        )
        if sparse:
            found["ignore_class"] = (
                _catalog.parameter("ignore_class", None, "int | None"),
                ["ignore_class: targets of this class do not count."],
            )
    if row.facts["smoothing"]:
        make = _catalog.keyword if sparse else _catalog.parameter
        found["label_smoothing"] = (
            make("label_smoothing", 0.0, "float"),
            ["label_smoothing: share of the target spread evenly over all classes."],
        )
    if has_axis(row):
        found["axis"] = (
            _catalog.parameter("axis", -1, "int"),
            ["axis: where the classes are; the mean is over this axis."]
            if row.facts["fuses_with"] == "sigmoid"
            else ["axis: the axis of the classes or coordinates."],
        )
    return found


def loss_parameters(row: _catalog.Row) -> dict[str, tuple[Any, list[str]]]:
    """The parameters of a loss's class, in Keras's order."""
    own = row_parameters(row)
    common: dict[str, tuple[Any, list[str]]] = {
        "reduction": (
            _catalog.parameter("reduction", "sum_over_batch_size", "str | None"),
            [
                'reduction: "sum_over_batch_size" or "mean" (over all rows),',
                '    "mean_with_sample_weight" (the weighted mean), "sum", or "none".',
            ],
        ),
        "name": (
            _catalog.parameter("name", _NAMES.get(row.name, row.name), "str | None"),
            ["name: what logs call it."],
        ),
        "dtype": (
            _catalog.parameter("dtype", None, "Any"),
            ["dtype: type that targets and predictions are cast to; None keeps that of y_pred."],
        ),
    }
    if "ignore_class" in own:  # here Keras puts the reduction before the axis
        own["reduction"], own["axis"] = common.pop("reduction"), own.pop("axis")
    return _keywords_last(own | common)


def _keywords_last(parameters: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(parameters.items(), key=lambda item: item[1][0].kind))


def _make_function(row: _catalog.Row) -> Any:
    own = _keywords_last(row_parameters(row))
    shape = "(...), class numbers" if row.facts["index_target"] else "(..., n)"
    arguments = [f"y_true: targets, shape {shape}.", "y_pred: predictions, shape (..., n)."]
    arguments += [line for _, lines in own.values() for line in lines]
    given = [_catalog.parameter(name, kind="npt.ArrayLike") for name in ("y_true", "y_pred")]

    def body(values: dict[str, Any]) -> Any:
        y_true, y_pred = values.pop("y_true"), values.pop("y_pred")
        check_options(row.name, row, values)
        if symbols_in((y_true, y_pred)):
            return record(function, (y_true, y_pred), values)
        if is_symbolic(y_true, y_pred):
            return row_node(row, y_true, y_pred, values)[0]
        return row_values(row, y_true, y_pred, values)

    function = _catalog.make_function(
        PUBLIC,
        row.name,
        [*given, *(parameter for parameter, _ in own.values())],
        "npt.NDArray[Any]",
        row.document({"Args": arguments, "Returns": ["The loss of every row, shape (...)."]}),
        body,
    )
    function.row = row
    return function


def _make_class(row: _catalog.Row, function: Any) -> Any:
    parameters = loss_parameters(row)
    arguments = [line for _, lines in parameters.values() for line in lines]
    facts = {"_row": row, "fn": staticmethod(function)}
    return _catalog.make_class(
        PUBLIC,
        row.class_name,
        RowLoss,
        [parameter for parameter, _ in parameters.values()],
        row.document({"Args": arguments}),
        facts,
    )


FUNCTIONS: dict[str, Any] = {name: _make_function(row) for name, row in ROWS.items()}
CLASSES: dict[str, Any] = {
    row.class_name: _make_class(row, FUNCTIONS[name]) for name, row in ROWS.items()
}
# Every name of a function: its own and its aliases.
BY_NAME: dict[str, Any] = {
    alias: FUNCTIONS[row.name] for row in ROWS.values() for alias in (row.name, *row.aliases)
}
