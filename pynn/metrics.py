"""Metrics: running values over many batches.

Every loss is a metric too: the mean of its rows. Names, parameters and documentation come from the
engine's tables (``pynn._core.catalog()``). ``model.compile(metrics=[...])`` takes names and
objects.

Example:
    >>> import numpy as np
    >>> accuracy = get("binary_accuracy")
    >>> accuracy.update_state(np.array([1.0, 0.0]), np.array([0.8, 0.6]))
    >>> accuracy.result()
    0.5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pynn import _catalog, _core, _legacy, losses
from pynn.utils.configurable import Configurable, lookup
from pynn.utils.configurable import serialize as _serialize

Sums = npt.NDArray[np.float64]


class Metric(Configurable):
    """Base of all metrics: sums that batches are added to, and what they come to.

    Attributes:
        name: what logs call it.
        direction: "up" if higher is better, else "down".
        sparse: whether targets are class numbers.
    """

    name: Any
    row: _catalog.Row
    _sums: Sums | None

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return bool(self.row.facts["index_target"])

    @property
    def direction(self) -> str:
        """ "up" if higher is better, else "down"."""
        return str(self.row.facts.get("direction", "down"))

    def _setup(self) -> None:
        self.name = self.name or self.row.name
        losses.check_options(type(self).__name__, self.row, vars(self))
        self._sums = None

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, without those that Keras does not have."""
        return losses.keras_config(self.row, super().get_config())

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds a batch and returns the value so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: targets, of the shape of y_pred, or class numbers for a sparse metric.
            y_pred: predictions, shape ``(..., n)``; ``(n,)`` counts as ``(n, 1)``.
            sample_weight: weight of each row.

        Raises:
            ValueError: shapes that do not fit.
        """
        pred = _catalog.float_array("y_pred", y_pred)
        target = np.asarray(y_true)
        if pred.ndim == 1:
            pred, target = pred[:, None], target.reshape(len(target), -1)
        target, pred = losses.aligned(self.row.name, self.sparse, target, pred)
        weight = None
        if sample_weight is not None:
            weight = losses.row_weights(sample_weight, pred.shape[:-1]).astype(pred.dtype)
        sums = self._batch_sums(target, pred, weight)
        self._sums = sums if self._sums is None else self._sums + sums

    def _batch_sums(self, target: Any, pred: Any, weight: Any) -> Sums:
        if self.row.kind == "metric":
            flat = None if weight is None else weight.ravel()
            params = list(self.row.params(self.row.name, vars(self)))
            return np.array(_core.metric(self.row.name, target, pred, flat, params))
        values = losses.row_values(self.row, target, pred, vars(self))
        if weight is None:
            return np.array([values.sum(), values.size])
        return np.array([(weight * values).sum(), weight.sum(dtype=np.float64)])

    def result(self) -> Any:
        """Returns the value over everything added since the last ``reset_state``; 0 for nothing."""
        return 0.0 if self._sums is None else self.result_of(self._sums)

    def result_of(self, sums: npt.ArrayLike) -> Any:
        """Turns sums, as the engine's trainer keeps them, into the value."""
        total, weight = np.asarray(sums, np.float64)[:2]
        mean = float(total / weight) if weight else 0.0
        return mean**0.5 if self.row.facts.get("result") == "root_mean" else mean

    def reset_state(self) -> None:
        """Forgets what was added."""
        self._sums = None

    @property
    def variables(self) -> list[Sums]:
        """The sums so far."""
        return [] if self._sums is None else [self._sums]

    def spec(self) -> dict[str, Any]:
        """The metric as the engine's trainer takes it."""
        return losses.spec_of(self.row, vars(self))


