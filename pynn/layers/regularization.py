"""Layers that disturb training so that the network generalizes better; silent in prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pynn import regularizers
from pynn._graph.graph import Graph
from pynn._graph.tensor import Tensor
from pynn.layers._base import Layer
from pynn.layers._checks import fraction
from pynn.ops._primitives import with_batch
from pynn.utils.checks import number
from pynn.utils.random import check_seed


class Noise(Layer):
    """A node with one number and perhaps a seed of its own."""

    _one_input = True
    supports_masking = True
    op = ""
    parameter = "rate"

    def _setup(self, value: float, seed: int | None, kwargs: dict[str, Any]) -> None:
        setattr(self, self.parameter, value)
        self.seed = check_seed(type(self).__name__, seed)
        super().__init__(**kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        if getattr(self, self.parameter) == 0 or not graph.noisy:
            return x
        return self.disturb(graph, x)

    def disturb(self, graph: Graph, x: Tensor) -> Tensor:
        """Adds the node that disturbs a tensor."""
        spec: dict[str, Any] = {self.parameter: getattr(self, self.parameter)}
        if self.seed is not None:
            spec["seed"] = self.seed
        return graph.add(self.op, [x], x.sample, random=True, **spec)


class _ElementsDropped(Noise):
    """Noise that drops elements, or all elements along some axes together."""

    rate: float
    noise_shape: tuple[int | None, ...] | None = None

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        owner = type(self).__name__
        self.noise_shape = _checked_noise_shape(owner, noise_shape)
        self._setup(fraction(owner, "rate", rate), seed, kwargs)

    def emit(self, graph: Graph, x: Tensor) -> Tensor:
        shape = self.shape_of_noise(x)
        if shape is None or self.rate == 0 or not graph.noisy:
            return super().emit(graph, x)
        ones = graph.constant(np.ones(shape[1:]))
        if shape[0] is None:
            ones = with_batch(ones, x)
        spec: dict[str, Any] = {} if self.seed is None else {"seed": self.seed}
        kept = graph.add("dropout", [ones], ones.sample, random=True, rate=self.rate, **spec)
        return self.apply(x, kept)

    def shape_of_noise(self, x: Tensor) -> tuple[int | None, ...] | None:
        """The shape of the random numbers, 1 where one number serves a whole axis.

        Raises:
            ValueError: it does not fit the input.
        """
        if self.noise_shape is None:
            return None
        given = self.noise_shape
        shape = tuple(n or m for n, m in zip(given, x.shape, strict=False))
        fits = len(given) == len(x.shape) and given[0] in (None, 1)
        if not fits or any(n not in (1, m) for n, m in zip(shape[1:], x.sample, strict=True)):
            raise ValueError(
                f"{self.name}: `noise_shape` must have None, 1 or the input's length for each "
                f"axis, None or 1 for that of the samples. Received: noise_shape={given} for "
                f"x.shape={x.shape}"
            )
        return (given[0], *shape[1:])

    def apply(self, x: Tensor, kept: Tensor) -> Tensor:
        """The result for factors that are 0 or ``1 / (1 - rate)``."""
        y: Tensor = x * kept
        return y


def _checked_noise_shape(owner: str, shape: Any) -> tuple[int | None, ...] | None:
    if shape is None:
        return None
    listed = isinstance(shape, (list, tuple))
    if not listed or any(n is not None and not (isinstance(n, int) and n > 0) for n in shape):
        raise ValueError(
            f"{owner}: `noise_shape` must be a list of positive integers and None. "
            f"Received: noise_shape={shape!r}"
        )
    return tuple(shape)


class Dropout(_ElementsDropped):
    """Sets a random part of the elements to zero in training and scales up the others.

    Formula: y = 0 with probability ``rate``, else ``x / (1 - rate)``; y = x outside training.

    Args:
        rate: the part to drop, in [0, 1).
        noise_shape: the shape of the random numbers, such as ``(None, 1, 8)``: along axes of
            length 1 all elements are dropped together. None: each element by itself.
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``rate`` lies outside, or ``noise_shape`` does not fit.

    References:
        Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
    """

    op = "dropout"


class AlphaDropout(_ElementsDropped):
    """Dropout that keeps mean and variance; the companion of SELU.

    Formula: dropped elements take the value SELU saturates at, then all are shifted and scaled so
    that mean 0 and variance 1 stay.

    Args:
        rate: the part to drop, in [0, 1).
        noise_shape: the shape of the random numbers, such as ``(None, 1, 8)``: along axes of
            length 1 all elements are dropped together. None: each element by itself.
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``rate`` lies outside, or ``noise_shape`` does not fit.

    References:
        Klambauer et al. 2017, "Self-normalizing neural networks", https://arxiv.org/abs/1706.02515
    """

    op = "alpha_dropout"

    def apply(self, x: Tensor, kept: Tensor) -> Tensor:
        dropped = -1.6732632423543772 * 1.0507009873554805  # where SELU saturates
        scale = 1 / math.sqrt((1 - self.rate) * (1 + self.rate * dropped**2))
        keep = kept * (1 - self.rate)
        y: Tensor = (x * keep + dropped * (1 - keep)) * scale - scale * dropped * self.rate
        return y


class SpatialDropout1D(_ElementsDropped):
    """Drops whole features of a sequence, at all steps together, in training.

    Formula: as ``Dropout`` with ``noise_shape=(None, 1, features)``.

    Args:
        rate: the part to drop, in [0, 1).
        seed: an integer gives this layer random numbers of its own; None: those of the model.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, steps, features)``; the same comes out.

    Raises:
        ValueError: ``rate`` lies outside, or the inputs are no sequences.

    References:
        Tompson et al. 2015, https://arxiv.org/abs/1411.4280
    """

    op = "dropout"

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, (None, 1, None), seed, name=name, dtype=dtype, **kwargs)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["trainable"]  # which Keras does not take here
        return config


class GaussianDropout(Noise):
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


class GaussianNoise(Noise):
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
        self._setup(number("GaussianNoise", "stddev", stddev, low=0), seed, kwargs)


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

    _one_input = True
    supports_masking = True

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
