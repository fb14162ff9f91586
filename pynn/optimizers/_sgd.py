"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn.optimizers._base import Optimizer, Rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pynn.optimizers._options import Options


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and Nesterov's variant of it.

    Formula: ``w -= lr * g``; with momentum ``m = momentum * m - lr * g`` and ``w += m``, or with
    ``nesterov`` ``w += momentum * m - lr * g``

    Args:
        learning_rate: a number, a schedule, or a function.
        momentum: share of the last step that is kept, between 0 and 1.
        nesterov: look ahead along the momentum.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> SGD(0.1, momentum=0.9)
        SGD(learning_rate=0.1, momentum=0.9, nesterov=False)

    References:
        Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
    """

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"momentum": momentum, "nesterov": nesterov}, options)
