"""Learning rate schedules against formulas written step by step."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pynn.optimizers import schedules


def half_cosine(fraction: float) -> float:
    return (1 + math.cos(math.pi * fraction)) / 2


def polynomial(step: int, cycle: bool) -> float:
    span = 20 * max(1, math.ceil(step / 20)) if cycle else 20
    return 0.4 * (1 - min(step, span) / span) ** 2 + 0.1


def warm_cosine(step: int) -> float:
    if step < 5:
        return 0.1 + 0.4 * step / 5
    return 0.5 * (0.9 * half_cosine(min(step - 5, 30) / 30) + 0.1)


def restarts(step: int, t_mul: float) -> float:
    length, top = 10.0, 0.5
    left = float(step)
    while left >= length:
        left, length, top = left - length, length * t_mul, top * 0.5
    return 0.8 * top * half_cosine(left / length) + 0.2 * 0.5


def one_cycle(step: int) -> float:
    low, top, end = 0.5 / 25, 0.5, 0.5 / 25 / 1e4
    if step < 12:
        return low + (top - low) * (1 - half_cosine(step / 12))
    return end + (top - end) * half_cosine(min(1, (step - 12) / 28))


S = schedules
CASES: list[tuple[schedules.LearningRateSchedule, Callable[[int], float]]] = [
    (S.ExponentialDecay(0.5, 7, 0.9), lambda t: 0.5 * 0.9 ** (t / 7)),
    (S.ExponentialDecay(0.5, 7, 0.9, staircase=True), lambda t: 0.5 * 0.9 ** (t // 7)),
    (S.InverseTimeDecay(0.5, 7, 0.9), lambda t: 0.5 / (1 + 0.9 * t / 7)),
    (S.InverseTimeDecay(0.5, 7, 0.9, staircase=True), lambda t: 0.5 / (1 + 0.9 * (t // 7))),
    (S.PowerDecay(0.5, 7, 0.75), lambda t: 0.5 * (1 + t / 7) ** -0.75),
    (S.PolynomialDecay(0.5, 20, 0.1, 2.0), lambda t: polynomial(t, False)),
    (S.PolynomialDecay(0.5, 20, 0.1, 2.0, cycle=True), lambda t: polynomial(t, True)),
    (
        S.PiecewiseConstantDecay([10, 20], [0.3, 0.2, 0.1]),
        lambda t: 0.3 if t <= 10 else 0.2 if t <= 20 else 0.1,
    ),
    (S.CosineDecay(0.5, 30, 0.1), lambda t: 0.5 * (0.9 * half_cosine(min(t, 30) / 30) + 0.1)),
    (S.CosineDecay(0.1, 30, 0.1, warmup_target=0.5, warmup_steps=5), warm_cosine),
    (S.CosineDecayRestarts(0.5, 10, m_mul=0.5, alpha=0.2), lambda t: restarts(t, 2.0)),
    (S.CosineDecayRestarts(0.5, 10, t_mul=1.0, m_mul=0.5, alpha=0.2), lambda t: restarts(t, 1.0)),
    (S.CosineDecayRestarts(0.5, 10, t_mul=1.5, m_mul=0.5, alpha=0.2), lambda t: restarts(t, 1.5)),
    (S.OneCycle(0.5, 40), one_cycle),
]


@pytest.mark.parametrize(("schedule", "formula"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_values(schedule: Any, formula: Callable[[int], float]) -> None:
    steps = np.arange(100)
    wanted = [formula(int(step)) for step in steps]
    np.testing.assert_allclose(schedule(steps), wanted, rtol=1e-12, atol=1e-17)
    assert schedule(steps).shape == steps.shape
    rates = [schedule(int(step)) for step in steps]
    assert all(isinstance(rate, float) for rate in rates)
    np.testing.assert_allclose(rates, wanted, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize("schedule", [case[0] for case in CASES], ids=lambda s: s.name)
def test_configuration_round_trip(schedule: Any) -> None:
    again = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    assert again(37) == schedule(37)


def test_every_schedule_is_tested() -> None:
    offered = [getattr(schedules, name) for name in schedules.__all__]
    classes = {one for one in offered if inspect.isclass(one)} - {schedules.LearningRateSchedule}
    assert {type(case[0]) for case in CASES} == classes


def test_errors() -> None:
    with pytest.raises(ValueError, match="`decay_steps` must be finite and > 0"):
        schedules.ExponentialDecay(0.1, 0, 0.9)
    with pytest.raises(ValueError, match="one value more than boundaries"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="`boundaries` must increase"):
        schedules.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="`t_mul` must be at least 1"):
        schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5)
    with pytest.raises(ValueError, match="`warmup` must be between 0 and 1"):
        schedules.OneCycle(0.1, 10, warmup=2)
    with pytest.raises(NotImplementedError, match="must define"):
        schedules.LearningRateSchedule()(1)
    with pytest.raises(ValueError, match="Unknown schedule"):
        schedules.get({"class_name": "ExponentialDekay", "config": {}})
