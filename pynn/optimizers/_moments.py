"""Steps from running moments of gradients: Adam and its relatives, Lion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pynn.optimizers._base import Optimizer, Rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pynn.optimizers._options import Options, SharedOptions


class Adam(Optimizer):
    """Running mean of gradients over the root of their running mean square.

    Formula: ``m += (1 - beta_1) * (g - m)``, ``v += (1 - beta_2) * (g ** 2 - v)``,
    ``w -= lr * sqrt(1 - beta_2 ** t) / (1 - beta_1 ** t) * m / (sqrt(v) + epsilon)``, t from 1

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_1: decay of the running mean, between 0 and 1.
        beta_2: decay of the running mean of squares, between 0 and 1.
        epsilon: keeps the divisor above 0 (the paper's epsilon hat).
        amsgrad: divide by the largest mean square so far.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    Example:
        >>> Adam(0.01, clipnorm=1.0).spec()["fields"]
        [0.9, 0.999, 1e-07, 0.0]

    References:
        Kingma, Ba 2014, https://arxiv.org/abs/1412.6980; amsgrad: Reddi et al. 2018,
        https://arxiv.org/abs/1904.09237
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[Options],
    ) -> None:
        fields = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        super().__init__(learning_rate, fields, options)


class AdamW(Optimizer):
    """Adam with decoupled weight decay: the decay does not pass through the moments.

    Formula: ``w *= 1 - lr * weight_decay``, then Adam's step

    Args:
        learning_rate: a number, a schedule, or a function.
        weight_decay: the share of every weight taken away each step, per unit of learning rate.
        beta_1: decay of the running mean, between 0 and 1.
        beta_2: decay of the running mean of squares, between 0 and 1.
        epsilon: keeps the divisor above 0.
        amsgrad: divide by the largest mean square so far.
        options: clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Loshchilov, Hutter 2017, https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Unpack[SharedOptions],
    ) -> None:
        fields = {"beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon, "amsgrad": amsgrad}
        super().__init__(learning_rate, fields, {**options, "weight_decay": weight_decay})


class Adamax(Optimizer):
    """Adam with the running maximum of gradients in place of the root mean square.

    Formula: ``m += (1 - beta_1) * (g - m)``, ``u = max(beta_2 * u, |g|)``,
    ``w -= lr / (1 - beta_1 ** t) * m / (u + epsilon)``

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_1: decay of the running mean, between 0 and 1.
        beta_2: decay of the running maximum, between 0 and 1.
        epsilon: keeps the divisor above 0.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Kingma, Ba 2014, section 7, https://arxiv.org/abs/1412.6980
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


class Nadam(Optimizer):
    """Adam with Nesterov's look-ahead and a momentum that warms up.

    Formula: ``mu_t = beta_1 * (1 - 0.96 ** t / 2)``, moments as in Adam,
    ``w -= lr * (mu_(t+1) * m / (1 - mu_1 ... mu_(t+1)) + (1 - mu_t) * g / (1 - mu_1 ... mu_t))
    / (sqrt(v / (1 - beta_2 ** t)) + epsilon)``

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_1: decay of the running mean, between 0 and 1.
        beta_2: decay of the running mean of squares, between 0 and 1.
        epsilon: keeps the divisor above 0.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """

    beta_1: float

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

    def rule_scalars(self) -> dict[str, Any]:
        """Keras keeps the product of the momentum schedule."""
        steps = np.arange(1, self.iterations + 1)
        product = np.prod(self.beta_1 * (1 - 0.5 * 0.96**steps))
        return {"u_product": np.array(product, np.float32)}


class Lion(Optimizer):
    """Steps of one size in the direction of the sign of the mixed momentum.

    Formula: ``w -= lr * sign(beta_1 * m + (1 - beta_1) * g)``,
    ``m = beta_2 * m + (1 - beta_2) * g``

    Args:
        learning_rate: a number, a schedule, or a function; about a tenth of what suits Adam.
        beta_1: share of the momentum in the step, above 0 and at most 1.
        beta_2: decay of the momentum, between 0 and 1.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Chen et al. 2023, https://arxiv.org/abs/2302.06675
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"beta_1": beta_1, "beta_2": beta_2}, options)


class ScheduleFreeAdamW(Optimizer):
    """Adam's scaling with an average of all iterates in place of a falling learning rate.

    Formula: ``v += (1 - beta_2) * (g ** 2 - v)``, ``x = (w - (1 - beta_1) * z) / beta_1``,
    ``z -= lr * min(t / warmup_steps, 1) * g / (sqrt(v / (1 - beta_2 ** t)) + epsilon)``,
    ``x += (z - x) / t``, ``w = (1 - beta_1) * z + beta_1 * x``

    Args:
        learning_rate: a number, a schedule, or a function.
        beta_1: the average's share in the weights, above 0 and at most 1.
        beta_2: decay of the running mean of squares, between 0 and 1.
        epsilon: keeps the divisor above 0.
        warmup_steps: steps in which the learning rate rises from 0; 0 for none.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Defazio et al. 2024, "The road less scheduled", https://arxiv.org/abs/2405.15682
    """

    def __init__(
        self,
        learning_rate: Rate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **options: Unpack[Options],
    ) -> None:
        fields = {
            "beta_1": beta_1,
            "beta_2": beta_2,
            "epsilon": epsilon,
            "warmup_steps": warmup_steps,
        }
        super().__init__(learning_rate, fields, options)
