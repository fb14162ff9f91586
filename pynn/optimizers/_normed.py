"""Steps measured by norms of the variable they change: Lamb, Adafactor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn.optimizers._base import Optimizer, Rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pynn.optimizers._options import Options


class Lamb(Optimizer):
    """Adam's step scaled to the norm of each variable; for large batches.

    Formula: moments as in Adam, ``u = m / (1 - beta_1 ** t) / (sqrt(v / (1 - beta_2 ** t)) +
    epsilon)``, ``w -= lr * norm(w) / norm(u) * u``, where a norm of 0 leaves the ratio at 1

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_1: decay of the running mean, between 0 and 1.
        beta_2: decay of the running mean of squares, between 0 and 1.
        epsilon: keeps the divisor above 0.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        You et al. 2019, https://arxiv.org/abs/1904.00962
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        fields = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon}
        super().__init__(learning_rate, fields, options)


class Adafactor(Optimizer):
    """Steps relative to the size of each variable, over mean squares of rows and columns.

    Formula: ``q = g ** 2 + epsilon_1``, ``b = 1 - t ** beta_2_decay``; for a matrix ``r = b * r +
    (1 - b) * row means of q``, ``c`` the same of columns, ``v = r * c / mean(r)``, else ``v = b * v
    + (1 - b) * q``; ``u = g / sqrt(v)``, ``w -= max(epsilon_2, rms(w)) * min(lr, 1 / sqrt(t)) * u /
    max(1, rms(u) / clip_threshold)``

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_2_decay: the exponent by which the decay of squares nears 1, at most 0.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size that a variable counts for.
        clip_threshold: the largest root mean square of ``u``, above 0.
        relative_step: the rate is at most ``1 / sqrt(t)``; as in Keras, False does not lift this
            bound, since the formula has it a second time.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Shazeer, Stern 2018, https://arxiv.org/abs/1804.04235
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Unpack[Options],
    ) -> None:
        fields = {
            "beta_2_decay": beta_2_decay,
            "epsilon_1": epsilon_1,
            "epsilon_2": epsilon_2,
            "clip_threshold": clip_threshold,
            "relative_step": relative_step,
        }
        super().__init__(learning_rate, fields, options)
