"""Steps scaled by accumulated squares of gradients: Adagrad, Adadelta, RMSprop, Ftrl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynn.optimizers._base import Optimizer, Rate

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from pynn.optimizers._options import Options


class Adagrad(Optimizer):
    """Each weight's step shrinks with the squares of all its gradients so far; suits rare features.

    Formula: ``a += g ** 2``, ``w -= lr * g / sqrt(a + epsilon)``

    Args:
        learning_rate: a number, a schedule, or a function.
        initial_accumulator_value: where the sums of squares start, at least 0.
        epsilon: keeps the root above 0.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        fields = {"initial_accumulator_value": initial_accumulator_value, "epsilon": epsilon}
        super().__init__(learning_rate, fields, options)


class Adadelta(Optimizer):
    """Steps in the unit of the weights: the running size of steps over that of gradients.

    Formula: ``a = rho * a + (1 - rho) * g ** 2``,
    ``u = g * sqrt(d + epsilon) / sqrt(a + epsilon)``, ``d = rho * d + (1 - rho) * u ** 2``,
    ``w -= lr * u``

    Args:
        learning_rate: a number, a schedule, or a function; 1.0 is the paper's rule.
        rho: decay of the running means of squares, between 0 and 1.
        epsilon: keeps the roots above 0.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Zeiler 2012, https://arxiv.org/abs/1212.5701
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(learning_rate, {"rho": rho, "epsilon": epsilon}, options)


class RMSprop(Optimizer):
    """Gradients divided by a running root mean square of themselves.

    Formula: ``v = rho * v + (1 - rho) * g ** 2``, ``u = lr * g / sqrt(v + epsilon)``, ``w -= u``;
    ``centered`` subtracts the squared running mean of ``g`` from ``v``; with momentum
    ``m = momentum * m + u``, ``w -= m``

    Args:
        learning_rate: a number, a schedule, or a function.
        rho: decay of the running mean of squares, between 0 and 1.
        momentum: share of the last step that is kept, between 0 and 1.
        epsilon: keeps the root above 0.
        centered: divide by the running standard deviation instead.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        Tieleman, Hinton 2012, Coursera lecture 6.5; centered: Graves 2013,
        https://arxiv.org/abs/1308.0850
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Unpack[Options],
    ) -> None:
        fields = {"rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered}
        super().__init__(learning_rate, fields, options)


class Ftrl(Optimizer):
    """Follow the regularized leader: L1 makes weights exactly 0; for wide sparse linear models.

    Weights are a function of the gradients so far, whatever they started from.

    Formula: ``p = -learning_rate_power``, ``z += g + 2 * l2_shrinkage * w - ((a + g ** 2) ** p -
    a ** p) / lr * w``, ``a += g ** 2``, ``w = (clip(z, -l1, l1) - z) / (a ** p / lr + 2 * l2 +
    beta / lr)``

    Args:
        learning_rate: a number, a schedule, or a function.
        learning_rate_power: how the rate falls with the sums of squares, at most 0.
        initial_accumulator_value: where the sums of squares start, at least 0.
        l1_regularization_strength: the ``l1`` of the formula.
        l2_regularization_strength: the ``l2`` of the formula.
        l2_shrinkage_regularization_strength: an L2 penalty of the gradient only.
        beta: added to the root of the sums of squares.
        options: ``weight_decay``, clipping, running means and so on: see ``Optimizer``.

    Raises:
        ValueError: a value outside its range.

    References:
        McMahan et al. 2013, https://research.google/pubs/pub41159
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Unpack[Options],
    ) -> None:
        fields = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        super().__init__(learning_rate, fields, options)
