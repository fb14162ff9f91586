"""What weights are held to: applied to a variable after every update.

The constraints here are applied by the engine. One of your own is a subclass of ``Constraint``, or
any function of an array; Python then calls it after every batch.

Example:
    >>> MaxNorm(1.0)(np.array([[3.0, 0.3], [4.0, 0.4]])).round(4).tolist()
    [[0.6, 0.3], [0.8, 0.4]]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pynn import config
from pynn._catalog import Array, float_array
from pynn._compat import explain_absent
from pynn.utils.checks import is_integer, number
from pynn.utils.configurable import Configurable, get_object
from pynn.utils.configurable import serialize as _serialize

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint(Configurable):
    """Base of all constraints: a subclass defines ``__call__(self, w)``, which returns new weights.

    Example:
        >>> class Rounded(Constraint):
        ...     def __call__(self, w):
        ...         return np.round(w)
        >>> Rounded()(np.array([0.2, 0.9])).tolist()
        [0.0, 1.0]
    """

    def __call__(self, w: Any) -> Any:
        """Returns the weights as the constraint wants them."""
        return w


class NonNeg(Constraint):
    """Weights of at least 0.

    Formula: ``max(w, 0)``

    Example:
        >>> NonNeg()([-1.0, 2.0]).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Array:
        """Returns the weights, those below 0 as 0."""
        held: Array = np.maximum(float_array("w", w), 0)
        return held


class _NormConstraint(Constraint):
    """Norms along ``axis`` move to ``(1 - rate) * norm + rate * clip(norm, low, high)``."""

    axis: Any

    def bounds(self) -> tuple[float, float, float]:
        """The lowest norm, the highest, and the share of the way there that is gone."""
        raise NotImplementedError

    def __call__(self, w: Any) -> Array:
        """Returns the weights, scaled along ``axis``."""
        w = float_array("w", w)
        low, high, rate = self.bounds()
        axes = _axes(type(self).__name__, self.axis, w.ndim)
        norms = np.sqrt(np.sum(np.square(w), axis=axes, keepdims=True))
        wanted = rate * np.clip(norms, low, high) + (1 - rate) * norms
        held: Array = (w * (wanted / (config.epsilon() + norms))).astype(w.dtype, copy=False)
        return held


class MaxNorm(_NormConstraint):
    """Norms of at most ``max_value``.

    Formula: ``w * min(norm, max_value) / (norm + epsilon)``, ``epsilon = config.epsilon()``

    Args:
        max_value: the largest norm.
        axis: the axis, or axes, that a norm is a sum over: 0 for the weights into each unit of a
            ``Dense`` layer, whose kernel has shape ``(inputs, units)``.

    Raises:
        ValueError: ``max_value`` is negative.

    References:
        Srivastava et al. 2014, section 5.1, https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis
        _check_norms("MaxNorm", max_value=max_value)

    def bounds(self) -> tuple[float, float, float]:
        return 0.0, float(self.max_value), 1.0


class UnitNorm(_NormConstraint):
    """Norms of 1.

    Formula: ``w / (norm + epsilon)``, ``epsilon = config.epsilon()``

    Args:
        axis: the axis, or axes, that a norm is a sum over: see ``MaxNorm``.

    Example:
        >>> UnitNorm()([3.0, 4.0]).round(4).tolist()
        [0.6, 0.8]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def bounds(self) -> tuple[float, float, float]:
        return 1.0, 1.0, 1.0


class MinMaxNorm(_NormConstraint):
    """Norms between ``min_value`` and ``max_value``.

    Formula: ``w * ((1 - rate) * norm + rate * clip(norm, min_value, max_value)) / (norm +
    epsilon)``, ``epsilon = config.epsilon()``

    Args:
        min_value: the smallest norm.
        max_value: the largest norm.
        rate: the share of the way into the bounds that each update goes; 1 enforces them.
        axis: the axis, or axes, that a norm is a sum over: see ``MaxNorm``.

    Raises:
        ValueError: a bound or the rate is negative, or the smallest norm is above the largest.

    Example:
        >>> MinMaxNorm(1.0, 2.0, rate=0.5)([6.0, 8.0]).round(4).tolist()
        [3.6, 4.8]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis
        _check_norms("MinMaxNorm", min_value=min_value, max_value=max_value, rate=rate)
        if min_value > max_value:
            raise ValueError(
                "MinMaxNorm: `min_value` must not be above `max_value`. "
                f"Received: min_value={min_value!r}, max_value={max_value!r}"
            )

    def bounds(self) -> tuple[float, float, float]:
        return float(self.min_value), float(self.max_value), float(self.rate)


# Keras's lower-case names are the same classes.
max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

_IN_ENGINE = (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)
_TABLE: dict[str, Callable[..., Any]] = {
    "Constraint": Constraint,
    **{cls.__name__: cls for cls in _IN_ENGINE},
    "max_norm": MaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
    "min_max_norm": MinMaxNorm,
}


def get(identifier: Any) -> Any:
    """Returns the constraint meant by a name, a class, an object or a configuration.

    Args:
        identifier: one of these, a function of an array, or None (both returned as they are).

    Raises:
        ValueError: an unknown name.
        TypeError: something else.

    Example:
        >>> get("max_norm"), get(None)
        (MaxNorm(max_value=2, axis=0), None)
    """
    return get_object("constraint", identifier, _TABLE, Constraint)


def serialize(constraint: Any) -> Any:
    """Returns the dictionary from which ``get`` makes an equal constraint."""
    return _serialize(constraint)


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """Returns the constraint that ``serialize`` described.

    Args:
        config: the dictionary, or a name.
        custom_objects: classes and functions by name, beside those of this module.
    """
    return get_object("constraint", config, {**_TABLE, **(custom_objects or {})}, Constraint)


def split(variables: Sequence[Any]) -> tuple[list[dict[str, Any]], list[int]]:
    """Who applies the constraints of these variables.

    Returns:
        What the engine applies, as its trainer takes it, and the places of the variables whose
        constraint Python has to apply after every batch.
    """
    engine, python = [], []
    for place, variable in enumerate(variables):
        constraint = getattr(variable, "constraint", None)
        if constraint is None or not variable.trainable:
            continue
        described = _for_engine(constraint, len(variable.shape))
        if described is None:
            python.append(place)
        else:
            engine.append({"variable": place, **described})
    return engine, python


def _for_engine(constraint: Any, rank: int) -> dict[str, Any] | None:
    """The constraint of an array with so many axes as the engine takes it, None if it does not."""
    if type(constraint) not in _IN_ENGINE:
        return None
    if isinstance(constraint, NonNeg):
        return {}
    axes = _axes(type(constraint).__name__, constraint.axis, rank)
    if axes[-1] - axes[0] != len(axes) - 1:  # others lie between them
        return None
    names = ("low", "high", "rate")
    bounds = dict(zip(names, constraint.bounds(), strict=True))
    return {"axes": list(axes), **bounds, "epsilon": config.epsilon()}


def _axes(owner: str, axis: Any, rank: int) -> tuple[int, ...]:
    """The axes in order, counted from 0."""
    given = tuple(axis) if isinstance(axis, Iterable) else (axis,)
    axes = tuple(
        sorted({int(a) % rank if is_integer(a) and -rank <= a < rank else rank for a in given})
    )
    if not axes or axes[-1] == rank:
        raise ValueError(
            f"{owner}: `axis` must name axes of the weights, which have {rank}. "
            f"Received: axis={axis!r}"
        )
    return axes


def _check_norms(owner: str, **norms: float) -> None:
    for name, value in norms.items():
        number(owner, name, value, low=0)


explain_absent(globals())
