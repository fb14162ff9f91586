"""Functions and classes made from the rows of the engine's tables; every loss is a metric too."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core, _legacy
from pynn._graph.symbol import record, symbols_in
from pynn.losses import _rows as loss_rows
from pynn.losses._base import as_array, check_axis, is_symbolic, row_weights
from pynn.metrics._base import Array, Sums, SumsMetric, row_sums
from pynn.utils.checks import number

PUBLIC = "pynn.metrics"
LOSSES = _catalog.rows("loss")
# A metric of its own comes before the loss of the same name.
ROWS = {**LOSSES, **_catalog.rows("metric")}

# Keras's name of an object where it is not that of the function.
_NAMES = {"log_cosh": "logcosh"}
_AXIS = ("cosine_similarity", "pearson_correlation", "concordance_correlation")
# Values that are those of elements: the functions return one for each.
_ELEMENTWISE = ("accuracy", "binary_accuracy")
# Parameters that stand before the name, as in Keras.
_FIRST = ("k", "class_aggregation", "num_regressors")


class RowMetric(SumsMetric):
    """A metric that a row of the engine's tables computes."""

    _row: _catalog.Row

    def _setup(self) -> None:
        super()._setup()
        self.name = self.name or self._row.name
        owner = type(self).__name__
        self._row.params(owner, vars(self))
        if self._row.kind == "loss":
            loss_rows.check_options(owner, self._row, vars(self))
        check_axis(owner, getattr(self, "axis", -1))

    @property
    def row(self) -> Any:
        """The row of the engine's table; None where Python prepares the batches for it."""
        given = vars(self)
        plain = given.get("axis", -1) == -1 and given.get("ignore_class") is None
        return self._row if plain and not given.get("from_sorted_ids") else None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return bool(self._row.facts["index_target"])

    @property
    def direction(self) -> str:
        """ "up" if higher is better, else "down"."""
        return str(self._row.facts.get("direction", "down"))

    @property
    def _label(self) -> str:
        return self._row.name

    @property
    def _by_element(self) -> bool:
        return self._row.name in (*_ELEMENTWISE, "root_mean_squared_error")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain data."""
        given = {name: getattr(self, name) for name in _parameters(self._row)}
        if not given.get("from_sorted_ids", True):
            del given["from_sorted_ids"]
        if self._row.name == "cosine_similarity" and given["axis"] == -1:
            del given["axis"]  # Keras does not save it
        return loss_rows.keras_config(self._row, given)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        axis, ignored = getattr(self, "axis", -1), getattr(self, "ignore_class", None)
        if axis != -1 or ignored is not None:
            y_true, y_pred, counted = loss_rows.prepared(self._row, y_true, y_pred, vars(self))
            if counted is not None:
                # What is ignored is a value of 0; it leaves the weights, if there are any.
                values = loss_rows.row_values(self._row, y_true, y_pred, vars(self)) * counted
                self._add_values(values, counted, sample_weight)
                return
        super().update_state(y_true, y_pred, sample_weight)

    update_state.__doc__ = SumsMetric.update_state.__doc__

    def _add_values(self, values: Array, counted: Array, sample_weight: Any) -> None:
        weight = np.ones(values.shape)
        if sample_weight is not None:
            weight = row_weights(sample_weight, values.shape) * counted
        added = np.array([(weight * values).sum(), weight.sum()])
        self.set_sums(added if self._sums is None else self._sums.numpy() + added)

    def _batch_sums(self, target: Array, pred: Array, weight: Array | None) -> Sums:
        params = list(self._row.params(self._row.name, vars(self)))
        if getattr(self, "from_sorted_ids", False):
            hits = (pred[..., : int(params[0])] == target[..., None]).any(-1)
            w = np.ones(hits.shape) if weight is None else weight.astype(np.float64)
            return np.array([(w * hits).sum(), w.sum()])
        if self._row.kind == "metric":
            return row_sums(self._row.name, target, pred, weight, params)
        given = {key: value for key, value in vars(self).items() if key not in _PREPARED}
        values = loss_rows.row_values(self._row, target, pred, given)
        if weight is None:
            return np.array([values.sum(), values.size])
        return np.array([(weight * values).sum(), weight.sum(dtype=np.float64)])

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns sums, as the engine's trainer keeps them, into the value."""
        total, weight = np.asarray(sums, np.float64)[:2]
        mean = float(total / weight) if weight else 0.0
        return mean**0.5 if self._row.facts.get("result") == "root_mean" else mean

    def spec(self) -> dict[str, Any] | None:
        """The metric as the engine's trainer takes it; None where Python adds every batch."""
        return None if self.row is None else loss_rows.spec_of(self._row, vars(self))


