"""Learning rate schedules: the rate as a function of the number of steps done.

A schedule is called with a step (0, 1, ...) or an array of steps, and returns a float or an array.

References:
    - Loshchilov, Hutter 2016, "SGDR: stochastic gradient descent with warm restarts",
      https://arxiv.org/abs/1608.03983
    - Smith, Topin 2017, "Super-convergence", https://arxiv.org/abs/1708.07120
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn._compat import explain_absent
from pynn.optimizers.schedules._base import LearningRateSchedule
from pynn.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts, OneCycle
from pynn.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    PowerDecay,
)
from pynn.utils.configurable import get_object
from pynn.utils.configurable import serialize as _serialize

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "PowerDecay",
    "deserialize",
    "get",
    "serialize",
]

_BY_NAME: dict[str, Any] = {
    name: value
    for name, value in list(globals().items())
    if isinstance(value, type) and issubclass(value, LearningRateSchedule) and name in __all__
}


def get(identifier: Any) -> Any:
    """Returns a schedule: an object as it is, or one made from a dictionary of ``serialize``.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.
    """
    return get_object("schedule", identifier, _BY_NAME, LearningRateSchedule)


def serialize(learning_rate_schedule: Any) -> dict[str, Any]:
    """Returns the dictionary from which ``get`` makes an equal schedule."""
    described: dict[str, Any] = _serialize(learning_rate_schedule)
    return {**described, "module": "keras.optimizers.schedules"}


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Returns the schedule that ``serialize`` described.

    Args:
        config: the dictionary.
        custom_objects: classes by name, beside those of this module.
    """
    table = {**_BY_NAME, **(custom_objects or {})}
    return get_object("schedule", config, table, LearningRateSchedule)


explain_absent(globals())
