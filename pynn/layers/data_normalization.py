"""Standardization of the data by statistics taken before training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pynn import config, ops
from pynn.layers._base import Layer
from pynn.layers._checks import Shape
from pynn.layers.normalization import feature_axis
from pynn.utils.checks import integer_axis


class Normalization(Layer):
    r"""Standardizes features by mean and variance of the data, known before training.

    Formula: ``(x - mean) / sqrt(variance)``, and ``x * sqrt(variance) + mean`` with ``invert``.

    Args:
        axis: the axis, or axes, whose places have a mean and a variance each; None for one mean
            and one variance of all numbers.
        mean: the means, if they are known; else call ``adapt``.
        variance: the variances, if they are known.
        invert: whether to undo the standardization.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        Any; the same comes out. Weights, unless mean and variance are given: mean, variance, count.

    Raises:
        ValueError: only one of mean and variance is given, or their shapes differ.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
        >>> layer([[1.0, 30.0]]).tolist()
        [[-1.0, 1.0]]
    """

    _one_input = True
    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        axes = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        self.axis = tuple(integer_axis("Normalization", a) for a in axes)
        if (mean is None) != (variance is None):
            raise ValueError(
                "Normalization: `mean` and `variance` must be given together. "
                f"Received: mean={mean}, variance={variance}"
            )
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                "Normalization: `mean` and `variance` must have the same shape. "
                f"Received: shapes {np.shape(mean)} and {np.shape(variance)}"
            )
        self.input_mean, self.input_variance, self.invert = mean, variance, bool(invert)
        super().__init__(**kwargs)

    def fixed_part(self, shape: Shape) -> Shape:
        return tuple(shape[a - 1] for a in self._axes(len(shape) + 1))

    def _axes(self, rank: int) -> list[int]:
        return sorted(feature_axis(self.name, a, rank) for a in self.axis)

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = self.fixed_part(tuple(int(n or 0) for n in input_shape[1:]))
        self._given = self.input_mean is not None
        if self._given:
            self.given_mean = np.broadcast_to(np.asarray(self.input_mean, self.dtype), shape)
            self.given_variance = np.broadcast_to(
                np.asarray(self.input_variance, self.dtype), shape
            )
            return
        self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
        self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        self.count = self.add_weight((), "zeros", trainable=False, name="count")

    def adapt(self, data: Any) -> None:
        """Takes mean and variance from data, in float64.

        Args:
            data: an array of samples, or something that yields batches of samples; of batches that
                are tuples the first entry is read.

        Raises:
            ValueError: mean and variance were given, or there is no data.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"{self.name}: mean and variance were given, there is nothing to take from data."
            )
        total, mean, squares = 0, np.zeros(()), np.zeros(())  # Chan's parallel update
        for batch in _batches(data):
            if not self.built:
                self.build_for((None, *batch.shape[1:]))
            axes = self._axes(batch.ndim)
            others = tuple(a for a in range(batch.ndim) if a not in axes)
            count = batch.size // max(1, int(np.prod([batch.shape[a] for a in axes])))
            own = batch.mean(axis=others)
            deviation = batch - np.expand_dims(own, others)
            spread = np.square(deviation).sum(axis=others)
            delta = own - mean
            squares = squares + spread + np.square(delta) * (total * count / (total + count))
            total += count
            mean = mean + delta * (count / total)
        if not total:
            raise ValueError(f"{self.name}: adapt needs data. Received: no samples")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / total)

    def finalize_state(self) -> None:
        """Nothing to do: mean and variance are read from the weights whenever they are used."""

    def _broadcast(self, rank: int) -> list[Any]:
        """Mean and variance with length 1 along the axes that share them."""
        axes = self._axes(rank)
        if self._given:
            pair: list[Any] = [self.given_mean, self.given_variance]
        else:
            pair = [self.adapt_mean, self.adapt_variance]
        sizes = iter(pair[0].shape)
        shape = [next(sizes) if i in axes else 1 for i in range(rank)]
        return [ops.reshape(values, shape) for values in pair]

    @property
    def mean(self) -> Any:
        """The means in use, with length 1 along the other axes; as given before that."""
        return self._broadcast(len(self.input_shape))[0] if self.built else self.input_mean

    @property
    def variance(self) -> Any:
        """The variances in use, likewise."""
        return self._broadcast(len(self.input_shape))[1] if self.built else self.input_variance

    def call(self, inputs: Any) -> Any:
        mean, variance = self._broadcast(len(inputs.shape))
        deviation = ops.maximum(ops.sqrt(variance), config.epsilon())
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def get_config(self) -> dict[str, Any]:
        described: dict[str, Any] = {"axis": list(self.axis) or None}
        for name in ("mean", "variance"):
            value = getattr(self, f"input_{name}")
            described[name] = None if value is None else np.asarray(value).tolist()
        return {**super().get_config(), **described}


def _batches(data: Any) -> Any:
    """The batches of data as float64 arrays; an array is one."""
    if not hasattr(data, "__next__") and (hasattr(data, "__array__") or isinstance(data, list)):
        yield _samples(data)
        return
    for batch in data:
        yield _samples(batch[0] if isinstance(batch, tuple) else batch)


def _samples(values: Any) -> npt.NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array.reshape(-1, 1) if array.ndim == 1 else array