_PREPARED = ("axis", "ignore_class")


class _Determination(RowMetric):
    """The part of R2Score that is not in the table: how columns are put together."""

    class_aggregation: Any
    num_regressors: Any

    def _setup(self) -> None:
        super()._setup()
        known = (None, "uniform_average", "variance_weighted_average")
        if self.class_aggregation not in known:
            raise ValueError(
                f"{type(self).__name__}: `class_aggregation` must be one of {known}. "
                f"Received: class_aggregation={self.class_aggregation!r}"
            )
        number(type(self).__name__, "num_regressors", self.num_regressors, low=0)

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns sums, as the engine's trainer keeps them, into the value."""
        cases, weight, *rest = np.asarray(sums, np.float64)
        first, second, residual = np.reshape(rest, (3, -1))
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = second - first * first / weight
            scores = 1 - residual / spread
        scores = np.where(np.isinf(scores), 0.0, scores)
        score: Any = scores
        if self.class_aggregation == "uniform_average":
            score = float(scores.mean())
        elif self.class_aggregation is not None:
            score = float((spread * scores).sum() / (spread.sum() or math.nan))
        return self._adjusted(score, cases)

    def _adjusted(self, score: Any, cases: float) -> Any:
        """The score with the number of regressors held against it."""
        free = cases - self.num_regressors - 1
        if self.num_regressors == 0:
            return score
        if free <= 0:
            warnings.warn(
                f"{self.name}: more regressors than the data can bear; the score is not adjusted.",
                stacklevel=3,
            )
            return score
        return 1 - (1 - score) * (cases - 1) / free


# What a row needs beyond its own parameters, by its name.
_Parameters = dict[str, tuple[Any, list[str]]]
_EXTRA: Mapping[str, _Parameters] = {
    "r2_score": {
        "class_aggregation": (
            _catalog.parameter("class_aggregation", "uniform_average", "str | None"),
            [
                'class_aggregation: "uniform_average" or "variance_weighted_average" of columns,',
                "    None for an array with a score for each column.",
            ],
        ),
        "num_regressors": (
            _catalog.parameter("num_regressors", 0, "int"),
            ["num_regressors: independent variables, for the adjusted score."],
        ),
    },
    "sparse_top_k_categorical_accuracy": {
        "from_sorted_ids": (
            _catalog.parameter("from_sorted_ids", False, "bool"),
            ["from_sorted_ids: whether y_pred holds class numbers, the best first, not scores."],
        ),
    },
}
_BASES: Mapping[str, type[RowMetric]] = {"r2_score": _Determination}


def _own_parameters(row: _catalog.Row) -> _Parameters:
    if row.kind == "loss":
        own = loss_rows.row_parameters(row)
        if row.name == "binary_crossentropy":
            del own["axis"]
        return own
    own = {
        field.name: (field.parameter, [text])
        for field, text in zip(row.fields, row.argument_docs(), strict=True)
    }
    if "k" in own:
        own["k"] = (_catalog.parameter("k", int(row.fields[0].default), "int"), own["k"][1])
    if row.name in _AXIS:
        own["axis"] = (
            _catalog.parameter("axis", -1, "int"),
            ["axis: the axis of the elements that are compared."],
        )
    return own | _EXTRA.get(row.name, {})


