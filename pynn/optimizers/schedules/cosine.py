"""Rates that follow half periods of the cosine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pynn.optimizers.schedules._base import Array, LearningRateSchedule


def _cosine(fraction: Array) -> Array:
    """From 1 at 0 to 0 at 1, half a period of the cosine."""
    return np.asarray(0.5 * (1 + np.cos(np.pi * fraction)))


@dataclass(eq=False, repr=False)
class CosineDecay(LearningRateSchedule):
    """Half a period of the cosine, after an optional linear warm-up.

    Formula: ``r * ((1 - alpha) * (1 + cos(pi * s / decay_steps)) / 2 + alpha)``, where without
    warm-up ``r`` is the initial rate and ``s`` the step, and with it the target and the steps since

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: steps of the decay, warm-up not counted; above 0.
        alpha: the final rate as a share of the highest.
        name: without effect.
        warmup_target: the rate at the end of the warm-up; None for no warm-up.
        warmup_steps: steps of the warm-up.

    Raises:
        ValueError: ``decay_steps`` is not above 0.

    References:
        Loshchilov, Hutter 2016, https://arxiv.org/abs/1608.03983

    Example:
        >>> CosineDecay(0.0, 100, warmup_target=1.0, warmup_steps=10)([0, 5, 10, 60, 110]).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    initial_learning_rate: float
    decay_steps: float
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: float = 0

    def __post_init__(self) -> None:
        self.check_numbers("decay_steps")

    def at(self, steps: Array) -> Any:
        first = top = self.initial_learning_rate
        begin = 0.0
        if self.warmup_target is not None:
            top, begin = self.warmup_target, self.warmup_steps
        fraction = np.clip((steps - begin) / self.decay_steps, 0, 1)
        decayed = top * ((1 - self.alpha) * _cosine(fraction) + self.alpha)
        rising = first + (top - first) * steps / (begin or 1)
        return np.where(steps < begin, rising, decayed)


@dataclass(eq=False, repr=False)
class CosineDecayRestarts(LearningRateSchedule):
    """Half periods of the cosine one after another, each longer and lower than the last.

    Formula: ``initial * ((1 - alpha) * m_mul ** i * (1 + cos(pi * f)) / 2 + alpha)``, where ``i``
    restarts have been made and ``f`` is the share of the current period that is done; period ``i``
    has ``first_decay_steps * t_mul ** i`` steps

    Args:
        initial_learning_rate: the rate at step 0.
        first_decay_steps: steps of the first period; above 0.
        t_mul: the factor of the next period's length, at least 1.
        m_mul: the factor of the next period's highest rate.
        alpha: the lowest rate as a share of the initial rate.
        name: without effect.

    Raises:
        ValueError: ``first_decay_steps`` is not above 0, or ``t_mul`` is below 1.

    References:
        Loshchilov, Hutter 2016, https://arxiv.org/abs/1608.03983

    Example:
        >>> CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)([0, 5, 10, 20, 30]).tolist()
        [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    initial_learning_rate: float
    first_decay_steps: float
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def __post_init__(self) -> None:
        self.check_numbers("first_decay_steps")
        if not self.t_mul >= 1:
            raise ValueError(
                f"CosineDecayRestarts: `t_mul` must be at least 1. Received: t_mul={self.t_mul!r}"
            )

    def at(self, steps: Array) -> Any:
        time = steps / self.first_decay_steps
        if self.t_mul == 1:
            restarts = np.floor(time)
            done = time - restarts
        else:
            # Periods begin at (t^i - 1) / (t - 1); rounding of the logarithm may miss by one.
            guess = np.floor(np.log1p(time * (self.t_mul - 1)) / np.log(self.t_mul))
            begins = (self.t_mul ** (guess + 1) - 1) / (self.t_mul - 1)
            restarts = guess + (time >= begins)
            begins = (self.t_mul**restarts - 1) / (self.t_mul - 1)
            done = np.clip((time - begins) / self.t_mul**restarts, 0, 1)
        waves = self.m_mul**restarts * _cosine(done)
        return self.initial_learning_rate * ((1 - self.alpha) * waves + self.alpha)


@dataclass(eq=False, repr=False)
class OneCycle(LearningRateSchedule):
    """One rise and one fall of the rate, both along half a period of the cosine.

    Formula: from ``max / initial_divisor`` up to ``max`` in ``warmup * total_steps`` steps, then
    down to ``max / (initial_divisor * final_divisor)`` at ``total_steps`` and after

    Args:
        max_learning_rate: the highest rate.
        total_steps: steps of the cycle; above 0.
        warmup: the share of steps that rise, between 0 and 1.
        initial_divisor: the highest rate over the first.
        final_divisor: the first rate over the last.
        name: without effect.

    Raises:
        ValueError: an argument outside its range.

    References:
        Smith, Topin 2017, https://arxiv.org/abs/1708.07120

    Example:
        >>> OneCycle(1.0, 100, warmup=0.5, initial_divisor=10.0)([0, 25, 50]).tolist()
        [0.1, 0.55, 1.0]
    """

    max_learning_rate: float
    total_steps: float
    warmup: float = 0.3
    initial_divisor: float = 25.0
    final_divisor: float = 1e4
    name: str = "OneCycle"

    def __post_init__(self) -> None:
        self.check_numbers("total_steps", "initial_divisor", "final_divisor")
        if not 0 <= self.warmup <= 1:
            raise ValueError(
                f"OneCycle: `warmup` must be between 0 and 1. Received: warmup={self.warmup!r}"
            )

    def at(self, steps: Array) -> Any:
        top = self.max_learning_rate
        first = top / self.initial_divisor
        last = first / self.final_divisor
        peak = self.warmup * self.total_steps
        rising = first + (top - first) * (1 - _cosine(steps / (peak or 1)))
        fall = np.clip((steps - peak) / ((self.total_steps - peak) or 1), 0, 1)
        return np.where(steps < peak, rising, last + (top - last) * _cosine(fall))
