"""What all learning rate schedules share."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn.utils.checks import number
from pynn.utils.configurable import Configurable

Array = npt.NDArray[np.float64]


class LearningRateSchedule(Configurable):
    """Base of all schedules.

    A subclass defines ``__call__(self, step)``, which is called for every step, or ``at(steps)``
    for many steps at once.

    Example:
        >>> class Halves(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5**step
        >>> Halves()(2)
        0.025
    """

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate at a step (a float), or at an array of steps (an array)."""
        steps = np.asarray(step, dtype=np.float64)
        rates = self.at(steps)
        return float(rates) if steps.ndim == 0 else np.broadcast_to(rates, steps.shape)

    def at(self, steps: Array) -> Any:
        """Returns the learning rates at an array of steps."""
        raise NotImplementedError(f"{type(self).__name__} must define `at(self, steps)`.")

    def check_numbers(self, *positive: str) -> None:
        """Checks the fields of a dataclass that hold numbers, some of which are above 0.

        Raises:
            TypeError: no number.
            ValueError: not finite, or not above 0.
        """
        for field in dataclasses.fields(self):  # type: ignore[arg-type]  # subclasses are such
            value = getattr(self, field.name)
            if field.type == "float" or (field.type == "float | None" and value is not None):
                above = 0.0 if field.name in positive else -math.inf
                number(type(self).__name__, field.name, value, above=above)
