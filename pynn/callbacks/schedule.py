"""Learning rates that change from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pynn.callbacks._base import Callback, Logs
from pynn.utils.progress import message


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: called with (epoch, learning_rate), or with (epoch) alone; returns the new rate.
        verbose: 1 prints it.

    Raises:
        ValueError: the function returns something else than a number.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        optimizer = self.model.optimizer
        arguments = (epoch, float(optimizer.learning_rate))
        rate = self.schedule(*arguments if _takes(self.schedule, arguments) else arguments[:1])
        if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
            raise ValueError(
                "LearningRateScheduler: the schedule must return a number. "
                f"Received: {rate!r} for epoch {epoch}"
            )
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            message(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _takes(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether a function can be called with these arguments."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # it does not tell its signature
        return True
    return True
