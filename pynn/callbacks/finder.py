"""Looks for a good learning rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.callbacks._base import Callback, Logs
from pynn.utils.checks import is_integer, number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class LearningRateFinder(Callback):
    """Trains with an exponentially growing learning rate and watches the loss.

    Step t of T uses the rate ``min_rate * (max_rate / min_rate) ** (t / (T - 1))``. The batches'
    losses are smoothed, ``s = beta * s + (1 - beta) * loss`` divided by ``1 - beta ** (t + 1)``.
    Training stops when the smoothed loss exceeds ``divergence`` times its minimum, and the model
    is then as it was before: weights, optimizer, learning rate.

    Args:
        min_rate: the first learning rate.
        max_rate: the last.
        steps: how many batches the growth takes; by default epochs times steps of the ``fit``.
        beta: how much the smoothed loss keeps, in [0, 1).
        divergence: how many times the least loss ends the search, more than 1.

    Attributes:
        rates: the learning rates tried.
        losses: the smoothed loss after each.
        suggestion: the rate at which the loss fell most steeply over the logarithm of the rate: a
            good constant rate; ``OneCycle`` bears several times as much. NaN if it never fell.

    Raises:
        ValueError: a number outside its range; the length of the training is not known.

    Example:
        >>> finder = LearningRateFinder(min_rate=1e-6, max_rate=1.0, steps=7)
        >>> [f"{finder.rate(step):.0e}" for step in range(7)]
        ['1e-06', '1e-05', '1e-04', '1e-03', '1e-02', '1e-01', '1e+00']

    References:
        Smith 2015, Cyclical learning rates for training neural networks,
        https://arxiv.org/abs/1506.01186.
    """

    def __init__(
        self,
        min_rate: float = 1e-6,
        max_rate: float = 10.0,
        steps: int | None = None,
        beta: float = 0.9,
        divergence: float = 4.0,
    ) -> None:
        super().__init__()
        given = {"min_rate": min_rate, "max_rate": max_rate, "beta": beta, "divergence": divergence}
        for name, value in given.items():
            number("LearningRateFinder", name, value)
        if not 0 < min_rate < max_rate < math.inf:
            raise ValueError(
                "LearningRateFinder: the rates must satisfy 0 < min_rate < max_rate. "
                f"Received: min_rate={min_rate!r}, max_rate={max_rate!r}"
            )
        if steps is not None and (not is_integer(steps) or steps < 2):
            raise ValueError(
                f"LearningRateFinder: `steps` must be an integer >= 2. Received: steps={steps!r}"
            )
        if not 0 <= beta < 1 or not divergence > 1:
            raise ValueError(
                "LearningRateFinder: `beta` must lie in [0, 1), and `divergence` must be more than "
                f"1. Received: beta={beta!r}, divergence={divergence!r}"
            )
        self.min_rate, self.max_rate, self.steps = min_rate, max_rate, steps
        self.beta, self.divergence = beta, divergence
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._total = 0 if steps is None else steps
        self._average = self._sum = 0.0
        self._before: tuple[Any, ...] | None = None  # weights, optimizer, learning rate

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        growth = math.log(self.max_rate / self.min_rate)
        return self.min_rate * math.exp(growth * step / (self._total - 1))

    def on_train_begin(self, logs: Logs = None) -> None:
        if self.steps is None:
            if self.params.get("steps") is None:
                raise ValueError(
                    "LearningRateFinder: the length of the training is not known. Pass steps."
                )
            self._total = max(2, self.params["steps"] * self.params["epochs"])
        self.rates, self.losses, self._average = [], [], 0.0
        optimizer = self.model.optimizer
        rate = float(optimizer.learning_rate)
        self._before = self.model.get_weights(), optimizer.get_weights(), rate

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        if batch == 0:
            self._sum = 0.0
        self.rates.append(self.rate(len(self.rates)))
        self.model.optimizer.learning_rate = self.rates[-1]

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        mean = (logs or {}).get("loss", math.nan)  # of the epoch so far
        total = mean * (batch + 1)
        loss, self._sum = total - self._sum, total
        self._average = self.beta * self._average + (1 - self.beta) * loss
        smoothed = self._average / (1 - self.beta ** (len(self.losses) + 1))
        if not math.isfinite(smoothed):
            self.rates.pop()
            self.model.stop_training = True
            return
        self.losses.append(smoothed)
        diverged = smoothed > self.divergence * min(self.losses) and smoothed > 0
        if diverged or len(self.rates) == self._total:
            self.model.stop_training = True

    def on_close(self) -> None:
        if self._before is not None:
            weights, state, rate = self._before
            self.model.set_weights(weights)
            self.model.optimizer.set_weights(state)
            self.model.optimizer.learning_rate = rate  # the state holds it in single precision
            self._before = None

    @property
    def suggestion(self) -> float:
        """The learning rate at the steepest fall of the smoothed loss, NaN if it never falls."""
        count = len(self.losses)
        half = max(1, count // 16)  # slopes of lines through 2 half + 1 losses: batches are noisy
        if count <= 2 * half:
            return math.nan
        slopes = np.correlate(self.losses, np.arange(-half, half + 1.0), "valid")
        rough = min(round(1 / (1 - self.beta)), count // 4) - half
        slopes[: max(0, rough)] = 0  # the first averages are of too few losses
        place = int(slopes.argmin())
        return self.rates[half + place] if slopes[place] < 0 else math.nan

    def plot(self) -> Figure:
        """Draws the smoothed loss over the learning rate, with the suggestion.

        Raises:
            ImportError: matplotlib is not installed.
            ValueError: nothing has been trained yet.
        """
        from pynn import plotting

        return plotting.loss_over_rate(self.rates, self.losses, self.suggestion)

    def __repr__(self) -> str:
        return f"<LearningRateFinder of {len(self.rates)} steps: suggestion {self.suggestion:.3g}>"