def _parameters(row: _catalog.Row) -> _Parameters:
    """The parameters of a metric's class, in Keras's order."""
    own = _own_parameters(row)
    common: _Parameters = {
        "name": (
            _catalog.parameter("name", _NAMES.get(row.name, row.name), "str | None"),
            ["name: what logs call it."],
        ),
        "dtype": (
            _catalog.parameter("dtype", None, "Any"),
            ["dtype: what targets and predictions are cast to; that of new layers means as given."],
        ),
    }
    before = {name: own.pop(name) for name in _FIRST if name in own}
    ordered = before | common | own
    return dict(sorted(ordered.items(), key=lambda item: item[1][0].kind))


def _make_class(row: _catalog.Row) -> Any:
    parameters = _parameters(row)
    arguments = [line for _, lines in parameters.values() for line in lines]
    return _catalog.make_class(
        PUBLIC,
        row.class_name,
        _BASES.get(row.name, RowMetric),
        [parameter for parameter, _ in parameters.values()],
        row.document({"Args": arguments}),
        {"_row": row},
    )


def _make_function(row: _catalog.Row) -> Any:
    own = {name: own for name, own in _own_parameters(row).items() if name != "from_sorted_ids"}
    arguments = ["y_true: targets.", "y_pred: predictions, shape (..., n)."]
    arguments += [line for _, lines in own.values() for line in lines]
    given = [_catalog.parameter(name, kind="npt.ArrayLike") for name in ("y_true", "y_pred")]
    elements = row.name in _ELEMENTWISE
    returned = "The value of every element." if elements else "The value of every row, shape (...)."

    def values_of(y_true: Any, y_pred: Any, values: dict[str, Any]) -> Any:
        target, pred, _ = loss_rows.prepared(row, y_true, y_pred, values)
        shape = pred.shape
        if elements:
            target, pred = target.reshape(-1, 1), pred.reshape(-1, 1)
        found = _core.metric_values(row.name, target, pred, list(row.params(row.name, values)))
        return found.reshape(shape) if elements else found

    def body(values: dict[str, Any]) -> Any:
        y_true, y_pred = values.pop("y_true"), values.pop("y_pred")
        if symbols_in((y_true, y_pred)):
            return record(function, (y_true, y_pred), values)
        if not is_symbolic(y_true, y_pred):
            return values_of(as_array(y_true), as_array(y_pred), values)
        sample = y_pred.sample if elements else y_pred.sample[:-1]
        return y_pred.graph.external(
            lambda arrays, training: (
                values_of(arrays[0], arrays[1], values).astype(arrays[1].dtype),
                None,
            ),
            lambda saved, dy, arrays: [None, None],
            [y_true, y_pred],
            tuple(sample),
        )

    function = _catalog.make_function(
        PUBLIC,
        row.name,
        [*given, *(parameter for parameter, _ in own.values())],
        "npt.NDArray[Any]",
        row.document({"Args": arguments, "Returns": [returned]}),
        body,
    )
    function.row = row
    return function


_CLASSED = [row for row in ROWS.values() if row.class_name]
CLASSES: dict[str, Any] = {row.class_name: _make_class(row) for row in _CLASSED}
CLASSES |= {old: CLASSES[new] for old, new in _legacy.CLASSES["metric"].items()}
FUNCTIONS: dict[str, Any] = {
    row.name: _make_function(row)
    for row in _CLASSED
    if row.kind == "metric" and row.facts["result"] == "mean"
}
# Every name of a class: its function's and its aliases.
BY_NAME: dict[str, Any] = {
    alias: CLASSES[row.class_name] for row in _CLASSED for alias in (row.name, *row.aliases)
}


def arguments(cls: Any) -> list[str]:
    """The names of a class's constructor arguments."""
    return list(_parameters(cls._row))
