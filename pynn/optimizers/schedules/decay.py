"""Rates that fall with the number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.optimizers.schedules._base import Array, LearningRateSchedule


def _periods(decay: ExponentialDecay | InverseTimeDecay, steps: Array) -> Array:
    """The time in units of ``decay_steps``, in whole ones if it goes by stairs."""
    periods = steps / decay.decay_steps
    return np.floor(periods) if decay.staircase else periods


@dataclass(eq=False, repr=False)
class ExponentialDecay(LearningRateSchedule):
    """Geometric decay.

    Formula: ``initial_learning_rate * decay_rate ** (step / decay_steps)``

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps in which the rate is multiplied by ``decay_rate`` once; above 0.
        decay_rate: the factor.
        staircase: change the rate only every ``decay_steps`` steps.
        name: without effect.

    Raises:
        ValueError: ``decay_steps`` is not above 0.

    Example:
        >>> ExponentialDecay(0.5, decay_steps=10, decay_rate=0.5)(20)
        0.125
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def __post_init__(self) -> None:
        self.check_numbers("decay_steps")

    def at(self, steps: Array) -> Any:
        return self.initial_learning_rate * self.decay_rate ** _periods(self, steps)


@dataclass(eq=False, repr=False)
class InverseTimeDecay(LearningRateSchedule):
    """Decay with the inverse of time.

    Formula: ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time in steps; above 0.
        decay_rate: how fast the divisor grows.
        staircase: change the rate only every ``decay_steps`` steps.
        name: without effect.

    Raises:
        ValueError: ``decay_steps`` is not above 0.

    Example:
        >>> InverseTimeDecay(0.5, decay_steps=10, decay_rate=1.0)(10)
        0.25
    """

    initial_learning_rate: float
    decay_steps: float
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def __post_init__(self) -> None:
        self.check_numbers("decay_steps")

    def at(self, steps: Array) -> Any:
        return self.initial_learning_rate / (1 + self.decay_rate * _periods(self, steps))


@dataclass(eq=False, repr=False)
class PowerDecay(LearningRateSchedule):
    """Decay with a power of time; scikit-learn's ``invscaling`` is of this kind.

    Formula: ``initial_learning_rate * (1 + step / decay_steps) ** -power``

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: the unit of time in steps; above 0.
        power: the exponent.
        name: without effect.

    Raises:
        ValueError: ``decay_steps`` is not above 0.

    Example:
        >>> PowerDecay(1.0, decay_steps=1, power=0.5)(3)
        0.5
    """

    initial_learning_rate: float
    decay_steps: float = 1.0
    power: float = 0.5
    name: str = "PowerDecay"

    def __post_init__(self) -> None:
        self.check_numbers("decay_steps")

    def at(self, steps: Array) -> Any:
        return self.initial_learning_rate * (1 + steps / self.decay_steps) ** -self.power


@dataclass(eq=False, repr=False)
class PiecewiseConstantDecay(LearningRateSchedule):
    """A rate for each span of steps.

    Formula: ``values[i]`` for ``boundaries[i - 1] < step <= boundaries[i]``

    Args:
        boundaries: increasing steps, the last step of each value but the last.
        values: the rates, one more than boundaries.
        name: without effect.

    Raises:
        ValueError: lengths that do not fit, or boundaries that do not increase.

    Example:
        >>> PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])([100, 101, 500]).tolist()
        [0.1, 0.01, 0.001]
    """

    boundaries: Sequence[float]
    values: Sequence[float]
    name: str = "PiecewiseConstant"

    def __post_init__(self) -> None:
        for name in ("boundaries", "values"):
            if not np.iterable(getattr(self, name)):
                raise TypeError(
                    f"PiecewiseConstantDecay: `{name}` must be a list of numbers. "
                    f"Received: {name}={getattr(self, name)!r}"
                )
        self.boundaries, self.values = list(self.boundaries), list(self.values)
        if len(self.boundaries) != len(self.values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: expected one value more than boundaries. "
                f"Received: {len(self.boundaries)} boundaries and {len(self.values)} values"
            )
        if any(np.diff(self.boundaries) < 0):
            raise ValueError(
                "PiecewiseConstantDecay: `boundaries` must increase. "
                f"Received: boundaries={self.boundaries}"
            )

    def at(self, steps: Array) -> Any:
        return np.asarray(self.values, np.float64)[np.searchsorted(self.boundaries, steps)]


@dataclass(eq=False, repr=False)
class PolynomialDecay(LearningRateSchedule):
    """Decay to a final rate along a polynomial.

    Formula: ``(initial - end) * (1 - step / decay_steps) ** power + end``, ``end`` after that

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps until the final rate; above 0.
        end_learning_rate: the final rate.
        power: the exponent; 1 is a line.
        cycle: begin a new decay over a longer span whenever one ends.
        name: without effect.

    Raises:
        ValueError: ``decay_steps`` is not above 0.

    Example:
        >>> PolynomialDecay(1.0, decay_steps=10, end_learning_rate=0.0)([0, 5, 20]).tolist()
        [1.0, 0.5, 0.0]
    """

    initial_learning_rate: float
    decay_steps: float
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def __post_init__(self) -> None:
        self.check_numbers("decay_steps")

    def at(self, steps: Array) -> Any:
        periods = np.maximum(np.ceil(steps / self.decay_steps), 1) if self.cycle else 1.0
        left = 1 - np.minimum(steps / (self.decay_steps * periods), 1)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left**self.power + self.end_learning_rate
