"""Layers for sequences: samples of shape ``(steps, features)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn import ops
from pynn.layers._base import Layer
from pynn.layers._checks import order_of_axes
from pynn.layers.core import Activation, Dense
from pynn.utils.checks import is_integer, number


class Masking(Layer):
    """Marks steps that do not count: those all of whose features have one value.

    Later layers hand the mask on; averages over the steps and losses leave the steps out. The
    features of these steps become 0.

    Args:
        mask_value: the value.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, steps, features)``; the same comes out.

    Example:
        >>> Masking(mask_value=9.0)([[[9.0, 9.0], [9.0, 1.0]]]).tolist()
        [[[0.0, 0.0], [9.0, 1.0]]]
    """

    _one_input = True
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        self.mask_value = number("Masking", "mask_value", mask_value)
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs * self.compute_mask(inputs)[..., None]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Ones for the steps with a feature that differs from ``mask_value``, else zeros."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)


class _GlobalPooling1D(Layer):
    """One number for each feature from all steps."""

    _one_input = True

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        self.data_format = order_of_axes(type(self).__name__, data_format)
        self._steps = 1 if self.data_format == "channels_last" else 2
        self.keepdims = bool(keepdims)
        super().__init__(**kwargs)

    def check(self, inputs: Any) -> None:
        """Raises: ValueError: the samples are no sequences."""
        if len(inputs.shape) != 3:
            raise ValueError(
                f"{self.name}: expected inputs of shape (batch, steps, features). "
                f"Received: x.shape={inputs.shape}"
            )


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean of each feature over all steps; masked steps do not count.

    Formula: ``y[i, k] = sum over t of x[i, t, k] / steps``

    Args:
        data_format: ``"channels_last"`` for ``(batch, steps, features)``, the default, or
            ``"channels_first"`` for ``(batch, features, steps)``.
        keepdims: whether the axis of the steps stays, with length 1.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Output shape:
        ``(batch, features)``

    Raises:
        ValueError: another ``data_format``, or inputs with other than three axes.

    Example:
        >>> GlobalAveragePooling1D()([[[1.0, 2.0], [3.0, 6.0]]]).tolist()
        [[2.0, 4.0]]
    """

    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        self.check(inputs)
        if mask is None:
            return ops.mean(inputs, axis=self._steps, keepdims=self.keepdims)
        counts = mask[..., None] if self._steps == 1 else mask[:, None, :]
        total = ops.sum(inputs * counts, axis=self._steps, keepdims=self.keepdims)
        return total / ops.sum(counts, axis=self._steps, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """The result has no steps and so no mask."""


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest value of each feature over all steps.

    Formula: ``y[i, k] = max over t of x[i, t, k]``

    Args:
        data_format: ``"channels_last"`` for ``(batch, steps, features)``, the default, or
            ``"channels_first"`` for ``(batch, features, steps)``.
        keepdims: whether the axis of the steps stays, with length 1.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Output shape:
        ``(batch, features)``

    Raises:
        ValueError: another ``data_format``, or inputs with other than three axes.

    Example:
        >>> GlobalMaxPooling1D()([[[1.0, 6.0], [3.0, 2.0]]]).tolist()
        [[3.0, 6.0]]
    """

    def call(self, inputs: Any) -> Any:
        self.check(inputs)
        return ops.max(inputs, axis=self._steps, keepdims=self.keepdims)


class RepeatVector(Layer):
    """Repeats every sample, a vector, as a sequence of equal steps.

    Args:
        n: number of steps.
        kwargs: ``name``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, features)``

    Output shape:
        ``(batch, n, features)``

    Raises:
        TypeError: ``n`` is no integer.
        ValueError: ``n`` is not positive, or samples are no vectors.

    Example:
        >>> RepeatVector(2)([[1.0, 2.0]]).tolist()
        [[[1.0, 2.0], [1.0, 2.0]]]
    """

    _one_input = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        if not is_integer(n):
            raise TypeError(f"RepeatVector: `n` must be an integer. Received: n={n!r}")
        if n < 1:
            raise ValueError(f"RepeatVector: `n` must be positive. Received: n={n}")
        self.n = int(n)
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        if len(inputs.shape) != 2:
            raise ValueError(
                f"{self.name}: expected inputs of shape (batch, features). "
                f"Received: x.shape={inputs.shape}"
            )
        return ops.repeat(inputs[:, None, :], self.n, axis=1)


class Wrapper(Layer):
    """Base of layers that use another layer.

    Args:
        layer: the other layer.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Raises:
        ValueError: ``layer`` is no layer.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{type(self).__name__}: `layer` must be a layer. Received: layer={layer!r}"
            )
        self.layer = layer
        super().__init__(**kwargs)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Makes the layer and the one inside it from what ``get_config`` returned."""
        from pynn import layers

        inner = config["layer"]
        layer = inner if isinstance(inner, Layer) else layers.deserialize(inner)
        return cls(**{**config, "layer": layer})


class TimeDistributed(Wrapper):
    """Applies one layer, with the same weights, to every step of a sequence.

    Formula: ``y[:, t] = layer(x[:, t])``

    Args:
        layer: the layer. ``Dense`` alone does the same: it works on the last axis.
        kwargs: ``name``, ``trainable``, ``dtype``, ``input_shape``.

    Input shape:
        ``(batch, steps, ...)``

    Raises:
        ValueError: ``layer`` is no layer, or the inputs are no sequences.

    Example:
        >>> layer = TimeDistributed(Dense(1, kernel_initializer="ones"))
        >>> layer([[[1.0, 2.0], [3.0, 4.0]]]).tolist()
        [[[3.0], [7.0]]]
    """

    _one_input = True
    supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if len(inputs.shape) < 3:
            raise ValueError(
                f"{self.name}: expected inputs of shape (batch, steps, ...). "
                f"Received: x.shape={inputs.shape}"
            )
        if isinstance(self.layer, (Activation, Dense)):  # they work on the last axis anyway
            return self.layer(inputs)
        steps = range(inputs.shape[1])
        return ops.stack([self.layer(inputs[:, t]) for t in steps], axis=1)
