"""Layers that disturb training so that the network generalizes better; silent in prediction."""

from __future__ import annotations

import math
from typing import Any

from pynn import regularizers
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import fraction
from pynn.utils.random import check_seed


class _Noise(Layer):
    """A node with one number and perhaps a seed of its own."""

    op = ""
    parameter = "rate"

    def _setup(self, value: float, seed: int | None, kwargs: dict[str, Any]) -> None:
        setattr(self, self.parameter, value)
        self.seed = check_seed(type(self).__name__, seed)
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        spec: dict[str, Any] = {self.parameter: getattr(self, self.parameter)}
        if spec[self.parameter] == 0 or not graph.noisy:
            return x
        if self.seed is not None:
            spec["seed"] = self.seed
        return graph.add(self.op, [x], x.sample, random=True, **spec)


def _no_noise_shape(owner: str, noise_shape: Any) -> None:
    if noise_shape is not None:
        raise ValueError(
            f"{owner}: every element is dropped by itself, `noise_shape` must be None. "
            f"Received: noise_shape={noise_shape!r}"
        )


class Dropout(_Noise):
    """Sets a random part of the elements to zero in training and scales up the others.

    Formula: y = 0 with probability ``rate``, else ``x / (1 - rate)``; y = x outside training.

    Args:
        rate: the part to drop, in [0, 1).
        noise_shape: only None.
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``rate`` lies outside, or ``noise_shape`` is given.

    References:
        Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    op = "dropout"
    rate: float

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        _no_noise_shape("Dropout", noise_shape)
        self.noise_shape = None
        self._setup(fraction("Dropout", "rate", rate), seed, kwargs)


class AlphaDropout(_Noise):
    """Dropout that keeps mean and variance; the companion of SELU.

    Formula: dropped elements take the value SELU saturates at, then all are shifted and scaled so
    that mean 0 and variance 1 stay.

    Args:
        rate: the part to drop, in [0, 1).
        noise_shape: only None.
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``rate`` lies outside, or ``noise_shape`` is given.

    References:
        Klambauer et al. 2017, "Self-normalizing neural networks", https://arxiv.org/abs/1706.02515
    """

    op = "alpha_dropout"
    rate: float

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        _no_noise_shape("AlphaDropout", noise_shape)
        self.noise_shape = None
        self._setup(fraction("AlphaDropout", "rate", rate), seed, kwargs)


class GaussianDropout(_Noise):
    """Multiplies by normal noise of mean 1 and variance ``rate / (1 - rate)`` in training.

    Args:
        rate: as in ``Dropout``, in [0, 1).
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``rate`` lies outside.

    References:
        Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    op = "gaussian_dropout"
    rate: float

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        self._setup(fraction("GaussianDropout", "rate", rate), seed, kwargs)


class GaussianNoise(_Noise):
    """Adds normal noise of mean 0 in training.

    Args:
        stddev: its standard deviation, not negative.
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``stddev`` is negative.
    """

    op = "gaussian_noise"
    parameter = "stddev"
    stddev: float

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        if not (stddev >= 0 and math.isfinite(stddev)):
            raise ValueError(
                f"GaussianNoise: `stddev` must be finite and >= 0. Received: stddev={stddev!r}"
            )
        self._setup(float(stddev), seed, kwargs)


class ActivityRegularization(Layer):
    """Passes its input on and adds a penalty of it to the loss.

    Formula: ``(l1 * sum|x| + l2 * sum(x**2)) / batch`` is added to the loss.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: a negative factor.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        penalty = regularizers.L1L2(l1, l2)
        self.l1, self.l2 = penalty.l1, penalty.l2
        super().__init__(activity_regularizer=penalty, **kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        return x

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["activity_regularizer"]
        return config
