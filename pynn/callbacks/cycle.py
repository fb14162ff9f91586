"""The 1cycle policy: the learning rate once up and down, momentum the other way."""

from __future__ import annotations

import math
from typing import Any

from pynn.callbacks._base import Callback, Logs
from pynn.utils.checks import number, positive_integer

_MOMENTA = ("momentum", "beta_1")  # what optimizers call it


class OneCycle(Callback):
    """Raises the learning rate to a large value and lowers it again, batch by batch.

    With T steps in all, of which the last ``annealing`` part is A, the rate goes in straight lines
    from ``start_rate`` to ``max_rate`` in (T - A)/2 steps, back to ``start_rate`` in as many, and
    down to ``end_rate`` in the last A. Momentum falls from its larger to its smaller value while
    the rate rises, rises while it falls, and stays there in the end.

    Args:
        max_rate: the largest learning rate; ``model.find_lr`` suggests one.
        start_rate: the first; by default a tenth of ``max_rate``.
        end_rate: the last; by default a thousandth of ``start_rate``.
        momentum: its (largest, smallest) value; None leaves it alone. It is ``momentum`` of SGD and
            RMSprop and ``beta_1`` of Adam and its relatives; the optimizer has its own value again
            after training.
        annealing: the part of the steps at the end, in [0, 1).
        total_steps: steps of the whole cycle; by default epochs times steps of the ``fit``.

    The rate after each epoch's last step is added to its logs as ``learning_rate``.

    Raises:
        ValueError: a number outside its range; the length of the training is not known.
        TypeError: the optimizer has no momentum, ValueError if it was made with none.

    Example:
        >>> cycle = OneCycle(max_rate=0.1, momentum=(0.95, 0.85))
        >>> [round(cycle.rate(step, 100), 4) for step in (0, 45, 90, 100)]
        [0.01, 0.1, 0.01, 0.0]

    References:
        Smith 2018, A disciplined approach to neural network hyper-parameters,
        https://arxiv.org/abs/1803.09820.
    """

    def __init__(
        self,
        max_rate: float,
        start_rate: float | None = None,
        end_rate: float | None = None,
        momentum: tuple[float, float] | None = (0.95, 0.85),
        annealing: float = 0.1,
        total_steps: int | None = None,
    ) -> None:
        super().__init__()
        self.max_rate = number("OneCycle", "max_rate", max_rate)
        first = max_rate / 10 if start_rate is None else start_rate
        self.start_rate = number("OneCycle", "start_rate", first)
        last = self.start_rate / 1000 if end_rate is None else end_rate
        self.end_rate = number("OneCycle", "end_rate", last)
        rates = (self.end_rate, self.start_rate, self.max_rate)
        if not (0 <= rates[0] <= rates[1] <= rates[2] < math.inf and max_rate > 0):
            raise ValueError(
                "OneCycle: the rates must satisfy 0 <= end_rate <= start_rate <= max_rate and "
                f"max_rate > 0. Received: end_rate={rates[0]!r}, start_rate={rates[1]!r}, "
                f"max_rate={rates[2]!r}"
            )
        if momentum is not None and not _falls(momentum):
            raise ValueError(
                "OneCycle: `momentum` must be (largest, smallest), both in [0, 1). "
                f"Received: momentum={momentum!r}"
            )
        if number("OneCycle", "annealing", annealing, low=0) >= 1:
            raise ValueError(
                f"OneCycle: `annealing` must lie in [0, 1). Received: annealing={annealing!r}"
            )
        if total_steps is not None:
            positive_integer("OneCycle", "total_steps", total_steps)
        self.momentum, self.annealing, self.total_steps = momentum, annealing, total_steps
        self._epoch = self._total = self._done = 0
        self._before: tuple[str, float] | None = None  # momentum's name and value before

    def rate(self, step: int, total: int) -> float:
        """The learning rate of a step, counted from 0, in a cycle of ``total`` steps."""
        height, last = self._place(step, total)
        rate = self.start_rate + (self.max_rate - self.start_rate) * height
        return rate + (self.end_rate - self.start_rate) * last

    def momentum_at(self, step: int, total: int) -> float:
        """The momentum of a step.

        Raises:
            ValueError: the cycle leaves it alone.
        """
        if self.momentum is None:
            raise ValueError("OneCycle: the cycle was made with momentum=None.")
        largest, smallest = self.momentum
        return largest + (smallest - largest) * self._place(step, total)[0]

    def _place(self, step: int, total: int) -> tuple[float, float]:
        """How high the cycle stands, and how much of the descent after it is done, 0 to 1."""
        half = total * (1 - self.annealing) / 2
        height = max(0.0, 1 - abs(step - half) / half)
        beyond = max(0.0, step - 2 * half)
        return height, min(1.0, beyond / (total - 2 * half)) if beyond else 0.0

    def on_train_begin(self, logs: Logs = None) -> None:
        steps = self.params.get("steps")
        if self.total_steps is None and steps is None:
            raise ValueError(
                "OneCycle: the length of the training is not known. "
                "Pass total_steps, or steps_per_epoch to fit."
            )
        self._total = self.total_steps or steps * self.params["epochs"]
        self._done = 0
        if self.momentum is not None:
            optimizer = self.model.optimizer
            name = next((name for name in _MOMENTA if hasattr(optimizer, name)), None)
            if name is None:
                raise TypeError(
                    f"OneCycle: {type(optimizer).__name__} has no momentum. Pass momentum=None."
                )
            if not getattr(optimizer, name):
                raise ValueError(
                    f"OneCycle: {type(optimizer).__name__} was made without momentum, which cannot "
                    f"be added in flight. Give it {name}={self.momentum[0]}, or pass momentum=None."
                )
            self._before = name, getattr(optimizer, name)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        step = min(self._step(batch), self._total)
        optimizer = self.model.optimizer
        optimizer.learning_rate = self.rate(step, self._total)
        if self._before is not None:
            setattr(optimizer, self._before[0], self.momentum_at(step, self._total))

    def _step(self, batch: int) -> int:
        steps: Any = self.params.get("steps")
        if steps is not None:
            return int(self._epoch * steps + batch)
        self._done += 1
        return self._done - 1

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def on_close(self) -> None:
        if self._before is not None:
            setattr(self.model.optimizer, *self._before)
            self._before = None


def _falls(momentum: Any) -> bool:
    """Whether these are two numbers in [0, 1), the larger one first."""
    if not isinstance(momentum, (list, tuple)) or len(momentum) != 2:
        return False
    largest, smallest = (number("OneCycle", "momentum", value) for value in momentum)
    return 0 <= smallest <= largest < 1