class _Determination(Metric):
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
        if self.num_regressors:
            raise ValueError(
                f"{type(self).__name__}: `num_regressors` must be 0: there is no adjusted score. "
                f"Received: num_regressors={self.num_regressors!r}"
            )

    def result_of(self, sums: npt.ArrayLike) -> Any:
        total = np.asarray(sums, np.float64)
        first, second, residual = total[1:].reshape(3, -1)
        spread = second - first * first / (total[0] or 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = 1 - residual / spread
        scores = np.where(np.isinf(scores), 0.0, scores)
        if self.class_aggregation is None:
            return scores
        if self.class_aggregation == "uniform_average":
            return float(scores.mean())
        return float((spread * scores).sum() / (spread.sum() or 1.0))


class Mean(Configurable):
    """The weighted mean of numbers.

    Formula: ``sum(weight * value) / sum(weight)``

    Args:
        name: what logs call it.

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
        >>> mean.result()
        1.5
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        self.name, self.dtype = name, dtype
        self.total = self.count = 0.0

    def __call__(self, values: Any, sample_weight: Any = None) -> float:
        """Adds numbers and returns the mean so far."""
        self.update_state(values, sample_weight)
        return self.result()

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds numbers."""
        numbers = np.asarray(values, np.float64)
        weight = np.broadcast_to(
            1.0 if sample_weight is None else np.asarray(sample_weight, np.float64), numbers.shape
        )
        self.total += float((numbers * weight).sum())
        self.count += float(weight.sum())

    def result(self) -> float:
        """Returns the mean of everything added, 0 for nothing."""
        return self.total / self.count if self.count else 0.0

    def reset_state(self) -> None:
        """Forgets what was added."""
        self.total = self.count = 0.0


# What a row needs beyond its own parameters, by what its sums come to.
_BASES: Mapping[str, tuple[type[Metric], Sequence[Any], Sequence[str]]] = {
    "r2": (
        _Determination,
        [
            _catalog.parameter("class_aggregation", "uniform_average", "str | None"),
            _catalog.parameter("num_regressors", 0, "int"),
        ],
        [
            'class_aggregation: "uniform_average" or "variance_weighted_average" of the columns,',
            "    None for an array with a score for each column.",
            "num_regressors: only 0.",
        ],
    )
}


def _make_class(row: _catalog.Row) -> Any:
    base, parameters, arguments = _BASES.get(row.facts.get("result", "mean"), (Metric, [], []))
    parameters, arguments = list(parameters), list(arguments)
    if row.kind == "loss":
        parameters, arguments = losses.parameters_of(row)
        parameters.append(_catalog.keyword("axis", -1, "int"))
    else:
        parameters += [field.parameter for field in row.fields]
        arguments += row.argument_docs()
    last = _catalog.parameter("name", row.name, "str | None")
    parameters = [
        *(p for p in parameters if p.kind is not p.KEYWORD_ONLY),
        last,
        _catalog.parameter("dtype", None, "Any"),
        *(p for p in parameters if p.kind is p.KEYWORD_ONLY),
    ]
    doc = row.document({"Args": [*arguments, "name: what logs call it."]})
    return _catalog.make_class(__name__, row.class_name, base, parameters, doc, {"row": row})


# A metric of its own comes before the loss of the same name.
_ROWS = {**_catalog.rows("loss"), **_catalog.rows("metric")}
_CLASSES: dict[str, Any] = {row.class_name: _make_class(row) for row in _ROWS.values()}
_CLASSES |= {old: _CLASSES[new] for old, new in _legacy.CLASSES["metric"].items()}
_ALIASES = {alias: row for row in _ROWS.values() for alias in (row.name, *row.aliases)}
_BY_NAME = {name: _CLASSES[row.class_name] for name, row in _ALIASES.items()} | _CLASSES
globals().update(_CLASSES)

__all__ = [
    "Mean",
    "Metric",
    "check",
    "deserialize",
    "get",
    "resolve",
    "serialize",
    *_CLASSES,
]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


# Names that mean one of several metrics, by the shapes of output and target:
# one column, class numbers, one-hot rows.
_BY_SHAPE = {
    "accuracy": ("binary_accuracy", "sparse_categorical_accuracy", "categorical_accuracy"),
    "crossentropy": (
        "binary_crossentropy",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
    ),
}
_BY_SHAPE["acc"], _BY_SHAPE["ce"] = _BY_SHAPE["accuracy"], _BY_SHAPE["crossentropy"]


def get(identifier: Any) -> Any:
    """Returns a metric object.

    Args:
        identifier: a name ("mse", "BinaryAccuracy"), a class of this module, a function of
            ``pynn.losses``, an object (returned as it is), the dictionary made by ``serialize``, or
            None (returned as it is). A metric got by name is called by that name in logs.

    Raises:
        ValueError: an unknown name.
        TypeError: something else, such as a Python function of one's own.

    Example:
        >>> get("mse").name, get("MeanSquaredError").row.name
        ('mse', 'mean_squared_error')
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        return lookup("metric", identifier, _BY_NAME)(name=identifier)
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        cls = lookup("metric", str(identifier["class_name"]), _BY_NAME)
        return cls(**identifier.get("config", {}))
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    described = identifier if isinstance(identifier, losses.Loss) else None
    row = getattr(identifier, "row", None)
    if isinstance(row, _catalog.Row):
        cls = _CLASSES[row.class_name]
        if described is None:
            return cls()
        known = [field.name for field in row.fields] + ["from_logits", "label_smoothing", "name"]
        return cls(**{key: value for key, value in vars(described).items() if key in known})
    raise TypeError(
        "A metric is one of pynn.metrics, or its name; the engine cannot call Python functions. "
        f"Known: {', '.join(sorted(_ROWS))}. Received: metric={identifier!r}"
    )


def check(identifier: Any) -> None:
    """Raises what ``resolve`` would raise for a name that does not exist."""
    if not (isinstance(identifier, str) and identifier.lower() in _BY_SHAPE):
        get(identifier)


def resolve(identifier: Any, output_shape: Sequence[int], target_shape: Sequence[int]) -> Any:
    """Returns the metric object meant for these shapes of one sample.

    "accuracy" ("acc") and "crossentropy" ("ce") mean the binary metric for outputs of one column,
    the sparse categorical one for targets that are class numbers, else the categorical one.

    Raises:
        ValueError: an unknown name, or a metric that the targets do not fit.
        TypeError: something that is not a metric.

    Example:
        >>> resolve("accuracy", (10,), ()).row.name
        'sparse_categorical_accuracy'
    """
    output, target = tuple(output_shape), tuple(target_shape)
    classes = len(target) < len(output) or (target[-1] == 1 and output[-1] > 1)
    metric: Any
    if isinstance(identifier, str) and identifier.lower() in _BY_SHAPE:
        binary, sparse, categorical = _BY_SHAPE[identifier.lower()]
        chosen = binary if output[-1] == 1 else sparse if classes else categorical
        metric = _CLASSES[_ROWS[chosen].class_name](name=identifier)
    else:
        metric = get(identifier)
    if output[-1] > 1 and metric.sparse != classes:
        wanted = "class numbers" if metric.sparse else "targets of the shape of the output"
        raise ValueError(
            f"{metric.row.name}: expected {wanted}. "
            f"Received: output shape {output}, target shape {target} of one sample"
        )
    return metric


def serialize(metric: Any) -> dict[str, Any]:
    """Returns the dictionary from which ``get`` makes an equal metric."""
    described: dict[str, Any] = _serialize(get(metric))
    return described


def deserialize(config: Any) -> Any:
    """Returns the metric of this name or dictionary."""
    return get(config)
