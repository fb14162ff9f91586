"""Metrics: running values over many batches.

Every loss is a metric too: the mean of its rows. ``model.compile(metrics=[...])`` takes names,
objects, and functions of one's own.

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

from pynn import losses
from pynn._compat import explain_absent
from pynn.losses import kind_of_target
from pynn.metrics import _conditions, _curves, _decisions, _fscore, _iou, _reduction, _rows
from pynn.metrics._base import Metric
from pynn.utils.configurable import lookup
from pynn.utils.configurable import serialize as _serialize
from pynn.utils.naming import to_snake_case

_OWN: dict[str, Any] = {
    cls.__name__: cls
    for module in (_conditions, _curves, _decisions, _fscore, _iou, _reduction)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, Metric) and cls.__module__ == module.__name__
    if not cls.__name__.startswith("_") and cls.__name__ not in ("CurveMetric", "DecisionMetric")
}
_CLASSES: dict[str, Any] = {**_rows.CLASSES, **_OWN, "Metric": Metric}
_BY_NAME: dict[str, Any] = {
    **{to_snake_case(name): cls for name, cls in _CLASSES.items()},
    **_rows.BY_NAME,
    **_CLASSES,
}
# Functions of losses are offered here too, as in Keras.
_FUNCTIONS: dict[str, Any] = {
    **{name: getattr(losses, name) for name in losses.FUNCTION_NAMES},
    **_rows.FUNCTIONS,
}
globals().update(_CLASSES | _FUNCTIONS)

__all__ = ["check", "deserialize", "get", "resolve", "serialize", *_CLASSES, *_FUNCTIONS]

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


# Names that mean one of several metrics: see ``kind_of_target``.
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
    """Returns a metric object or function.

    Args:
        identifier: a name ("mse", "BinaryAccuracy") or a class, of which an object is made; the
            dictionary made by ``serialize``; any function or object, or None, is returned as it is.

    Raises:
        ValueError: an unknown name, or something that is not a metric.

    Example:
        >>> get("mse").name, get("AUC").curve
        ('mean_squared_error', 'ROC')
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if isinstance(identifier, str):
        identifier = lookup("metric", identifier, _BY_NAME)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        "A metric is a name, a function or an object of pynn.metrics. "
        f"Received: metric={identifier!r} (of type {type(identifier).__name__})"
    )


def check(identifier: Any) -> None:
    """Raises what ``resolve`` would raise for a name that does not exist."""
    if not (isinstance(identifier, str) and identifier.lower() in _BY_SHAPE):
        get(identifier)


def resolve(
    identifier: Any,
    output_shape: Sequence[int] | None = None,
    target_shape: Sequence[int] | None = None,
) -> Any:
    """Returns the ``Metric`` object that ``compile`` means by something.

    A name becomes what the log calls the metric; a function becomes the mean of what it returns.
    "accuracy" ("acc") and "crossentropy" ("ce") mean the binary metric for outputs of one column,
    the sparse categorical one for targets that are class numbers, else the categorical one.

    Args:
        identifier: what ``get`` takes, or one of those names.
        output_shape: the shape of one sample of the output; None if it is not known.
        target_shape: the shape of one sample of the targets.

    Raises:
        ValueError: an unknown name, or a metric that the targets do not fit.

    Example:
        >>> resolve("accuracy", (10,), ()).row.name, resolve("mse").name
        ('sparse_categorical_accuracy', 'mse')
    """
    name = identifier if isinstance(identifier, str) else None
    if output_shape is not None and target_shape is not None:
        kind = kind_of_target(output_shape, target_shape)
        if name is not None and name.lower() in _BY_SHAPE:
            identifier = _BY_SHAPE[name.lower()][kind]
        metric = _as_metric(get(identifier))
        if metric.row is not None and kind and metric.sparse != (kind == 1):
            wanted = "class numbers" if metric.sparse else "targets of the shape of the output"
            raise ValueError(
                f"{metric.name}: expected {wanted}. Received: output shape {tuple(output_shape)}, "
                f"target shape {tuple(target_shape)} of one sample"
            )
    else:
        metric = _as_metric(get(identifier))
    metric.name = name or metric.name
    return metric


def _as_metric(found: Any) -> Any:
    """A metric that means the same as a function or a loss."""
    if isinstance(found, Metric):
        return found
    if isinstance(found, losses.Loss):
        if found.row is None:
            return _reduction.MeanMetricWrapper(found.call, name=found.name)
        cls = _rows.CLASSES[found.row.class_name]
        given = {key: value for key, value in vars(found).items() if key in _rows.arguments(cls)}
        return cls(**given)
    row = getattr(found, "row", None)
    if row is not None:
        return _rows.CLASSES[row.class_name](name=found.__name__)
    return _reduction.MeanMetricWrapper(found)


def serialize(metric: Any) -> Any:
    """Returns plain data from which ``deserialize`` makes the metric; a name for a function."""
    return _serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the metric that ``serialize`` described.

    Args:
        config: a name, or a dictionary of ``class_name`` and ``config``.
        custom_objects: classes and functions of one's own by name.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> deserialize({"class_name": "Precision", "config": {"top_k": 2}}).top_k
        2
    """
    known = {**_FUNCTIONS, **_BY_NAME, **(custom_objects or {})}
    if isinstance(config, str):
        return lookup("metric", config, known)
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise ValueError(
            "A description of a metric is a name or a dictionary with `class_name` and `config`. "
            f"Received: {config!r}"
        )
    if config["class_name"] == "function":
        return lookup("metric", str(config["config"]), {**known, **_FUNCTIONS})
    given = dict(config.get("config", {}))
    if isinstance(given.get("fn"), (str, Mapping)):
        given["fn"] = deserialize(given["fn"], {**_FUNCTIONS, **(custom_objects or {})})
    return lookup("metric", str(config["class_name"]), known).from_config(given)


explain_absent(globals())
