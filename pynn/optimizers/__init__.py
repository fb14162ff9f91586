"""Optimizers: how gradients change weights.

The rules run in the engine; an object here holds their parameters, whose names, order and defaults
are those of the engine's table (``pynn._core.catalog()``). ``model.compile(optimizer=...)`` takes a
name or an object.

Example:
    >>> get("adam")
    Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, amsgrad=False)
    >>> SGD(learning_rate=schedules.ExponentialDecay(0.1, 100, 0.5), momentum=0.9).learning_rate
    0.1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn._compat import explain_absent
from pynn.optimizers import legacy, schedules
from pynn.optimizers._adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from pynn.optimizers._base import Optimizer
from pynn.optimizers._moments import Adam, Adamax, AdamW, Lion, Nadam, ScheduleFreeAdamW
from pynn.optimizers._normed import Adafactor, Lamb
from pynn.optimizers._sgd import SGD
from pynn.utils.configurable import get_object
from pynn.utils.configurable import serialize as _serialize

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_CLASSES = {cls.row.class_name: cls for cls in Optimizer.__subclasses__()}
_BY_NAME = _CLASSES | {
    name: cls for cls in _CLASSES.values() for name in (cls.row.name, *cls.row.aliases)
}


def get(identifier: Any) -> Any:
    """Returns an optimizer object.

    Args:
        identifier: a name in any case ("adam", "SGD"), a class, an object (returned as it is), the
            dictionary made by ``serialize``, or None (returned as it is).

    Raises:
        ValueError: an unknown name.
        TypeError: something else.

    Example:
        >>> get("RMSProp").rho
        0.9
    """
    return _found(identifier, _BY_NAME)


def _found(identifier: Any, table: Mapping[str, Any]) -> Any:
    if isinstance(identifier, str) and identifier.lower() in table:
        identifier = identifier.lower()
    found = get_object("optimizer", identifier, table, Optimizer)
    if found is None or isinstance(found, Optimizer):
        return found
    raise TypeError(
        f"An optimizer is one of pynn.optimizers, or its name: {', '.join(sorted(_CLASSES))}. "
        f"Received: optimizer={identifier!r}"
    )


def serialize(optimizer: Any) -> dict[str, Any]:
    """Returns the dictionary from which ``get`` makes an equal optimizer."""
    described: dict[str, Any] = _serialize(get(optimizer))
    return {**described, "module": "keras.optimizers"}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the optimizer of this name or dictionary.

    Args:
        config: what ``serialize`` returned, or a name.
        custom_objects: classes by name, beside those of this module.
    """
    return _found(config, {**_BY_NAME, **(custom_objects or {})})


explain_absent(globals())
